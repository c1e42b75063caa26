/* One worker's sockets: bytes in, bytes out. Implements struct link (RFC 3261 §18, RFC 3263) over UDP and TCP and calls
 * back for what arrives. Belongs to the thread of its loop. No callback comes inside net_link's calls. */
#ifndef NET_NET_H
#define NET_NET_H

#include "base/packet.h"
#include "base/random.h"
#include "loop/loop.h"
#include "net/net_limits.h"
#include "sip/framer.h"
#include "txn/link.h"

struct net;

struct net_user {
    /* One datagram, or one message of a stream. Who keeps the packet takes a reference. */
    void (*received)(void *context, const struct flow *flow, struct packet *packet);
    /* A stream that cannot be read on: `head` is what has arrived of the message, `fault` says how to answer. What is
     * sent to `flow` inside this call still goes out, then the connection is closed. May be NULL. */
    void (*malformed)(void *context, const struct flow *flow, struct slice head, const struct message_fault *fault);
    /* A link_send that returned LINK_PENDING or LINK_DONE did not reach the network after all. */
    void (*link_failed)(void *context, uint64_t token);
    /* A connection is gone. Each flow of a stream is closed once, unless net_free comes first. */
    void (*flow_closed)(void *context, const struct flow *flow);
    /* A keep-alive came: no message, but somebody is there. May be NULL. */
    void (*heard)(void *context, const struct flow *flow);
};

struct net_listener {
    enum transport transport; /* UDP or TCP */
    struct address address;   /* port 0: the kernel picks; any address: all of that family */
    struct slice advertised;  /* sent-by to write into Via, "host" or "host:port"; absent: the bound address */
};

struct net_config {
    struct loop *loop;
    struct random *random;
    unsigned worker; /* 0..255; worker 0 refuses an address that another process listens at */
    /* Every worker has the same listeners: with port 0 the others get the first worker's net_bound. */
    const struct net_listener *listeners;
    size_t listener_count; /* at most UINT16_MAX - 1 */
    /* Trusted peers and relays: free of the caps per source. Copied. */
    const struct network *exempt;
    size_t exempt_count;
    const struct net_limits *limits; /* NULL: net_limits_default() */
    const char *dns_servers;         /* "ip:port,..."; NULL: the system's */
    const struct net_user *user;     /* borrowed */
    void *context;
};

struct net_counters {
    uint64_t datagrams_in, datagrams_out, datagrams_dropped; /* dropped: keep-alives, strays, unsendable ones */
    uint64_t accepted, refused, opened;                      /* connections; refused: over a cap */
    uint64_t deadlines, malformed;                           /* connections closed for it */
    uint32_t connections;                                    /* now */
};

/* Returns ERR_NONE, ERR_NO_MEMORY, ERR_UNSUPPORTED (no such transport), ERR_EXISTS (address in use) or ERR_IO; for the
 * last three *ret_listener is the index of the listener at fault, and errno is the kernel's. */
int net_new(const struct net_config *config, struct net **ret, size_t *ret_listener);
/* After a reload: other trusted peers and relays, for connections from now on. Copied. ERR_NO_MEMORY: the old ones
 * stay. */
int net_set_exempt(struct net *n, const struct network *exempt, size_t count);
/* Closes everything without callbacks. */
void net_free(struct net *n);
struct link *net_link(struct net *n);
/* The address that a listener is really bound to. */
const struct address *net_bound(const struct net *n, size_t listener);
/* Closes the connection of a flow after what waits to be sent; flow_closed follows. Unknown flows are ignored. */
void net_close_flow(struct net *n, const struct flow *flow);
const struct net_counters *net_counters(const struct net *n);

#endif
