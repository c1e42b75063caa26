/* Duplicates: see duplicates.h. Keys are hashes made with a secret, so eight of their octets serve as the table's hash.
 */
#include "server/duplicates.h"

#include "base/err.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Looked at in one call of duplicates_sweep: keeps the cost of a message constant. */
#define SWEEP_STEP 4u

struct duplicates {
    struct table table;
    struct list live, stored;
    size_t live_count;
    size_t live_max;
    bool (*is_owed)(void *context, int64_t account, uint64_t seq);
    void *context;
};

int duplicates_new(uint32_t live_max, bool (*is_owed)(void *context, int64_t account, uint64_t seq), void *context,
                   struct duplicates **ret)
{
    struct duplicates *d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NO_MEMORY;
    if (table_init(&d->table, SIZE_MAX) != ERR_NONE) {
        free(d);
        return ERR_NO_MEMORY;
    }
    list_init(&d->live);
    list_init(&d->stored);
    d->live_max = live_max;
    d->is_owed = is_owed;
    d->context = context;
    *ret = d;
    return ERR_NONE;
}

static uint64_t hash_of(const uint8_t key[16])
{
    uint64_t hash;
    memcpy(&hash, key, sizeof hash);
    return hash;
}

static bool has_key(const struct table_node *n, const void *key)
{
    return memcmp(CONTAINER_OF(n, struct duplicate, node)->key, key, 16) == 0;
}

static void forget(struct table_node *n, void *context)
{
    struct duplicates *d = context;
    struct duplicate *entry = CONTAINER_OF(n, struct duplicate, node);
    table_remove(&d->table, n);
    if (list_is_linked(&entry->age) && !entry->seq)
        d->live_count--;
    list_remove(&entry->age);
    free(entry);
}

void duplicates_free(struct duplicates *d)
{
    if (!d)
        return;
    table_each(&d->table, forget, d);
    table_deinit(&d->table);
    free(d);
}

struct duplicate *duplicates_find(struct duplicates *d, const uint8_t key[16])
{
    struct table_node *n = table_find(&d->table, hash_of(key), has_key, key);
    return n ? CONTAINER_OF(n, struct duplicate, node) : NULL;
}

struct duplicate *duplicates_begin(struct duplicates *d, const uint8_t key[16], struct delivery *deciding)
{
    struct duplicate *entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    memcpy(entry->key, key, sizeof entry->key);
    entry->deciding = deciding;
    if (table_insert(&d->table, &entry->node, hash_of(key)) != ERR_NONE) {
        free(entry);
        return NULL;
    }
    return entry;
}

void duplicates_end(struct duplicates *d, struct duplicate *entry, uint16_t status, int64_t account, uint64_t seq,
                    uint64_t forget_mono_ms)
{
    entry->deciding = NULL;
    entry->status = status;
    entry->account = account;
    entry->seq = seq;
    entry->forget_mono_ms = forget_mono_ms;
    list_push_back(seq ? &d->stored : &d->live, &entry->age);
    if (!seq && ++d->live_count > d->live_max)
        forget(&CONTAINER_OF(list_first(&d->live), struct duplicate, age)->node, d);
}

void duplicates_drop(struct duplicates *d, struct duplicate *entry)
{
    forget(&entry->node, d);
}

static void sweep_live(struct duplicates *d, uint64_t now_mono_ms)
{
    for (unsigned i = 0; i < SWEEP_STEP && !list_is_empty(&d->live); i++) {
        struct duplicate *oldest = CONTAINER_OF(list_first(&d->live), struct duplicate, age);
        if (oldest->forget_mono_ms > now_mono_ms)
            return;
        forget(&oldest->node, d);
    }
}

/* One that stays goes to the back: what waits for an absent device must not keep all that came after it. */
static void sweep_stored(struct duplicates *d, uint64_t now_mono_ms)
{
    for (unsigned i = 0; i < SWEEP_STEP && !list_is_empty(&d->stored); i++) {
        struct duplicate *next = CONTAINER_OF(list_pop_front(&d->stored), struct duplicate, age);
        if (next->forget_mono_ms > now_mono_ms || d->is_owed(d->context, next->account, next->seq))
            list_push_back(&d->stored, &next->age);
        else
            forget(&next->node, d);
    }
}

void duplicates_sweep(struct duplicates *d, uint64_t now_mono_ms)
{
    sweep_live(d, now_mono_ms);
    sweep_stored(d, now_mono_ms);
}
