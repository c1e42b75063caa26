/* Outgoing messages: outcomes, one identity through all attempts, order per recipient, size. */
#include "support/lab.h"

#include <stdio.h>
#include <stdlib.h>

#include "sip/cpim.h"

static void each_answer_has_its_outcome(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        enum telex_outcome outcome;
    } cases[] = {
        {200, TELEX_DELIVERED}, {202, TELEX_STORED},  {204, TELEX_DELIVERED}, {302, TELEX_REFUSED},
        {400, TELEX_REFUSED},   {403, TELEX_REFUSED}, {404, TELEX_REFUSED},   {480, TELEX_REFUSED},
        {482, TELEX_REFUSED},   {501, TELEX_REFUSED}, {505, TELEX_REFUSED},   {603, TELEX_REFUSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab *l = lab_new(NULL);
        uint64_t id = lab_send(l, "sip:bob@example.com", "hi");
        assert_int_equal(telex_ua_outgoing_count(l->ua), 1);
        lab_expect_request(l, "MESSAGE");
        lab_answer(l, 100, NULL); /* no end */
        assert_int_equal(l->outcome_count, 0);
        lab_answer(l, cases[i].status, NULL);
        lab_answer(l, cases[i].status, NULL); /* a retransmitted answer changes nothing */
        assert_int_equal(l->outcome_count, 1);
        assert_int_equal(l->outcomes[0].result.id, id);
        assert_int_equal(l->outcomes[0].result.outcome, cases[i].outcome);
        assert_int_equal(l->outcomes[0].result.status, cases[i].status);
        assert_int_equal(telex_ua_outgoing_count(l->ua), 0);
        lab_pass(l, 600000);
        assert_int_equal(l->outcome_count, 1);
        lab_free(l);
    }
}

static void request_is_what_rfc_3428_asks(void **state)
{
    (void)state;
    static const char body[] = {'a', '\0', '\r', '\n', 'b'};
    struct lab *l = lab_new(NULL);
    const struct telex_outgoing m = {.to = "sip:bob@example.com",
                                     .content_type = "text/plain;charset=UTF-8",
                                     .subject = "s",
                                     .body = body,
                                     .body_len = sizeof body,
                                     .date = 1289690940,
                                     .message_id = "my-own.id_1"};
    assert_int_equal(telex_ua_send(l->ua, &m, NULL), 0);
    lab_expect_request(l, "MESSAGE");
    assert_true(slice_eq(l->request.uri_text, SLICE("sip:bob@example.com")));
    assert_string_equal(lab_header(l, "To"), "<sip:bob@example.com>");
    assert_non_null(strstr(lab_header(l, "From"), "<sip:alice@example.com>;tag="));
    assert_string_equal(lab_header(l, "Contact"), ""); /* RFC 3428 §4 */
    assert_string_equal(lab_header(l, "Date"), "Sat, 13 Nov 2010 23:29:00 GMT");
    assert_string_equal(lab_header(l, "X-Telex-ID"), "my-own.id_1");
    assert_string_equal(lab_header(l, "Content-Type"), "text/plain;charset=UTF-8");
    assert_string_equal(lab_header(l, "Subject"), "s");
    assert_true(slice_eq(l->request.body, slice_make(body, sizeof body)));
    lab_free(l);
}

static void a_repeat_is_the_same_message(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    lab_send(l, "sip:bob@example.com", "hi");
    lab_expect_request(l, "MESSAGE");
    lab_challenge(l, 407, "example.com", NULL);
    lab_expect_request(l, "MESSAGE");
    static const char *const same[] = {"Call-ID", "CSeq", "From", "To", "X-Telex-ID"};
    char first[5][256], branch[256];
    for (size_t i = 0; i < 5; i++)
        snprintf(first[i], sizeof first[i], "%s", lab_header(l, same[i]));
    snprintf(branch, sizeof branch, "%s", lab_header(l, "Via"));
    lab_pass(l, 32000); /* silence: retransmissions, then Timer F */
    l->sent_next = l->sent_count;
    lab_pass(l, 1000);
    lab_expect_request(l, "MESSAGE");
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(first[i], lab_header(l, same[i]));
    assert_string_not_equal(branch, lab_header(l, "Via"));
    assert_true(lab_proves(l, "secret", 2));
    lab_answer(l, 503, "Retry-After: 7\r\n");
    assert_int_equal(l->outcome_count, 0);
    lab_pass(l, 6999);
    lab_expect_silence(l);
    lab_pass(l, 1);
    lab_expect_request(l, "MESSAGE");
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(first[i], lab_header(l, same[i]));
    lab_answer(l, 482, NULL); /* to a repeat: the earlier attempt is still on its way there */
    lab_pass(l, 31999);
    lab_expect_silence(l);
    lab_pass(l, 1);
    lab_expect_request(l, "MESSAGE");
    lab_answer(l, 202, NULL);
    assert_int_equal(l->outcomes[0].result.outcome, TELEX_STORED);
    assert_int_equal(l->outcomes[0].result.attempts, 4);
    assert_string_equal(l->outcomes[0].message_id, first[4]);
    lab_free(l);
}

static void two_attempts(struct telex_ua_config *c)
{
    c->attempts_max = 2;
}

static void attempts_are_bounded(void **state)
{
    (void)state;
    struct lab *l = lab_new(two_attempts);
    lab_send(l, "sip:bob@example.com", "hi");
    lab_pass(l, 300000);
    assert_int_equal(l->outcome_count, 1);
    assert_int_equal(l->outcomes[0].result.outcome, TELEX_UNREACHABLE);
    assert_int_equal(l->outcomes[0].result.status, 0);
    assert_int_equal(l->outcomes[0].result.attempts, 2);
    l->sent_next = l->sent_count;
    lab_send(l, "sip:bob@example.com", "hi");
    lab_expect_request(l, "MESSAGE");
    lab_answer(l, 503, NULL);
    lab_pass(l, 1000);
    lab_expect_request(l, "MESSAGE");
    lab_answer(l, 500, NULL);
    assert_int_equal(l->outcome_count, 2);
    assert_int_equal(l->outcomes[1].result.outcome, TELEX_REFUSED);
    assert_int_equal(l->outcomes[1].result.status, 500);
    lab_free(l);
}

static void a_dead_link_is_unreachable_without_waiting(void **state)
{
    (void)state;
    struct lab *l = lab_new(two_attempts);
    lab_send(l, "sip:bob@example.com", "hi");
    lab_turn(l);
    telex_ua_disconnected(l->ua, TELEX_UDP);
    lab_pass(l, 1010);
    assert_int_equal(l->connects[TELEX_UDP], 1);
    telex_ua_disconnected(l->ua, TELEX_UDP);
    lab_pass(l, 10);
    assert_int_equal(l->outcome_count, 1);
    assert_int_equal(l->outcomes[0].result.outcome, TELEX_UNREACHABLE);
    lab_free(l);
}

static void one_at_a_time_to_each_recipient(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    lab_send(l, "sip:bob@example.com", "b1");
    lab_send(l, "sip:BOB@example.com", "other"); /* user parts compare with case (RFC 3261 §19.1.4) */
    lab_send(l, "sip:bob@EXAMPLE.com:5060;transport=udp", "b2");
    lab_send(l, "sip:carol@example.com", "c1");
    lab_expect_request(l, "MESSAGE");
    assert_true(slice_eq(l->request.body, SLICE("b1")));
    struct message b1 = l->request;
    lab_expect_request(l, "MESSAGE");
    assert_true(slice_eq(l->request.body, SLICE("other")));
    lab_answer(l, 200, NULL);
    lab_expect_request(l, "MESSAGE");
    assert_true(slice_eq(l->request.body, SLICE("c1")));
    lab_answer(l, 200, NULL);
    lab_expect_silence(l); /* b2 waits for b1 */
    l->request = b1;
    lab_answer(l, 503, NULL);
    lab_expect_silence(l); /* and for its repeats */
    lab_pass(l, 1000);
    lab_expect_request(l, "MESSAGE");
    assert_true(slice_eq(l->request.body, SLICE("b1")));
    lab_answer(l, 404, NULL);
    lab_expect_request(l, "MESSAGE");
    assert_true(slice_eq(l->request.body, SLICE("b2")));
    lab_answer(l, 200, NULL);
    assert_int_equal(l->outcome_count, 4);
    lab_free(l);
}

static void receipts_wrap_it_in_cpim(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    const struct telex_outgoing m = {.to = "sip:bob@example.com",
                                     .body = "hello",
                                     .body_len = 5,
                                     .date = 1289690940,
                                     .receipts = "positive-delivery, display"};
    struct cpim c;
    size_t fault;
    assert_int_equal(telex_ua_send(l->ua, &m, NULL), 0);
    lab_expect_request(l, "MESSAGE");
    assert_string_equal(lab_header(l, "Content-Type"), "message/cpim");
    assert_string_equal(lab_header(l, "X-Telex-ID"), "");
    assert_int_equal(cpim_parse(l->request.body, &c, &fault), 0);
    assert_true(slice_eq(c.body, SLICE("hello")));
    assert_true(slice_eq(c.disposition, SLICE("positive-delivery, display")));
    assert_int_equal(c.message_id.len, 32);
    lab_answer(l, 200, NULL);
    assert_true(slice_eq(c.message_id, slice_str(l->outcomes[0].message_id)));
    lab_free(l);
}

static void large_ones_go_by_tcp_and_else_by_udp(void **state)
{
    (void)state;
    static char text[3001];
    memset(text, 'x', sizeof text - 1);
    struct lab *l = lab_new(NULL);
    lab_send(l, "sip:bob@example.com", text);
    lab_expect_silence(l);
    assert_int_equal(l->connects[TELEX_TCP], 1);
    assert_int_equal(telex_ua_connected(l->ua, TELEX_TCP, "192.0.2.10:40001", LAB_SERVER), 0);
    lab_expect_request(l, "MESSAGE");
    assert_int_equal(l->request_transport, TELEX_TCP);
    lab_answer(l, 200, NULL);
    assert_int_equal(l->outcome_count, 1);

    telex_ua_disconnected(l->ua, TELEX_TCP);
    lab_send(l, "sip:bob@example.com", text);
    lab_turn(l);
    assert_int_equal(l->connects[TELEX_TCP], 2);
    telex_ua_disconnected(l->ua, TELEX_TCP); /* the server has none */
    lab_expect_request(l, "MESSAGE");
    assert_int_equal(l->request_transport, TELEX_UDP);
    lab_answer(l, 200, NULL);
    lab_send(l, "sip:bob@example.com", text); /* remembered */
    lab_expect_request(l, "MESSAGE");
    assert_int_equal(l->connects[TELEX_TCP], 2);
    assert_int_equal(l->request_transport, TELEX_UDP);
    lab_answer(l, 200, NULL);
    lab_pass(l, 600000); /* for ten minutes */
    lab_send(l, "sip:bob@example.com", text);
    lab_turn(l);
    assert_int_equal(l->connects[TELEX_TCP], 3);
    lab_pass(l, 3000); /* nothing comes of it */
    lab_expect_request(l, "MESSAGE");
    assert_int_equal(l->request_transport, TELEX_UDP);
    lab_free(l);
}

static void cancelled_ones_have_no_outcome(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    uint64_t first = lab_send(l, "sip:bob@example.com", "1");
    uint64_t second = lab_send(l, "sip:bob@example.com", "2");
    lab_send(l, "sip:bob@example.com", "3");
    lab_expect_request(l, "MESSAGE");
    assert_int_equal(telex_ua_cancel(l->ua, second), 0);
    assert_int_equal(telex_ua_cancel(l->ua, second), TELEX_ERR_NOT_FOUND);
    assert_int_equal(telex_ua_cancel(l->ua, first), 0);
    assert_int_equal(telex_ua_cancel(l->ua, 99), TELEX_ERR_NOT_FOUND);
    lab_expect_request(l, "MESSAGE");
    assert_true(slice_eq(l->request.body, SLICE("3")));
    assert_int_equal(l->outcome_count, 0);
    lab_free(l);
}

static void what_cannot_be_meant_is_refused(void **state)
{
    (void)state;
    static char large[TELEX_BODY_MAX + 1];
    static const struct {
        struct telex_outgoing m;
        int err;
    } cases[] = {
        {{.to = NULL}, TELEX_ERR_ARGUMENT},
        {{.to = ""}, TELEX_ERR_ARGUMENT},
        {{.to = "bob"}, TELEX_ERR_ARGUMENT},
        {{.to = "http://example.com"}, TELEX_ERR_ARGUMENT},
        {{.to = "sip:bob@example.com\r\nX: y"}, TELEX_ERR_ARGUMENT},
        {{.to = "sip:bob@example.com>"}, TELEX_ERR_ARGUMENT},
        {{.to = "sip:bob@example.com?Subject=x"}, TELEX_ERR_ARGUMENT},
        {{.to = "sip:bob@example.com;method=INVITE"}, TELEX_ERR_ARGUMENT},
        {{.to = "sip:b@x", .content_type = "text/plain\r\nX: y"}, TELEX_ERR_ARGUMENT},
        {{.to = "sip:b@x", .subject = "a\nb"}, TELEX_ERR_ARGUMENT},
        {{.to = "sip:b@x", .message_id = ""}, TELEX_ERR_ARGUMENT},
        {{.to = "sip:b@x", .message_id = "a b"}, TELEX_ERR_ARGUMENT},
        {{.to = "sip:b@x", .message_id = "a\r\nX: y"}, TELEX_ERR_ARGUMENT},
        {{.to = "sip:b@x", .message_id = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
         TELEX_ERR_ARGUMENT},
        {{.to = "sip:b@x", .body_len = 3}, TELEX_ERR_ARGUMENT},
        {{.to = "sip:b@x", .receipts = "display"}, TELEX_ERR_ARGUMENT}, /* without a date */
        {{.to = "sip:b@x", .receipts = "display\r\nX: y", .date = 1}, TELEX_ERR_ARGUMENT},
        {{.to = "sip:b@x", .body = large, .body_len = sizeof large}, TELEX_ERR_TOO_LARGE},
        {{.to = "sip:b@x", .body = large, .body_len = TELEX_BODY_MAX}, 0},
        {{.to = "sip:b@x"}, 0}, /* an empty one is legal */
        {{.to = "tel:+4912345"}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab *l = lab_new(NULL);
        uint64_t id = 77;
        int err = telex_ua_send(l->ua, &cases[i].m, &id);
        if (err != cases[i].err)
            fail_msg("case %zu: %d", i, err);
        assert_true((err == 0) == (id != 77));
        lab_free(l);
    }
}

static void the_outbox_is_bounded(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    const struct telex_outgoing m = {.to = "sip:bob@example.com"};
    for (int i = 0; i < 1024; i++)
        assert_int_equal(telex_ua_send(l->ua, &m, NULL), 0);
    assert_int_equal(telex_ua_send(l->ua, &m, NULL), TELEX_ERR_FULL);
    lab_expect_request(l, "MESSAGE");
    lab_answer(l, 200, NULL);
    assert_int_equal(telex_ua_send(l->ua, &m, NULL), 0);
    lab_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_outcome),
        cmocka_unit_test(request_is_what_rfc_3428_asks),
        cmocka_unit_test(a_repeat_is_the_same_message),
        cmocka_unit_test(attempts_are_bounded),
        cmocka_unit_test(a_dead_link_is_unreachable_without_waiting),
        cmocka_unit_test(one_at_a_time_to_each_recipient),
        cmocka_unit_test(receipts_wrap_it_in_cpim),
        cmocka_unit_test(large_ones_go_by_tcp_and_else_by_udp),
        cmocka_unit_test(cancelled_ones_have_no_outcome),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
        cmocka_unit_test(the_outbox_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
