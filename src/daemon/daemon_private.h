/* What the parts of the daemon's main thread share. Nothing here is touched by another thread, but `shared` and
 * `workers` through their own functions. */
#ifndef DAEMON_DAEMON_PRIVATE_H
#define DAEMON_DAEMON_PRIVATE_H

#include "daemon/worker.h"
#include "loop/loop.h"

struct control;

struct daemon {
    struct config *config;
    const char *data; /* of the command line; NULL: the configuration's */
    struct server_shared shared;
    struct loop *loop;
    struct workers *workers;
    struct control *control;
    struct loop_io signals;
    struct timer stop_timer; /* looks whether what was in flight has ended */
    uint64_t stop_deadline_ms;
    uint64_t started_ms; /* monotonic */
    bool stopping;
};

#endif
