/* Intrusive hash table: nodes live inside the caller's records, the caller hashes and compares. Grows by doubling, up
 * to `max` nodes; buckets are spread over many inserts, so no single call pays for a whole rehash. Owns only its
 * buckets. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_node {
    struct table_node *next;
    uint64_t hash;
};

struct table {
    struct table_node **buckets, **old_buckets;
    size_t mask, old_mask, moved, count, max;
};

/* Returns ERR_NONE or ERR_NO_MEMORY. */
int table_init(struct table *t, size_t max);
void table_deinit(struct table *t);
/* Returns ERR_NONE, ERR_FULL (max reached) or ERR_NO_MEMORY. Does not look for an equal key. */
int table_insert(struct table *t, struct table_node *n, uint64_t hash);
/* First node with exactly `hash` for which `equal(node, key)`; NULL when there is none. */
struct table_node *table_find(const struct table *t, uint64_t hash,
                              bool (*equal)(const struct table_node *, const void *key), const void *key);
/* The node must be in the table. */
void table_remove(struct table *t, struct table_node *n);
/* Calls `visit` for every node; `visit` may remove the node that it is given and no other. */
void table_each(struct table *t, void (*visit)(struct table_node *, void *context), void *context);

#endif
