/* Client transactions: each row of RFC 3261 §17.1.2.2 at its exact time, what is taken for an answer, and all ends. */
#include "support/rig.h"

#include <stdio.h>

#define CSEQ "5 MESSAGE"

static struct hop hop_over(enum transport transport)
{
    struct flow flow = rig_flow(transport, "192.0.2.9:5060");
    return hop_flow(&flow);
}

static struct client_txn *start(struct rig *r, enum transport transport)
{
    struct hop hop = hop_over(transport);
    struct client_txn *t = NULL;
    assert_int_equal(rig_start(r, &hop, &t), ERR_NONE);
    assert_non_null(t);
    return t;
}

static void respond(struct rig *r, const struct sent *s, uint16_t status)
{
    char text[2048];
    rig_response(s, status, CSEQ, "", text, sizeof text);
    rig_receive_udp(r, text);
}

static void test_request_on_the_wire(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    start(&r, TRANSPORT_UDP);
    assert_int_equal(r.sent_count, 1);
    char branch[80], want[1024];
    rig_cut(rig_last(&r), ";branch=", branch, sizeof branch);
    uint64_t hash = 0;
    assert_true(endpoint_branch_loop_hash(slice_str(branch), &hash));
    assert_true(hash == 0x1234);
    assert_memory_equal(branch, "z9hG4bK07", 9);
    assert_true(snprintf(want, sizeof want,
                         "MESSAGE sip:bob@192.0.2.9 SIP/2.0\r\n"
                         "Via: SIP/2.0/UDP telex.example.com:5060;rport;branch=%s\r\n"
                         "Max-Forwards: 69\r\nFrom: <sip:alice@example.com>;tag=a1\r\nTo: <sip:bob@example.com>\r\n"
                         "Call-ID: c1\r\nCSeq: 5 MESSAGE\r\nContent-Length: 2\r\n\r\nhi",
                         branch) > 0);
    assert_string_equal(rig_last(&r)->bytes, want);
    assert_int_not_equal(rig_last(&r)->token, 0);
    rig_deinit(&r);
}

static void check_times(const struct rig *r, const uint64_t *at_ms, size_t count)
{
    assert_int_equal(r->sent_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(r->sent[i].at_ms, at_ms[i]);
        assert_int_equal(r->sent[i].len, r->sent[0].len);
        assert_memory_equal(r->sent[i].bytes, r->sent[0].bytes, r->sent[0].len);
    }
}

static void test_timer_e_and_f(void **state)
{
    (void)state;
    static const uint64_t at_ms[] = {0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};
    struct rig r;
    rig_init(&r);
    start(&r, TRANSPORT_UDP);
    rig_advance_to(&r, 31999);
    assert_int_equal(r.failures, 0);
    rig_advance_to(&r, 32000);
    assert_int_equal(r.failures, 1);
    assert_int_equal(r.why, CLIENT_TIMEOUT);
    assert_int_equal(r.failed_at_ms, 32000);
    assert_int_equal(endpoint_counters(r.e)->timeouts, 1);
    assert_int_equal(endpoint_running(r.e), 0);
    rig_advance_to(&r, 100000);
    check_times(&r, at_ms, sizeof at_ms / sizeof at_ms[0]);
    rig_deinit(&r);
}

static void test_reliable_is_sent_once(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    start(&r, TRANSPORT_TCP);
    assert_true(rig_contains(rig_last(&r), "Via: SIP/2.0/TCP "));
    rig_advance_to(&r, 31999);
    assert_int_equal(r.sent_count, 1);
    assert_int_equal(r.failures, 0);
    rig_advance_to(&r, 32000);
    assert_int_equal(r.failures, 1);
    assert_int_equal(r.why, CLIENT_TIMEOUT);
    rig_deinit(&r);
}

static void test_proceeding_resends_every_t2(void **state)
{
    (void)state;
    /* 100 at 600: E set for 1500 fires, from then on T2 */
    static const uint64_t at_ms[] = {0, 500, 1500, 5500, 9500, 13500, 17500, 21500, 25500, 29500};
    struct rig r;
    rig_init(&r);
    start(&r, TRANSPORT_UDP);
    rig_advance_to(&r, 600);
    respond(&r, &r.sent[0], 100);
    assert_int_equal(r.provisionals, 1);
    assert_int_equal(r.status, 100);
    rig_advance_to(&r, 10000);
    respond(&r, &r.sent[0], 183); /* moves no timer */
    assert_int_equal(r.provisionals, 2);
    rig_advance_to(&r, 31999);
    assert_int_equal(r.failures, 0);
    rig_advance_to(&r, 32000);
    assert_int_equal(r.failures, 1);
    check_times(&r, at_ms, sizeof at_ms / sizeof at_ms[0]);
    rig_deinit(&r);
}

static void test_shorter_timeout(void **state)
{
    (void)state;
    static const struct {
        uint64_t timeout_ms, want_ms;
    } cases[] = {{1, 1}, {500, 500}, {4000, 4000}, {0, 32000}, {32000, 32000}, {60000, 32000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        rig_init(&r);
        rig_advance_to(&r, 100);
        struct hop hop = hop_over(TRANSPORT_UDP);
        struct packet *tail = packet_copy(SLICE("CSeq: 1 MESSAGE\r\n\r\n"));
        struct client_request request = {.method = METHOD_MESSAGE,
                                         .cseq = 1,
                                         .request_line = SLICE("MESSAGE sip:b SIP/2.0\r\n"),
                                         .tail = tail,
                                         .timeout_ms = cases[i].timeout_ms};
        struct client_txn *t;
        assert_int_equal(client_txn_new(r.e, &hop, &request, &rig_client_user, &r, &t), ERR_NONE);
        packet_unref(&tail);
        rig_advance_to(&r, 100 + cases[i].want_ms - 1);
        assert_int_equal(r.failures, 0);
        rig_advance_to(&r, 100 + cases[i].want_ms);
        assert_int_equal(r.failures, 1);
        rig_deinit(&r);
    }
}

static void test_final(void **state)
{
    (void)state;
    static const uint16_t statuses[] = {200, 202, 302, 404, 503, 603, 699};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        for (int provisional = 0; provisional < 2; provisional++) {
            struct rig r;
            rig_init(&r);
            start(&r, TRANSPORT_UDP);
            if (provisional)
                respond(&r, &r.sent[0], 100);
            respond(&r, &r.sent[0], statuses[i]);
            assert_int_equal(r.finals, 1);
            assert_int_equal(r.status, statuses[i]);
            assert_int_equal(r.from.remote.port, 40000);
            assert_int_equal(endpoint_running(r.e), 0);
            rig_advance_to(&r, 100000);
            assert_int_equal(r.sent_count, 1);
            assert_int_equal(r.failures, 0);
            rig_deinit(&r);
        }
    }
}

static void test_completed_absorbs_for_t4(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    start(&r, TRANSPORT_UDP);
    rig_advance_to(&r, 100);
    respond(&r, &r.sent[0], 200);
    respond(&r, &r.sent[0], 200);
    rig_advance_to(&r, 5099);
    respond(&r, &r.sent[0], 500);
    respond(&r, &r.sent[0], 100);
    assert_int_equal(r.finals, 1);
    assert_int_equal(r.provisionals, 0);
    assert_int_equal(endpoint_counters(r.e)->retransmissions, 3);
    assert_int_equal(endpoint_counters(r.e)->strays, 0);
    rig_advance_to(&r, 5100); /* Timer K */
    respond(&r, &r.sent[0], 200);
    assert_int_equal(endpoint_counters(r.e)->strays, 1);
    assert_int_equal(r.finals, 1);
    rig_deinit(&r);
}

static void test_timer_k_of_each(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    for (uint64_t i = 0; i < 3; i++) {
        start(&r, TRANSPORT_UDP);
        rig_advance_to(&r, i * 100);
        respond(&r, &r.sent[i], 200);
    }
    rig_advance_to(&r, 5100); /* the first two are over */
    for (size_t i = 0; i < 3; i++)
        respond(&r, &r.sent[i], 200);
    assert_int_equal(endpoint_counters(r.e)->strays, 2);
    assert_int_equal(endpoint_counters(r.e)->retransmissions, 1);
    rig_advance_to(&r, 5200);
    respond(&r, &r.sent[2], 200);
    assert_int_equal(endpoint_counters(r.e)->strays, 3);
    rig_deinit(&r);
}

static void test_completed_over_reliable_ends_at_once(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    start(&r, TRANSPORT_TCP);
    respond(&r, &r.sent[0], 200);
    respond(&r, &r.sent[0], 200);
    assert_int_equal(r.finals, 1);
    assert_int_equal(endpoint_counters(r.e)->strays, 1);
    rig_deinit(&r);
}

static void test_forged_and_stray(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    start(&r, TRANSPORT_UDP);
    char text[2048];
    static const char *const cseqs[] = {"4 MESSAGE", "6 MESSAGE", "5 OPTIONS", "5 message", "5 MESSAGES"};
    for (size_t i = 0; i < sizeof cseqs / sizeof cseqs[0]; i++) {
        rig_response(&r.sent[0], 200, cseqs[i], "", text, sizeof text);
        rig_receive_udp(&r, text);
    }
    /* each digit of the branch counts: worker 7 stays, it would be another worker's */
    char branch[80];
    rig_cut(&r.sent[0], ";branch=", branch, sizeof branch);
    size_t changed = 0;
    for (size_t i = 9; branch[i]; i++) {
        rig_response(&r.sent[0], 200, CSEQ, "", text, sizeof text);
        char *at = strstr(text, branch) + i;
        if (*at == '-')
            continue;
        *at = *at == '0' ? '1' : '0';
        rig_receive_udp(&r, text);
        changed++;
    }
    rig_receive_udp(&r, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP telex.example.com:5060;branch=z9hG4bKguess\r\n"
                        "From: <sip:alice@example.com>;tag=a1\r\nTo: <sip:bob@example.com>;tag=b1\r\n"
                        "Call-ID: c1\r\nCSeq: 5 MESSAGE\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(r.finals + r.provisionals + r.failures, 0);
    assert_int_equal(endpoint_counters(r.e)->strays, sizeof cseqs / sizeof cseqs[0] + changed + 1);
    assert_int_equal(endpoint_running(r.e), 1);
    respond(&r, &r.sent[0], 200);
    assert_int_equal(r.finals, 1);
    rig_deinit(&r);
}

static void test_method_of_another_name(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct hop hop = hop_over(TRANSPORT_UDP);
    struct packet *tail = packet_copy(SLICE("CSeq: 5 NEWONE\r\n\r\n"));
    struct client_request request = {
        .method = METHOD_OTHER, .cseq = 5, .request_line = SLICE("NEWONE sip:b SIP/2.0\r\n"), .tail = tail};
    struct client_txn *t;
    assert_int_equal(client_txn_new(r.e, &hop, &request, &rig_client_user, &r, &t), ERR_NONE);
    packet_unref(&tail);
    char text[2048];
    static const char *const wrong[] = {"5 MESSAGE", "5 NEWON", "5 NEWONES", "5 NEWONF"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        rig_response(&r.sent[0], 200, wrong[i], "", text, sizeof text);
        rig_receive_udp(&r, text);
    }
    assert_int_equal(r.finals, 0);
    rig_response(&r.sent[0], 200, "5 NEWONE", "", text, sizeof text);
    rig_receive_udp(&r, text);
    rig_receive_udp(&r, text);
    assert_int_equal(r.finals, 1);
    rig_deinit(&r);
}

static void test_bad_responses_are_dropped(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    start(&r, TRANSPORT_UDP);
    char text[2048];
    static const uint16_t statuses[] = {700, 999, 99, 0};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        rig_response(&r.sent[0], statuses[i], CSEQ, "", text, sizeof text);
        rig_receive_udp(&r, text);
    }
    rig_response(&r.sent[0], 200, "5", "", text, sizeof text);
    rig_receive_udp(&r, text);
    rig_response(&r.sent[0], 200, CSEQ, "Broken line\r\n", text, sizeof text);
    rig_receive_udp(&r, text);
    assert_int_equal(r.finals + r.provisionals + r.failures, 0);
    assert_int_equal(endpoint_counters(r.e)->malformed, 6);
    assert_int_equal(r.sent_count, 1); /* nothing is answered */
    rig_deinit(&r);
}

static void test_foreign_branch(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    start(&r, TRANSPORT_UDP);
    char text[2048];
    rig_response(&r.sent[0], 200, CSEQ, "", text, sizeof text);
    memcpy(strstr(text, "z9hG4bK07") + 7, "0c", 2);
    rig_receive_udp(&r, text);
    assert_int_equal(r.foreign, 1);
    assert_int_equal(r.foreign_worker, 12);
    assert_int_equal(r.from.remote.port, 40000);
    assert_int_equal(r.finals, 0);
    assert_int_equal(endpoint_counters(r.e)->responses, 0); /* the other worker counts it */
    rig_deinit(&r);
}

/* A target's text is the caller's: retransmissions must not need it. */
static void test_target_is_copied(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    char host[] = "sip.example.net";
    struct hop hop = hop_target(&(struct target){.host = slice_str(host)});
    struct client_txn *t;
    assert_int_equal(rig_start(&r, &hop, &t), ERR_NONE);
    memset(host, 'x', sizeof host - 1);
    rig_advance_to(&r, 500);
    assert_int_equal(r.sent_count, 2);
    assert_string_equal(r.sent[1].host, "sip.example.net");
    rig_deinit(&r);
}

static void test_branches_differ(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    char branch[2][80];
    for (int i = 0; i < 2; i++) {
        struct client_txn *t = start(&r, TRANSPORT_UDP);
        rig_cut(rig_last(&r), ";branch=", branch[i], sizeof branch[i]);
        client_txn_drop(t);
    }
    assert_memory_equal(branch[0], branch[1], 17); /* worker and slot */
    assert_memory_not_equal(branch[0] + 17, branch[1] + 17, 16);
    rig_deinit(&r);
}

/* The whole way: a request comes in, goes on, and its answer goes back. */
static void test_relay(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_receive_udp(&r, "MESSAGE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bKabc\r\n"
                        "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a1\r\nTo: <sip:bob@example.com>\r\n"
                        "Call-ID: c1\r\nCSeq: 5 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
    assert_non_null(r.server);
    start(&r, TRANSPORT_UDP);
    r.forward_to = r.server;
    char text[2048];
    rig_response(&r.sent[0], 200, CSEQ,
                 "Via: SIP/2.0/UDP 10.0.0.5;rport=40000;received=192.0.2.1;branch=z9hG4bKabc\r\n", text, sizeof text);
    struct flow device = rig_flow(TRANSPORT_UDP, "192.0.2.9:5060");
    rig_receive(&r, &device, text);
    assert_int_equal(r.finals, 1);
    assert_int_equal(r.sent_count, 2);
    assert_int_equal(r.sent[1].hop.flow.remote.port, 40000);
    assert_true(rig_contains(&r.sent[1], "SIP/2.0 200 Whatever\r\nVia: SIP/2.0/UDP 10.0.0.5;"));
    assert_false(rig_contains(&r.sent[1], "telex.example.com"));
    assert_int_equal(endpoint_running(r.e), 0);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_on_the_wire),
        cmocka_unit_test(test_timer_e_and_f),
        cmocka_unit_test(test_reliable_is_sent_once),
        cmocka_unit_test(test_proceeding_resends_every_t2),
        cmocka_unit_test(test_shorter_timeout),
        cmocka_unit_test(test_final),
        cmocka_unit_test(test_completed_absorbs_for_t4),
        cmocka_unit_test(test_timer_k_of_each),
        cmocka_unit_test(test_completed_over_reliable_ends_at_once),
        cmocka_unit_test(test_forged_and_stray),
        cmocka_unit_test(test_method_of_another_name),
        cmocka_unit_test(test_bad_responses_are_dropped),
        cmocka_unit_test(test_foreign_branch),
        cmocka_unit_test(test_target_is_copied),
        cmocka_unit_test(test_branches_differ),
        cmocka_unit_test(test_relay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
