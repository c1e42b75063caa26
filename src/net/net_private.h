/* What the files of the network room share: the records of listeners, connections and waiting messages, and the small
 * vtables in which transports differ. TLS is one more struct wire_ops, WebSocket one more struct framing_ops. */
#ifndef NET_NET_PRIVATE_H
#define NET_NET_PRIVATE_H

#include <sys/socket.h>
#include <sys/types.h>

#include "base/hash.h"
#include "base/table.h"
#include "net/net.h"

struct conn;
struct listener;
struct outgoing;
struct resolver;
struct udp_batch;
struct udp_area;

/* How a connection's octets reach the wire: as they are, or (later) through TLS. Both behave like recv and send. */
struct wire_ops {
    ssize_t (*read)(struct conn *c, void *out, size_t size);
    ssize_t (*write)(struct conn *c, const void *bytes, size_t len);
};

/* How messages lie in a connection's octets: Content-Length on SIP streams, (later) WebSocket frames. */
struct framing_ops {
    /* Handles all whole frames at the start of `in`, which begins at a border; returns the octets used up. */
    size_t (*input)(struct conn *c, struct slice in);
    /* Appends one message to c->out. */
    void (*output)(struct conn *c, const struct slice *parts, size_t count);
    /* True when the head of an unfinished message is complete (its deadline is then the body's). */
    bool (*in_body)(const struct conn *c);
};

struct transport_ops {
    int (*open)(struct listener *l, int fd); /* takes over a bound socket: ERR_NONE or an error, fd then not taken */
    void (*close)(struct listener *l);
    int socket_type;
    uint16_t default_port;
    struct slice srv_prefix;           /* RFC 3263 §4.2 */
    const struct wire_ops *wire;       /* NULL: datagrams */
    const struct framing_ops *framing; /* NULL: datagrams */
};

/* NULL: not offered. */
const struct transport_ops *transports_ops(enum transport t);

struct listener {
    struct net *net;
    const struct transport_ops *ops;
    enum transport transport;
    uint16_t index;
    struct address bound;
    struct loop_io io;
    struct timer pause;      /* streams */
    struct udp_batch *batch; /* datagrams */
    char sent_by_text[NET_NAME_BYTES + 8];
    struct slice sent_by;
};

/* Connections of one source address. */
struct source {
    struct table_node node;
    struct address ip;
    uint32_t total, fresh;
};

enum conn_state {
    CONN_CONNECTING,
    CONN_OPEN,
    CONN_ENDING, /* reads nothing more, closes when its output is gone */
    CONN_CLOSED, /* out of every table; freed at the next turn's start */
};

/* What the read deadline waits for. */
enum conn_phase { PHASE_FIRST, PHASE_HEAD, PHASE_BODY, PHASE_IDLE };

struct conn {
    struct net *net;
    const struct transport_ops *ops;
    struct loop_io io;
    struct flow flow;
    enum conn_state state;
    enum conn_phase phase;
    bool fresh;    /* accepted, and no request yet */
    bool was_open; /* the user may know its flow */
    struct source *source;
    struct framer framer;
    struct buf in, out;
    struct buf tokens;        /* of messages since `out` was last empty */
    struct timer read, write; /* deadlines; `write` is also for connecting and lingering */
    struct list waiting;      /* outgoing, while connecting */
    struct list_node in_list; /* net->open or net->closed */
    struct list_node dirty;   /* net->dirty: output to flush at the turn's end */
    struct table_node by_remote;
};

struct conn_slot {
    struct conn *conn;
    uint32_t generation, next_free;
};

struct net {
    struct link link;
    struct loop *loop;
    struct timer_wheel *wheel;
    struct random *random;
    unsigned worker;
    struct net_limits limits;
    const struct net_user *user;
    void *context;
    struct hash_key key;
    struct listener *listeners;
    size_t listener_count;
    struct network *exempt;
    size_t exempt_count;
    struct conn_slot *slots;
    uint32_t free_slot;
    struct table remotes, sources;
    struct list open, closed, dirty;
    struct buf failed; /* tokens to report */
    struct timer later;
    struct loop_hook hook;
    struct udp_area *area;
    char *scratch;
    struct resolver *resolver;
    struct list outgoing;
    size_t outgoing_count, outgoing_bytes;
    struct net_counters counters;
};

/* --- net.c --- */

/* Reports the token in the next turn; 0 is nobody's. */
void net_fail_later(struct net *n, uint64_t token);
/* Has closed connections reported and freed in the next turn. */
void net_wake_later(struct net *n);

/* --- listener.c --- */

int listener_open(struct listener *l, const struct net_listener *config);
void listener_close(struct listener *l);
/* The listener to reach `remote` from, or any of that transport for an unset address; NULL: none can. */
struct listener *listener_toward(struct net *n, enum transport t, const struct address *remote);

/* --- sockaddr.c --- */

socklen_t sockaddr_from_address(const struct address *a, struct sockaddr_storage *ret);
struct address sockaddr_to_address(const struct sockaddr_storage *s);
struct address sockaddr_local(int fd);

/* --- udp.c --- */

int udp_open(struct listener *l, int fd);
void udp_close(struct listener *l);
/* Copies the message into the listener's batch. `local`: source address for a listener bound to any; may be NULL. */
enum link_result udp_send(struct listener *l, const struct address *local, const struct address *remote,
                          const struct slice *parts, size_t count, uint64_t token);
void udp_flush(struct listener *l);
int udp_area_new(struct udp_area **ret);
void udp_area_free(struct udp_area *area);

/* --- tcp.c --- */

int tcp_open(struct listener *l, int fd);
void tcp_close(struct listener *l);
extern const struct wire_ops tcp_wire;
/* Begins to connect; NULL when that failed at once. */
struct conn *tcp_connect(struct net *n, enum transport t, const struct address *remote);

/* --- sip_stream.c --- */

extern const struct framing_ops sip_stream_framing;

/* --- source.c --- */

/* Counts a connection from there; NULL: over a cap (or no memory). */
struct source *source_take(struct net *n, const struct address *remote);
void source_no_longer_fresh(struct source *s);
void source_give(struct net *n, struct source *s, bool fresh);
bool source_is_exempt(const struct net *n, const struct address *remote);

/* --- conn.c --- */

/* Takes `fd` and `source` (may be NULL). NULL when there are too many; then nothing is taken. */
struct conn *conn_new(struct net *n, enum transport t, int fd, uint16_t listener, const struct address *remote,
                      struct source *source, bool connecting);
/* For every reason; what is not sent yet is reported failed. Legal in any state. */
void conn_close(struct conn *c);
/* Reads no more, sends what waits, then closes. */
void conn_end(struct conn *c);
void conn_free(struct conn *c);
struct conn *conn_of_flow(struct net *n, const struct flow *f);
/* The newest connection, open or being opened, with that remote. */
struct conn *conn_of_remote(struct net *n, enum transport t, const struct address *remote);

/* --- conn_input.c --- */

void conn_input_start(struct conn *c);
void conn_input_read(struct conn *c);
/* For framings: one whole message; a stream that cannot be read on. */
void conn_input_deliver(struct conn *c, struct slice message);
/* A keep-alive: answered (RFC 5626 §4.4.1). */
void conn_input_keepalive(struct conn *c);
void conn_input_malformed(struct conn *c, struct slice head, const struct message_fault *fault);

/* --- conn_output.c --- */

enum link_result conn_output_send(struct conn *c, const struct slice *parts, size_t count, uint64_t token);
/* For framings: octets that are no message (a pong). */
void conn_output_raw(struct conn *c, struct slice bytes);
void conn_output_flush(struct conn *c);

/* --- outgoing.c --- */

enum link_result outgoing_send(struct net *n, const struct target *to, const struct slice *parts, size_t count,
                               uint64_t token);
/* The connection that it waited for is open: sends it. Or has failed: tries the next address. Both free it or hand it
 * on. */
void outgoing_connected(struct outgoing *o, struct conn *c);
void outgoing_next(struct outgoing *o);
struct outgoing *outgoing_of_node(struct list_node *node);
void outgoing_free_all(struct net *n);

#endif
