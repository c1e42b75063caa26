/* Datagrams: recvmmsg into one area that all listeners of the worker share, each datagram copied into a packet of its
 * own size; sends are copied into a batch and leave by sendmmsg at the turn's end. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/err.h"
#include "net/net_private.h"

#define DATAGRAM_ROOM 65536

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct udp_area {
    struct mmsghdr messages[NET_UDP_BATCH];
    struct iovec parts[NET_UDP_BATCH];
    struct sockaddr_storage names[NET_UDP_BATCH];
    union control controls[NET_UDP_BATCH];
    char bytes[NET_UDP_BATCH][DATAGRAM_ROOM]; /* the kernel gives pages only to what was touched */
};

struct udp_batch {
    size_t count, sent;
    struct buf bytes;
    size_t offsets[NET_UDP_BATCH];
    uint64_t tokens[NET_UDP_BATCH];
    struct mmsghdr messages[NET_UDP_BATCH];
    struct iovec parts[NET_UDP_BATCH];
    struct sockaddr_storage names[NET_UDP_BATCH];
    union control controls[NET_UDP_BATCH];
};

int udp_area_new(struct udp_area **ret)
{
    *ret = malloc(sizeof **ret);
    return *ret ? ERR_NONE : ERR_NO_MEMORY;
}

void udp_area_free(struct udp_area *area)
{
    free(area);
}

/* --- receiving --- */

/* The address that a datagram was sent to (bound to any), else the one bound. */
static struct address destination(const struct listener *l, struct msghdr *m)
{
    struct address local = l->bound;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(local.ip, &info.ipi_addr, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(local.ip, &info.ipi6_addr, 16);
        }
    }
    return local;
}

/* Keep-alives of CR, LF or NUL, and what is too short to be SIP (contract.md). */
static bool is_noise(struct slice in)
{
    if (in.len < NET_DATAGRAM_MIN)
        return true;
    for (size_t i = 0; i < in.len; i++)
        if (in.ptr[i] != '\r' && in.ptr[i] != '\n' && in.ptr[i] != '\0')
            return false;
    return true;
}

static void take(struct listener *l, struct mmsghdr *m)
{
    struct net *n = l->net;
    struct slice in = slice_make(m->msg_hdr.msg_iov->iov_base, m->msg_len);
    n->counters.datagrams_in++;
    struct flow flow = {
        .transport = TRANSPORT_UDP,
        .worker = (uint8_t)n->worker,
        .listener = l->index,
        .local = destination(l, &m->msg_hdr),
        .remote = sockaddr_to_address(m->msg_hdr.msg_name),
    };
    bool noise = is_noise(in);
    struct packet *packet = noise ? NULL : packet_copy(in);
    if (noise && n->user->heard)
        n->user->heard(n->context, &flow);
    if (!packet) {
        n->counters.datagrams_dropped++;
        return;
    }
    n->user->received(n->context, &flow, packet);
    packet_unref(&packet);
}

static int receive(struct listener *l)
{
    struct udp_area *a = l->net->area;
    for (size_t i = 0; i < NET_UDP_BATCH; i++) {
        a->parts[i] = (struct iovec){a->bytes[i], DATAGRAM_ROOM};
        a->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &a->names[i],
            .msg_namelen = sizeof a->names[i],
            .msg_iov = &a->parts[i],
            .msg_iovlen = 1,
            .msg_control = &a->controls[i],
            .msg_controllen = sizeof a->controls[i],
        };
    }
    int count = recvmmsg(l->io.fd, a->messages, NET_UDP_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++)
        take(l, &a->messages[i]);
    return count;
}

static void ready(struct loop_io *io, uint32_t events)
{
    struct listener *l = CONTAINER_OF(io, struct listener, io);
    if (events & EPOLLOUT)
        udp_flush(l);
    /* An error (ICMP) is read off by the receive, and means nothing on a socket without a peer. */
    for (int i = 0; events & (EPOLLIN | EPOLLERR) && i < NET_READS_PER_TURN; i++)
        if (receive(l) < NET_UDP_BATCH)
            break;
}

/* --- sending --- */

/* Sends from the address that the peer wrote to; else a phone behind NAT drops the answer. */
static void set_source(struct msghdr *m, union control *control, const struct address *local)
{
    bool v4 = local->family == 4;
    *control = (union control){0};
    m->msg_control = control;
    m->msg_controllen = v4 ? CMSG_SPACE(sizeof(struct in_pktinfo)) : CMSG_SPACE(sizeof(struct in6_pktinfo));
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    if (v4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, local->ip, 4);
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
    } else {
        struct in6_pktinfo info = {0};
        memcpy(&info.ipi6_addr, local->ip, 16);
        c->cmsg_level = IPPROTO_IPV6;
        c->cmsg_type = IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
    }
}

static void clear(struct listener *l)
{
    struct udp_batch *b = l->batch;
    b->count = b->sent = 0;
    buf_reset(&b->bytes);
    (void)loop_io_set(l->net->loop, &l->io, EPOLLIN);
}

void udp_flush(struct listener *l)
{
    struct udp_batch *b = l->batch;
    if (b->count == 0)
        return;
    /* The buffer may have moved while it grew. */
    for (size_t i = b->sent; i < b->count; i++)
        b->parts[i].iov_base = b->bytes.ptr + b->offsets[i];
    while (b->sent < b->count) {
        int n = sendmmsg(l->io.fd, b->messages + b->sent, (unsigned)(b->count - b->sent), MSG_DONTWAIT);
        if (n > 0) {
            b->sent += (size_t)n;
            l->net->counters.datagrams_out += (size_t)n;
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            (void)loop_io_set(l->net->loop, &l->io, EPOLLIN | EPOLLOUT);
            return;
        } else if (errno != EINTR) {
            /* This one cannot leave (no route, too large for the path ...); the next may. */
            l->net->counters.datagrams_dropped++;
            net_fail_later(l->net, b->tokens[b->sent++]);
        }
    }
    clear(l);
}

static bool has_room(struct udp_batch *b, size_t len)
{
    return b->count < NET_UDP_BATCH && len <= NET_UDP_BATCH_BYTES - b->bytes.len;
}

enum link_result udp_send(struct listener *l, const struct address *local, const struct address *remote,
                          const struct slice *parts, size_t count, uint64_t token)
{
    struct udp_batch *b = l->batch;
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    if (len > NET_DATAGRAM_BYTES || remote->family != l->bound.family || remote->port == 0)
        return LINK_FAILED;
    if (!has_room(b, len))
        udp_flush(l);
    if (!has_room(b, len)) /* the kernel takes no more: UDP drops, as it may */
        return LINK_FAILED;
    size_t i = b->count;
    b->offsets[i] = b->bytes.len;
    b->tokens[i] = token;
    char *at = buf_extend(&b->bytes, len);
    if (!at) {
        b->bytes.failed = false; /* out of memory for this one only */
        return LINK_FAILED;
    }
    for (size_t p = 0; p < count; at += parts[p++].len)
        if (parts[p].len)
            memcpy(at, parts[p].ptr, parts[p].len);
    b->parts[i].iov_len = len;
    b->messages[i].msg_hdr = (struct msghdr){
        .msg_name = &b->names[i],
        .msg_namelen = sockaddr_from_address(remote, &b->names[i]),
        .msg_iov = &b->parts[i],
        .msg_iovlen = 1,
    };
    if (local && local->family == l->bound.family && address_is_any(&l->bound) && !address_is_any(local))
        set_source(&b->messages[i].msg_hdr, &b->controls[i], local);
    b->count++;
    return LINK_DONE;
}

int udp_open(struct listener *l, int fd)
{
    const int on = 1, size = NET_UDP_SOCKET_BYTES;
    /* More than the administrator allows is cut by the kernel; what it gives has to do. */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (address_is_any(&l->bound)) {
        int err = l->bound.family == 4 ? setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on)
                                       : setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
        if (err)
            return ERR_IO;
    }
    l->batch = calloc(1, sizeof *l->batch);
    if (!l->batch)
        return ERR_NO_MEMORY;
    buf_init(&l->batch->bytes, NET_UDP_BATCH_BYTES);
    int err = loop_io_add(l->net->loop, &l->io, fd, EPOLLIN, ready);
    if (err)
        udp_close(l);
    return err;
}

void udp_close(struct listener *l)
{
    buf_deinit(&l->batch->bytes);
    free(l->batch);
    l->batch = NULL;
}
