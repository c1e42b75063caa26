/* A chain of chunks, newest first; the newest is filled from its front. */
#include "base/arena.h"

#include <stdlib.h>

#define ARENA_CHUNK_SIZE 4080 /* with malloc's own header one page: a whole message's objects usually fit */

struct arena_chunk {
    struct arena_chunk *next;
    size_t used, size;
    _Alignas(max_align_t) char data[];
};

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max};
}

void arena_deinit(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
    a->used = 0;
}

static struct arena_chunk *add_chunk(struct arena *a, size_t size)
{
    size_t usual = ARENA_CHUNK_SIZE - sizeof(struct arena_chunk);
    if (size < usual)
        size = usual;
    struct arena_chunk *chunk = malloc(sizeof *chunk + size);
    if (!chunk)
        return NULL;
    chunk->used = 0;
    chunk->size = size;
    chunk->next = a->chunks;
    a->chunks = chunk;
    return chunk;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t unit = _Alignof(max_align_t);
    if (a->used > a->max || size > a->max - a->used)
        return NULL;
    size_t rounded;
    if (__builtin_add_overflow(size ? size : 1, unit - 1, &rounded))
        return NULL;
    rounded -= rounded % unit;
    struct arena_chunk *chunk = a->chunks;
    if (!chunk || chunk->size - chunk->used < rounded)
        chunk = add_chunk(a, rounded);
    if (!chunk)
        return NULL;
    void *at = chunk->data + chunk->used;
    chunk->used += rounded;
    a->used += rounded;
    return memset(at, 0, size);
}

struct slice arena_copy(struct arena *a, struct slice s)
{
    if (!slice_is_set(s))
        return SLICE_NONE;
    char *at = arena_alloc(a, s.len);
    if (!at)
        return SLICE_NONE;
    if (s.len)
        memcpy(at, s.ptr, s.len);
    return slice_make(at, s.len);
}
