/* Committing a delivery: the append with what is known already, and what follows when the store has it. contract C1,
 * C2, C9, C13. */
#include "base/err.h"
#include "server/delivery_private.h"
#include "server/drain.h"
#include "server/mailbox.h"

void delivery_late_end(struct delivery *d, struct device *device, enum branch_end end, uint16_t status)
{
    struct account *a = d->account;
    if (end == BRANCH_TAKEN)
        mailbox_end(a, d->seq, device->number, STORE_DELIVERED, status);
    else if (end == BRANCH_REFUSED && status == 482)
        drain_repeat_later(device);
    else if (end == BRANCH_REFUSED)
        mailbox_end(a, d->seq, device->number, STORE_FAILED, status);
    else
        drain_hold(device);
}

/* What branches said while the store worked. */
static void apply_meanwhile(struct delivery *d)
{
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++) {
        struct device *device = d->account->devices[n];
        if (!device || !(d->owed & delivery_bit(n)))
            continue;
        if (d->taken & delivery_bit(n))
            delivery_late_end(d, device, BRANCH_TAKEN, d->taken_status);
        else if (d->refused & delivery_bit(n))
            delivery_late_end(d, device, BRANCH_REFUSED, d->refusals[n]);
        if (device->reads_no_messages)
            mailbox_end_all(device);
    }
}

static void on_committed(struct delivery *d)
{
    struct account *a = d->account;
    uint16_t status = d->request.append.entry.answer;
    d->seq = d->request.append.entry.seq;
    mailbox_add(a, d->seq, d->owed, d->marked, d->letter->tail->len, d->request.append.entry.expires_ms);
    delivery_remember(d, status);
    delivery_answer(d, status, SLICE_NONE);
    apply_meanwhile(d);
    mailbox_trim_copies(a);
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++)
        if (a->devices[n] && d->owed & delivery_bit(n))
            drain_start(a->devices[n]);
}

static void on_appended(struct store_request *r)
{
    struct delivery *d = CONTAINER_OF(r, struct delivery, request);
    d->phase = DELIVERY_DECIDED;
    timer_wheel_cancel(d->home->wheel, &d->timer);
    if (r->result == ERR_NONE) {
        on_committed(d);
    } else {
        mailbox_release(d->account, d->owed, d->letter->tail->len);
        delivery_answer(d, 503, server_retry_later); /* C1: one failed step, no 2xx; C10 */
    }
    delivery_free_if_done(d);
}

static void add_mark(struct delivery *d, uint8_t number, enum store_state state, uint16_t status, bool advance)
{
    d->marks[d->request.append.mark_count++] = (struct store_mark){
        .device = number, .state = (uint8_t)state, .status = status, .advance = advance};
    d->marked |= delivery_bit(number);
}

/* The devices that are not owed the message: how it ended for them. */
static void make_marks(struct delivery *d)
{
    const struct account *a = d->account;
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++) {
        const struct device *device = a->devices[n];
        if (!device || d->owed & delivery_bit(n))
            continue;
        bool advance = !mailbox_has_backlog(device);
        if (d->refused & delivery_bit(n))
            add_mark(d, n, STORE_FAILED, d->refusals[n], advance);
        else if (d->taken & delivery_bit(n))
            add_mark(d, n, STORE_DELIVERED, d->taken_status, advance);
        else
            add_mark(d, n, STORE_REMOVED, 0, advance); /* reads no messages */
    }
    if (!(d->owed & DELIVERY_HEIR_BIT))
        add_mark(d, STORE_HEIR, STORE_DELIVERED, d->taken_status, a->untaken == 0);
}

/* The next thing that must be said, however slow the store is. */
static void set_timer(struct delivery *d)
{
    uint64_t provisional_ms = d->started_ms + LIMIT_PROVISIONAL_MS;
    bool is_next = !d->provisional_sent && d->home->wheel->now_ms < provisional_ms;
    timer_wheel_set(d->home->wheel, &d->timer, is_next ? provisional_ms : d->started_ms + LIMIT_DECIDE_MS);
}

void delivery_commit(struct delivery *d, uint32_t owed)
{
    struct letter *l = d->letter;
    int64_t now = clock_wall_ms(d->home->clock);
    d->owed = owed | (d->taken ? 0 : DELIVERY_HEIR_BIT);
    if (!mailbox_reserve(d->account, d->owed, l->tail->len)) {
        delivery_answer(d, 503, server_retry_later); /* C1: what memory cannot hold is not promised */
        delivery_decided(d);
        return;
    }
    d->phase = DELIVERY_COMMITTING;
    d->request = (struct store_request){
        .op = STORE_APPEND, .worker = d->home->worker, .account = d->account->id, .done = on_appended};
    d->request.append.entry = (struct store_entry){
        .kind = STORE_KIND_MESSAGE,
        .answer = d->taken ? 200 : 202,
        .accepted_ms = now,
        .expires_ms = now + (int64_t)l->life_s * 1000,
        .sender = l->sender,
        .headers = letter_headers(l),
        .body = letter_body(l),
    };
    memcpy(d->request.append.entry.duplicate_key, l->duplicate_key, sizeof l->duplicate_key);
    d->request.append.marks = d->marks;
    make_marks(d);
    set_timer(d);
    store_submit(d->home->store, &d->request);
}
