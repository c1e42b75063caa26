/* One word with parameters. RFC 3261 §25.1, RFC 3326 §2, RFC 6665 §8.4:
 *   Event        = event-type *( SEMI event-param )          event-type = token-nodot *( "." token-nodot )
 *   reason-value = protocol *( SEMI reason-params )          protocol = token
 *   disp-type    = token, with *( SEMI disp-param ) */
#include "sip/token_value.h"

#include "base/err.h"
#include "sip/lex.h"
#include "sip/params.h"

int token_value_parse(struct slice in, struct token_value *ret, size_t *ret_fault)
{
    struct token_value value = {0};
    size_t params_len, params_fault;
    const char *end = slice_end(in), *p = lex_skip_sws(in.ptr, end);
    const char *after = lex_span(p, end, LEX_TOKEN);
    *ret_fault = (size_t)(after - in.ptr);
    if (after == p)
        return ERR_MALFORMED;
    value.token = slice_range(p, after);
    p = lex_skip_sws(after, end);
    if (p < end && *p != ';' && *p != ',') {
        *ret_fault = (size_t)(p - in.ptr);
        return ERR_MALFORMED;
    }
    if (params_span(slice_range(p, end), &params_len, &params_fault) != ERR_NONE) {
        *ret_fault = (size_t)(p - in.ptr) + params_fault;
        return ERR_MALFORMED;
    }
    if (params_len > 0) {
        value.params = slice_head(slice_range(p, end), params_len);
        after = p + params_len;
    }
    *ret = value;
    return (int)(after - in.ptr);
}
