/* How client transactions end without an answer: a failing link, a closed connection, a drop, a full table. */
#include "support/rig.h"

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

static void test_send_fails_at_once(void **state)
{
    (void)state;
    static const enum transport transports[] = {TRANSPORT_UDP, TRANSPORT_TCP};
    for (size_t i = 0; i < 2; i++) {
        struct rig r;
        rig_init(&r);
        r.result = LINK_FAILED;
        struct client_txn *t = start(&r, transports[i]);
        (void)t;
        assert_int_equal(r.failures, 0); /* never from inside the call */
        struct flow flow = rig_flow(transports[i], "192.0.2.9:5060");
        endpoint_flow_closed(r.e, &flow);
        assert_int_equal(r.failures, 0);
        assert_int_equal(endpoint_running(r.e), 1);
        rig_advance_to(&r, 1);
        assert_int_equal(r.failures, 1);
        assert_int_equal(r.why, CLIENT_TRANSPORT);
        assert_int_equal(endpoint_counters(r.e)->send_failures, 1);
        assert_int_equal(endpoint_running(r.e), 0);
        rig_deinit(&r);
    }
}

static void test_resend_fails(void **state)
{
    (void)state;
    for (int provisional = 0; provisional < 2; provisional++) {
        struct rig r;
        rig_init(&r);
        start(&r, TRANSPORT_UDP);
        if (provisional)
            respond(&r, &r.sent[0], 100);
        r.result = LINK_FAILED;
        rig_advance_to(&r, 499);
        assert_int_equal(r.failures, 0);
        rig_advance_to(&r, 500);
        assert_int_equal(r.failures, 1);
        assert_int_equal(r.why, CLIENT_TRANSPORT);
        rig_advance_to(&r, 60000);
        assert_int_equal(r.failures, 1);
        rig_deinit(&r);
    }
}

static void test_late_link_failure(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.target_result = LINK_PENDING;
    r.transport = TRANSPORT_TLS;
    char host[] = "sip.example.net", tls_name[] = "example.net";
    struct hop hop = hop_target(
        &(struct target){.host = slice_str(host), .port = 5061, .tls_name = slice_str(tls_name)});
    struct client_txn *t;
    assert_int_equal(rig_start(&r, &hop, &t), ERR_NONE);
    assert_true(rig_contains(rig_last(&r), "Via: SIP/2.0/TLS "));
    assert_string_equal(rig_last(&r)->tls_name, "example.net");
    uint64_t token = rig_last(&r)->token;
    endpoint_link_failed(r.e, 0);
    endpoint_link_failed(r.e, token + 1);
    endpoint_link_failed(r.e, token + (1ull << 32));
    assert_int_equal(r.failures, 0);
    endpoint_link_failed(r.e, token);
    assert_int_equal(r.failures, 1);
    assert_int_equal(r.why, CLIENT_TRANSPORT);
    endpoint_link_failed(r.e, token);
    assert_int_equal(r.failures, 1);
    assert_int_equal(rig_start(&r, &hop, &t), ERR_NONE); /* the same slot */
    endpoint_link_failed(r.e, token);
    assert_int_equal(r.failures, 1);
    rig_deinit(&r);
}

static void test_flow_closed(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct flow flow = rig_flow(TRANSPORT_TCP, "192.0.2.9:5060"), other = flow;
    other.generation = 2;
    struct hop hop = hop_flow(&flow), other_hop = hop_flow(&other);
    struct client_txn *first, *second, *third;
    assert_int_equal(rig_start(&r, &hop, &first), ERR_NONE);
    assert_int_equal(rig_start(&r, &other_hop, &second), ERR_NONE);
    assert_int_equal(rig_start(&r, &hop, &third), ERR_NONE);
    r.drop_in_callback = third; /* by the callback of the first */
    endpoint_flow_closed(r.e, &flow);
    assert_int_equal(r.failures, 1);
    assert_int_equal(r.why, CLIENT_TRANSPORT);
    assert_int_equal(endpoint_running(r.e), 1);
    endpoint_flow_closed(r.e, &flow);
    assert_int_equal(r.failures, 1);
    endpoint_flow_closed(r.e, &other);
    assert_int_equal(r.failures, 2);
    rig_deinit(&r);
}

static void test_drop(void **state)
{
    (void)state;
    static const enum transport transports[] = {TRANSPORT_UDP, TRANSPORT_TCP};
    for (size_t i = 0; i < 2; i++) {
        struct rig r;
        rig_init(&r);
        struct client_txn *t = start(&r, transports[i]);
        client_txn_drop(t);
        assert_int_equal(endpoint_running(r.e), 0);
        respond(&r, &r.sent[0], 200);
        rig_advance_to(&r, 60000);
        struct flow flow = rig_flow(transports[i], "192.0.2.9:5060");
        endpoint_flow_closed(r.e, &flow);
        assert_int_equal(r.finals + r.failures, 0);
        assert_int_equal(r.sent_count, 1);
        assert_int_equal(endpoint_counters(r.e)->strays, 1);
        rig_deinit(&r);
    }
}

static void test_drop_inside_callbacks(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.drop_in_callback = start(&r, TRANSPORT_UDP);
    respond(&r, &r.sent[0], 100);
    assert_int_equal(r.provisionals, 1);
    assert_int_equal(endpoint_running(r.e), 0);

    r.drop_in_callback = start(&r, TRANSPORT_UDP);
    respond(&r, rig_last(&r), 200);
    assert_int_equal(r.finals, 1);

    r.drop_in_callback = start(&r, TRANSPORT_UDP);
    rig_advance_to(&r, 40000);
    assert_int_equal(r.failures, 1);
    assert_int_equal(endpoint_running(r.e), 0);
    rig_deinit(&r);
}

static void test_table_is_bounded(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    for (int i = 0; i < 4; i++)
        start(&r, TRANSPORT_UDP);
    struct hop hop = hop_over(TRANSPORT_UDP);
    struct client_txn *t = NULL;
    assert_int_equal(rig_start(&r, &hop, &t), ERR_FULL);
    assert_null(t);
    /* completed ones yield their place, oldest first */
    respond(&r, &r.sent[2], 200);
    respond(&r, &r.sent[1], 200);
    assert_int_equal(endpoint_running(r.e), 2);
    start(&r, TRANSPORT_UDP);
    respond(&r, &r.sent[1], 200);
    assert_int_equal(endpoint_counters(r.e)->strays, 0);
    respond(&r, &r.sent[2], 200);
    assert_int_equal(endpoint_counters(r.e)->strays, 1);
    start(&r, TRANSPORT_UDP);
    assert_int_equal(rig_start(&r, &hop, &t), ERR_FULL);
    rig_deinit(&r);
}

/* The one in its callback is not given away. */
static void test_start_inside_final(void **state)
{
    (void)state;
    struct rig r = {0};
    struct endpoint_config config = rig_config(&r);
    config.client_txns_max = 1;
    rig_init_with(&r, &config);
    start(&r, TRANSPORT_UDP);
    r.start_in_callback = true;
    respond(&r, &r.sent[0], 200);
    assert_int_equal(r.sent_count, 1); /* there was no room */
    respond(&r, &r.sent[0], 200);
    assert_int_equal(endpoint_counters(r.e)->retransmissions, 1);
    start(&r, TRANSPORT_UDP);
    assert_int_equal(r.sent_count, 2);
    rig_deinit(&r);
}

static void test_no_listener(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.sent_by_err = ERR_NOT_FOUND;
    struct hop hop = hop_over(TRANSPORT_TCP);
    struct client_txn *t = NULL;
    assert_int_equal(rig_start(&r, &hop, &t), ERR_NOT_FOUND);
    assert_int_equal(endpoint_running(r.e), 0);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_send_fails_at_once),
        cmocka_unit_test(test_resend_fails),
        cmocka_unit_test(test_late_link_failure),
        cmocka_unit_test(test_flow_closed),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_drop_inside_callbacks),
        cmocka_unit_test(test_table_is_bounded),
        cmocka_unit_test(test_start_inside_final),
        cmocka_unit_test(test_no_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
