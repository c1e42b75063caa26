/* NAT pings: who is pinged, when, and what the answers do. contract.md, wire rules. */
#include "server/keepalive.h"

#include <stdio.h>

#include "support/lab.h"

#define PHONE "198.51.100.7:40000"
#define ALICE "sip:alice@example.com"

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

static struct binding *register_phone(struct lab *lab, unsigned worker, const char *source, enum transport transport,
                                      const char *contacts)
{
    struct flow flow = lab_flow(lab, worker, transport, source);
    assert_int_equal(lab_authenticated(lab, &flow, lab_register_text(&(struct lab_register){.contacts = contacts}),
                                       "alice", "secret"),
                     200);
    lab_clear(lab);
    return location_next_binding(lab_account(lab, ALICE), NULL);
}

static bool is_ping(const struct lab_sent *s)
{
    return strncmp(s->text, "OPTIONS ", 8) == 0;
}

/* How many different pings were sent (not their retransmissions) since the last lab_clear. */
static size_t count_pings(const struct lab *lab)
{
    size_t count = 0;
    for (size_t i = 0; i < lab->sent_count; i++) {
        bool is_new = is_ping(&lab->sent[i]);
        for (size_t k = 0; k < i && is_new; k++)
            is_new = strcmp(lab->sent[k].text, lab->sent[i].text) != 0;
        count += is_new;
    }
    return count;
}

/* To the moment of the next ping. */
static void await_ping(struct lab *lab)
{
    lab_clear(lab);
    for (unsigned ms = 0; ms < LIMIT_NAT_PING_MS && count_pings(lab) == 0; ms++)
        lab_advance(lab, 1);
    assert_int_equal(count_pings(lab), 1);
}

#define OPTIONS_TO_US                                                                                                  \
    "OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bKo\r\nMax-Forwards: 70\r\n"       \
    "From: <sip:a@example.com>;tag=1\r\nTo: <sip:example.com>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n"                    \
    "Content-Length: 0\r\n\r\n"

/* The phone answers the last ping from its address, or from `worker` another way in. */
static void answer_ping(struct lab *lab, unsigned worker, int status)
{
    const struct lab_sent *ping = lab_last(lab);
    char text[LAB_TEXT_MAX];
    assert_true(is_ping(ping));
    const char *fields = strstr(ping->text, "\r\n");
    int len = snprintf(text, sizeof text, "SIP/2.0 %d Whatever%s", status, fields);
    assert_true(len > 0);
    struct flow flow = ping->flow;
    flow.worker = (uint8_t)worker;
    lab_receive(lab, &flow, text);
}

static void test_who_is_pinged(void **state)
{
    static const struct {
        const char *what, *source, *contacts;
        enum transport transport;
        bool pinged;
    } rows[] = {
        {"behind NAT", PHONE, "Contact: <sip:a@10.0.0.1>\r\n", TRANSPORT_UDP, true},
        {"where it says", PHONE, "Contact: <sip:a@198.51.100.7:40000>\r\n", TRANSPORT_UDP, false},
        {"over TCP", PHONE, "Contact: <sip:a@10.0.0.1;transport=tcp>\r\n", TRANSPORT_TCP, false},
        {"a name", PHONE, "Contact: <sip:a@phone.example.net>\r\n", TRANSPORT_UDP, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lab *lab = lab_new(2);
        (void)register_phone(lab, 0, rows[i].source, rows[i].transport, rows[i].contacts);
        lab_advance(lab, LIMIT_NAT_PING_MS);
        if ((count_pings(lab) == 1) != rows[i].pinged)
            fail_msg("%s: %zu", rows[i].what, count_pings(lab));
        lab_free(lab);
    }
}

static void test_request(void **state)
{
    struct lab *lab = *state;
    (void)register_phone(lab, 1, PHONE, TRANSPORT_UDP, "Contact: <sip:a@10.0.0.1;x=y?Route=%3Csip:evil%3E>\r\n");
    lab_advance(lab, LIMIT_NAT_PING_MS);
    const struct lab_sent *s = lab_last(lab);
    assert_true(is_ping(s));
    assert_int_equal(s->worker, 1); /* the worker of the flow, wherever home is */
    assert_true(s->is_flow);
    assert_int_equal(s->flow.remote.port, 40000);
    assert_true(lab_last_has(lab, "OPTIONS sip:a@10.0.0.1;x=y SIP/2.0\r\n"));
    assert_true(lab_last_has(lab, "From: <sip:example.com>;tag="));
    assert_true(lab_last_has(lab, "To: <sip:a@10.0.0.1;x=y>\r\n"));
    assert_true(lab_last_has(lab, "CSeq: 1 OPTIONS\r\n"));
    assert_true(lab_last_has(lab, "Max-Forwards: 70\r\n"));
    assert_true(lab_last_has(lab, "Content-Length: 0\r\n\r\n"));
    assert_false(lab_last_has(lab, "evil"));
}

static void test_every_25_s(void **state)
{
    struct lab *lab = *state;
    const struct binding *b = register_phone(lab, 0, PHONE, TRANSPORT_UDP, "Contact: <sip:a@10.0.0.1>\r\n");
    await_ping(lab);
    for (int i = 0; i < 10; i++) {
        answer_ping(lab, (unsigned)i % 2, i % 2 ? 200 : 404); /* any answer will do, at any worker */
        lab_clear(lab);
        lab_advance(lab, LIMIT_NAT_PING_MS - 1);
        assert_int_equal(count_pings(lab), 0);
        lab_advance(lab, 1);
        assert_int_equal(count_pings(lab), 1);
    }
    assert_int_equal(b->misses, 0);
    assert_true(b->live);
}

static void test_three_misses(void **state)
{
    struct lab *lab = *state;
    struct binding *b = register_phone(lab, 0, PHONE, TRANSPORT_UDP, "Contact: <sip:a@10.0.0.1>\r\n");
    for (unsigned misses = 1; misses <= 3; misses++) {
        await_ping(lab);
        assert_true(b->live);
        lab_advance(lab, KEEPALIVE_TIMEOUT_MS - 1);
        assert_int_equal(b->misses, misses - 1);
        lab_advance(lab, 1);
        assert_int_equal(b->misses, misses);
    }
    assert_false(b->live);
    assert_null(location_binding(b->device, lab->mono_ms));
    /* It is pinged on, and an answer brings it back. */
    await_ping(lab);
    answer_ping(lab, 0, 200);
    assert_true(b->live);
    assert_int_equal(b->misses, 0);
}

/* Not only answers to pings: whatever comes from there, once. */
static void test_any_packet_revives(void **state)
{
    struct lab *lab = *state;
    struct binding *b = register_phone(lab, 0, PHONE, TRANSPORT_UDP, "Contact: <sip:a@10.0.0.1>\r\n");
    struct flow elsewhere = b->flow;
    lab_advance(lab, 10 * LIMIT_NAT_PING_MS);
    assert_false(b->live);
    elsewhere.remote.port++;
    lab_receive(lab, &elsewhere, OPTIONS_TO_US);
    assert_false(b->live);
    lab_receive(lab, &b->flow, OPTIONS_TO_US);
    assert_true(b->live);
    assert_int_equal(b->misses, 0);
}

static void test_heard(void **state)
{
    struct lab *lab = *state;
    struct binding *b = register_phone(lab, 0, PHONE, TRANSPORT_UDP, "Contact: <sip:a@10.0.0.1>\r\n");
    lab_advance(lab, 10 * LIMIT_NAT_PING_MS);
    assert_int_equal(b->misses, LIMIT_NAT_MISSES);
    assert_false(b->live);
    keepalive_heard(b);
    assert_int_equal(b->misses, 0);
    assert_true(b->live);
}

/* A ping that is under way when its binding goes touches nothing. */
static void test_binding_goes(void **state)
{
    struct lab *lab = *state;
    (void)register_phone(lab, 0, PHONE, TRANSPORT_UDP, "Contact: <sip:a@10.0.0.1>\r\n");
    await_ping(lab);
    struct lab_sent ping = *lab_last(lab);
    (void)register_phone(lab, 0, PHONE, TRANSPORT_UDP, "Contact: *\r\nExpires: 0\r\n");
    lab->sent[0] = ping;
    lab->sent_count = 1;
    answer_ping(lab, 0, 200);
    lab_clear(lab);
    lab_advance(lab, 4 * LIMIT_NAT_PING_MS);
    assert_int_equal(count_pings(lab), 0);
}

/* Spread evenly: phones that registered at the same moment are pinged all over the 25 s. */
static void test_spread(void **state)
{
    struct lab *lab = *state;
    char contacts[600] = "", one[64];
    size_t early;
    for (int i = 0; i < 10; i++) {
        (void)snprintf(one, sizeof one, "Contact: <sip:a@10.0.0.1:%d>\r\n", 6000 + i);
        (void)snprintf(contacts + strlen(contacts), sizeof contacts - strlen(contacts), "%s", one);
    }
    (void)register_phone(lab, 0, PHONE, TRANSPORT_UDP, contacts);
    lab_advance(lab, LIMIT_NAT_PING_MS / 2);
    early = count_pings(lab);
    assert_in_range(early, 1, 9);
    lab_advance(lab, LIMIT_NAT_PING_MS / 2);
    assert_int_equal(count_pings(lab), 10);
}

static void test_after_a_restart(void **state)
{
    struct lab *lab = *state;
    (void)register_phone(lab, 0, PHONE, TRANSPORT_UDP, "Contact: <sip:a@10.0.0.1>\r\n");
    lab_restart(lab);
    lab_clear(lab);
    lab_advance(lab, LIMIT_NAT_PING_MS);
    assert_int_equal(count_pings(lab), 1);
    assert_int_equal(lab->sent[0].worker, lab_account(lab, ALICE)->home->worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_pinged),
        cmocka_unit_test_setup_teardown(test_request, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_25_s, setup, teardown),
        cmocka_unit_test_setup_teardown(test_three_misses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_any_packet_revives, setup, teardown),
        cmocka_unit_test_setup_teardown(test_heard, setup, teardown),
        cmocka_unit_test_setup_teardown(test_binding_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spread, setup, teardown),
        cmocka_unit_test_setup_teardown(test_after_a_restart, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
