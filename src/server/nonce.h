/* Digest nonces of one worker: made without state, checked by an HMAC whose key outlives a restart, and the nonce
 * counts (nc) seen with each that was used. RFC 7616 §3.3, §5.4-5.5; why it is so: docs/decisions/0006-nonce.md. Only
 * who already proved the password reaches nonces_use, so strangers cost no memory (defects.md row 5). */
#ifndef SERVER_NONCE_H
#define SERVER_NONCE_H

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
#include "store/store.h"

/* Hexadecimal of: time (6 octets, ms), worker (1), unique part (5), HMAC-SHA-256 over them and the realm, cut to 16. */
#define NONCE_TEXT_LEN 56
/* Five minutes: a phone that registers every minute is asked anew once in five; a stolen request is worth no longer. */
#define NONCE_LIFE_MS (5 * 60 * 1000)
/* A client's parallel requests may arrive in any order within this many counts. */
#define NONCE_WINDOW 32u

struct nonces;

struct nonces_config {
    uint8_t key[STORE_SECRET_LEN];
    const struct hash_key *hash_key;
    struct clock *clock;
    struct random *random;
    unsigned worker, workers; /* workers 0 counts as 1 */
    uint32_t max;             /* used nonces remembered */
};

/* ERR_NONE, ERR_NO_MEMORY, ERR_IO (the crypto library refused). */
int nonces_new(const struct nonces_config *c, struct nonces **ret);
void nonces_free(struct nonces *n);
/* False when the crypto library refused. */
bool nonces_make(struct nonces *n, struct slice realm, char out[NONCE_TEXT_LEN]);
/* Whether a request that carries a correct response may use this nonce with this count, and remembers it. `request`
 * tells requests apart: the same count with the same request is a retransmission. False: answer stale=true. A client
 * that sends no count (RFC 2069 style) has nc 0, which counts as 1: one request per nonce. */
bool nonces_use(struct nonces *n, struct slice realm, struct slice nonce, uint32_t nc, uint64_t request);

#endif
