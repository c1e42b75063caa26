/* One endpoint on a virtual clock, a link that records what is sent, and a user that records what it is told. */
#ifndef SUPPORT_RIG_H
#define SUPPORT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "txn/endpoint.h"

#define RIG_SENT_MAX 512

struct sent {
    struct hop hop;
    char host[64];     /* of a target */
    char tls_name[64]; /* of a target */
    char bytes[4096];
    size_t len;
    uint64_t token, at_ms;
};

enum rig_on_request { RIG_IGNORE, RIG_MAKE, RIG_ANSWER };

struct rig {
    struct link link;
    struct timer_wheel wheel;
    struct random_seeded random;
    struct endpoint *e;

    enum link_result result;        /* of sends over flows */
    enum link_result target_result; /* of sends to targets */
    int sent_by_err;
    enum transport transport; /* what sent_by says */
    struct sent sent[RIG_SENT_MAX];
    size_t sent_count;

    enum rig_on_request on_request;
    struct answer answer; /* for RIG_ANSWER */
    size_t requests, heard, foreign;
    unsigned foreign_worker;
    struct server_txn *server; /* of RIG_MAKE, the last; NULL: refused */
    struct txn_id server_id;

    size_t provisionals, finals, failures;
    uint16_t status; /* of the last response */
    uint64_t failed_at_ms;
    enum client_failure why;
    struct flow from;
    struct client_txn *drop_in_callback; /* dropped by the next client callback */
    bool start_in_callback;              /* another transaction is started by the next client callback */
    struct server_txn *forward_to;       /* the final response is forwarded there */
};

extern const struct client_user rig_client_user;

struct endpoint_config rig_config(struct rig *r);
void rig_init_with(struct rig *r, const struct endpoint_config *config);
/* Worker 7, room for 4 running, 4 finished, 4 clients. */
void rig_init(struct rig *r);
void rig_deinit(struct rig *r);
/* A flow from 192.0.2.1:40000 or another "ip:port". */
struct flow rig_flow(enum transport transport, const char *remote);
void rig_receive(struct rig *r, const struct flow *flow, const char *text);
void rig_receive_udp(struct rig *r, const char *text); /* from 192.0.2.1:40000 */
/* Moves time on, stopping at every timer. */
void rig_advance_to(struct rig *r, uint64_t at_ms);
const struct sent *rig_last(const struct rig *r);
bool rig_contains(const struct sent *s, const char *text);
/* Copies what stands between `before` and the next of ";\r\n," behind it. */
void rig_cut(const struct sent *s, const char *before, char *out, size_t out_size);
/* Starts a MESSAGE transaction, CSeq 5. */
int rig_start(struct rig *r, const struct hop *to, struct client_txn **ret);
/* The text of a response to the request that was sent as `s`, with `via` lines behind ours. */
void rig_response(const struct sent *s, uint16_t status, const char *cseq, const char *more, char *out,
                  size_t out_size);
#endif
