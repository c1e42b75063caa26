/* Who sent this request: digest (RFC 7616, RFC 8760, RFC 3261 §22), trusted peers, relays; and whether From says the
 * same. One per worker; nonces are valid on every worker and across restarts (HMAC over time with a key kept in the
 * store). */
#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H

#include "server/accounts.h"
#include "server/config.h"
#include "txn/endpoint.h"

struct auth;

struct auth_config {
    const struct server_config *config;
    struct accounts *accounts;
    struct clock *clock;
    struct random *random;
    const struct hash_key *hash_key;
    uint8_t nonce_key[STORE_SECRET_LEN];
    uint32_t nonces_max; /* used nonces whose nc is remembered; the oldest is dropped: its next use is stale */
    unsigned worker, workers;
};

int auth_new(const struct auth_config *c, struct auth **ret);
void auth_free(struct auth *a);
void auth_set_config(struct auth *a, const struct server_config *config);

enum auth_kind {
    AUTH_ACCOUNT,   /* one of our accounts, proven by digest */
    AUTH_TRUSTED,   /* a trusted peer: identity is its P-Asserted-Identity, else From */
    AUTH_HOP,       /* the next hop of a route: a foreign From is believed, one of ours is not */
    AUTH_CHALLENGE, /* answer `challenge` */
    AUTH_REFUSED    /* answer `challenge` (403, 400 ...) */
};

#define AUTH_AOR_MAX 256
/* Three challenges with the longest domain name (253 octets) and a nonce in each. */
#define AUTH_HEADERS_MAX 2048

struct auth_result {
    enum auth_kind kind;
    int64_t account;           /* of the sender, 0 when it is none of ours */
    char sender[AUTH_AOR_MAX]; /* canonical address-of-record, NUL-terminated */
    size_t sender_len;
    /* What to answer when kind is AUTH_CHALLENGE or AUTH_REFUSED: status and whole header lines in `headers`. */
    uint16_t status;
    char headers[AUTH_HEADERS_MAX];
    size_t headers_len;
    bool failed; /* credentials for our realm came and were wrong: for the counter */
};

/* Decides about one request outside or inside a dialog. REGISTER: the identity is To's, and From must be the same
 * account; a trusted peer may register anybody. Others: From must be the authenticated account, else 403. A REGISTER
 * for a domain or (from a trusted peer) an account that we don't have is refused with 404. A foreign From: believed of
 * trusted peers and route hops, challenged in our first domain's name from a relay, else 403. A digest that names an
 * unknown user costs and looks the same as a wrong password. Failed logins are logged with their source (auth_log.h).
 * Never waits. */
void auth_request(struct auth *a, const struct incoming *in, struct auth_result *ret);

/* Logs, bounded, that somebody registers at a domain that is not ours: the line to add to the configuration. */
void auth_note_unknown_domain(struct auth *a, const struct flow *flow, struct slice host);

/* True when the address is in auth.trusted, in relays. */
bool auth_is_trusted(const struct server_config *c, const struct address *source);
bool auth_is_relay(const struct server_config *c, const struct address *source);

#endif
