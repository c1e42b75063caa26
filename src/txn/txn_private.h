/* What the files of src/txn share: the endpoint's insides, its records, timer values. */
#ifndef TXN_PRIVATE_H
#define TXN_PRIVATE_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/table.h"
#include "txn/endpoint.h"
#include "txn/match.h"
#include "txn/slab.h"

/* RFC 3261 §17.1.1.1 table 4. */
#define TXN_T1_MS   500
#define TXN_T2_MS   4000
#define TXN_T4_MS   5000
#define TXN_LIFE_MS (64 * TXN_T1_MS) /* Timers F and J */

/* An answer is at most what was received and some lines; nothing received is over 64 KB (a datagram) but a body over a
 * stream, which is never copied into an answer. */
#define TXN_ANSWER_MAX 131072

/* Lists of client transactions over connections, by the connection's slot: a power of two, some connections in each
 * list when thousands are open. */
#define TXN_FLOW_LISTS 256

/* Longest To tag of another element that a finished transaction remembers without its answer; phones use 8 to 32. */
#define TXN_TAG_MAX 32
/* Our own: 64 bits in hexadecimal. */
#define TXN_OWN_TAG_LEN 16

struct endpoint {
    struct endpoint_config config;
    struct endpoint_counters counters;
    struct hash_key match_key, tag_key;
    struct table servers; /* struct server_record */
    struct slab running, finished, clients;
    struct list finished_order;  /* oldest first: all live equally long */
    struct list completed_order; /* clients in Completed, oldest first */
    struct timer finished_timer, completed_timer;
    struct list flow_clients[TXN_FLOW_LISTS];
    uint32_t completed_count;
    const struct arrival *current; /* the request whose callback runs */
    struct buf answer, via;        /* scratch of answer_build */
};

/* A request as it arrived, with what was found out on the way. It points into itself: not to be copied. */
struct arrival {
    struct incoming in; /* in.via NULL: unreadable */
    struct via via;
    struct slice via_text;
    struct match match;
};

/* What every server transaction in the table begins with. */
struct server_record {
    struct slab_head slab;
    struct table_node node;
    uint64_t identity;
    uint8_t machine, state;
    bool finished; /* a struct finished, else a struct server_txn */
};

struct server_txn {
    struct server_record record;
    struct endpoint *endpoint;
    struct packet *request;
    struct packet *provisional; /* the last one sent, or NULL */
    struct flow path;           /* where the answer goes */
    bool has_path;
};

/* A finished one: about 100 bytes. */
struct finished {
    struct server_record record;
    struct list_node order;
    uint64_t ends_ms;
    struct packet *answer; /* NULL: rebuilt from the retransmission */
    uint16_t status;       /* 0: it ended without an answer */
    uint8_t tag_len;       /* 0: our own tag */
    char tag[TXN_TAG_MAX];
};

/* A response on its way out, as slices to be gathered. */
#define TXN_OUTGOING_PARTS 6
struct outgoing {
    struct slice parts[TXN_OUTGOING_PARTS];
    size_t count;
    uint16_t status;
    bool bare;        /* status and To tag are all that is needed to build it again */
    struct slice tag; /* of another element, at most TXN_TAG_MAX; absent: our own */
};

/* answer.c */
void answer_init(struct endpoint *e);
void answer_deinit(struct endpoint *e);
/* Builds the answer to `r` in e->answer, with the To tag `tag` (absent: our own). False when it is over the maximum,
 * without memory, or has text in it that no header may hold. */
bool answer_build(struct endpoint *e, const struct arrival *r, const struct answer *a, struct slice tag);
/* Builds and sends it where RFC 3261 §18.2.2 says. */
void answer_send(struct endpoint *e, const struct arrival *r, const struct answer *a, struct slice tag);
/* Sends a finished answer's bytes in the same way. */
void answer_send_bytes(struct endpoint *e, const struct arrival *r, struct slice bytes);
/* Sends over `path`, or, when that connection is gone, over a new one; `request` is what is answered. */
void answer_transmit(struct endpoint *e, const struct flow *path, struct slice request, const struct slice *parts,
                     size_t count);

/* endpoint.c: reads the top Via and makes the key. */
void endpoint_arrival_init(const struct endpoint *e, const struct incoming *in, struct arrival *ret);
/* The arrival of `in`: that of the running callback, or *room after it was made there. */
const struct arrival *endpoint_arrival(const struct endpoint *e, const struct incoming *in, struct arrival *room);

/* server_txn.c */
int server_txn_init(struct endpoint *e); /* ERR_NO_MEMORY */
struct server_record *server_txn_lookup(const struct endpoint *e, const struct match *match);
void server_txn_retransmission(struct server_record *record, struct endpoint *e, const struct arrival *r);
void server_txn_deinit(struct endpoint *e);

/* finished.c */
int finished_init(struct endpoint *e); /* ERR_NO_MEMORY */
void finished_deinit(struct endpoint *e);
/* Keeps what `t` needs to repeat `out` (NULL: it ended silently) until Timer J. `t` is out of the table already. */
void finished_keep(struct endpoint *e, const struct server_txn *t, const struct outgoing *out);
void finished_retransmission(struct finished *f, struct endpoint *e, const struct arrival *r);

/* client_txn.c */
struct branch;
int client_txn_init(struct endpoint *e); /* ERR_NO_MEMORY */
void client_txn_deinit(struct endpoint *e);
void client_txn_link_failed(struct endpoint *e, uint64_t token);
void client_txn_flow_closed(struct endpoint *e, const struct flow *flow);
/* A response with our worker's branch. False: a stray. */
bool client_txn_receive(struct endpoint *e, const struct branch *branch, const struct incoming *in);

#endif
