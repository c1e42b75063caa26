/* A branch: the attempt to hand one message to one device (contract.md, Words). Chooses the binding and the way, falls
 * back from TCP to UDP and from a dead connection to the device's next binding, and ends as taken, gone or refused. */
#ifndef SERVER_BRANCH_H
#define SERVER_BRANCH_H

#include "server/server_private.h"

enum branch_end { BRANCH_TAKEN, BRANCH_GONE, BRANCH_REFUSED };

struct branch;

/* What is sent. `fields` are whole lines in front of the tail: Via lines of hops before us, nothing for a stored
 * message. */
struct branch_message {
    struct slice fields;
    struct packet *tail;
    uint32_t cseq;
    uint8_t max_forwards, max_breadth;
    uint64_t loop_hash;
    uint64_t seq; /* of the entry, for whoever started it; 0: not stored yet */
};

struct branch_result {
    enum branch_end end;
    uint16_t status;         /* 0: none came */
    struct packet *response; /* borrowed; NULL without one */
};

/* Called once; then the branch is gone. `b->device` may be NULL by then: the device left. */
typedef void branch_done(void *context, struct branch *b, const struct branch_result *result);

struct branch {
    struct list_node node; /* in its server */
    struct branch *next;   /* in its device */
    struct device *device;
    struct server *server;
    struct attempt *attempt;
    branch_done *done;
    void *context;
    uint8_t number;   /* of the device */
    bool is_current;  /* false: the device registered from elsewhere, another attempt may begin (C4) */
    bool by_tcp;      /* a try over TCP for a large message */
    struct flow flow; /* of the binding that is tried */
    struct branch_message message;
    char fields[];
};

/* Starts a branch to the device's newest usable binding. NULL: there is none, or no memory. `done` never comes inside.
 */
struct branch *branch_new(struct device *d, const struct branch_message *m, branch_done *done, void *context);
/* False when there is only a datagram to reach the device by, and the message is larger than any datagram. */
bool branch_can_carry(const struct device *d, const struct branch_message *m);
/* The device goes: its branches go on without it. */
void branch_device_left(struct device *d);
/* The device registered; branches over another flow than its newest binding's no longer forbid an attempt (C4). */
void branch_device_moved(struct device *d);

/* The server ends; no worker runs any more. */
void branch_free_all(struct server *s);

/* How a final answer ends a branch (contract.md, Words). status 0: no answer. */
enum branch_end branch_classify(uint16_t status);
/* RFC 3261 §16.7 step 6: whether `status` is a better refusal than `best` (0: none yet). */
bool branch_is_better(uint16_t status, uint16_t best);

#endif
