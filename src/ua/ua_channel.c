/* The ways to the server. What the host says about a channel is written down and settled in the next turn, so that no
 * callback comes out of telex_ua_connected. A flow's generation tells a connection from the one before it. */
#include "ua/ua_private.h"

static void hang_up(struct ua_channel *c)
{
    if (c->broken || !c->up)
        return;
    c->broken = true;
    if (c->ua->config.callbacks->hang_up)
        c->ua->config.callbacks->hang_up(c->ua->config.context, c->transport);
}

static int send_to_host(struct ua_channel *c, struct slice bytes)
{
    if (!c->up || c->broken)
        return -1;
    return c->ua->config.callbacks->send(c->ua->config.context, c->transport, bytes.ptr, bytes.len);
}

/* RFC 5626 §4.4.1: pings only where the stream may be watched, at a random time so that many agents don't ping
 * together. */
static void set_ping(struct ua_channel *c)
{
    uint64_t span = UA_PING_MAX_MS - UA_PING_MIN_MS;
    timer_wheel_set_in(&c->ua->wheel, &c->ping, UA_PING_MIN_MS + random_below(&c->ua->random.base, span + 1));
}

static void ping_fired(struct timer *t)
{
    struct ua_channel *c = CONTAINER_OF(t, struct ua_channel, ping);
    if (send_to_host(c, SLICE("\r\n\r\n")) < 0) {
        hang_up(c);
        return;
    }
    if (c->ponged) /* a peer that never answered one may not know RFC 5626 */
        timer_wheel_set_in(&c->ua->wheel, &c->pong, UA_PONG_MS);
    set_ping(c);
}

static void pong_fired(struct timer *t)
{
    hang_up(CONTAINER_OF(t, struct ua_channel, pong));
}

void ua_channel_init(struct ua_channel *c, struct telex_ua *ua, enum telex_transport transport)
{
    *c = (struct ua_channel){.ua = ua, .transport = transport};
    c->flow.transport = transport == TELEX_UDP ? TRANSPORT_UDP : TRANSPORT_TCP;
    c->flow.listener = UINT16_MAX;
    list_init(&c->waiting);
    list_init(&c->in_flight);
    buf_init(&c->input, UA_HEAD_MAX + UA_BODY_MAX);
    framer_init(&c->framer);
    timer_init(&c->ping, ping_fired);
    timer_init(&c->pong, pong_fired);
}

void ua_channel_deinit(struct ua_channel *c)
{
    timer_wheel_cancel(&c->ua->wheel, &c->ping);
    timer_wheel_cancel(&c->ua->wheel, &c->pong);
    buf_deinit(&c->input);
}

void ua_channel_want(struct ua_channel *c)
{
    if (c->asked || c->changed)
        return;
    c->asked = true;
    c->ua->config.callbacks->connect(c->ua->config.context, c->transport);
}

static void take_down(struct ua_channel *c)
{
    c->closed = c->up = c->broken = false;
    timer_wheel_cancel(&c->ua->wheel, &c->ping);
    timer_wheel_cancel(&c->ua->wheel, &c->pong);
    buf_reset(&c->input);
    framer_init(&c->framer);
    /* For UDP too: a socket that the server's host refused will bring no answer (ICMP), and a moved one neither. */
    for (struct list_node *n; (n = list_pop_front(&c->in_flight));)
        ua_exchange_channel_lost(CONTAINER_OF(n, struct ua_exchange, node));
}

static void bring_up(struct ua_channel *c)
{
    c->up = true;
    c->ponged = false;
    c->flow.generation++;
    c->flow.local = c->new_local;
    c->flow.remote = c->new_remote;
    memcpy(c->sent_by, c->new_sent_by, sizeof c->sent_by);
    if (c->transport == TELEX_TCP)
        set_ping(c);
}

void ua_channel_settle(struct ua_channel *c)
{
    if (!c->changed)
        return;
    bool was_asked = c->asked;
    c->changed = c->asked = false;
    if (c->closed || !c->change_up)
        take_down(c);
    if (c->change_up)
        bring_up(c);
    else if (was_asked)
        c->refused_until_ms = c->ua->wheel.now_ms + UA_TCP_REFUSED_MS;
    struct list waiting;
    list_init(&waiting);
    list_splice(&waiting, &c->waiting);
    for (struct list_node *n; (n = list_pop_front(&waiting));)
        ua_exchange_channel_settled(CONTAINER_OF(n, struct ua_exchange, node), c->up);
    if (c->transport == c->ua->config.transport)
        ua_registration_channel_settled(&c->ua->registration, c->up);
}

static void receive_message(struct ua_channel *c, struct slice bytes)
{
    struct packet *p = packet_copy(bytes);
    if (!p)
        return; /* as if the network had lost it */
    endpoint_receive(c->ua->endpoint, &c->flow, p);
    packet_unref(&p);
}

static void take_pong(struct ua_channel *c, size_t len)
{
    c->ponged = true;
    timer_wheel_cancel(&c->ua->wheel, &c->pong);
    buf_consume(&c->input, len);
    framer_init(&c->framer);
}

/* Takes one frame off the input. False: there is none, or the stream is broken. */
static bool next_frame(struct ua_channel *c)
{
    struct message_fault fault = {0};
    size_t len = 0;
    if (c->input.len == 0)
        return false;
    int kind = framer_next(&c->framer, buf_slice(&c->input), UA_HEAD_MAX, UA_BODY_MAX, &len, &fault);
    if (kind == ERR_NEED_MORE) {
        /* The framer waits for the second half of a ping. It is servers that pong, with one CRLF (RFC 5626 §4.4.1). */
        if (slice_eq(buf_slice(&c->input), SLICE("\r\n")))
            take_pong(c, 2);
        return false;
    }
    if (kind < 0) { /* where the next message begins cannot be known any more */
        hang_up(c);
        return false;
    }
    if (kind == FRAME_MESSAGE) {
        receive_message(c, slice_head(buf_slice(&c->input), len));
    } else if (kind == FRAME_KEEPALIVE) {
        send_to_host(c, SLICE("\r\n")); /* RFC 5626 §4.4.1; a lost pong is the peer's to notice */
    } else {
        take_pong(c, len);
        return true;
    }
    buf_consume(&c->input, len);
    return !c->broken;
}

void ua_channel_receive(struct ua_channel *c, struct slice bytes)
{
    if (!c->up || c->broken)
        return;
    if (c->transport == TELEX_UDP) {
        for (size_t i = 0; i < bytes.len; i++) { /* keep-alives of CR, LF and NUL only are dropped (contract.md) */
            if (bytes.ptr[i] != '\r' && bytes.ptr[i] != '\n' && bytes.ptr[i] != '\0') {
                receive_message(c, bytes);
                break;
            }
        }
        return;
    }
    while (bytes.len > 0 && !c->broken) {
        size_t room = c->input.max - c->input.len;
        struct slice part = slice_head(bytes, room);
        buf_append(&c->input, part);
        bytes = slice_skip(bytes, part.len);
        if (!buf_ok(&c->input)) {
            hang_up(c);
            return;
        }
        while (next_frame(c)) {
        }
        if (room == 0) { /* full without one whole message: the framer's limits make this impossible */
            hang_up(c);
            return;
        }
    }
}

/* --- link.h --- */

static struct ua_channel *channel_of(struct link *link, const struct hop *to)
{
    struct telex_ua *ua = CONTAINER_OF(link, struct telex_ua, link);
    if (!to->is_flow)
        return NULL; /* everything goes through the one server that the host is connected to */
    struct ua_channel *c = &ua->channels[to->flow.transport == TRANSPORT_UDP ? TELEX_UDP : TELEX_TCP];
    return c->up && c->flow.generation == to->flow.generation ? c : NULL;
}

static enum link_result link_send_parts(struct link *link, const struct hop *to, const struct slice *parts,
                                        size_t count, uint64_t token)
{
    struct ua_channel *c = channel_of(link, to);
    (void)token;
    if (!c)
        return LINK_FAILED;
    struct buf all;
    buf_init(&all, UA_HEAD_MAX + UA_BODY_MAX);
    for (size_t i = 0; i < count; i++)
        buf_append(&all, parts[i]);
    bool sent = buf_ok(&all) && send_to_host(c, buf_slice(&all)) == 0;
    buf_deinit(&all);
    return sent ? LINK_DONE : LINK_FAILED;
}

static int link_sent_by_of(struct link *link, const struct hop *to, enum transport *ret_transport,
                           struct slice *ret_sent_by)
{
    struct ua_channel *c = channel_of(link, to);
    if (!c)
        return ERR_NOT_FOUND;
    *ret_transport = (enum transport)c->flow.transport;
    *ret_sent_by = slice_str(c->sent_by);
    return ERR_NONE;
}

const struct link_ops ua_channel_link_ops = {.send = link_send_parts, .sent_by = link_sent_by_of};
