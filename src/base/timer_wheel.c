/* The wheel: level n has 64 slots of 64^n ms. A timer lies in the level of the highest base-64 digit in which its time
 * differs from now. So every occupied slot of a level lies ahead of now's digit, a lower level's slots come before a
 * higher one's, and when now reaches a slot its timers are due or move down. */
#include "base/timer_wheel.h"

#define DIGIT_BITS 6
#define SPAN_BITS  (DIGIT_BITS * TIMER_WHEEL_LEVELS)

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ms)
{
    w->now_ms = now_ms;
    list_init(&w->due);
    list_init(&w->far);
    for (int level = 0; level < TIMER_WHEEL_LEVELS; level++) {
        w->occupied[level] = 0;
        for (int slot = 0; slot < TIMER_WHEEL_SLOTS; slot++)
            list_init(&w->slots[level][slot]);
    }
}

static unsigned level_of(const struct timer_wheel *w, uint64_t at_ms)
{
    return (unsigned)(63 - __builtin_clzll(at_ms ^ w->now_ms)) / DIGIT_BITS;
}

static unsigned slot_of(uint64_t at_ms, unsigned level)
{
    return (unsigned)(at_ms >> (DIGIT_BITS * level)) % TIMER_WHEEL_SLOTS;
}

static void place(struct timer_wheel *w, struct timer *t)
{
    if (t->at_ms <= w->now_ms) {
        list_push_back(&w->due, &t->node);
        return;
    }
    unsigned level = level_of(w, t->at_ms);
    if (level >= TIMER_WHEEL_LEVELS) {
        list_push_back(&w->far, &t->node);
        return;
    }
    unsigned slot = slot_of(t->at_ms, level);
    list_push_back(&w->slots[level][slot], &t->node);
    w->occupied[level] |= (uint64_t)1 << slot;
}

void timer_wheel_set(struct timer_wheel *w, struct timer *t, uint64_t at_ms)
{
    timer_wheel_cancel(w, t);
    t->at_ms = at_ms;
    place(w, t);
}

void timer_wheel_cancel(struct timer_wheel *w, struct timer *t)
{
    if (!timer_is_set(t))
        return;
    list_remove(&t->node);
    if (t->at_ms <= w->now_ms)
        return;
    unsigned level = level_of(w, t->at_ms);
    if (level >= TIMER_WHEEL_LEVELS)
        return;
    unsigned slot = slot_of(t->at_ms, level);
    if (list_is_empty(&w->slots[level][slot]))
        w->occupied[level] &= ~((uint64_t)1 << slot);
}

/* The time of the next slot that is not empty, and that slot's level (TIMER_WHEEL_LEVELS: the list of far ones). */
static uint64_t next_slot(const struct timer_wheel *w, unsigned *ret_level)
{
    for (unsigned level = 0; level < TIMER_WHEEL_LEVELS; level++) {
        if (!w->occupied[level])
            continue;
        uint64_t slot = (uint64_t)__builtin_ctzll(w->occupied[level]);
        unsigned shift = DIGIT_BITS * level;
        uint64_t higher = w->now_ms >> shift >> DIGIT_BITS << DIGIT_BITS << shift;
        *ret_level = level;
        return higher | slot << shift;
    }
    *ret_level = TIMER_WHEEL_LEVELS;
    if (list_is_empty(&w->far))
        return UINT64_MAX;
    return ((w->now_ms >> SPAN_BITS) + 1) << SPAN_BITS;
}

/* Unset before each fire, one at a time, so that a fire may cancel or set any other. */
static void fire_all(struct list *due)
{
    struct list_node *n;
    while ((n = list_pop_front(due))) {
        struct timer *t = CONTAINER_OF(n, struct timer, node);
        t->fire(t);
    }
}

static void enter_slot(struct timer_wheel *w, unsigned level, uint64_t at_ms)
{
    struct list arrived, due;
    struct list_node *n;
    list_init(&arrived);
    list_init(&due);
    w->now_ms = at_ms;
    if (level == TIMER_WHEEL_LEVELS) {
        list_splice(&arrived, &w->far);
    } else {
        unsigned slot = slot_of(at_ms, level);
        list_splice(&arrived, &w->slots[level][slot]);
        w->occupied[level] &= ~((uint64_t)1 << slot);
    }
    while ((n = list_pop_front(&arrived))) {
        struct timer *t = CONTAINER_OF(n, struct timer, node);
        if (t->at_ms <= at_ms)
            list_push_back(&due, n);
        else
            place(w, t);
    }
    fire_all(&due);
}

void timer_wheel_advance(struct timer_wheel *w, uint64_t now_ms)
{
    struct list due;
    list_init(&due);
    list_splice(&due, &w->due); /* what a fire adds to w->due waits for the next advance: no endless loop */
    fire_all(&due);
    for (;;) {
        unsigned level;
        uint64_t at_ms = next_slot(w, &level);
        if (at_ms > now_ms || at_ms == UINT64_MAX)
            break;
        enter_slot(w, level, at_ms);
    }
    if (now_ms > w->now_ms)
        w->now_ms = now_ms;
}

uint64_t timer_wheel_next(const struct timer_wheel *w)
{
    unsigned level;
    if (!list_is_empty(&w->due))
        return w->now_ms + 1;
    return next_slot(w, &level);
}
