/* Records of one size in chunks that never move: a bounded table with slots by number. Chunks are made as they are
 * needed and kept, so a busy transaction layer does not allocate. Owns the chunks, not what the records point to. */
#ifndef TXN_SLAB_H
#define TXN_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First member of every record. */
struct slab_head {
    uint32_t slot;
    uint32_t generation; /* one more each time the slot is taken; never 0 while used */
    uint32_t next_free;
    bool used;
};

struct slab {
    char **chunks;
    size_t record_size;
    uint32_t max, made, used, free_slot;
};

/* Returns ERR_NONE or ERR_NO_MEMORY. */
int slab_init(struct slab *s, size_t record_size, uint32_t max);
void slab_deinit(struct slab *s);
/* A zeroed record but for its head; NULL when `max` are used or without memory. */
void *slab_take(struct slab *s);
void slab_give(struct slab *s, void *record);
/* The record in use at `slot`, or NULL. */
void *slab_at(const struct slab *s, uint32_t slot);
static inline bool slab_is_full(const struct slab *s)
{
    return s->used == s->max;
}

#endif
