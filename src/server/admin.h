/* What telexctl asks and orders at an account's home. Each runs on the home worker and takes little time: who wants
 * more asks again. */
#ifndef SERVER_ADMIN_H
#define SERVER_ADMIN_H

#include "server/account.h"

/* Each binding that is known, also those over connections that are gone. */
void admin_bindings(struct server *home, int64_t account,
                    void (*visit)(void *context, const struct binding *b, uint64_t expires_in_ms), void *context);

struct admin_mailbox {
    uint32_t messages;
    uint64_t bytes;
    uint32_t devices; /* known ones, registered or not */
};
void admin_mailbox(struct server *home, int64_t account, struct admin_mailbox *ret);

struct admin_entry {
    uint64_t seq;
    uint32_t size;
    uint32_t devices; /* that it waits for; 0: for the first one that comes */
};
/* The oldest entries over `after` that somebody is owed: writes at most `max`, returns how many. */
size_t admin_entries(struct server *home, int64_t account, uint64_t after, struct admin_entry *out, size_t max);
/* Ends an entry as removed for all who are owed it. False when nobody is. */
bool admin_remove_entry(struct server *home, int64_t account, uint64_t seq);
/* The account is gone from the store and nobody finds it any more: forgets its devices and its mail. False while a
 * REGISTER that came before is on its way to the store: ask again. */
bool admin_forget(struct server *home, int64_t account);

#endif
