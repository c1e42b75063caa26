/* telexd as a whole: starts the parts in their order (DESIGN §4), runs them until a signal ends it, stops them in the
 * reverse order. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "daemon/config.h"

/* Exit codes of telexd. */
enum daemon_exit {
    DAEMON_EXIT_OK = 0,
    DAEMON_EXIT_FAILED = 1,      /* the system, the disk or the store refused */
    DAEMON_EXIT_USAGE = 2,       /* wrong arguments */
    DAEMON_EXIT_CONFIG = 3,      /* the configuration cannot be read, or is wrong */
    DAEMON_EXIT_DATA_IN_USE = 4, /* another telexd holds the data folder */
    DAEMON_EXIT_LISTEN = 5,      /* a listener's address is taken, or not ours */
};

/* Takes `config`. `data`, as given on the command line or NULL, is for reloads. The log says why it failed. */
enum daemon_exit daemon_run(struct config *config, const char *data);

#endif
