/* Gives c-ares its sockets and its timer on the loop. One channel per worker. */
#include "net/resolver_io.h"

#include <stdlib.h>
#include <sys/time.h>

#include "base/err.h"

/* c-ares opens a UDP and at most one TCP socket for each of the servers, and resolv.conf names at most three. */
#define SOCKETS_MAX 16

struct resolver_socket {
    struct loop_io io;
    struct resolver_io *owner;
};

struct resolver_io {
    struct net *net;
    ares_channel channel;
    struct timer timer;
    struct resolver_socket sockets[SOCKETS_MAX];
    struct loop_dead dead;
};

static void ready(struct loop_io *io, uint32_t events)
{
    struct resolver_socket *s = CONTAINER_OF(io, struct resolver_socket, io);
    struct resolver_io *r = s->owner;
    int fd = io->fd;
    bool in = events & (EPOLLIN | EPOLLERR | EPOLLHUP), out = events & EPOLLOUT;
    ares_process_fd(r->channel, in ? fd : ARES_SOCKET_BAD, out ? fd : ARES_SOCKET_BAD);
    resolver_io_rearm(r);
}

static void late(struct timer *t)
{
    struct resolver_io *r = CONTAINER_OF(t, struct resolver_io, timer);
    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    resolver_io_rearm(r);
}

static struct resolver_socket *socket_of(struct resolver_io *r, int fd)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        if (r->sockets[i].io.fd == fd)
            return &r->sockets[i];
    return NULL;
}

/* c-ares tells what each of its sockets waits for; neither: it is about to be closed. */
static void state_changed(void *context, ares_socket_t fd, int readable, int writable)
{
    struct resolver_io *r = context;
    struct resolver_socket *s = socket_of(r, fd);
    uint32_t events = (readable ? (uint32_t)EPOLLIN : 0) | (writable ? (uint32_t)EPOLLOUT : 0);
    if (events == 0) {
        if (s)
            loop_io_del(r->net->loop, &s->io);
    } else if (s) {
        (void)loop_io_set(r->net->loop, &s->io, events);
    } else if ((s = socket_of(r, -1))) {
        /* Without a place, or refused by the kernel, the question times out. */
        (void)loop_io_add(r->net->loop, &s->io, fd, events, ready);
    }
}

void resolver_io_rearm(struct resolver_io *r)
{
    struct timeval wait;
    if (!ares_timeout(r->channel, NULL, &wait)) {
        timer_wheel_cancel(r->net->wheel, &r->timer);
        return;
    }
    uint64_t ms = (uint64_t)wait.tv_sec * 1000 + (uint64_t)wait.tv_usec / 1000 + 1;
    timer_wheel_set_in(r->net->wheel, &r->timer, ms);
}

ares_channel resolver_io_channel(struct resolver_io *r)
{
    return r->channel;
}

static int open_channel(struct resolver_io *r, const char *servers)
{
    struct ares_options options = {
        .timeout = (int)r->net->limits.resolver_timeout_ms,
        .tries = NET_RESOLVER_TRIES,
        .flags = ARES_FLAG_NOSEARCH, /* a domain in a URI is complete: never a name below ours */
        .sock_state_cb = state_changed,
        .sock_state_cb_data = r,
    };
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB;
    if (ares_init_options(&r->channel, &options, mask) != ARES_SUCCESS)
        return ERR_IO;
    if (servers && ares_set_servers_ports_csv(r->channel, servers) != ARES_SUCCESS) {
        ares_destroy(r->channel);
        return ERR_IO;
    }
    return ERR_NONE;
}

int resolver_io_new(struct net *n, const char *servers, struct resolver_io **ret)
{
    struct resolver_io *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NO_MEMORY;
    r->net = n;
    timer_init(&r->timer, late);
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        loop_io_init(&r->sockets[i].io);
        r->sockets[i].owner = r;
    }
    int err = open_channel(r, servers);
    if (err) {
        free(r);
        return err;
    }
    *ret = r;
    return ERR_NONE;
}

static void bury(struct loop_dead *dead)
{
    free(CONTAINER_OF(dead, struct resolver_io, dead));
}

void resolver_io_free(struct resolver_io *r)
{
    if (!r)
        return;
    ares_destroy(r->channel);
    timer_wheel_cancel(r->net->wheel, &r->timer);
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        loop_io_del(r->net->loop, &r->sockets[i].io);
    loop_bury(r->net->loop, &r->dead, bury);
}
