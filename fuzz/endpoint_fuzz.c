/* Feeds a whole transaction endpoint: several packets over UDP and TCP, time steps, answers, client transactions and
 * failures of the link, in the order that the input says. What it sends must parse again, what it answers must not be a
 * response or an ACK, and when time has passed nothing may be left. Input: steps of {op, length high, length low,
 * octets}; in the octets of a packet "\1" stands for the branch of the last request sent, so that responses match. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "txn/endpoint.h"

#define PACKET_MAX 65536

enum op {
    OP_UDP,
    OP_TCP,
    OP_TIME,
    OP_ANSWER,
    OP_ANSWER_LONG,
    OP_START,
    OP_CLOSE,
    OP_LINK_FAILED,
    OP_LINK_MODE,
    OP_COUNT
};

struct world {
    struct link link;
    struct timer_wheel wheel;
    struct random_seeded random;
    struct endpoint *endpoint;
    struct txn_id server_id;
    enum link_result result;
    uint64_t token;
    char branch[64];
    size_t branch_len;
    size_t clients;
    bool refusing; /* a malformed packet is being received */
};

static void check(bool ok)
{
    if (!ok)
        abort();
}

static char sent[2 * PACKET_MAX];

static enum link_result on_send(struct link *l, const struct hop *to, const struct slice *parts, size_t count,
                                uint64_t token)
{
    struct world *w = CONTAINER_OF(l, struct world, link);
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        check(len + parts[i].len <= sizeof sent);
        memcpy(sent + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    if (w->refusing) { /* its fields go back as they came */
        check(slice_starts_with(slice_make(sent, len), SLICE("SIP/2.0 ")) && token == 0);
        return w->result;
    }
    struct message m;
    struct message_fault fault;
    struct via via;
    check(message_parse(slice_make(sent, len), &m, &fault) == ERR_NONE);
    check(message_is_request(&m) == (token != 0));
    if (token != 0) {
        check(message_top_via(&m, &via) == ERR_NONE && via.branch.len < sizeof w->branch);
        memcpy(w->branch, via.branch.ptr, via.branch.len);
        w->branch_len = via.branch.len;
        w->token = token;
    }
    return to->is_flow ? w->result : LINK_PENDING;
}

static int on_sent_by(struct link *l, const struct hop *to, enum transport *ret_transport, struct slice *ret_sent_by)
{
    (void)l;
    *ret_transport = (enum transport)to->flow.transport;
    *ret_sent_by = SLICE("fuzz.example.com");
    return ERR_NONE;
}

static void on_request(void *context, const struct incoming *in)
{
    struct world *w = context;
    struct server_txn *t = in->message->method == METHOD_OPTIONS ? NULL : server_txn_new(w->endpoint, in);
    check(in->message->method != METHOD_ACK);
    if (t)
        w->server_id = server_txn_id(t);
    else
        endpoint_answer(w->endpoint, in, &(struct answer){.status = 407, .headers = SLICE("X-Fuzz: y\r\n")});
}

static void on_foreign(void *context, unsigned worker, const struct flow *flow, struct packet *packet)
{
    (void)context, (void)flow, (void)packet;
    check(worker != 7 && worker < 256);
}

static void on_final(void *context, struct client_txn *t, const struct message *response, const struct flow *from,
                     struct packet *packet)
{
    struct world *w = context;
    (void)t, (void)from, (void)packet;
    check(response->status >= 200 && response->status <= 699);
    struct server_txn *server = server_txn_find(w->endpoint, w->server_id);
    w->clients--;
    if (server)
        server_txn_forward(server, response);
}

static void on_failed(void *context, struct client_txn *t, enum client_failure why)
{
    (void)t, (void)why;
    ((struct world *)context)->clients--;
}

static const struct link_ops link_ops = {.send = on_send, .sent_by = on_sent_by};
static const struct endpoint_user user = {.request = on_request, .foreign_response = on_foreign};
static const struct client_user client_user = {.final = on_final, .failed = on_failed};

static struct flow make_flow(enum transport transport)
{
    struct flow f = {.transport = (uint8_t)transport, .worker = 7, .slot = transport == TRANSPORT_UDP ? 0 : 9};
    (void)address_parse(SLICE("192.0.2.1:40000"), &f.remote);
    (void)address_parse(SLICE("198.51.100.1:5060"), &f.local);
    return f;
}

static void receive(struct world *w, enum transport transport, struct slice octets)
{
    char *text = malloc(octets.len + octets.len * sizeof w->branch + 1);
    size_t len = 0;
    for (size_t i = 0; text && i < octets.len && len + sizeof w->branch < PACKET_MAX; i++) {
        if (octets.ptr[i] == '\1') {
            memcpy(text + len, w->branch, w->branch_len);
            len += w->branch_len;
        } else {
            text[len++] = octets.ptr[i];
        }
    }
    struct packet *p = text ? packet_copy(slice_make(text, len)) : NULL;
    struct flow flow = make_flow(transport);
    struct message m;
    struct message_fault fault;
    if (p) {
        w->refusing = message_parse(packet_slice(p), &m, &fault) != ERR_NONE || message_check(&m, &fault) != ERR_NONE;
        endpoint_receive(w->endpoint, &flow, p);
        w->refusing = false;
    }
    packet_unref(&p);
    free(text);
}

static void start(struct world *w, struct slice octets)
{
    struct packet *tail = packet_copy(SLICE("From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: c\r\n"
                                            "CSeq: 5 MESSAGE\r\nContent-Length: 0\r\n\r\n"));
    struct flow flow = make_flow(octets.len % 2 ? TRANSPORT_TCP : TRANSPORT_UDP);
    struct hop hop = hop_flow(&flow);
    struct client_request r = {.method = METHOD_MESSAGE,
                               .cseq = 5,
                               .request_line = SLICE("MESSAGE sip:c@d SIP/2.0\r\n"),
                               .tail = tail,
                               .timeout_ms = octets.len / 2};
    struct client_txn *t;
    if (client_txn_new(w->endpoint, &hop, &r, &client_user, w, &t) == ERR_NONE)
        w->clients++;
    packet_unref(&tail);
}

static void answer(struct world *w, uint16_t status, struct slice headers)
{
    struct server_txn *t = server_txn_find(w->endpoint, w->server_id);
    if (t)
        server_txn_answer(t, &(struct answer){.status = status, .headers = headers});
}

static void step(struct world *w, enum op op, struct slice octets)
{
    struct flow tcp = make_flow(TRANSPORT_TCP);
    switch (op) {
    case OP_UDP:
        receive(w, TRANSPORT_UDP, octets);
        break;
    case OP_TCP:
        receive(w, TRANSPORT_TCP, octets);
        break;
    case OP_TIME:
        timer_wheel_advance(&w->wheel, w->wheel.now_ms + octets.len * 10);
        break;
    case OP_ANSWER:
        answer(w, (uint16_t)(100 + octets.len % 600), SLICE_NONE);
        break;
    case OP_ANSWER_LONG:
        answer(w, (uint16_t)(100 + octets.len % 600), SLICE("X-Fuzz: yes\r\n"));
        break;
    case OP_START:
        start(w, octets);
        break;
    case OP_CLOSE:
        endpoint_flow_closed(w->endpoint, &tcp);
        break;
    case OP_LINK_FAILED:
        endpoint_link_failed(w->endpoint, w->token);
        break;
    case OP_LINK_MODE:
        w->result = (enum link_result)(octets.len % 3);
        break;
    case OP_COUNT:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w; /* the wheel is large */
    struct endpoint_config config = {.worker = 7,
                                     .link = &w.link,
                                     .wheel = &w.wheel,
                                     .random = &w.random.base,
                                     .user = &user,
                                     .context = &w,
                                     .server_txns_max = 4,
                                     .finished_max = 4,
                                     .client_txns_max = 4};
    w = (struct world){.link = {.ops = &link_ops}};
    timer_wheel_init(&w.wheel, 1000);
    random_seeded_init(&w.random, 1);
    if (endpoint_new(&config, &w.endpoint) != ERR_NONE)
        return 0;
    struct slice in = slice_make((const char *)data, size);
    while (in.len >= 3) {
        enum op op = (enum op)(data[size - in.len] % OP_COUNT);
        size_t len = (size_t)(uint8_t)in.ptr[1] << 8 | (uint8_t)in.ptr[2];
        in = slice_skip(in, 3);
        struct slice octets = slice_head(in, len);
        step(&w, op, octets);
        in = slice_skip(in, octets.len);
    }
    timer_wheel_advance(&w.wheel, w.wheel.now_ms + 100000); /* all clients end */
    check(w.clients == 0);
    endpoint_free(w.endpoint);
    check(timer_wheel_next(&w.wheel) == UINT64_MAX);
    return 0;
}
