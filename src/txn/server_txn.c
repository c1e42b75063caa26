/* Server transactions that run. RFC 3261 §17.2, by the rows of server_table.c. The request's bytes are kept (counted,
 * not copied) and parsed again when an answer of our own is built; a forwarded answer needs only the path. */
#include "base/err.h"
#include "sip/build.h"
#include "txn/response_path.h"
#include "txn/server_table.h"
#include "txn/txn_private.h"

static bool record_equal(const struct table_node *n, const void *identity)
{
    return CONTAINER_OF(n, struct server_record, node)->identity == *(const uint64_t *)identity;
}

struct server_record *server_txn_lookup(const struct endpoint *e, const struct match *match)
{
    struct table_node *n = table_find(&e->servers, match->hash, record_equal, &match->identity);
    return n ? CONTAINER_OF(n, struct server_record, node) : NULL;
}

int server_txn_init(struct endpoint *e)
{
    return slab_init(&e->running, sizeof(struct server_txn), e->config.server_txns_max);
}

struct server_txn *server_txn_new(struct endpoint *e, const struct incoming *in)
{
    struct arrival room;
    const struct arrival *r = endpoint_arrival(e, in, &room);
    struct server_txn *t = slab_take(&e->running);
    if (!t)
        return NULL;
    if (table_insert(&e->servers, &t->record.node, r->match.hash) != ERR_NONE) {
        slab_give(&e->running, t);
        return NULL;
    }
    t->record.identity = r->match.identity;
    t->record.machine = SERVER_NON_INVITE;
    t->record.state = SERVER_TRYING;
    t->endpoint = e;
    t->request = packet_ref(in->packet);
    t->has_path = response_path_make(in->via, in->flow, &t->path);
    return t;
}

struct txn_id server_txn_id(const struct server_txn *t)
{
    return (struct txn_id){t->record.slab.slot, t->record.slab.generation, (uint8_t)t->endpoint->config.worker};
}

struct server_txn *server_txn_find(struct endpoint *e, struct txn_id id)
{
    struct server_txn *t = id.worker == e->config.worker ? slab_at(&e->running, id.slot) : NULL;
    return t && t->record.slab.generation == id.generation ? t : NULL;
}

static void release(struct server_txn *t)
{
    struct endpoint *e = t->endpoint;
    packet_unref(&t->request);
    packet_unref(&t->provisional);
    slab_give(&e->running, t);
}

static void transmit(struct server_txn *t, const struct slice *parts, size_t count)
{
    if (t->has_path)
        answer_transmit(t->endpoint, &t->path, packet_slice(t->request), parts, count);
}

static void resend(struct server_txn *t)
{
    if (!t->provisional)
        return;
    struct slice bytes = packet_slice(t->provisional);
    transmit(t, &bytes, 1);
}

/* A provisional answer is always one built here, in one part: others are not passed on (RFC 4320 §4.1). */
static void send_provisional(struct server_txn *t, const struct outgoing *out)
{
    packet_unref(&t->provisional);
    t->provisional = packet_copy(out->parts[0]);
    transmit(t, out->parts, out->count);
}

/* The record shrinks, or over a reliable transport ends at once: Timer J is 0 there. */
static void finish(struct server_txn *t, const struct outgoing *out)
{
    table_remove(&t->endpoint->servers, &t->record.node);
    if (!transport_is_reliable(t->path.transport))
        finished_keep(t->endpoint, t, out);
    release(t);
}

void server_txn_retransmission(struct server_record *record, struct endpoint *e, const struct arrival *r)
{
    e->counters.retransmissions++;
    if (record->finished) {
        finished_retransmission(CONTAINER_OF(record, struct finished, record), e, r);
        return;
    }
    const struct server_row *row = server_table_find(record->machine, record->state, SERVER_RETRANSMISSION);
    record->state = row->next;
    if (row->action == SERVER_RESEND)
        resend(CONTAINER_OF(record, struct server_txn, record));
}

static bool is_bare(const struct answer *a)
{
    return !slice_is_set(a->reason) && a->headers.len == 0 && a->body.len == 0;
}

/* Builds the answer from the request: the one whose callback runs, or the kept bytes, parsed again. `t->path` stands
 * for the source: it differs in the port only, and only when no rport asked for that. */
static bool build(struct server_txn *t, const struct answer *a, struct outgoing *out)
{
    struct endpoint *e = t->endpoint;
    struct message m;
    struct arrival again;
    const struct arrival *r = e->current;
    if (!r || r->in.packet != t->request) {
        struct message_fault fault;
        if (message_parse(packet_slice(t->request), &m, &fault) != ERR_NONE)
            return false;
        struct incoming in = {.message = &m, .flow = &t->path, .packet = t->request};
        endpoint_arrival_init(e, &in, &again);
        r = &again;
    }
    if (!answer_build(e, r, a, SLICE_NONE))
        return false;
    *out = (struct outgoing){
        .parts = {buf_slice(&e->answer)}, .count = 1, .status = a->status, .bare = is_bare(a), .tag = SLICE_NONE};
    return true;
}

/* What cannot be built is an end all the same: forgotten whole, so that a retransmission comes in as a new request. */
static void give_up(struct server_txn *t)
{
    t->endpoint->counters.send_failures++;
    table_remove(&t->endpoint->servers, &t->record.node);
    release(t);
}

/* A handle that has ended is ignored (its memory stays, see slab.h). */
static const struct server_row *row_of(const struct server_txn *t, uint16_t status)
{
    return t->record.slab.used
               ? server_table_find(t->record.machine, t->record.state, server_table_answer_event(status))
               : NULL;
}

void server_txn_answer(struct server_txn *t, const struct answer *a)
{
    const struct server_row *row = row_of(t, a->status);
    if (!row || row->action == SERVER_ABSORB)
        return;
    t->record.state = row->next;
    if (row->action == SERVER_FINISH_SILENT) {
        finish(t, NULL);
        return;
    }
    struct outgoing out;
    if (!build(t, a, &out)) {
        give_up(t);
    } else if (row->action == SERVER_SEND) {
        send_provisional(t, &out);
    } else {
        transmit(t, out.parts, out.count);
        finish(t, &out);
    }
}

static bool is_rebuilt(enum header id)
{
    return id == HEADER_VIA || id == HEADER_FROM || id == HEADER_TO || id == HEADER_CALL_ID || id == HEADER_CSEQ ||
           id == HEADER_CONTENT_LENGTH;
}

/* Whether answer_build would make the same response from the request, its status and its To tag. */
static void describe(const struct message *response, struct outgoing *out)
{
    struct addr to;
    if (response->body.len != 0 || !slice_eq(response->reason, build_reason(response->status)) ||
        message_to(response, &to) != ERR_NONE)
        return;
    for (size_t i = 0; i < response->header_count; i++) {
        if (!is_rebuilt(response->headers[i].id))
            return;
    }
    out->tag = addr_tag(&to);
    out->bare = out->tag.len > 0 && out->tag.len <= TXN_TAG_MAX;
}

static void outgoing_add(struct outgoing *out, struct slice part)
{
    if (part.len)
        out->parts[out->count++] = part;
}

/* Where the Vias go on behind the top one: inside its line, or at the end of the line. NULL: there are no more. */
static const char *behind_top_via(const struct message *m, const struct header_line *top)
{
    const char *line_end = slice_end(top->line) + 2; /* its CR LF */
    const char *next_line = message_next_header(m, top) ? line_end : NULL;
    if (slice_find(top->value, ',') < 0)
        return next_line; /* the common case costs no parsing */
    struct message_values values = {0};
    struct via via;
    struct slice text;
    int err = ERR_NONE;
    for (int i = 0; i < 2; i++)
        if (!message_next_via(m, &values, &via, &text, &err))
            return NULL;
    return text.ptr < line_end ? text.ptr : next_line;
}

/* The response without its top Via (RFC 3261 §16.7 steps 3, 9), gathered from the received bytes. False when no Via
 * would be left. A Content-Length is added where a datagram came without one, for the way back may be a stream. */
static bool strip_via(struct endpoint *e, const struct message *m, struct outgoing *out)
{
    const struct header_line *top = message_header(m, HEADER_VIA);
    const char *behind = top ? behind_top_via(m, top) : NULL;
    if (!behind)
        return false;
    const char *headers = m->headers[0].line.ptr;
    *out = (struct outgoing){.status = m->status};
    outgoing_add(out, slice_range(m->raw.ptr, headers));
    if (!message_header(m, HEADER_CONTENT_LENGTH)) {
        buf_reset(&e->via);
        build_header_number(&e->via, HEADER_CONTENT_LENGTH, m->body.len);
        outgoing_add(out, buf_slice(&e->via));
    }
    outgoing_add(out, slice_range(headers, top->line.ptr));
    if (behind < slice_end(top->line)) /* "Via: ours, theirs" */
        outgoing_add(out, SLICE("Via: "));
    outgoing_add(out, slice_range(behind, slice_end(m->raw)));
    return true;
}

void server_txn_forward(struct server_txn *t, const struct message *response)
{
    /* Provisional responses of others end here: 100 is hop by hop (RFC 3261 §16.7 step 5), the rest RFC 4320 §4.1. */
    const struct server_row *row = response->status < 200 ? NULL : row_of(t, response->status);
    struct outgoing out;
    if (!row)
        return;
    if (row->action == SERVER_FINISH_SILENT) {
        t->record.state = row->next;
        finish(t, NULL);
    } else if (strip_via(t->endpoint, response, &out)) {
        t->record.state = row->next;
        transmit(t, out.parts, out.count);
        if (!transport_is_reliable(t->path.transport))
            describe(response, &out);
        finish(t, &out);
    } else {
        /* Somebody on the way lost the other Vias: the request has them. */
        server_txn_answer(t, &(struct answer){.status = response->status, .reason = response->reason});
    }
}

void server_txn_deinit(struct endpoint *e)
{
    for (uint32_t slot = 0; slot < e->running.made; slot++) {
        struct server_txn *t = slab_at(&e->running, slot);
        if (!t)
            continue;
        table_remove(&e->servers, &t->record.node);
        release(t);
    }
    slab_deinit(&e->running);
}
