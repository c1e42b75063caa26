/* What every driver must do with requests of any kind, and the faults of the memory driver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/memory/store_memory.h"
#include "support/both.h"

/* --- the rest --- */

static void a_withdrawn_request_is_closed_and_leaves_nothing(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com");
    struct store_request r = harness_append(a, "x", NULL, 0);
    /* Withdrawn before the thread can have begun it: the flag is what store_withdraw sets. */
    store_withdraw(h->store, &r);
    assert_int_equal(harness_do(h, &r), ERR_CLOSED);
    both_expect_only(h, "entry", "");
}

static void a_secret_is_made_once(void **state)
{
    struct harness *h = *state;
    uint8_t first[STORE_SECRET_LEN], again[STORE_SECRET_LEN], other[STORE_SECRET_LEN];
    assert_int_equal(store_secret(h->store, SLICE("nonce"), first), ERR_NONE);
    harness_restart(h);
    assert_int_equal(store_secret(h->store, SLICE("nonce"), again), ERR_NONE);
    assert_int_equal(store_secret(h->store, SLICE("duplicates"), other), ERR_NONE);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
}

static void close_completes_what_is_queued(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com");
    struct store_request r[20];
    harness_order_count = 0;
    for (int i = 0; i < 20; i++) {
        r[i] = harness_append(a, "x", NULL, 0);
        harness_submit(h, &r[i]);
    }
    store_close(h->store);
    h->store = NULL;
    enum driver driver = h->driver;
    h->driver = DRIVER_SQLITE; /* nothing is left to be run */
    harness_wait(h, 0, 20);
    h->driver = driver;
    for (int i = 0; i < 20; i++)
        assert_int_equal(r[i].result, ERR_NONE);
}

/* --- the memory driver's own --- */

static void memory_fails_as_told(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com");
    struct store_mark m = {.device = 0, .state = STORE_DELIVERED, .advance = true};
    struct store_request append = harness_append(a, "x", &m, 1);
    struct store_request read = {.op = STORE_READ, .account = a, .read = {.seqs = {1}, .count = 1}};
    assert_false(store_is_full(h->store));
    store_memory_set_full(h->store, true);
    assert_true(store_is_full(h->store));
    assert_int_equal(harness_do(h, &append), ERR_FULL);
    assert_int_equal(harness_do(h, &read), ERR_NONE);
    store_memory_set_full(h->store, false);
    store_memory_fail_appends(h->store, 2, ERR_IO);
    assert_int_equal(harness_do(h, &append), ERR_IO);
    assert_int_equal(harness_do(h, &read), ERR_NONE);
    assert_int_equal(harness_do(h, &append), ERR_IO);
    store_memory_fail_all(h->store, 1, ERR_IO);
    assert_int_equal(harness_do(h, &read), ERR_IO);
    both_expect(h, "account 1 aor=sip:alice@example.com name= extra= ha1=,, ha1=,,\n");
    harness_submit(h, &append);
    assert_int_equal(store_memory_waiting(h->store), 1);
    store_memory_drop(h->store);
    assert_int_equal(store_memory_run(h->store), 0);
    assert_int_equal(harness_do(h, &append), ERR_NONE);
    assert_int_equal(append.append.entry.seq, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_withdrawn_request_is_closed_and_leaves_nothing),
        BOTH(a_secret_is_made_once),
        BOTH(close_completes_what_is_queued),
        cmocka_unit_test_setup_teardown(memory_fails_as_told, both_setup_memory, both_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
