/* user import: a part of a file of accounts. */
#ifndef DAEMON_CONTROL_IMPORT_H
#define DAEMON_CONTROL_IMPORT_H

#include "daemon/control_private.h"

/* lines: a list of texts uri,password[,name]; first: the number of the first one. Each line that cannot be taken is an
 * item {line, error}; all others are accounts when the answer comes. Empty lines and those that begin with # are passed
 * over. */
void control_import(struct control_call *call);

#endif
