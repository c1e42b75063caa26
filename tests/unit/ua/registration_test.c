/* REGISTER: what is sent, refreshed, tried again and given up. */
#include "support/lab.h"

#include <stdio.h>

static void last_state(struct lab *l, enum telex_registration_state state, unsigned status)
{
    lab_turn(l);
    assert_true(l->registration_count > 0);
    assert_int_equal(l->registrations[l->registration_count - 1].state, state);
    assert_int_equal(l->registrations[l->registration_count - 1].status, status);
}

static void request_has_what_a_registrar_reads(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    lab_expect_silence(l); /* nothing goes out unasked */
    telex_ua_register(l->ua, 3600);
    assert_int_equal(l->sent_count, 0); /* and nothing inside the call */
    lab_expect_request(l, "REGISTER");
    assert_true(slice_eq(l->request.uri_text, SLICE("sip:example.com")));
    assert_string_equal(lab_header(l, "To"), "<sip:alice@example.com>");
    assert_string_equal(lab_header(l, "Contact"), "<sip:alice@192.0.2.10:5062>;+sip.instance=\"<urn:uuid:f81d4fae-7dec-"
                                                  "11d0-a765-00a0c91e6bf6>\"");
    assert_string_equal(lab_header(l, "Expires"), "3600");
    assert_string_equal(lab_header(l, "Max-Forwards"), "70");
    assert_non_null(strstr(lab_header(l, "Via"), "SIP/2.0/UDP 192.0.2.10:5062;"));
    assert_non_null(strstr(lab_header(l, "Via"), "rport"));
    assert_non_null(strstr(lab_header(l, "Allow"), "MESSAGE"));
    lab_answer(l, 200, "Contact: <sip:alice@192.0.2.10:5062>;expires=1800\r\n");
    last_state(l, TELEX_REGISTERED, 200);
    assert_int_equal(l->registrations[0].seconds, 1800);
    lab_free(l);
}

static void refresh_comes_before_the_end_with_the_same_call_id(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        uint64_t refresh_s;
    } cases[] = {
        {"Contact: <sip:alice@192.0.2.10:5062>;expires=120\r\n", 60},
        {"Contact: <sip:alice@203.0.113.9:5060>;expires=20, <sip:alice@192.0.2.10:5062>;expires=120\r\n", 60},
        {"Expires: 200\r\n", 100},
        {"", 3000},                                                        /* what was asked */
        {"Contact: <sip:alice@192.0.2.10:5062>;expires=999999\r\n", 3000}, /* never longer than asked */
        {"Contact: <sip:alice@192.0.2.10:5062>;expires=soon\r\nExpires: 100\r\n", 50},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab *l = lab_new(NULL);
        telex_ua_register(l->ua, 3600);
        lab_expect_request(l, "REGISTER");
        char call_id[80];
        snprintf(call_id, sizeof call_id, "%s", lab_header(l, "Call-ID"));
        lab_answer(l, 200, cases[i].headers);
        lab_pass(l, cases[i].refresh_s * 1000 - 1);
        lab_expect_silence(l);
        lab_pass(l, 1);
        lab_expect_request(l, "REGISTER");
        assert_string_equal(lab_header(l, "Call-ID"), call_id);
        assert_string_equal(lab_header(l, "CSeq"), "2 REGISTER");
        lab_free(l);
    }
}

static void silence_is_tried_again_later_and_later(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    telex_ua_register(l->ua, 3600);
    lab_pass(l, 31999);
    assert_int_equal(l->registration_count, 0); /* Timer F is 32 s */
    lab_pass(l, 1);
    last_state(l, TELEX_REGISTER_WAITING, 0);
    assert_in_range(l->registrations[0].seconds, 1, 1);
    lab_pass(l, 1000 + 32000);
    last_state(l, TELEX_REGISTER_WAITING, 0);
    assert_int_equal(l->registration_count, 2);
    assert_in_range(l->registrations[1].seconds, 1, 2);
    while (l->registration_count < 12) {
        lab_pass(l, 1000);
        lab_forget(l);
    }
    assert_in_range(l->registrations[11].seconds, 150, 300);
    lab_free(l);
}

static void passing_trouble_waits_and_refusals_end(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *headers;
        enum telex_registration_state state;
        uint32_t seconds_min, seconds_max;
    } cases[] = {
        {503, "Retry-After: 20\r\n", TELEX_REGISTER_WAITING, 20, 20},
        {503, "Retry-After: 4000000000\r\n", TELEX_REGISTER_WAITING, 300, 300},
        {500, "", TELEX_REGISTER_WAITING, 1, 1},
        {408, "", TELEX_REGISTER_WAITING, 1, 1},
        {504, "", TELEX_REGISTER_WAITING, 1, 1},
        {403, "", TELEX_REGISTER_REFUSED, 0, 0},
        {404, "", TELEX_REGISTER_REFUSED, 0, 0},
        {423, "", TELEX_REGISTER_REFUSED, 0, 0},                    /* without Min-Expires */
        {423, "Min-Expires: 60\r\n", TELEX_REGISTER_REFUSED, 0, 0}, /* not above what was asked */
        {423, "Min-Expires: 99999999\r\n", TELEX_REGISTER_REFUSED, 0, 0},
        {501, "", TELEX_REGISTER_REFUSED, 0, 0},
        {301, "Contact: <sip:evil@203.0.113.66>\r\n", TELEX_REGISTER_REFUSED, 0, 0}, /* never followed */
        {600, "", TELEX_REGISTER_REFUSED, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab *l = lab_new(NULL);
        telex_ua_register(l->ua, 3600);
        lab_expect_request(l, "REGISTER");
        lab_answer(l, cases[i].status, cases[i].headers);
        last_state(l, cases[i].state, cases[i].status);
        assert_in_range(l->registrations[0].seconds, cases[i].seconds_min, cases[i].seconds_max);
        if (cases[i].state == TELEX_REGISTER_REFUSED) {
            lab_pass(l, 3600 * 1000);
            lab_expect_silence(l);
        }
        lab_free(l);
    }
}

static void interval_too_brief_is_followed_once(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    telex_ua_register(l->ua, 60);
    lab_expect_request(l, "REGISTER");
    lab_answer(l, 423, "Min-Expires: 600\r\n");
    lab_expect_request(l, "REGISTER");
    assert_string_equal(lab_header(l, "Expires"), "600");
    lab_answer(l, 423, "Min-Expires: 1200\r\n");
    last_state(l, TELEX_REGISTER_REFUSED, 423);
    lab_expect_silence(l);
    lab_free(l);
}

static void zero_takes_it_back(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    telex_ua_register(l->ua, 3600);
    lab_expect_request(l, "REGISTER");
    telex_ua_register(l->ua, 0); /* while the first is on its way */
    lab_expect_silence(l);
    lab_answer(l, 200, "");
    lab_expect_request(l, "REGISTER");
    assert_string_equal(lab_header(l, "Expires"), "0");
    lab_answer(l, 200, "");
    last_state(l, TELEX_UNREGISTERED, 200);
    lab_pass(l, 7200 * 1000);
    lab_expect_silence(l);
    lab_free(l);
}

static void use_tcp(struct telex_ua_config *c)
{
    c->transport = TELEX_TCP;
}

static void lost_connection_is_opened_again(void **state)
{
    (void)state;
    struct lab *l = lab_new(use_tcp);
    telex_ua_register(l->ua, 3600);
    lab_turn(l);
    assert_int_equal(l->connects[TELEX_TCP], 1);
    assert_int_equal(telex_ua_connected(l->ua, TELEX_TCP, "192.0.2.10:40001", LAB_SERVER), 0);
    lab_expect_request(l, "REGISTER");
    assert_non_null(strstr(lab_header(l, "Via"), "SIP/2.0/TCP 192.0.2.10:40001;"));
    assert_non_null(strstr(lab_header(l, "Contact"), "<sip:alice@192.0.2.10:40001;transport=tcp>"));
    lab_answer(l, 200, "Contact: <sip:alice@192.0.2.10:40001;transport=tcp>;expires=3600\r\n");
    last_state(l, TELEX_REGISTERED, 200);

    telex_ua_disconnected(l->ua, TELEX_TCP);
    last_state(l, TELEX_REGISTER_WAITING, 0);
    assert_int_equal(l->connects[TELEX_TCP], 1); /* not at once: a restarted server is not stormed */
    lab_pass(l, 1000);
    assert_int_equal(l->connects[TELEX_TCP], 2);
    telex_ua_disconnected(l->ua, TELEX_TCP); /* refused */
    lab_pass(l, 3000);
    assert_int_equal(l->connects[TELEX_TCP], 3);
    assert_int_equal(telex_ua_connected(l->ua, TELEX_TCP, "192.0.2.10:40002", LAB_SERVER), 0);
    lab_expect_request(l, "REGISTER");
    assert_non_null(strstr(lab_header(l, "Contact"), "192.0.2.10:40002"));
    lab_answer(l, 200, "");
    last_state(l, TELEX_REGISTERED, 200);
    lab_free(l);
}

static void moved_address_registers_anew(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    telex_ua_register(l->ua, 3600);
    lab_expect_request(l, "REGISTER");
    lab_answer(l, 200, "");
    assert_int_equal(telex_ua_connected(l->ua, TELEX_UDP, "[2001:db8::7]:5064", "[2001:db8::1]:5060"), 0);
    lab_expect_request(l, "REGISTER");
    assert_non_null(strstr(lab_header(l, "Contact"), "<sip:alice@[2001:db8::7]:5064>"));
    lab_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_has_what_a_registrar_reads),
        cmocka_unit_test(refresh_comes_before_the_end_with_the_same_call_id),
        cmocka_unit_test(silence_is_tried_again_later_and_later),
        cmocka_unit_test(passing_trouble_waits_and_refusals_end),
        cmocka_unit_test(interval_too_brief_is_followed_once),
        cmocka_unit_test(zero_takes_it_back),
        cmocka_unit_test(lost_connection_is_opened_again),
        cmocka_unit_test(moved_address_registers_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
