/* Deliveries. One goes through three phases: BRANCHING (branches run), COMMITTING (the store has been asked), DECIDED
 * (answered; branches may still run, and a late 2xx marks the message delivered). It lives until its last branch and
 * the store are done. */
#include "server/delivery.h"

#include <stdlib.h>

#include "base/err.h"
#include "server/branch.h"
#include "server/drain.h"
#include "server/duplicates.h"
#include "server/home.h"
#include "server/location.h"
#include "server/mailbox.h"

#define HEIR_BIT 1u

enum phase { BRANCHING, COMMITTING, DECIDED };

struct delivery {
    struct list_node node; /* in its account */
    struct server *home;
    struct account *account;
    struct letter *letter;
    struct duplicate *duplicate; /* NULL: live only */
    enum phase phase;
    uint64_t started_ms;
    struct timer timer;
    bool provisional_sent;
    bool answered;
    /* One bit per device number. */
    uint32_t running, taken, refused;
    uint32_t owed, marked; /* from the commit on */
    unsigned branches;
    uint64_t seq; /* once committed */
    uint16_t taken_status;
    uint16_t best_refusal;
    uint16_t refusals[STORE_DEVICES_MAX];
    struct packet *best_response;
    struct txn_id waiters[LIMIT_WAITERS]; /* duplicates that came meanwhile (C5) */
    unsigned waiter_count;
    struct store_request request;
    struct store_mark marks[STORE_DEVICES_MAX];
};

static const struct slice retry_later = SLICE_INIT("Retry-After: 30\r\n");

static uint32_t bit(uint8_t number)
{
    return 1u << number;
}

/* --- the answer --- */

static void answer_letter(struct server *s, const struct letter *l, uint16_t status, struct slice headers)
{
    const struct answer a = {.status = status, .headers = headers};
    if (l->has_txn)
        server_answer(s, l->txn, &a);
}

static void count_answer(struct server *s, uint16_t status)
{
    if (status == 200)
        s->counters.delivered++;
    else if (status == 202)
        s->counters.stored++;
    else
        s->counters.refused++;
}

static void answer_all(struct delivery *d, uint16_t status, struct slice headers)
{
    const struct answer a = {.status = status, .headers = headers};
    if (d->answered)
        return;
    d->answered = true;
    count_answer(d->home, status);
    answer_letter(d->home, d->letter, status, headers);
    for (unsigned i = 0; i < d->waiter_count; i++)
        server_answer(d->home, d->waiters[i], &a);
}

static void forward_best(struct delivery *d)
{
    if (d->answered)
        return;
    if (!d->best_response) {
        answer_all(d, d->best_refusal ? d->best_refusal : 480, SLICE_NONE);
        return;
    }
    d->answered = true;
    count_answer(d->home, d->best_refusal);
    if (d->letter->has_txn)
        server_forward(d->home, d->letter->txn, d->best_response);
    for (unsigned i = 0; i < d->waiter_count; i++)
        server_forward(d->home, d->waiters[i], d->best_response);
}

/* --- its end --- */

static void delivery_free(struct delivery *d)
{
    timer_wheel_cancel(d->home->wheel, &d->timer);
    list_remove(&d->node);
    d->home->deciding--;
    packet_unref(&d->best_response);
    letter_free(d->letter);
    free(d);
}

static void free_if_done(struct delivery *d)
{
    if (d->phase == DECIDED && !d->branches)
        delivery_free(d);
}

void delivery_free_all(struct account *a)
{
    LIST_EACH (node, &a->deliveries)
        delivery_free(CONTAINER_OF(node, struct delivery, node));
}

/* A refusal or a failure: nothing is remembered, a repeat is tried anew. */
static void decide_without_trace(struct delivery *d)
{
    d->phase = DECIDED;
    timer_wheel_cancel(d->home->wheel, &d->timer);
    if (d->duplicate)
        duplicates_drop(d->home->duplicates, d->duplicate);
    d->duplicate = NULL;
}

static void refuse(struct delivery *d, uint16_t status, struct slice headers)
{
    answer_all(d, status, headers);
    decide_without_trace(d);
}

static void remember(struct delivery *d, uint16_t status, bool stored)
{
    uint64_t keep = LIMIT_DUPLICATE_KEEP_MS;
    if (stored && (uint64_t)d->letter->life_s * 1000 > keep)
        keep = (uint64_t)d->letter->life_s * 1000; /* C5: for the message's life and at least 24 h */
    if (d->duplicate)
        duplicates_end(d->home->duplicates, d->duplicate, status, stored, d->home->wheel->now_ms + keep);
    d->duplicate = NULL;
}

/* --- committing --- */

static void apply_late_end(struct delivery *d, uint8_t number, enum branch_end end, uint16_t status)
{
    struct device *device = d->account->devices[number];
    if (end == BRANCH_TAKEN)
        mailbox_end(d->account, d->seq, number, STORE_DELIVERED, status);
    else if (end == BRANCH_REFUSED && device && device->reads_no_messages)
        mailbox_end_all(device);
    else if (end == BRANCH_REFUSED && status != 482)
        mailbox_end(d->account, d->seq, number, STORE_FAILED, status);
    else if (device)
        drain_hold(device);
}

static void start_draining(struct account *a, uint32_t owed)
{
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++)
        if (a->devices[n] && owed & bit(n))
            drain_start(a->devices[n]);
}

static void on_committed(struct delivery *d)
{
    struct account *a = d->account;
    uint16_t status = d->request.append.entry.answer;
    uint32_t size = d->letter->tail->len;
    uint64_t expires = d->started_ms + (uint64_t)d->letter->life_s * 1000;
    d->seq = d->request.append.entry.seq;
    (void)mailbox_add(a, d->seq, d->owed, d->marked, size, expires); /* without memory the next start tells of it */
    remember(d, status, true);
    answer_all(d, status, SLICE_NONE);
    /* What branches said while the store worked. */
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++) {
        if (!(d->owed & bit(n)) || d->running & bit(n))
            continue;
        if (d->taken & bit(n))
            apply_late_end(d, n, BRANCH_TAKEN, d->taken_status);
        else if (d->refused & bit(n))
            apply_late_end(d, n, BRANCH_REFUSED, d->refusals[n]);
    }
    mailbox_trim_copies(a);
    start_draining(a, d->owed);
}

static void on_appended(struct store_request *r)
{
    struct delivery *d = CONTAINER_OF(r, struct delivery, request);
    d->phase = DECIDED;
    timer_wheel_cancel(d->home->wheel, &d->timer);
    if (r->result == ERR_NONE) {
        on_committed(d);
    } else {
        mailbox_release(d->account, d->owed, d->letter->tail->len);
        refuse(d, 503, retry_later); /* C1: one failed step, no 2xx; C10 */
    }
    free_if_done(d);
}

static void add_mark(struct delivery *d, uint8_t number, enum store_state state, uint16_t status, bool advance)
{
    d->marks[d->request.append.mark_count++] = (struct store_mark){
        .device = number, .state = (uint8_t)state, .status = status, .advance = advance};
    d->marked |= bit(number);
}

/* The devices that are not owed the message: how it ended for them. */
static void make_marks(struct delivery *d)
{
    const struct account *a = d->account;
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++) {
        const struct device *device = a->devices[n];
        if (!device || d->owed & bit(n))
            continue;
        bool advance = !mailbox_has_backlog(device);
        if (d->refused & bit(n))
            add_mark(d, n, STORE_FAILED, d->refusals[n], advance);
        else if (d->taken & bit(n))
            add_mark(d, n, STORE_DELIVERED, d->taken_status, advance);
        else
            add_mark(d, n, STORE_REMOVED, 0, advance); /* reads no messages, or joined after it was taken */
    }
    if (!(d->owed & HEIR_BIT))
        add_mark(d, STORE_HEIR, STORE_DELIVERED, d->taken_status, a->untaken == 0);
}

static void commit(struct delivery *d, uint32_t owed)
{
    struct letter *l = d->letter;
    int64_t now = clock_wall_ms(d->home->clock);
    d->phase = COMMITTING;
    d->owed = owed | (d->taken ? 0 : HEIR_BIT);
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
    mailbox_reserve(d->account, d->owed, l->tail->len);
    timer_wheel_set(d->home->wheel, &d->timer, d->started_ms + LIMIT_DECIDE_MS);
    store_submit(d->home->store, &d->request);
}

/* --- deciding: the answer table of contract.md --- */

/* Known devices that have not had it and may still read it. */
static uint32_t owed_devices(const struct delivery *d)
{
    uint32_t owed = 0;
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++) {
        const struct device *device = d->account->devices[n];
        if (!device || device->reads_no_messages || (d->taken | d->refused) & bit(n))
            continue;
        owed |= bit(n);
    }
    return owed;
}

static bool has_devices(const struct account *a)
{
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++)
        if (a->devices[n])
            return true;
    return false;
}

static void decide_live_only(struct delivery *d)
{
    if (d->taken)
        answer_all(d, 200, SLICE_NONE);
    else if (d->best_refusal && !d->running)
        forward_best(d);
    else
        answer_all(d, 480, SLICE_NONE); /* never stored, never pushed */
    d->phase = DECIDED;
    timer_wheel_cancel(d->home->wheel, &d->timer);
}

static void decide(struct delivery *d)
{
    uint32_t owed = owed_devices(d);
    if (d->letter->live_only) {
        decide_live_only(d);
    } else if (d->taken && !owed) {
        answer_all(d, 200, SLICE_NONE); /* C2: nothing owed, nothing touches the disk */
        remember(d, 200, false);
        d->phase = DECIDED;
        timer_wheel_cancel(d->home->wheel, &d->timer);
    } else if (d->taken) {
        commit(d, owed);
    } else if (d->best_refusal >= 600) {
        forward_best(d);
        decide_without_trace(d);
    } else if (!owed && d->refused) {
        forward_best(d);
        decide_without_trace(d);
    } else if (!mailbox_has_room(d->account, d->letter->tail->len)) {
        refuse(d, 480, retry_later); /* C11 */
    } else {
        commit(d, owed);
    }
}

static void decide_if_complete(struct delivery *d)
{
    if (d->phase == BRANCHING && !d->running)
        decide(d);
}

/* --- branches --- */

static void note_refusal(struct delivery *d, uint8_t number, const struct branch_result *r)
{
    d->refused |= bit(number);
    d->refusals[number] = r->status;
    if (!branch_is_better(r->status, d->best_refusal))
        return;
    d->best_refusal = r->status;
    packet_unref(&d->best_response);
    d->best_response = r->response ? packet_ref(r->response) : NULL;
}

static void while_branching(struct delivery *d, struct branch *b, const struct branch_result *r)
{
    if (r->end == BRANCH_TAKEN) {
        if (!d->taken)
            timer_wheel_set_in(d->home->wheel, &d->timer, LIMIT_AFTER_FIRST_2XX_MS);
        d->taken |= bit(b->number);
        d->taken_status = r->status;
    } else if (r->end == BRANCH_REFUSED && r->status != 482) {
        note_refusal(d, b->number, r);
    } else if (b->device && !d->letter->live_only) {
        drain_hold(b->device);
    }
    decide_if_complete(d);
}

static void on_branch_done(void *context, struct branch *b, const struct branch_result *r)
{
    struct delivery *d = context;
    bool stays = b->device != NULL;
    d->branches--;
    d->running &= ~bit(b->number);
    if (d->phase == BRANCHING) {
        while_branching(d, b, r);
    } else if (d->phase == COMMITTING && stays) {
        if (r->end == BRANCH_TAKEN) {
            d->taken |= bit(b->number);
            d->taken_status = r->status;
        } else if (r->end == BRANCH_REFUSED && r->status != 482) {
            note_refusal(d, b->number, r);
        } else {
            drain_hold(b->device);
        }
    } else if (d->seq && stays) {
        apply_late_end(d, b->number, r->end, r->status);
        drain_start(b->device);
    }
    free_if_done(d);
}

static unsigned count_reachable(const struct delivery *d, uint64_t now)
{
    unsigned count = 0;
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++)
        if (d->account->devices[n] && location_binding(d->account->devices[n], now))
            count++;
    return count;
}

static bool may_branch(const struct delivery *d, const struct device *device)
{
    if (device->reads_no_messages)
        return false;
    return d->letter->live_only || (!device->held && !mailbox_has_backlog(device));
}

static void open_branches(struct delivery *d)
{
    struct letter *l = d->letter;
    unsigned reachable = count_reachable(d, d->home->wheel->now_ms);
    const struct branch_message m = {
        .fields = l->vias,
        .tail = l->tail,
        .cseq = l->cseq,
        .max_forwards = l->max_forwards,
        .max_breadth = (uint8_t)(reachable ? l->max_breadth / reachable : l->max_breadth), /* RFC 5393 §5.3.3 */
        .loop_hash = l->loop_hash,
    };
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++) {
        struct device *device = d->account->devices[n];
        if (!device || !may_branch(d, device) || !branch_new(device, &m, on_branch_done, d))
            continue;
        d->branches++;
        d->running |= bit(n);
    }
}

/* --- time --- */

static void on_timer(struct timer *t)
{
    struct delivery *d = CONTAINER_OF(t, struct delivery, timer);
    uint64_t now = d->home->wheel->now_ms;
    if (d->phase == COMMITTING) { /* C13: the store is slow. If it commits after all, it counts as accepted (C9) */
        store_withdraw(d->home->store, &d->request);
        answer_all(d, 503, retry_later);
    } else if (d->taken || !d->running ||
               now >= d->started_ms + (d->letter->live_only ? LIMIT_DECIDE_MS : LIMIT_STORE_MS)) {
        decide(d);
    } else {
        if (!d->provisional_sent) {
            d->provisional_sent = true;
            answer_letter(d->home, d->letter, 100, SLICE_NONE); /* RFC 4320 §4.1 */
        }
        timer_wheel_set(d->home->wheel, t, d->started_ms + (d->letter->live_only ? LIMIT_DECIDE_MS : LIMIT_STORE_MS));
    }
    free_if_done(d);
}

/* --- beginning --- */

/* True when it was seen before: answered, or waiting for the first one's outcome. */
static bool is_duplicate(struct server *home, const struct letter *l)
{
    struct duplicate *seen = duplicates_find(home->duplicates, l->duplicate_key);
    if (!seen)
        return false;
    home->counters.duplicates++;
    if (!seen->deciding)
        answer_letter(home, l, seen->status, SLICE_NONE);
    else if (seen->deciding->answered || seen->deciding->waiter_count == LIMIT_WAITERS)
        answer_letter(home, l, 503, retry_later);
    else if (l->has_txn)
        seen->deciding->waiters[seen->deciding->waiter_count++] = l->txn;
    return true;
}

/* C10: a copy that will be owed to a device without a binding could not be stored. */
static bool would_not_fit(const struct server *home, const struct account *a)
{
    if (!store_is_full(home->store))
        return false;
    if (!has_devices(a))
        return true;
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++) {
        const struct device *device = a->devices[n];
        if (device && !device->reads_no_messages && !location_binding(device, home->wheel->now_ms))
            return true;
    }
    return false;
}

static struct delivery *delivery_new(struct server *home, struct account *a, struct letter *l)
{
    struct delivery *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->home = home;
    d->account = a;
    d->letter = l;
    d->started_ms = home->wheel->now_ms;
    timer_init(&d->timer, on_timer);
    if (!l->live_only) {
        d->duplicate = duplicates_begin(home->duplicates, l->duplicate_key, d);
        if (!d->duplicate) {
            free(d);
            return NULL;
        }
    }
    list_push_back(&a->deliveries, &d->node);
    home->deciding++;
    return d;
}

void delivery_start(struct server *home, struct letter *l)
{
    struct account *a = home_account(home, l->account, l->recipient);
    struct delivery *d = NULL;
    duplicates_sweep(home->duplicates, home->wheel->now_ms);
    if (!l->live_only && is_duplicate(home, l)) {
        letter_free(l);
        return;
    }
    if (a && home->deciding < home->config->limits.deciding_max && (l->live_only || !would_not_fit(home, a)))
        d = delivery_new(home, a, l);
    if (!d) {
        answer_letter(home, l, 503, retry_later);
        count_answer(home, 503);
        letter_free(l);
        return;
    }
    open_branches(d);
    if (d->running)
        timer_wheel_set(home->wheel, &d->timer, d->started_ms + LIMIT_PROVISIONAL_MS);
    else
        decide(d);
    free_if_done(d);
}

void delivery_device_left(struct account *a, uint8_t number)
{
    LIST_EACH (node, &a->deliveries) {
        struct delivery *d = CONTAINER_OF(node, struct delivery, node);
        d->running &= ~bit(number);
        d->owed &= ~bit(number);
        if (d->phase == BRANCHING && !d->running)
            timer_wheel_set_in(a->home->wheel, &d->timer, 0); /* once the device has left */
    }
}
