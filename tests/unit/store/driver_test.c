/* What every driver must do: one table of cases, run against each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/memory/store_memory.h"
#include "support/harness.h"

static struct harness *setup_driver(void **state, enum driver driver)
{
    struct harness *h = calloc(1, sizeof *h);
    harness_init(h, driver);
    assert_int_equal(harness_open(h), ERR_NONE);
    *state = h;
    return h;
}
static int setup_memory(void **state)
{
    (void)setup_driver(state, DRIVER_MEMORY);
    return 0;
}
static int setup_sqlite(void **state)
{
    (void)setup_driver(state, DRIVER_SQLITE);
    return 0;
}
static int teardown(void **state)
{
    harness_deinit(*state);
    free(*state);
    return 0;
}

/* The store holds exactly this, before and after a restart. */
static void expect(struct harness *h, const char *text)
{
    char *now = harness_snapshot(h);
    assert_string_equal(now, text);
    free(now);
    harness_restart(h);
    char *after = harness_snapshot(h);
    assert_string_equal(after, text);
    free(after);
}

/* The lines that begin with `word`. */
static void expect_only(struct harness *h, const char *word, const char *text)
{
    harness_restart(h);
    char *all = harness_snapshot(h), *to = all;
    for (char *line = all; *line;) {
        char *end = strchr(line, '\n') + 1;
        size_t len = (size_t)(end - line);
        if (strncmp(line, word, strlen(word)) == 0) {
            memmove(to, line, len);
            to += len;
        }
        line = end;
    }
    *to = '\0';
    assert_string_equal(all, text);
    free(all);
}

/* --- accounts --- */

static void account_is_inserted_then_updated_by_aor(void **state)
{
    struct harness *h = *state;
    struct store_request r = {.op = STORE_ACCOUNT_PUT,
                              .put = {.aor = SLICE("sip:alice@example.com"), .name = SLICE("Alice \"A\"")}};
    memcpy(r.put.credentials.md5[0], "0123456789abcdef0123456789abcdef", 33);
    memcpy(r.put.credentials.sha512_256[1], "ff", 3);
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    int64_t id = r.put.id;
    assert_int_equal(id, 1);
    assert_int_equal(harness_account(h, "sip:bob@example.com"), 2);
    r.put.id = 0;
    r.put.name = SLICE("Al");
    r.put.extra = SLICE("digest=md5");
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    assert_int_equal(r.put.id, id);
    expect(h, "account 1 aor=sip:alice@example.com name=Al extra=digest=md5"
              " ha1=0123456789abcdef0123456789abcdef,, ha1=,,ff\n"
              "account 2 aor=sip:bob@example.com name= extra= ha1=,, ha1=,,\n");
}

static void account_takes_all_with_it_and_its_id_is_not_given_again(void **state)
{
    struct harness *h = *state;
    int64_t alice = harness_account(h, "sip:alice@example.com"), bob = harness_account(h, "sip:bob@example.com");
    harness_device(h, bob, 1, 0);
    uint64_t seq = harness_append_now(h, bob, "gone");
    assert_int_equal(
        harness_mark(h, bob, (struct store_mark){.seq = seq, .device = 1, .state = STORE_FAILED, .status = 488}),
        ERR_NONE);
    uint64_t kept = harness_append_now(h, alice, "kept");
    struct store_request r = {.op = STORE_ACCOUNT_DELETE, .account = bob};
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    assert_int_equal(harness_do(h, &r), ERR_NOT_FOUND);
    expect(h, "account 1 aor=sip:alice@example.com name= extra= ha1=,, ha1=,,\n"
              "entry 1 seq=2 kind=1 answer=202 accepted=1000 expires=9000 sender=sip:bob@example.com size=16"
              " key=01020300000000000000000000000000\n");
    assert_int_equal(kept, 2);
    assert_int_equal(harness_account(h, "sip:bob@example.com"), 3);
}

static void nothing_is_done_for_an_unknown_account(void **state)
{
    struct harness *h = *state;
    struct store_device d = {.number = 1};
    struct store_mark m = {.seq = 1, .device = 0, .state = STORE_DELIVERED, .advance = true};
    struct store_request cases[] = {
        {.op = STORE_ACCOUNT_DELETE},
        {.op = STORE_REGISTER, .reg = {.devices = &d, .device_count = 1}},
        harness_append(0, "x", &m, 1),
        {.op = STORE_MARK, .mark = {.marks = &m, .mark_count = 1}},
        {.op = STORE_READ, .read = {.seqs = {1}, .count = 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cases[i].account = 4711;
        assert_int_equal(harness_do(h, &cases[i]), ERR_NOT_FOUND);
    }
    expect(h, "");
}

/* --- registrations --- */

static struct store_binding make_binding(uint8_t device, const char *contact, const char *call_id)
{
    struct store_binding b = {
        .device = device,
        .contact = slice_str(contact),
        .params = SLICE(";expires=60"),
        .path = SLICE("<sip:p1;lr>, <sip:p2;lr>"),
        .call_id = slice_str(call_id),
        .user_agent = SLICE("Phone/1"),
        .cseq = 4000000000u,
        .q = 500,
        .registered_ms = 100,
        .expires_ms = 60100,
        .flow = {.transport = TRANSPORT_TCP, .worker = 1, .listener = 3, .slot = 9, .generation = 2},
        .behind_nat = true,
    };
    assert_int_equal(address_parse(SLICE("192.0.2.1:5060"), &b.flow.local), ERR_NONE);
    assert_int_equal(address_parse(SLICE("[2001:db8::7]:40000"), &b.flow.remote), ERR_NONE);
    return b;
}

static void registration_is_kept_whole(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com");
    struct store_device devices[] = {
        {.number = 2, .key = SLICE("sip:a@x\ncall"), .features = SLICE("{}"), .position = 5, .seen_ms = 77},
        {.number = 1, .has_instance = true, .key = SLICE("<urn:uuid:7>")},
    };
    struct store_binding bindings[] = {make_binding(1, "sip:b@192.0.2.9", "c2"),
                                       make_binding(1, "sip:a@192.0.2.9", "c1"),
                                       make_binding(2, "sip:b@192.0.2.9", "c1")};
    devices[0].key = SLICE("sip:a@x call");
    bindings[2].allow = SLICE("MESSAGE");
    bindings[2].flow = (struct flow){.transport = TRANSPORT_UDP};
    struct store_request r = {.op = STORE_REGISTER,
                              .account = a,
                              .reg = {.devices = devices, .device_count = 2, .bindings = bindings, .binding_count = 3}};
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    expect(h, "account 1 aor=sip:alice@example.com name= extra= ha1=,, ha1=,,\n"
              "device 1/1 position=0 instance=1 seen=0 key=<urn:uuid:7> features=\n"
              "device 1/2 position=5 instance=0 seen=77 key=sip:a@x call features={}\n"
              "binding 1/1 contact=sip:a@192.0.2.9 params=;expires=60 path=<sip:p1;lr>, <sip:p2;lr> call_id=c1"
              " agent=Phone/1 allow=(absent) cseq=4000000000 q=500 registered=100 expires=60100 nat=1 transport=TCP"
              " local=192.0.2.1:5060 remote=[2001:db8::7]:40000 slot=0 listener=0\n"
              "binding 1/2 contact=sip:b@192.0.2.9 params=;expires=60 path=<sip:p1;lr>, <sip:p2;lr> call_id=c1"
              " agent=Phone/1 allow=MESSAGE cseq=4000000000 q=500 registered=100 expires=60100 nat=1 transport=UDP"
              " local= remote= slot=0 listener=0\n"
              "binding 1/1 contact=sip:b@192.0.2.9 params=;expires=60 path=<sip:p1;lr>, <sip:p2;lr> call_id=c2"
              " agent=Phone/1 allow=(absent) cseq=4000000000 q=500 registered=100 expires=60100 nat=1 transport=TCP"
              " local=192.0.2.1:5060 remote=[2001:db8::7]:40000 slot=0 listener=0\n");
}

static void registration_updates_removes_and_forgets(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com");
    struct store_device devices[] = {{.number = 1, .key = SLICE("one"), .position = 8}, {.number = 2}};
    struct store_binding bindings[] = {make_binding(1, "sip:a@x", "c1"), make_binding(2, "sip:a@x", "c2"),
                                       make_binding(2, "sip:a@y", "c2")};
    struct store_request r = {.op = STORE_REGISTER,
                              .account = a,
                              .reg = {.devices = devices, .device_count = 2, .bindings = bindings, .binding_count = 3}};
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    /* A position never goes back, the rest is as told last. Removal needs contact and Call-ID both. */
    struct store_device again = {.number = 1, .key = SLICE("uno"), .position = 3, .seen_ms = 5};
    struct store_binding removed[] = {{.contact = SLICE("sip:a@x"), .call_id = SLICE("c2")},
                                      {.contact = SLICE("sip:a@x"), .call_id = SLICE("c3")}};
    struct store_binding refreshed = make_binding(1, "sip:a@x", "c1");
    refreshed.cseq = 7;
    r.reg.devices = &again, r.reg.device_count = 1;
    r.reg.removed = removed, r.reg.removed_count = 2;
    r.reg.bindings = &refreshed, r.reg.binding_count = 1;
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    expect_only(h, "device",
                "device 1/1 position=8 instance=0 seen=5 key=uno features=\n"
                "device 1/2 position=0 instance=0 seen=0 key= features=\n");
    assert_int_equal(
        harness_mark(h, a, (struct store_mark){.seq = 4, .device = 2, .state = STORE_DELIVERED, .status = 200}),
        ERR_NONE);
    /* Number 2 is forgotten and given to another device at once. */
    uint8_t forgotten[] = {2, 31};
    struct store_device other = {.number = 2, .key = SLICE("other"), .position = 1};
    struct store_request f = {
        .op = STORE_REGISTER,
        .account = a,
        .reg = {.devices = &other, .device_count = 1, .forgotten = forgotten, .forgotten_count = 2}};
    assert_int_equal(harness_do(h, &f), ERR_NONE);
    expect_only(h, "device",
                "device 1/1 position=8 instance=0 seen=5 key=uno features=\n"
                "device 1/2 position=1 instance=0 seen=0 key=other features=\n");
    expect_only(h, "exception", "");
    expect_only(h, "binding",
                "binding 1/1 contact=sip:a@x params=;expires=60 path=<sip:p1;lr>, <sip:p2;lr> call_id=c1"
                " agent=Phone/1 allow=(absent) cseq=7 q=500 registered=100 expires=60100 nat=1 transport=TCP"
                " local=192.0.2.1:5060 remote=[2001:db8::7]:40000 slot=0 listener=0\n");
}

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
    expect_only(h, "device",
                "device 1/0 position=1 instance=0 seen=0 key= features=\n"
                "device 1/1 position=1 instance=0 seen=7 key=<urn:uuid:1> features=\n"
                "device 1/2 position=1 instance=0 seen=7 key=<urn:uuid:1> features=\n"
                "device 1/3 position=0 instance=0 seen=7 key=<urn:uuid:1> features=\n");
    expect_only(h, "exception",
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

/* --- the rest --- */

static void a_withdrawn_request_is_closed_and_leaves_nothing(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com");
    struct store_request r = harness_append(a, "x", NULL, 0);
    /* Withdrawn before the thread can have begun it: the flag is what store_withdraw sets. */
    store_withdraw(h->store, &r);
    assert_int_equal(harness_do(h, &r), ERR_CLOSED);
    expect_only(h, "entry", "");
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
    expect(h, "account 1 aor=sip:alice@example.com name= extra= ha1=,, ha1=,,\n");
    harness_submit(h, &append);
    assert_int_equal(store_memory_waiting(h->store), 1);
    store_memory_drop(h->store);
    assert_int_equal(store_memory_run(h->store), 0);
    assert_int_equal(harness_do(h, &append), ERR_NONE);
    assert_int_equal(append.append.entry.seq, 1);
}

#define BOTH(f)                                                                                                        \
    {"memory: " #f, f, setup_memory, teardown, NULL},                                                                  \
    {                                                                                                                  \
        "sqlite: " #f, f, setup_sqlite, teardown, NULL                                                                 \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(account_is_inserted_then_updated_by_aor),
        BOTH(account_takes_all_with_it_and_its_id_is_not_given_again),
        BOTH(nothing_is_done_for_an_unknown_account),
        BOTH(registration_is_kept_whole),
        BOTH(registration_updates_removes_and_forgets),
        BOTH(entries_are_numbered_in_the_order_submitted),
        BOTH(each_worker_gets_its_own),
        BOTH(append_carries_its_marks),
        BOTH(marks_follow_the_table),
        BOTH(entries_are_read_in_the_order_asked),
        BOTH(reading_stops_at_256_kb_but_never_at_once),
        BOTH(a_read_sees_what_was_submitted_before),
        BOTH(a_withdrawn_request_is_closed_and_leaves_nothing),
        BOTH(a_secret_is_made_once),
        BOTH(close_completes_what_is_queued),
        cmocka_unit_test_setup_teardown(memory_fails_as_told, setup_memory, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
