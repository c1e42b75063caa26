/* Incoming requests: shown once, answered now or late, repeats known. */
#include "support/lab.h"

#include <stdio.h>

#include "sip/build.h"

static void a_message_is_shown_and_answered(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    lab_deliver(l, "a", "call1", "hello");
    assert_int_equal(l->incoming_count, 1);
    assert_string_equal(l->incoming[0].from, "sip:bob@example.com");
    assert_string_equal(l->incoming[0].from_name, "Bob \"B\"");
    assert_string_equal(l->incoming[0].message_id, "id-of-call1");
    assert_string_equal(l->incoming[0].content_type, "text/plain");
    assert_int_equal(l->incoming[0].date, 1289690940);
    assert_int_equal(l->incoming[0].body_len, 5);
    assert_memory_equal(l->incoming[0].body, "hello", 5);
    lab_expect_silence(l); /* nothing is answered before the host says so */
    assert_int_equal(telex_ua_unanswered_count(l->ua), 1);
    assert_int_equal(telex_ua_answer(l->ua, l->incoming[0].handle, 200), 0);
    lab_expect_answer(l, 200);
    assert_string_equal(lab_header(l, "Contact"), ""); /* RFC 3428 §7 */
    assert_int_equal(l->request.body.len, 0);
    assert_int_equal(telex_ua_unanswered_count(l->ua), 0);
    assert_int_equal(telex_ua_answer(l->ua, l->incoming[0].handle, 200), TELEX_ERR_NOT_FOUND);
    lab_free(l);
}

static void retransmissions_are_absorbed(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    lab_deliver(l, "a", "call1", "hello");
    lab_deliver(l, "a", "call1", "hello");
    lab_expect_silence(l);
    telex_ua_answer(l->ua, l->incoming[0].handle, 200);
    lab_expect_answer(l, 200);
    lab_deliver(l, "a", "call1", "hello");
    lab_expect_answer(l, 200); /* the same again */
    assert_int_equal(l->incoming_count, 1);
    lab_free(l);
}

static void a_repeat_after_200_is_not_shown(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    l->answer_at_once = 200;
    lab_deliver(l, "a", "call1", "hello");
    lab_expect_answer(l, 200);
    lab_pass(l, 3600 * 1000);
    lab_deliver(l, "b", "call1", "hello"); /* a new branch: the server's next attempt */
    lab_expect_answer(l, 200);
    assert_int_equal(l->incoming_count, 1);
    lab_deliver(l, "c", "call2", "hello"); /* the same text is not the same message */
    lab_expect_answer(l, 200);
    assert_int_equal(l->incoming_count, 2);
    lab_free(l);
}

static void a_repeat_after_a_refusal_is_shown_again(void **state)
{
    (void)state;
    static const unsigned statuses[] = {415, 480, 500, 603};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct lab *l = lab_new(NULL);
        l->answer_at_once = statuses[i];
        lab_deliver(l, "a", "call1", "hello");
        lab_expect_answer(l, statuses[i]);
        assert_string_equal(lab_header(l, "Accept"), statuses[i] == 415 ? "*/*" : "");
        l->answer_at_once = 200;
        lab_deliver(l, "b", "call1", "hello");
        lab_expect_answer(l, 200);
        assert_int_equal(l->incoming_count, 2);
        lab_free(l);
    }
}

static void a_late_answer_meets_the_next_attempt(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    lab_deliver(l, "a", "call1", "hello");
    lab_pass(l, 31999);
    lab_expect_silence(l);
    lab_pass(l, 1);
    lab_expect_answer(l, 500); /* nobody waits any longer; the server keeps it */
    lab_deliver(l, "b", "call1", "hello");
    lab_expect_silence(l); /* the host is still at it: shown once */
    assert_int_equal(l->incoming_count, 1);
    lab_pass(l, 10000);
    telex_ua_answer(l->ua, l->incoming[0].handle, 200);
    lab_expect_answer(l, 200);
    assert_non_null(strstr(lab_header(l, "Via"), "z9hG4bKb"));
    lab_expect_silence(l);
    lab_deliver(l, "c", "call2", "two");
    lab_pass(l, 40000);
    lab_expect_answer(l, 500);
    telex_ua_answer(l->ua, l->incoming[1].handle, 200);
    lab_expect_silence(l);
    lab_deliver(l, "d", "call2", "two");
    lab_expect_answer(l, 200); /* it was taken meanwhile */
    assert_int_equal(l->incoming_count, 2);
    lab_free(l);
}

static void unanswered_ones_are_bounded(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    l->answer_at_once = 0;
    char branch[16];
    for (int i = 0; i < 256; i++) {
        snprintf(branch, sizeof branch, "x%d", i);
        l->incoming_count = 0;
        lab_deliver(l, branch, branch, "hello");
        assert_int_equal(l->incoming_count, 1);
    }
    l->incoming_count = 0;
    lab_deliver(l, "over", "over", "hello");
    assert_int_equal(l->incoming_count, 0);
    lab_expect_answer(l, 503);
    assert_string_not_equal(lab_header(l, "Retry-After"), "");
    lab_free(l);
}

static void cpim_is_opened(void **state)
{
    (void)state;
    static const char head[] = "MESSAGE sip:alice@192.0.2.10 SIP/2.0\r\n"
                               "Via: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKcp\r\n"
                               "Max-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=1\r\nTo: sip:alice@example.com\r\n"
                               "Call-ID: c\r\nCSeq: 1 MESSAGE\r\n";
    static const struct {
        const char *type, *body;
        bool cpim;
        const char *seen_type, *seen_body, *seen_id, *seen_receipts;
    } cases[] = {
        {"Content-Type: message/cpim\r\n",
         "From: <sip:bob@example.com>\r\nTo: <sip:alice@example.com>\r\nNS: imdn <urn:ietf:params:imdn>\r\n"
         "imdn.Message-ID: m1\r\nimdn.Disposition-Notification: display\r\n\r\nContent-Type: text/html\r\n\r\n<b>x</b>",
         true, "text/html", "<b>x</b>", "m1", "display"},
        {"Content-Type: MESSAGE/CPIM; charset=utf-8\r\n", "From: <sip:b@x>\r\n\r\nContent-Type: text/plain\r\n\r\n",
         true, "text/plain", "", "", ""},
        {"Content-Type: message/cpim\r\n", "no cpim at all", false, "message/cpim", "no cpim at all", "", ""},
        {"Content-Type: message/cpim\r\nContent-Encoding: deflate\r\n", "From: <sip:b@x>\r\n\r\n\r\n", false,
         "message/cpim", "From: <sip:b@x>\r\n\r\n\r\n", "", ""},
        {"Content-Type: text/plain\r\n", "From: <sip:b@x>\r\n\r\n\r\n", false, "text/plain",
         "From: <sip:b@x>\r\n\r\n\r\n", "", ""},
        {"", "", false, "", "", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab *l = lab_new(NULL);
        char text[2048];
        int len = snprintf(text, sizeof text, "%s%sContent-Length: %zu\r\n\r\n%s", head, cases[i].type,
                           strlen(cases[i].body), cases[i].body);
        lab_feed(l, TELEX_UDP, text, (size_t)len);
        assert_int_equal(l->incoming_count, 1);
        assert_int_equal(l->incoming[0].cpim, cases[i].cpim);
        assert_string_equal(l->incoming[0].content_type, cases[i].seen_type);
        assert_string_equal(l->incoming[0].message_id, cases[i].seen_id);
        assert_string_equal(l->incoming[0].receipts, cases[i].seen_receipts);
        assert_int_equal(l->incoming[0].body_len, strlen(cases[i].seen_body));
        assert_memory_equal(l->incoming[0].body, cases[i].seen_body, l->incoming[0].body_len);
        lab_free(l);
    }
}

static void other_requests_get_their_answer(void **state)
{
    (void)state;
    static const struct {
        const char *method, *headers;
        unsigned status; /* 0: none */
        const char *name, *value;
    } cases[] = {
        {"OPTIONS", "", 200, "Allow", "MESSAGE, OPTIONS"},
        {"OPTIONS", "", 200, "Accept", "*/*"},
        {"INVITE", "", 405, "Allow", "MESSAGE, OPTIONS"},
        {"NOTIFY", "", 405, "Allow", "MESSAGE, OPTIONS"},
        {"FOO", "", 405, "Allow", "MESSAGE, OPTIONS"},
        {"CANCEL", "", 481, "Allow", ""},
        {"MESSAGE", "Require: 100rel, foo\r\n", 420, "Unsupported", "100rel"},
        {"OPTIONS", "Require: x\r\n", 420, "Unsupported", "x"},
        {"MESSAGE", "CSeq: 2 MESSAGE\r\n", 400, "Unsupported", ""}, /* a field twice */
        {"ACK", "", 0, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab *l = lab_new(NULL);
        char text[1024];
        int len = snprintf(text, sizeof text,
                           "%s sip:alice@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKo\r\n"
                           "Max-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\n"
                           "Call-ID: c\r\nCSeq: 1 %s\r\n%sContent-Length: 0\r\n\r\n",
                           cases[i].method, cases[i].method, cases[i].headers);
        lab_feed(l, TELEX_UDP, text, (size_t)len);
        if (cases[i].status == 0) {
            lab_expect_silence(l);
        } else {
            lab_expect_answer(l, cases[i].status);
            assert_string_equal(lab_header(l, cases[i].name), cases[i].value);
        }
        assert_int_equal(l->incoming_count, 0);
        lab_free(l);
    }
}

static void answers_must_be_final(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        int err;
    } cases[] = {{0, TELEX_ERR_ARGUMENT},
                 {100, TELEX_ERR_ARGUMENT},
                 {199, TELEX_ERR_ARGUMENT},
                 {700, TELEX_ERR_ARGUMENT},
                 {UINT32_MAX, TELEX_ERR_ARGUMENT},
                 {200, 0},
                 {699, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab *l = lab_new(NULL);
        lab_deliver(l, "a", "call1", "hello");
        assert_int_equal(telex_ua_answer(l->ua, l->incoming[0].handle, cases[i].status), cases[i].err);
        assert_int_equal(telex_ua_answer(l->ua, l->incoming[0].handle + 1, 200), TELEX_ERR_NOT_FOUND);
        lab_free(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_shown_and_answered),
        cmocka_unit_test(retransmissions_are_absorbed),
        cmocka_unit_test(a_repeat_after_200_is_not_shown),
        cmocka_unit_test(a_repeat_after_a_refusal_is_shown_again),
        cmocka_unit_test(a_late_answer_meets_the_next_attempt),
        cmocka_unit_test(unanswered_ones_are_bounded),
        cmocka_unit_test(cpim_is_opened),
        cmocka_unit_test(other_requests_get_their_answer),
        cmocka_unit_test(answers_must_be_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
