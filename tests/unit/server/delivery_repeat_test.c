/* A MESSAGE that comes twice: C5, C9 and C13 of contract.md, against a whole server. */
#include "server/delivery.h"

#include <stdio.h>
#include <string.h>

#include "server/mailbox.h"
#include "support/post.h"

static const struct post_phone phone_a = {.address = PHONE_A, .instance = "a"};

static int setup(void **state)
{
    *state = lab_new(2);
    return 0;
}

static int teardown(void **state)
{
    lab_free(*state);
    return 0;
}

/* --- C5 --- */

struct repeat {
    const char *what;
    struct post_message first, second;
    bool is_duplicate;
};

#define CPIM(id)                                                                                                       \
    "From: <sip:alice@example.com>\r\nTo: <sip:bob@example.com>\r\nNS: imdn <urn:ietf:params:imdn>\r\n"                \
    "imdn.Message-ID: " id "\r\n\r\nContent-Type: text/plain\r\n\r\nhi"

static const struct repeat repeats[] = {
    {"the same bytes", {.call_id = "x"}, {.call_id = "x"}, true},
    {"another Call-ID", {.call_id = "x"}, {.call_id = "y"}, false},
    {"another CSeq", {.call_id = "x", .cseq = 1}, {.call_id = "x", .cseq = 2}, false},
    {"another From tag", {.call_id = "x", .tag = "1"}, {.call_id = "x", .tag = "2"}, false},
    {"another Request-URI", {.call_id = "x"}, {.call_id = "x", .uri = BOB ";x"}, false},
    {"another sender", {.call_id = "x"}, {.call_id = "x", .from = "sip:carol@example.com"}, false},
    {"another body is still the same", {.call_id = "x", .body = "1"}, {.call_id = "x", .body = "2"}, true},
    {"the same X-Telex-ID, another Call-ID",
     {.call_id = "x", .extra = "X-Telex-ID: 1\r\n"},
     {.call_id = "y", .extra = "X-Telex-ID: 1\r\n"},
     true},
    {"another X-Telex-ID, the same Call-ID",
     {.call_id = "x", .extra = "X-Telex-ID: 1\r\n"},
     {.call_id = "x", .extra = "X-Telex-ID: 2\r\n"},
     false},
    {"the same X-Telex-ID of another sender",
     {.extra = "X-Telex-ID: 1\r\n"},
     {.extra = "X-Telex-ID: 1\r\n", .from = "sip:carol@example.com"},
     false},
    {"the same imdn.Message-ID, another Call-ID",
     {.call_id = "x", .type = "message/cpim", .body = CPIM("m1")},
     {.call_id = "y", .type = "message/cpim", .body = CPIM("m1")},
     true},
    {"another imdn.Message-ID",
     {.call_id = "x", .type = "message/cpim", .body = CPIM("m1")},
     {.call_id = "x", .type = "message/cpim", .body = CPIM("m2")},
     false},
};

/* First time kept on disk, then live, then in both cases again after a restart. */
static void run_repeat(const struct repeat *r, bool is_live, bool restarts)
{
    struct lab *lab = lab_new(2);
    if (is_live)
        post_register(lab, &phone_a);
    const char *branch = post_send(lab, &r->first);
    if (is_live)
        post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    int expected = is_live ? 200 : 202;
    assert_int_equal(post_status(lab, branch), expected);
    if (restarts)
        lab_restart(lab);
    lab_clear(lab);
    branch = post_send(lab, &r->second);
    bool is_new = is_live ? post_count(lab, PHONE_A) == 1 : post_stored(lab) == 2;
    int status = post_status(lab, branch);
    if (is_new == r->is_duplicate || (r->is_duplicate && status != expected))
        fail_msg("%s, live %d, restart %d: %d", r->what, is_live, restarts, status);
    lab_free(lab);
}

static void test_c5_every_form_of_the_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof repeats / sizeof repeats[0]; i++) {
        run_repeat(&repeats[i], false, false);
        run_repeat(&repeats[i], true, false);
        run_repeat(&repeats[i], false, true);
    }
}

static void test_c5_the_same_id_to_another_recipient_is_new(void **state)
{
    struct lab *lab = *state;
    (void)post_send(lab, &(struct post_message){.extra = "X-Telex-ID: 1\r\n"});
    (void)post_send(lab, &(struct post_message){.extra = "X-Telex-ID: 1\r\n", .to = "sip:carol@example.com"});
    assert_int_equal(lab_account(lab, "sip:carol@example.com")->entry_count, 1);
}

static void test_c5_a_repeat_waits_for_the_outcome(void **state)
{
    struct lab *lab = *state;
    const char *branches[LIMIT_WAITERS + 2];
    post_register(lab, &phone_a);
    for (size_t i = 0; i < LIMIT_WAITERS + 2; i++)
        branches[i] = post_send(lab, &(struct post_message){.call_id = "x", .worker = i % 2});
    assert_int_equal(post_count(lab, PHONE_A), 1);
    assert_int_equal(post_status(lab, branches[LIMIT_WAITERS]), 0);
    assert_int_equal(post_status(lab, branches[LIMIT_WAITERS + 1]), 503);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    for (size_t i = 0; i <= LIMIT_WAITERS; i++)
        assert_int_equal(post_status(lab, branches[i]), 200);
}

/* The refusal of a device goes back with the Vias of the first request; a waiting repeat gets one with its own. */
static void test_c5_waiters_get_a_refusal_with_their_own_via(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    const char *first = post_send(lab, &(struct post_message){.call_id = "x"});
    const char *second = post_send(lab, &(struct post_message){.call_id = "x", .worker = 1});
    post_answer(lab, post_request(lab, PHONE_A, 0), 488);
    assert_int_equal(post_status(lab, first), 488);
    assert_int_equal(post_status(lab, second), 488);
}

static void test_c5_a_refused_one_is_tried_anew(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    (void)post_send(lab, &(struct post_message){.call_id = "x"});
    post_answer(lab, post_request(lab, PHONE_A, 0), 488);
    lab_clear(lab);
    const char *branch = post_send(lab, &(struct post_message){.call_id = "x"});
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    assert_int_equal(post_status(lab, branch), 200);
}

static void test_c5_is_kept_24_hours_and_the_life_of_a_stored_one(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    (void)post_send(lab, &(struct post_message){.call_id = "live"});
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    post_unregister(lab, &phone_a);
    (void)post_send(lab, &(struct post_message){.call_id = "short", .extra = "Expires: 60\r\n"});
    (void)post_send(lab, &(struct post_message){.call_id = "long"});
    for (unsigned hours = 0; hours < 23; hours++)
        lab_advance(lab, 3600 * 1000);
    lab_clear(lab);
    const char *live = post_send(lab, &(struct post_message){.call_id = "live"});
    const char *brief = post_send(lab, &(struct post_message){.call_id = "short"});
    assert_int_equal(post_status(lab, live), 200);
    assert_int_equal(post_status(lab, brief), 202);
    assert_int_equal(post_stored(lab), 1);
    lab_advance(lab, 2 * 3600 * 1000);
    for (unsigned i = 0; i < 10; i++) /* each looks at a few */
        (void)post_send(lab, &(struct post_message){.call_id = "long"});
    assert_int_equal(post_stored(lab), 1);
    (void)post_send(lab, &(struct post_message){.call_id = "short"});
    assert_int_equal(post_stored(lab), 2);
}

/* --- C9, C13 --- */

static void test_c13_a_slow_store_is_100_then_503_at_5_s(void **state)
{
    struct lab *lab = *state;
    lab->holds_store = true;
    const char *branch = post_send(lab, &(struct post_message){.call_id = "x"});
    lab_advance(lab, LIMIT_PROVISIONAL_MS);
    assert_non_null(post_response(lab, branch, 100, 100));
    lab_advance(lab, LIMIT_DECIDE_MS - LIMIT_PROVISIONAL_MS - 1);
    assert_int_equal(post_status(lab, branch), 0);
    lab_advance(lab, 1);
    assert_int_equal(post_status(lab, branch), 503);
    lab_clear(lab);
    const char *repeat = post_send(lab, &(struct post_message){.call_id = "x"});
    assert_int_equal(post_status(lab, repeat), 503);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(post_stored(lab), 0); /* it was withdrawn */
    repeat = post_send(lab, &(struct post_message){.call_id = "x"});
    assert_int_equal(post_status(lab, repeat), 202);
}

static void ignore_withdraw(struct store *s, struct store_request *r)
{
    (void)s, (void)r;
}

/* A store that commits what was withdrawn: it was begun already. */
static void test_c9_committed_anyway_counts_as_accepted(void **state)
{
    struct lab *lab = *state;
    struct store_ops ops = *lab->store->ops;
    const struct store_ops *real = lab->store->ops;
    ops.withdraw = ignore_withdraw;
    lab->holds_store = true;
    const char *branch = post_send(lab, &(struct post_message){.call_id = "x"});
    lab_advance(lab, LIMIT_DECIDE_MS - 1);
    lab->store->ops = &ops;
    lab_advance(lab, 1);
    lab->store->ops = real;
    assert_int_equal(post_status(lab, branch), 503);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(post_stored(lab), 1);
    lab_clear(lab);
    const char *repeat = post_send(lab, &(struct post_message){.call_id = "x"});
    assert_int_equal(post_status(lab, repeat), 202);
    assert_int_equal(post_stored(lab), 1);
}

/* C4: its branch still runs, so the repeat of a message that could not be stored opens no second one. */
static void test_c4_a_repeat_waits_for_the_branches_of_a_failed_one(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    store_memory_fail_appends(lab->store, 1, ERR_IO);
    const char *branch = post_send(lab, &(struct post_message){.call_id = "x"});
    lab_advance(lab, LIMIT_STORE_MS);
    assert_int_equal(post_status(lab, branch), 503);
    const char *repeat = post_send(lab, &(struct post_message){.call_id = "x"});
    assert_int_equal(post_status(lab, repeat), 503);
    assert_int_equal(post_count(lab, PHONE_A), 1);
    lab_advance(lab, 32000);
    lab_clear(lab);
    (void)post_send(lab, &(struct post_message){.call_id = "x"});
    assert_int_equal(post_count(lab, PHONE_A), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        cmocka_unit_test(test_c5_every_form_of_the_key),
        TEST(test_c5_the_same_id_to_another_recipient_is_new),
        TEST(test_c5_a_repeat_waits_for_the_outcome),
        TEST(test_c5_waiters_get_a_refusal_with_their_own_via),
        TEST(test_c5_a_refused_one_is_tried_anew),
        TEST(test_c5_is_kept_24_hours_and_the_life_of_a_stored_one),
        TEST(test_c13_a_slow_store_is_100_then_503_at_5_s),
        TEST(test_c9_committed_anyway_counts_as_accepted),
        TEST(test_c4_a_repeat_waits_for_the_branches_of_a_failed_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
