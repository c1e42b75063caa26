/* Via header field. RFC 3261 §20.42, §25.1; RFC 3581 (rport):
 *   via-parm      = sent-protocol LWS sent-by *( SEMI via-params )
 *   sent-protocol = protocol-name SLASH protocol-version SLASH transport
 *   sent-by       = host [ COLON port ]
 *   via-params    = ttl / maddr / received / branch / rport / generic-param */
#include "sip/via.h"

#include "base/err.h"
#include "sip/host.h"
#include "sip/lex.h"
#include "sip/params.h"

static const char *skip_token(const char *p, const char *end)
{
    const char *after = lex_span(p, end, LEX_TOKEN);
    return after == p ? NULL : after;
}

/* "SIP/2.0/" in the form nearly all send, or name SLASH version SLASH. Behind it, or NULL. */
static const char *skip_protocol(const char *p, const char *end)
{
    static const char usual[] = "SIP/2.0/";
    size_t len = sizeof(usual) - 1;
    if ((size_t)(end - p) > len && memcmp(p, usual, len) == 0)
        return lex_skip_sws(p + len, end);
    for (int part = 0; part < 2; part++) {
        p = skip_token(p, end);
        if (p != NULL)
            p = lex_skip_separator(p, end, '/');
        if (p == NULL)
            return NULL;
    }
    return p;
}

/* sent-protocol LWS sent-by. Behind it, or NULL with the fault. */
static const char *parse_head(const char *p, const char *end, struct via *via, const char **ret_fault)
{
    const char *start = *ret_fault = lex_skip_sws(p, end);
    start = p = skip_protocol(start, end);
    if (p == NULL || (p = skip_token(p, end)) == NULL)
        return NULL;
    via->transport = slice_range(start, p);
    start = *ret_fault = lex_skip_sws(p, end);
    if (start == p)
        return NULL;
    p = host_skip(start, end, ret_fault);
    if (p == NULL)
        return NULL;
    via->host = slice_range(start, p);
    start = lex_skip_separator(p, end, ':');
    if (start == NULL)
        return p;
    *ret_fault = start;
    return host_skip_port(start, end, &via->port);
}

/* Sets *field once; a second one is refused: two hops could believe two different ones. */
static bool set_once(struct slice *field, struct slice value)
{
    if (slice_is_set(*field) || value.len == 0 || value.ptr[0] == '"')
        return false;
    *field = value;
    return true;
}

/* rport = "rport" [ EQUAL 1*DIGIT ] (RFC 3581 §6) */
static bool set_rport(struct via *via, struct slice value)
{
    uint32_t port = 0;
    if (via->has_rport || (slice_is_set(value) && slice_to_u32(value, UINT16_MAX, &port) != ERR_NONE))
        return false;
    via->has_rport = true;
    via->rport = (uint16_t)port;
    return true;
}

/* ttl = 1*3DIGIT, 0 to 255 */
static bool check_ttl(struct slice value)
{
    uint32_t ttl;
    return slice_to_u32(value, 255, &ttl) == ERR_NONE;
}

static bool take_param(struct via *via, const struct param *param)
{
    switch (param->name.len) {
    case 3:
        return !lex_eq_lower(param->name, SLICE("ttl")) || check_ttl(param->value);
    case 5:
        if (lex_eq_lower(param->name, SLICE("rport")))
            return set_rport(via, param->value);
        return !lex_eq_lower(param->name, SLICE("maddr")) || set_once(&via->maddr, param->value);
    case 6:
        return !lex_eq_lower(param->name, SLICE("branch")) || set_once(&via->branch, param->value);
    case 8:
        return !lex_eq_lower(param->name, SLICE("received")) || set_once(&via->received, param->value);
    default:
        return true;
    }
}

static const char *parse_params(const char *p, const char *end, struct via *via, const char **ret_fault)
{
    const char *start = p;
    struct param param;
    for (;;) {
        int n = params_next(slice_range(p, end), &param);
        if (n == 0)
            break;
        *ret_fault = p;
        if (n < 0 || !take_param(via, &param))
            return NULL;
        p += n;
    }
    if (p != start)
        via->params = slice_range(start, p);
    return p;
}

int via_parse(struct slice in, struct via *ret, size_t *ret_fault)
{
    struct via via = {0};
    const char *end = slice_end(in), *fault = in.ptr;
    const char *p = parse_head(in.ptr, end, &via, &fault);
    if (p != NULL) {
        const char *after = lex_skip_sws(p, end);
        if (after < end && *after == ';')
            p = parse_params(after, end, &via, &fault);
    }
    if (p != NULL) {
        fault = lex_skip_sws(p, end);
        if (fault == end || *fault == ',') {
            *ret = via;
            return (int)(p - in.ptr);
        }
    }
    *ret_fault = (size_t)(fault - in.ptr);
    return ERR_MALFORMED;
}

void via_append_received(struct buf *out, const struct via *v, struct slice text, const struct address *source)
{
    struct address sent_by;
    struct slice rest = v->params;
    struct param param;
    int n;
    bool differs = address_parse_ip(v->host, &sent_by) != ERR_NONE || !address_eq_ip(&sent_by, source);
    /* All as received but these two: what the sender says of them itself is not to be believed. White space beside them
     * goes too: a fold must not be the end of the value. */
    buf_append(out, slice_trim(rest.ptr ? slice_range(text.ptr, rest.ptr) : text));
    while ((n = params_next(rest, &param)) > 0) {
        if (!lex_eq_lower(param.name, SLICE("received")) && !lex_eq_lower(param.name, SLICE("rport")))
            buf_append(out, slice_trim(slice_head(rest, (size_t)n)));
        rest = slice_skip(rest, (size_t)n);
    }
    if (differs || v->has_rport) {
        buf_append(out, SLICE(";received="));
        address_append_ip(out, source);
    }
    if (v->has_rport) {
        buf_append(out, SLICE(";rport="));
        buf_append_u64(out, source->port);
    }
}

bool via_has_magic_branch(const struct via *v)
{
    /* "z9hG4bK" compares without case, as tokens do; more must follow to tell transactions apart (RFC 4475 §3.2.1). */
    return v->branch.len > 7 && slice_starts_with_nocase(v->branch, SLICE("z9hG4bK"));
}
