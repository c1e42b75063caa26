/* Token buckets in a table with an order of use; the key is the keyed hash alone, so a bucket is small and nobody
 * outside can aim at another's. */
#include "server/rates.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/list.h"
#include "base/table.h"

/* In sixty-thousandths of a token a rate per minute is a whole number per millisecond. */
#define TOKEN 60000u

struct bucket {
    struct table_node node;
    struct list_node used; /* longest idle first */
    uint64_t filled_ms;    /* when `tokens` was true */
    uint64_t tokens;       /* in units of 1/TOKEN */
};

struct pool {
    struct table table;
    struct list used;
    uint64_t burst;      /* in units of 1/TOKEN */
    uint64_t per_minute; /* tokens a minute */
};

struct rates {
    struct hash_key key;
    struct pool sources, senders;
};

static int pool_init(struct pool *p)
{
    list_init(&p->used);
    return table_init(&p->table, RATES_BUCKETS_MAX);
}

static void pool_deinit(struct pool *p)
{
    struct list_node *n;
    while ((n = list_pop_front(&p->used)))
        free(CONTAINER_OF(n, struct bucket, used));
    table_deinit(&p->table);
}

static bool any(const struct table_node *n, const void *key)
{
    (void)n;
    (void)key;
    return true; /* the hash is the key */
}

static struct bucket *bucket_new(struct pool *p, uint64_t hash, uint64_t now_ms)
{
    struct bucket *b;
    if (p->table.count >= p->table.max) {
        b = CONTAINER_OF(list_pop_front(&p->used), struct bucket, used);
        table_remove(&p->table, &b->node);
    } else {
        b = malloc(sizeof *b);
        if (!b)
            return NULL;
    }
    *b = (struct bucket){.filled_ms = now_ms, .tokens = p->burst};
    if (table_insert(&p->table, &b->node, hash) != ERR_NONE) {
        free(b);
        return NULL;
    }
    return b;
}

static void refill(const struct pool *p, struct bucket *b, uint64_t now_ms)
{
    uint64_t idle_ms = now_ms - b->filled_ms;
    if (idle_ms > 24u * 3600 * 1000)
        idle_ms = 24u * 3600 * 1000; /* keeps the product small */
    uint64_t tokens = b->tokens + idle_ms * p->per_minute;
    b->tokens = tokens > p->burst ? p->burst : tokens;
    b->filled_ms = now_ms;
}

static bool take(struct pool *p, uint64_t hash, uint64_t now_ms)
{
    struct table_node *n = table_find(&p->table, hash, any, NULL);
    struct bucket *b = n ? CONTAINER_OF(n, struct bucket, node) : bucket_new(p, hash, now_ms);
    if (!b)
        return true;
    list_remove(&b->used);
    list_push_back(&p->used, &b->used);
    refill(p, b, now_ms);
    if (b->tokens < TOKEN)
        return false;
    b->tokens -= TOKEN;
    return true;
}

int rates_new(const struct hash_key *key, const struct server_limits *limits, struct rates **ret)
{
    struct rates *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NO_MEMORY;
    r->key = *key;
    int sources = pool_init(&r->sources), senders = pool_init(&r->senders);
    if (sources != ERR_NONE || senders != ERR_NONE) {
        rates_free(r);
        return ERR_NO_MEMORY;
    }
    rates_set_limits(r, limits);
    *ret = r;
    return ERR_NONE;
}

void rates_free(struct rates *r)
{
    if (!r)
        return;
    pool_deinit(&r->sources);
    pool_deinit(&r->senders);
    free(r);
}

void rates_set_limits(struct rates *r, const struct server_limits *limits)
{
    r->sources.burst = (uint64_t)limits->source_burst * TOKEN;
    r->sources.per_minute = (uint64_t)limits->source_per_second * 60;
    r->senders.burst = (uint64_t)limits->sender_burst * TOKEN;
    r->senders.per_minute = limits->sender_per_minute;
}

bool rates_source(struct rates *r, const struct address *source, uint64_t now_mono_ms)
{
    struct slice ip = slice_make((const char *)source->ip, source->family == 6 ? 8 : 4);
    return take(&r->sources, hash_mix(hash_slice(&r->key, ip), source->family), now_mono_ms);
}

bool rates_sender(struct rates *r, struct slice sender, uint64_t now_mono_ms)
{
    return take(&r->senders, hash_slice(&r->key, sender), now_mono_ms);
}
