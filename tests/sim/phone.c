/* The simulated phone: see phone.h. */
#include "phone.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

#define PHONE_QUEUE     32u
#define PHONE_REPEAT_MS 2000u
/* Refreshes before the shortest registration the server gives, so that "away" ends by itself. */
#define PHONE_REGISTER_MS 60000u

struct phone {
    struct link link;
    struct world *world;
    struct endpoint *endpoint;
    unsigned number, account;
    struct address address;
    bool away;
    uint32_t register_cseq;
    struct timer register_timer, send_timer;
    unsigned queue[PHONE_QUEUE]; /* accounts to write to */
    unsigned sent, queued;       /* sent: accepted ones; its current message is number `sent` */
    bool sending;                /* the current message has a handle */
    unsigned message;
};

static struct phone *of_link(struct link *l)
{
    return CONTAINER_OF(l, struct phone, link);
}

static enum link_result on_send(struct link *l, const struct hop *to, const struct slice *parts, size_t count,
                                uint64_t token)
{
    struct phone *p = of_link(l);
    (void)to;
    (void)token;
    if (!p->away)
        air_send(&p->world->air, p->world->now_ms, &p->address, &p->world->server_address, parts, count);
    return LINK_DONE;
}

static int on_sent_by(struct link *l, const struct hop *to, enum transport *ret_transport, struct slice *ret_sent_by)
{
    static _Thread_local char text[ADDRESS_TEXT_MAX];
    (void)to;
    *ret_transport = TRANSPORT_UDP;
    *ret_sent_by = slice_str(address_text(&of_link(l)->address, text));
    return ERR_NONE;
}

static const struct link_ops link_ops = {.send = on_send, .sent_by = on_sent_by};

static void on_request(void *context, const struct incoming *in)
{
    struct phone *p = context;
    const struct answer ok = {.status = 200};
    struct server_txn *txn = server_txn_new(p->endpoint, in);
    if (!txn)
        abort();
    if (in->message->method == METHOD_MESSAGE)
        checker_delivered(&p->world->checker, p->number, in->message->body);
    server_txn_answer(txn, &ok);
}

static void on_foreign(void *context, unsigned worker, const struct flow *flow, struct packet *packet)
{
    (void)context, (void)worker, (void)flow, (void)packet; /* a stray of nobody's */
}

static const struct endpoint_user endpoint_user = {.request = on_request, .foreign_response = on_foreign};

static struct hop to_server(const struct phone *p)
{
    const struct flow f = {.transport = TRANSPORT_UDP, .local = p->address, .remote = p->world->server_address};
    return hop_flow(&f);
}

static void send_request(struct phone *p, enum method method, uint32_t cseq, const char *line, const struct buf *tail,
                         const struct client_user *user)
{
    struct hop hop = to_server(p);
    struct packet *packet = packet_copy(buf_slice(tail));
    struct client_txn *txn;
    const struct client_request r = {.method = method,
                                     .cseq = cseq,
                                     .request_line = slice_str(line),
                                     .head_fields = SLICE("Max-Forwards: 70\r\n"),
                                     .tail = packet};
    if (!packet || client_txn_new(p->endpoint, &hop, &r, user, p, &txn) != ERR_NONE)
        abort();
    packet_unref(&packet);
}

/* --- registering --- */

static void on_registered(void *context, struct client_txn *t, const struct message *response, const struct flow *from,
                          struct packet *packet)
{
    struct phone *p = context;
    (void)t, (void)from, (void)packet;
    timer_wheel_set_in(&p->world->wheel, &p->register_timer,
                       response->status == 200 ? PHONE_REGISTER_MS : PHONE_REPEAT_MS);
}

static void on_register_failed(void *context, struct client_txn *t, enum client_failure why)
{
    struct phone *p = context;
    (void)t, (void)why;
    timer_wheel_set_in(&p->world->wheel, &p->register_timer, PHONE_REPEAT_MS);
}

static const struct client_user register_user = {.final = on_registered, .failed = on_register_failed};

void phone_register(struct phone *p)
{
    struct buf tail;
    char contact[ADDRESS_TEXT_MAX];
    timer_wheel_cancel(&p->world->wheel, &p->register_timer);
    buf_init(&tail, 4096);
    p->register_cseq++;
    buf_printf(&tail,
               "From: <sip:user%u@" WORLD_DOMAIN ">;tag=r%u\r\nTo: <sip:user%u@" WORLD_DOMAIN ">\r\n"
               "Call-ID: register-%u\r\nCSeq: %u REGISTER\r\n"
               "Contact: <sip:user%u@%s>;+sip.instance=\"<urn:uuid:phone-%u>\"\r\nExpires: 600\r\n"
               "Content-Length: 0\r\n\r\n",
               p->account, p->number, p->account, p->number, p->register_cseq, p->account,
               address_text(&p->address, contact), p->number);
    send_request(p, METHOD_REGISTER, p->register_cseq, "REGISTER sip:" WORLD_DOMAIN " SIP/2.0\r\n", &tail,
                 &register_user);
    buf_deinit(&tail);
}

static void on_register_timer(struct timer *t)
{
    phone_register(CONTAINER_OF(t, struct phone, register_timer));
}

/* --- sending: one at a time, under one identity until it is accepted (RFC 3428 §8) --- */

static void send_current(struct phone *p);

static void on_answered(void *context, struct client_txn *t, const struct message *response, const struct flow *from,
                        struct packet *packet)
{
    struct phone *p = context;
    (void)t, (void)from, (void)packet;
    checker_answered(&p->world->checker, p->message, response->status);
    if (response->status >= 200 && response->status < 300) {
        p->sent++;
        p->sending = false;
        send_current(p);
    } else {
        timer_wheel_set_in(&p->world->wheel, &p->send_timer, PHONE_REPEAT_MS);
    }
}

static void on_send_failed(void *context, struct client_txn *t, enum client_failure why)
{
    struct phone *p = context;
    (void)t, (void)why;
    timer_wheel_set_in(&p->world->wheel, &p->send_timer, PHONE_REPEAT_MS);
}

static const struct client_user send_user = {.final = on_answered, .failed = on_send_failed};

static void send_current(struct phone *p)
{
    if (p->sent == p->queued)
        return;
    unsigned to = p->queue[p->sent];
    if (!p->sending)
        p->message = checker_sent(&p->world->checker, p->number, p->sent, to);
    p->sending = true;
    struct buf tail;
    char line[128], body[64];
    size_t body_len = checker_body(p->message, body);
    (void)snprintf(line, sizeof line, "MESSAGE sip:user%u@" WORLD_DOMAIN " SIP/2.0\r\n", to);
    buf_init(&tail, 4096);
    buf_printf(&tail,
               "From: <sip:user%u@" WORLD_DOMAIN ">;tag=m%u\r\nTo: <sip:user%u@" WORLD_DOMAIN ">\r\n"
               "Call-ID: message-%u\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
               p->account, p->message, to, p->message, body_len);
    buf_append(&tail, slice_make(body, body_len));
    send_request(p, METHOD_MESSAGE, 1, line, &tail, &send_user);
    buf_deinit(&tail);
}

static void on_send_timer(struct timer *t)
{
    send_current(CONTAINER_OF(t, struct phone, send_timer));
}

void phone_send(struct phone *p, unsigned account)
{
    if (p->queued == PHONE_QUEUE)
        return;
    p->queue[p->queued++] = account;
    if (p->queued == p->sent + 1)
        send_current(p);
}

bool phone_is_quiet(const struct phone *p)
{
    return p->sent == p->queued;
}

/* --- life --- */

struct phone *phone_new(struct world *w, unsigned number, unsigned account)
{
    struct phone *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->link.ops = &link_ops;
    p->world = w;
    p->number = number;
    p->account = account;
    p->address = (struct address){.family = 4, .port = 5060, .ip = {10, 0, 0, (uint8_t)(10 + number)}};
    timer_init(&p->register_timer, on_register_timer);
    timer_init(&p->send_timer, on_send_timer);
    const struct endpoint_config c = {.link = &p->link,
                                      .wheel = &w->wheel,
                                      .random = &w->random.base,
                                      .user = &endpoint_user,
                                      .context = p,
                                      .server_txns_max = 256,
                                      .finished_max = 256,
                                      .client_txns_max = 256};
    if (endpoint_new(&c, &p->endpoint) != ERR_NONE)
        abort();
    w->checker.device_account[number] = account;
    w->checker.devices++;
    return p;
}

void phone_free(struct phone *p)
{
    timer_wheel_cancel(&p->world->wheel, &p->register_timer);
    timer_wheel_cancel(&p->world->wheel, &p->send_timer);
    endpoint_free(p->endpoint);
    free(p);
}

const struct address *phone_address(const struct phone *p)
{
    return &p->address;
}

void phone_receive(struct phone *p, const struct address *from, struct packet *packet)
{
    const struct flow f = {.transport = TRANSPORT_UDP, .local = p->address, .remote = *from};
    if (!p->away)
        endpoint_receive(p->endpoint, &f, packet);
}

void phone_set_away(struct phone *p, bool away)
{
    p->away = away;
    if (!away)
        phone_register(p);
}
