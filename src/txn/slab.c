/* Slabs: a pointer per chunk, a free list through the heads. */
#include "txn/slab.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Large enough that the chunk pointers of a million records fit in 128 KB, small enough that an idle endpoint takes
 * some ten KB. */
#define SLAB_CHUNK 64
#define SLAB_NONE  UINT32_MAX

int slab_init(struct slab *s, size_t record_size, uint32_t max)
{
    *s = (struct slab){.record_size = record_size, .max = max, .free_slot = SLAB_NONE};
    s->chunks = calloc((size_t)max / SLAB_CHUNK + 1, sizeof *s->chunks);
    return s->chunks ? ERR_NONE : ERR_NO_MEMORY;
}

void slab_deinit(struct slab *s)
{
    for (uint32_t slot = 0; s->chunks && slot < s->made; slot += SLAB_CHUNK)
        free(s->chunks[slot / SLAB_CHUNK]);
    free(s->chunks);
    *s = (struct slab){.free_slot = SLAB_NONE};
}

static struct slab_head *head_at(const struct slab *s, uint32_t slot)
{
    return (struct slab_head *)(void *)(s->chunks[slot / SLAB_CHUNK] + (slot % SLAB_CHUNK) * s->record_size);
}

static bool make_record(struct slab *s)
{
    if (s->made == s->max)
        return false;
    uint32_t slot = s->made;
    if (slot % SLAB_CHUNK == 0) {
        s->chunks[slot / SLAB_CHUNK] = calloc(SLAB_CHUNK, s->record_size);
        if (!s->chunks[slot / SLAB_CHUNK])
            return false;
    }
    s->made++;
    *head_at(s, slot) = (struct slab_head){.slot = slot, .next_free = SLAB_NONE};
    s->free_slot = slot;
    return true;
}

void *slab_take(struct slab *s)
{
    if (s->free_slot == SLAB_NONE && !make_record(s))
        return NULL;
    struct slab_head *h = head_at(s, s->free_slot);
    s->free_slot = h->next_free;
    memset(h + 1, 0, s->record_size - sizeof *h);
    h->used = true;
    if (++h->generation == 0)
        h->generation = 1;
    s->used++;
    return h;
}

void slab_give(struct slab *s, void *record)
{
    struct slab_head *h = record;
    h->used = false;
    h->next_free = s->free_slot;
    s->free_slot = h->slot;
    s->used--;
}

void *slab_at(const struct slab *s, uint32_t slot)
{
    if (slot >= s->made)
        return NULL;
    struct slab_head *h = head_at(s, slot);
    return h->used ? h : NULL;
}
