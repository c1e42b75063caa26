/* The front of the room: makes and frees a worker's sockets, chooses the way for each send, and tells the user later
 * what failed or closed. */
#include "net/net.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "net/net_private.h"
#include "net/resolver.h"

#define FAILED_BYTES_MAX (65536 * sizeof(uint64_t)) /* more tokens than messages can wait at once */

/* --- the link --- */

static enum link_result send_to_flow(struct net *n, const struct flow *f, const struct slice *parts, size_t count,
                                     uint64_t token)
{
    if (f->transport == TRANSPORT_UDP) {
        struct listener *l = f->listener < n->listener_count ? &n->listeners[f->listener] : NULL;
        if (!l || l->transport != TRANSPORT_UDP)
            return LINK_FAILED;
        return udp_send(l, &f->local, &f->remote, parts, count, token);
    }
    struct conn *c = conn_of_flow(n, f);
    return c ? conn_output_send(c, parts, count, token) : LINK_FAILED;
}

static enum link_result net_send(struct link *link, const struct hop *to, const struct slice *parts, size_t count,
                                 uint64_t token)
{
    struct net *n = CONTAINER_OF(link, struct net, link);
    if (to->is_flow)
        return send_to_flow(n, &to->flow, parts, count, token);
    return outgoing_send(n, &to->target, parts, count, token);
}

static const struct listener *listener_of_hop(struct net *n, const struct hop *to)
{
    if (to->is_flow) {
        const struct flow *f = &to->flow;
        if (f->listener < n->listener_count)
            return n->listeners[f->listener].transport == f->transport ? &n->listeners[f->listener] : NULL;
        return listener_toward(n, f->transport, &f->remote);
    }
    struct address remote = {0};
    (void)address_parse_ip(to->target.host, &remote); /* a name: any listener of the transport */
    return listener_toward(n, to->target.has_transport ? to->target.transport : TRANSPORT_UDP, &remote);
}

static int net_sent_by(struct link *link, const struct hop *to, enum transport *ret_transport,
                       struct slice *ret_sent_by)
{
    const struct listener *l = listener_of_hop(CONTAINER_OF(link, struct net, link), to);
    if (!l)
        return ERR_NOT_FOUND;
    *ret_transport = l->transport;
    *ret_sent_by = l->sent_by;
    return ERR_NONE;
}

static const struct link_ops link_ops = {net_send, net_sent_by};

/* --- what is told later --- */

void net_wake_later(struct net *n)
{
    if (!timer_is_set(&n->later))
        timer_wheel_set_in(n->wheel, &n->later, 0);
}

void net_fail_later(struct net *n, uint64_t token)
{
    if (token == 0)
        return;
    buf_append(&n->failed, slice_make((const char *)&token, sizeof token));
    net_wake_later(n);
}

static void tell_failed(struct net *n)
{
    struct buf tokens = n->failed; /* a callback may fail more: those are for the next turn */
    uint64_t token;
    buf_init(&n->failed, FAILED_BYTES_MAX);
    for (size_t at = 0; at + sizeof token <= tokens.len; at += sizeof token) {
        memcpy(&token, tokens.ptr + at, sizeof token);
        n->user->link_failed(n->context, token);
    }
    buf_deinit(&tokens);
}

static void tell_closed(struct net *n)
{
    struct list closed;
    struct list_node *node, *waiting;
    list_init(&closed);
    list_splice(&closed, &n->closed);
    while ((node = list_pop_front(&closed))) {
        struct conn *c = CONTAINER_OF(node, struct conn, in_list);
        while ((waiting = list_pop_front(&c->waiting)))
            outgoing_next(outgoing_of_node(waiting));
        if (c->was_open)
            n->user->flow_closed(n->context, &c->flow);
        conn_free(c);
    }
}

static void later(struct timer *t)
{
    struct net *n = CONTAINER_OF(t, struct net, later);
    tell_failed(n);
    tell_closed(n);
}

static void end_of_turn(struct loop_hook *hook)
{
    struct net *n = CONTAINER_OF(hook, struct net, hook);
    struct list_node *node;
    for (size_t i = 0; i < n->listener_count; i++)
        if (n->listeners[i].batch)
            udp_flush(&n->listeners[i]);
    while ((node = list_pop_front(&n->dirty)))
        conn_output_flush(CONTAINER_OF(node, struct conn, dirty));
}

/* --- making and freeing --- */

int net_set_exempt(struct net *n, const struct network *exempt, size_t count)
{
    struct network *copy = calloc(count + 1, sizeof *copy);
    if (!copy)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        copy[i] = exempt[i];
    free(n->exempt);
    n->exempt = copy;
    n->exempt_count = count;
    return ERR_NONE;
}

static int allocate(struct net *n, const struct net_config *config)
{
    uint32_t connections = n->limits.connections;
    n->slots = calloc(connections ? connections : 1, sizeof *n->slots);
    n->scratch = malloc(NET_READ_BYTES);
    int err = net_set_exempt(n, config->exempt, config->exempt_count);
    n->listeners = calloc(config->listener_count + 1, sizeof *n->listeners);
    if (err || !n->slots || !n->scratch || !n->listeners || table_init(&n->remotes, connections) != ERR_NONE ||
        table_init(&n->sources, connections) != ERR_NONE || udp_area_new(&n->area) != ERR_NONE)
        return ERR_NO_MEMORY;
    /* A random beginning: a flow kept over a restart must not name a new connection. */
    uint32_t generation = (uint32_t)random_u64(n->random);
    for (uint32_t i = 0; i < connections; i++)
        n->slots[i] = (struct conn_slot){.generation = generation,
                                         .next_free = i + 1 < connections ? i + 1 : UINT32_MAX};
    n->free_slot = connections ? 0 : UINT32_MAX;
    return ERR_NONE;
}

static int open_listeners(struct net *n, const struct net_config *config, size_t *ret_listener)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        struct listener *l = &n->listeners[i];
        l->net = n;
        l->index = (uint16_t)i;
        n->listener_count = i + 1;
        int err = listener_open(l, &config->listeners[i]);
        if (err) {
            *ret_listener = i;
            return err;
        }
    }
    return ERR_NONE;
}

int net_new(const struct net_config *config, struct net **ret, size_t *ret_listener)
{
    struct net *n = calloc(1, sizeof *n);
    if (!n)
        return ERR_NO_MEMORY;
    n->link.ops = &link_ops;
    n->loop = config->loop;
    n->wheel = loop_wheel(config->loop);
    n->random = config->random;
    n->worker = config->worker;
    n->limits = config->limits ? *config->limits : net_limits_default();
    n->user = config->user;
    n->context = config->context;
    random_fill(n->random, &n->key, sizeof n->key);
    list_init(&n->open);
    list_init(&n->closed);
    list_init(&n->dirty);
    list_init(&n->outgoing);
    buf_init(&n->failed, FAILED_BYTES_MAX);
    timer_init(&n->later, later);
    loop_hook_add(n->loop, &n->hook, end_of_turn);
    int err = allocate(n, config);
    if (!err)
        err = resolver_new(n, config->dns_servers, &n->resolver);
    if (!err)
        err = open_listeners(n, config, ret_listener);
    if (err) {
        int saved = errno;
        net_free(n);
        errno = saved;
        return err;
    }
    *ret = n;
    return ERR_NONE;
}

void net_free(struct net *n)
{
    struct list_node *node;
    if (!n)
        return;
    for (size_t i = 0; i < n->listener_count; i++)
        listener_close(&n->listeners[i]);
    outgoing_free_all(n); /* while the lists that they stand in still exist */
    while ((node = list_first(&n->open)))
        conn_close(CONTAINER_OF(node, struct conn, in_list));
    while ((node = list_first(&n->closed)))
        conn_free(CONTAINER_OF(node, struct conn, in_list));
    resolver_free(n->resolver);
    timer_wheel_cancel(n->wheel, &n->later);
    loop_hook_remove(n->loop, &n->hook);
    table_deinit(&n->remotes);
    table_deinit(&n->sources);
    udp_area_free(n->area);
    buf_deinit(&n->failed);
    free(n->slots);
    free(n->scratch);
    free(n->exempt);
    free(n->listeners);
    free(n);
}

struct link *net_link(struct net *n)
{
    return &n->link;
}

const struct address *net_bound(const struct net *n, size_t listener)
{
    return &n->listeners[listener].bound;
}

void net_close_flow(struct net *n, const struct flow *flow)
{
    struct conn *c = flow->transport == TRANSPORT_UDP ? NULL : conn_of_flow(n, flow);
    if (c)
        conn_end(c);
}

const struct net_counters *net_counters(const struct net *n)
{
    return &n->counters;
}
