/* Call-ID. RFC 3261 §20.8, §25.1. */
#ifndef SIP_CALL_ID_H
#define SIP_CALL_ID_H

#include "base/slice.h"

/* Whether `value` is a Call-ID; if not, *ret_fault is the offset of the octet at fault. */
bool call_id_check(struct slice value, size_t *ret_fault);

#endif
