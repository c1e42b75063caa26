/* TCP sockets: listening, accepting, connecting. What happens on a connection is conn*.c. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/err.h"
#include "net/net_private.h"

static ssize_t wire_read(struct conn *c, void *out, size_t size)
{
    return recv(c->io.fd, out, size, MSG_DONTWAIT);
}

static ssize_t wire_write(struct conn *c, const void *bytes, size_t len)
{
    return send(c->io.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

const struct wire_ops tcp_wire = {wire_read, wire_write};

/* A message waits for nobody's acknowledgement, and a peer that vanished is found by the kernel in two minutes. */
static void tune(int fd)
{
    const int on = 1, idle_s = 60, interval_s = 15, probes = 4;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

static void admit(struct listener *l, int fd, const struct address *remote)
{
    struct net *n = l->net;
    bool exempt = source_is_exempt(n, remote);
    struct source *source = exempt ? NULL : source_take(n, remote);
    struct conn *c = exempt || source ? conn_new(n, l->transport, fd, l->index, remote, source, false) : NULL;
    if (!c) {
        source_give(n, source, true);
        close(fd);
        n->counters.refused++;
        return;
    }
    tune(fd);
    n->counters.accepted++;
    conn_input_start(c);
}

static void pause_over(struct timer *t)
{
    struct listener *l = CONTAINER_OF(t, struct listener, pause);
    (void)loop_io_set(l->net->loop, &l->io, EPOLLIN);
}

static void ready(struct loop_io *io, uint32_t events)
{
    struct listener *l = CONTAINER_OF(io, struct listener, io);
    (void)events;
    for (int i = 0; i < NET_ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage name = {0};
        socklen_t len = sizeof name;
        int fd = accept4(io->fd, (struct sockaddr *)&name, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            struct address remote = sockaddr_to_address(&name);
            admit(l, fd, &remote);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* It stays readable and would be asked again at once. */
            (void)loop_io_set(l->net->loop, &l->io, 0);
            timer_wheel_set_in(l->net->wheel, &l->pause, NET_ACCEPT_PAUSE_MS);
            return;
        } else if (errno == EAGAIN) {
            return;
        } /* else that peer has gone already: the next */
    }
}

int tcp_open(struct listener *l, int fd)
{
    timer_init(&l->pause, pause_over);
    if (listen(fd, NET_BACKLOG) != 0)
        return errno == EADDRINUSE ? ERR_EXISTS : ERR_IO;
    return loop_io_add(l->net->loop, &l->io, fd, EPOLLIN, ready);
}

void tcp_close(struct listener *l)
{
    timer_wheel_cancel(l->net->wheel, &l->pause);
}

struct conn *tcp_connect(struct net *n, enum transport t, const struct address *remote)
{
    struct sockaddr_storage name;
    const struct listener *from = listener_toward(n, t, remote);
    if (!from || remote->port == 0)
        return NULL;
    int fd = socket(from->bound.family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    tune(fd);
    /* From the listener's address, as peers that trust us by address expect; the port is the kernel's. */
    struct address local = from->bound;
    local.port = 0;
    socklen_t len = sockaddr_from_address(&local, &name);
    if (!address_is_any(&local) && bind(fd, (struct sockaddr *)&name, len) != 0)
        goto fail;
    len = sockaddr_from_address(remote, &name);
    if (connect(fd, (struct sockaddr *)&name, len) != 0 && errno != EINPROGRESS)
        goto fail;
    struct conn *c = conn_new(n, t, fd, UINT16_MAX, remote, NULL, true);
    if (c)
        return c;
fail:
    close(fd);
    return NULL;
}
