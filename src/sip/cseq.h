/* CSeq. RFC 3261 §20.16, §8.1.1.5. */
#ifndef SIP_CSEQ_H
#define SIP_CSEQ_H

#include "base/slice.h"

/* An answer repeats the CSeq, and must not be large for a forged source (cases/s-method-4k): a longer one is malformed
 * and left out of the answer. Ten digits, white space and a method of any length in use. */
#define CSEQ_LEN_MAX 128

/* ERR_NONE or ERR_MALFORMED with the fault's offset. Numbers end below 2^31. */
int cseq_parse(struct slice value, uint32_t *ret_number, struct slice *ret_method, size_t *ret_fault);

#endif
