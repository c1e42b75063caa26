/* All accounts in order, and what their homes say of each. */
#ifndef DAEMON_CONTROL_WALK_H
#define DAEMON_CONTROL_WALK_H

#include "daemon/control_private.h"

struct control_account {
    int64_t id;
    struct slice aor, name;
};

/* A copy of all accounts, sorted by address-of-record. */
struct control_accounts {
    struct control_account *rows;
    size_t count;
    struct buf texts;
};

/* ERR_NO_MEMORY. */
int control_walk_accounts(struct daemon *d, struct control_accounts *ret);
void control_walk_free(struct control_accounts *all);

/* The account that the request names, if it names one: ERR_NONE; ERR_NOT_FOUND when it names none. Else the call was
 * refused: ERR_MALFORMED. `aor` gets its canonical name. */
int control_walk_named(struct control_call *call, struct buf *aor, int64_t *ret_id);

/* Calls `visit` on each account's home worker, for the account that the request names or for all of them, while this
 * thread waits: it returns an array of items, or NULL. All items become lines of the answer, in the order of the
 * accounts; then the call is answered. */
void control_walk(struct control_call *call,
                  json_t *(*visit)(struct server *home, const struct control_account *account));

#endif
