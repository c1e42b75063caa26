/* Opens the configured sockets, names them for Via, and chooses the one to reach a peer from. */
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/err.h"
#include "net/net_private.h"

static int bound_socket(int type, const struct address *address, bool share)
{
    struct sockaddr_storage name;
    socklen_t len = sockaddr_from_address(address, &name);
    const int on = 1;
    int fd = socket(name.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* One family per socket: an IPv4 peer must never look like ::ffff:a.b.c.d. */
    bool ok = address->family != 6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
    /* Streams: a restart must not wait for the last connections' TIME_WAIT. Datagrams: it would share the port. */
    ok = ok && (type != SOCK_STREAM || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    ok = ok && (!share || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0);
    if (ok && bind(fd, (struct sockaddr *)&name, len) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* SO_REUSEPORT would let a second server of the same user share the port and take half of the packets: the first
 * worker tries without. For streams the conflict shows only when listening. */
static bool is_taken(int type, const struct address *address)
{
    if (address->port == 0)
        return false;
    int fd = bound_socket(type, address, false);
    if (fd < 0)
        return true;
    bool taken = type == SOCK_STREAM && listen(fd, 1) != 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return taken;
}

/* Our address as others see it when the listener is bound to any: what the kernel would send from. No packet leaves. */
static void find_own_address(struct address *ip)
{
    static const struct address far4 = {.family = 4, .port = 9, .ip = {192, 0, 2, 1}};
    static const struct address far6 = {.family = 6, .port = 9, .ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    struct sockaddr_storage name;
    socklen_t len = sockaddr_from_address(ip->family == 4 ? &far4 : &far6, &name);
    struct address found = {.family = 4, .ip = {127, 0, 0, 1}};
    if (ip->family == 6)
        found = (struct address){.family = 6, .ip = {[15] = 1}};
    int fd = socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&name, len) == 0)
        found = sockaddr_local(fd);
    if (fd >= 0)
        close(fd);
    found.port = ip->port;
    *ip = found;
}

static int name_it(struct listener *l, struct slice advertised)
{
    struct buf text;
    if (slice_is_set(advertised)) {
        if (slice_to_cstr(advertised, l->sent_by_text, sizeof l->sent_by_text) != ERR_NONE)
            return ERR_TOO_LARGE;
    } else {
        struct address shown = l->bound;
        if (address_is_any(&shown))
            find_own_address(&shown);
        buf_init(&text, ADDRESS_TEXT_MAX);
        address_append(&text, &shown);
        int err = slice_to_cstr(buf_slice(&text), l->sent_by_text, sizeof l->sent_by_text);
        buf_deinit(&text);
        if (err)
            return err;
    }
    l->sent_by = slice_str(l->sent_by_text);
    return ERR_NONE;
}

int listener_open(struct listener *l, const struct net_listener *config)
{
    loop_io_init(&l->io);
    l->transport = config->transport;
    l->ops = transports_ops(config->transport);
    if (!l->ops)
        return ERR_UNSUPPORTED;
    if (l->net->worker == 0 && is_taken(l->ops->socket_type, &config->address))
        return errno == EADDRINUSE ? ERR_EXISTS : ERR_IO;
    int fd = bound_socket(l->ops->socket_type, &config->address, true);
    if (fd < 0)
        return errno == EADDRINUSE ? ERR_EXISTS : ERR_IO;
    l->bound = sockaddr_local(fd);
    int err = name_it(l, config->advertised);
    if (!err)
        err = l->ops->open(l, fd);
    if (err) {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return err;
}

void listener_close(struct listener *l)
{
    int fd = l->io.fd;
    if (fd < 0)
        return;
    loop_io_del(l->net->loop, &l->io);
    l->ops->close(l);
    close(fd);
}

/* How well a listener reaches a peer; 0: not at all. The kernel refuses to send from loopback to elsewhere. */
static int suits(const struct listener *l, const struct address *remote)
{
    if (remote->family == 0)
        return 1;
    if (l->bound.family != remote->family)
        return 0;
    bool here = address_is_loopback(&l->bound), there = address_is_loopback(remote);
    if (here == there)
        return 3;
    if (address_is_any(&l->bound))
        return 2;
    return here ? 0 : 1;
}

struct listener *listener_toward(struct net *n, enum transport t, const struct address *remote)
{
    struct listener *best = NULL;
    int best_suits = 0;
    for (size_t i = 0; i < n->listener_count; i++) {
        struct listener *l = &n->listeners[i];
        int s = l->transport == t ? suits(l, remote) : 0;
        if (s > best_suits) {
            best = l;
            best_suits = s;
        }
    }
    return best;
}
