/* Streams in any split, keep-alives, garbage; and the agent's own arguments. */
#include "support/lab.h"

#include <stdlib.h>

static void use_tcp(struct telex_ua_config *c)
{
    c->transport = TELEX_TCP;
}

static struct lab *lab_on_tcp(void)
{
    struct lab *l = lab_new(use_tcp);
    assert_int_equal(telex_ua_connected(l->ua, TELEX_TCP, "192.0.2.10:40001", LAB_SERVER), 0);
    lab_turn(l);
    return l;
}

static const char two_messages[] =
    "MESSAGE sip:alice@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/TCP 198.51.100.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
    "From: <sip:bob@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\nCall-ID: c1\r\nCSeq: 1 MESSAGE\r\n"
    "Content-Type: text/plain\r\nContent-Length: 8\r\n\r\none\r\n\r\n!"
    "\r\n"
    "MESSAGE sip:alice@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/TCP 198.51.100.1;branch=z9hG4bK2\r\nMax-Forwards: 70\r\n"
    "From: <sip:bob@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\nCall-ID: c2\r\nCSeq: 1 MESSAGE\r\n"
    "Content-Type: text/plain\r\nContent-Length: 3\r\n\r\ntwo";

static void a_stream_may_be_split_anywhere(void **state)
{
    (void)state;
    size_t len = sizeof two_messages - 1;
    for (size_t cut = 0; cut <= len; cut++) {
        struct lab *l = lab_on_tcp();
        lab_feed(l, TELEX_TCP, two_messages, cut);
        lab_feed(l, TELEX_TCP, two_messages + cut, len - cut);
        assert_int_equal(l->incoming_count, 2);
        assert_memory_equal(l->incoming[0].body, "one\r\n\r\n!", 8);
        assert_memory_equal(l->incoming[1].body, "two", 3);
        lab_free(l);
    }
    struct lab *l = lab_on_tcp();
    for (size_t i = 0; i < len; i++)
        lab_feed(l, TELEX_TCP, two_messages + i, 1);
    assert_int_equal(l->incoming_count, 2);
    lab_free(l);
}

static void half_a_message_dies_with_its_connection(void **state)
{
    (void)state;
    struct lab *l = lab_on_tcp();
    lab_feed(l, TELEX_TCP, two_messages, 100);
    telex_ua_disconnected(l->ua, TELEX_TCP);
    assert_int_equal(telex_ua_connected(l->ua, TELEX_TCP, "192.0.2.10:40002", LAB_SERVER), 0);
    lab_feed(l, TELEX_TCP, two_messages, sizeof two_messages - 1);
    assert_int_equal(l->incoming_count, 2);
    assert_int_equal(l->hang_ups, 0);
    lab_free(l);
}

/* The answer to a message of a connection that is gone must not go out on the next one. */
static void answers_stay_on_their_connection(void **state)
{
    (void)state;
    struct lab *l = lab_on_tcp();
    lab_feed(l, TELEX_TCP, two_messages, sizeof two_messages - 1);
    telex_ua_disconnected(l->ua, TELEX_TCP);
    assert_int_equal(telex_ua_connected(l->ua, TELEX_TCP, "192.0.2.10:40002", LAB_SERVER), 0);
    lab_turn(l);
    telex_ua_answer(l->ua, l->incoming[0].handle, 200);
    lab_expect_silence(l);
    lab_free(l);
}

static void what_is_not_sip_ends_a_stream(void **state)
{
    (void)state;
    static const char *const garbage[] = {
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "MESSAGE sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n",
        "MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 99999999\r\n\r\n",
        "MESSAGE sip:a@b SIP/2.0\r\nFrom: x\r\n\r\n", /* no Content-Length */
    };
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        struct lab *l = lab_on_tcp();
        lab_feed(l, TELEX_TCP, garbage[i], strlen(garbage[i]));
        if (l->hang_ups != 1)
            fail_msg("case %zu: %u hang-ups", i, l->hang_ups);
        lab_feed(l, TELEX_TCP, two_messages, sizeof two_messages - 1); /* ignored until it was closed */
        assert_int_equal(l->incoming_count, 0);
        assert_int_equal(l->hang_ups, 1);
        lab_free(l);
    }
}

static void a_head_without_end_ends_a_stream(void **state)
{
    (void)state;
    static char line[1024];
    memset(line, 'x', sizeof line);
    struct lab *l = lab_on_tcp();
    lab_feed(l, TELEX_TCP, "MESSAGE sip:a@b SIP/2.0\r\nX: ", 28);
    for (int i = 0; i < 1000 && l->hang_ups == 0; i++)
        lab_feed(l, TELEX_TCP, line, sizeof line);
    assert_int_equal(l->hang_ups, 1);
    lab_free(l);
}

static bool sent_is(struct lab *l, const char *bytes)
{
    return l->sent_next < l->sent_count && l->sent[l->sent_next].len == strlen(bytes) &&
           memcmp(l->sent[l->sent_next].bytes, bytes, strlen(bytes)) == 0 && ++l->sent_next;
}

/* Passes time until the agent pings; fails after two minutes. */
static void await_ping(struct lab *l)
{
    for (int i = 0; i < 121; i++) {
        if (sent_is(l, "\r\n\r\n"))
            return;
        lab_pass(l, 1000);
    }
    fail_msg("no ping");
}

static void streams_are_watched(void **state)
{
    (void)state;
    struct lab *l = lab_on_tcp();
    lab_feed(l, TELEX_TCP, "\r\n\r\n", 4);
    assert_true(sent_is(l, "\r\n")); /* RFC 5626 §4.4.1 */
    lab_pass(l, 94999);
    assert_false(sent_is(l, "\r\n\r\n"));
    await_ping(l);
    lab_pass(l, 20000);
    assert_int_equal(l->hang_ups, 0); /* it may not know pongs */
    lab_feed(l, TELEX_TCP, "\r\n", 2);
    await_ping(l);
    lab_feed(l, TELEX_TCP, "\r", 1);
    lab_feed(l, TELEX_TCP, "\n", 1);
    lab_pass(l, 20000);
    assert_int_equal(l->hang_ups, 0);
    await_ping(l); /* it knew, and is silent */
    lab_pass(l, 10000);
    assert_int_equal(l->hang_ups, 1);
    lab_free(l);
}

static void datagrams_that_are_not_sip_are_dropped(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {{"\r\n\r\n", 4},
                 {"\0\0\0\0", 4},
                 {"", 0},
                 {"x", 1},
                 {"SIP/2.0 200 OK\r\n\r\n", 18},
                 {"\xff\xfe", 2},
                 {"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKnone\r\nFrom: <sip:a@b>;tag=1\r\n"
                  "To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 MESSAGE\r\n\r\n",
                  134}};
    struct lab *l = lab_new(NULL);
    lab_turn(l);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lab_feed(l, TELEX_UDP, cases[i].bytes, cases[i].len);
        lab_expect_silence(l);
    }
    lab_feed(l, TELEX_TCP, two_messages, sizeof two_messages - 1); /* a channel that is not open */
    assert_int_equal(l->incoming_count, 0);
    lab_free(l);
}

static void a_failing_send_fails_the_request(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    l->send_fails = true;
    telex_ua_register(l->ua, 600);
    lab_pass(l, 10);
    assert_int_equal(l->registration_count, 1);
    assert_int_equal(l->registrations[0].state, TELEX_REGISTER_WAITING);
    l->send_fails = false;
    lab_pass(l, 1000);
    lab_expect_request(l, "REGISTER");
    lab_free(l);
}

static void addresses_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *local, *remote;
        int err;
    } cases[] = {
        {"192.0.2.1:5060", "192.0.2.2:5060", 0},
        {"[2001:db8::1]:5060", "[2001:db8::2]:5060", 0},
        {"192.0.2.1", "192.0.2.2:5060", TELEX_ERR_ARGUMENT},
        {"192.0.2.1:5060", "example.com:5060", TELEX_ERR_ARGUMENT},
        {"192.0.2.1:99999", "192.0.2.2:5060", TELEX_ERR_ARGUMENT},
        {"", "192.0.2.2:5060", TELEX_ERR_ARGUMENT},
        {NULL, "192.0.2.2:5060", TELEX_ERR_ARGUMENT},
        {"192.0.2.1:5060", NULL, TELEX_ERR_ARGUMENT},
    };
    struct lab *l = lab_new(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(telex_ua_connected(l->ua, TELEX_UDP, cases[i].local, cases[i].remote), cases[i].err);
    assert_int_equal(telex_ua_connected(l->ua, (enum telex_transport)7, "192.0.2.1:1", "192.0.2.1:2"),
                     TELEX_ERR_ARGUMENT);
    lab_free(l);
}

static void accounts_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *aor, *name, *instance;
        int err;
    } cases[] = {
        {"sip:alice@example.com", NULL, NULL, 0},
        {"sip:alice@[2001:db8::1]", "A \"q\" \\", "urn:uuid:1", 0},
        {NULL, NULL, NULL, TELEX_ERR_ARGUMENT},
        {"", NULL, NULL, TELEX_ERR_ARGUMENT},
        {"alice", NULL, NULL, TELEX_ERR_ARGUMENT},
        {"sip:example.com", NULL, NULL, TELEX_ERR_ARGUMENT},
        {"sip:alice:pw@example.com", NULL, NULL, TELEX_ERR_ARGUMENT},
        {"sip:alice@example.com:5060", NULL, NULL, TELEX_ERR_ARGUMENT},
        {"sip:alice@example.com;transport=tcp", NULL, NULL, TELEX_ERR_ARGUMENT},
        {"sips:alice@example.com", NULL, NULL, TELEX_ERR_ARGUMENT},
        {"tel:+49123", NULL, NULL, TELEX_ERR_ARGUMENT},
        {"sip:a%00b@example.com", NULL, NULL, TELEX_ERR_ARGUMENT},
        {"sip:a%0d%0ab@example.com", NULL, NULL, TELEX_ERR_ARGUMENT},
        {"sip:alice@example.com", "a\r\nX: y", NULL, TELEX_ERR_ARGUMENT},
        {"sip:alice@example.com", NULL, "urn:\">x", TELEX_ERR_ARGUMENT},
    };
    struct lab *l = lab_new(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct telex_ua *ua = NULL;
        struct telex_ua_config c = l->config;
        c.aor = cases[i].aor;
        c.display_name = cases[i].name;
        c.instance_id = cases[i].instance;
        if (telex_ua_new(&c, 0, &ua) != cases[i].err)
            fail_msg("case %zu", i);
        assert_true((ua != NULL) == (cases[i].err == 0));
        telex_ua_free(ua);
    }
    telex_ua_free(NULL);
    struct telex_ua *ua = NULL;
    const struct telex_ua_callbacks empty = {0};
    struct telex_ua_config c = l->config;
    c.callbacks = &empty;
    assert_int_equal(telex_ua_new(&c, 0, &ua), TELEX_ERR_ARGUMENT);
    assert_int_equal(telex_ua_new(NULL, 0, &ua), TELEX_ERR_ARGUMENT);
    lab_free(l);
}

static void errors_have_texts(void **state)
{
    (void)state;
    for (int e = 0; e >= -5; e--)
        assert_string_not_equal(telex_error_text(e), "unknown error");
    assert_string_equal(telex_error_text(1), "unknown error");
    assert_string_equal(telex_error_text(-6), "unknown error");
    assert_string_equal(telex_error_text(-2147483647 - 1), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_may_be_split_anywhere),
        cmocka_unit_test(half_a_message_dies_with_its_connection),
        cmocka_unit_test(answers_stay_on_their_connection),
        cmocka_unit_test(what_is_not_sip_ends_a_stream),
        cmocka_unit_test(a_head_without_end_ends_a_stream),
        cmocka_unit_test(streams_are_watched),
        cmocka_unit_test(datagrams_that_are_not_sip_are_dropped),
        cmocka_unit_test(a_failing_send_fails_the_request),
        cmocka_unit_test(addresses_are_checked),
        cmocka_unit_test(accounts_are_checked),
        cmocka_unit_test(errors_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
