/* Date: rfc1123-date, always GMT. RFC 3261 §20.17. No libc locale, no time zone. */
#ifndef SIP_DATE_H
#define SIP_DATE_H

#include "base/buf.h"

/* Seconds since 1970-01-01 UTC. ERR_MALFORMED. */
int date_parse(struct slice in, int64_t *ret_seconds);
/* "Sat, 13 Nov 2010 23:29:00 GMT" */
void date_append(struct buf *out, int64_t seconds);

#endif
