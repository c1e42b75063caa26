/* A new configuration while everything runs: domains, aliases, auth, relays, routes, limits. Listeners, workers and the
 * data folder keep what they had until a restart. */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include "daemon/daemon_private.h"

/* Reads the file anew and gives it to all workers. On failure the old one stays and *ret_message (the caller frees it)
 * says why. *ret_left_out: bits of what is different in the file but waits for a restart. */
enum { RELOAD_LISTEN = 1, RELOAD_WORKERS = 2, RELOAD_DATA = 4 };
int reload_run(struct daemon *d, unsigned *ret_left_out, char **ret_message);
/* The names of those bits, "listen, data". */
void reload_append_left_out(struct buf *out, unsigned left_out);
/* For SIGHUP: the log says what became of it. */
void reload_from_signal(struct daemon *d);

#endif
