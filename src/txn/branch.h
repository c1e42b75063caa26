/* The branch of our own Vias: "z9hG4bK", worker (2 hex digits), slot of the client transaction (8), 64 random bits
 * (16), "-", loop hash (16). RFC 3261 §8.1.1.7, §16.6 step 8; RFC 5393 §4.2. Fixed width and lower case only, so a
 * branch has one spelling, and comparing the numbers compares the text in full. */
#ifndef TXN_BRANCH_H
#define TXN_BRANCH_H

#include "base/slice.h"

#define BRANCH_LEN 50

struct branch {
    uint8_t worker;
    uint32_t slot;
    uint64_t random;
    uint64_t loop_hash; /* 0: none */
};

/* Writes exactly BRANCH_LEN octets, no NUL. */
void branch_write(const struct branch *b, char *out);
/* False when it is not of our form. */
bool branch_parse(struct slice text, struct branch *ret);

#endif
