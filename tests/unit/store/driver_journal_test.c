/* What every driver must do with entries and their ends: order, marks, reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "support/both.h"

/* --- appends and marks --- */

static void entries_are_numbered_in_the_order_submitted(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com"), b = harness_account(h, "sip:bob@example.com");
    struct store_request r[40];
    harness_order_count = 0;
    for (int i = 0; i < 40; i++) {
        r[i] = harness_append(i % 3 ? a : b, "x", NULL, 0);
        r[i].worker = 2;
        harness_submit(h, &r[i]);
    }
    harness_wait(h, 2, 40);
    for (int i = 0; i < 40; i++) {
        assert_ptr_equal(harness_order[i], &r[i]);
        assert_int_equal(r[i].result, ERR_NONE);
        if (i > 0)
            assert_true(r[i].append.entry.seq > r[i - 1].append.entry.seq);
    }
}

static void each_worker_gets_its_own(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com");
    struct store_request r[30];
    harness_order_count = 0;
    for (int i = 0; i < 30; i++) {
        r[i] = harness_append(a, "x", NULL, 0);
        r[i].worker = (unsigned)i % HARNESS_WORKERS;
        harness_submit(h, &r[i]);
    }
    for (unsigned w = 0; w < HARNESS_WORKERS; w++) {
        harness_wait(h, w, 10);
        for (unsigned i = 0; i < 10; i++)
            assert_ptr_equal(harness_order[w * 10 + i], &r[i * HARNESS_WORKERS + w]);
    }
}

static void append_carries_its_marks(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com");
    harness_device(h, a, 1, 0);
    harness_device(h, a, 2, 0);
    harness_device(h, a, 3, 0);
    struct store_mark marks[] = {
        {.device = 0, .state = STORE_DELIVERED, .advance = true},
        {.device = 1, .state = STORE_DELIVERED, .status = 200, .advance = true},
        {.device = 2, .state = STORE_FAILED, .status = 603, .advance = true},
        {.device = 3, .state = STORE_DELIVERED, .status = 200},
        {.device = 4, .state = STORE_DELIVERED, .status = 200, .advance = true}, /* no such device: owed nothing */
    };
    struct store_request r = harness_append(a, "hello", marks, 5);
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    assert_int_equal(r.append.entry.seq, 1);
    both_expect_only(h, "device",
                     "device 1/0 position=1 instance=0 seen=0 key= features=\n"
                     "device 1/1 position=1 instance=0 seen=7 key=<urn:uuid:1> features=\n"
                     "device 1/2 position=1 instance=0 seen=7 key=<urn:uuid:1> features=\n"
                     "device 1/3 position=0 instance=0 seen=7 key=<urn:uuid:1> features=\n");
    both_expect_only(h, "exception",
                     "exception 1/2 seq=1 state=3 status=603\n"
                     "exception 1/3 seq=1 state=1 status=200\n");
}

struct mark_case {
    const char *why;
    struct store_mark marks[6];
    const char *position; /* of device 1 */
    const char *exceptions;
};

/* Entries 1..9 are there; the heir or device 1, which is at position 2, is marked. */
static const struct mark_case mark_cases[] = {
    {"advance moves", {{.seq = 3, .device = 1, .state = 1, .advance = true}}, "3", ""},
    {"advance never moves back", {{.seq = 1, .device = 1, .state = 1, .advance = true}}, "2", ""},
    {"advance to where it is", {{.seq = 2, .device = 1, .state = 1, .advance = true}}, "2", ""},
    {"an end before its turn is an exception",
     {{.seq = 5, .device = 1, .state = 1, .status = 200}},
     "2",
     "exception 1/1 seq=5 state=1 status=200\n"},
    {"what the position passes and was delivered vanishes",
     {{.seq = 5, .device = 1, .state = 1, .status = 200}, {.seq = 6, .device = 1, .state = 1, .advance = true}},
     "6",
     ""},
    {"what lies behind the new position stays",
     {{.seq = 7, .device = 1, .state = 1, .status = 200}, {.seq = 6, .device = 1, .state = 1, .advance = true}},
     "6",
     "exception 1/1 seq=7 state=1 status=200\n"},
    {"what ended otherwise stays",
     {{.seq = 4, .device = 1, .state = 3, .status = 488}, {.seq = 6, .device = 1, .state = 1, .advance = true}},
     "6",
     "exception 1/1 seq=4 state=3 status=488\n"},
    {"advance over an entry that expired keeps how it ended",
     {{.seq = 3, .device = 1, .state = 2, .advance = true}},
     "3",
     "exception 1/1 seq=3 state=2 status=0\n"},
    {"a late 2xx replaces a failure",
     {{.seq = 3, .device = 1, .state = 3, .status = 408, .advance = true}, {.seq = 3, .device = 1, .state = 1}},
     "3",
     ""},
    {"a late 2xx that advances replaces a failure",
     {{.seq = 3, .device = 1, .state = 3, .status = 408}, {.seq = 3, .device = 1, .state = 1, .advance = true}},
     "3",
     ""},
    {"the last word on an entry counts",
     {{.seq = 5, .device = 1, .state = 1, .status = 200}, {.seq = 5, .device = 1, .state = 4}},
     "2",
     "exception 1/1 seq=5 state=4 status=0\n"},
    {"below the position only what is no delivery is written",
     {{.seq = 1, .device = 1, .state = 3, .status = 500}, {.seq = 2, .device = 1, .state = 1}},
     "2",
     "exception 1/1 seq=1 state=3 status=500\n"},
    {"owed still, though the position passes it",
     {{.seq = 4, .device = 1, .state = 0}, {.seq = 6, .device = 1, .state = 1, .advance = true}},
     "6",
     "exception 1/1 seq=4 state=0 status=0\n"},
    {"owed still, then taken",
     {{.seq = 4, .device = 1, .state = 0},
      {.seq = 6, .device = 1, .state = 1, .advance = true},
      {.seq = 4, .device = 1, .state = 1, .advance = true}},
     "6",
     ""},
    {"owed still, then refused",
     {{.seq = 4, .device = 1, .state = 0},
      {.seq = 6, .device = 1, .state = 1, .advance = true},
      {.seq = 4, .device = 1, .state = 3, .status = 488, .advance = true}},
     "6",
     "exception 1/1 seq=4 state=3 status=488\n"},
    {"the heir needs no row for an exception",
     {{.seq = 5, .device = 0, .state = 1}},
     "2",
     "exception 1/0 seq=5 state=1 status=0\n"},
    {"one device's position passes nothing of another's",
     {{.seq = 3, .device = 0, .state = 1}, {.seq = 4, .device = 1, .state = 1, .advance = true}},
     "4",
     "exception 1/0 seq=3 state=1 status=0\n"},
    {"an unknown device gets neither position nor exception",
     {{.seq = 3, .device = 5, .state = 3}, {.seq = 4, .device = 5, .state = 1, .advance = true}},
     "2",
     ""},
};

static void marks_follow_the_table(void **state)
{
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof mark_cases / sizeof mark_cases[0]; i++) {
        const struct mark_case *c = &mark_cases[i];
        int64_t a = harness_account(h, "sip:alice@example.com");
        harness_device(h, a, 1, 2);
        size_t count = 0;
        while (count < 6 && c->marks[count].seq)
            count++;
        struct store_request r = {.op = STORE_MARK, .account = a, .mark = {.marks = c->marks, .mark_count = count}};
        assert_int_equal(harness_do(h, &r), ERR_NONE);
        char *got = harness_snapshot(h), want[400], exceptions[300] = "";
        /* The account's number differs from case to case: the cases say 1. */
        for (const char *p = c->exceptions; *p; p = strchr(p, '\n') + 1)
            (void)snprintf(exceptions, sizeof exceptions, "exception %lld/%s", (long long)a, strchr(p, '/') + 1);
        (void)snprintf(want, sizeof want, "device %lld/1 position=%s instance=0 seen=7 key=<urn:uuid:1> features=\n%s",
                       (long long)a, c->position, exceptions);
        if (strcmp(strstr(got, "\ndevice") + 1, want) != 0)
            fail_msg("%s: got %s", c->why, got);
        free(got);
        struct store_request gone = {.op = STORE_ACCOUNT_DELETE, .account = a};
        assert_int_equal(harness_do(h, &gone), ERR_NONE);
    }
}

/* --- reading --- */

static void entries_are_read_in_the_order_asked(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com"), b = harness_account(h, "sip:bob@example.com");
    uint64_t first = harness_append_now(h, a, "first"), foreign = harness_append_now(h, b, "foreign");
    struct store_request append = harness_append(a, NULL, NULL, 0);
    append.append.entry.body = slice_make("a\0b\xff", 4);
    assert_int_equal(harness_do(h, &append), ERR_NONE);
    uint64_t second = append.append.entry.seq;
    append.append.entry.body = append.append.entry.headers = SLICE_NONE;
    assert_int_equal(harness_do(h, &append), ERR_NONE);
    harness_restart(h);
    struct store_request r = {.op = STORE_READ,
                              .account = a,
                              .read = {.seqs = {second, foreign, first, 99999, append.append.entry.seq}, .count = 5}};
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    assert_int_equal(r.read.ret_count, 5);
    static const struct {
        const char *bytes;
        size_t len;
    } want[] = {
        {"Subject: x\r\na\0b\xffsip:bob@example.com", 35},
        {NULL, 0},
        {"Subject: x\r\nfirstsip:bob@example.com", 36},
        {NULL, 0},
        {"sip:bob@example.com", 19},
    };
    for (size_t i = 0; i < 5; i++) {
        struct store_row *row = &r.read.rows[i];
        assert_int_equal(row->seq, r.read.seqs[i]);
        if (!want[i].bytes) {
            assert_null(row->bytes);
            continue;
        }
        assert_int_equal(row->bytes->len, want[i].len);
        assert_memory_equal(row->bytes->data, want[i].bytes, want[i].len);
        assert_int_equal(row->headers_len + row->body_len + row->sender_len, want[i].len);
        assert_int_equal(row->sender_len, 19);
        assert_int_equal(row->accepted_ms, 1000);
        assert_int_equal(row->expires_ms, 9000);
        packet_unref(&row->bytes);
    }
}

static void reading_stops_at_256_kb_but_never_at_once(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com");
    static const struct {
        size_t body, asked, got;
    } cases[] = {{100000, 8, 3}, {300000, 4, 1}, {1000, 16, 16}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *body = calloc(1, cases[i].body + 1);
        memset(body, 'x', cases[i].body);
        struct store_request r = {.op = STORE_READ, .account = a, .read = {.count = cases[i].asked}};
        for (size_t k = 0; k < cases[i].asked; k++)
            r.read.seqs[k] = harness_append_now(h, a, body);
        assert_int_equal(harness_do(h, &r), ERR_NONE);
        assert_int_equal(r.read.ret_count, cases[i].got);
        for (size_t k = 0; k < r.read.ret_count; k++) {
            assert_int_equal(r.read.rows[k].body_len, cases[i].body);
            packet_unref(&r.read.rows[k].bytes);
        }
        free(body);
    }
}

static void a_read_sees_what_was_submitted_before(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com");
    struct store_request append = harness_append(a, "x", NULL, 0);
    struct store_request read = {.op = STORE_READ, .account = a, .read = {.seqs = {1}, .count = 1}};
    harness_order_count = 0;
    harness_submit(h, &append);
    harness_submit(h, &read);
    harness_wait(h, 0, 2);
    assert_non_null(read.read.rows[0].bytes);
    packet_unref(&read.read.rows[0].bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(entries_are_numbered_in_the_order_submitted),
        BOTH(each_worker_gets_its_own),
        BOTH(append_carries_its_marks),
        BOTH(marks_follow_the_table),
        BOTH(entries_are_read_in_the_order_asked),
        BOTH(reading_stops_at_256_kb_but_never_at_once),
        BOTH(a_read_sees_what_was_submitted_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
