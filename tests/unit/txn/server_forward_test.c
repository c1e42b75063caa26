/* Responses of others on their way back through a server transaction. RFC 3261 §16.7, RFC 4320. */
#include "support/rig.h"

#include <stdio.h>

#define UDP_VIA "SIP/2.0/UDP 10.0.0.5:5062;rport;branch=z9hG4bKabc"
#define REQUEST_AS(method, via, call_id, cseq)                                                                         \
    method " sip:bob@example.com SIP/2.0\r\nVia: " via "\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a1"  \
           "\r\nTo: <sip:bob@example.com>\r\nCall-ID: " call_id "\r\nCSeq: " cseq " " method                           \
           "\r\nContent-Length: 0\r\n\r\n"
#define REQUEST(via) REQUEST_AS("MESSAGE", via, "c1", "1")

#define RESPONSE(vias, more)                                                                                           \
    "SIP/2.0 200 OK\r\n" vias "From: <sip:alice@example.com>;tag=a1\r\nTo: <sip:bob@example.com>;tag=b1\r\n"           \
    "Call-ID: c1\r\nCSeq: 1 MESSAGE\r\n" more

static void forward(struct rig *r, const char *text)
{
    struct message m;
    struct message_fault fault;
    assert_int_equal(message_parse(slice_str(text), &m, &fault), ERR_NONE);
    server_txn_forward(r->server, &m);
}

static void test_forward(void **state)
{
    (void)state;
    static const struct {
        const char *response, *want;
    } cases[] = {
        {RESPONSE("Via: SIP/2.0/UDP us;branch=z9hG4bKu\r\nVia: SIP/2.0/UDP them;branch=z9hG4bKt\r\n",
                  "Content-Length: 0\r\n\r\n"),
         RESPONSE("Via: SIP/2.0/UDP them;branch=z9hG4bKt\r\n", "Content-Length: 0\r\n\r\n")},
        {RESPONSE("Via: SIP/2.0/UDP us;branch=z9hG4bKu , SIP/2.0/UDP them;branch=z9hG4bKt\r\n",
                  "Content-Length: 0\r\n\r\n"),
         RESPONSE("Via: SIP/2.0/UDP them;branch=z9hG4bKt\r\n", "Content-Length: 0\r\n\r\n")},
        {RESPONSE("v:SIP/2.0/UDP us;branch=z9hG4bKu,SIP/2.0/UDP them, SIP/2.0/TCP other\r\n",
                  "X-Unknown:  kept as it is \r\nl: 3\r\n\r\nabc"),
         RESPONSE("Via: SIP/2.0/UDP them, SIP/2.0/TCP other\r\n", "X-Unknown:  kept as it is \r\nl: 3\r\n\r\nabc")},
        /* a comma in our Via's quotes separates nothing */
        {RESPONSE("Via: SIP/2.0/UDP us;x=\"a,b\"\r\nv: SIP/2.0/UDP them\r\n", "l: 0\r\n\r\n"),
         RESPONSE("v: SIP/2.0/UDP them\r\n", "l: 0\r\n\r\n")},
        /* a folded top Via */
        {RESPONSE("Via: SIP/2.0/UDP us\r\n ;branch=z9hG4bKu\r\nVia: SIP/2.0/UDP them\r\n", "User-Agent: x\r\n\r\n"),
         "SIP/2.0 200 OK\r\nContent-Length: 0\r\nVia: SIP/2.0/UDP them\r\nFrom: <sip:alice@example.com>;tag=a1\r\n"
         "To: <sip:bob@example.com>;tag=b1\r\nCall-ID: c1\r\nCSeq: 1 MESSAGE\r\nUser-Agent: x\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        rig_init(&r);
        rig_receive_udp(&r, REQUEST(UDP_VIA));
        forward(&r, cases[i].response);
        assert_int_equal(r.sent_count, 1);
        assert_string_equal(rig_last(&r)->bytes, cases[i].want);
        rig_deinit(&r);
    }
}

static void test_forwarded_answer_is_repeated(void **state)
{
    (void)state;
    static const char vias[] = "Via: SIP/2.0/UDP us;branch=z9hG4bKu\r\n"
                               "Via: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bKabc;received=192.0.2.1;rport=40000\r\n";
    static const char *const tails[] = {
        "Content-Length: 0\r\n\r\n",                      /* shrinks to status and tag */
        "User-Agent: phone\r\nContent-Length: 0\r\n\r\n", /* keeps its bytes */
        "Content-Length: 2\r\n\r\nhi",
    };
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        struct rig r = {0};
        struct endpoint_config config = rig_config(&r);
        config.server_name = SLICE("Telex");
        rig_init_with(&r, &config);
        rig_receive_udp(&r, REQUEST(UDP_VIA));
        char text[2048];
        assert_true(snprintf(text, sizeof text,
                             "SIP/2.0 200 OK\r\n%sTo: <sip:bob@example.com>;tag=b1\r\nFrom: "
                             "<sip:alice@example.com>;tag=a1\r\nCall-ID: c1\r\nCSeq: 1 MESSAGE\r\n%s",
                             vias, tails[i]) > 0);
        forward(&r, text);
        rig_receive_udp(&r, REQUEST(UDP_VIA));
        assert_int_equal(r.sent_count, 2);
        assert_int_equal(r.sent[0].len, r.sent[1].len);
        if (i > 0)
            assert_memory_equal(r.sent[0].bytes, r.sent[1].bytes, r.sent[0].len);
        assert_true(rig_contains(rig_last(&r), "\r\nTo: <sip:bob@example.com>;tag=b1\r\n"));
        assert_true(rig_contains(rig_last(&r), ";received=192.0.2.1;rport=40000\r\n"));
        assert_false(rig_contains(rig_last(&r), "Server:"));
        rig_deinit(&r);
    }
}

static void test_forward_refusals(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    static const char *const provisional[] = {"SIP/2.0 100 Trying\r\n", "SIP/2.0 180 Ringing\r\n"};
    for (size_t i = 0; i < 2; i++) {
        char text[1024];
        assert_true(snprintf(text, sizeof text, "%s%s", provisional[i],
                             strchr(RESPONSE("Via: SIP/2.0/UDP us\r\nVia: SIP/2.0/UDP them\r\n", "\r\n"), '\n') + 1) >
                    0);
        forward(&r, text);
    }
    assert_int_equal(r.sent_count, 0);
    assert_int_equal(endpoint_running(r.e), 1);
    /* somebody lost the other Vias: they come from the request */
    forward(&r, RESPONSE("Via: SIP/2.0/UDP us;x=\"a,b\"\r\n", "\r\n"));
    assert_int_equal(r.sent_count, 1);
    assert_true(rig_contains(rig_last(&r), "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.5:5062;"));
    assert_int_equal(endpoint_running(r.e), 0);
    forward(&r, RESPONSE("Via: SIP/2.0/UDP us\r\nVia: SIP/2.0/UDP them\r\n", "\r\n"));
    assert_int_equal(r.sent_count, 1);
    rig_deinit(&r);
}

static void test_forwarded_408_is_silent(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    forward(&r, "SIP/2.0 408 Request Timeout\r\nVia: SIP/2.0/UDP us\r\nVia: SIP/2.0/UDP them\r\nCall-ID: c1\r\n\r\n");
    assert_int_equal(r.sent_count, 0);
    assert_int_equal(endpoint_running(r.e), 0);
    rig_receive_udp(&r, REQUEST(UDP_VIA));
    assert_int_equal(r.requests, 1);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_forwarded_answer_is_repeated),
        cmocka_unit_test(test_forward_refusals),
        cmocka_unit_test(test_forwarded_408_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
