/* What every request is checked for, in order, and the methods that are no MESSAGE and no REGISTER. RFC 3261 §16.3,
 * §8.2. */
#include "server/request.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "support/post.h"

struct request {
    const char *what, *method, *uri, *fields;
    int status; /* 0: none */
    const char *has;
};

#define US     "sip:example.com"
#define ANSWER "Max-Forwards: 70\r\n"

static const struct request requests[] = {
    {"OPTIONS to us", "OPTIONS", US, ANSWER, 200, "\r\nAllow: MESSAGE, REGISTER, OPTIONS\r\n"},
    {"OPTIONS to our address", "OPTIONS", "sip:" LAB_SERVER, ANSWER, 200, "\r\nSupported: path\r\n"},
    {"OPTIONS to us needs no hops", "OPTIONS", US, "Max-Forwards: 0\r\n", 200, NULL},
    {"OPTIONS to a user tells nothing of it", "OPTIONS", "sip:nobody@example.com", ANSWER, 200, NULL},
    {"OPTIONS to a stranger", "OPTIONS", "sip:elsewhere.example", ANSWER, 404, NULL},
    {"INVITE", "INVITE", BOB, ANSWER, 405, "\r\nAllow: MESSAGE, REGISTER, OPTIONS\r\n"},
    {"SUBSCRIBE", "SUBSCRIBE", BOB, ANSWER, 405, "\r\nAllow: "},
    {"NOTIFY", "NOTIFY", BOB, ANSWER, 405, "\r\nAllow: "},
    {"BYE", "BYE", BOB, ANSWER, 405, "\r\nAllow: "},
    {"an unknown method", "FROBNICATE", BOB, ANSWER, 405, "\r\nAllow: "},
    {"ACK", "ACK", BOB, ANSWER, 0, NULL},
    {"CANCEL", "CANCEL", BOB, ANSWER, 481, NULL},
    {"MESSAGE without credentials", "MESSAGE", BOB, ANSWER, 407, "\r\nProxy-Authenticate: Digest "},
    {"REGISTER without credentials", "REGISTER", US, ANSWER, 401, "\r\nWWW-Authenticate: Digest "},
    {"sips", "MESSAGE", "sips:bob@example.com", ANSWER, 416, NULL},
    {"tel", "MESSAGE", "tel:+49301234", ANSWER, 416, NULL},
    {"another scheme", "MESSAGE", "http://example.com/", ANSWER, 416, NULL},
    {"INVITE by another scheme", "INVITE", "soap.beep://192.0.2.103:3002", ANSWER, 416, NULL},
    {"no hops left", "MESSAGE", BOB, "Max-Forwards: 0\r\n", 483, NULL},
    {"no hops left for OPTIONS to a user", "OPTIONS", BOB, "Max-Forwards: 0\r\n", 483, NULL},
    {"REGISTER is for us", "REGISTER", US, "Max-Forwards: 0\r\n", 401, NULL},
    {"Proxy-Require", "MESSAGE", BOB, "Proxy-Require: foo, bar\r\nProxy-Require: baz\r\n", 420,
     "\r\nUnsupported: foo, bar, baz\r\n"},
    {"Require is the device's", "MESSAGE", BOB, "Require: foo\r\n", 407, NULL},
    {"Require of a REGISTER", "REGISTER", US, "Require: path, foo\r\n", 420, "\r\nUnsupported: foo\r\n"},
    {"Require: path", "REGISTER", US, "Require: path\r\n", 401, NULL},
    {"Require of OPTIONS", "OPTIONS", US, "Require: foo\r\n", 420, "\r\nUnsupported: foo\r\n"},
    {"scheme comes before hops", "MESSAGE", "sips:bob@example.com", "Max-Forwards: 0\r\n", 416, NULL},
    {"hops come before Proxy-Require", "MESSAGE", BOB, "Max-Forwards: 0\r\nProxy-Require: foo\r\n", 483, NULL},
    {"Proxy-Require comes before authentication", "MESSAGE", "sip:nobody@example.com", "Proxy-Require: foo\r\n", 420,
     NULL},
    {"authentication comes before 404", "MESSAGE", "sip:nobody@example.com", ANSWER, 407, NULL},
    {"REGISTER at an unknown domain", "REGISTER", "sip:elsewhere.example", ANSWER, 404, NULL},
};

static void send_request(struct lab *lab, const struct request *r, const char *to)
{
    char text[LAB_TEXT_MAX];
    (void)snprintf(text, sizeof text,
                   "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP " PHONE_A ";branch=z9hG4bKr\r\n%sFrom: <" BOB
                   ">;tag=1\r\nTo: <%s>\r\nCall-ID: r\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
                   r->method, r->uri, r->fields, to, r->method);
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, PHONE_A);
    lab_receive(lab, &flow, text);
}

static void test_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        const struct request *r = &requests[i];
        struct lab *lab = lab_new(1);
        send_request(lab, r, BOB);
        int status = lab_status(lab);
        if (status != r->status || (r->has && !lab_last_has(lab, r->has)) || lab->sent_count != (status ? 1 : 0))
            fail_msg("%s: %d %s", r->what, status, lab->sent_count ? lab_last(lab)->text : "");
        if (status)
            assert_non_null(strstr(lab_last(lab)->text, "\r\nTo: <" BOB ">;tag="));
        assert_int_equal(server_running(lab->workers[0].server), 0);
        lab_free(lab);
    }
}

/* A retransmission of what was answered without state gets the same To tag (§8.2.7). */
static void test_stateless_answers_are_the_same(void **state)
{
    struct lab *lab = lab_new(1);
    static const struct request invite = {"", "INVITE", BOB, ANSWER, 405, NULL};
    (void)state;
    send_request(lab, &invite, BOB);
    send_request(lab, &invite, BOB);
    assert_int_equal(lab->sent_count, 2);
    assert_string_equal(lab->sent[0].text, lab->sent[1].text);
    lab_free(lab);
}

static void test_stopping_is_503(void **state)
{
    struct lab *lab = lab_new(1);
    (void)state;
    server_drain(lab->workers[0].server);
    const char *branch = post_send(lab, &(struct post_message){0});
    assert_int_equal(post_status(lab, branch), 503);
    assert_true(lab_last_has(lab, "\r\nRetry-After: "));
    lab_free(lab);
}

/* --- the line to add to the configuration --- */

static char logged[4096];

static void note(void *context, struct slice line)
{
    (void)context;
    size_t len = strlen(logged);
    (void)snprintf(logged + len, sizeof logged - len, "%.*s\n", SLICE_ARG(line));
}

static void test_a_register_at_an_unknown_domain_is_logged(void **state)
{
    static const struct {
        const char *uri, *to, *domain;
    } cases[] = {
        {"sip:new.example", "sip:bob@new.example", "new.example"},
        {"sip:example.com", "sip:bob@to.example", "to.example"},
        {"sip:uri.example", "sip:bob@example.com", "uri.example"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab *lab = lab_new(1);
        const struct request r = {"", "REGISTER", cases[i].uri, ANSWER, 404, NULL};
        logged[0] = '\0';
        log_set_sink(note, NULL);
        send_request(lab, &r, cases[i].to);
        log_set_sink(NULL, NULL);
        assert_int_equal(lab_status(lab), 404);
        char wanted[128];
        (void)snprintf(wanted, sizeof wanted, "domains: [..., %s]", cases[i].domain);
        if (!strstr(logged, "register-unknown-domain") || !strstr(logged, wanted) || !strstr(logged, PHONE_A))
            fail_msg("%s: %s", cases[i].domain, logged);
        lab_free(lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_stateless_answers_are_the_same),
        cmocka_unit_test(test_stopping_is_503),
        cmocka_unit_test(test_a_register_at_an_unknown_domain_is_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
