/* Fields that are one word with parameters: Event ("presence;id=1"), Reason ("SIP;cause=480;text=\"away\""),
 * Subscription-State, Content-Disposition and Priority. RFC 3261 §20.11, §20.33, RFC 3326, RFC 6665 §8.2. */
#ifndef SIP_TOKEN_VALUE_H
#define SIP_TOKEN_VALUE_H

#include "base/slice.h"

struct token_value {
    struct slice token;  /* as written; event packages compare with case, the others without */
    struct slice params; /* from the first ";", or absent */
};

/* Parses one value at the start of `in` and stops before "," or at the end. Returns the octets consumed, or
 * ERR_MALFORMED with the fault's offset; *ret is untouched on failure. */
int token_value_parse(struct slice in, struct token_value *ret, size_t *ret_fault);

#endif
