/* Who may sign in: all accounts in memory once, read by every worker without a lock (liburcu), written by one thread at
 * a time. The store holds the truth; a change is committed there first, then published here. */
#ifndef SERVER_ACCOUNTS_H
#define SERVER_ACCOUNTS_H

#include "base/buf.h"
#include "base/hash.h"
#include "sip/digest.h"
#include "store/store.h"

struct accounts;

/* A copy of what a worker needs of one account, small enough for the stack. */
struct account_identity {
    int64_t id;
    struct store_credentials credentials;
    uint8_t digest_count; /* 0: no list of its own */
    enum digest_algorithm digest[DIGEST_ALGORITHMS];
    char name[64]; /* display name, cut at a UTF-8 border; "" if none */
};

int accounts_new(const struct hash_key *key, struct accounts **ret);
void accounts_free(struct accounts *a);
/* By canonical address-of-record. False when there is none. Any thread. */
bool accounts_find(struct accounts *a, struct slice aor, struct account_identity *ret);
/* Whether it exists, and its number. Any thread. */
bool accounts_id(struct accounts *a, struct slice aor, int64_t *ret);
/* Appends its whole display name, if it is there. Any thread. */
void accounts_append_name(struct accounts *a, struct slice aor, struct buf *out);
/* Inserts or replaces. ERR_NO_MEMORY; ERR_MALFORMED when `extra` cannot be read. */
int accounts_put(struct accounts *a, const struct store_account *account);
void accounts_remove(struct accounts *a, struct slice aor);
size_t accounts_count(struct accounts *a);
/* Calls `visit` for each, in no order, in the caller's thread; slices live for the call. */
void accounts_each(struct accounts *a, void (*visit)(void *context, int64_t id, struct slice aor, struct slice name),
                   void *context);

/* Fills the six HA1 of a new password. `aor` canonical; realm is its domain. ERR_MALFORMED, ERR_IO. */
int accounts_make_credentials(struct slice aor, struct slice password, struct store_credentials *ret);

#endif
