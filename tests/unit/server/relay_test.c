/* A MESSAGE for another domain: one attempt to its next hop, nothing stored. C15 of contract.md, RFC 3261 §16. */
#include "server/relay.h"

#include <stdio.h>
#include <string.h>

#include "support/post.h"

#define CAROL "sip:carol@example.net"

static const struct post_message to_carol = {.to = CAROL};

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

static void test_every_answer_is_passed_back(void **state)
{
    static const int statuses[] = {200, 202, 302, 404, 407, 415, 480, 486, 488, 500, 513, 603};
    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct lab *lab = lab_new(2);
        const char *branch = post_send(lab, &(struct post_message){.to = CAROL, .worker = i % 2});
        const struct lab_sent *r = post_request(lab, LAB_HOP, 0);
        assert_non_null(r);
        post_answer_at(lab, r, statuses[i], "X-Of-Theirs: 1\r\n", (unsigned)(i / 2 % 2));
        assert_int_equal(post_status(lab, branch), statuses[i]);
        assert_non_null(strstr(post_response(lab, branch, 200, 699)->text, "\r\nX-Of-Theirs: 1\r\n"));
        assert_int_equal(post_waiting(lab), 0);
        lab_free(lab);
    }
}

static void test_c15_100_at_3500_and_504_at_30_s(void **state)
{
    struct lab *lab = *state;
    const char *branch = post_send(lab, &to_carol);
    struct lab_sent r = *post_request(lab, LAB_HOP, 0);
    lab_advance(lab, LIMIT_PROVISIONAL_MS - 1);
    assert_null(post_response(lab, branch, 100, 699));
    lab_advance(lab, 1);
    assert_non_null(post_response(lab, branch, 100, 100));
    lab_advance(lab, LIMIT_FOREIGN_MS - LIMIT_PROVISIONAL_MS - 1);
    assert_int_equal(post_status(lab, branch), 0);
    lab_advance(lab, 1);
    assert_int_equal(post_status(lab, branch), 504);
    lab_clear(lab);
    post_answer(lab, &r, 200); /* too late for anybody */
    assert_int_equal(lab->sent_count, 0);
    assert_int_equal(server_running(lab->workers[0].server), 0);
}

static void test_no_408_goes_back(void **state)
{
    struct lab *lab = *state;
    const char *branch = post_send(lab, &to_carol);
    post_answer(lab, post_request(lab, LAB_HOP, 0), 408);
    assert_int_equal(post_status(lab, branch), 504);
}

/* RFC 3261 §16.7 step 6: a 503 would make the phone leave us. */
static void test_their_503_is_our_500(void **state)
{
    struct lab *lab = *state;
    const char *branch = post_send(lab, &to_carol);
    post_answer(lab, post_request(lab, LAB_HOP, 0), 503);
    assert_int_equal(post_status(lab, branch), 500);
}

static void test_what_cannot_be_reached_is_504(void **state)
{
    struct lab *lab = *state;
    const char *branch = post_send(lab, &to_carol);
    struct lab_sent r = *post_request(lab, LAB_HOP, 0);
    server_link_failed(lab->workers[0].server, r.token);
    lab_run(lab);
    assert_int_equal(post_status(lab, branch), 504);
}

static void test_too_many_in_decision_is_503(void **state)
{
    struct lab *lab = *state;
    lab->config.limits.deciding_max = 0;
    const char *branch = post_send(lab, &to_carol);
    assert_int_equal(post_status(lab, branch), 503);
    assert_int_equal(post_count(lab, LAB_HOP), 0);
}

static void test_too_many_octets_in_decision_is_503(void **state)
{
    struct lab *lab = *state;
    lab->workers[0].server->deciding_bytes = LIMIT_DECIDING_BYTES;
    const char *branch = post_send(lab, &to_carol);
    assert_int_equal(post_status(lab, branch), 503);
    lab->workers[0].server->deciding_bytes = 0;
    branch = post_send(lab, &to_carol);
    post_answer(lab, post_request(lab, LAB_HOP, 0), 200);
    assert_int_equal(post_status(lab, branch), 200);
    assert_int_equal(lab->workers[0].server->deciding_bytes, 0);
}

/* RFC 3325 §5: said only to those that are trusted. */
static void test_asserted_identity(void **state)
{
    struct lab *lab = *state;
    (void)post_send(lab,
                    &(struct post_message){.to = CAROL, .extra = "P-Asserted-Identity: <sip:bob@example.com>\r\n"});
    const struct lab_sent *r = post_request(lab, LAB_HOP, 0);
    assert_null(strstr(r->text, "P-Asserted-Identity"));
    lab_clear(lab);
    struct network trusted[2] = {lab->trusted, lab->trusted};
    assert_int_equal(address_parse_ip(SLICE("192.0.2.97"), &trusted[1].base), ERR_NONE);
    lab->config.trusted = trusted;
    lab->config.trusted_count = 2;
    (void)post_send(lab,
                    &(struct post_message){.to = CAROL, .extra = "P-Asserted-Identity: <sip:bob@example.com>\r\n"});
    r = post_request(lab, LAB_HOP, 0);
    assert_non_null(strstr(r->text, "\r\nP-Asserted-Identity: <sip:bob@example.com>\r\n"));
    assert_non_null(strstr(r->text, "\r\nFrom: <sip:alice@example.com>;tag=t\r\n"));
}

static void test_on_the_wire(void **state)
{
    struct lab *lab = *state;
    (void)post_send(lab, &(struct post_message){.to = CAROL, .max_forwards = "9", .extra = "Max-Breadth: 5\r\n"});
    const char *text = post_request(lab, LAB_HOP, 0)->text;
    assert_true(strncmp(text, "MESSAGE " CAROL " SIP/2.0\r\n", 30) == 0);
    assert_non_null(strstr(text, "\r\nMax-Forwards: 8\r\n"));
    assert_non_null(strstr(text, "\r\nMax-Breadth: 5\r\n"));
    assert_non_null(strstr(text, "Via: SIP/2.0/UDP " LAB_TRUSTED));
    assert_null(strstr(text, "Record-Route"));
    assert_null(strstr(text, "Route"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_every_answer_is_passed_back),
        TEST(test_c15_100_at_3500_and_504_at_30_s),
        TEST(test_no_408_goes_back),
        TEST(test_their_503_is_our_500),
        TEST(test_what_cannot_be_reached_is_504),
        TEST(test_too_many_in_decision_is_503),
        TEST(test_too_many_octets_in_decision_is_503),
        TEST(test_asserted_identity),
        TEST(test_on_the_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
