/* Watched flows of one worker: remote address -> held device. Entries leave when heard; when the table is full the
 * device's backoff alone brings it back. */
#include "server/watch.h"

#include <stdlib.h>

#include "base/err.h"
#include "server/drain.h"
#include "server/home.h"
#include "server/keepalive.h"
#include "server/server_private.h"

/* Held devices whose next packet is waited for, per worker: over it they wait for their backoff. */
#define WATCHED_MAX 100000u

struct watch {
    struct table table;
    struct hash_key key;
};

/* Travels home -> hearing worker, stays in its table, and travels home when the flow was heard. */
struct watched {
    struct mesh_post post;
    struct table_node node;
    struct flow flow;
    unsigned home;
    int64_t account;
    uint8_t number;
};

int watch_new(const struct hash_key *key, struct watch **ret)
{
    struct watch *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NO_MEMORY;
    w->key = *key;
    if (table_init(&w->table, WATCHED_MAX) != ERR_NONE) {
        free(w);
        return ERR_NO_MEMORY;
    }
    *ret = w;
    return ERR_NONE;
}

static void free_watched(struct table_node *n, void *context)
{
    struct watch *w = context;
    table_remove(&w->table, n);
    free(CONTAINER_OF(n, struct watched, node));
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    table_each(&w->table, free_watched, w);
    table_deinit(&w->table);
    free(w);
}

static uint64_t hash_flow(const struct watch *w, const struct flow *flow)
{
    const struct address *a = &flow->remote;
    uint64_t hash = hash_slice(&w->key, slice_make((const char *)a->ip, sizeof a->ip));
    return hash_mix(hash, ((uint64_t)a->port << 8) | flow->transport);
}

static bool same_flow(const struct table_node *n, const void *key)
{
    return flow_eq(&CONTAINER_OF(n, struct watched, node)->flow, key);
}

static void begin(struct mesh_post *post, struct server *there)
{
    struct watched *w = CONTAINER_OF(post, struct watched, post);
    uint64_t hash = hash_flow(there->watch, &w->flow);
    if (table_find(&there->watch->table, hash, same_flow, &w->flow) ||
        table_insert(&there->watch->table, &w->node, hash) != ERR_NONE)
        free(w);
}

void watch_binding(const struct binding *b)
{
    const struct device *d = b->device;
    struct server *home = d->account->home;
    if (b->flow.worker >= home->shared->workers)
        return;
    struct watched *w = calloc(1, sizeof *w);
    if (!w)
        return;
    w->flow = b->flow;
    w->home = home->worker;
    w->account = d->account->id;
    w->number = d->number;
    w->post.run = begin;
    mesh_post(home->mesh, b->flow.worker, &w->post);
}

static void wake(struct mesh_post *post, struct server *there)
{
    struct watched *w = CONTAINER_OF(post, struct watched, post);
    struct account *a = home_find(there, w->account);
    struct device *d = a ? a->devices[w->number] : NULL;
    if (d) {
        LIST_EACH (node, &d->bindings) {
            struct binding *b = CONTAINER_OF(node, struct binding, node);
            if (flow_eq(&b->flow, &w->flow))
                keepalive_heard(b);
        }
        drain_wake(d);
        drain_start(d);
    }
    free(w);
}

void watch_heard(struct server *s, const struct flow *flow)
{
    struct watch *watch = s->watch;
    if (watch->table.count == 0)
        return;
    struct table_node *n = table_find(&watch->table, hash_flow(watch, flow), same_flow, flow);
    if (!n)
        return;
    struct watched *w = CONTAINER_OF(n, struct watched, node);
    table_remove(&watch->table, n);
    w->post.run = wake;
    mesh_post(s->mesh, w->home, &w->post);
}
