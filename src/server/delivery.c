/* Deliveries. One goes through three phases: BRANCHING (branches run), COMMITTING (the store has been asked), DECIDED
 * (answered; branches may still run, and a late 2xx marks the message delivered). It lives until its last branch and
 * the store are done. */
#include "server/delivery.h"

#include <stdlib.h>

#include "base/err.h"
#include "server/delivery_private.h"
#include "server/drain.h"
#include "server/home.h"
#include "server/location.h"
#include "server/mailbox.h"

/* --- its end --- */

static void delivery_free(struct delivery *d)
{
    timer_wheel_cancel(d->home->wheel, &d->timer);
    list_remove(&d->node);
    server_end_deciding(d->home, d->letter->tail->len);
    /* A refusal or a failure: nothing is remembered. A repeat is tried anew now that the last branch has ended, so that
     * two attempts are never in flight together (C4); until now it got the same answer. */
    if (d->duplicate)
        duplicates_drop(d->home->duplicates, d->duplicate);
    packet_unref(&d->best_response);
    letter_free(d->letter);
    free(d);
}

void delivery_free_if_done(struct delivery *d)
{
    if (d->phase == DELIVERY_DECIDED && !d->branches)
        delivery_free(d);
}

void delivery_free_all(struct account *a)
{
    LIST_EACH (node, &a->deliveries)
        delivery_free(CONTAINER_OF(node, struct delivery, node));
}

void delivery_decided(struct delivery *d)
{
    d->phase = DELIVERY_DECIDED;
    timer_wheel_cancel(d->home->wheel, &d->timer);
}

void delivery_remember(struct delivery *d, uint16_t status)
{
    if (d->duplicate)
        duplicates_end(d->home->duplicates, d->duplicate, status, d->account->id, d->seq,
                       d->home->wheel->now_ms + LIMIT_DUPLICATE_KEEP_MS);
    d->duplicate = NULL;
}

/* --- deciding: the answer table of contract.md --- */

/* Known devices that have not had it and may still read it. */
static uint32_t owed_devices(const struct delivery *d)
{
    uint32_t owed = 0;
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++) {
        const struct device *device = d->account->devices[n];
        if (!device || device->reads_no_messages || (d->taken | d->refused) & delivery_bit(n))
            continue;
        owed |= delivery_bit(n);
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

/* Devices that have said before that they read no messages (405, 501) count as none: then it is kept for who signs in
 * elsewhere. */
static bool all_refused(const struct delivery *d, uint32_t owed)
{
    return !owed && !d->taken && d->refused;
}

static void refuse(struct delivery *d, uint16_t status, struct slice headers)
{
    delivery_answer(d, status, headers);
    delivery_decided(d);
}

static void decide_live_only(struct delivery *d)
{
    if (d->taken)
        delivery_answer(d, 200, SLICE_NONE);
    else if (d->best_refusal && !d->running)
        delivery_answer_best(d);
    else
        delivery_answer(d, 480, SLICE_NONE); /* never stored, never pushed */
    delivery_decided(d);
}

static void decide(struct delivery *d)
{
    uint32_t owed = owed_devices(d);
    if (d->letter->live_only) {
        decide_live_only(d);
    } else if (d->taken && !owed) {
        delivery_answer(d, 200, SLICE_NONE); /* C2: nothing owed, nothing touches the disk */
        delivery_remember(d, 200);
        delivery_decided(d);
    } else if (d->taken) {
        delivery_commit(d, owed);
    } else if (d->best_refusal >= 600 || all_refused(d, owed)) {
        delivery_answer_best(d);
        delivery_decided(d);
    } else if (!mailbox_has_room(d->account, d->letter->tail->len)) {
        refuse(d, 480, server_retry_later); /* C11 */
    } else {
        delivery_commit(d, owed);
    }
}

static void decide_if_complete(struct delivery *d)
{
    if (d->phase == DELIVERY_BRANCHING && !d->running)
        decide(d);
}

/* --- branches --- */

/* `device` is NULL when it left meanwhile: its number may be another's by now. */
static void note_refusal(struct delivery *d, const struct device *device, const struct branch_result *r)
{
    if (device) {
        d->refused |= delivery_bit(device->number);
        d->refusals[device->number] = r->status;
    }
    if (!branch_is_better(r->status, d->best_refusal))
        return;
    d->best_refusal = r->status;
    packet_unref(&d->best_response);
    d->best_response = r->response ? packet_ref(r->response) : NULL;
}

static void note_taken(struct delivery *d, const struct device *device, const struct branch_result *r)
{
    d->taken |= DELIVERY_HEIR_BIT | (device ? delivery_bit(device->number) : 0);
    d->taken_status = r->status;
}

/* An attempt ended at a REGISTER from elsewhere, if not before (C4): what it says after that is no news of the device,
 * except a 2xx. */
static void before_commit(struct delivery *d, struct branch *b, const struct branch_result *r)
{
    struct device *device = b->device;
    bool is_first = r->end == BRANCH_TAKEN && !d->taken && d->phase == DELIVERY_BRANCHING;
    if (is_first)
        timer_wheel_set_in(d->home->wheel, &d->timer, LIMIT_AFTER_FIRST_2XX_MS);
    if (r->end == BRANCH_TAKEN)
        note_taken(d, device, r);
    else if (!b->is_current)
        return;
    else if (r->end == BRANCH_REFUSED && r->status != 482)
        note_refusal(d, device, r);
    else if (device && !d->letter->live_only && r->status == 482)
        drain_repeat_later(device);
    else if (device && !d->letter->live_only)
        drain_hold(device);
}

static void on_branch_done(void *context, struct branch *b, const struct branch_result *r)
{
    struct delivery *d = context;
    struct device *device = b->device;
    d->branches--;
    if (device)
        d->running &= ~delivery_bit(b->number);
    if (d->phase != DELIVERY_DECIDED)
        before_commit(d, b, r);
    else if (d->seq && device && (b->is_current || r->end == BRANCH_TAKEN))
        delivery_late_end(d, device, r->end, r->status);
    if (device && device->reads_no_messages)
        mailbox_end_all(device);
    decide_if_complete(d);
    if (d->phase == DELIVERY_DECIDED && device)
        drain_start(device);
    delivery_free_if_done(d);
}

/* A device that gets no branch now is owed a copy, whatever the others say. */
static bool may_branch(const struct letter *l, const struct device *device, uint64_t now)
{
    if (device->reads_no_messages || !location_binding(device, now))
        return false;
    return l->live_only || (!device->held && !mailbox_has_backlog(device));
}

static unsigned count_branches(const struct delivery *d, uint64_t now)
{
    unsigned count = 0;
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++)
        if (d->account->devices[n] && may_branch(d->letter, d->account->devices[n], now))
            count++;
    return count;
}

/* RFC 5393 §5.3.3: the branches share the breadth. Where it is less than the devices, the rest of them wait for the
 * mailbox, which is what that section calls forking serially. */
static void open_branches(struct delivery *d)
{
    struct letter *l = d->letter;
    uint64_t now = d->home->wheel->now_ms;
    unsigned wanted = count_branches(d, now);
    unsigned allowed = wanted < l->max_breadth ? wanted : l->max_breadth;
    const struct branch_message m = {
        .fields = l->vias,
        .tail = l->tail,
        .cseq = l->cseq,
        .max_forwards = l->max_forwards,
        .max_breadth = (uint8_t)(allowed ? l->max_breadth / allowed : 0),
        .loop_hash = l->loop_hash,
    };
    for (uint8_t n = 1; n < STORE_DEVICES_MAX && d->branches < allowed; n++) {
        struct device *device = d->account->devices[n];
        if (!device || !may_branch(l, device, now) || !branch_new(device, &m, on_branch_done, d))
            continue;
        d->branches++;
        d->running |= delivery_bit(n);
    }
}

/* --- time --- */

static void while_committing(struct delivery *d)
{
    uint64_t decide_ms = d->started_ms + LIMIT_DECIDE_MS;
    if (d->home->wheel->now_ms < decide_ms) {
        delivery_provision(d);
        timer_wheel_set(d->home->wheel, &d->timer, decide_ms);
        return;
    }
    /* C13: the store is slow. If it commits after all, it counts as accepted (C9). */
    store_withdraw(d->home->store, &d->request);
    delivery_answer(d, 503, server_retry_later);
}

static void on_timer(struct timer *t)
{
    struct delivery *d = CONTAINER_OF(t, struct delivery, timer);
    uint64_t decide_ms = d->started_ms + (d->letter->live_only ? LIMIT_DECIDE_MS : LIMIT_STORE_MS);
    if (d->phase == DELIVERY_COMMITTING) {
        while_committing(d);
    } else if (d->taken || !d->running || d->home->wheel->now_ms >= decide_ms) {
        decide(d);
    } else {
        delivery_provision(d);
        timer_wheel_set(d->home->wheel, t, decide_ms);
    }
    delivery_free_if_done(d);
}

/* --- beginning --- */

/* True when it was seen before: answered, or waiting for the first one's outcome. */
static bool is_duplicate(struct server *home, const struct letter *l)
{
    struct duplicate *seen = duplicates_find(home->duplicates, l->duplicate_key);
    if (!seen)
        return false;
    struct delivery *first = seen->deciding;
    home->counters.duplicates++;
    if (!first)
        delivery_answer_letter(home, l, seen->status, SLICE_NONE);
    else if (first->answered)
        delivery_answer_letter(home, l, first->answered, server_retry_later);
    else if (first->waiter_count == LIMIT_WAITERS)
        delivery_answer_letter(home, l, 503, server_retry_later);
    else if (l->has_txn)
        first->waiters[first->waiter_count++] = l->txn;
    return true;
}

/* C10: a copy that will surely be owed could not be stored. */
static bool would_not_fit(const struct server *home, const struct account *a, const struct letter *l)
{
    if (!store_is_full(home->store))
        return false;
    if (!has_devices(a))
        return true;
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++) {
        const struct device *device = a->devices[n];
        if (device && !device->reads_no_messages && !may_branch(l, device, home->wheel->now_ms))
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
    return d;
}

/* A Route that is not ours may name the edge in front of a device, where the message goes anyway; never anything else
 * (contract.md, last wire rules). */
static bool route_is_a_path(const struct account *a, const struct letter *l)
{
    struct addr first;
    size_t fault;
    struct slice value = slice_skip(l->routes, sizeof "Route: " - 1);
    value = slice_head(value, (size_t)slice_find(value, '\r'));
    return addr_parse(value, &first, &fault) >= 0 && location_has_path(a, &first.uri);
}

void delivery_start(struct server *home, struct letter *l)
{
    struct account *a = home_account(home, l->account, l->recipient);
    struct delivery *d = NULL;
    if (a && l->routes.len && !route_is_a_path(a, l)) {
        delivery_answer_letter(home, l, 403, SLICE_NONE);
        delivery_count_answer(home, 403);
        letter_free(l);
        return;
    }
    duplicates_sweep(home->duplicates, home->wheel->now_ms);
    if (!l->live_only && is_duplicate(home, l)) {
        letter_free(l);
        return;
    }
    if (a && (l->live_only || !would_not_fit(home, a, l)) && server_begin_deciding(home, l->tail->len)) {
        d = delivery_new(home, a, l);
        if (!d)
            server_end_deciding(home, l->tail->len);
    }
    if (!d) {
        delivery_answer_letter(home, l, 503, server_retry_later);
        delivery_count_answer(home, 503);
        letter_free(l);
        return;
    }
    open_branches(d);
    if (d->running)
        timer_wheel_set(home->wheel, &d->timer, d->started_ms + LIMIT_PROVISIONAL_MS);
    else
        decide(d);
    delivery_free_if_done(d);
}

void delivery_device_joined(struct device *device)
{
    LIST_EACH (node, &device->account->deliveries) {
        struct delivery *d = CONTAINER_OF(node, struct delivery, node);
        if (d->phase != DELIVERY_COMMITTING || !(d->owed & DELIVERY_HEIR_BIT))
            continue;
        d->owed |= delivery_bit(device->number);
        device->appending++; /* as mailbox_reserve would have counted */
    }
}

void delivery_device_left(struct account *a, uint8_t number)
{
    LIST_EACH (node, &a->deliveries) {
        struct delivery *d = CONTAINER_OF(node, struct delivery, node);
        /* Its number may soon be another device's, for whom nothing of this holds. */
        d->running &= ~delivery_bit(number);
        d->taken &= ~delivery_bit(number);
        d->refused &= ~delivery_bit(number);
        d->owed &= ~delivery_bit(number);
        d->marked &= ~delivery_bit(number);
        if (d->phase == DELIVERY_BRANCHING && !d->running)
            timer_wheel_set_in(a->home->wheel, &d->timer, 0); /* once the device has left */
    }
}
