/* A device's backlog: C4 and C6 of contract.md, against a whole server. */
#include "server/drain.h"

#include <stdio.h>
#include <string.h>

#include "server/mailbox.h"
#include "support/post.h"

static const struct post_phone phone_a = {.address = PHONE_A, .instance = "a"};
static const struct post_phone phone_b = {.address = PHONE_B, .instance = "b", .worker = 1};

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

static void store_some(struct lab *lab, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char body[16];
        (void)snprintf(body, sizeof body, "%u", i);
        const char *branch = post_send(lab, &(struct post_message){.body = body});
        assert_int_equal(post_status(lab, branch), 202);
    }
    lab_clear(lab);
}

/* The phone registers and gets the first of `count` messages. */
static void begin_draining(struct lab *lab, unsigned count)
{
    store_some(lab, count);
    post_register(lab, &phone_a);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    assert_int_equal(post_count(lab, PHONE_A), 1);
}

/* Answers the one request that is in flight. */
static void answer(struct lab *lab, int status)
{
    assert_int_equal(post_count(lab, PHONE_A), 1);
    struct lab_sent request = *post_request(lab, PHONE_A, 0);
    lab_clear(lab);
    post_answer(lab, &request, status);
}

static bool is_sent(struct lab *lab, const char *body)
{
    return post_count(lab, PHONE_A) == 1 && strcmp(post_body(post_request(lab, PHONE_A, 0)), body) == 0;
}

static void test_starts_500_ms_after_the_register(void **state)
{
    struct lab *lab = *state;
    store_some(lab, 1);
    post_register(lab, &phone_a);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS - 1);
    assert_int_equal(post_count(lab, PHONE_A), 0);
    lab_advance(lab, 1);
    assert_int_equal(post_count(lab, PHONE_A), 1);
}

/* C6, C4: the next goes out on the 2xx; a read brings 16, so 40 take three. */
static void test_in_order_one_at_a_time(void **state)
{
    struct lab *lab = *state;
    char body[16];
    begin_draining(lab, 40);
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(body, sizeof body, "%u", i);
        assert_true(is_sent(lab, body));
        answer(lab, 200);
    }
    assert_int_equal(post_count(lab, PHONE_A), 0);
    assert_int_equal(post_stored(lab), 0);
    assert_null(post_device(lab, "a")->drain);
}

static void test_new_mail_queues_behind_a_backlog(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 2);
    const char *branch = post_send(lab, &(struct post_message){.body = "new"});
    assert_int_equal(post_status(lab, branch), 202);
    assert_true(is_sent(lab, "0"));
    answer(lab, 200);
    assert_true(is_sent(lab, "1"));
    answer(lab, 200);
    assert_true(is_sent(lab, "new"));
    answer(lab, 200);
    (void)post_send(lab, &(struct post_message){.body = "live"});
    assert_true(is_sent(lab, "live"));
}

/* A stored delivery carries our Via alone, Max-Forwards 70 and its sender's fields. */
static void test_a_stored_delivery_on_the_wire(void **state)
{
    struct lab *lab = *state;
    (void)post_send(lab, &(struct post_message){.call_id = "keep", .cseq = 7, .max_forwards = "3"});
    lab_clear(lab);
    post_register(lab, &phone_a);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    const char *text = post_request(lab, PHONE_A, 0)->text;
    const char *via = strstr(text, "Via: ");
    assert_non_null(via);
    assert_null(strstr(via + 1, "Via: "));
    assert_non_null(strstr(via, "SIP/2.0/UDP " LAB_SERVER ";rport;branch=z9hG4bK"));
    assert_non_null(strstr(text, "\r\nMax-Forwards: 70\r\n"));
    assert_null(strstr(text, "Max-Forwards: 3"));
    assert_null(strstr(text, "Max-Breadth"));
    assert_non_null(strstr(text, "\r\nCall-ID: keep\r\n"));
    assert_non_null(strstr(text, "\r\nCSeq: 7 MESSAGE\r\n"));
    answer(lab, 200);
    assert_int_equal(post_stored(lab), 0);
}

/* A repeat has the same identity, only the branch is new (C4). */
static void test_a_repeat_has_the_same_identity(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 1);
    char first[LAB_TEXT_MAX];
    (void)snprintf(first, sizeof first, "%s", post_request(lab, PHONE_A, 0)->text);
    answer(lab, 480);
    lab_advance(lab, 1100);
    const char *second = post_request(lab, PHONE_A, 0)->text;
    const char *branch_1 = strstr(first, "branch="), *branch_2 = strstr(second, "branch=");
    assert_memory_not_equal(branch_1, branch_2, 50);
    assert_string_equal(strstr(branch_1, "\r\n"), strstr(branch_2, "\r\n"));
}

/* Time until the next attempt, after the last one ended. */
static uint64_t await_attempt(struct lab *lab)
{
    uint64_t began_ms = lab->mono_ms;
    while (post_count(lab, PHONE_A) == 0) {
        assert_true(lab->mono_ms - began_ms < 400000);
        lab_advance(lab, 10);
    }
    return lab->mono_ms - began_ms;
}

static void test_backoff_doubles_from_1_s_to_5_min(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 1);
    for (uint64_t expected_ms = 1000; expected_ms < 2000000; expected_ms *= 2) {
        answer(lab, 480);
        uint64_t waited_ms = await_attempt(lab), least_ms = expected_ms < 300000 ? expected_ms : 300000;
        assert_in_range(waited_ms, least_ms, least_ms + least_ms / 10 + 10);
    }
    assert_int_equal(post_stored(lab), 1); /* gone never uses a message up */
}

static void test_silence_holds_after_timer_f(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 1);
    lab_advance(lab, 31000);
    assert_int_equal(post_count(lab, PHONE_A), 1);
    assert_false(post_device(lab, "a")->held);
    lab_advance(lab, 1000);
    assert_true(post_device(lab, "a")->held);
    lab_clear(lab);
    assert_in_range(await_attempt(lab), 1000, 1110);
}

static void test_a_packet_wakes_it_and_restarts_the_backoff(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 1);
    for (unsigned i = 0; i < 5; i++) {
        answer(lab, 480);
        (void)await_attempt(lab);
    }
    answer(lab, 480);
    post_noise(lab, &phone_a);
    assert_int_equal(post_count(lab, PHONE_A), 0); /* it may be a REGISTER that was not answered yet */
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    answer(lab, 480);
    assert_in_range(await_attempt(lab), 1000, 1110);
}

static void test_a_2xx_restarts_the_backoff(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 2);
    answer(lab, 480);
    (void)await_attempt(lab);
    answer(lab, 200);
    answer(lab, 480);
    assert_in_range(await_attempt(lab), 1000, 1110);
}

/* C4: to the phone the repeat of what it remembers is a loop. */
static void test_482_waits_for_64_t1_whatever_the_phone_sends(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 1);
    answer(lab, 482);
    assert_int_equal(post_stored(lab), 1);
    for (unsigned i = 0; i < 31; i++) {
        lab_advance(lab, 1000);
        post_noise(lab, &phone_a);
        if (i % 8 == 7)
            post_register(lab, &phone_a);
        assert_int_equal(post_count(lab, PHONE_A), 0);
    }
    lab_advance(lab, 1000);
    answer(lab, 200);
    assert_int_equal(post_stored(lab), 0);
}

static void test_482_to_a_live_one_waits_too(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    (void)post_send(lab, &(struct post_message){0});
    answer(lab, 482);
    lab_advance(lab, 31900);
    assert_int_equal(post_count(lab, PHONE_A), 0);
    lab_advance(lab, 200);
    assert_int_equal(post_count(lab, PHONE_A), 1);
}

/* A Contact that loops answers 482 for ever: that must not stop what can be delivered. */
static void test_482_for_ever_does_not_block(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 2);
    for (unsigned i = 0; i < LIMIT_5XX_BEFORE_FAILED; i++) {
        assert_true(is_sent(lab, "0"));
        answer(lab, 482);
        lab_advance(lab, LIMIT_REPEAT_AFTER_482_MS);
    }
    assert_true(is_sent(lab, "1"));
    answer(lab, 200);
    assert_int_equal(post_device(lab, "a")->owed, 0);
}

/* C6: refused sets that one aside, the next goes on. */
static void test_refused_is_set_aside(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 2);
    answer(lab, 488);
    assert_true(is_sent(lab, "1"));
    assert_int_equal(post_device(lab, "a")->owed, 1);
    lab_restart(lab);
    assert_int_equal(post_device(lab, "a")->owed, 1);
}

static void test_ten_5xx_set_it_aside(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 2);
    for (unsigned i = 1; i < LIMIT_5XX_BEFORE_FAILED; i++) {
        answer(lab, i % 2 ? 500 : 503);
        assert_int_equal(post_count(lab, PHONE_A), 0);
        if (i == 4)
            post_register(lab, &phone_a); /* a refresh is no new chance */
        (void)await_attempt(lab);
        assert_true(is_sent(lab, "0"));
    }
    answer(lab, 500);
    assert_true(is_sent(lab, "1"));
}

/* A phone that answers 5xx refreshes its binding and is tried again. */
static void fail_again(struct lab *lab)
{
    answer(lab, 503);
    if (post_count(lab, PHONE_A) > 0)
        return; /* something else at once */
    post_register(lab, &phone_a);
    (void)await_attempt(lab);
}

/* A phone that answers 5xx to everything is not there: nothing of its mail is used up. */
static void test_a_device_that_only_answers_5xx_is_gone(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 2);
    for (unsigned i = 0; i < 5 * LIMIT_5XX_BEFORE_FAILED; i++) {
        fail_again(lab);
    }
    assert_int_equal(post_device(lab, "a")->owed, 2);
    while (!is_sent(lab, "0")) {
        fail_again(lab);
    }
    answer(lab, 200);
    assert_true(is_sent(lab, "1"));
    answer(lab, 200);
    assert_int_equal(post_device(lab, "a")->owed, 0);
}

/* With nothing behind it nobody can tell the message's fault from the phone's. */
static void test_the_only_message_is_never_set_aside_for_5xx(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 1);
    for (unsigned i = 0; i < 2 * LIMIT_5XX_BEFORE_FAILED; i++) {
        fail_again(lab);
        assert_true(is_sent(lab, "0"));
    }
    (void)post_send(lab, &(struct post_message){.body = "1"});
    answer(lab, 500);
    assert_true(is_sent(lab, "1"));
    answer(lab, 200);
    assert_int_equal(post_device(lab, "a")->owed, 0);
}

/* Other gone answers are no 5xx, and another message begins anew. */
static void test_what_is_no_poison(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 2);
    for (unsigned i = 1; i < LIMIT_5XX_BEFORE_FAILED; i++) {
        answer(lab, 500);
        (void)await_attempt(lab);
    }
    answer(lab, 480);
    (void)await_attempt(lab);
    assert_true(is_sent(lab, "0"));
    answer(lab, 200);
    assert_true(is_sent(lab, "1"));
    answer(lab, 500);
    (void)await_attempt(lab);
    assert_true(is_sent(lab, "1"));
}

static void test_c4_a_register_from_elsewhere_starts_another_attempt(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 2);
    struct lab_sent old = *post_request(lab, PHONE_A, 0);
    post_register(lab, &(struct post_phone){.address = PHONE_B, .instance = "a"});
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    assert_int_equal(post_count(lab, PHONE_B), 1);
    post_answer(lab, &old, 488); /* its end is no news any more */
    assert_int_equal(post_device(lab, "a")->owed, 2);
    assert_false(post_device(lab, "a")->held);
}

static void test_c4_a_late_2xx_counts(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 2);
    struct lab_sent old = *post_request(lab, PHONE_A, 0);
    post_register(lab, &(struct post_phone){.address = PHONE_B, .instance = "a"});
    post_answer(lab, &old, 200);
    assert_int_equal(post_device(lab, "a")->owed, 1);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    assert_int_equal(post_count(lab, PHONE_B), 1);
    assert_string_equal(post_body(post_request(lab, PHONE_B, 0)), "1");
}

static void test_c4_a_refresh_from_the_same_place_goes_on(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 1);
    post_register(lab, &phone_a);
    lab_advance(lab, 10000);
    assert_true(post_count(lab, PHONE_A) <= 1); /* its retransmissions at most */
    assert_int_equal(post_device(lab, "a")->in_flight, 1);
}

static void test_c4_a_dead_connection_ends_the_attempt(void **state)
{
    struct lab *lab = *state;
    const struct post_phone tcp = {.address = PHONE_A, .instance = "a", .transport = TRANSPORT_TCP, .worker = 1};
    store_some(lab, 1);
    post_register(lab, &tcp);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    struct flow flow = post_flow(lab, &tcp);
    server_flow_closed(lab->workers[1].server, &flow);
    lab_clear(lab);
    lab_advance(lab, 100);
    assert_int_equal(post_device(lab, "a")->in_flight, 0);
    assert_int_equal(post_count(lab, PHONE_A), 0);
    struct post_phone again = tcp;
    again.connection = 1;
    post_register(lab, &again);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    assert_int_equal(post_count(lab, PHONE_A), 1);
}

static void test_after_a_restart_it_goes_on_by_itself(void **state)
{
    struct lab *lab = *state;
    begin_draining(lab, 3);
    answer(lab, 200);
    lab_restart(lab);
    lab_clear(lab);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS + LIMIT_DRAIN_AFTER_START_MS);
    assert_true(is_sent(lab, "1"));
    answer(lab, 200);
    assert_true(is_sent(lab, "2"));
    answer(lab, 200);
    assert_int_equal(post_stored(lab), 0);
}

static void test_a_store_that_cannot_read_is_asked_again(void **state)
{
    struct lab *lab = *state;
    store_some(lab, 1);
    post_register(lab, &phone_a);
    store_memory_fail_all(lab->store, 1, ERR_IO);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    assert_int_equal(post_count(lab, PHONE_A), 0);
    lab_advance(lab, 1100);
    assert_int_equal(post_count(lab, PHONE_A), 1);
}

static void test_a_device_that_leaves_while_the_store_reads(void **state)
{
    struct lab *lab = *state;
    const struct post_phone p = {.address = PHONE_A};
    store_some(lab, 1);
    post_register(lab, &p);
    lab->holds_store = true;
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    assert_int_equal(post_waiting(lab), 1);
    struct account *a = lab_account(lab, BOB);
    mailbox_device_leaves(a->devices[1]);
    location_remove_device(a->devices[1]);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(post_count(lab, PHONE_A), 0);
}

/* Two devices drain on their own; each gets all. */
static void test_devices_drain_apart(void **state)
{
    struct lab *lab = *state;
    store_some(lab, 2);
    post_register(lab, &phone_b);
    post_register(lab, &phone_a);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    struct lab_sent to_b = *post_request(lab, PHONE_B, 0);
    answer(lab, 200);
    answer(lab, 200);
    assert_int_equal(post_device(lab, "a")->owed, 0);
    assert_int_equal(post_device(lab, "b")->owed, 2);
    post_answer(lab, &to_b, 200);
    assert_string_equal(post_body(post_request(lab, PHONE_B, 0)), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_starts_500_ms_after_the_register),
        TEST(test_in_order_one_at_a_time),
        TEST(test_new_mail_queues_behind_a_backlog),
        TEST(test_a_stored_delivery_on_the_wire),
        TEST(test_a_repeat_has_the_same_identity),
        TEST(test_backoff_doubles_from_1_s_to_5_min),
        TEST(test_silence_holds_after_timer_f),
        TEST(test_a_packet_wakes_it_and_restarts_the_backoff),
        TEST(test_a_2xx_restarts_the_backoff),
        TEST(test_482_waits_for_64_t1_whatever_the_phone_sends),
        TEST(test_482_to_a_live_one_waits_too),
        TEST(test_482_for_ever_does_not_block),
        TEST(test_refused_is_set_aside),
        TEST(test_ten_5xx_set_it_aside),
        TEST(test_a_device_that_only_answers_5xx_is_gone),
        TEST(test_the_only_message_is_never_set_aside_for_5xx),
        TEST(test_what_is_no_poison),
        TEST(test_c4_a_register_from_elsewhere_starts_another_attempt),
        TEST(test_c4_a_late_2xx_counts),
        TEST(test_c4_a_refresh_from_the_same_place_goes_on),
        TEST(test_c4_a_dead_connection_ends_the_attempt),
        TEST(test_after_a_restart_it_goes_on_by_itself),
        TEST(test_a_store_that_cannot_read_is_asked_again),
        TEST(test_a_device_that_leaves_while_the_store_reads),
        TEST(test_devices_drain_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
