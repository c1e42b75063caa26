/* A bump allocator with a maximum: everything in it is freed at once. For what lives exactly as long as one message. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks;
    size_t used, max;
};

void arena_init(struct arena *a, size_t max);
void arena_deinit(struct arena *a);
/* Aligned for any type, zeroed; NULL over the maximum or without memory. */
void *arena_alloc(struct arena *a, size_t size);
/* A copy of `s` in the arena; absent on failure (and for an absent slice). */
struct slice arena_copy(struct arena *a, struct slice s);

#endif
