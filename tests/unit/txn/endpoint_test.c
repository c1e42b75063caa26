/* What the endpoint does with each kind of packet, and the answers that need no state. */
#include "support/rig.h"

#include <stdio.h>

#define UDP_VIA "SIP/2.0/UDP 10.0.0.5:5062;rport;branch=z9hG4bKabc"
#define HEAD(method, via)                                                                                              \
    method " sip:bob@example.com SIP/2.0\r\nVia: " via "\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a1"  \
           "\r\nCall-ID: c1\r\nCSeq: 1 " method "\r\n"
#define TO      "To: <sip:bob@example.com>\r\n"
#define REQUEST HEAD("MESSAGE", UDP_VIA) TO "Content-Length: 0\r\n\r\n"

static void test_stateless_answer_is_deterministic(void **state)
{
    (void)state;
    struct rig r = {0};
    struct endpoint_config config = rig_config(&r);
    config.server_name = SLICE("Telex/1");
    rig_init_with(&r, &config);
    r.on_request = RIG_ANSWER;
    r.answer = (struct answer){.status = 407, .headers = SLICE("Proxy-Authenticate: Digest realm=\"x\"\r\n")};
    rig_receive_udp(&r, REQUEST);
    rig_receive_udp(&r, REQUEST);
    assert_int_equal(r.requests, 2); /* no state was made */
    assert_int_equal(endpoint_running(r.e), 0);
    assert_int_equal(r.sent_count, 2);
    assert_int_equal(r.sent[0].len, r.sent[1].len);
    assert_memory_equal(r.sent[0].bytes, r.sent[1].bytes, r.sent[0].len); /* RFC 3261 §8.2.7 */
    assert_true(rig_contains(&r.sent[0], "SIP/2.0 407 Proxy Authentication Required\r\nVia: SIP/2.0/UDP 10.0.0.5:5062;"
                                         "branch=z9hG4bKabc;received=192.0.2.1;rport=40000\r\n"));
    assert_true(rig_contains(&r.sent[0], "\r\nServer: Telex/1\r\nProxy-Authenticate: Digest realm=\"x\"\r\n"));
    assert_true(rig_contains(&r.sent[0], "\r\nContent-Length: 0\r\n\r\n"));

    char tag[2][64];
    rig_cut(&r.sent[0], "To: <sip:bob@example.com>;tag=", tag[0], sizeof tag[0]);
    assert_int_equal(strlen(tag[0]), 16);
    rig_receive_udp(&r, HEAD("OPTIONS", UDP_VIA) TO "Content-Length: 0\r\n\r\n");
    rig_cut(rig_last(&r), "To: <sip:bob@example.com>;tag=", tag[1], sizeof tag[1]);
    assert_string_not_equal(tag[0], tag[1]);
    rig_deinit(&r);
}

/* The same tag whether a transaction answers or nobody remembers. */
static void test_tag_is_the_same_with_and_without_a_transaction(void **state)
{
    (void)state;
    struct rig r;
    char tag[2][64];
    rig_init(&r);
    r.on_request = RIG_ANSWER;
    r.answer = (struct answer){.status = 200};
    rig_receive_udp(&r, REQUEST);
    rig_cut(rig_last(&r), "To: <sip:bob@example.com>;tag=", tag[0], sizeof tag[0]);
    r.on_request = RIG_MAKE;
    rig_receive_udp(&r, REQUEST);
    server_txn_answer(r.server, &(struct answer){.status = 200});
    rig_cut(rig_last(&r), "To: <sip:bob@example.com>;tag=", tag[1], sizeof tag[1]);
    assert_string_equal(tag[0], tag[1]);
    rig_deinit(&r);
}

static void test_a_to_tag_stays(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.on_request = RIG_ANSWER;
    r.answer = (struct answer){.status = 481};
    rig_receive_udp(&r, HEAD("MESSAGE", UDP_VIA) "To: <sip:bob@example.com>;tag=theirs\r\nContent-Length: 0\r\n\r\n");
    assert_true(rig_contains(rig_last(&r), "\r\nTo: <sip:bob@example.com>;tag=theirs\r\n"));
    rig_deinit(&r);
}

/* An incoming that the user parsed again itself gets the same answer. */
static void test_answer_outside_the_callback(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.on_request = RIG_ANSWER;
    r.answer = (struct answer){.status = 404};
    rig_receive_udp(&r, REQUEST);
    struct message m;
    struct message_fault fault;
    struct via via;
    struct packet *p = packet_copy(SLICE(REQUEST));
    assert_int_equal(message_parse(packet_slice(p), &m, &fault), ERR_NONE);
    assert_int_equal(message_top_via(&m, &via), ERR_NONE);
    struct flow flow = rig_flow(TRANSPORT_UDP, "192.0.2.1:40000");
    struct incoming in = {.message = &m, .via = &via, .flow = &flow, .packet = p};
    endpoint_answer(r.e, &in, &r.answer);
    assert_int_equal(r.sent_count, 2);
    assert_memory_equal(r.sent[0].bytes, r.sent[1].bytes, r.sent[0].len);

    struct server_txn *t = server_txn_new(r.e, &in);
    assert_non_null(t);
    rig_receive_udp(&r, REQUEST);
    assert_int_equal(r.requests, 1);
    server_txn_answer(t, &r.answer);
    assert_int_equal(r.sent_count, 3);
    assert_memory_equal(r.sent[0].bytes, r.sent[2].bytes, r.sent[0].len);
    packet_unref(&p);
    rig_deinit(&r);
}

struct malformed_case {
    const char *text;
    int status; /* 0: dropped */
};

static void test_malformed(void **state)
{
    (void)state;
    static const struct malformed_case cases[] = {
        {HEAD("MESSAGE", UDP_VIA) TO "Content-Length: 0\r\nContent-Length: 1\r\n\r\n", 400},
        {HEAD("MESSAGE", UDP_VIA) TO "Content-Length: -1\r\n\r\n", 400},
        {HEAD("MESSAGE", UDP_VIA) TO TO "\r\n", 400},
        {"MESSAGE sip:bob@example.com SIP/7.0\r\nVia: " UDP_VIA "\r\nMax-Forwards: 70\r\n"
         "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
         505},
        /* what is missing is left out of the answer (RFC 4475 §3.3.1), a Via that cannot be read goes back as it came
         */
        {"MESSAGE sip:bob@example.com SIP/2.0\r\nVia: " UDP_VIA "\r\nCall-ID: c\r\n\r\n", 400},
        {HEAD("MESSAGE", "SIP/2.0/UDP [2001:db8::1") TO "Content-Length: 0\r\n\r\n", 400},
        {HEAD("MESSAGE", "bla") TO "Content-Length: 0\r\n\r\n", 400},
        /* an ACK is never answered */
        {HEAD("ACK", UDP_VIA) TO "Content-Length: -1\r\n\r\n", 0},
        {HEAD("ACK", UDP_VIA) "\r\n", 0},
        /* nothing to copy into an answer */
        {"MESSAGE sip:bob@example.com SIP/2.0\r\n\r\n", 0},
        {"", 0},
        {"\r\n\r\n", 0},
        {"hello", 0},
        /* responses and what might be one */
        {"SIP/2.0 200\r\nVia: " UDP_VIA
         "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n"
         "Content-Length: 0\r\n\r\n",
         0},
        {"SIP/2.0 4294967496 OK\r\nVia: " UDP_VIA "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: c\r\n"
         "CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
         0},
        {"SIP/3.0 200 OK\r\nVia: " UDP_VIA "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: c\r\n"
         "CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        rig_init(&r);
        rig_receive_udp(&r, cases[i].text);
        rig_receive_udp(&r, cases[i].text);
        if (r.sent_count != (cases[i].status ? 2u : 0u) || r.requests != 0)
            fail_msg("case %zu: %zu answers:\n%s", i, r.sent_count, cases[i].text);
        if (cases[i].status) {
            char want[32];
            assert_true(snprintf(want, sizeof want, "SIP/2.0 %d ", cases[i].status) > 0);
            assert_true(rig_contains(&r.sent[0], want));
            assert_memory_equal(r.sent[0].bytes, r.sent[1].bytes, r.sent[0].len);
        }
        assert_int_equal(endpoint_running(r.e), 0);
        rig_deinit(&r);
    }
}

static void test_forged_source_gets_no_answer(void **state)
{
    (void)state;
    static const char *const sources[] = {"224.0.1.75:5060", "255.255.255.255:5060", "0.0.0.0:5060", "192.0.2.1:0"};
    struct rig r;
    rig_init(&r);
    r.on_request = RIG_ANSWER;
    r.answer = (struct answer){.status = 404};
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        struct flow flow = rig_flow(TRANSPORT_UDP, sources[i]);
        rig_receive(&r, &flow, REQUEST);
    }
    r.on_request = RIG_MAKE;
    struct flow flow = rig_flow(TRANSPORT_UDP, sources[0]);
    rig_receive(&r, &flow, REQUEST);
    server_txn_answer(r.server, &(struct answer){.status = 200});
    rig_receive(&r, &flow, REQUEST);
    assert_int_equal(r.sent_count, 0);
    rig_deinit(&r);
}

static void test_ack_is_dropped_and_cancel_given(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_receive_udp(&r, REQUEST);
    rig_receive_udp(&r, HEAD("ACK", UDP_VIA) TO "Content-Length: 0\r\n\r\n");
    assert_int_equal(r.requests, 1);
    assert_int_equal(r.sent_count, 0);
    rig_receive_udp(&r, HEAD("CANCEL", UDP_VIA) TO "Content-Length: 0\r\n\r\n");
    assert_int_equal(r.requests, 2);
    rig_receive_udp(&r, HEAD("INVITE", UDP_VIA) TO "Content-Length: 0\r\n\r\n");
    assert_int_equal(r.requests, 3);
    rig_deinit(&r);
}

static void test_heard_comes_for_every_parsed_packet(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_receive_udp(&r, REQUEST);
    rig_receive_udp(&r, REQUEST);
    rig_receive_udp(&r, HEAD("ACK", UDP_VIA) TO "Content-Length: 0\r\n\r\n");
    rig_receive_udp(&r, "SIP/2.0 200 OK\r\nVia: " UDP_VIA "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n"
                        "Call-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(r.heard, 4);
    rig_receive_udp(&r, "hello");
    assert_int_equal(r.heard, 4);
    const struct endpoint_counters *c = endpoint_counters(r.e);
    assert_int_equal(c->requests, 3);
    assert_int_equal(c->responses, 1);
    assert_int_equal(c->strays, 1);
    assert_int_equal(c->malformed, 1);
    assert_int_equal(c->retransmissions, 1);
    rig_deinit(&r);
}

static void test_answer_with_forbidden_text_is_not_sent(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.on_request = RIG_ANSWER;
    r.answer = (struct answer){.status = 404, .reason = SLICE("Not\r\nFound")};
    rig_receive_udp(&r, REQUEST);
    assert_int_equal(r.sent_count, 0);
    assert_int_equal(endpoint_counters(r.e)->send_failures, 1);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stateless_answer_is_deterministic),
        cmocka_unit_test(test_tag_is_the_same_with_and_without_a_transaction),
        cmocka_unit_test(test_a_to_tag_stays),
        cmocka_unit_test(test_answer_outside_the_callback),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_forged_source_gets_no_answer),
        cmocka_unit_test(test_ack_is_dropped_and_cancel_given),
        cmocka_unit_test(test_heard_comes_for_every_parsed_packet),
        cmocka_unit_test(test_answer_with_forbidden_text_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
