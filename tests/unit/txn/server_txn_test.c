/* Server transactions: each row of RFC 3261 §17.2.2 as corrected by RFC 4320, matching, what is kept and for how long.
 */
#include "support/rig.h"

#include <stdio.h>

#define UDP_VIA "SIP/2.0/UDP 10.0.0.5:5062;rport;branch=z9hG4bKabc"
#define REQUEST_AS(method, via, call_id, cseq)                                                                         \
    method " sip:bob@example.com SIP/2.0\r\nVia: " via "\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a1"  \
           "\r\nTo: <sip:bob@example.com>\r\nCall-ID: " call_id "\r\nCSeq: " cseq " " method                           \
           "\r\nContent-Length: 0\r\n\r\n"
#define OLD(via)     REQUEST_AS("OPTIONS", via, "c1", "1") /* a method of RFC 2543, which had no branch */
#define REQUEST(via) REQUEST_AS("MESSAGE", via, "c1", "1")

static const struct answer ok = {.status = 200}, accepted = {.status = 202}, trying = {.status = 100};

static void test_absorbs_until_answered(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    assert_int_equal(r.requests, 1);
    assert_int_equal(r.sent_count, 0);
    assert_int_equal(endpoint_counters(r.e)->requests, 3);
    assert_int_equal(endpoint_counters(r.e)->retransmissions, 2);
    assert_int_equal(endpoint_running(r.e), 1);
    rig_deinit(&r);
}

static void test_answer_is_repeated_until_timer_j(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_advance_to(&r, 1000);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    server_txn_answer(r.server, &accepted);
    assert_int_equal(r.sent_count, 1);
    assert_int_equal(endpoint_running(r.e), 0);
    assert_null(server_txn_find(r.e, r.server_id));
    assert_true(rig_contains(rig_last(&r), "SIP/2.0 202 Accepted\r\nVia: SIP/2.0/UDP 10.0.0.5:5062;"
                                           "branch=z9hG4bKabc;received=192.0.2.1;rport=40000\r\n"));
    assert_true(rig_contains(rig_last(&r), "\r\nContent-Length: 0\r\n\r\n"));
    assert_true(rig_last(&r)->hop.is_flow);
    assert_int_equal(rig_last(&r)->hop.flow.remote.port, 40000);

    static const uint64_t at_ms[] = {1500, 20000, 32999};
    for (size_t i = 0; i < sizeof at_ms / sizeof at_ms[0]; i++) {
        rig_advance_to(&r, at_ms[i]);
        rig_receive_udp(&r, REQUEST(UDP_VIA));
        assert_int_equal(r.sent_count, i + 2);
        assert_int_equal(rig_last(&r)->len, r.sent[0].len);
        assert_memory_equal(rig_last(&r)->bytes, r.sent[0].bytes, r.sent[0].len);
    }
    assert_int_equal(r.requests, 1);
    rig_advance_to(&r, 33000); /* 1000 + 64*T1 */
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    assert_int_equal(r.requests, 2);
    rig_deinit(&r);
}

static void test_reliable_ends_at_once(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct flow flow = rig_flow(TRANSPORT_TCP, "192.0.2.1:40000");
    const char *text = REQUEST("SIP/2.0/TCP 10.0.0.5:5062;branch=z9hG4bKabc");
    rig_receive(&r, &flow, text);
    rig_receive(&r, &flow, text);
    assert_int_equal(r.requests, 1); /* while it runs, repeats are absorbed on streams too */
    server_txn_answer(r.server, &ok);
    assert_int_equal(r.sent_count, 1);
    assert_true(flow_eq(&rig_last(&r)->hop.flow, &flow));
    rig_receive(&r, &flow, text);
    assert_int_equal(r.requests, 2); /* Timer J is 0 */
    rig_deinit(&r);
}

static void test_provisional(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    server_txn_answer(r.server, &(struct answer){.status = 180}); /* RFC 4320 §4.1 */
    server_txn_answer(r.server, &(struct answer){.status = 183});
    assert_int_equal(r.sent_count, 0);
    server_txn_answer(r.server, &trying);
    assert_int_equal(r.sent_count, 1);
    assert_true(rig_contains(rig_last(&r), "SIP/2.0 100 Trying\r\n"));
    assert_true(rig_contains(rig_last(&r), "\r\nTo: <sip:bob@example.com>\r\n")); /* §8.2.6.2 */
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    assert_int_equal(r.sent_count, 2);
    assert_memory_equal(r.sent[1].bytes, r.sent[0].bytes, r.sent[0].len);
    server_txn_answer(r.server, &(struct answer){.status = 180});
    assert_int_equal(r.sent_count, 2);
    server_txn_answer(r.server, &trying);
    assert_int_equal(r.sent_count, 3);
    assert_non_null(server_txn_find(r.e, r.server_id));
    server_txn_answer(r.server, &ok);
    assert_int_equal(r.sent_count, 4);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    assert_true(rig_contains(rig_last(&r), "SIP/2.0 200 OK\r\n"));
    rig_deinit(&r);
}

static void test_no_408(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    server_txn_answer(r.server, &(struct answer){.status = 408}); /* RFC 4320 §4.2 */
    assert_int_equal(endpoint_running(r.e), 0);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    assert_int_equal(r.requests, 1);
    assert_int_equal(r.sent_count, 0);
    rig_receive_udp(&r, REQUEST_AS("MESSAGE", "SIP/2.0/UDP 10.0.0.5;branch=z9hG4bKdef", "c2", "1"));
    server_txn_answer(r.server, &trying);
    server_txn_answer(r.server, &(struct answer){.status = 408});
    assert_int_equal(r.sent_count, 1);
    assert_int_equal(endpoint_running(r.e), 0);
    rig_deinit(&r);
}

static void test_second_final_is_ignored(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    server_txn_answer(r.server, &ok);
    server_txn_answer(r.server, &(struct answer){.status = 500});
    server_txn_answer(r.server, &trying);
    assert_int_equal(r.sent_count, 1);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    assert_true(rig_contains(rig_last(&r), "SIP/2.0 200 "));
    rig_deinit(&r);
}

static void test_answer_of_its_own_keeps_its_bytes(void **state)
{
    (void)state;
    static const struct answer cases[] = {
        {.status = 503, .headers = SLICE_INIT("Retry-After: 17\r\n")},
        {.status = 200, .reason = SLICE_INIT("Fine")},
        {.status = 200, .headers = SLICE_INIT("Content-Type: text/plain\r\n"), .body = SLICE_INIT("a body\0with NUL")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        rig_init(&r);
        rig_receive_udp(&r, REQUEST(UDP_VIA));
        server_txn_answer(r.server, &cases[i]);
        rig_receive_udp(&r, REQUEST(UDP_VIA));
        assert_int_equal(r.sent_count, 2);
        assert_int_equal(r.sent[0].len, r.sent[1].len);
        assert_memory_equal(r.sent[0].bytes, r.sent[1].bytes, r.sent[0].len);
        if (cases[i].headers.len) {
            char line[64];
            assert_int_equal(slice_to_cstr(cases[i].headers, line, sizeof line), ERR_NONE);
            assert_true(rig_contains(rig_last(&r), line));
        }
        rig_deinit(&r);
    }
}

static void test_answer_that_cannot_be_built(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    server_txn_answer(r.server, &(struct answer){.status = 200, .reason = SLICE("a\r\nb")});
    assert_int_equal(r.sent_count, 0);
    assert_int_equal(endpoint_counters(r.e)->send_failures, 1);
    rig_receive_udp(&r, REQUEST(UDP_VIA)); /* a new request: nothing was answered */
    assert_int_equal(r.requests, 2);
    rig_deinit(&r);
}

struct match_case {
    const char *first, *second;
    bool same;
};

static void test_matching(void **state)
{
    (void)state;
    static const struct match_case cases[] = {
        /* RFC 3261 §17.2.3: branch, sent-by, method */
        {REQUEST(UDP_VIA), REQUEST(UDP_VIA), true},
        {REQUEST(UDP_VIA), REQUEST("SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bKabc;rport"), true},
        {REQUEST("SIP/2.0/UDP A.example:5062;branch=z9hG4bKabc"),
         REQUEST("SIP/2.0/UDP a.EXAMPLE:5062;branch=z9hG4bKabc"), true},
        {REQUEST(UDP_VIA), REQUEST("SIP/2.0/UDP 10.0.0.5:5062;rport;branch=z9hG4bKabd"), false},
        {REQUEST(UDP_VIA), REQUEST("SIP/2.0/UDP 10.0.0.5:5063;rport;branch=z9hG4bKabc"), false},
        {REQUEST(UDP_VIA), REQUEST("SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bKabc"), false},
        {REQUEST(UDP_VIA), REQUEST("SIP/2.0/UDP 10.0.0.6:5062;rport;branch=z9hG4bKabc"), false},
        {REQUEST(UDP_VIA), REQUEST_AS("OPTIONS", UDP_VIA, "c1", "1"), false},
        {REQUEST(UDP_VIA), REQUEST_AS("CANCEL", UDP_VIA, "c1", "1"), false}, /* given to the user */
        {REQUEST_AS("NEWONE", UDP_VIA, "c1", "1"), REQUEST_AS("NEWONE", UDP_VIA, "c1", "1"), true},
        {REQUEST_AS("NEWONE", UDP_VIA, "c1", "1"), REQUEST_AS("OTHERONE", UDP_VIA, "c1", "1"), false},
        /* a branch used twice by a poor client is no retransmission */
        {REQUEST(UDP_VIA), REQUEST_AS("MESSAGE", UDP_VIA, "c2", "1"), false},
        {REQUEST(UDP_VIA), REQUEST_AS("MESSAGE", UDP_VIA, "c1", "2"), false},
        /* RFC 2543: no branch, or not the cookie, or nothing behind it */
        {OLD("SIP/2.0/UDP 10.0.0.5:5062"), OLD("SIP/2.0/UDP 10.0.0.5:5062"), true},
        {REQUEST("SIP/2.0/UDP 10.0.0.5:5062;branch=1"), REQUEST("SIP/2.0/UDP 10.0.0.5:5062;branch=1"), true},
        {OLD("SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK"), OLD("SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK"), true},
        {REQUEST("SIP/2.0/UDP 10.0.0.5:5062;branch=1"), REQUEST("SIP/2.0/UDP 10.0.0.5:5062;branch=2"), false},
        {OLD("SIP/2.0/UDP 10.0.0.5:5062"), OLD("SIP/2.0/UDP 10.0.0.5:5063"), false},
        {OLD("SIP/2.0/UDP 10.0.0.5"), REQUEST_AS("OPTIONS", "SIP/2.0/UDP 10.0.0.5", "c2", "1"), false},
        {OLD("SIP/2.0/UDP 10.0.0.5"), REQUEST_AS("OPTIONS", "SIP/2.0/UDP 10.0.0.5", "c1", "2"), false},
        {OLD("SIP/2.0/UDP 10.0.0.5"), REQUEST_AS("REGISTER", "SIP/2.0/UDP 10.0.0.5", "c1", "1"), false},
        {OLD("SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK"),
         REQUEST_AS("OPTIONS", "SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK", "c2", "1"), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int answered = 0; answered < 2; answered++) {
            struct rig r;
            rig_init(&r);
            rig_receive_udp(&r, cases[i].first);
            if (r.requests != 1)
                fail_msg("case %zu: not taken:\n%s", i, cases[i].first);
            if (answered)
                server_txn_answer(r.server, &ok);
            rig_receive_udp(&r, cases[i].second);
            if (r.requests != (cases[i].same ? 1u : 2u))
                fail_msg("case %zu: %zu requests:\n%s", i, r.requests, cases[i].second);
            assert_int_equal(r.sent_count, answered && cases[i].same ? 2 : answered);
            rig_deinit(&r);
        }
    }
}

/* RFC 2543: Request-URI and tags count as well. */
static void test_rfc2543_fields(void **state)
{
    (void)state;
    static const char format[] = "OPTIONS %s SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5\r\nMax-Forwards: 70\r\n"
                                 "From: <sip:alice@example.com>%s\r\nTo: <sip:bob@example.com>%s\r\nCall-ID: c1\r\n"
                                 "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    static const char *const cases[][3] = {
        {"sip:bob@example.com", ";tag=a", ""},       {"sip:eve@example.com", ";tag=a", ""},
        {"sip:bob@example.com", ";tag=b", ""},       {"sip:bob@example.com", ";tag=a", ";tag=t"},
        {"sip:bob@example.com", ";tag=a", ";tag=u"},
    };
    struct rig r = {0};
    struct endpoint_config config = rig_config(&r);
    config.server_txns_max = 16;
    rig_init_with(&r, &config);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            char text[1024];
            assert_true(snprintf(text, sizeof text, format, cases[i][0], cases[i][1], cases[i][2]) > 0);
            rig_receive_udp(&r, text);
            assert_int_equal(r.requests, round ? sizeof cases / sizeof cases[0] : i + 1);
        }
    }
    rig_deinit(&r);
}

static void numbered(char *text, size_t size, unsigned n)
{
    assert_true(snprintf(text, size, REQUEST("SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bK%u"), n) > 0);
}

static void test_running_table_is_bounded(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    char text[1024];
    for (unsigned i = 0; i < 4; i++) {
        numbered(text, sizeof text, i);
        rig_receive_udp(&r, text);
        assert_non_null(r.server);
    }
    struct txn_id last = r.server_id;
    numbered(text, sizeof text, 4);
    rig_receive_udp(&r, text);
    assert_null(r.server);
    assert_int_equal(endpoint_running(r.e), 4);
    server_txn_answer(server_txn_find(r.e, last), &ok);
    rig_receive_udp(&r, text);
    assert_non_null(r.server);
    assert_null(server_txn_find(r.e, last)); /* the slot again, another generation */
    assert_int_equal(r.server_id.slot, last.slot);
    rig_deinit(&r);
}

static void test_finished_table_drops_the_oldest(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    char text[1024];
    for (unsigned i = 0; i < 6; i++) { /* room for 4 */
        rig_advance_to(&r, i * 10);
        numbered(text, sizeof text, i);
        rig_receive_udp(&r, text);
        server_txn_answer(r.server, &ok);
    }
    assert_int_equal(r.requests, 6);
    for (unsigned i = 2; i < 6; i++) {
        numbered(text, sizeof text, i);
        rig_receive_udp(&r, text);
    }
    assert_int_equal(r.requests, 6);
    for (unsigned i = 0; i < 2; i++) {
        numbered(text, sizeof text, i);
        rig_receive_udp(&r, text);
    }
    assert_int_equal(r.requests, 8);
    rig_deinit(&r);
}

static void test_no_finished_ones_kept(void **state)
{
    (void)state;
    struct rig r = {0};
    struct endpoint_config config = rig_config(&r);
    config.finished_max = 0;
    rig_init_with(&r, &config);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    server_txn_answer(r.server, &ok);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    assert_int_equal(r.requests, 2);
    rig_deinit(&r);
}

static void test_find_by_id(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    struct txn_id id = r.server_id;
    assert_int_equal(id.worker, 7);
    assert_ptr_equal(server_txn_find(r.e, id), r.server);
    struct txn_id wrong[] = {
        {id.slot, id.generation + 1, id.worker},
        {id.slot + 1, id.generation, id.worker},
        {id.slot, id.generation, 8},
        {UINT32_MAX, id.generation, id.worker},
        {id.slot, 0, id.worker},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_null(server_txn_find(r.e, wrong[i]));
    server_txn_answer(r.server, &ok);
    assert_null(server_txn_find(r.e, id));
    rig_deinit(&r);
}

static void test_connection_gone(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct flow flow = rig_flow(TRANSPORT_TCP, "192.0.2.1:40000");
    rig_receive(&r, &flow, REQUEST("SIP/2.0/TCP 10.0.0.5:5062;branch=z9hG4bKabc"));
    r.result = LINK_FAILED;
    r.target_result = LINK_PENDING;
    server_txn_answer(r.server, &ok);
    assert_int_equal(r.sent_count, 1); /* RFC 3261 §18.2.2: received and the sent-by port */
    assert_false(rig_last(&r)->hop.is_flow);
    assert_string_equal(rig_last(&r)->host, "192.0.2.1");
    assert_int_equal(rig_last(&r)->hop.target.port, 5062);
    assert_int_equal(endpoint_counters(r.e)->send_failures, 0);

    rig_receive(&r, &flow, REQUEST("SIP/2.0/TCP 10.0.0.5:5062;branch=z9hG4bKabc"));
    r.target_result = LINK_FAILED;
    server_txn_answer(r.server, &ok);
    assert_int_equal(r.sent_count, 1);
    assert_int_equal(endpoint_counters(r.e)->send_failures, 1);

    struct flow ws = rig_flow(TRANSPORT_WS, "192.0.2.1:40001");
    r.target_result = LINK_DONE;
    rig_receive(&r, &ws, REQUEST("SIP/2.0/WS a.invalid;branch=z9hG4bKabc"));
    server_txn_answer(r.server, &ok);
    assert_int_equal(r.sent_count, 1);
    assert_int_equal(endpoint_counters(r.e)->send_failures, 2);

    rig_receive_udp(&r, REQUEST(UDP_VIA));
    server_txn_answer(r.server, &ok);
    assert_int_equal(r.sent_count, 1);
    r.result = LINK_DONE;
    rig_receive_udp(&r, REQUEST(UDP_VIA)); /* a datagram that failed goes out with the retransmission */
    assert_int_equal(r.sent_count, 2);
    rig_deinit(&r);
}

static void test_freed_with_everything_in_it(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    char text[1024];
    for (unsigned i = 0; i < 5; i++) {
        numbered(text, sizeof text, i);
        rig_receive_udp(&r, text);
        if (i == 0)
            server_txn_answer(r.server, &(struct answer){.status = 500, .headers = SLICE("X: y\r\n")});
        if (i == 1)
            server_txn_answer(r.server, &trying);
    }
    rig_deinit(&r);
    endpoint_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absorbs_until_answered),
        cmocka_unit_test(test_answer_is_repeated_until_timer_j),
        cmocka_unit_test(test_reliable_ends_at_once),
        cmocka_unit_test(test_provisional),
        cmocka_unit_test(test_no_408),
        cmocka_unit_test(test_second_final_is_ignored),
        cmocka_unit_test(test_answer_of_its_own_keeps_its_bytes),
        cmocka_unit_test(test_answer_that_cannot_be_built),
        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_rfc2543_fields),
        cmocka_unit_test(test_running_table_is_bounded),
        cmocka_unit_test(test_finished_table_drops_the_oldest),
        cmocka_unit_test(test_no_finished_ones_kept),
        cmocka_unit_test(test_find_by_id),
        cmocka_unit_test(test_connection_gone),
        cmocka_unit_test(test_freed_with_everything_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
