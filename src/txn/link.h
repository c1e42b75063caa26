/* The only way out. `net` implements it over sockets, the simulator over a queue. RFC 3263 lies behind it. */
#ifndef TXN_LINK_H
#define TXN_LINK_H

#include "base/flow.h"

enum link_result {
    LINK_DONE,    /* handed to the network (UDP) or to an open connection's bounded output */
    LINK_PENDING, /* a name is being resolved or a connection opened; failure comes later as endpoint_link_failed(token)
                   */
    LINK_FAILED,  /* cannot be sent: no such flow, no listener for the transport, output full, resolver said no */
};

/* Where bytes shall go when there is no flow yet. */
struct target {
    struct slice host; /* name or IP literal (IPv6 with or without brackets) */
    uint16_t port;     /* 0: RFC 3263 decides */
    bool has_transport;
    enum transport transport;
    uint32_t connect_ms;   /* how long to wait for a connection; 0: the link's own limit */
    struct slice tls_name; /* the name that the peer's certificate must show; absent without TLS */
};

/* One of the two is used. */
struct hop {
    bool is_flow;
    struct flow flow;
    struct target target;
};

struct link;
struct link_ops {
    /* Sends the concatenation of `parts` as one message. Borrows everything for the duration of the call. `token` names
     * the attempt in a late failure; 0: nobody wants to know. */
    enum link_result (*send)(struct link *link, const struct hop *to, const struct slice *parts, size_t count,
                             uint64_t token);
    /* The transport and sent-by ("host" or "host:port") that a Via toward `to` shall carry. Slices live as long as the
     * link. ERR_NOT_FOUND: no listener can reach it. */
    int (*sent_by)(struct link *link, const struct hop *to, enum transport *ret_transport, struct slice *ret_sent_by);
};
struct link {
    const struct link_ops *ops;
};

static inline enum link_result link_send(struct link *l, const struct hop *to, const struct slice *parts, size_t count,
                                         uint64_t token)
{
    return l->ops->send(l, to, parts, count, token);
}
static inline int link_sent_by(struct link *l, const struct hop *to, enum transport *ret_transport,
                               struct slice *ret_sent_by)
{
    return l->ops->sent_by(l, to, ret_transport, ret_sent_by);
}

static inline struct hop hop_flow(const struct flow *f)
{
    return (struct hop){.is_flow = true, .flow = *f};
}
static inline struct hop hop_target(const struct target *t)
{
    return (struct hop){.is_flow = false, .target = *t};
}

#endif
