/* Randomness comes in through this vtable: the kernel's in life, a seed in the simulator. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    void (*fill)(struct random *, void *out, size_t len);
};

static inline void random_fill(struct random *r, void *out, size_t len)
{
    r->fill(r, out, len);
}
uint64_t random_u64(struct random *r);
/* Uniform below `bound` (at least 1). */
uint64_t random_below(struct random *r, uint64_t bound);

/* Unguessable: getrandom, buffered per thread. A static object. */
struct random *random_system(void);

/* Reproducible (xoshiro256**), for the simulator and tests; not for secrets. */
struct random_seeded {
    struct random base;
    uint64_t state[4];
};
void random_seeded_init(struct random_seeded *r, uint64_t seed);

#endif
