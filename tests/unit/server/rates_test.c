/* Token buckets. */
#include "server/rates.h"

#include <stdio.h>

#include "support/lab.h"

static const struct hash_key key = {3, 4};

static struct rates *make(uint32_t per_second, uint32_t source_burst, uint32_t per_minute, uint32_t sender_burst)
{
    const struct server_limits limits = {
        .source_per_second = per_second,
        .source_burst = source_burst,
        .sender_per_minute = per_minute,
        .sender_burst = sender_burst,
    };
    struct rates *r;
    assert_int_equal(rates_new(&key, &limits, &r), ERR_NONE);
    return r;
}

static unsigned take_all(struct rates *r, struct slice sender, uint64_t now_ms)
{
    unsigned count = 0;
    while (rates_sender(r, sender, now_ms))
        count++;
    return count;
}

static void test_burst_then_rate(void **state)
{
    struct rates *r = make(1, 1, 60, 5);
    struct slice alice = SLICE("sip:alice@example.com"), bob = SLICE("sip:bob@example.com");
    (void)state;
    assert_int_equal(take_all(r, alice, 1000), 5);
    assert_int_equal(take_all(r, alice, 1999), 0);
    assert_int_equal(take_all(r, alice, 2000), 1); /* one a second */
    assert_int_equal(take_all(r, bob, 2000), 5);
    assert_int_equal(take_all(r, alice, 4500), 2);
    assert_int_equal(take_all(r, alice, 5000), 1); /* the half was kept */
    assert_int_equal(take_all(r, alice, 10000000000), 5);
    rates_free(r);
}

/* Asking every millisecond loses no fraction. */
static void test_odd_rate(void **state)
{
    struct rates *r = make(1, 1, 7, 1);
    unsigned passed = 0;
    (void)state;
    for (uint64_t ms = 0; ms <= 600000; ms++)
        passed += rates_sender(r, SLICE("x"), ms);
    assert_in_range(passed, 70, 71); /* the last one falls on the last millisecond */
    rates_free(r);
}

static bool source(struct rates *r, const char *text)
{
    struct address a;
    assert_int_equal(address_parse(slice_str(text), &a), ERR_NONE);
    return rates_source(r, &a, 1000);
}

static void test_sources(void **state)
{
    struct rates *r = make(1, 1, 1, 1);
    (void)state;
    assert_true(source(r, "192.0.2.1:5060"));
    assert_false(source(r, "192.0.2.1:5061")); /* another port, same source */
    assert_true(source(r, "192.0.2.2:5060"));
    assert_true(source(r, "[2001:db8:0:1::1]:5060"));
    assert_false(source(r, "[2001:db8:0:1:ffff::9]:5060")); /* the same /64 */
    assert_true(source(r, "[2001:db8:0:2::1]:5060"));
    rates_free(r);
}

static void test_other_limits(void **state)
{
    struct rates *r = make(1, 1, 60, 10);
    struct server_limits less = {.sender_per_minute = 60, .sender_burst = 2, .source_per_second = 1, .source_burst = 1};
    (void)state;
    assert_true(rates_sender(r, SLICE("x"), 0));
    rates_set_limits(r, &less);
    assert_int_equal(take_all(r, SLICE("x"), 0), 2);
    rates_free(r);
}

/* The table is bounded; the longest idle is forgotten, who is busy is not. */
static void test_bounded(void **state)
{
    struct rates *r = make(1, 1, 1, 1);
    char name[32];
    (void)state;
    assert_true(rates_sender(r, SLICE("first"), 0));
    assert_true(rates_sender(r, SLICE("busy"), 0));
    for (unsigned i = 0; i < RATES_BUCKETS_MAX; i++) {
        (void)snprintf(name, sizeof name, "%u", i);
        assert_true(rates_sender(r, slice_str(name), 1));
        if (i % 1000 == 0)
            assert_false(rates_sender(r, SLICE("busy"), 1));
    }
    assert_false(rates_sender(r, SLICE("busy"), 1));
    assert_true(rates_sender(r, SLICE("first"), 1));
    rates_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_then_rate), cmocka_unit_test(test_odd_rate), cmocka_unit_test(test_sources),
        cmocka_unit_test(test_other_limits),    cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
