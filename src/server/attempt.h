/* One try to hand a request to one next hop: a client transaction on the worker that owns the flow, its outcome told at
 * the worker that asked. The trying worker touches only what it was posted. */
#ifndef SERVER_ATTEMPT_H
#define SERVER_ATTEMPT_H

#include "server/server_private.h"

struct attempt;

struct attempt_request {
    struct hop hop; /* a flow, or a target whose slices are copied */
    enum method method;
    uint32_t cseq;
    struct slice request_line, head_fields; /* copied */
    struct packet *tail;                    /* a reference is taken */
    uint64_t loop_hash;
    uint64_t timeout_ms; /* 0: Timer F */
};

struct attempt_result {
    uint16_t status;         /* final answer; 0: none came */
    bool timed_out;          /* status 0: Timer F or timeout_ms, else the transport failed */
    bool not_tried;          /* status 0: no room or memory for it here; says nothing of the way */
    struct packet *response; /* the answer's bytes, borrowed; NULL when status is 0 */
};

/* Starts it. `done` is called once, at the worker of `s`, never inside this call; then the attempt is gone.
 * ERR_NO_MEMORY. */
int attempt_new(struct server *s, const struct attempt_request *r,
                void (*done)(void *context, const struct attempt_result *result), void *context, struct attempt **ret);
/* The outcome is of no interest any more: `done` will not be called. The transaction runs to its end. */
void attempt_detach(struct attempt *a);
/* The server ends; no worker runs any more. */
void attempt_free_all(struct server *s);

#endif
