/* Content-Type and the media ranges of Accept. RFC 3261 §20.15, §20.1. */
#ifndef SIP_CONTENT_TYPE_H
#define SIP_CONTENT_TYPE_H

#include "base/slice.h"

struct content_type {
    struct slice type, subtype; /* compare without case */
    struct slice params;        /* from the first ";", or absent */
};

/* Parses one media type or range at the start of `in`, up to "," or the end. Octets consumed or ERR_MALFORMED. */
int content_type_parse(struct slice in, struct content_type *ret, size_t *ret_fault);
bool content_type_is(const struct content_type *t, struct slice type, struct slice subtype);

#endif
