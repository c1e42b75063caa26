/* SIP over a stream: messages one after another, Content-Length ends each (RFC 3261 §18.3), CRLF between them keeps
 * the connection alive (RFC 5626 §4.4.1). */
#include "base/err.h"
#include "net/net_private.h"

static size_t input(struct conn *c, struct slice in)
{
    const struct net_limits *limits = &c->net->limits;
    size_t used = 0;
    while (c->state == CONN_OPEN && used < in.len) {
        struct slice rest = slice_skip(in, used);
        struct message_fault fault = {0};
        size_t len = 0;
        int kind = framer_next(&c->framer, rest, limits->head_bytes, limits->body_bytes, &len, &fault);
        if (kind == ERR_NEED_MORE)
            break;
        if (kind < 0) {
            conn_input_malformed(c, rest, &fault);
            return in.len;
        }
        if (kind == FRAME_MESSAGE)
            conn_input_deliver(c, slice_head(rest, len));
        else if (kind == FRAME_KEEPALIVE)
            conn_input_keepalive(c);
        used += len;
    }
    return used;
}

static void output(struct conn *c, const struct slice *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_append(&c->out, parts[i]);
}

static bool in_body(const struct conn *c)
{
    return c->framer.head_len > 0;
}

const struct framing_ops sip_stream_framing = {input, output, in_body};
