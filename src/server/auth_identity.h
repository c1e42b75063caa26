/* Whom a request names: the addresses-of-record in To, From and P-Asserted-Identity. */
#ifndef SERVER_AUTH_IDENTITY_H
#define SERVER_AUTH_IDENTITY_H

#include "server/auth.h"

struct auth_identity {
    bool is_ours;        /* its host is one of our domains, aliases or addresses */
    struct slice domain; /* ours; absent otherwise */
    struct slice host;   /* as written; absent for a URI without one */
    char aor[AUTH_AOR_MAX];
    size_t aor_len;
};

static inline struct slice auth_identity_aor(const struct auth_identity *i)
{
    return slice_make(i->aor, i->aor_len);
}

/* ERR_TOO_LARGE when the address-of-record is longer than AUTH_AOR_MAX. A foreign URI of another scheme is its own
 * address-of-record. */
int auth_identity_of(const struct server_config *c, const struct uri *u, struct auth_identity *ret);
/* Of a single field (To, From). ERR_NOT_FOUND, ERR_MALFORMED, ERR_TOO_LARGE. */
int auth_identity_header(const struct server_config *c, const struct message *m, enum header field,
                         struct auth_identity *ret);
/* What a trusted peer says: the first SIP URI of P-Asserted-Identity, else its first value, else From (RFC 3325 §9.1).
 */
int auth_identity_asserted(const struct server_config *c, const struct message *m, struct auth_identity *ret);

#endif
