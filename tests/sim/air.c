/* The simulated air: see air.h. Out of memory ends the simulation: it is no part of what it tries. */
#include "air.h"

#include <stdlib.h>

struct flying {
    struct list_node node;
    struct address from, to;
    uint64_t at_ms;
    struct packet *packet;
};

void air_init(struct air *a, struct random *r)
{
    *a = (struct air){.random = r, .delay_max_ms = 20};
    list_init(&a->flying);
}

void air_deinit(struct air *a)
{
    struct address from, to;
    for (struct packet *p; (p = air_take(a, UINT64_MAX, &from, &to));)
        packet_unref(&p);
}

static void fly(struct air *a, uint64_t now_ms, const struct address *from, const struct address *to, struct packet *p)
{
    struct flying *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    *f = (struct flying){.from = *from, .to = *to, .packet = packet_ref(p)};
    f->at_ms = now_ms + 1 + random_below(a->random, a->delay_max_ms);
    list_push_back(&a->flying, &f->node);
}

void air_send(struct air *a, uint64_t now_ms, const struct address *from, const struct address *to,
              const struct slice *parts, size_t count)
{
    size_t len = 0;
    if (random_below(a->random, 100) < a->loss_percent)
        return;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    struct packet *p = packet_new(len);
    if (!p)
        abort();
    char *at = p->data;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len)
            memcpy(at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    fly(a, now_ms, from, to, p);
    if (random_below(a->random, 100) < a->repeat_percent)
        fly(a, now_ms, from, to, p);
    packet_unref(&p);
}

uint64_t air_next(const struct air *a)
{
    uint64_t next = UINT64_MAX;
    LIST_EACH (node, &a->flying)
        if (CONTAINER_OF(node, struct flying, node)->at_ms < next)
            next = CONTAINER_OF(node, struct flying, node)->at_ms;
    return next;
}

struct packet *air_take(struct air *a, uint64_t now_ms, struct address *ret_from, struct address *ret_to)
{
    LIST_EACH (node, &a->flying) {
        struct flying *f = CONTAINER_OF(node, struct flying, node);
        if (f->at_ms > now_ms)
            continue;
        struct packet *p = f->packet;
        *ret_from = f->from;
        *ret_to = f->to;
        list_remove(&f->node);
        free(f);
        return p;
    }
    return NULL;
}
