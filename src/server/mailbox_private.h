/* Inside of the mailbox: what mailbox.c and mailbox_load.c share. */
#ifndef SERVER_MAILBOX_PRIVATE_H
#define SERVER_MAILBOX_PRIVATE_H

#include "server/mailbox.h"

/* Takes an entry into the queue, behind all others; nothing when nobody is owed it. It lives until `expires_ms` of the
 * wall clock, and at least `least_ms` from now. ERR_NO_MEMORY. */
int mailbox_insert(struct account *a, uint64_t seq, uint32_t owed, uint32_t size, int64_t expires_ms,
                   uint64_t least_ms);
void mailbox_free_exceptions(struct account *a);

#endif
