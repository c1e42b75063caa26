/* Addresses in header fields. RFC 3261 §25.1, §20.10:
 *   ( name-addr / addr-spec ) *( SEMI generic-param )
 *   name-addr    = [ display-name ] LAQUOT addr-spec RAQUOT
 *   display-name = *( token LWS ) / quoted-string
 *   Contact      = STAR / ...
 * More liberal at two places where nothing can be read twice: no LWS is needed before "<" (RFC 4475 §3.1.1.6), and a
 * display name without quotes may hold UTF-8, as old phones send it. */
#include "sip/addr.h"

#include "base/err.h"
#include "sip/lex.h"
#include "sip/params.h"

/* Behind *( token LWS ). */
static const char *skip_display_tokens(const char *p, const char *end)
{
    for (;;) {
        while (p < end && (lex_is(*p, LEX_TOKEN) || (unsigned char)*p >= 0x80))
            p++;
        const char *after = lex_skip_sws(p, end);
        if (after == p)
            return p;
        p = after;
    }
}

static struct slice trim_end(const char *start, const char *end)
{
    while (end > start && (unsigned char)end[-1] <= ' ')
        end--;
    return slice_range(start, end);
}

/* `p` at "<". LAQUOT is SWS "<": no white space behind it, none before ">" (RFC 4475 §3.1.2.14). */
static const char *parse_bracketed(const char *p, const char *end, struct addr *addr, const char **ret_fault)
{
    size_t fault;
    const char *close = memchr(p, '>', (size_t)(end - p));
    *ret_fault = p;
    if (close == NULL)
        return NULL;
    if (uri_parse(slice_range(p + 1, close), &addr->uri, &fault) != ERR_NONE) {
        *ret_fault = p + 1 + fault;
        return NULL;
    }
    addr->bracketed = true;
    return close + 1;
}

/* addr-spec alone: it ends at the first ";", "," or white space; "?" may not stand in it (§20.10). */
static const char *parse_bare(const char *p, const char *end, struct addr *addr, const char **ret_fault)
{
    size_t fault;
    const char *start = p;
    while (p < end && (unsigned char)*p > ' ' && *p != ';' && *p != ',' && *p != '?')
        p++;
    if (uri_parse(slice_range(start, p), &addr->uri, &fault) != ERR_NONE) {
        *ret_fault = start + fault;
        return NULL;
    }
    return p;
}

/* Behind the parameters. A second tag is refused: two readers could believe two different ones. */
static const char *parse_params(const char *p, const char *end, struct addr *addr, const char **ret_fault)
{
    const char *start = p;
    struct param param;
    int tags = 0;
    for (;;) {
        int n = params_next(slice_range(p, end), &param);
        *ret_fault = p;
        if (n < 0)
            return NULL;
        if (n == 0)
            break;
        if (lex_eq_lower(param.name, SLICE("tag")) && (++tags > 1 || param.value.len == 0 || *param.value.ptr == '"'))
            return NULL;
        p += n;
    }
    if (p != start)
        addr->params = slice_range(start, p);
    return p;
}

static const char *parse_value(const char *p, const char *end, struct addr *addr, const char **ret_fault)
{
    p = lex_skip_sws(p, end);
    const char *start = p, *after;
    *ret_fault = p;
    if (p < end && *p == '"') {
        p = lex_quoted(p, end);
        if (p == NULL)
            return NULL;
        addr->display = slice_range(start, p);
        *ret_fault = p;
        p = lex_skip_sws(p, end);
        return p < end && *p == '<' ? parse_bracketed(p, end, addr, ret_fault) : NULL;
    }
    after = skip_display_tokens(p, end);
    if (after < end && *after == '<') {
        struct slice display = trim_end(start, after);
        if (display.len > 0)
            addr->display = display;
        return parse_bracketed(after, end, addr, ret_fault);
    }
    if (p < end && *p == '*' && (after == end || *after == ',' || *after == ';') && trim_end(start, after).len == 1) {
        addr->star = true;
        return p + 1;
    }
    return parse_bare(p, end, addr, ret_fault);
}

int addr_parse(struct slice in, struct addr *ret, size_t *ret_fault)
{
    struct addr addr = {0};
    const char *end = slice_end(in), *fault = in.ptr;
    const char *p = parse_value(in.ptr, end, &addr, &fault);
    if (p != NULL) {
        const char *after = lex_skip_sws(p, end);
        if (after < end && *after == ';')
            p = parse_params(after, end, &addr, &fault);
    }
    if (p != NULL) {
        fault = lex_skip_sws(p, end);
        if (fault == end || *fault == ',') {
            *ret = addr;
            return (int)(p - in.ptr);
        }
    }
    *ret_fault = (size_t)(fault - in.ptr);
    return ERR_MALFORMED;
}

struct slice addr_tag(const struct addr *a)
{
    struct slice value;
    return addr_param(a, SLICE("tag"), &value) ? value : SLICE_NONE;
}

bool addr_param(const struct addr *a, struct slice name, struct slice *ret_value)
{
    struct param param;
    if (!params_find(a->params, name, &param))
        return false;
    *ret_value = param.value;
    return true;
}
