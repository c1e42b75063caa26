/* The life of a connection: its place in the worker's table, its states, its end. A flow names it by slot and
 * generation; a stale flow finds nothing. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "net/net_private.h"

#define TOKENS_BYTES_MAX (4096 * sizeof(uint64_t)) /* as many messages as fit into the output at 64 octets each */

static uint64_t hash_remote(const struct net *n, enum transport t, const struct address *remote)
{
    uint64_t hash = hash_slice(&n->key, slice_make((const char *)remote->ip, sizeof remote->ip));
    return hash_mix(hash, (uint64_t)remote->port << 8 | (uint64_t)t);
}

struct remote_key {
    enum transport transport;
    const struct address *remote;
};

/* When TLS comes, the name that the certificate showed belongs to this key (defects.md row 49). */
static bool same_remote(const struct table_node *node, const void *key)
{
    const struct conn *c = CONTAINER_OF(node, const struct conn, by_remote);
    const struct remote_key *k = key;
    return c->flow.transport == k->transport && address_eq(&c->flow.remote, k->remote);
}

struct conn *conn_of_remote(struct net *n, enum transport t, const struct address *remote)
{
    const struct remote_key key = {t, remote};
    struct table_node *node = table_find(&n->remotes, hash_remote(n, t, remote), same_remote, &key);
    return node ? CONTAINER_OF(node, struct conn, by_remote) : NULL;
}

struct conn *conn_of_flow(struct net *n, const struct flow *f)
{
    if (f->worker != n->worker || f->slot >= n->limits.connections)
        return NULL;
    const struct conn_slot *slot = &n->slots[f->slot];
    return slot->generation == f->generation && slot->conn ? slot->conn : NULL;
}

/* --- beginning --- */

static void opened(struct conn *c)
{
    struct list_node *node;
    c->state = CONN_OPEN;
    c->was_open = true;
    c->flow.local = sockaddr_local(c->io.fd);
    timer_wheel_cancel(c->net->wheel, &c->write);
    (void)loop_io_set(c->net->loop, &c->io, EPOLLIN);
    conn_input_start(c);
    while ((node = list_pop_front(&c->waiting)))
        outgoing_connected(outgoing_of_node(node), c);
}

static void ready(struct loop_io *io, uint32_t events)
{
    struct conn *c = CONTAINER_OF(io, struct conn, io);
    if (c->state == CONN_CONNECTING) {
        int error = 0;
        socklen_t len = sizeof error;
        if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
            conn_close(c);
            return;
        }
        if (!(events & EPOLLOUT))
            return;
        opened(c);
    }
    if (c->state != CONN_CLOSED && events & EPOLLOUT)
        conn_output_flush(c);
    if (c->state != CONN_CLOSED && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        conn_input_read(c);
}

static void read_late(struct timer *t)
{
    struct conn *c = CONTAINER_OF(t, struct conn, read);
    c->net->counters.deadlines++;
    conn_close(c);
}

static void write_late(struct timer *t)
{
    struct conn *c = CONTAINER_OF(t, struct conn, write);
    c->net->counters.deadlines += c->state == CONN_OPEN;
    conn_close(c);
}

static void init(struct conn *c, struct net *n, enum transport t, uint16_t listener, const struct address *remote)
{
    c->net = n;
    c->ops = transports_ops(t);
    c->flow = (struct flow){
        .transport = (uint8_t)t,
        .worker = (uint8_t)n->worker,
        .listener = listener,
        .slot = n->free_slot,
        .generation = n->slots[n->free_slot].generation,
        .remote = *remote,
    };
    loop_io_init(&c->io);
    framer_init(&c->framer);
    /* One unfinished message and what one read brought beyond it. */
    buf_init(&c->in, n->limits.head_bytes + n->limits.body_bytes + NET_READ_BYTES);
    buf_init(&c->out, n->limits.output_bytes);
    buf_init(&c->tokens, TOKENS_BYTES_MAX);
    timer_init(&c->read, read_late);
    timer_init(&c->write, write_late);
    list_init(&c->waiting);
}

struct conn *conn_new(struct net *n, enum transport t, int fd, uint16_t listener, const struct address *remote,
                      struct source *source, bool connecting)
{
    if (n->free_slot == UINT32_MAX)
        return NULL;
    struct conn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    init(c, n, t, listener, remote);
    if (table_insert(&n->remotes, &c->by_remote, hash_remote(n, t, remote)) != ERR_NONE)
        goto fail;
    if (loop_io_add(n->loop, &c->io, fd, connecting ? EPOLLOUT : EPOLLIN, ready) != ERR_NONE)
        goto fail_io;
    c->source = source;
    c->fresh = source != NULL;
    if (connecting) {
        c->state = CONN_CONNECTING;
        timer_wheel_set_in(n->wheel, &c->write, n->limits.connect_ms);
    } else {
        c->state = CONN_OPEN;
        c->was_open = true;
        c->flow.local = sockaddr_local(fd);
    }
    struct conn_slot *slot = &n->slots[n->free_slot];
    n->free_slot = slot->next_free;
    slot->conn = c;
    list_push_back(&n->open, &c->in_list);
    n->counters.connections++;
    return c;
fail_io:
    table_remove(&n->remotes, &c->by_remote);
fail:
    free(c);
    return NULL;
}

/* --- end --- */

static void fail_tokens(struct conn *c)
{
    uint64_t token;
    for (size_t at = 0; at + sizeof token <= c->tokens.len; at += sizeof token) {
        memcpy(&token, c->tokens.ptr + at, sizeof token);
        net_fail_later(c->net, token);
    }
}

void conn_close(struct conn *c)
{
    struct net *n = c->net;
    if (c->state == CONN_CLOSED)
        return;
    int fd = c->io.fd;
    c->state = CONN_CLOSED;
    loop_io_del(n->loop, &c->io);
    close(fd);
    timer_wheel_cancel(n->wheel, &c->read);
    timer_wheel_cancel(n->wheel, &c->write);
    table_remove(&n->remotes, &c->by_remote);
    source_give(n, c->source, c->fresh);
    c->source = NULL;
    struct conn_slot *slot = &n->slots[c->flow.slot];
    slot->conn = NULL;
    slot->generation++;
    slot->next_free = n->free_slot;
    n->free_slot = c->flow.slot;
    n->counters.connections--;
    fail_tokens(c);
    list_remove(&c->dirty);
    list_remove(&c->in_list);
    list_push_back(&n->closed, &c->in_list);
    net_wake_later(n);
}

void conn_end(struct conn *c)
{
    if (c->state == CONN_CONNECTING)
        conn_close(c);
    if (c->state != CONN_OPEN)
        return;
    c->state = CONN_ENDING;
    timer_wheel_cancel(c->net->wheel, &c->read);
    if (!timer_is_set(&c->write))
        timer_wheel_set_in(c->net->wheel, &c->write, c->net->limits.linger_ms);
    buf_deinit(&c->in);
    if (!list_is_linked(&c->dirty))
        list_push_back(&c->net->dirty, &c->dirty);
}

void conn_free(struct conn *c)
{
    list_remove(&c->in_list);
    buf_deinit(&c->in);
    buf_deinit(&c->out);
    buf_deinit(&c->tokens);
    free(c);
}
