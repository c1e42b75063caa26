/* Digest header values: reading and writing. RFC 3261 §25.1, RFC 7616 §3, RFC 8760:
 *   credentials = "Digest" LWS dig-resp *( COMMA dig-resp )
 *   challenge   = "Digest" LWS digest-cln *( COMMA digest-cln )
 *   each        = token EQUAL ( token / quoted-string )
 * Quotes are not insisted on: stacks quote algorithm and qop, or forget to quote a nonce. The hashes are in
 * digest_hash.c. */
#include "sip/digest.h"

#include "base/err.h"
#include "sip/lex.h"

enum field {
    F_USERNAME,
    F_REALM,
    F_NONCE,
    F_URI,
    F_RESPONSE,
    F_CNONCE,
    F_OPAQUE,
    F_NC,
    F_ALGORITHM,
    F_QOP,
    F_STALE,
    F_DOMAIN,
    F_USERHASH,
    F_COUNT
};

static const struct slice field_names[F_COUNT] = {
    [F_USERNAME] = SLICE_INIT("username"),   [F_REALM] = SLICE_INIT("realm"),
    [F_NONCE] = SLICE_INIT("nonce"),         [F_URI] = SLICE_INIT("uri"),
    [F_RESPONSE] = SLICE_INIT("response"),   [F_CNONCE] = SLICE_INIT("cnonce"),
    [F_OPAQUE] = SLICE_INIT("opaque"),       [F_NC] = SLICE_INIT("nc"),
    [F_ALGORITHM] = SLICE_INIT("algorithm"), [F_QOP] = SLICE_INIT("qop"),
    [F_STALE] = SLICE_INIT("stale"),         [F_DOMAIN] = SLICE_INIT("domain"),
    [F_USERHASH] = SLICE_INIT("userhash"),
};

static const struct slice algorithm_names[DIGEST_ALGORITHMS] = {
    [DIGEST_MD5] = SLICE_INIT("MD5"),
    [DIGEST_SHA256] = SLICE_INIT("SHA-256"),
    [DIGEST_SHA512_256] = SLICE_INIT("SHA-512-256"),
};

struct slice digest_algorithm_name(enum digest_algorithm a)
{
    return (unsigned)a < DIGEST_ALGORITHMS ? algorithm_names[a] : SLICE_NONE;
}

int digest_algorithm_parse(struct slice name, enum digest_algorithm *ret)
{
    for (unsigned a = 0; a < DIGEST_ALGORITHMS; a++) {
        if (slice_eq_nocase(name, algorithm_names[a])) {
            *ret = (enum digest_algorithm)a;
            return ERR_NONE;
        }
    }
    return ERR_NOT_FOUND;
}

/* token EQUAL value at `p`; the value without its quotes. Behind it, or NULL. */
static const char *read_pair(const char *p, const char *end, struct slice *ret_name, struct slice *ret_value)
{
    const char *after = lex_span(p, end, LEX_TOKEN);
    *ret_name = slice_range(p, after);
    p = after > p ? lex_skip_separator(after, end, '=') : NULL;
    if (p == NULL || p == end)
        return NULL;
    if (*p == '"') {
        after = lex_quoted(p, end);
        if (after != NULL)
            *ret_value = slice_range(p + 1, after - 1);
        return after;
    }
    /* Bare: up to what ends it. "/", ":" and "=" come in unquoted URIs and nonces. */
    after = p;
    while (after < end && (unsigned char)*after > ' ' && *after != ',' && *after != '"')
        after++;
    *ret_value = slice_range(p, after);
    return after == p ? NULL : after;
}

/* Every parameter that we know, absent where it is not there. A second one of a name is malformed: it could name
 * another user (cases/d-dup-username). */
static int read_fields(struct slice value, struct slice *fields)
{
    const char *p = lex_skip_sws(value.ptr, slice_end(value)), *end = slice_end(value);
    const char *scheme = p;
    struct slice name, text;
    memset(fields, 0, F_COUNT * sizeof(*fields));
    p = lex_span(p, end, LEX_TOKEN);
    if (p == scheme)
        return ERR_MALFORMED;
    if (!lex_eq_lower(slice_range(scheme, p), SLICE("digest")))
        return ERR_UNSUPPORTED;
    if (p < end && lex_skip_sws(p, end) == p)
        return ERR_MALFORMED;
    for (p = lex_skip_sws(p, end);; p = lex_skip_sws(p + 1, end)) {
        p = read_pair(p, end, &name, &text);
        if (p == NULL)
            return ERR_MALFORMED;
        for (unsigned f = 0; f < F_COUNT; f++) {
            if (!slice_eq_nocase(name, field_names[f]))
                continue;
            if (slice_is_set(fields[f]))
                return ERR_MALFORMED;
            fields[f] = text;
        }
        p = lex_skip_sws(p, end);
        if (p == end)
            return ERR_NONE;
        if (*p != ',')
            return ERR_MALFORMED;
    }
}

/* Absent means MD5 (RFC 7616 §3.3); "-sess" and unknown ones are not offered. */
static int read_algorithm(struct slice value, enum digest_algorithm *ret)
{
    *ret = DIGEST_MD5;
    if (!slice_is_set(value))
        return ERR_NONE;
    return digest_algorithm_parse(value, ret) == ERR_NONE ? ERR_NONE : ERR_UNSUPPORTED;
}

int digest_parse_challenge(struct slice value, struct digest_challenge *ret)
{
    struct slice fields[F_COUNT], rest;
    struct digest_challenge c = {0};
    int err = read_fields(value, fields);
    if (err != ERR_NONE)
        return err;
    if (!slice_is_set(fields[F_REALM]) || !slice_is_set(fields[F_NONCE]))
        return ERR_MALFORMED;
    err = read_algorithm(fields[F_ALGORITHM], &c.algorithm);
    if (err != ERR_NONE)
        return err;
    c.realm = fields[F_REALM];
    c.nonce = fields[F_NONCE];
    c.opaque = fields[F_OPAQUE];
    c.domain = fields[F_DOMAIN];
    c.stale = slice_eq_nocase(fields[F_STALE], SLICE("true"));
    rest = fields[F_QOP];
    while (slice_is_set(rest)) {
        struct slice qop = slice_trim(slice_cut(rest, ',', &rest));
        c.qop_auth = c.qop_auth || slice_eq_nocase(qop, SLICE("auth"));
        c.qop_auth_int = c.qop_auth_int || slice_eq_nocase(qop, SLICE("auth-int"));
    }
    /* Only unknown qop values: none that we could answer with. */
    if (slice_is_set(fields[F_QOP]) && !c.qop_auth && !c.qop_auth_int)
        return ERR_UNSUPPORTED;
    *ret = c;
    return ERR_NONE;
}

/* nc-value = 8LHEX; capitals are read as well */
static int read_nc(struct slice text, uint32_t *ret)
{
    uint32_t nc = 0;
    if (text.len != 8)
        return ERR_MALFORMED;
    for (size_t i = 0; i < text.len; i++) {
        if (!lex_is(text.ptr[i], LEX_HEXDIG))
            return ERR_MALFORMED;
        nc = nc << 4 | lex_hex_value(text.ptr[i]);
    }
    *ret = nc;
    return ERR_NONE;
}

/* qop, nc and cnonce stand together or not at all (RFC 7616 §3.4). */
static int read_qop(const struct slice *fields, struct digest_credentials *c)
{
    if (!slice_is_set(fields[F_QOP]))
        return slice_is_set(fields[F_NC]) ? ERR_MALFORMED : ERR_NONE;
    if (slice_eq_nocase(fields[F_QOP], SLICE("auth")))
        c->qop = DIGEST_QOP_AUTH;
    else if (slice_eq_nocase(fields[F_QOP], SLICE("auth-int")))
        c->qop = DIGEST_QOP_AUTH_INT;
    else
        return ERR_UNSUPPORTED;
    if (!slice_is_set(fields[F_CNONCE]) || !slice_is_set(fields[F_NC]))
        return ERR_MALFORMED;
    c->nc_text = fields[F_NC];
    return read_nc(c->nc_text, &c->nc);
}

int digest_parse_credentials(struct slice value, struct digest_credentials *ret)
{
    struct slice fields[F_COUNT];
    struct digest_credentials c = {0};
    int err = read_fields(value, fields);
    if (err != ERR_NONE)
        return err;
    for (unsigned f = F_USERNAME; f <= F_RESPONSE; f++) {
        if (!slice_is_set(fields[f]))
            return ERR_MALFORMED;
    }
    err = read_qop(fields, &c);
    if (err == ERR_NONE)
        err = read_algorithm(fields[F_ALGORITHM], &c.algorithm);
    if (err != ERR_NONE)
        return err;
    /* A hashed user name (RFC 7616 §3.4.4) is never asked for by us. */
    if (slice_eq_nocase(fields[F_USERHASH], SLICE("true")))
        return ERR_UNSUPPORTED;
    c.username = fields[F_USERNAME];
    c.realm = fields[F_REALM];
    c.nonce = fields[F_NONCE];
    c.uri = fields[F_URI];
    c.response = fields[F_RESPONSE];
    c.cnonce = fields[F_CNONCE];
    c.opaque = fields[F_OPAQUE];
    *ret = c;
    return ERR_NONE;
}

/* name="value": pairs of backslash and octet are kept as they are, so a parsed value comes out as it went in; a quote
 * or a backslash that could end the string otherwise is escaped. Line breaks and NUL make the buffer fail. */
static void append_quoted(struct buf *out, const char *name, struct slice value)
{
    buf_append_str(out, name);
    buf_append(out, SLICE("=\""));
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\r' || c == '\n' || c == '\0') {
            out->failed = true;
            return;
        }
        bool pair = c == '\\' && i + 1 < value.len && (unsigned char)value.ptr[i + 1] >= ' ' &&
                    (unsigned char)value.ptr[i + 1] < 0x80;
        if (c == '"' || (c == '\\' && !pair))
            buf_append_char(out, '\\');
        buf_append_char(out, c);
        if (pair)
            buf_append_char(out, value.ptr[++i]);
    }
    buf_append_char(out, '"');
}

static void append_optional(struct buf *out, const char *name, struct slice value)
{
    if (slice_is_set(value)) {
        buf_append(out, SLICE(", "));
        append_quoted(out, name, value);
    }
}

void digest_append_challenge(struct buf *out, const struct digest_challenge *c)
{
    buf_append(out, SLICE("Digest "));
    append_quoted(out, "realm", c->realm);
    append_optional(out, "domain", c->domain);
    append_optional(out, "nonce", c->nonce);
    append_optional(out, "opaque", c->opaque);
    if (c->stale)
        buf_append(out, SLICE(", stale=true"));
    buf_append(out, SLICE(", algorithm="));
    buf_append(out, digest_algorithm_name(c->algorithm));
    if (c->qop_auth || c->qop_auth_int) {
        buf_append(out, SLICE(", qop=\""));
        buf_append_str(out, !c->qop_auth_int ? "auth" : c->qop_auth ? "auth,auth-int" : "auth-int");
        buf_append_char(out, '"');
    }
}

void digest_append_credentials(struct buf *out, const struct digest_credentials *c)
{
    buf_append(out, SLICE("Digest "));
    append_quoted(out, "username", c->username);
    append_optional(out, "realm", c->realm);
    append_optional(out, "nonce", c->nonce);
    append_optional(out, "uri", c->uri);
    append_optional(out, "response", c->response);
    buf_append(out, SLICE(", algorithm="));
    buf_append(out, digest_algorithm_name(c->algorithm));
    append_optional(out, "opaque", c->opaque);
    append_optional(out, "cnonce", c->cnonce);
    if (c->qop != DIGEST_QOP_NONE) {
        buf_append_str(out, c->qop == DIGEST_QOP_AUTH ? ", qop=auth, nc=" : ", qop=auth-int, nc=");
        buf_append(out, c->nc_text);
    }
}
