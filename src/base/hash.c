/* SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012), with the fold to lower case done on the
 * eight octets of a word at once. */
#include "base/hash.h"

#include <endian.h>

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static inline void absorb(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

/* Lower case of the ASCII letters among eight octets. Adding to the low seven bits cannot carry into a neighbour. */
static inline uint64_t fold_word(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t low = word & (ones * 0x7F);
    uint64_t from_a = low + ones * (0x80 - 'A');
    uint64_t past_z = low + ones * (0x80 - ('Z' + 1));
    uint64_t upper = (from_a ^ past_z) & ~word & (ones * 0x80);
    return word | upper >> 2; /* 0x80 >> 2 is 0x20, the bit between the cases */
}

static inline uint64_t load(const char *p, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, p, len);
    return le64toh(word);
}

static inline uint64_t siphash(const struct hash_key *key, struct slice in, bool nocase)
{
    struct state s = {
        key->k0 ^ 0x736f6d6570736575u,
        key->k1 ^ 0x646f72616e646f6du,
        key->k0 ^ 0x6c7967656e657261u,
        key->k1 ^ 0x7465646279746573u,
    };
    size_t at = 0;
    for (; in.len - at >= 8; at += 8) {
        uint64_t word = load(in.ptr + at, 8);
        absorb(&s, nocase ? fold_word(word) : word);
    }
    uint64_t last = in.len > at ? load(in.ptr + at, in.len - at) : 0;
    absorb(&s, (nocase ? fold_word(last) : last) | (uint64_t)in.len << 56);
    s.v2 ^= 0xFF;
    for (int i = 0; i < 4; i++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t hash_slice(const struct hash_key *key, struct slice s)
{
    return siphash(key, s, false);
}

uint64_t hash_slice_nocase(const struct hash_key *key, struct slice s)
{
    return siphash(key, s, true);
}

uint64_t hash_mix(uint64_t hash, uint64_t value)
{
    /* The finalizer of MurmurHash3: every input bit reaches every output bit. */
    uint64_t x = hash ^ (value + 0x9E3779B97F4A7C15u + (hash << 6) + (hash >> 2));
    x ^= x >> 33;
    x *= 0xFF51AFD7ED558CCDu;
    x ^= x >> 33;
    x *= 0xC4CEB9FE1A85EC53u;
    x ^= x >> 33;
    return x;
}
