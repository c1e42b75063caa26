/* The mailbox of one account in memory: a queue of entries with a bit per device, and the marks that tell the store
 * what ended. */
#include "server/mailbox_private.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "server/branch.h"
#include "server/delivery.h"
#include "server/drain.h"
#include "server/location.h"
#include "server/server_private.h"

#define HEIR_BIT 1u
/* Entries ended by one run of mailbox_expire; the timer comes back for the rest, so that a turn of the loop stays
 * short. */
#define EXPIRE_STEP 256u

static uint32_t bit(uint8_t device)
{
    return 1u << device;
}

static struct entry *entry_at(const struct account *a, uint32_t i)
{
    return &a->entries[a->entry_first + i];
}

/* Index of the first entry with a number of at least `seq`. */
static uint32_t lower_bound(const struct account *a, uint64_t seq)
{
    uint32_t low = 0, high = a->entry_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (entry_at(a, middle)->seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct entry *mailbox_find(const struct account *a, uint64_t seq)
{
    uint32_t i = lower_bound(a, seq);
    if (i == a->entry_count)
        return NULL;
    struct entry *e = entry_at(a, i);
    return e->seq == seq && e->owed ? e : NULL;
}

const struct entry *mailbox_next(const struct device *d, uint64_t after)
{
    const struct account *a = d->account;
    if (!d->owed)
        return NULL;
    for (uint32_t i = lower_bound(a, after + 1); i < a->entry_count; i++)
        if (entry_at(a, i)->owed & bit(d->number))
            return entry_at(a, i);
    return NULL;
}

bool mailbox_has_backlog(const struct device *d)
{
    return d->owed > 0 || d->appending > 0;
}

bool mailbox_has_room(const struct account *a, uint32_t size)
{
    const struct server_limits *limits = &a->home->config->limits;
    return a->untaken < limits->mailbox_messages && a->untaken_bytes + size <= limits->mailbox_bytes;
}

/* --- counting --- */

static void count_entry(struct account *a, uint32_t owed, uint32_t size, int sign)
{
    if (!owed)
        return;
    if (owed & HEIR_BIT) {
        a->untaken += (uint32_t)sign;
        a->untaken_bytes += (uint64_t)((int64_t)size * sign);
    } else {
        a->copies += (uint32_t)sign;
    }
    a->home->counters.queued += (uint64_t)(int64_t)sign;
}

static void count_devices(struct account *a, uint32_t owed, int sign)
{
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++)
        if (a->devices[n] && owed & bit(n))
            a->devices[n]->owed += (uint32_t)sign;
}

static void note_heir(struct account *a, uint64_t seq, uint32_t owed)
{
    if (!(owed & HEIR_BIT) && seq > a->heir_ended_seq)
        a->heir_ended_seq = seq;
}

static void set_owed(struct account *a, struct entry *e, uint32_t owed)
{
    note_heir(a, e->seq, owed);
    count_entry(a, e->owed, e->size, -1);
    count_entry(a, owed, e->size, +1);
    count_devices(a, e->owed & ~owed, -1);
    count_devices(a, owed & ~e->owed, +1);
    e->owed = owed;
    while (a->entry_count && !entry_at(a, 0)->owed) {
        a->entry_first++;
        a->entry_count--;
    }
}

static void count_appending(struct account *a, uint32_t owed, uint32_t size, int sign)
{
    if (owed & HEIR_BIT) {
        a->untaken += (uint32_t)sign;
        a->untaken_bytes += (uint64_t)((int64_t)size * sign);
    }
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++)
        if (a->devices[n] && owed & bit(n) && (sign > 0 || a->devices[n]->appending))
            a->devices[n]->appending += (uint32_t)sign;
}

/* --- growing --- */

/* Moves the queue to the front of its array and leaves out what has ended behind an entry that waits for long. */
static void compact(struct account *a)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < a->entry_count; i++)
        if (entry_at(a, i)->owed)
            a->entries[kept++] = *entry_at(a, i);
    a->entry_first = 0;
    a->entry_count = kept;
}

/* Room for `more` entries at the end. */
static bool make_room(struct account *a, uint32_t more)
{
    if (a->entry_first + a->entry_count + more <= a->entry_cap)
        return true;
    compact(a);
    uint32_t need = a->entry_count + more;
    if (need <= a->entry_cap / 2) /* else the next compaction would come too soon */
        return true;
    uint32_t cap = need < 4 ? 8 : need * 2;
    struct entry *grown = realloc(a->entries, cap * sizeof *grown);
    if (!grown)
        return false;
    a->entries = grown;
    a->entry_cap = cap;
    return true;
}

static struct entry *push(struct account *a)
{
    if (!make_room(a, 1))
        return NULL;
    struct entry *e = entry_at(a, a->entry_count++);
    memset(e, 0, sizeof *e);
    return e;
}

bool mailbox_reserve(struct account *a, uint32_t owed, uint32_t size)
{
    if (!make_room(a, a->reserved + 1))
        return false;
    a->reserved++;
    count_appending(a, owed, size, +1);
    return true;
}

void mailbox_release(struct account *a, uint32_t owed, uint32_t size)
{
    a->reserved--;
    count_appending(a, owed, size, -1);
}

/* C12: what is left of its life on the monotonic clock; a wall clock that jumped can't make it longer than the cap. */
static uint64_t mono_of(const struct account *a, int64_t expires_ms, uint64_t least_ms)
{
    const struct server *s = a->home;
    int64_t left = expires_ms - clock_wall_ms(s->clock);
    uint64_t most_ms = (uint64_t)s->config->limits.message_life_max_s * 1000;
    uint64_t left_ms = left > 0 ? (uint64_t)left : 0;
    left_ms = left_ms > most_ms ? most_ms : left_ms < least_ms ? least_ms : left_ms;
    return s->wheel->now_ms + left_ms;
}

int mailbox_insert(struct account *a, uint64_t seq, uint32_t owed, uint32_t size, int64_t expires_ms, uint64_t least_ms)
{
    if (seq > a->last_seq)
        a->last_seq = seq;
    note_heir(a, seq, owed);
    if (!owed)
        return ERR_NONE;
    struct entry *e = push(a);
    if (!e)
        return ERR_NO_MEMORY;
    e->seq = seq;
    e->size = size;
    e->expires_ms = expires_ms;
    e->expires_mono_ms = mono_of(a, expires_ms, least_ms);
    set_owed(a, e, owed);
    if (e->expires_mono_ms < a->entry_expiry_ms) {
        a->entry_expiry_ms = e->expires_mono_ms;
        location_schedule_expiry(a);
    }
    return ERR_NONE;
}

void mailbox_deinit(struct account *a)
{
    mailbox_free_exceptions(a);
    free(a->entries);
    a->entries = NULL;
    a->entry_count = a->entry_first = a->entry_cap = 0;
}

void mailbox_forget(struct account *a)
{
    while (a->entry_count)
        set_owed(a, entry_at(a, 0), 0);
}

/* --- marks --- */

/* One request to the store; owns itself until it completed. */
struct mark_request {
    struct store_request request;
    struct server *home;
    struct store_mark marks[];
};

static void on_marked(struct store_request *r)
{
    struct mark_request *m = CONTAINER_OF(r, struct mark_request, request);
    /* A mark that failed is covered by the device's next one; until then a restart repeats the message, with the same
     * identity (C4). */
    if (r->result != ERR_NONE)
        LOG(LOG_WARN, "mark-failed", LOG_FIELD("error", slice_str(err_text(r->result))));
    free(m);
}

static void submit_marks(struct account *a, const struct store_mark *marks, size_t count)
{
    struct mark_request *m = calloc(1, sizeof *m + count * sizeof *marks);
    if (!m)
        return; /* as a mark that failed */
    memcpy(m->marks, marks, count * sizeof *marks);
    m->home = a->home;
    m->request.op = STORE_MARK;
    m->request.worker = a->home->worker;
    m->request.account = a->id;
    m->request.done = on_marked;
    m->request.mark.marks = m->marks;
    m->request.mark.mark_count = count;
    store_submit(a->home->store, &m->request);
}

/* Whether nothing before `seq` is owed to this bit any more, so that its position may move there. */
static bool is_oldest(const struct account *a, uint64_t seq, uint32_t mask)
{
    for (uint32_t i = 0; i < a->entry_count && entry_at(a, i)->seq < seq; i++)
        if (entry_at(a, i)->owed & mask)
            return false;
    return true;
}

static struct store_mark make_mark(const struct account *a, uint64_t seq, uint8_t device, enum store_state state,
                                   uint16_t status)
{
    return (struct store_mark){
        .seq = seq,
        .device = device,
        .state = (uint8_t)state,
        .status = status,
        .advance = is_oldest(a, seq, bit(device)),
    };
}

static void count_end(struct server *s, enum store_state state)
{
    if (state == STORE_DELIVERED)
        s->counters.drained++;
    else if (state == STORE_EXPIRED)
        s->counters.expired++;
    else if (state == STORE_FAILED)
        s->counters.failed++;
}

void mailbox_end(struct account *a, uint64_t seq, uint8_t device, enum store_state state, uint16_t status)
{
    struct entry *e = mailbox_find(a, seq);
    if (!e || !(e->owed & bit(device)))
        return;
    struct store_mark marks[2] = {make_mark(a, seq, device, state, status)};
    size_t count = 1;
    uint32_t ended = bit(device);
    if (state == STORE_DELIVERED && device != STORE_HEIR && e->owed & HEIR_BIT) {
        marks[count++] = make_mark(a, seq, STORE_HEIR, state, status);
        ended |= HEIR_BIT;
    }
    count_end(a->home, state);
    set_owed(a, e, e->owed & ~ended);
    submit_marks(a, marks, count);
}

void mailbox_end_all(struct device *d)
{
    struct account *a = d->account;
    struct store_mark marks[STORE_DEVICES_MAX];
    size_t count = 0;
    for (const struct entry *e = mailbox_next(d, 0); e; e = mailbox_next(d, 0)) {
        marks[count++] = (struct store_mark){
            .seq = e->seq, .device = d->number, .state = STORE_REMOVED, .advance = true};
        set_owed(a, mailbox_find(a, e->seq), e->owed & ~bit(d->number));
        if (count == STORE_DEVICES_MAX || !d->owed) {
            submit_marks(a, marks, count);
            count = 0;
        }
    }
}

/* Devices that joined while the append was under way: their rows were committed with positions below it. They are owed
 * what nobody has taken, and the store is told of the rest. */
static uint32_t welcome_newcomers(struct account *a, uint64_t seq, uint32_t owed, uint32_t marked)
{
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++) {
        if (!a->devices[n] || (owed | marked) & bit(n) || a->devices[n]->position >= seq)
            continue;
        if (owed & HEIR_BIT) {
            owed |= bit(n);
        } else {
            const struct store_mark mark = make_mark(a, seq, n, STORE_REMOVED, 0);
            submit_marks(a, &mark, 1);
        }
    }
    return owed;
}

void mailbox_add(struct account *a, uint64_t seq, uint32_t owed, uint32_t marked, uint32_t size, int64_t expires_ms)
{
    mailbox_release(a, owed, size);
    (void)mailbox_insert(a, seq, welcome_newcomers(a, seq, owed, marked), size, expires_ms, 0);
}

/* --- devices --- */

uint64_t mailbox_first_position(const struct account *a)
{
    for (uint32_t i = 0; i < a->entry_count; i++)
        if (entry_at(a, i)->owed & HEIR_BIT)
            return entry_at(a, i)->seq - 1;
    return a->last_seq;
}

/* What ended for the heir behind the device's first position is not owed to it, and may have left the queue: the store
 * is told where that stops, and what before it is owed all the same. One request, so that a crash or a failure never
 * leaves the position without the exceptions. */
static void pass_what_others_took(struct device *d)
{
    struct account *a = d->account;
    const struct entry *first = mailbox_next(d, d->position);
    uint64_t position = first ? first->seq - 1 : a->last_seq;
    size_t count = 0;
    if (position < a->heir_ended_seq)
        position = a->heir_ended_seq;
    if (position <= d->position)
        return;
    struct store_mark *marks = calloc((size_t)d->owed + 1, sizeof *marks);
    if (!marks)
        return; /* after the next start it is told of messages that others took: once too often, never too seldom */
    for (const struct entry *e = first; e && e->seq <= position; e = mailbox_next(d, e->seq))
        marks[count++] = (struct store_mark){.seq = e->seq, .device = d->number, .state = STORE_OWED};
    /* "Delivered" with `advance` leaves no row behind: only the position moves. */
    marks[count++] = (struct store_mark){
        .seq = position, .device = d->number, .state = STORE_DELIVERED, .advance = true};
    submit_marks(a, marks, count);
    free(marks);
    d->position = position;
}

void mailbox_device_joined(struct device *d)
{
    struct account *a = d->account;
    for (uint32_t i = lower_bound(a, d->position + 1); i < a->entry_count; i++) {
        struct entry *e = entry_at(a, i);
        if (e->owed & HEIR_BIT)
            set_owed(a, e, e->owed | bit(d->number));
    }
    pass_what_others_took(d);
    delivery_device_joined(d);
}

void mailbox_device_leaves(struct device *d)
{
    struct account *a = d->account;
    for (const struct entry *e = mailbox_next(d, 0); e; e = mailbox_next(d, 0))
        set_owed(a, mailbox_find(a, e->seq), e->owed & ~bit(d->number));
    drain_stop(d);
    branch_device_left(d);
    delivery_device_left(a, d->number);
}

/* --- time and quota --- */

uint64_t mailbox_next_expiry(const struct account *a)
{
    return a->entry_expiry_ms;
}

static void expire_entry(struct account *a, struct entry *e)
{
    struct store_mark marks[STORE_DEVICES_MAX];
    size_t count = 0;
    for (uint8_t n = 0; n < STORE_DEVICES_MAX; n++)
        if (e->owed & bit(n))
            marks[count++] = make_mark(a, e->seq, n, STORE_EXPIRED, 0);
    count_end(a->home, STORE_EXPIRED);
    submit_marks(a, marks, count);
    set_owed(a, e, 0);
}

/* Where the wall clock says that there is time left, it waits on. */
static bool is_over(const struct account *a, struct entry *e, uint64_t now_mono_ms)
{
    if (!e->owed || e->expires_mono_ms > now_mono_ms)
        return false;
    if (e->expires_ms <= clock_wall_ms(a->home->clock))
        return true;
    e->expires_mono_ms = mono_of(a, e->expires_ms, 1);
    return false;
}

void mailbox_expire(struct account *a, uint64_t now_mono_ms)
{
    unsigned ended = 0;
    for (uint32_t i = 0; i < a->entry_count && ended < EXPIRE_STEP;) {
        uint64_t seq = entry_at(a, i)->seq;
        if (is_over(a, entry_at(a, i), now_mono_ms)) {
            expire_entry(a, entry_at(a, i));
            ended++;
        }
        i = lower_bound(a, seq + 1); /* the front may have moved */
    }
    a->entry_expiry_ms = UINT64_MAX;
    for (uint32_t i = 0; i < a->entry_count; i++)
        if (entry_at(a, i)->owed && entry_at(a, i)->expires_mono_ms < a->entry_expiry_ms)
            a->entry_expiry_ms = entry_at(a, i)->expires_mono_ms;
}

static struct device *longest_absent(const struct account *a, uint32_t but)
{
    struct device *oldest = NULL;
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++) {
        struct device *d = a->devices[n];
        if (d && d->owed && !(but & bit(n)) && (!oldest || d->seen_ms < oldest->seen_ms))
            oldest = d;
    }
    return oldest;
}

void mailbox_trim_copies(struct account *a)
{
    uint32_t without_copies = 0;
    while (a->copies > a->home->config->limits.copy_messages) {
        struct device *d = longest_absent(a, without_copies);
        if (!d)
            return;
        const struct entry *e = mailbox_next(d, 0);
        while (e && e->owed & HEIR_BIT)
            e = mailbox_next(d, e->seq);
        if (e)
            mailbox_end(a, e->seq, d->number, STORE_FAILED, 0);
        else
            without_copies |= bit(d->number);
    }
}
