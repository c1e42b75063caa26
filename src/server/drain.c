/* Draining. A drain exists while its device has something to read: it reads a few entries ahead and runs one branch at
 * a time. */
#include "server/drain.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "server/branch.h"
#include "server/letter.h"
#include "server/location.h"
#include "server/mailbox.h"
#include "server/watch.h"

struct drain {
    struct device *device; /* NULL: it left while the store was reading */
    struct server *home;
    struct branch *branch; /* the attempt in flight */
    bool reading;
    size_t next_row; /* rows before it were used */
    struct store_request read;
};

static void drop_rows(struct drain *n)
{
    for (size_t i = 0; i < n->read.read.ret_count; i++)
        packet_unref(&n->read.read.rows[i].bytes);
    n->read.read.ret_count = 0;
    n->next_row = 0;
}

static void drain_free(struct drain *n)
{
    drop_rows(n);
    free(n);
}

static void stop(struct drain *n)
{
    n->device->drain = NULL;
    n->device = NULL;
    n->branch = NULL; /* it ends on its own */
    if (!n->reading)
        drain_free(n);
}

/* --- holding --- */

static void on_wake(struct timer *t)
{
    struct device *d = CONTAINER_OF(t, struct device, wake);
    d->held = false;
    drain_start(d);
}

static void wake_at(struct device *d, uint64_t at_ms)
{
    d->wake.fire = on_wake;
    timer_wheel_set(d->account->home->wheel, &d->wake, at_ms);
}

static void hold_until(struct device *d, uint64_t at_ms)
{
    const struct binding *b = location_binding(d, d->account->home->wheel->now_ms);
    d->held = true;
    if (d->drain && !d->drain->reading)
        drop_rows(d->drain); /* they are read anew; until then many devices may be gone */
    wake_at(d, at_ms);
    if (b)
        watch_binding(b);
}

static uint64_t not_before(const struct device *d, uint64_t delay_ms)
{
    uint64_t at_ms = d->account->home->wheel->now_ms + delay_ms;
    return at_ms > d->deaf_until_ms ? at_ms : d->deaf_until_ms;
}

void drain_hold(struct device *d)
{
    struct server *home = d->account->home;
    if (d->held && timer_is_set(&d->wake))
        return;
    d->backoff_ms = d->backoff_ms ? d->backoff_ms * 2 : LIMIT_BACKOFF_MIN_MS;
    if (d->backoff_ms > LIMIT_BACKOFF_MAX_MS)
        d->backoff_ms = LIMIT_BACKOFF_MAX_MS;
    /* Up to a tenth more, so that many phones that went at once don't come back at once. */
    hold_until(d, not_before(d, d->backoff_ms + random_below(home->random, d->backoff_ms / 10 + 1)));
}

void drain_repeat_later(struct device *d)
{
    d->deaf_until_ms = d->account->home->wheel->now_ms + LIMIT_REPEAT_AFTER_482_MS;
    hold_until(d, d->deaf_until_ms);
}

void drain_wake(struct device *d)
{
    struct server *home = d->account->home;
    if (!d->held || d->deaf_until_ms > home->wheel->now_ms)
        return;
    /* Not at once: it may be a REGISTER, and desk phones refuse what comes before their 200. */
    uint64_t soon_ms = home->wheel->now_ms + LIMIT_DRAIN_AFTER_REGISTER_MS;
    d->backoff_ms = 0;
    if (!timer_is_set(&d->wake) || d->wake.at_ms > soon_ms)
        wake_at(d, soon_ms);
}

void drain_registered(struct device *d)
{
    branch_device_moved(d);
    if (d->drain && d->drain->branch && !d->drain->branch->is_current)
        d->drain->branch = NULL; /* it ends on its own; a late 2xx still counts */
    d->backoff_ms = 0;
    d->held = mailbox_has_backlog(d);
    if (d->held) /* desk phones refuse what comes before their 200 */
        wake_at(d, not_before(d, LIMIT_DRAIN_AFTER_REGISTER_MS));
    else
        timer_wheel_cancel(d->account->home->wheel, &d->wake);
}

void drain_resume(struct device *d)
{
    d->held = true;
    wake_at(d, not_before(d, LIMIT_DRAIN_AFTER_REGISTER_MS +
                                 random_below(d->account->home->random, LIMIT_DRAIN_AFTER_START_MS)));
}

void drain_stop(struct device *d)
{
    timer_wheel_cancel(d->account->home->wheel, &d->wake);
    if (d->drain)
        stop(d->drain);
}

/* --- one message --- */

static void end_head(struct device *d, uint64_t seq, enum store_state state, uint16_t status)
{
    mailbox_end(d->account, seq, d->number, state, status);
}

/* C6, poison: ten 5xx to the same message from a device that otherwise answers. Whether it does shows the message
 * behind it, which is tried in its stead: taken or refused, then the first one is to blame; else the device is just
 * gone. */
static bool is_suspect(const struct device *d, uint64_t seq)
{
    return d->failures_5xx >= LIMIT_5XX_BEFORE_FAILED && d->failing_seq == seq;
}

static const struct entry *next_to_try(const struct device *d)
{
    const struct entry *e = mailbox_next(d, 0);
    const struct entry *behind = e && is_suspect(d, e->seq) ? mailbox_next(d, e->seq) : NULL;
    return behind ? behind : e;
}

/* It answered another message than the one that it fails at. */
static void on_answered(struct device *d, uint64_t seq)
{
    if (d->failing_seq != seq && is_suspect(d, d->failing_seq))
        end_head(d, d->failing_seq, STORE_FAILED, d->failing_status);
    d->failures_5xx = 0;
}

static void note_failure(struct device *d, uint64_t seq, uint16_t status)
{
    if (d->failing_seq != seq)
        d->failures_5xx = 0;
    if (status < 500 && status != 482)
        return;
    d->failing_seq = seq;
    d->failing_status = status;
    if (!is_suspect(d, seq))
        d->failures_5xx++;
}

static void on_refused(struct device *d, uint64_t seq, uint16_t status)
{
    if (d->reads_no_messages) {
        mailbox_end_all(d);
    } else if (status == 482) {
        note_failure(d, seq, status); /* once it is a repeat, ten times it is a loop behind that device */
        drain_repeat_later(d);
    } else {
        end_head(d, seq, STORE_FAILED, status);
        on_answered(d, seq);
    }
}

static void on_gone(struct device *d, uint64_t seq, uint16_t status)
{
    note_failure(d, seq, status);
    const struct entry *next = next_to_try(d);
    if (!next || next->seq == seq || !is_suspect(d, d->failing_seq))
        drain_hold(d); /* else the one behind it is tried at once */
}

static void on_branch_done(void *context, struct branch *b, const struct branch_result *r)
{
    struct device *d = b->device;
    uint64_t seq = b->message.seq;
    (void)context;
    if (!d)
        return;
    if (d->drain && d->drain->branch == b)
        d->drain->branch = NULL;
    if (r->end == BRANCH_TAKEN) {
        end_head(d, seq, STORE_DELIVERED, r->status);
        on_answered(d, seq);
    } else if (b->is_current && r->end == BRANCH_REFUSED) {
        on_refused(d, seq, r->status);
    } else if (b->is_current) {
        on_gone(d, seq, r->status);
    }
    drain_start(d);
}

/* ERR_NONE; ERR_TOO_LARGE when nothing that leads to the device carries it; ERR_NO_MEMORY when there is no way now. */
static int send_row(struct drain *n, const struct store_row *row)
{
    int err = ERR_NO_MEMORY;
    struct slice bytes = packet_slice(row->bytes);
    struct slice headers = slice_head(bytes, row->headers_len);
    struct packet *tail = letter_tail(headers, slice_head(slice_skip(bytes, row->headers_len), row->body_len));
    if (tail) {
        const struct branch_message m = {
            .tail = tail,
            .fields = SLICE(""),
            .cseq = letter_stored_cseq(headers),
            .max_forwards = LIMIT_MAX_FORWARDS,
            .seq = row->seq,
        };
        err = ERR_TOO_LARGE;
        if (branch_can_carry(n->device, &m))
            err = (n->branch = branch_new(n->device, &m, on_branch_done, NULL)) ? ERR_NONE : ERR_NO_MEMORY;
    }
    packet_unref(&tail);
    return err;
}

/* --- reading ahead --- */

static void on_read(struct store_request *r)
{
    struct drain *n = CONTAINER_OF(r, struct drain, read);
    n->reading = false;
    if (!n->device) {
        drain_free(n);
        return;
    }
    struct device *d = n->device;
    if (r->result != ERR_NONE) {
        n->read.read.ret_count = 0;
        drain_hold(d);
        return;
    }
    drain_start(d);
}

static void read_ahead(struct drain *n, const struct entry *e)
{
    drop_rows(n);
    n->read = (struct store_request){
        .op = STORE_READ, .worker = n->home->worker, .account = n->device->account->id, .done = on_read};
    for (; e && n->read.read.count < STORE_READ_MAX; e = mailbox_next(n->device, e->seq))
        n->read.read.seqs[n->read.read.count++] = e->seq;
    n->reading = true;
    store_submit(n->home->store, &n->read);
}

/* The row of `seq`, if it was read; rows before it ended meanwhile. */
static struct store_row *take_row(struct drain *n, uint64_t seq)
{
    while (n->next_row < n->read.read.ret_count) {
        struct store_row *row = &n->read.read.rows[n->next_row++];
        if (row->seq == seq)
            return row;
    }
    return NULL;
}

static struct drain *drain_of(struct device *d)
{
    if (d->drain)
        return d->drain;
    struct drain *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->device = d;
    n->home = d->account->home;
    d->drain = n;
    return n;
}

static bool may_drain(const struct device *d)
{
    const struct server *home = d->account->home;
    return !home->draining && !d->held && d->in_flight == 0 && d->owed && !d->reads_no_messages &&
           location_binding(d, home->wheel->now_ms);
}

/* True: an entry ended that cannot be sent, and the one behind it has its turn. */
static bool step(struct device *d)
{
    const struct entry *e = next_to_try(d);
    if (!e && d->drain && !d->drain->branch && !d->drain->reading)
        stop(d->drain);
    if (!e || !may_drain(d))
        return false;
    struct drain *n = drain_of(d);
    if (!n || n->reading || n->branch)
        return false;
    struct store_row *row = take_row(n, e->seq);
    if (!row) {
        read_ahead(n, e);
        return false;
    }
    if (!row->bytes) { /* the store has lost it: an end that somebody must see */
        LOG(LOG_ERROR, "entry-missing", LOG_FIELD("account", d->account->aor));
        end_head(d, e->seq, STORE_FAILED, 0);
        return true;
    }
    int err = send_row(n, row);
    if (err == ERR_TOO_LARGE)
        end_head(d, e->seq, STORE_FAILED, 513); /* RFC 3261 §21.5.7; it would stand in the way of all behind it */
    else if (err != ERR_NONE)
        drain_hold(d);
    return err == ERR_TOO_LARGE;
}

void drain_start(struct device *d)
{
    bool ended;
    do
        ended = step(d);
    while (ended);
}
