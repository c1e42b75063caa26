/* Branches: how answers end them, and by which way a message goes to a device. contract.md, Words and wire rules. */
#include "server/branch.h"

#include <stdio.h>
#include <string.h>

#include "support/post.h"

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

static void test_classify(void **state)
{
    static const struct {
        uint16_t first, last;
        enum branch_end end;
    } cases[] = {
        {0, 0, BRANCH_GONE},        {200, 299, BRANCH_TAKEN}, {300, 403, BRANCH_REFUSED}, {404, 404, BRANCH_GONE},
        {405, 407, BRANCH_REFUSED}, {408, 408, BRANCH_GONE},  {409, 409, BRANCH_REFUSED}, {410, 410, BRANCH_GONE},
        {411, 429, BRANCH_REFUSED}, {430, 430, BRANCH_GONE},  {431, 479, BRANCH_REFUSED}, {480, 481, BRANCH_GONE},
        {482, 485, BRANCH_REFUSED}, {486, 486, BRANCH_GONE},  {487, 499, BRANCH_REFUSED}, {500, 500, BRANCH_GONE},
        {501, 501, BRANCH_REFUSED}, {502, 504, BRANCH_GONE},  {505, 505, BRANCH_REFUSED}, {506, 512, BRANCH_GONE},
        {513, 513, BRANCH_REFUSED}, {514, 599, BRANCH_GONE},  {600, 699, BRANCH_REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (uint16_t status = cases[i].first; status <= cases[i].last; status++)
            assert_int_equal(branch_classify(status), cases[i].end);
}

/* RFC 3261 §16.7 step 6 */
static void test_best_refusal(void **state)
{
    static const uint16_t order[] = {603, 302, 415, 403, 501};
    const size_t count = sizeof order / sizeof order[0];
    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(branch_is_better(order[i], 0));
        for (size_t k = 0; k < count; k++)
            assert_int_equal(branch_is_better(order[i], order[k]), i < k);
    }
    assert_true(branch_is_better(401, 404) && branch_is_better(407, 403) && branch_is_better(420, 486));
    assert_false(branch_is_better(606, 600)); /* the first 6xx */
}

/* --- the way --- */

struct way {
    const char *what;
    struct post_phone phone;
    size_t body_len;
    const char *to;
    bool is_flow, by_tcp;
};

static const struct way ways[] = {
    {"UDP: the Contact", {0}, 5, PHONE_A, false, false},
    {"UDP, from another port than the Contact says: NAT", {.contact = "192.0.2.10:5099"}, 5, PHONE_A, true, false},
    {"behind NAT: where it came from", {.contact = "10.0.0.1:5060"}, 5, PHONE_A, true, false},
    {"TCP: its connection", {.transport = TRANSPORT_TCP}, 5, PHONE_A, true, true},
    {"large: TCP to the Contact", {0}, 1300, PHONE_A, false, true},
    {"large behind NAT: UDP", {.contact = "10.0.0.1:5060"}, 1300, PHONE_A, true, false},
    {"large over TCP: its connection", {.transport = TRANSPORT_TCP}, 1300, PHONE_A, true, true},
    {"a name", {.contact = "phone.example.net:5070"}, 5, "phone.example.net:5070", false, false},
    {"large to a name", {.contact = "phone.example.net:5070"}, 1300, "phone.example.net:5070", false, true},
    {"large by what we add", {0}, 900, PHONE_A, false, true},
    {"not large", {0}, 300, PHONE_A, false, false},
};

static char *text_of(size_t len)
{
    static char text[4096];
    memset(text, 'x', len);
    text[len] = '\0';
    return text;
}

static void test_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct lab *lab = lab_new(2);
        post_register(lab, &ways[i].phone);
        (void)post_send(lab, &(struct post_message){.body = text_of(ways[i].body_len)});
        const struct lab_sent *r = post_request(lab, ways[i].to, 0);
        if (!r || r->is_flow != ways[i].is_flow || (r->transport == TRANSPORT_TCP) != ways[i].by_tcp)
            fail_msg("%s: %s", ways[i].what, r ? "another way" : "nothing");
        assert_int_equal(r->connect_ms, ways[i].by_tcp && !r->is_flow ? LIMIT_TCP_TRY_MS : 0);
        lab_free(lab);
    }
}

/* Whatever is sent is never over 1300 octets by UDP unless TCP was tried. */
static void test_no_datagram_over_1300_goes_untried(void **state)
{
    (void)state;
    for (size_t len = 800; len < 1100; len += 7) {
        struct lab *lab = lab_new(1);
        post_register(lab, &(struct post_phone){0});
        (void)post_send(lab, &(struct post_message){.body = text_of(len)});
        const struct lab_sent *r = post_request(lab, PHONE_A, 0);
        assert_true(r->transport == TRANSPORT_TCP || r->len <= LIMIT_UDP_BYTES);
        lab_free(lab);
    }
}

static void fail_link(struct lab *lab, const struct lab_sent *request)
{
    server_link_failed(lab->workers[request->worker].server, request->token);
    lab_run(lab);
}

static void test_a_failed_tcp_try_goes_by_udp_and_is_remembered(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &(struct post_phone){0});
    const char *branch = post_send(lab, &(struct post_message){.body = text_of(1300)});
    struct lab_sent tried = *post_request(lab, PHONE_A, 0);
    lab_advance(lab, LIMIT_TCP_TRY_MS);
    fail_link(lab, &tried);
    const struct lab_sent *second = post_request(lab, PHONE_A, 1);
    assert_non_null(second);
    assert_int_equal(second->transport, TRANSPORT_UDP);
    post_answer(lab, second, 200);
    assert_int_equal(post_status(lab, branch), 200);
    lab_clear(lab);
    (void)post_send(lab, &(struct post_message){.body = text_of(1300)});
    assert_int_equal(post_request(lab, PHONE_A, 0)->transport, TRANSPORT_UDP);
}

/* §19.1.5: a Contact's headers part is no part of a Request-URI; its parameters are. */
static void test_request_uri(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &(struct post_phone){.contact = PHONE_A ";x=y?Route=%3Csip:evil.example.net%3E"});
    (void)post_send(lab, &(struct post_message){0});
    assert_true(strncmp(post_request(lab, PHONE_A, 0)->text, "MESSAGE sip:bob@" PHONE_A ";x=y SIP/2.0\r\n", 40) == 0);
}

static void test_a_path_is_the_route(void **state)
{
    struct lab *lab = *state;
    const char *path = "Path: <sip:192.0.2.98;lr;x=1>, <sip:edge.example.com;lr>\r\nSupported: path\r\n";
    post_register(lab, &(struct post_phone){.source = LAB_RELAY, .extra = path});
    (void)post_send(lab, &(struct post_message){0});
    const struct lab_sent *r = post_request(lab, "192.0.2.98:5060", 0);
    assert_non_null(r);
    assert_non_null(strstr(r->text, "\r\nRoute: <sip:192.0.2.98;lr;x=1>, <sip:edge.example.com;lr>\r\n"));
    assert_non_null(strstr(r->text, "MESSAGE sip:bob@" PHONE_A " SIP/2.0\r\n"));
}

/* --- several bindings of one device --- */

static void test_the_newest_binding_of_a_device(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &(struct post_phone){.address = PHONE_A, .instance = "i"});
    lab_advance(lab, 10);
    post_register(lab, &(struct post_phone){.address = PHONE_B, .instance = "i"});
    (void)post_send(lab, &(struct post_message){0});
    assert_int_equal(post_count(lab, PHONE_A), 0);
    assert_int_equal(post_count(lab, PHONE_B), 1);
}

static void test_a_dead_connection_falls_back_to_the_next_binding(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &(struct post_phone){.address = PHONE_A, .instance = "i"});
    lab_advance(lab, 10);
    post_register(lab, &(struct post_phone){.address = PHONE_B, .instance = "i", .transport = TRANSPORT_TCP});
    lab->fails[TRANSPORT_TCP] = true;
    const char *branch = post_send(lab, &(struct post_message){0});
    lab_advance(lab, 1);
    assert_int_equal(post_count(lab, PHONE_A), 1);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    assert_int_equal(post_status(lab, branch), 200);
}

static void test_a_dead_connection_is_away_at_once(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &(struct post_phone){.transport = TRANSPORT_TCP});
    lab->fails[TRANSPORT_TCP] = true;
    const char *branch = post_send(lab, &(struct post_message){0});
    lab_advance(lab, 1);
    assert_int_equal(post_status(lab, branch), 202);
    assert_null(location_binding(lab_account(lab, BOB)->devices[1], lab->mono_ms));
}

static void test_udp_that_fails_stays(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &(struct post_phone){0});
    lab->fails[TRANSPORT_UDP] = true;
    (void)post_send(lab, &(struct post_message){0});
    lab_advance(lab, 1);
    assert_non_null(location_binding(lab_account(lab, BOB)->devices[1], lab->mono_ms));
}

static void on_final(void *context, struct client_txn *t, const struct message *response, const struct flow *from,
                     struct packet *packet)
{
    (void)context, (void)t, (void)response, (void)from, (void)packet;
}

static void on_failed(void *context, struct client_txn *t, enum client_failure why)
{
    (void)context, (void)t, (void)why;
}

/* That we have no room for one more transaction says nothing about the phone's connection. */
static void test_our_own_shortage_kills_no_connection(void **state)
{
    static const struct client_user nobody = {.final = on_final, .failed = on_failed};
    struct lab *lab = *state;
    post_register(lab, &(struct post_phone){.transport = TRANSPORT_TCP});
    struct flow flow = lab_flow(lab, 0, TRANSPORT_TCP, "192.0.2.77:5060");
    struct hop hop = hop_flow(&flow);
    struct packet *tail = packet_copy(SLICE("\r\n"));
    const struct client_request r = {
        .method = METHOD_OPTIONS, .cseq = 1, .request_line = SLICE("OPTIONS sip:x SIP/2.0\r\n"), .tail = tail};
    struct client_txn *t;
    while (client_txn_new(lab->workers[0].server->endpoint, &hop, &r, &nobody, NULL, &t) == ERR_NONE)
        lab_clear(lab);
    packet_unref(&tail);
    const char *branch = post_send(lab, &(struct post_message){0});
    lab_advance(lab, 1);
    assert_int_equal(post_status(lab, branch), 202);
    assert_non_null(location_binding(lab_account(lab, BOB)->devices[1], lab->mono_ms));
}

/* Larger than a datagram can be: it must not stand in the way of all that comes behind it. */
static void test_what_no_datagram_carries_is_set_aside(void **state)
{
    static char body[64001], subject[2001], text[70000];
    struct lab *lab = *state;
    const struct post_phone behind_nat = {.address = PHONE_A, .instance = "n", .contact = "10.0.0.1:5060"};
    post_register(lab, &behind_nat);
    post_unregister(lab, &behind_nat);
    memset(body, 'b', sizeof body - 1);
    memset(subject, 's', sizeof subject - 1);
    int len = snprintf(text, sizeof text,
                       "MESSAGE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.99:5060;branch=z9hG4bKbig\r\n"
                       "From: <sip:alice@example.com>;tag=t\r\nTo: <sip:bob@example.com>\r\nCall-ID: big\r\n"
                       "CSeq: 1 MESSAGE\r\nSubject: %s\r\nContent-Type: text/plain\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       subject, strlen(body), body);
    assert_true(len > 0 && (size_t)len < sizeof text);
    struct flow flow = lab_flow(lab, 0, TRANSPORT_TCP, LAB_TRUSTED);
    lab_receive(lab, &flow, text);
    assert_int_equal(post_status(lab, "z9hG4bKbig"), 202);
    (void)post_send(lab, &(struct post_message){.body = "small"});
    lab_clear(lab);
    post_register(lab, &behind_nat);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    assert_int_equal(post_count(lab, PHONE_A), 1);
    assert_string_equal(post_body(post_request(lab, PHONE_A, 0)), "small");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_classify),
        TEST(test_best_refusal),
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_no_datagram_over_1300_goes_untried),
        TEST(test_a_failed_tcp_try_goes_by_udp_and_is_remembered),
        TEST(test_request_uri),
        TEST(test_a_path_is_the_route),
        TEST(test_the_newest_binding_of_a_device),
        TEST(test_a_dead_connection_falls_back_to_the_next_binding),
        TEST(test_a_dead_connection_is_away_at_once),
        TEST(test_udp_that_fails_stays),
        TEST(test_our_own_shortage_kills_no_connection),
        TEST(test_what_no_datagram_carries_is_set_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
