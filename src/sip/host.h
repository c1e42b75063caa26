/* host = hostname / IPv4address / IPv6reference, and port. RFC 3261 §25.1. */
#ifndef SIP_HOST_H
#define SIP_HOST_H

#include "base/slice.h"

/* Behind the host at `p`, or NULL when there is none; *ret_fault then points at the octet at fault. */
const char *host_skip(const char *p, const char *end, const char **ret_fault);
/* Behind the port (1*DIGIT, 1..65535) at `p`, or NULL. */
const char *host_skip_port(const char *p, const char *end, uint16_t *ret_port);
/* Same host: names without case, IPv6 by value. Both have passed host_skip. */
bool host_eq(struct slice a, struct slice b);

#endif
