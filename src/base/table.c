/* The hash table. While it grows, two bucket arrays live side by side: each insert moves a few old buckets, a find
 * looks into the one that its hash belongs to. */
#include "base/table.h"

#include <stdlib.h>

#include "base/err.h"

#define TABLE_FIRST_BUCKETS 16
/* Old buckets moved per insert. The array doubles at one node a bucket, so the next doubling is as many inserts away
 * as there are old buckets: moving one would do, two ends sooner. */
#define TABLE_MOVE 2

int table_init(struct table *t, size_t max)
{
    *t = (struct table){.mask = TABLE_FIRST_BUCKETS - 1, .max = max};
    t->buckets = calloc(TABLE_FIRST_BUCKETS, sizeof *t->buckets);
    return t->buckets ? ERR_NONE : ERR_NO_MEMORY;
}

void table_deinit(struct table *t)
{
    free(t->buckets);
    free(t->old_buckets);
    *t = (struct table){.max = t->max};
}

/* The bucket that holds nodes of `hash` now: an old one that has not been moved yet, or a new one. */
static struct table_node **bucket_of(const struct table *t, uint64_t hash)
{
    if (t->old_buckets && (hash & t->old_mask) >= t->moved)
        return &t->old_buckets[hash & t->old_mask];
    return &t->buckets[hash & t->mask];
}

static void move_some(struct table *t)
{
    for (int i = 0; t->old_buckets && i < TABLE_MOVE; i++) {
        struct table_node *n = t->old_buckets[t->moved];
        while (n) {
            struct table_node *next = n->next;
            struct table_node **to = &t->buckets[n->hash & t->mask];
            n->next = *to;
            *to = n;
            n = next;
        }
        if (t->moved++ == t->old_mask) {
            free(t->old_buckets);
            t->old_buckets = NULL;
            t->moved = 0;
        }
    }
}

static void grow(struct table *t)
{
    size_t count = (t->mask + 1) * 2;
    struct table_node **buckets = calloc(count, sizeof *buckets);
    if (!buckets)
        return; /* longer chains, and the next insert tries again */
    t->old_buckets = t->buckets;
    t->old_mask = t->mask;
    t->moved = 0;
    t->buckets = buckets;
    t->mask = count - 1;
}

int table_insert(struct table *t, struct table_node *n, uint64_t hash)
{
    if (!t->buckets)
        return ERR_NO_MEMORY;
    if (t->count >= t->max)
        return ERR_FULL;
    if (t->old_buckets)
        move_some(t);
    else if (t->count > t->mask)
        grow(t);
    n->hash = hash;
    struct table_node **bucket = bucket_of(t, hash);
    n->next = *bucket;
    *bucket = n;
    t->count++;
    return ERR_NONE;
}

struct table_node *table_find(const struct table *t, uint64_t hash,
                              bool (*equal)(const struct table_node *, const void *key), const void *key)
{
    if (!t->buckets)
        return NULL;
    for (struct table_node *n = *bucket_of(t, hash); n; n = n->next)
        if (n->hash == hash && equal(n, key))
            return n;
    return NULL;
}

void table_remove(struct table *t, struct table_node *n)
{
    for (struct table_node **at = bucket_of(t, n->hash); *at; at = &(*at)->next) {
        if (*at == n) {
            *at = n->next;
            n->next = NULL;
            t->count--;
            return;
        }
    }
}

static void each_in(struct table_node **buckets, size_t from, size_t mask,
                    void (*visit)(struct table_node *, void *context), void *context)
{
    for (size_t i = from; i <= mask; i++) {
        struct table_node *n = buckets[i];
        while (n) {
            struct table_node *next = n->next;
            visit(n, context);
            n = next;
        }
    }
}

void table_each(struct table *t, void (*visit)(struct table_node *, void *context), void *context)
{
    if (t->old_buckets)
        each_in(t->old_buckets, t->moved, t->old_mask, visit, context);
    if (t->buckets)
        each_in(t->buckets, 0, t->mask, visit, context);
}
