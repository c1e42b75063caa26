/* Input whose last octet stands right before a page that may not be read: one octet too far ends the test. */
#ifndef SUPPORT_GUARD_H
#define SUPPORT_GUARD_H

#include "base/slice.h"

struct guard {
    char *pages;
    size_t size;     /* of the pages that may be read */
    struct slice in; /* the copy */
};

/* Aborts without memory. */
struct guard guard_copy(struct slice s);
void guard_free(struct guard *g);
/* The first `len` octets of `s`, moved to the border of the same pages. */
struct slice guard_prefix(struct guard *g, struct slice s, size_t len);

/* A whole file of tests/data; the caller frees ret.ptr. Aborts when it cannot be read. */
struct slice guard_file(const char *path);

#endif
