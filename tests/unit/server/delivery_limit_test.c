/* What is not stored, or not delivered: C10, C11 and C17 of contract.md, what is only relayed, Max-Breadth. */
#include "server/delivery.h"

#include <stdio.h>
#include <string.h>

#include "server/mailbox.h"
#include "support/post.h"

static const struct post_phone phone_a = {.address = PHONE_A, .instance = "a"};
static const struct post_phone phone_b = {.address = PHONE_B, .instance = "b", .worker = 1};
static const struct post_phone phone_c = {.address = PHONE_C, .instance = "c"};
static const struct post_phone *const phones[] = {&phone_a, &phone_b, &phone_c};
static const char *const addresses[] = {PHONE_A, PHONE_B, PHONE_C};

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

/* --- C10, C11 --- */

static void test_c10_a_full_disk_is_said_before_any_branch(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    post_register(lab, &phone_b);
    post_unregister(lab, &phone_b);
    store_memory_set_full(lab->store, true);
    const char *branch = post_send(lab, &to_bob);
    assert_int_equal(post_status(lab, branch), 503);
    assert_int_equal(post_count(lab, PHONE_A), 0);
    const char *nobody = post_send(lab, &(struct post_message){.to = "sip:carol@example.com"});
    assert_int_equal(post_status(lab, nobody), 503);
    store_memory_set_full(lab->store, false);
    (void)post_send(lab, &to_bob);
    assert_int_equal(post_count(lab, PHONE_A), 1);
}

static void test_c10_a_held_device_would_be_owed_a_copy_too(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    post_register(lab, &phone_b);
    (void)post_send(lab, &to_bob);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    post_answer(lab, post_request(lab, PHONE_B, 0), 480);
    lab_clear(lab);
    store_memory_set_full(lab->store, true);
    const char *branch = post_send(lab, &to_bob);
    assert_int_equal(post_status(lab, branch), 503);
    assert_int_equal(post_count(lab, PHONE_A), 0);
}

static void test_c10_live_delivery_goes_on(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    store_memory_set_full(lab->store, true);
    const char *branch = post_send(lab, &to_bob);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    assert_int_equal(post_status(lab, branch), 200);
}

static void test_c11_a_full_mailbox_is_480(void **state)
{
    struct lab *lab = *state;
    lab->config.limits.mailbox_messages = 2;
    (void)post_send(lab, &to_bob);
    (void)post_send(lab, &to_bob);
    const char *branch = post_send(lab, &to_bob);
    assert_int_equal(post_status(lab, branch), 480);
    assert_non_null(strstr(post_response(lab, branch, 480, 480)->text, "Retry-After: "));
    assert_int_equal(post_stored(lab), 2);
}

static void test_c11_octets_count_too(void **state)
{
    struct lab *lab = *state;
    lab->config.limits.mailbox_bytes = 300;
    (void)post_send(lab, &to_bob);
    const char *branch = post_send(lab, &to_bob);
    assert_int_equal(post_status(lab, branch), 480);
}

static void test_c11_quota_counts_what_is_being_committed(void **state)
{
    struct lab *lab = *state;
    lab->config.limits.mailbox_messages = 1;
    lab->holds_store = true;
    (void)post_send(lab, &to_bob);
    const char *branch = post_send(lab, &to_bob);
    assert_int_equal(post_status(lab, branch), 480);
}

static void test_c11_quota_never_blocks_what_a_device_took(void **state)
{
    struct lab *lab = *state;
    lab->config.limits.mailbox_messages = 0;
    post_register(lab, &phone_a);
    post_register(lab, &phone_b);
    post_unregister(lab, &phone_b);
    const char *branch = post_send(lab, &to_bob);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    lab_advance(lab, LIMIT_AFTER_FIRST_2XX_MS);
    assert_int_equal(post_status(lab, branch), 200);
    assert_true(mailbox_has_backlog(post_device(lab, "b")));
}

static void test_c17_too_many_in_decision_is_503(void **state)
{
    struct lab *lab = *state;
    lab->config.limits.deciding_max = 1;
    post_register(lab, &phone_a);
    (void)post_send(lab, &to_bob);
    const char *branch = post_send(lab, &to_bob);
    assert_int_equal(post_status(lab, branch), 503);
}

#define CPIM(id)                                                                                                       \
    "From: <sip:alice@example.com>\r\nTo: <sip:bob@example.com>\r\nNS: imdn <urn:ietf:params:imdn>\r\n"                \
    "imdn.Message-ID: " id "\r\n\r\nContent-Type: text/plain\r\n\r\nhi"

/* --- relayed only --- */

#define COMPOSING "application/im-iscomposing+xml"

struct live {
    const char *what;
    struct post_message message;
    bool is_live_only;
};

static const struct live lives[] = {
    {"plain", {0}, false},
    {"isComposing", {.type = COMPOSING}, true},
    {"isComposing, parameters and case", {.type = "Application/IM-isComposing+XML;charset=utf-8"}, true},
    {"isComposing in CPIM",
     {.type = "message/cpim",
      .body = "From: <sip:a@b>\r\nTo: <sip:b@b>\r\n\r\nContent-Type: " COMPOSING "\r\n\r\n<x/>"},
     true},
    {"CPIM text", {.type = "message/cpim", .body = CPIM("1")}, false},
    {"Expires: 0", {.extra = "Expires: 0\r\n"}, true},
    {"Expires: 1", {.extra = "Expires: 1\r\n"}, false},
};

static void test_live_only_is_never_stored(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        struct lab *lab = lab_new(2);
        const char *branch = post_send(lab, &lives[i].message);
        int expected = lives[i].is_live_only ? 480 : 202;
        if (post_status(lab, branch) != expected || post_stored(lab) != !lives[i].is_live_only)
            fail_msg("%s: %d", lives[i].what, post_status(lab, branch));
        lab_free(lab);
    }
}

static void test_in_dialog_is_never_stored(void **state)
{
    struct lab *lab = *state;
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, LAB_TRUSTED);
    lab_receive(lab, &flow,
                "MESSAGE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP " LAB_TRUSTED ";branch=z9hG4bKd\r\n"
                "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>;tag=2\r\n"
                "Call-ID: d\r\nCSeq: 2 MESSAGE\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(post_status(lab, "z9hG4bKd"), 480);
    assert_int_equal(post_stored(lab), 0);
}

static void test_live_only_is_480_at_5_s(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    const char *branch = post_send(lab, &(struct post_message){.type = COMPOSING});
    lab_advance(lab, LIMIT_PROVISIONAL_MS);
    assert_non_null(post_response(lab, branch, 100, 100));
    lab_advance(lab, LIMIT_DECIDE_MS - LIMIT_PROVISIONAL_MS - 1);
    assert_int_equal(post_status(lab, branch), 0);
    lab_advance(lab, 1);
    assert_int_equal(post_status(lab, branch), 480);
    lab_advance(lab, 40000);
    assert_false(post_device(lab, "a")->held); /* a typing notice is no reason to hold mail back */
}

static void test_live_only_is_taken_and_not_kept_for_others(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    post_register(lab, &phone_b);
    post_unregister(lab, &phone_b);
    const char *branch = post_send(lab, &(struct post_message){.type = COMPOSING});
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    assert_int_equal(post_status(lab, branch), 200);
    assert_int_equal(post_stored(lab), 0);
}

static void test_live_only_passes_a_backlog(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    (void)post_send(lab, &to_bob);
    post_answer(lab, post_request(lab, PHONE_A, 0), 480);
    lab_clear(lab);
    const char *branch = post_send(lab, &(struct post_message){.type = COMPOSING});
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    assert_int_equal(post_status(lab, branch), 200);
    assert_int_equal(post_stored(lab), 1);
}

/* --- Max-Breadth: RFC 5393 §5.3.3 --- */

static bool request_has(struct lab *lab, const char *address, const char *text)
{
    const struct lab_sent *r = post_request(lab, address, 0);
    return r && strstr(r->text, text);
}

static void test_breadth_is_shared(void **state)
{
    struct lab *lab = *state;
    for (size_t i = 0; i < 3; i++)
        post_register(lab, phones[i]);
    (void)post_send(lab, &to_bob);
    for (size_t i = 0; i < 3; i++)
        assert_true(request_has(lab, addresses[i], "\r\nMax-Breadth: 20\r\n"));
}

static void test_breadth_less_than_the_devices_leaves_the_rest_to_the_mailbox(void **state)
{
    struct lab *lab = *state;
    for (size_t i = 0; i < 3; i++)
        post_register(lab, phones[i]);
    const char *branch = post_send(lab, &(struct post_message){.extra = "Max-Breadth: 2\r\n"});
    assert_true(request_has(lab, PHONE_A, "\r\nMax-Breadth: 1\r\n"));
    assert_true(request_has(lab, PHONE_B, "\r\nMax-Breadth: 1\r\n"));
    assert_int_equal(post_count(lab, PHONE_C), 0);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    post_answer(lab, post_request(lab, PHONE_B, 0), 200);
    lab_run(lab);
    assert_int_equal(post_status(lab, branch), 200);
    assert_int_equal(post_count(lab, PHONE_C), 1);
}

static void test_breadth_0_is_stored(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    const char *branch = post_send(lab, &(struct post_message){.extra = "Max-Breadth: 0\r\n"});
    assert_int_equal(post_status(lab, branch), 202);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_c10_a_full_disk_is_said_before_any_branch),
        TEST(test_c10_a_held_device_would_be_owed_a_copy_too),
        TEST(test_c10_live_delivery_goes_on),
        TEST(test_c11_a_full_mailbox_is_480),
        TEST(test_c11_octets_count_too),
        TEST(test_c11_quota_counts_what_is_being_committed),
        TEST(test_c11_quota_never_blocks_what_a_device_took),
        TEST(test_c17_too_many_in_decision_is_503),
        cmocka_unit_test(test_live_only_is_never_stored),
        TEST(test_in_dialog_is_never_stored),
        TEST(test_live_only_is_480_at_5_s),
        TEST(test_live_only_is_taken_and_not_kept_for_others),
        TEST(test_live_only_passes_a_backlog),
        TEST(test_breadth_is_shared),
        TEST(test_breadth_less_than_the_devices_leaves_the_rest_to_the_mailbox),
        TEST(test_breadth_0_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
