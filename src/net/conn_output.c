/* What a connection sends: gathered in a bounded buffer during the turn, written at its end; what the kernel does not
 * take has a deadline (C14). */
#include <errno.h>

#include "net/net_private.h"

static void mark_dirty(struct conn *c)
{
    /* While the kernel takes nothing, its own word (EPOLLOUT) goes on. */
    if (!list_is_linked(&c->dirty) && !(c->io.events & EPOLLOUT))
        list_push_back(&c->net->dirty, &c->dirty);
}

enum link_result conn_output_send(struct conn *c, const struct slice *parts, size_t count, uint64_t token)
{
    size_t len = 0;
    if (c->state != CONN_OPEN)
        return LINK_FAILED;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    if (len > c->out.max - c->out.len) {
        conn_close(c); /* C14: past the bound it is closed, the mail stays queued */
        return LINK_FAILED;
    }
    c->ops->framing->output(c, parts, count);
    if (token)
        buf_append(&c->tokens, slice_make((const char *)&token, sizeof token));
    if (!buf_ok(&c->out)) {
        conn_close(c);
        return LINK_FAILED;
    }
    mark_dirty(c);
    return LINK_DONE;
}

void conn_output_raw(struct conn *c, struct slice bytes)
{
    if (bytes.len > c->out.max - c->out.len)
        return; /* a pong that finds no room: the peer reads nothing anyway */
    buf_append(&c->out, bytes);
    mark_dirty(c);
}

static void all_written(struct conn *c)
{
    buf_deinit(&c->out);
    buf_deinit(&c->tokens);
    timer_wheel_cancel(c->net->wheel, &c->write);
    (void)loop_io_set(c->net->loop, &c->io, EPOLLIN);
    if (c->state == CONN_ENDING) {
        /* The peer reads our end, then closes; its own end, or the deadline, closes here. */
        (void)shutdown(c->io.fd, SHUT_WR);
        timer_wheel_set_in(c->net->wheel, &c->write, c->net->limits.linger_ms);
    }
}

void conn_output_flush(struct conn *c)
{
    list_remove(&c->dirty);
    if (c->state != CONN_OPEN && c->state != CONN_ENDING)
        return;
    while (c->out.len) {
        ssize_t n = c->ops->wire->write(c, c->out.ptr, c->out.len);
        if (n >= 0) {
            buf_consume(&c->out, (size_t)n);
        } else if (errno == EAGAIN) {
            (void)loop_io_set(c->net->loop, &c->io, EPOLLIN | EPOLLOUT);
            if (!timer_is_set(&c->write))
                timer_wheel_set_in(c->net->wheel, &c->write, c->net->limits.write_ms);
            return;
        } else if (errno != EINTR) {
            conn_close(c);
            return;
        }
    }
    all_written(c);
}
