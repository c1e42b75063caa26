#include "support/rig.h"

#include <stdio.h>
#include <stdlib.h>

static struct rig *rig_of(struct link *l)
{
    return CONTAINER_OF(l, struct rig, link);
}

static enum link_result fake_send(struct link *l, const struct hop *to, const struct slice *parts, size_t count,
                                  uint64_t token)
{
    struct rig *r = rig_of(l);
    enum link_result result = to->is_flow ? r->result : r->target_result;
    if (result == LINK_FAILED)
        return result;
    assert_true(r->sent_count < RIG_SENT_MAX);
    struct sent *s = &r->sent[r->sent_count++];
    *s = (struct sent){.hop = *to, .token = token, .at_ms = r->wheel.now_ms};
    if (!to->is_flow) {
        assert_int_equal(slice_to_cstr(to->target.host, s->host, sizeof s->host), ERR_NONE);
        if (slice_is_set(to->target.tls_name))
            assert_int_equal(slice_to_cstr(to->target.tls_name, s->tls_name, sizeof s->tls_name), ERR_NONE);
    }
    for (size_t i = 0; i < count; i++) {
        assert_true(s->len + parts[i].len < sizeof s->bytes);
        if (parts[i].len)
            memcpy(s->bytes + s->len, parts[i].ptr, parts[i].len);
        s->len += parts[i].len;
    }
    return result;
}

static int fake_sent_by(struct link *l, const struct hop *to, enum transport *ret_transport, struct slice *ret_sent_by)
{
    struct rig *r = rig_of(l);
    if (r->sent_by_err != ERR_NONE)
        return r->sent_by_err;
    *ret_transport = to->is_flow ? (enum transport)to->flow.transport : r->transport;
    *ret_sent_by = SLICE("telex.example.com:5060");
    return ERR_NONE;
}

static const struct link_ops fake_ops = {.send = fake_send, .sent_by = fake_sent_by};

static void on_request(void *context, const struct incoming *in)
{
    struct rig *r = context;
    r->requests++;
    if (r->on_request == RIG_MAKE) {
        r->server = server_txn_new(r->e, in);
        if (r->server)
            r->server_id = server_txn_id(r->server);
    } else if (r->on_request == RIG_ANSWER) {
        endpoint_answer(r->e, in, &r->answer);
    }
}

static void on_foreign(void *context, unsigned worker, const struct flow *flow, struct packet *packet)
{
    struct rig *r = context;
    assert_non_null(packet);
    r->foreign++;
    r->foreign_worker = worker;
    r->from = *flow;
}

static void on_heard(void *context, const struct flow *flow)
{
    (void)flow;
    ((struct rig *)context)->heard++;
}

static const struct endpoint_user rig_user = {.request = on_request, .foreign_response = on_foreign, .heard = on_heard};

static void in_callback(struct rig *r)
{
    if (r->drop_in_callback) {
        client_txn_drop(r->drop_in_callback);
        r->drop_in_callback = NULL;
    }
    if (r->start_in_callback) {
        struct flow flow = rig_flow(TRANSPORT_UDP, "192.0.2.9:5060");
        struct hop hop = hop_flow(&flow);
        struct client_txn *t;
        r->start_in_callback = false;
        (void)rig_start(r, &hop, &t);
    }
}

static void on_provisional(void *context, struct client_txn *t, const struct message *response)
{
    struct rig *r = context;
    assert_non_null(t);
    r->provisionals++;
    r->status = response->status;
    in_callback(r);
}

static void on_final(void *context, struct client_txn *t, const struct message *response, const struct flow *from,
                     struct packet *packet)
{
    struct rig *r = context;
    assert_non_null(t);
    assert_non_null(packet);
    r->finals++;
    r->status = response->status;
    r->from = *from;
    if (r->forward_to)
        server_txn_forward(r->forward_to, response);
    r->forward_to = NULL;
    in_callback(r);
}

static void on_failed(void *context, struct client_txn *t, enum client_failure why)
{
    struct rig *r = context;
    assert_non_null(t);
    r->failures++;
    r->why = why;
    r->failed_at_ms = r->wheel.now_ms;
    in_callback(r);
}

const struct client_user rig_client_user = {.provisional = on_provisional, .final = on_final, .failed = on_failed};

struct endpoint_config rig_config(struct rig *r)
{
    return (struct endpoint_config){
        .worker = 7,
        .link = &r->link,
        .wheel = &r->wheel,
        .random = &r->random.base,
        .user = &rig_user,
        .context = r,
        .server_txns_max = 4,
        .finished_max = 4,
        .client_txns_max = 4,
    };
}

void rig_init_with(struct rig *r, const struct endpoint_config *config)
{
    r->link.ops = &fake_ops;
    r->on_request = RIG_MAKE;
    timer_wheel_init(&r->wheel, 0);
    random_seeded_init(&r->random, 42);
    assert_int_equal(endpoint_new(config, &r->e), ERR_NONE);
}

void rig_init(struct rig *r)
{
    *r = (struct rig){0};
    struct endpoint_config config = rig_config(r);
    rig_init_with(r, &config);
}

void rig_deinit(struct rig *r)
{
    endpoint_free(r->e);
    assert_true(timer_wheel_next(&r->wheel) == UINT64_MAX); /* no timer is left behind */
}

struct flow rig_flow(enum transport transport, const char *remote)
{
    struct flow f = {.transport = (uint8_t)transport, .worker = 7, .slot = transport == TRANSPORT_UDP ? 0 : 3};
    f.generation = transport == TRANSPORT_UDP ? 0 : 1;
    assert_int_equal(address_parse(slice_str(remote), &f.remote), ERR_NONE);
    assert_int_equal(address_parse(SLICE("198.51.100.1:5060"), &f.local), ERR_NONE);
    return f;
}

void rig_receive(struct rig *r, const struct flow *flow, const char *text)
{
    struct packet *p = packet_copy(slice_str(text));
    endpoint_receive(r->e, flow, p);
    packet_unref(&p);
}

void rig_receive_udp(struct rig *r, const char *text)
{
    struct flow flow = rig_flow(TRANSPORT_UDP, "192.0.2.1:40000");
    rig_receive(r, &flow, text);
}

void rig_advance_to(struct rig *r, uint64_t at_ms)
{
    for (uint64_t next; (next = timer_wheel_next(&r->wheel)) <= at_ms;)
        timer_wheel_advance(&r->wheel, next);
    timer_wheel_advance(&r->wheel, at_ms);
}

const struct sent *rig_last(const struct rig *r)
{
    assert_true(r->sent_count > 0);
    return &r->sent[r->sent_count - 1];
}

bool rig_contains(const struct sent *s, const char *text)
{
    return slice_find_slice(slice_make(s->bytes, s->len), slice_str(text)) >= 0;
}

void rig_cut(const struct sent *s, const char *before, char *out, size_t out_size)
{
    struct slice all = slice_make(s->bytes, s->len);
    ptrdiff_t at = slice_find_slice(all, slice_str(before));
    assert_true(at >= 0);
    all = slice_skip(all, (size_t)at + strlen(before));
    size_t len = 0;
    while (len < all.len && !strchr(";\r\n,", all.ptr[len]))
        len++;
    assert_int_equal(slice_to_cstr(slice_head(all, len), out, out_size), ERR_NONE);
}

int rig_start(struct rig *r, const struct hop *to, struct client_txn **ret)
{
    struct packet *tail = packet_copy(SLICE("From: <sip:alice@example.com>;tag=a1\r\nTo: <sip:bob@example.com>\r\n"
                                            "Call-ID: c1\r\nCSeq: 5 MESSAGE\r\nContent-Length: 2\r\n\r\nhi"));
    struct client_request request = {
        .method = METHOD_MESSAGE,
        .cseq = 5,
        .request_line = SLICE("MESSAGE sip:bob@192.0.2.9 SIP/2.0\r\n"),
        .head_fields = SLICE("Max-Forwards: 69\r\n"),
        .tail = tail,
        .loop_hash = 0x1234,
    };
    int err = client_txn_new(r->e, to, &request, &rig_client_user, r, ret);
    packet_unref(&tail);
    return err;
}

void rig_response(const struct sent *s, uint16_t status, const char *cseq, const char *more, char *out, size_t out_size)
{
    char branch[80];
    rig_cut(s, ";branch=", branch, sizeof branch);
    int len = snprintf(out, out_size,
                       "SIP/2.0 %u Whatever\r\nVia: SIP/2.0/UDP telex.example.com:5060;rport;branch=%s\r\n%s"
                       "From: <sip:alice@example.com>;tag=a1\r\nTo: <sip:bob@example.com>;tag=b1\r\n"
                       "Call-ID: c1\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n",
                       (unsigned)status, branch, more, cseq);
    assert_true(len > 0 && (size_t)len < out_size);
}
