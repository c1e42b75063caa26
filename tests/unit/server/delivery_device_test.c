/* Devices that come, go, move or read no messages while mail is on its way: C4 and "Devices" of contract.md. */
#include "server/delivery.h"

#include <stdio.h>
#include <string.h>

#include "server/mailbox.h"
#include "support/post.h"

static const struct post_phone phone_a = {.address = PHONE_A, .instance = "a"};
static const struct post_phone phone_b = {.address = PHONE_B, .instance = "b", .worker = 1};

static const struct post_message to_bob = {0};

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

/* --- devices that come and go --- */

static void test_a_device_that_just_registered_gets_new_mail_at_once(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    (void)post_send(lab, &to_bob);
    assert_int_equal(post_count(lab, PHONE_A), 1);
}

static void test_a_device_that_leaves_is_waited_for_no_longer(void **state)
{
    struct lab *lab = *state;
    const struct post_phone brief = {.address = PHONE_A};
    post_register(lab, &brief);
    const char *branch = post_send(lab, &to_bob);
    struct lab_sent request = *post_request(lab, PHONE_A, 0);
    lab_advance(lab, 1000);
    struct post_phone end = brief;
    end.extra = "Expires: 0\r\n";
    struct flow flow = post_flow(lab, &end);
    char text[LAB_TEXT_MAX];
    (void)snprintf(
        text, sizeof text, "%s",
        lab_register_text(&(struct lab_register){
            .user = "bob", .call_id = "reg-" PHONE_A, .contacts = "Contact: <sip:bob@" PHONE_A ">;expires=0\r\n"}));
    assert_int_equal(lab_authenticated(lab, &flow, text, "bob", "secret"), 200);
    lab_advance(lab, 1);
    assert_int_equal(post_status(lab, branch), 202);
    assert_int_equal(lab_account(lab, BOB)->untaken, 1);
    post_answer(lab, &request, 200); /* nobody's any more */
    lab_advance(lab, 40000);
    /* The next device inherits it. */
    lab_clear(lab);
    post_register(lab, &phone_b);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    assert_int_equal(post_count(lab, PHONE_B), 1);
}

static void test_a_device_that_joins_while_it_is_committed_is_owed_it(void **state)
{
    struct lab *lab = *state;
    lab->holds_store = true;
    const char *branch = post_send(lab, &to_bob);
    struct flow flow = post_flow(lab, &phone_a);
    const struct lab_register r = {.user = "bob",
                                   .call_id = "reg-" PHONE_A,
                                   .contacts = "Contact: <sip:bob@" PHONE_A ">;+sip.instance=\"<urn:uuid:a>\"\r\n"};
    (void)lab_authenticated(lab, &flow, lab_register_text(&r), "bob", "secret");
    assert_int_equal(post_waiting(lab), 2);
    lab->holds_store = false;
    lab_run(lab);
    (void)branch;
    assert_true(mailbox_has_backlog(post_device(lab, "a")));
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    assert_int_equal(post_count(lab, PHONE_A), 1);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    assert_int_equal(post_stored(lab), 0);
}

static void test_c4_a_register_from_elsewhere_ends_the_attempt(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    (void)post_send(lab, &to_bob);
    struct lab_sent old = *post_request(lab, PHONE_A, 0);
    lab_advance(lab, 1000);
    post_register(lab, &(struct post_phone){.address = PHONE_B, .instance = "a"});
    lab_advance(lab, LIMIT_STORE_MS);
    assert_int_equal(post_count(lab, PHONE_B), 1); /* stored at 4 s, and on its way to the new place */
    post_answer(lab, &old, 480);                   /* news of where it was */
    assert_false(post_device(lab, "a")->held);
}

static void test_c4_a_late_2xx_of_the_old_place_counts(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    (void)post_send(lab, &to_bob);
    struct lab_sent old = *post_request(lab, PHONE_A, 0);
    lab_advance(lab, LIMIT_STORE_MS);
    post_register(lab, &(struct post_phone){.address = PHONE_B, .instance = "a"});
    post_answer(lab, &old, 200);
    assert_int_equal(post_stored(lab), 0);
    lab_advance(lab, 5000);
    assert_int_equal(post_count(lab, PHONE_B), 0);
}

static void test_a_late_refusal_of_the_old_place_does_not_count(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    (void)post_send(lab, &to_bob);
    struct lab_sent old = *post_request(lab, PHONE_A, 0);
    lab_advance(lab, LIMIT_STORE_MS);
    post_register(lab, &(struct post_phone){.address = PHONE_B, .instance = "a"});
    post_answer(lab, &old, 405);
    assert_false(post_device(lab, "a")->reads_no_messages);
    assert_int_equal(post_stored(lab), 1);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    assert_int_equal(post_count(lab, PHONE_B), 1);
}

/* --- devices that read no messages --- */

static void test_405_means_no_messages_until_it_registers_anew(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    const char *branch = post_send(lab, &to_bob);
    post_answer_at(lab, post_request(lab, PHONE_A, 0), 405, "Allow: INVITE\r\n", 0);
    assert_int_equal(post_status(lab, branch), 405);
    assert_non_null(strstr(post_response(lab, branch, 405, 405)->text, "Allow: INVITE\r\n"));
    lab_clear(lab);
    branch = post_send(lab, &to_bob);
    assert_int_equal(post_count(lab, PHONE_A), 0);
    assert_int_equal(post_status(lab, branch), 202); /* kept for whoever signs in elsewhere */
    post_register(lab, &phone_b);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    post_answer(lab, post_request(lab, PHONE_B, 0), 200);
    assert_int_equal(post_stored(lab), 0);
    lab_clear(lab);
    branch = post_send(lab, &to_bob);
    post_answer(lab, post_request(lab, PHONE_B, 0), 200);
    assert_int_equal(post_status(lab, branch), 200);
    assert_int_equal(post_stored(lab), 0);
    struct post_phone anew = phone_a;
    anew.call_id = "another";
    post_register(lab, &anew);
    (void)post_send(lab, &to_bob);
    assert_int_equal(post_count(lab, PHONE_A), 1);
}

static void test_501_ends_all_that_was_owed(void **state)
{
    struct lab *lab = *state;
    for (unsigned i = 0; i < 40; i++)
        (void)post_send(lab, &to_bob);
    post_register(lab, &phone_b);
    post_unregister(lab, &phone_b);
    post_register(lab, &phone_a);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    post_answer(lab, post_request(lab, PHONE_A, 0), 501);
    assert_false(mailbox_has_backlog(post_device(lab, "a")));
    assert_int_equal(post_device(lab, "b")->owed, 40);
    lab_restart(lab);
    assert_false(mailbox_has_backlog(post_device(lab, "a")));
    assert_int_equal(post_device(lab, "b")->owed, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_a_device_that_just_registered_gets_new_mail_at_once),
        TEST(test_a_device_that_leaves_is_waited_for_no_longer),
        TEST(test_a_device_that_joins_while_it_is_committed_is_owed_it),
        TEST(test_c4_a_register_from_elsewhere_ends_the_attempt),
        TEST(test_c4_a_late_2xx_of_the_old_place_counts),
        TEST(test_a_late_refusal_of_the_old_place_does_not_count),
        TEST(test_405_means_no_messages_until_it_registers_anew),
        TEST(test_501_ends_all_that_was_owed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
