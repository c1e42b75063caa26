/* Retention: what the sweep deletes, and above all what it does not (C5, C12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/err.h"
#include "store/limits.h"
#include "support/harness.h"
#include "support/lab.h"

#define HOUR_MS (3600ll * 1000)
#define DAY_MS  (24 * HOUR_MS)

static struct lab lab;

static int setup(void **state)
{
    (void)state;
    lab_init(&lab);
    lab_open(&lab);
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    lab_deinit(&lab);
    return 0;
}

/* Time passes in steps of an hour, as the sweep's clock must see it go by. */
static void pass_hours(int hours)
{
    for (int i = 0; i < hours; i++) {
        lab_pass(&lab, HOUR_MS);
        lab_maintain(&lab, true);
    }
}

/* An entry accepted now that expires in so many hours. */
static uint64_t append_hours(int64_t account, int hours, const struct store_mark *marks, size_t count)
{
    struct store_request r = harness_append(account, "x", marks, count);
    r.append.entry.accepted_ms = lab.wall_ms;
    r.append.entry.expires_ms = lab.wall_ms + hours * HOUR_MS;
    assert_int_equal(lab_do(&lab, &r), ERR_NONE);
    return r.append.entry.seq;
}

static void put_device(int64_t account, uint8_t number, uint64_t position)
{
    struct store_device d = {.number = number, .position = position};
    struct store_request r = {.op = STORE_REGISTER, .account = account, .reg = {.devices = &d, .device_count = 1}};
    assert_int_equal(lab_do(&lab, &r), ERR_NONE);
}

#define ENDED(d)                                                                                                       \
    {                                                                                                                  \
        .device = (d), .state = STORE_DELIVERED, .status = 200                                                         \
    }
#define PASSED(d)                                                                                                      \
    {                                                                                                                  \
        .device = (d), .state = STORE_DELIVERED, .status = 200, .advance = true                                        \
    }

struct sweep_case {
    const char *why;
    struct store_mark marks[4];
    size_t mark_count;
    int expires_hours, after_hours;
    bool stays;
};

/* One account with the devices 1 and 2 and its heir. */
static const struct sweep_case cases[] = {
    {"owed to all, old, unexpired", {{0}}, 0, 1000, 200, true},
    {"owed to the heir alone", {ENDED(1), PASSED(2)}, 2, 1000, 48, true},
    {"owed to one device", {PASSED(0), PASSED(1)}, 2, 1000, 48, true},
    {"ended for all by exceptions", {ENDED(0), ENDED(1), ENDED(2)}, 3, 1000, 48, false},
    {"ended for all by positions", {PASSED(0), PASSED(1), PASSED(2)}, 3, 1000, 48, false},
    {"ended for all, mixed", {PASSED(0), ENDED(1), PASSED(2)}, 3, 1000, 48, false},
    {"failed is ended too",
     {PASSED(0), {.device = 1, .state = STORE_FAILED, .status = 488}, PASSED(2)},
     3,
     1000,
     48,
     false},
    {"ended, but its duplicate key is needed", {PASSED(0), PASSED(1), PASSED(2)}, 3, 1000, 23, true},
    {"ended and just old enough", {PASSED(0), PASSED(1), PASSED(2)}, 3, 1000, 26, false},
    {"expired, but its duplicate key is needed", {{0}}, 0, 1, 23, true},
    {"expired long ago and still owed", {{0}}, 0, 1, 26, false},
    {"expired a moment ago: the server ends it with a mark", {{0}}, 0, 30, 30, true},
    {"expired over the grace ago", {{0}}, 0, 30, 33, false},
};

static void entries_go_by_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sweep_case *c = &cases[i];
        int64_t a = lab_account(&lab, "sip:alice@example.com");
        put_device(a, 1, 0);
        put_device(a, 2, 0);
        (void)append_hours(a, c->expires_hours, c->marks, c->mark_count);
        pass_hours(c->after_hours);
        if (lab_count(&lab, "entry") != (c->stays ? 1u : 0u))
            fail_msg("%s", c->why);
        struct store_request gone = {.op = STORE_ACCOUNT_DELETE, .account = a};
        assert_int_equal(lab_do(&lab, &gone), ERR_NONE);
        pass_hours(2);
    }
}

static void exceptions_go_with_their_entries(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    put_device(a, 1, 0);
    static const struct store_mark ended[] = {ENDED(0), {.device = 1, .state = STORE_FAILED, .status = 500}};
    (void)append_hours(a, 1000, ended, 2);
    uint64_t kept = append_hours(a, 1000, ended, 1);
    pass_hours(23);
    assert_int_equal(lab_count(&lab, "exception"), 3);
    pass_hours(3);
    assert_int_equal(lab_count(&lab, "exception"), 1);
    char line[40];
    (void)snprintf(line, sizeof line, "exception 1/0 seq=%d", (int)kept);
    assert_int_equal(lab_count(&lab, line), 1);
}

/* Numbers never come twice, even if the row with the highest one is gone: a position stands at it. */
static void a_swept_number_is_not_given_again(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    static const struct store_mark all[] = {PASSED(0)};
    for (int i = 0; i < 5; i++)
        (void)append_hours(a, 1000, all, 1);
    pass_hours(26);
    assert_int_equal(lab_count(&lab, "entry"), 0);
    lab_restart(&lab);
    assert_int_equal(append_hours(a, 1000, NULL, 0), 6);
    assert_int_equal(lab_count(&lab, "entry"), 1);
    pass_hours(48);
    assert_int_equal(lab_count(&lab, "entry"), 1);
}

/* C12: a jump of the wall clock deletes nothing, at once, after a restart, or before the time was lived through. */
static void a_jump_of_the_clock_deletes_nothing(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    static const struct store_mark all[] = {PASSED(0)};
    (void)append_hours(a, 1000, all, 1);
    (void)append_hours(a, 72, NULL, 0);
    pass_hours(2);
    lab.wall_ms += 3650 * DAY_MS;
    pass_hours(5);
    assert_int_equal(lab_count(&lab, "entry"), 2);
    for (int i = 0; i < 20; i++) {
        lab_restart(&lab); /* not by restarting again and again either */
        lab_pass(&lab, 2 * STORE_SWEEP_FIRST_MS);
        lab_maintain(&lab, true);
    }
    assert_int_equal(lab_count(&lab, "entry"), 2);
    lab.wall_ms -= 3650 * DAY_MS; /* somebody set it right */
    pass_hours(10);
    assert_int_equal(lab_count(&lab, "entry"), 2);
    pass_hours(10);
    assert_int_equal(lab_count(&lab, "entry"), 1); /* the ended one, in its time */
    pass_hours(60);
    assert_int_equal(lab_count(&lab, "entry"), 0);
}

static void a_clock_set_back_deletes_nothing(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    (void)append_hours(a, 30, NULL, 0);
    lab.wall_ms -= 1000 * DAY_MS;
    pass_hours(100);
    assert_int_equal(lab_count(&lab, "entry"), 1);
}

/* Time switched off is caught up with in as much time switched on. */
static void time_switched_off_is_caught_up_with(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    (void)append_hours(a, 1, NULL, 0);
    pass_hours(1);
    lab.wall_ms += 30 * HOUR_MS;
    lab_restart(&lab);
    pass_hours(10);
    assert_int_equal(lab_count(&lab, "entry"), 1);
    pass_hours(3);
    assert_int_equal(lab_count(&lab, "entry"), 0);
}

static void a_step_is_bounded(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    static const struct store_mark all[] = {PASSED(0)};
    struct store_request r[STORE_LIMIT_BATCH];
    size_t total = 0;
    for (; total < 2500; total += STORE_LIMIT_BATCH) {
        for (size_t i = 0; i < STORE_LIMIT_BATCH; i++) {
            r[i] = harness_append(a, "x", all, 1);
            r[i].append.entry.accepted_ms = lab.wall_ms;
            r[i].append.entry.expires_ms = lab.wall_ms + 1000 * HOUR_MS;
        }
        lab_apply(&lab, r, STORE_LIMIT_BATCH);
    }
    pass_hours(23);
    lab_pass(&lab, HOUR_MS + 1);
    size_t before = lab_count(&lab, "entry");
    assert_int_equal(before, total);
    assert_int_equal(batch_maintain(lab.batch, true), 0);
    assert_int_equal(lab_count(&lab, "entry"), total - STORE_LIMIT_SWEEP_ROWS);
    /* Somebody waits: the next step comes later, but it comes. */
    uint64_t wait = batch_maintain(lab.batch, false);
    assert_int_equal(wait, STORE_SWEEP_BUSY_MS);
    assert_int_equal(lab_count(&lab, "entry"), total - STORE_LIMIT_SWEEP_ROWS);
    lab_pass(&lab, wait);
    (void)batch_maintain(lab.batch, false);
    assert_int_equal(lab_count(&lab, "entry"), total - 2ul * STORE_LIMIT_SWEEP_ROWS);
    lab_maintain(&lab, true);
    assert_int_equal(lab_count(&lab, "entry"), 0);
    assert_true(batch_maintain(lab.batch, true) > STORE_SWEEP_INTERVAL_MS / 2);
}

static int64_t read_number(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(lab.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    return n;
}

/* The journal of a deleted account is seen no more at once, and its rows and pages go with the next round. */
static void what_was_deleted_leaves_the_file(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    char *body = calloc(1, 200001);
    memset(body, 'x', 200000);
    for (int i = 0; i < 60; i++) {
        struct store_request r = harness_append(a, body, NULL, 0);
        r.append.entry.expires_ms = INT64_MAX;
        assert_int_equal(lab_do(&lab, &r), ERR_NONE);
    }
    free(body);
    struct store_request gone = {.op = STORE_ACCOUNT_DELETE, .account = a};
    assert_int_equal(lab_do(&lab, &gone), ERR_NONE);
    assert_int_equal(lab_count(&lab, "entry"), 0);
    pass_hours(2);
    batch_close(lab.batch);
    lab.batch = NULL;
    assert_int_equal(read_number("SELECT count(*) FROM journal"), 0);
    int64_t pages = read_number("PRAGMA page_count");
    assert_true(pages < STORE_LIMIT_FREE_PAGES + STORE_LIMIT_VACUUM_PAGES + 100);
    assert_true(pages > STORE_LIMIT_FREE_PAGES); /* some stay for what comes next */
    lab_open(&lab);
    assert_int_equal(append_hours(lab_account(&lab, "sip:bob@example.com"), 1, NULL, 0), 61);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(entries_go_by_the_table),
        CASE(exceptions_go_with_their_entries),
        CASE(a_swept_number_is_not_given_again),
        CASE(a_jump_of_the_clock_deletes_nothing),
        CASE(a_clock_set_back_deletes_nothing),
        CASE(time_switched_off_is_caught_up_with),
        CASE(a_step_is_bounded),
        CASE(what_was_deleted_leaves_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
