/* One worker's SIP transaction layer: bytes in, requests and outcomes out. RFC 3261 §17, §18.2, with RFC 4320 and RFC
 * 3581. No socket, clock or thread: time is the wheel's, sending is the link's. Everything here belongs to one worker.
 *
 * A request that no transaction knows is given to the user without any state made for it; who accepts it makes the
 * server transaction (so unauthenticated input costs no memory, defects.md row 5). Malformed requests are answered here
 * statelessly (message_check's fault); malformed responses and strays are dropped and counted. */
#ifndef TXN_ENDPOINT_H
#define TXN_ENDPOINT_H

#include "base/clock.h"
#include "base/packet.h"
#include "base/random.h"
#include "base/timer_wheel.h"
#include "sip/message.h"
#include "txn/link.h"

struct endpoint;
struct server_txn;
struct client_txn;

/* A request that just arrived. Everything borrows and lives for the duration of the callback only; who needs the bytes
 * longer takes a reference of `packet` and parses it again, or copies. */
struct incoming {
    const struct message *message;
    const struct via *via; /* its top Via */
    const struct flow *flow;
    struct packet *packet; /* holds message->raw */
};

struct endpoint_user {
    /* A request outside every transaction we have. ACK never comes here. */
    void (*request)(void *context, const struct incoming *in);
    /* A response whose branch belongs to another worker of this process: hand packet and flow to that worker's
     * endpoint. */
    void (*foreign_response)(void *context, unsigned worker, const struct flow *flow, struct packet *packet);
    /* Any parsed packet, before all else (wakes a device's queue, keeps NAT timers). May be NULL. */
    void (*heard)(void *context, const struct flow *flow);
};

struct endpoint_config {
    unsigned worker; /* 0..255, goes into branches */
    struct link *link;
    struct timer_wheel *wheel;
    struct random *random;
    const struct endpoint_user *user;
    void *context;
    struct slice server_name; /* Server field of answers made here; absent: none */
    uint32_t server_txns_max; /* running ones */
    uint32_t finished_max;    /* finished ones kept for retransmissions; the oldest is dropped when full */
    uint32_t client_txns_max;
};

struct endpoint_counters {
    uint64_t requests, responses, retransmissions, malformed, strays, timeouts, send_failures;
};

/* Returns ERR_NONE or ERR_NO_MEMORY. */
int endpoint_new(const struct endpoint_config *config, struct endpoint **ret);
void endpoint_free(struct endpoint *e);
/* One datagram or one framed message. Keeps a reference of the packet where it must. */
void endpoint_receive(struct endpoint *e, const struct flow *flow, struct packet *packet);
/* A stream that cannot be read on: `packet` holds what came of the message. Answers as `fault` says, if it can. */
void endpoint_malformed(struct endpoint *e, const struct flow *flow, struct packet *packet,
                        const struct message_fault *fault);
/* A late failure of link_send with that token. */
void endpoint_link_failed(struct endpoint *e, uint64_t token);
/* The connection is gone: its client transactions fail at once (C4: "a dead connection"). */
void endpoint_flow_closed(struct endpoint *e, const struct flow *flow);
const struct endpoint_counters *endpoint_counters(const struct endpoint *e);
/* Transactions that still run (for a graceful stop). */
size_t endpoint_running(const struct endpoint *e);

/* What goes into an answer besides what §8.2.6 copies. */
struct answer {
    uint16_t status;
    struct slice reason;  /* absent: the default phrase */
    struct slice headers; /* whole lines, each with its CRLF; may be absent */
    struct slice body;
};

/* Answers without state: challenges, refusals before authentication, OPTIONS. The To tag is a keyed hash of the
 * request, so a retransmission gets the same answer (RFC 3261 §8.2.7). */
void endpoint_answer(struct endpoint *e, const struct incoming *in, const struct answer *a);

/* --- server side: RFC 3261 §17.2.2 --- */

/* Names a server transaction across workers: a value. */
struct txn_id {
    uint32_t slot, generation;
    uint8_t worker;
};

/* Makes the transaction of `in`. Until it is answered, retransmissions are absorbed; afterwards they get the same
 * answer for 64*T1 (unreliable transports: Timer J). NULL: table full of running ones, answer 503 statelessly. */
struct server_txn *server_txn_new(struct endpoint *e, const struct incoming *in);
struct txn_id server_txn_id(const struct server_txn *t);
/* NULL when it has ended. */
struct server_txn *server_txn_find(struct endpoint *e, struct txn_id id);
/* Sends an answer. A final one ends the handle: the record shrinks to key and status (the bare answer is rebuilt from
 * the retransmission; one with headers or body of its own keeps those bytes). A second final answer is ignored. No 408
 * is ever sent to a non-INVITE, and 100 only when the caller asks (RFC 4320). */
void server_txn_answer(struct server_txn *t, const struct answer *a);
/* Passes on a final response of another element: all its fields but its top Via (RFC 3261 §16.7 steps 3, 9); one that
 * has no further Via is answered with its status alone. Provisional ones are ignored, and a 408 ends the handle in
 * silence (RFC 4320). */
void server_txn_forward(struct server_txn *t, const struct message *response);

/* --- client side: RFC 3261 §17.1.2 --- */

enum client_failure { CLIENT_TIMEOUT, CLIENT_TRANSPORT };

struct client_user {
    /* A provisional response. May be NULL. */
    void (*provisional)(void *context, struct client_txn *t, const struct message *response);
    /* The first final response; the handle is dead when this returns. `from` tells where it came from. */
    void (*final)(void *context, struct client_txn *t, const struct message *response, const struct flow *from,
                  struct packet *packet);
    /* Timer F, or the transport failed; the handle is dead when this returns. */
    void (*failed)(void *context, struct client_txn *t, enum client_failure why);
};

/* The request is head_line, our Via, then the tail: "MESSAGE sip:x SIP/2.0\r\n" + Via + head_fields + tail. */
struct client_request {
    enum method method;
    uint32_t cseq;             /* a response must carry the same CSeq number and method */
    struct slice request_line; /* with its CRLF; copied */
    struct slice head_fields;  /* whole lines that differ per branch (Route, Max-Forwards ...); copied */
    struct packet *tail;       /* the rest of the fields, the empty line and the body; a reference is taken */
    uint64_t loop_hash;        /* RFC 5393 §4.2: goes into the branch; 0: none */
    uint64_t timeout_ms;       /* shorter than Timer F; 0: Timer F */
};

/* Starts it. No callback comes before this returns; a send that failed at once is reported by `failed` from the wheel.
 * ERR_FULL, ERR_NO_MEMORY, or ERR_NOT_FOUND (no listener toward `to`). */
int client_txn_new(struct endpoint *e, const struct hop *to, const struct client_request *r,
                   const struct client_user *user, void *context, struct client_txn **ret);
/* Forgets it: no callback will come, retransmissions stop. */
void client_txn_drop(struct client_txn *t);
/* The loop hash of a branch that this process made, or false: for loop detection over the Vias of a request. */
bool endpoint_branch_loop_hash(struct slice branch, uint64_t *ret);

#endif
