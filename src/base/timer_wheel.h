/* Hierarchical timer wheel with a tick of one millisecond: set and cancel in constant time, no allocation. Timers live
 * inside the caller's records. Driven from outside: it reads no clock. One thread only. */
#ifndef BASE_TIMER_WHEEL_H
#define BASE_TIMER_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define TIMER_WHEEL_LEVELS 6
#define TIMER_WHEEL_SLOTS  64

struct timer {
    struct list_node node;
    uint64_t at_ms;
    void (*fire)(struct timer *);
};

struct timer_wheel {
    uint64_t now_ms;
    uint64_t occupied[TIMER_WHEEL_LEVELS]; /* one bit a slot */
    struct list slots[TIMER_WHEEL_LEVELS][TIMER_WHEEL_SLOTS];
    struct list due; /* set for a time that was past already */
    struct list far; /* beyond the span of all levels (two years) */
};

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ms);
static inline void timer_init(struct timer *t, void (*fire)(struct timer *))
{
    list_node_init(&t->node);
    t->at_ms = 0;
    t->fire = fire;
}
static inline bool timer_is_set(const struct timer *t)
{
    return list_is_linked(&t->node);
}
/* Sets or moves it. A time in the past fires at the next advance, never inside this call. */
void timer_wheel_set(struct timer_wheel *w, struct timer *t, uint64_t at_ms);
/* Sets it `delay_ms` after the wheel's now. */
static inline void timer_wheel_set_in(struct timer_wheel *w, struct timer *t, uint64_t delay_ms)
{
    timer_wheel_set(w, t, w->now_ms + delay_ms);
}
void timer_wheel_cancel(struct timer_wheel *w, struct timer *t);
/* Fires what is due up to and including now_ms, earliest first; a timer is unset before its fire is called, and fire
 * may set or cancel any timer, or free its own record. */
void timer_wheel_advance(struct timer_wheel *w, uint64_t now_ms);
/* A time not later than the earliest timer and later than now, or UINT64_MAX when none is set. */
uint64_t timer_wheel_next(const struct timer_wheel *w);

#endif
