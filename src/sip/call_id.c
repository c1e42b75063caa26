/* Call-ID. RFC 3261 §25.1: callid = word [ "@" word ] */
#include "sip/call_id.h"

#include "sip/lex.h"

bool call_id_check(struct slice value, size_t *ret_fault)
{
    const char *p = value.ptr, *end = slice_end(value), *word = p;
    p = lex_span(p, end, LEX_WORD);
    if (p > word && p < end && *p == '@') {
        word = p + 1;
        p = lex_span(word, end, LEX_WORD);
    }
    *ret_fault = (size_t)(p - value.ptr);
    return p > word && p == end;
}
