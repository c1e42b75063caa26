/* The control socket DIR/telexd.sock: one JSON object per line each way. A request is
 *     {"command": "user add", "account": "sip:alice@example.com", ...}
 * and its answer is any number of lines {"item": {...}} and then one line {"ok": true, ...} or
 * {"ok": false, "error": "..."}. One request at a time per connection; the next one waits in the socket. */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "daemon/daemon_private.h"

/* A request's line: an import's part of 1000 long lines fits many times. */
#define CONTROL_REQUEST_MAX (4u * 1024 * 1024)
/* A whole answer, kept until it was read: the list of a million accounts. */
#define CONTROL_ANSWER_MAX (256u * 1024 * 1024)
/* People and scripts at work at once. */
#define CONTROL_SESSIONS_MAX 32u

/* Removes a stale socket (the caller holds the folder's lock), binds and listens. ERR_NO_MEMORY, ERR_IO with errno. */
int control_new(struct daemon *daemon, struct control **ret);
/* Removes the socket, while the folder's lock is still held: afterwards it might be the next telexd's. No further
 * request is begun; those that run end as soon as they can. Legal twice. */
void control_stop(struct control *c);
/* Requests that have not been answered yet. */
size_t control_running(const struct control *c);
/* Stops it too. */
void control_free(struct control *c);

#endif
