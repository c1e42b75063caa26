/* What a connection receives: whole frames are handled where they were read; only the rest of an unfinished one is
 * kept. And the deadlines of reading. */
#include <errno.h>

#include "net/net_private.h"

static uint32_t phase_ms(const struct net_limits *limits, enum conn_phase phase)
{
    const uint32_t ms[] = {
        [PHASE_FIRST] = limits->head_ms,
        [PHASE_HEAD] = limits->head_ms,
        [PHASE_BODY] = limits->body_ms,
        [PHASE_IDLE] = limits->idle_ms,
    };
    return ms[phase];
}

static bool is_crlf_only(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '\r' && s.ptr[i] != '\n')
            return false;
    return true;
}

static enum conn_phase phase_of(const struct conn *c)
{
    if (c->ops->framing->in_body(c))
        return PHASE_BODY;
    if (c->fresh) /* also with half a head: the deadline counts from the accept */
        return PHASE_FIRST;
    /* A lone CRLF is some phones' keep-alive, not the beginning of a message. */
    return is_crlf_only(buf_slice(&c->in)) ? PHASE_IDLE : PHASE_HEAD;
}

/* A slow sender's next octet must not move its deadline; a whole frame, or idleness, begins a new one. */
static void set_deadline(struct conn *c, bool had_frame)
{
    enum conn_phase phase = phase_of(c);
    if (phase == c->phase && phase != PHASE_IDLE && !(had_frame && phase != PHASE_FIRST))
        return;
    c->phase = phase;
    timer_wheel_set_in(c->net->wheel, &c->read, phase_ms(&c->net->limits, phase));
}

void conn_input_start(struct conn *c)
{
    c->phase = c->fresh ? PHASE_FIRST : PHASE_IDLE;
    timer_wheel_set_in(c->net->wheel, &c->read, phase_ms(&c->net->limits, c->phase));
}

static void take(struct conn *c, struct slice bytes)
{
    size_t used;
    if (c->in.len == 0) {
        used = c->ops->framing->input(c, bytes);
        if (c->state == CONN_OPEN)
            buf_append(&c->in, slice_skip(bytes, used));
    } else {
        buf_append(&c->in, bytes);
        used = buf_ok(&c->in) ? c->ops->framing->input(c, buf_slice(&c->in)) : 0;
        if (c->state == CONN_OPEN)
            buf_consume(&c->in, used);
    }
    if (c->state != CONN_OPEN)
        return;
    if (!buf_ok(&c->in)) { /* out of memory: the framing has its own, smaller maximum */
        conn_close(c);
        return;
    }
    if (c->in.len == 0)
        buf_deinit(&c->in);
    set_deadline(c, used > 0);
}

void conn_input_read(struct conn *c)
{
    struct net *n = c->net;
    for (int i = 0; i < NET_READS_PER_TURN; i++) {
        ssize_t len = c->ops->wire->read(c, n->scratch, NET_READ_BYTES);
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (len <= 0) {
            conn_close(c);
            return;
        }
        /* An ending connection's input is read and dropped: closing over unread octets would reset it, and the peer
         * would not read our last answer. */
        if (c->state == CONN_OPEN)
            take(c, slice_make(n->scratch, (size_t)len));
        if (c->state == CONN_CLOSED || len < NET_READ_BYTES)
            return;
    }
}

void conn_input_deliver(struct conn *c, struct slice message)
{
    struct packet *packet = packet_copy(message);
    if (!packet) {
        conn_close(c);
        return;
    }
    if (c->fresh) {
        c->fresh = false;
        source_no_longer_fresh(c->source);
    }
    c->net->user->received(c->net->context, &c->flow, packet);
    packet_unref(&packet);
}

void conn_input_keepalive(struct conn *c)
{
    conn_output_raw(c, SLICE("\r\n"));
    if (c->net->user->heard)
        c->net->user->heard(c->net->context, &c->flow);
}

void conn_input_malformed(struct conn *c, struct slice head, const struct message_fault *fault)
{
    c->net->counters.malformed++;
    if (c->net->user->malformed)
        c->net->user->malformed(c->net->context, &c->flow, head, fault);
    conn_end(c);
}
