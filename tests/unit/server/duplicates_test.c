/* Which messages were seen: C5 of contract.md. */
#include "server/duplicates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

#define LIVE_MAX 4

static struct delivery *const somebody = (struct delivery *)(void *)&somebody;

/* The entry that somebody still waits for; 0: none. */
static uint64_t owed_seq;

static bool is_owed(void *context, int64_t account, uint64_t seq)
{
    assert_int_equal(account, 7);
    return seq == *(const uint64_t *)context;
}

static int setup(void **state)
{
    owed_seq = 0;
    struct duplicates *d;
    assert_int_equal(duplicates_new(LIVE_MAX, is_owed, &owed_seq, &d), ERR_NONE);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    duplicates_free(*state);
    return 0;
}

static const uint8_t *key_of(unsigned n)
{
    static uint8_t key[16];
    memset(key, 0, sizeof key);
    memcpy(key + 8, &n, sizeof n); /* the octets that are the table's hash stay equal: all in one bucket */
    return key;
}

static struct duplicate *begin(struct duplicates *d, unsigned n)
{
    struct duplicate *entry = duplicates_begin(d, key_of(n), somebody);
    assert_non_null(entry);
    return entry;
}

static bool knows(struct duplicates *d, unsigned n)
{
    return duplicates_find(d, key_of(n)) != NULL;
}

static void test_found_from_the_beginning(void **state)
{
    struct duplicates *d = *state;
    assert_false(knows(d, 1));
    struct duplicate *entry = begin(d, 1);
    assert_ptr_equal(duplicates_find(d, key_of(1)), entry);
    assert_ptr_equal(entry->deciding, somebody);
    assert_false(knows(d, 2));
}

static void test_the_outcome_is_kept(void **state)
{
    struct duplicates *d = *state;
    duplicates_end(d, begin(d, 1), 202, 7, 1, 100);
    const struct duplicate *entry = duplicates_find(d, key_of(1));
    assert_non_null(entry);
    assert_null(entry->deciding);
    assert_int_equal(entry->status, 202);
}

static void test_dropped_is_forgotten(void **state)
{
    struct duplicates *d = *state;
    duplicates_drop(d, begin(d, 1));
    assert_false(knows(d, 1));
}

static void test_live_ones_are_bounded_stored_ones_are_not(void **state)
{
    struct duplicates *d = *state;
    for (unsigned i = 0; i < 100; i++)
        duplicates_end(d, begin(d, 1000 + i), 202, 7, 1, 100);
    for (unsigned i = 0; i < 10; i++)
        duplicates_end(d, begin(d, i), 200, 0, 0, 100);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(knows(d, i), i >= 10 - LIVE_MAX);
    for (unsigned i = 0; i < 100; i++)
        assert_true(knows(d, 1000 + i));
}

static void test_no_room_for_live_ones_at_all(void **state)
{
    struct duplicates *d;
    (void)state;
    assert_int_equal(duplicates_new(0, is_owed, &owed_seq, &d), ERR_NONE);
    duplicates_end(d, begin(d, 1), 200, 0, 0, 100);
    assert_false(knows(d, 1));
    duplicates_free(d);
}

static void test_what_is_decided_gives_no_way(void **state)
{
    struct duplicates *d = *state;
    (void)begin(d, 1000);
    for (unsigned i = 0; i < 10; i++)
        duplicates_end(d, begin(d, i), 200, 0, 0, 100);
    for (unsigned i = 0; i < 100; i++)
        duplicates_sweep(d, 1000000);
    assert_true(knows(d, 1000));
}

static void test_what_is_owed_is_known_until_it_ends(void **state)
{
    struct duplicates *d = *state;
    duplicates_end(d, begin(d, 1), 202, 7, 5, 100);
    duplicates_end(d, begin(d, 2), 202, 7, 6, 100);
    owed_seq = 5;
    for (unsigned i = 0; i < 10; i++)
        duplicates_sweep(d, 1000000);
    assert_true(knows(d, 1));
    assert_false(knows(d, 2));
    owed_seq = 0;
    duplicates_sweep(d, 1000000);
    assert_false(knows(d, 1));
}

static void test_time(void **state)
{
    struct duplicates *d = *state;
    duplicates_end(d, begin(d, 1), 200, 0, 0, 100);
    duplicates_end(d, begin(d, 2), 202, 7, 1, 100);
    duplicates_sweep(d, 99);
    assert_true(knows(d, 1) && knows(d, 2));
    duplicates_sweep(d, 100);
    assert_false(knows(d, 1) || knows(d, 2));
}

/* One that lives long must not keep all that came after it. */
static void test_a_long_life_in_front_of_short_ones(void **state)
{
    struct duplicates *d = *state;
    duplicates_end(d, begin(d, 0), 202, 7, 1, 1000000);
    for (unsigned i = 1; i < 100; i++)
        duplicates_end(d, begin(d, i), 202, 7, 1, 100);
    for (unsigned i = 0; i < 50; i++)
        duplicates_sweep(d, 200);
    assert_true(knows(d, 0));
    for (unsigned i = 1; i < 100; i++)
        assert_false(knows(d, i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_found_from_the_beginning),
        TEST(test_the_outcome_is_kept),
        TEST(test_dropped_is_forgotten),
        TEST(test_live_ones_are_bounded_stored_ones_are_not),
        TEST(test_no_room_for_live_ones_at_all),
        TEST(test_what_is_decided_gives_no_way),
        TEST(test_what_is_owed_is_known_until_it_ends),
        TEST(test_time),
        TEST(test_a_long_life_in_front_of_short_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
