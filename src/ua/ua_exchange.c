/* One request: waits for its way to the server, carries credentials, answers challenges, and ends exactly once. */
#include "ua/ua_private.h"

static void launch(struct ua_exchange *x);
static void go(struct ua_exchange *x);

static void finish(struct ua_exchange *x, const struct message *response)
{
    timer_wheel_cancel(&x->ua->wheel, &x->limit);
    list_remove(&x->node);
    x->running = false;
    x->txn = NULL;
    x->done(x, response);
}

/* contract.md: over 1300 bytes try TCP "and remember a failure; else send by UDP, never refuse". */
static void go_by_datagram(struct ua_exchange *x)
{
    x->large = false;
    x->transport = TELEX_UDP;
    go(x);
}

static void limit_fired(struct timer *t)
{
    struct ua_exchange *x = CONTAINER_OF(t, struct ua_exchange, limit);
    bool waits = list_is_linked(&x->node); /* no transaction runs while the timer does */
    list_remove(&x->node);
    if (waits && x->large) {
        x->ua->channels[TELEX_TCP].refused_until_ms = x->ua->wheel.now_ms + UA_TCP_REFUSED_MS;
        go_by_datagram(x);
    } else {
        finish(x, NULL);
    }
}

/* `done` must not come out of the call that starts an exchange: the next advance brings it. */
static void fail_soon(struct ua_exchange *x)
{
    list_remove(&x->node);
    timer_wheel_set_in(&x->ua->wheel, &x->limit, 0);
}

static void got_final(void *context, struct client_txn *t, const struct message *response, const struct flow *from,
                      struct packet *packet)
{
    struct ua_exchange *x = context;
    (void)t, (void)from, (void)packet;
    x->txn = NULL;
    list_remove(&x->node);
    bool challenged = response->status == 401 || response->status == 407;
    if (!challenged || !ua_auth_learn(x, response)) {
        finish(x, response);
        return;
    }
    /* RFC 3261 §22.2: a request that is sent again with credentials has a higher CSeq. */
    x->cseq++;
    launch(x);
}

static void got_failure(void *context, struct client_txn *t, enum client_failure why)
{
    struct ua_exchange *x = context;
    (void)t, (void)why;
    finish(x, NULL);
}

static const struct client_user client_callbacks = {.final = got_final, .failed = got_failure};

/* The body of the tail: what stands behind its empty line. */
static struct slice body_of(const struct packet *tail)
{
    struct slice all = packet_slice(tail);
    if (slice_starts_with(all, SLICE("\r\n")))
        return slice_skip(all, 2);
    ptrdiff_t at = slice_find_slice(all, SLICE("\r\n\r\n"));
    return at < 0 ? SLICE("") : slice_skip(all, (size_t)at + 4);
}

static void launch(struct ua_exchange *x)
{
    struct ua_channel *c = &x->ua->channels[x->transport];
    if (x->prepare)
        x->prepare(x);
    if (!x->tail || !c->up) {
        fail_soon(x);
        return;
    }
    struct buf line, head;
    buf_init(&line, UA_HEAD_MAX);
    buf_init(&head, UA_HEAD_MAX);
    build_request_line(&line, method_name(x->method), x->uri);
    build_header_number(&head, HEADER_MAX_FORWARDS, 70); /* RFC 3261 §8.1.1.6 */
    buf_printf(&head, "CSeq: %u ", x->cseq);
    buf_append(&head, method_name(x->method));
    buf_append_str(&head, "\r\n");
    ua_auth_append(x, &head, body_of(x->tail));
    struct hop hop = hop_flow(&c->flow);
    const struct client_request request = {.method = x->method,
                                           .cseq = x->cseq,
                                           .request_line = buf_slice(&line),
                                           .head_fields = buf_slice(&head),
                                           .tail = x->tail};
    bool ok = buf_ok(&line) && buf_ok(&head) &&
              client_txn_new(x->ua->endpoint, &hop, &request, &client_callbacks, x, &x->txn) == ERR_NONE;
    buf_deinit(&line);
    buf_deinit(&head);
    if (ok)
        list_push_back(&c->in_flight, &x->node);
    else
        fail_soon(x);
}

/* RFC 3261 §18.1.1, RFC 3428 §8: what does not fit into a datagram goes over a stream. */
static void choose_transport(struct ua_exchange *x)
{
    struct telex_ua *ua = x->ua;
    size_t size = (x->tail ? x->tail->len : 0) + x->uri.len + UA_HEAD_RESERVE;
    x->transport = ua->config.transport;
    x->large = x->transport == TELEX_UDP && size > UA_DATAGRAM_MAX &&
               ua->wheel.now_ms >= ua->channels[TELEX_TCP].refused_until_ms;
    if (x->large)
        x->transport = TELEX_TCP;
}

static void go(struct ua_exchange *x)
{
    struct ua_channel *c = &x->ua->channels[x->transport];
    if (c->up) {
        launch(x);
        return;
    }
    list_push_back(&c->waiting, &x->node);
    timer_wheel_set_in(&x->ua->wheel, &x->limit, x->large ? UA_TCP_TRIAL_MS : UA_TIMER_F_MS);
    ua_channel_want(c);
}

void ua_exchange_init(struct ua_exchange *x, struct telex_ua *ua, enum method method)
{
    *x = (struct ua_exchange){.ua = ua, .method = method};
    list_node_init(&x->node);
    timer_init(&x->limit, limit_fired);
}

void ua_exchange_deinit(struct ua_exchange *x)
{
    if (x->txn)
        client_txn_drop(x->txn);
    x->txn = NULL;
    x->running = false;
    list_remove(&x->node);
    timer_wheel_cancel(&x->ua->wheel, &x->limit);
    packet_unref(&x->tail);
}

void ua_exchange_start(struct ua_exchange *x, struct slice uri, struct packet *tail)
{
    if (tail) {
        packet_unref(&x->tail);
        x->tail = tail;
    }
    x->uri = uri;
    x->challenges = 0;
    x->proven[0] = x->proven[1] = false;
    x->running = true;
    choose_transport(x);
    go(x);
}

void ua_exchange_channel_lost(struct ua_exchange *x)
{
    client_txn_drop(x->txn);
    x->txn = NULL;
    fail_soon(x);
}

void ua_exchange_channel_settled(struct ua_exchange *x, bool up)
{
    timer_wheel_cancel(&x->ua->wheel, &x->limit);
    if (up) {
        launch(x);
    } else if (x->large) {
        go_by_datagram(x);
    } else {
        fail_soon(x);
    }
}
