/* Where the control socket of a data folder is. A Unix socket's name holds 107 octets only; a longer path is reached
 * through the folder's descriptor. */
#ifndef DAEMON_CONTROL_PATH_H
#define DAEMON_CONTROL_PATH_H

#include <sys/un.h>

#define CONTROL_PATH_NAME "telexd.sock"

/* *ret_folder is a descriptor to close after bind or connect, or -1 when none is needed. ERR_NOT_FOUND (no such
 * folder). */
int control_path_make(const char *data, struct sockaddr_un *ret, int *ret_folder);

#endif
