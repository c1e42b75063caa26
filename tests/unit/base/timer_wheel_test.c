/* The timer wheel against a plain list of times, over every span. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/timer_wheel.h"

#define TIMERS 200

static struct timer_wheel wheel;

struct record {
    struct timer timer;
    unsigned fired;
    uint64_t fired_at;
};

static uint64_t last_fired;

static void note(struct timer *t)
{
    struct record *r = CONTAINER_OF(t, struct record, timer);
    assert_false(timer_is_set(t));
    assert_true(t->at_ms <= wheel.now_ms);
    assert_true(t->at_ms >= last_fired);
    last_fired = t->at_ms;
    r->fired++;
    r->fired_at = wheel.now_ms;
}

static uint64_t random_delay(struct random *random)
{
    return random_u64(random) >> (20 + random_below(random, 44));
}

static void check_next(const struct record *records)
{
    uint64_t earliest = UINT64_MAX;
    for (int i = 0; i < TIMERS; i++)
        if (timer_is_set(&records[i].timer) && records[i].timer.at_ms < earliest)
            earliest = records[i].timer.at_ms;
    uint64_t next = timer_wheel_next(&wheel);
    if (earliest == UINT64_MAX) {
        assert_true(next == UINT64_MAX);
        return;
    }
    assert_true(next > wheel.now_ms);
    assert_true(next <= earliest || next == wheel.now_ms + 1);
}

static void fires_each_at_its_time(void **state)
{
    static struct record records[TIMERS];
    struct random_seeded random;
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        random_seeded_init(&random, seed);
        timer_wheel_init(&wheel, random_delay(&random.base));
        for (int i = 0; i < TIMERS; i++)
            timer_init(&records[i].timer, note);
        for (int step = 0; step < 1000; step++) {
            struct record *r = &records[random_below(&random.base, TIMERS)];
            uint64_t choice = random_below(&random.base, 4);
            if (choice == 0)
                timer_wheel_cancel(&wheel, &r->timer);
            else
                timer_wheel_set_in(&wheel, &r->timer, random_delay(&random.base));
            check_next(records);
            if (choice == 3) {
                uint64_t to = random_below(&random.base, 2) ? wheel.now_ms + random_delay(&random.base) / 64
                                                            : timer_wheel_next(&wheel);
                if (to == UINT64_MAX)
                    continue;
                last_fired = 0;
                timer_wheel_advance(&wheel, to);
                assert_true(wheel.now_ms == to);
                for (int i = 0; i < TIMERS; i++)
                    assert_true(!timer_is_set(&records[i].timer) || records[i].timer.at_ms > to);
            }
        }
    }
}

static void fires_at_the_very_millisecond(void **state)
{
    static const uint64_t delays[] = {1,    2,      63,     64,    65,       4095,         4096,
                                      4097, 262143, 262144, 32000, 86400000, 5000000000000};
    (void)state;
    for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
        struct record r = {0};
        timer_wheel_init(&wheel, 1234567);
        timer_init(&r.timer, note);
        timer_wheel_set_in(&wheel, &r.timer, delays[i]);
        last_fired = 0;
        timer_wheel_advance(&wheel, 1234567 + delays[i] - 1);
        assert_int_equal(r.fired, 0);
        timer_wheel_advance(&wheel, 1234567 + delays[i]);
        assert_int_equal(r.fired, 1);
        assert_true(r.fired_at == 1234567 + delays[i]);
        assert_true(timer_wheel_next(&wheel) == UINT64_MAX);
    }
}

static struct record again_record;

static void again(struct timer *t)
{
    again_record.fired++;
    timer_wheel_set_in(&wheel, t, 0);
}

static void past_waits_for_the_next_advance(void **state)
{
    (void)state;
    timer_wheel_init(&wheel, 100);
    again_record.fired = 0;
    timer_init(&again_record.timer, again);
    timer_wheel_set(&wheel, &again_record.timer, 5);
    assert_int_equal(again_record.fired, 0);
    assert_true(timer_wheel_next(&wheel) == 101);
    timer_wheel_advance(&wheel, 100); /* the same millisecond */
    assert_int_equal(again_record.fired, 1);
    timer_wheel_advance(&wheel, 50); /* a clock that went back moves nothing back */
    assert_true(wheel.now_ms == 100);
    assert_int_equal(again_record.fired, 2);
    timer_wheel_cancel(&wheel, &again_record.timer);
    timer_wheel_advance(&wheel, 500);
    assert_int_equal(again_record.fired, 2);
}

static struct record victim, mover;

static void cancels_and_frees(struct timer *t)
{
    timer_wheel_cancel(&wheel, &victim.timer);
    timer_wheel_set_in(&wheel, &mover.timer, 10);
    free(CONTAINER_OF(t, struct record, timer));
}

static void fire_may_touch_others_of_the_same_millisecond(void **state)
{
    struct record *r = calloc(1, sizeof *r);
    (void)state;
    timer_wheel_init(&wheel, 0);
    victim = mover = (struct record){0};
    timer_init(&r->timer, cancels_and_frees);
    timer_init(&victim.timer, note);
    timer_init(&mover.timer, note);
    timer_wheel_set(&wheel, &r->timer, 64);
    timer_wheel_set(&wheel, &victim.timer, 64);
    timer_wheel_set(&wheel, &mover.timer, 64);
    last_fired = 0;
    timer_wheel_advance(&wheel, 70);
    assert_int_equal(victim.fired, 0);
    assert_int_equal(mover.fired, 0);
    timer_wheel_advance(&wheel, 74);
    assert_int_equal(mover.fired, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_each_at_its_time),
        cmocka_unit_test(fires_at_the_very_millisecond),
        cmocka_unit_test(past_waits_for_the_next_advance),
        cmocka_unit_test(fire_may_touch_others_of_the_same_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
