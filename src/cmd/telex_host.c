/* Sockets of one agent. UDP sockets are connected, so that the kernel hands over the server's datagrams alone and tells
 * of a port that nobody listens on. */
#include "cmd/telex_host.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"

/* What a stalled server may make us hold; a few of the largest messages. */
#define OUTPUT_MAX   1048576
#define DATAGRAM_MAX 65536
#define OTHERS_MAX   4

static volatile sig_atomic_t interrupted;
static sigset_t waiting_mask;

uint64_t telex_host_now_ms(void)
{
    return clock_mono_ms(clock_system());
}

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void telex_host_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held,
                &waiting_mask); /* they come while ppoll sleeps, and never between a look and a sleep */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool telex_host_interrupted(void)
{
    return interrupted != 0;
}

static void note(struct telex_host *h, const char *what, const char *why)
{
    snprintf(h->trouble, sizeof h->trouble, "%s %s: %s", what, h->server_host, why);
}

void telex_host_init(struct telex_host *h, const char *server_host, uint16_t port)
{
    *h = (struct telex_host){.server_host = server_host};
    snprintf(h->server_port, sizeof h->server_port, "%u", port);
    for (unsigned i = 0; i < TELEX_TRANSPORTS; i++) {
        h->ways[i].fd = -1;
        buf_init(&h->ways[i].output, OUTPUT_MAX);
    }
    sigprocmask(SIG_SETMASK, NULL, &waiting_mask);
    sigdelset(&waiting_mask, SIGINT);
    sigdelset(&waiting_mask, SIGTERM);
}

static void shut(struct telex_way *w)
{
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
    w->connecting = false;
    buf_reset(&w->output);
}

void telex_host_deinit(struct telex_host *h)
{
    for (unsigned i = 0; i < TELEX_TRANSPORTS; i++) {
        shut(&h->ways[i]);
        buf_deinit(&h->ways[i].output);
        if (h->ways[i].addresses)
            freeaddrinfo(h->ways[i].addresses);
    }
}

static void lose(struct telex_host *h, enum telex_transport transport)
{
    shut(&h->ways[transport]);
    telex_ua_disconnected(h->ua, transport);
}

/* "ip:port" of one end. */
static bool name_of(int fd, int (*which)(int, struct sockaddr *, socklen_t *), char out[ADDRESS_TEXT_MAX])
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof a;
    char ip[64], port[8];
    struct address address;
    uint32_t number;
    if (which(fd, (struct sockaddr *)&a, &len) < 0 ||
        getnameinfo((struct sockaddr *)&a, len, ip, sizeof ip, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) !=
            0 ||
        slice_to_u32(slice_str(port), UINT16_MAX, &number) != 0)
        return false;
    char *zone = memchr(ip, '%', strlen(ip)); /* fe80::1%eth0 */
    if (zone)
        *zone = '\0';
    if (address_parse_ip(slice_str(ip), &address) != 0)
        return false;
    address.port = (uint16_t)number;
    address_text(&address, out);
    return true;
}

static void opened(struct telex_host *h, enum telex_transport transport)
{
    struct telex_way *w = &h->ways[transport];
    char local[ADDRESS_TEXT_MAX], remote[ADDRESS_TEXT_MAX];
    w->connecting = false;
    if (!name_of(w->fd, getsockname, local) || !name_of(w->fd, getpeername, remote) ||
        telex_ua_connected(h->ua, transport, local, remote) != 0)
        lose(h, transport);
}

/* Tries the addresses of the server in turn. */
static void open_next(struct telex_host *h, enum telex_transport transport)
{
    struct telex_way *w = &h->ways[transport];
    for (; w->next; w->next = w->next->ai_next) {
        const struct addrinfo *a = w->next;
        shut(w);
        w->fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
        int result = w->fd < 0 ? -1 : connect(w->fd, a->ai_addr, a->ai_addrlen);
        if (result < 0 && errno != EINPROGRESS) {
            note(h, "cannot reach", strerror(errno));
            continue;
        }
        w->next = a->ai_next;
        w->connecting = result < 0;
        if (!w->connecting)
            opened(h, transport);
        return;
    }
    lose(h, transport);
}

void telex_host_connect(struct telex_host *h, enum telex_transport transport)
{
    struct telex_way *w = &h->ways[transport];
    const struct addrinfo hints = {.ai_socktype = transport == TELEX_UDP ? SOCK_DGRAM : SOCK_STREAM,
                                   .ai_flags = AI_ADDRCONFIG};
    if (w->addresses)
        freeaddrinfo(w->addresses);
    w->addresses = w->next = NULL;
    int err = getaddrinfo(h->server_host, h->server_port, &hints, &w->addresses);
    if (err) {
        w->addresses = NULL;
        note(h, "cannot find", gai_strerror(err));
        lose(h, transport);
        return;
    }
    w->next = w->addresses;
    open_next(h, transport);
}

void telex_host_hang_up(struct telex_host *h, enum telex_transport transport)
{
    note(h, "lost the connection to", "it is broken");
    lose(h, transport);
}

static bool flush_output(struct telex_host *h, struct telex_way *w)
{
    while (w->output.len > 0) {
        ssize_t n = send(w->fd, w->output.ptr, w->output.len, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n < 0) {
            note(h, "lost the connection to", strerror(errno));
            return false;
        }
        buf_consume(&w->output, (size_t)n);
    }
    return true;
}

int telex_host_send(struct telex_host *h, enum telex_transport transport, const void *bytes, size_t len)
{
    struct telex_way *w = &h->ways[transport];
    if (w->fd < 0)
        return -1;
    if (transport == TELEX_UDP) {
        if (send(w->fd, bytes, len, 0) == (ssize_t)len)
            return 0;
        if (errno == ECONNREFUSED && send(w->fd, bytes, len, 0) == (ssize_t)len)
            return 0; /* the error was the answer to an earlier datagram; the next receive tells of this one */
        if (errno == EAGAIN || errno == ENOBUFS)
            return 0; /* as good as lost on the way: the transaction sends it again */
        note(h, "cannot reach", strerror(errno));
        return -1;
    }
    if (w->output.len + len > OUTPUT_MAX)
        return -1;
    buf_append(&w->output, slice_make(bytes, len));
    if (!buf_ok(&w->output) || !flush_output(h, w)) {
        lose(h, transport); /* half a message may be out: the stream is of no use */
        return -1;
    }
    return 0;
}

static void receive(struct telex_host *h, enum telex_transport transport)
{
    static char bytes[DATAGRAM_MAX];
    struct telex_way *w = &h->ways[transport];
    for (int i = 0; i < 64 && w->fd >= 0; i++) { /* then timers and the other descriptors have their turn */
        ssize_t n = recv(w->fd, bytes, sizeof bytes, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0 || (n == 0 && transport == TELEX_TCP)) {
            note(h, transport == TELEX_TCP ? "lost the connection to" : "cannot reach",
                 n < 0 ? strerror(errno) : "the server closed it");
            lose(h, transport);
            return;
        }
        telex_ua_receive(h->ua, transport, bytes, (size_t)n, telex_host_now_ms());
    }
}

static void finish_connect(struct telex_host *h, enum telex_transport transport)
{
    struct telex_way *w = &h->ways[transport];
    int err = 0;
    socklen_t len = sizeof err;
    if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err == 0) {
        opened(h, transport);
        return;
    }
    note(h, "cannot connect to", strerror(err));
    open_next(h, transport);
}

static void serve(struct telex_host *h, enum telex_transport transport, short events)
{
    struct telex_way *w = &h->ways[transport];
    if (events == 0)
        return;
    if (w->connecting) {
        finish_connect(h, transport);
        return;
    }
    if ((events & POLLOUT) && !flush_output(h, w)) {
        lose(h, transport);
        return;
    }
    if (events & (POLLIN | POLLERR | POLLHUP))
        receive(h, transport);
}

void telex_host_turn(struct telex_host *h, struct pollfd *others, size_t count, int max_wait_ms)
{
    struct pollfd all[TELEX_TRANSPORTS + OTHERS_MAX];
    for (unsigned i = 0; i < TELEX_TRANSPORTS; i++) {
        const struct telex_way *w = &h->ways[i];
        bool writes = w->connecting || w->output.len > 0;
        all[i] = (struct pollfd){.fd = w->fd, .events = (short)(POLLIN | (writes ? POLLOUT : 0))};
    }
    count = count < OTHERS_MAX ? count : OTHERS_MAX;
    for (size_t i = 0; i < count; i++)
        all[TELEX_TRANSPORTS + i] = others[i];
    int wait_ms = telex_ua_timeout(h->ua, telex_host_now_ms());
    if (max_wait_ms >= 0 && (wait_ms < 0 || wait_ms > max_wait_ms))
        wait_ms = max_wait_ms;
    const struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000L};
    int ready = ppoll(all, TELEX_TRANSPORTS + count, wait_ms < 0 ? NULL : &wait, &waiting_mask);
    for (size_t i = 0; i < count; i++)
        others[i].revents = ready > 0 ? all[TELEX_TRANSPORTS + i].revents : 0;
    for (unsigned i = 0; ready > 0 && i < TELEX_TRANSPORTS; i++)
        serve(h, (enum telex_transport)i, all[i].revents);
    telex_ua_advance(h->ua, telex_host_now_ms());
}
