/* A message to a target: at once when its address is known and its way open; else a copy waits here for the name or
 * the connection, and goes to the next address when one refuses (RFC 3263 §4.3). */
#include <stdlib.h>

#include "base/err.h"
#include "net/locate.h"

struct outgoing {
    struct list_node in_net;  /* net->outgoing */
    struct list_node in_conn; /* conn->waiting */
    struct resolver_wait wait;
    struct timer give_up; /* the sender waits no longer (target.connect_ms) */
    struct net *net;
    struct packet *bytes;
    uint64_t token;
    enum transport transport;
    uint16_t port;
    struct locate_result where;
    size_t next;
    char host[NET_NAME_BYTES];
};

struct outgoing *outgoing_of_node(struct list_node *node)
{
    return CONTAINER_OF(node, struct outgoing, in_conn);
}

static void drop(struct outgoing *o)
{
    o->net->outgoing_count--;
    o->net->outgoing_bytes -= o->bytes->len;
    list_remove(&o->in_net);
    list_remove(&o->in_conn);
    list_remove(&o->wait.node);
    timer_wheel_cancel(o->net->wheel, &o->give_up);
    packet_unref(&o->bytes);
    free(o);
}

static void fail(struct outgoing *o)
{
    net_fail_later(o->net, o->token);
    drop(o);
}

static void too_late(struct timer *t)
{
    fail(CONTAINER_OF(t, struct outgoing, give_up));
}

static enum link_result by_datagram(struct net *n, const struct locate_result *where, const struct slice *parts,
                                    size_t count, uint64_t token)
{
    /* Nobody says that a datagram did not arrive: the first address that we can send to is the one. */
    for (size_t i = 0; i < where->count; i++) {
        struct listener *l = listener_toward(n, TRANSPORT_UDP, &where->candidates[i]);
        if (l)
            return udp_send(l, NULL, &where->candidates[i], parts, count, token);
    }
    return LINK_FAILED;
}

void outgoing_connected(struct outgoing *o, struct conn *c)
{
    struct slice bytes = packet_slice(o->bytes);
    if (conn_output_send(c, &bytes, 1, o->token) == LINK_FAILED)
        net_fail_later(o->net, o->token);
    drop(o);
}

void outgoing_next(struct outgoing *o)
{
    while (o->next < o->where.count) {
        const struct address *remote = &o->where.candidates[o->next++];
        struct conn *c = conn_of_remote(o->net, o->transport, remote);
        if (c && c->state == CONN_OPEN) {
            outgoing_connected(o, c);
            return;
        }
        if (!c || c->state != CONN_CONNECTING)
            c = tcp_connect(o->net, o->transport, remote);
        if (c) {
            o->net->counters.opened += list_is_empty(&c->waiting);
            list_push_back(&c->waiting, &o->in_conn);
            return;
        }
    }
    fail(o);
}

static void located(struct outgoing *o, int err)
{
    if (err == ERR_NEED_MORE)
        return;
    if (err) {
        fail(o);
    } else if (transports_ops(o->transport)->framing) {
        outgoing_next(o);
    } else {
        struct slice bytes = packet_slice(o->bytes);
        if (by_datagram(o->net, &o->where, &bytes, 1, o->token) == LINK_FAILED)
            net_fail_later(o->net, o->token);
        drop(o);
    }
}

static void answered(struct resolver_wait *w)
{
    struct outgoing *o = CONTAINER_OF(w, struct outgoing, wait);
    located(o, locate(o->net, slice_str(o->host), o->port, o->transport, &o->wait, &o->where));
}

static struct outgoing *make(struct net *n, const struct target *to, enum transport t, const struct slice *parts,
                             size_t count, uint64_t token)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    if (n->outgoing_count >= NET_OUTGOING_MAX || len > NET_OUTGOING_BYTES - n->outgoing_bytes)
        return NULL;
    struct outgoing *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->bytes = packet_new(len);
    if (!o->bytes || slice_to_cstr(to->host, o->host, sizeof o->host) != ERR_NONE) {
        packet_unref(&o->bytes);
        free(o);
        return NULL;
    }
    char *at = o->bytes->data;
    for (size_t i = 0; i < count; at += parts[i++].len)
        if (parts[i].len)
            memcpy(at, parts[i].ptr, parts[i].len);
    o->net = n;
    o->token = token;
    o->transport = t;
    o->port = to->port;
    o->wait.ready = answered;
    timer_init(&o->give_up, too_late);
    if (to->connect_ms)
        timer_wheel_set_in(n->wheel, &o->give_up, to->connect_ms);
    n->outgoing_count++;
    n->outgoing_bytes += len;
    list_push_back(&n->outgoing, &o->in_net);
    return o;
}

/* Where nothing has to be waited for, nothing is copied: a literal address by datagram or over an open connection. */
static bool send_now(struct net *n, const struct target *to, enum transport t, const struct slice *parts, size_t count,
                     uint64_t token, enum link_result *ret)
{
    struct locate_result where = {.count = 1};
    struct address *a = &where.candidates[0];
    if (address_parse_ip(to->host, a) != ERR_NONE)
        return false;
    a->port = to->port ? to->port : transports_ops(t)->default_port;
    if (!transports_ops(t)->framing) {
        *ret = by_datagram(n, &where, parts, count, token);
        return true;
    }
    struct conn *c = conn_of_remote(n, t, a);
    if (!c || c->state != CONN_OPEN)
        return false;
    *ret = conn_output_send(c, parts, count, token);
    return true;
}

enum link_result outgoing_send(struct net *n, const struct target *to, const struct slice *parts, size_t count,
                               uint64_t token)
{
    const struct address any = {0};
    /* RFC 3263 §4.1: UDP where nothing else is said. The Via was written by then, so no record may change it. */
    enum transport t = to->has_transport ? to->transport : TRANSPORT_UDP;
    enum link_result result;
    if (!transports_ops(t) || !listener_toward(n, t, &any))
        return LINK_FAILED;
    if (send_now(n, to, t, parts, count, token, &result))
        return result;
    struct outgoing *o = make(n, to, t, parts, count, token);
    if (!o)
        return LINK_FAILED;
    int err = locate(n, to->host, to->port, t, &o->wait, &o->where);
    if (err && err != ERR_NEED_MORE) {
        drop(o);
        return LINK_FAILED;
    }
    located(o, err);
    return LINK_PENDING;
}

void outgoing_free_all(struct net *n)
{
    LIST_EACH (node, &n->outgoing) {
        drop(CONTAINER_OF(node, struct outgoing, in_net));
    }
}
