/* SipHash-2-4 with a random key per process: every table whose keys come from the network uses it (hash flooding,
 * defects.md). */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/slice.h"

struct hash_key {
    uint64_t k0, k1;
};

uint64_t hash_slice(const struct hash_key *key, struct slice s);
/* With ASCII letters folded to lower case, for keys that compare without case. */
uint64_t hash_slice_nocase(const struct hash_key *key, struct slice s);
/* Mixes a number into a hash that was already made with a secret key. */
uint64_t hash_mix(uint64_t hash, uint64_t value);

#endif
