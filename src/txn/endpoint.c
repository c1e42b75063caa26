/* The endpoint: what arrives is parsed and given to its transaction or to the user. */
#include "txn/endpoint.h"

#include <stdlib.h>

#include "base/err.h"
#include "txn/branch.h"
#include "txn/txn_private.h"

int endpoint_new(const struct endpoint_config *config, struct endpoint **ret)
{
    struct endpoint *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NO_MEMORY;
    e->config = *config;
    random_fill(config->random, &e->match_key, sizeof e->match_key);
    random_fill(config->random, &e->tag_key, sizeof e->tag_key);
    answer_init(e);
    int err = table_init(&e->servers, (size_t)config->server_txns_max + config->finished_max);
    int parts[] = {server_txn_init(e), finished_init(e), client_txn_init(e)};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        err = err == ERR_NONE ? parts[i] : err;
    if (err != ERR_NONE) {
        endpoint_free(e);
        return err;
    }
    *ret = e;
    return ERR_NONE;
}

void endpoint_free(struct endpoint *e)
{
    if (!e)
        return;
    client_txn_deinit(e);
    server_txn_deinit(e);
    finished_deinit(e);
    table_deinit(&e->servers);
    answer_deinit(e);
    free(e);
}

const struct endpoint_counters *endpoint_counters(const struct endpoint *e)
{
    return &e->counters;
}

size_t endpoint_running(const struct endpoint *e)
{
    return (size_t)e->running.used + e->clients.used - e->completed_count;
}

bool endpoint_branch_loop_hash(struct slice branch, uint64_t *ret)
{
    struct branch b;
    if (!branch_parse(branch, &b) || b.loop_hash == 0)
        return false;
    *ret = b.loop_hash;
    return true;
}

void endpoint_link_failed(struct endpoint *e, uint64_t token)
{
    client_txn_link_failed(e, token);
}

void endpoint_flow_closed(struct endpoint *e, const struct flow *flow)
{
    client_txn_flow_closed(e, flow);
}

void endpoint_arrival_init(const struct endpoint *e, const struct incoming *in, struct arrival *ret)
{
    struct message_values values = {0};
    int err = ERR_NONE;
    ret->in = *in;
    bool readable = message_next_via(in->message, &values, &ret->via, &ret->via_text, &err);
    ret->in.via = readable ? &ret->via : NULL;
    if (!readable)
        ret->via_text = SLICE_NONE;
    ret->match = match_make(&e->match_key, in->message, ret->in.via, ret->via_text, in->message->method);
}

const struct arrival *endpoint_arrival(const struct endpoint *e, const struct incoming *in, struct arrival *room)
{
    if (e->current && in == &e->current->in)
        return e->current;
    endpoint_arrival_init(e, in, room);
    return room;
}

void endpoint_answer(struct endpoint *e, const struct incoming *in, const struct answer *a)
{
    struct arrival room;
    answer_send(e, endpoint_arrival(e, in, &room), a, SLICE_NONE);
}

/* A malformed request is answered where its parts can be copied, an ACK never (message_can_answer). */
static void refuse(struct endpoint *e, const struct incoming *in, const struct message_fault *fault)
{
    e->counters.malformed++;
    if (fault->status == 0 || !message_can_answer(in->message))
        return;
    struct arrival r;
    endpoint_arrival_init(e, in, &r);
    answer_send(e, &r, &(struct answer){.status = fault->status, .reason = slice_str(fault->reason)}, SLICE_NONE);
}

static bool looks_like_response(struct slice bytes);

void endpoint_malformed(struct endpoint *e, const struct flow *flow, struct packet *packet,
                        const struct message_fault *fault)
{
    struct message m;
    struct message_fault ignored;
    const struct incoming in = {.message = &m, .flow = flow, .packet = packet};
    (void)message_parse(packet_slice(packet), &m, &ignored); /* reads what can be copied into the answer */
    if (!looks_like_response(packet_slice(packet)))
        refuse(e, &in, fault);
}

static void receive_request(struct endpoint *e, const struct incoming *in)
{
    e->counters.requests++;
    if (in->message->method == METHOD_ACK)
        return; /* belongs to an INVITE, and we answer those without state */
    struct arrival r;
    endpoint_arrival_init(e, in, &r);
    struct server_record *record = server_txn_lookup(e, &r.match);
    if (record) {
        server_txn_retransmission(record, e, &r);
        return;
    }
    e->current = &r;
    e->config.user->request(e->config.context, &r.in);
    e->current = NULL;
}

/* RFC 3261 §18.1.2, §17.1.3. The 64 random bits of the branch prove more than the sent-by, which SIP gateways in
 * routers rewrite, so that is not compared. */
static void receive_response(struct endpoint *e, const struct incoming *in)
{
    struct via via;
    struct branch branch;
    if (message_top_via(in->message, &via) != ERR_NONE || !branch_parse(via.branch, &branch)) {
        e->counters.responses++;
        e->counters.strays++;
        return;
    }
    if (branch.worker != e->config.worker) {
        e->config.user->foreign_response(e->config.context, branch.worker, in->flow, in->packet);
        return;
    }
    e->counters.responses++;
    if (!client_txn_receive(e, &branch, in))
        e->counters.strays++;
}

/* Also what is too broken to have a status: no method begins so, and a response is never answered. */
static bool looks_like_response(struct slice bytes)
{
    return slice_starts_with_nocase(bytes, SLICE("SIP/"));
}

void endpoint_receive(struct endpoint *e, const struct flow *flow, struct packet *packet)
{
    struct message m;
    struct message_fault fault = {0};
    struct slice bytes = packet_slice(packet);
    struct incoming in = {.message = &m, .flow = flow, .packet = packet};
    int err = message_parse(bytes, &m, &fault);
    if (err == ERR_NONE && e->config.user->heard)
        e->config.user->heard(e->config.context, flow);
    if (err == ERR_NONE)
        err = message_check(&m, &fault);
    if (looks_like_response(bytes)) {
        if (err != ERR_NONE || m.status < 100 || m.status > 699)
            e->counters.malformed++;
        else
            receive_response(e, &in);
    } else if (err != ERR_NONE) {
        refuse(e, &in, &fault);
    } else {
        receive_request(e, &in);
    }
}
