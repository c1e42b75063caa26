/* CSeq. RFC 3261 §25.1: CSeq = 1*DIGIT LWS Method; the number is less than 2^31 (§8.1.1.5). */
#include "sip/cseq.h"

#include "base/err.h"
#include "sip/lex.h"

int cseq_parse(struct slice value, uint32_t *ret_number, struct slice *ret_method, size_t *ret_fault)
{
    const char *p = value.ptr, *end = slice_end(value);
    const char *digits_end = lex_span(p, end, LEX_DIGIT);
    const char *method = lex_skip_sws(digits_end, end);
    const char *method_end = lex_span(method, end, LEX_TOKEN);
    uint32_t number;
    *ret_fault = 0;
    if (value.len > CSEQ_LEN_MAX || slice_to_u32(slice_range(p, digits_end), INT32_MAX, &number) != ERR_NONE)
        return ERR_MALFORMED;
    *ret_fault = (size_t)(method_end - p);
    if (method == digits_end || method_end == method || method_end != end)
        return ERR_MALFORMED;
    *ret_number = number;
    *ret_method = slice_range(method, method_end);
    return ERR_NONE;
}
