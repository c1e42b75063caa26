/* Content-Type and media ranges. RFC 3261 §25.1:
 *   media-type  = m-type SLASH m-subtype *( SEMI m-parameter )
 *   m-parameter = token EQUAL ( token / quoted-string )
 *   media-range = "*" SLASH "*" / m-type SLASH "*" / media-type   ("*" is a token character) */
#include "sip/content_type.h"

#include "base/err.h"
#include "sip/lex.h"
#include "sip/params.h"

int content_type_parse(struct slice in, struct content_type *ret, size_t *ret_fault)
{
    struct content_type type = {0};
    size_t params_len, params_fault;
    const char *end = slice_end(in), *p = lex_skip_sws(in.ptr, end);
    const char *after = lex_span(p, end, LEX_TOKEN);
    *ret_fault = (size_t)(after - in.ptr);
    type.type = slice_range(p, after);
    p = after > p ? lex_skip_separator(after, end, '/') : NULL;
    if (p == NULL)
        return ERR_MALFORMED;
    after = lex_span(p, end, LEX_TOKEN);
    *ret_fault = (size_t)(after - in.ptr);
    if (after == p)
        return ERR_MALFORMED;
    type.subtype = slice_range(p, after);
    p = lex_skip_sws(after, end);
    if (params_span(slice_range(p, end), &params_len, &params_fault) != ERR_NONE) {
        *ret_fault = (size_t)(p - in.ptr) + params_fault;
        return ERR_MALFORMED;
    }
    if (params_len > 0) {
        type.params = slice_head(slice_range(p, end), params_len);
        after = p + params_len;
    }
    *ret = type;
    return (int)(after - in.ptr);
}

bool content_type_is(const struct content_type *t, struct slice type, struct slice subtype)
{
    return slice_eq_nocase(t->type, type) && slice_eq_nocase(t->subtype, subtype);
}
