/* telex listen --exec: one command at a time, each with one message on its standard input. */
#ifndef TELEX_EXEC_H
#define TELEX_EXEC_H

#include "telex/ua.h"

/* Starts `sh -c command` with the body as standard input, TELEX_FROM, TELEX_TO, TELEX_MESSAGE_ID and TELEX_CONTENT_TYPE
 * in its environment, its standard output joined to standard error, and no TELEX_PASSWORD. Returns a descriptor that is
 * readable when it has ended, or -1. */
int telex_exec_start(const char *command, const struct telex_incoming *m);
/* True when the command behind the descriptor ended with 0; closes it. */
bool telex_exec_finish(int fd);

#endif
