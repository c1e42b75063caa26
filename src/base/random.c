/* Random sources: the kernel's, buffered per thread, and xoshiro256** (Blackman, Vigna) seeded through splitmix64. */
#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

uint64_t random_u64(struct random *r)
{
    uint64_t n;
    random_fill(r, &n, sizeof n);
    return n;
}

uint64_t random_below(struct random *r, uint64_t bound)
{
    /* Values below 2^64 mod bound would make the low results likelier: draw again. */
    uint64_t skip = (0 - bound) % bound;
    uint64_t n;
    do {
        n = random_u64(r);
    } while (n < skip);
    return n % bound;
}

/* getrandom never fails for up to 256 octets once the kernel is seeded; without randomness nothing here is safe. */
static void kernel_fill(unsigned char *out, size_t len)
{
    while (len) {
        ssize_t got = getrandom(out, len, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            abort();
        }
        out += got;
        len -= (size_t)got;
    }
}

static void system_fill(struct random *r, void *out, size_t len)
{
    static _Thread_local unsigned char pool[256];
    static _Thread_local size_t left;
    (void)r;
    if (len > sizeof pool) {
        kernel_fill(out, len);
        return;
    }
    if (left < len) {
        kernel_fill(pool, sizeof pool);
        left = sizeof pool;
    }
    left -= len;
    memcpy(out, pool + left, len);
    /* What was handed out may be a secret: it does not stay here. */
    memset(pool + left, 0, len);
}

struct random *random_system(void)
{
    static struct random system = {system_fill};
    return &system;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t seeded_next(uint64_t *s)
{
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

static void seeded_fill(struct random *r, void *out, size_t len)
{
    struct random_seeded *seeded = (struct random_seeded *)(void *)r;
    unsigned char *at = out;
    while (len) {
        uint64_t n = seeded_next(seeded->state);
        size_t take = len < sizeof n ? len : sizeof n;
        memcpy(at, &n, take);
        at += take;
        len -= take;
    }
}

void random_seeded_init(struct random_seeded *r, uint64_t seed)
{
    r->base.fill = seeded_fill;
    for (int i = 0; i < 4; i++) {
        seed += 0x9E3779B97F4A7C15u;
        uint64_t z = seed;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        r->state[i] = z ^ z >> 31;
    }
}
