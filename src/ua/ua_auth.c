/* Digest credentials: which challenge is answered, and how. RFC 3261 §22, RFC 7616, RFC 8760.
 *
 * A 401 or 407 to a MESSAGE can come from any element on its way, also from the recipient. So a challenge is answered
 * only for our own realm, and the only realm that is learned is one that our registrar names for a REGISTER (defects
 * row 4). Bytes only ever go to the one server that the host is connected to. */
#include "ua/ua_private.h"

static struct ua_credential *credential_of(struct ua_exchange *x, enum ua_auth_kind kind)
{
    return &x->ua->credentials[x->method == METHOD_REGISTER ? 0 : 1][kind];
}

static bool realm_is_ours(struct telex_ua *ua, enum method method, struct slice realm)
{
    if (ua->config.realm)
        return slice_eq(realm, slice_str(ua->config.realm));
    if (slice_eq_nocase(realm, ua->domain) || (ua->learned_realm.ptr && slice_eq(realm, ua->learned_realm)))
        return true;
    if (method != METHOD_REGISTER || ua->learned_realm.ptr || realm.len > UA_TEXT_MAX)
        return false;
    ua->learned_realm = arena_copy(&ua->texts, realm);
    return slice_is_set(ua->learned_realm);
}

static bool make_ha1(struct telex_ua *ua, enum digest_algorithm algorithm, const char *realm, struct digest_hash *ret)
{
    if (ua->config.password)
        return digest_ha1(algorithm, ua->auth_user, slice_str(realm), slice_str(ua->config.password), ret) == ERR_NONE;
    if (!ua->config.callbacks->ha1)
        return false;
    char hex[TELEX_HA1_SIZE] = "";
    static const enum telex_hash hashes[DIGEST_ALGORITHMS] = {
        [DIGEST_MD5] = TELEX_MD5, [DIGEST_SHA256] = TELEX_SHA256, [DIGEST_SHA512_256] = TELEX_SHA512_256};
    size_t want = algorithm == DIGEST_MD5 ? 32 : 64;
    if (ua->config.callbacks->ha1(ua->config.context, ua->config.auth_user, realm, hashes[algorithm], hex) != 0 ||
        strnlen(hex, sizeof hex) != want)
        return false;
    memcpy(ret->hex, hex, want);
    ret->len = (uint8_t)want;
    return true;
}

static bool store(struct ua_exchange *x, struct ua_credential *c, const struct digest_challenge *challenge)
{
    struct ua_credential fresh = {.algorithm = challenge->algorithm,
                                  .has_qop = challenge->qop_auth || challenge->qop_auth_int,
                                  .qop_int = !challenge->qop_auth && challenge->qop_auth_int,
                                  .has_opaque = slice_is_set(challenge->opaque)};
    if (slice_to_cstr(challenge->realm, fresh.realm, sizeof fresh.realm) ||
        slice_to_cstr(challenge->nonce, fresh.nonce, sizeof fresh.nonce) ||
        slice_to_cstr(challenge->opaque, fresh.opaque, sizeof fresh.opaque))
        return false;
    if (!make_ha1(x->ua, challenge->algorithm, fresh.realm, &fresh.ha1))
        return false;
    fresh.set = true;
    *c = fresh; /* nc begins anew with each nonce (defects row 11) */
    return true;
}

bool ua_auth_learn(struct ua_exchange *x, const struct message *response)
{
    enum ua_auth_kind kind = response->status == 401 ? UA_AUTH_WWW : UA_AUTH_PROXY;
    enum header id = kind == UA_AUTH_WWW ? HEADER_WWW_AUTHENTICATE : HEADER_PROXY_AUTHENTICATE;
    struct ua_credential *c = credential_of(x, kind);
    if (x->challenges >= UA_CHALLENGES_MAX) {
        c->set = false;
        return false;
    }
    /* RFC 8760 §2.4: the server's order is its preference; the first that we can answer is taken. */
    for (const struct header_line *h = message_header(response, id); h; h = message_next_header(response, h)) {
        struct digest_challenge challenge;
        if (digest_parse_challenge(h->value, &challenge) != ERR_NONE ||
            !realm_is_ours(x->ua, x->method, challenge.realm))
            continue;
        /* RFC 3261 §22.2: credentials that were just rejected are not sent again, unless only the nonce was stale. */
        if (x->proven[kind] && !challenge.stale)
            break;
        if (store(x, c, &challenge)) {
            x->proven[kind] = true;
            x->challenges++;
            return true;
        }
    }
    c->set = false;
    return false;
}

static void append_one(struct ua_exchange *x, struct buf *out, enum ua_auth_kind kind, struct slice body)
{
    struct ua_credential *c = credential_of(x, kind);
    if (!c->set)
        return;
    char cnonce[UA_TOKEN_LEN + 1], nc_text[9];
    ua_text_token(x->ua, cnonce);
    c->nc++;
    static const char hex[] = "0123456789abcdef";
    for (unsigned i = 0; i < 8; i++)
        nc_text[i] = hex[c->nc >> (28 - 4 * i) & 15];
    nc_text[8] = '\0';
    struct digest_credentials credentials = {
        .username = x->ua->auth_user,
        .realm = slice_str(c->realm),
        .nonce = slice_str(c->nonce),
        .uri = x->uri,
        .opaque = c->has_opaque ? slice_str(c->opaque) : SLICE_NONE,
        .algorithm = c->algorithm,
        .qop = DIGEST_QOP_NONE,
    };
    if (c->has_qop) {
        credentials.qop = c->qop_int ? DIGEST_QOP_AUTH_INT : DIGEST_QOP_AUTH;
        credentials.cnonce = slice_str(cnonce);
        credentials.nc = c->nc;
        credentials.nc_text = slice_str(nc_text);
    }
    struct digest_hash response;
    if (digest_response(&c->ha1, &credentials, method_name(x->method), body, &response) != ERR_NONE) {
        out->failed = true; /* no memory: better tried again later than sent without */
        return;
    }
    credentials.response = slice_make(response.hex, response.len);
    buf_append(out, header_name(kind == UA_AUTH_WWW ? HEADER_AUTHORIZATION : HEADER_PROXY_AUTHORIZATION));
    buf_append_str(out, ": ");
    digest_append_credentials(out, &credentials);
    buf_append_str(out, "\r\n");
}

void ua_auth_append(struct ua_exchange *x, struct buf *out, struct slice body)
{
    append_one(x, out, UA_AUTH_WWW, body);
    append_one(x, out, UA_AUTH_PROXY, body);
}
