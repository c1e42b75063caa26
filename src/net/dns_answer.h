/* What c-ares 1.18 leaves out of a parsed SRV answer: how long it may be kept. */
#ifndef NET_DNS_ANSWER_H
#define NET_DNS_ANSWER_H

#include "base/slice.h"

/* The smallest TTL (seconds) in the answer section of a raw DNS message (RFC 1035 §4.1). ERR_MALFORMED, or
 * ERR_NOT_FOUND when the section is empty. */
int dns_answer_ttl(struct slice message, uint32_t *ret_ttl_s);

#endif
