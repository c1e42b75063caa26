/* Decides who sent a request. The order of the checks is the order of RFC 3261 §26.3 and contract.md: trust first, then
 * whether the name is ours to prove, then the proof, then whether the proven account is the one that the request names.
 */
#include "server/auth.h"

#include <stdlib.h>

#include "base/err.h"
#include "server/auth_identity.h"
#include "server/auth_log.h"
#include "server/nonce.h"
#include "sip/build.h"

/* Credentials headers of one request that are computed: a phone sends one, two with a proxy of its own; each more would
 * be free work for a stranger. */
#define CREDENTIALS_MAX 2

struct auth {
    struct auth_config c;
    struct nonces *nonces;
    struct account_identity nobody; /* random HA1, computed with for users that don't exist */
    struct auth_log log;
};

/* A digest list: the algorithms offered, in order. */
struct offer {
    const enum digest_algorithm *algorithms;
    size_t count;
};

/* One look at a request's credentials. */
struct proof {
    bool is_proven, is_stale; /* stale: the response is right, the nonce or its count is not */
    const char *reason;       /* of the failure; NULL: there was nothing to check */
    char user[128];           /* as claimed, for the log */
    struct account_identity account;
    char aor[AUTH_AOR_MAX];
    size_t aor_len;
};

static void make_nobody(struct auth *a)
{
    uint8_t noise[32];
    struct store_credentials *c = &a->nobody.credentials;
    char *const texts[] = {c->md5[0], c->md5[1], c->sha256[0], c->sha256[1], c->sha512_256[0], c->sha512_256[1]};
    const size_t sizes[] = {32, 32, 64, 64, 64, 64};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        random_fill(a->c.random, noise, sizeof noise);
        for (size_t k = 0; k < sizes[i]; k++)
            texts[i][k] = "0123456789abcdef"[noise[k / 2] >> (k % 2 * 4) & 15];
    }
}

int auth_new(const struct auth_config *c, struct auth **ret)
{
    struct auth *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NO_MEMORY;
    a->c = *c;
    struct nonces_config n = {
        .hash_key = c->hash_key,
        .clock = c->clock,
        .random = c->random,
        .worker = c->worker,
        .workers = c->workers,
        .max = c->nonces_max,
    };
    memcpy(n.key, c->nonce_key, sizeof n.key);
    int result = nonces_new(&n, &a->nonces);
    explicit_bzero(n.key, sizeof n.key);
    explicit_bzero(a->c.nonce_key, sizeof a->c.nonce_key);
    if (result != ERR_NONE) {
        free(a);
        return result;
    }
    make_nobody(a);
    auth_log_init(&a->log, c->clock);
    *ret = a;
    return ERR_NONE;
}

void auth_free(struct auth *a)
{
    if (!a)
        return;
    nonces_free(a->nonces);
    free(a);
}

void auth_set_config(struct auth *a, const struct server_config *config)
{
    a->c.config = config;
}

void auth_note_unknown_domain(struct auth *a, const struct flow *flow, struct slice host)
{
    auth_log_unknown_domain(&a->log, flow, host);
}

static bool contains(const struct network *networks, size_t count, const struct address *source)
{
    for (size_t i = 0; i < count; i++)
        if (network_contains(&networks[i], source))
            return true;
    return false;
}

bool auth_is_trusted(const struct server_config *c, const struct address *source)
{
    return contains(c->trusted, c->trusted_count, source);
}

bool auth_is_relay(const struct server_config *c, const struct address *source)
{
    return contains(c->relays, c->relay_count, source);
}

/* A next hop that is a name is not believed: whoever owns the name's records could become anybody. */
static bool is_route_hop(const struct server_config *c, const struct address *source)
{
    for (size_t i = 0; i < c->route_count; i++) {
        struct address ip;
        if (address_parse_ip(c->routes[i].next_hop.host, &ip) == ERR_NONE && address_eq_ip(&ip, source))
            return true;
    }
    return false;
}

static void refuse(struct auth_result *ret, uint16_t status)
{
    ret->kind = AUTH_REFUSED;
    ret->status = status;
}

static void accept(struct auth_result *ret, enum auth_kind kind, int64_t account, struct slice aor)
{
    ret->kind = kind;
    ret->account = account;
    ret->sender_len = aor.len;
    (void)slice_to_cstr(aor, ret->sender, sizeof ret->sender);
}

/* --- the proof: RFC 3261 §22.4, RFC 7616 §3.4 --- */

/* The account's own list, else its listener's, else the general one. */
static struct offer offer_for(const struct auth *a, const struct account_identity *account, const struct flow *flow)
{
    const struct server_config *c = a->c.config;
    if (account->digest_count)
        return (struct offer){account->digest, account->digest_count};
    if (flow->listener < c->listener_count && c->listeners[flow->listener].digest_count)
        return (struct offer){c->listeners[flow->listener].digest, c->listeners[flow->listener].digest_count};
    return (struct offer){c->digest, c->digest_count};
}

static bool is_offered(const struct offer *o, enum digest_algorithm algorithm)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->algorithms[i] == algorithm)
            return true;
    return false;
}

/* The address-of-record that a username means: `user` or `user@domain`. Every octet that is no letter or digit is
 * escaped first; the canonical form undoes what need not be. False when there can be no such account. */
static bool username_aor(struct slice username, struct slice realm, struct proof *p, bool *ret_with_domain)
{
    struct slice user = username;
    struct buf text, aor;
    struct uri uri;
    size_t fault;
    bool found = false;
    *ret_with_domain = username.len > realm.len && username.ptr[username.len - realm.len - 1] == '@' &&
                       slice_eq(slice_skip(username, username.len - realm.len), realm);
    if (*ret_with_domain)
        user = slice_head(username, username.len - realm.len - 1);
    buf_init(&text, sizeof p->aor * 3);
    buf_init(&aor, sizeof p->aor - 1);
    buf_append(&text, SLICE("sip:"));
    for (size_t i = 0; i < user.len; i++) {
        unsigned char c = (unsigned char)user.ptr[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (plain) {
            buf_append_char(&text, (char)c);
        } else {
            buf_append_char(&text, '%');
            buf_append_hex(&text, &c, 1);
        }
    }
    buf_append_char(&text, '@');
    buf_append(&text, realm);
    if (user.len && buf_ok(&text) && uri_parse(buf_slice(&text), &uri, &fault) == ERR_NONE &&
        uri_append_aor(&aor, &uri) == ERR_NONE && buf_ok(&aor)) {
        p->aor_len = aor.len;
        found = slice_to_cstr(buf_slice(&aor), p->aor, sizeof p->aor) == ERR_NONE;
    }
    buf_deinit(&text);
    buf_deinit(&aor);
    return found;
}

static void take_ha1(const struct store_credentials *c, enum digest_algorithm algorithm, int form,
                     struct digest_hash *ret)
{
    const char *text = algorithm == DIGEST_MD5      ? c->md5[form]
                       : algorithm == DIGEST_SHA256 ? c->sha256[form]
                                                    : c->sha512_256[form];
    ret->len = algorithm == DIGEST_MD5 ? 32 : 64;
    memcpy(ret->hex, text, ret->len);
}

/* Tells requests apart for a count that comes twice: contract.md's "same Call-ID and CSeq", and all else that a replay
 * could change without the digest noticing. */
static uint64_t request_hash(const struct auth *a, const struct message *m)
{
    const struct hash_key *key = a->c.hash_key;
    struct addr from;
    uint64_t hash = hash_slice(key, message_value(m, HEADER_CALL_ID));
    hash = hash_mix(hash, hash_slice(key, message_value(m, HEADER_CSEQ)));
    hash = hash_mix(hash, hash_slice(key, m->uri_text));
    if (message_from(m, &from) == ERR_NONE)
        hash = hash_mix(hash, hash_slice(key, addr_tag(&from)));
    return hash_mix(hash, hash_slice(key, m->body));
}

/* Same work whether or not the user exists (defects.md, scan and enumeration). */
static void check_credentials(struct auth *a, const struct incoming *in, const struct digest_credentials *d,
                              struct proof *p)
{
    struct digest_hash ha1, expected;
    bool with_domain;
    bool exists = username_aor(d->username, d->realm, p, &with_domain) &&
                  accounts_find(a->c.accounts, slice_make(p->aor, p->aor_len), &p->account);
    if (!exists)
        p->account = a->nobody;
    struct offer offer = offer_for(a, &p->account, in->flow);
    (void)slice_to_cstr(slice_head(d->username, sizeof p->user - 1), p->user, sizeof p->user);
    take_ha1(&p->account.credentials, d->algorithm, with_domain, &ha1);
    bool right = digest_response(&ha1, d, in->message->method_name, in->message->body, &expected) == ERR_NONE &&
                 digest_hash_eq(&expected, d->response);
    explicit_bzero(&ha1, sizeof ha1);
    explicit_bzero(&p->account.credentials, sizeof p->account.credentials);
    if (!exists || !right) {
        p->reason = exists ? "wrong-password" : "unknown-user";
    } else if (!is_offered(&offer, d->algorithm)) {
        p->reason = "algorithm-not-offered";
    } else if (d->nc == 0 && d->qop != DIGEST_QOP_NONE) {
        p->reason = "nonce-count-zero";
    } else {
        p->is_proven = nonces_use(a->nonces, d->realm, d->nonce, d->nc, request_hash(a, in->message));
        p->is_stale = !p->is_proven;
        p->reason = NULL;
    }
}

/* Either header is read (contract.md). Credentials for another realm are somebody else's. */
static void look_for_proof(struct auth *a, const struct incoming *in, struct slice realm, struct proof *p)
{
    static const enum header fields[] = {HEADER_AUTHORIZATION, HEADER_PROXY_AUTHORIZATION};
    int checked = 0;
    *p = (struct proof){0};
    for (size_t i = 0; i < 2; i++) {
        const struct header_line *h = message_header(in->message, fields[i]);
        for (; h && checked < CREDENTIALS_MAX; h = message_next_header(in->message, h)) {
            struct digest_credentials d;
            if (digest_parse_credentials(h->value, &d) != ERR_NONE) {
                p->reason = "malformed-credentials";
                continue;
            }
            if (!slice_eq(d.realm, realm))
                continue;
            checked++;
            check_credentials(a, in, &d, p);
            if (p->is_proven || p->is_stale)
                return;
        }
    }
}

/* RFC 8760 §2.4: one challenge per algorithm, each in a line of its own, in the configured order. */
static void challenge(struct auth *a, const struct incoming *in, struct slice realm,
                      const struct account_identity *account, bool stale, struct auth_result *ret)
{
    bool is_register = in->message->method == METHOD_REGISTER;
    struct offer offer = offer_for(a, account, in->flow);
    char nonce[NONCE_TEXT_LEN];
    struct buf lines;
    if (!nonces_make(a->nonces, realm, nonce)) {
        refuse(ret, 500);
        return;
    }
    buf_init(&lines, sizeof ret->headers);
    for (size_t i = 0; i < offer.count; i++) {
        const struct digest_challenge c = {
            .realm = realm,
            .nonce = slice_make(nonce, sizeof nonce),
            .algorithm = offer.algorithms[i],
            .stale = stale,
            .qop_auth = true,
        };
        enum header name = is_register ? HEADER_WWW_AUTHENTICATE : HEADER_PROXY_AUTHENTICATE;
        buf_append(&lines, header_name(name));
        buf_append(&lines, SLICE(": "));
        digest_append_challenge(&lines, &c);
        buf_append(&lines, SLICE("\r\n"));
    }
    ret->kind = AUTH_CHALLENGE;
    ret->status = is_register ? 401 : 407;
    ret->headers_len = buf_ok(&lines) ? lines.len : 0;
    if (ret->headers_len)
        memcpy(ret->headers, lines.ptr, lines.len);
    else
        refuse(ret, 500);
    buf_deinit(&lines);
}

/* Somebody says that he is `claimed`; others it is in the name of our first domain that he proves to be somebody. */
static void prove(struct auth *a, const struct incoming *in, const struct auth_identity *claimed,
                  struct auth_result *ret)
{
    struct slice realm = claimed->is_ours ? claimed->domain : a->c.config->domains[0];
    struct proof p;
    struct auth_identity from;
    look_for_proof(a, in, realm, &p);
    if (!p.is_proven) {
        struct account_identity account;
        bool exists = claimed->is_ours && accounts_find(a->c.accounts, auth_identity_aor(claimed), &account);
        if (!exists)
            account = a->nobody;
        ret->failed = p.reason != NULL;
        if (p.reason)
            auth_log_failed(&a->log, in->flow, slice_str(p.user), p.reason, message_value(in->message, HEADER_CALL_ID));
        challenge(a, in, realm, &account, p.is_stale, ret);
        return;
    }
    struct slice aor = slice_make(p.aor, p.aor_len);
    /* From must be the account (contract.md); for REGISTER To too: no third-party registration (RFC 3261 §10.3 step 4).
     */
    if (!slice_eq(aor, auth_identity_aor(claimed)) ||
        auth_identity_header(a->c.config, in->message, HEADER_FROM, &from) != ERR_NONE ||
        !slice_eq(aor, auth_identity_aor(&from))) {
        auth_log_failed(&a->log, in->flow, slice_str(p.user), "other-identity",
                        message_value(in->message, HEADER_CALL_ID));
        ret->failed = true;
        refuse(ret, 403);
        return;
    }
    accept(ret, AUTH_ACCOUNT, p.account.id, aor);
}

static void decide_register(struct auth *a, const struct incoming *in, const struct auth_identity *to,
                            struct auth_result *ret)
{
    int64_t id;
    if (!to->is_ours) {
        if (slice_is_set(to->host))
            auth_note_unknown_domain(a, in->flow, to->host);
        /* RFC 4475 §3.3.4: To must be a SIP URI; RFC 3261 §10.3 step 5: and of our domain. */
        refuse(ret, slice_is_set(to->host) ? 404 : 400);
    } else if (!auth_is_trusted(a->c.config, &in->flow->remote)) {
        prove(a, in, to, ret);
    } else if (accounts_id(a->c.accounts, auth_identity_aor(to), &id)) {
        accept(ret, AUTH_TRUSTED, id, auth_identity_aor(to));
    } else {
        refuse(ret, 404);
    }
}

static void decide_other(struct auth *a, const struct incoming *in, const struct auth_identity *from,
                         struct auth_result *ret)
{
    const struct server_config *c = a->c.config;
    const struct address *source = &in->flow->remote;
    if (auth_is_trusted(c, source)) {
        struct auth_identity said;
        int64_t id = 0;
        if (auth_identity_asserted(c, in->message, &said) != ERR_NONE) {
            refuse(ret, 400);
            return;
        }
        if (said.is_ours)
            (void)accounts_id(a->c.accounts, auth_identity_aor(&said), &id);
        accept(ret, AUTH_TRUSTED, id, auth_identity_aor(&said));
    } else if (from->is_ours || auth_is_relay(c, source)) {
        prove(a, in, from, ret);
    } else if (is_route_hop(c, source)) {
        accept(ret, AUTH_HOP, 0, auth_identity_aor(from));
    } else {
        refuse(ret, 403);
    }
}

void auth_request(struct auth *a, const struct incoming *in, struct auth_result *ret)
{
    bool is_register = in->message->method == METHOD_REGISTER;
    struct auth_identity claimed;
    ret->account = 0;
    ret->sender_len = ret->headers_len = 0;
    ret->sender[0] = '\0';
    ret->status = 0;
    ret->failed = false;
    if (auth_identity_header(a->c.config, in->message, is_register ? HEADER_TO : HEADER_FROM, &claimed) != ERR_NONE)
        refuse(ret, 400);
    else if (is_register)
        decide_register(a, in, &claimed, ret);
    else
        decide_other(a, in, &claimed, ret);
}
