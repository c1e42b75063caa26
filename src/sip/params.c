/* generic-param lists. RFC 3261 §25.1:
 *   *( SEMI generic-param )
 *   generic-param = token [ EQUAL gen-value ]
 *   gen-value     = token / host / quoted-string
 * An unquoted value may hold ":" without brackets: RFC 5118 §4.5 asks to read received=2001:db8::1. It separates
 * nothing here, so nothing is read differently because of it. */
#include "sip/params.h"

#include "base/err.h"
#include "sip/lex.h"

static const char *skip_value(const char *p, const char *end)
{
    if (p < end && *p == '"')
        return lex_quoted(p, end);
    const char *start = p;
    p = lex_span(p, end, LEX_VALUE);
    return p == start ? NULL : p;
}

int params_next(struct slice in, struct param *ret)
{
    const char *p = in.ptr, *end = slice_end(in), *after;
    struct param param = {0};
    if (in.len == 0 || *p != ';')
        return 0;
    p = lex_skip_sws(p + 1, end);
    after = lex_span(p, end, LEX_TOKEN);
    if (after == p)
        return ERR_MALFORMED;
    param.name = slice_range(p, after);
    p = lex_skip_separator(after, end, '=');
    if (p != NULL) {
        after = skip_value(p, end);
        if (after == NULL)
            return ERR_MALFORMED;
        param.value = slice_range(p, after);
    }
    /* The white space before the next ";" belongs to this one; at the end of the list the caller trims. */
    p = lex_skip_sws(after, end);
    *ret = param;
    return (int)((p < end && *p == ';' ? p : after) - in.ptr);
}

int params_span(struct slice in, size_t *ret_len, size_t *ret_fault)
{
    struct param param;
    struct slice rest = in;
    for (;;) {
        int n = params_next(rest, &param);
        if (n == 0)
            break;
        if (n < 0) {
            *ret_fault = (size_t)(rest.ptr - in.ptr);
            return ERR_MALFORMED;
        }
        rest = slice_skip(rest, (size_t)n);
    }
    const char *p = lex_skip_sws(rest.ptr, slice_end(rest));
    if (p != slice_end(rest) && *p != ',') {
        *ret_fault = (size_t)(p - in.ptr);
        return ERR_MALFORMED;
    }
    *ret_len = (size_t)(rest.ptr - in.ptr);
    return ERR_NONE;
}

bool params_find(struct slice params, struct slice name, struct param *ret)
{
    struct param param;
    int n;
    while ((n = params_next(params, &param)) > 0) {
        if (slice_eq_nocase(param.name, name)) {
            *ret = param;
            return true;
        }
        params = slice_skip(params, (size_t)n);
    }
    return false;
}

int params_unquote(struct slice value, char *out, size_t out_size)
{
    size_t len = 0;
    bool quoted = value.len > 0 && value.ptr[0] == '"';
    const char *p = value.ptr, *end = slice_end(value);
    if (quoted) {
        if (lex_quoted(p, end) != end)
            return ERR_MALFORMED;
        p++;
        end--;
    }
    for (; p < end; p++) {
        if (quoted && *p == '\\')
            p++; /* lex_quoted saw that an octet follows */
        if (len == out_size || len == INT32_MAX)
            return ERR_TOO_LARGE;
        out[len++] = *p;
    }
    return (int)len;
}
