/* Watched flows of one worker: remote address -> held devices. Entries leave when heard; when the table is full the
 * oldest makes room, and its device's backoff alone brings it back. */
#include "server/watch.h"

#include <stdlib.h>

#include "base/err.h"
#include "server/drain.h"
#include "server/home.h"
#include "server/keepalive.h"
#include "server/server_private.h"

/* Held devices whose next packet is waited for, per worker: over it they wait for their backoff. */
#define WATCHED_MAX 100000u
/* Devices of one flow that one packet wakes: a phone has a few lines; a gateway with hundreds of accounts must not
 * start them all with each of its packets. */
#define WAKES_MAX 16u

struct watch {
    struct table table;
    struct list order; /* oldest first */
    struct hash_key key;
};

/* Travels home -> hearing worker, stays in its table, and travels home when the flow was heard. */
struct watched {
    struct mesh_post post;
    struct table_node node;
    struct list_node order;
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
    list_init(&w->order);
    if (table_init(&w->table, WATCHED_MAX) != ERR_NONE) {
        free(w);
        return ERR_NO_MEMORY;
    }
    *ret = w;
    return ERR_NONE;
}

static void take_out(struct watch *w, struct watched *watched)
{
    table_remove(&w->table, &watched->node);
    list_remove(&watched->order);
}

static void free_watched(struct table_node *n, void *context)
{
    struct watch *w = context;
    take_out(w, CONTAINER_OF(n, struct watched, node));
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

static bool same_watched(const struct table_node *n, const void *key)
{
    const struct watched *a = CONTAINER_OF(n, struct watched, node), *b = key;
    return flow_eq(&a->flow, &b->flow) && a->account == b->account && a->number == b->number;
}

static void begin(struct mesh_post *post, struct server *there)
{
    struct watched *w = CONTAINER_OF(post, struct watched, post);
    struct watch *watch = there->watch;
    uint64_t hash = hash_flow(watch, &w->flow);
    if (watch->table.count == WATCHED_MAX) {
        struct watched *oldest = CONTAINER_OF(list_first(&watch->order), struct watched, order);
        take_out(watch, oldest);
        free(oldest);
    }
    if (table_find(&watch->table, hash, same_watched, w) || table_insert(&watch->table, &w->node, hash) != ERR_NONE)
        free(w);
    else
        list_push_back(&watch->order, &w->order);
}

void watch_binding(const struct binding *b)
{
    const struct device *d = b->device;
    struct server *home = d->account->home;
    /* What comes from a proxy in front of us is not a packet of this device (contract.md, wire rules: relays, Path). */
    if (b->flow.worker >= home->shared->workers || b->path.len || auth_is_relay(home->config, &b->flow.remote))
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
    uint64_t hash = hash_flow(watch, flow);
    struct table_node *n;
    for (unsigned woken = 0; woken < WAKES_MAX && (n = table_find(&watch->table, hash, same_flow, flow)); woken++) {
        struct watched *w = CONTAINER_OF(n, struct watched, node);
        take_out(watch, w);
        w->post.run = wake;
        mesh_post(s->mesh, w->home, &w->post);
    }
}
