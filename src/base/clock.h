/* Time comes in through this vtable: the daemon gives the real clocks, the simulator and the tests a virtual one. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    /* Milliseconds that never go back; the origin means nothing. All timers use it (C12). */
    uint64_t (*mono_ms)(struct clock *);
    /* Milliseconds since 1970-01-01 UTC; may jump. */
    int64_t (*wall_ms)(struct clock *);
};

static inline uint64_t clock_mono_ms(struct clock *c)
{
    return c->mono_ms(c);
}
static inline int64_t clock_wall_ms(struct clock *c)
{
    return c->wall_ms(c);
}

/* CLOCK_MONOTONIC and CLOCK_REALTIME; a static object. */
struct clock *clock_system(void);

#endif
