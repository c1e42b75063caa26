/* Finished server transactions: the Completed state over unreliable transports (RFC 3261 §17.2.2) in about 100 bytes
 * each. All live equally long, so one list in order and one timer serve them; when there are too many, the oldest
 * goes, and work is never refused for them. */
#include "base/err.h"
#include "txn/server_table.h"
#include "txn/txn_private.h"

_Static_assert(sizeof(struct finished) <= 128, "finished transactions are many and stay small");

static void on_timer(struct timer *timer);

int finished_init(struct endpoint *e)
{
    list_init(&e->finished_order);
    timer_init(&e->finished_timer, on_timer);
    return slab_init(&e->finished, sizeof(struct finished), e->config.finished_max);
}

static struct finished *oldest(const struct endpoint *e)
{
    struct list_node *n = list_first(&e->finished_order);
    return n ? CONTAINER_OF(n, struct finished, order) : NULL;
}

static void forget(struct endpoint *e, struct finished *f)
{
    list_remove(&f->order);
    table_remove(&e->servers, &f->record.node);
    packet_unref(&f->answer);
    slab_give(&e->finished, f);
}

void finished_deinit(struct endpoint *e)
{
    timer_wheel_cancel(e->config.wheel, &e->finished_timer);
    for (struct finished *f; (f = oldest(e));)
        forget(e, f);
    slab_deinit(&e->finished);
}

static enum server_action step(struct finished *f, enum server_event event)
{
    const struct server_row *row = server_table_find(f->record.machine, f->record.state, event);
    f->record.state = row->next;
    return (enum server_action)row->action;
}

void finished_retransmission(struct finished *f, struct endpoint *e, const struct arrival *r)
{
    if (step(f, SERVER_RETRANSMISSION) != SERVER_RESEND)
        return;
    if (f->answer)
        answer_send_bytes(e, r, packet_slice(f->answer));
    else if (f->status)
        answer_send(e, r, &(struct answer){.status = f->status},
                    f->tag_len ? slice_make(f->tag, f->tag_len) : SLICE_NONE);
}

static void arm(struct endpoint *e)
{
    struct finished *f = oldest(e);
    if (f)
        timer_wheel_set(e->config.wheel, &e->finished_timer, f->ends_ms);
}

static void on_timer(struct timer *timer)
{
    struct endpoint *e = CONTAINER_OF(timer, struct endpoint, finished_timer);
    for (struct finished *f; (f = oldest(e)) && f->ends_ms <= e->config.wheel->now_ms;) {
        if (step(f, SERVER_TIMER_J) == SERVER_END)
            forget(e, f);
    }
    arm(e);
}

static struct finished *make_room(struct endpoint *e)
{
    struct finished *f = slab_take(&e->finished);
    if (f || !oldest(e))
        return f;
    forget(e, oldest(e));
    return slab_take(&e->finished);
}

static struct packet *gather(const struct outgoing *out)
{
    size_t len = 0;
    for (size_t i = 0; i < out->count; i++)
        len += out->parts[i].len;
    struct packet *p = packet_new(len);
    char *at = p ? p->data : NULL;
    for (size_t i = 0; p && i < out->count; i++) {
        memcpy(at, out->parts[i].ptr, out->parts[i].len);
        at += out->parts[i].len;
    }
    return p;
}

static bool remember(struct finished *f, const struct outgoing *out)
{
    if (!out)
        return true;
    f->status = out->status;
    if (!out->bare) {
        f->answer = gather(out);
        return f->answer;
    }
    f->tag_len = (uint8_t)out->tag.len;
    if (out->tag.len)
        memcpy(f->tag, out->tag.ptr, out->tag.len);
    return true;
}

void finished_keep(struct endpoint *e, const struct server_txn *t, const struct outgoing *out)
{
    struct finished *f = make_room(e);
    if (!f)
        return;
    f->record.identity = t->record.identity;
    f->record.machine = t->record.machine;
    f->record.state = t->record.state;
    f->record.finished = true;
    /* Without memory it is forgotten at once: a retransmission is then a new request, which the user's own duplicate
     * table finds. */
    if (!remember(f, out) || table_insert(&e->servers, &f->record.node, t->record.node.hash) != ERR_NONE) {
        packet_unref(&f->answer);
        slab_give(&e->finished, f);
        return;
    }
    f->ends_ms = e->config.wheel->now_ms + TXN_LIFE_MS;
    list_push_back(&e->finished_order, &f->order);
    if (!timer_is_set(&e->finished_timer))
        arm(e);
}
