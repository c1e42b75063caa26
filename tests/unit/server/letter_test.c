/* What of a MESSAGE reaches a device, live and stored, byte for byte: contract.md, wire rules. */
#include "server/letter.h"

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

/* The request as the device gets it, relayed at once or from its mailbox; good until the next call. */
static const struct lab_sent *pass_on(struct lab *lab, const char *text, size_t len, bool is_live)
{
    static struct lab_sent result;
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, LAB_TRUSTED);
    struct packet *p = packet_copy(slice_make(text, len));
    if (is_live)
        post_register(lab, &(struct post_phone){0});
    server_receive(lab->workers[0].server, &flow, p);
    packet_unref(&p);
    lab_run(lab);
    if (!is_live) {
        if (lab_status(lab) != 202)
            fail_msg("not stored: %s", lab_last(lab)->text);
        post_register(lab, &(struct post_phone){0});
        lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    }
    const struct lab_sent *r = post_request(lab, PHONE_A, 0);
    if (!r)
        fail_msg("not passed on: %s", lab->sent_count ? lab_last(lab)->text : "");
    result = *r;
    post_answer(lab, &result, 200);
    assert_int_equal(lab_account(lab, BOB)->entry_count, 0); /* the answer was recognised */
    return &result;
}

#define START "MESSAGE sip:bob@example.com SIP/2.0\r\n"
#define VIA   "Via: SIP/2.0/UDP " LAB_TRUSTED ";branch=z9hG4bKw\r\n"

/* Fields that stay as they are, however they are written; then what is taken away. */
static const char kept[] = "From: \"A\\\"l\" <sip:alice@example.com;x=1>;tag=Q.~\r\n"
                           "t: sip:bob@example.com\r\n"
                           "i: a@[::1]-%~\r\n"
                           "CSeq :   0042\tMESSAGE\r\n"
                           "Date: Sat, 01 Jan 2000 00:00:00 GMT\r\n"
                           "X-Unknown:  two  spaces, \xc3\xa4 \r\n"
                           "Subject: folded\r\n CSeq: 9 MESSAGE\r\n\tmore\r\n"
                           "k: outbound\r\n"
                           "Priority: non-urgent\r\n"
                           "Reply-To: <sip:c@example.net>\r\n"
                           "In-Reply-To: a, b\r\n"
                           "c: text/plain; charset=\"utf-8\"; x=y\r\n"
                           "e: deflate\r\n"
                           "Content-Disposition: render;handling=optional\r\n"
                           "Content-Language: de\r\n"
                           "Proxy-Authorization: Digest username=\"u\", realm=\"elsewhere.example.net\", nonce=\"n\", "
                           "uri=\"sip:x\", response=\"0123456789abcdef0123456789abcdef\"\r\n"
                           "User-Agent: Phone/1\r\n";
static const char taken[] = "Authorization: Digest username=\"u\", realm=\"example.com\", nonce=\"n\", uri=\"sip:x\", "
                            "response=\"0123456789abcdef0123456789abcdef\"\r\n"
                            "Proxy-Authorization: Digest username=\"u\", realm=\"EXAMPLE.org\", nonce=\"n\", "
                            "uri=\"sip:x\", response=\"0123456789abcdef0123456789abcdef\"\r\n"
                            "P-Asserted-Identity: <sip:alice@example.com>\r\n"
                            "Route: <sip:example.com;lr>\r\n";

static void test_bytes_stay(void **state)
{
    static const char body[] = "a\0b\r\n\r\nc\xff";
    (void)state;
    for (unsigned is_live = 0; is_live < 2; is_live++) {
        struct lab *lab = lab_new(2);
        char text[4096];
        int len = snprintf(text, sizeof text, START VIA "Max-Forwards: 12\r\n%s%sl: %zu\r\n\r\n", kept, taken,
                           sizeof body - 1);
        memcpy(text + len, body, sizeof body - 1);
        const struct lab_sent *r = pass_on(lab, text, (size_t)len + sizeof body - 1, is_live);
        const char *at = strstr(r->text, "From: ");
        assert_non_null(at);
        assert_memory_equal(at, kept, sizeof kept - 1);
        /* Nothing stands between the fields and the length, nothing behind. */
        static const char end[] = "Content-Length: 9\r\n\r\na\0b\r\n\r\nc\xff";
        assert_memory_equal(at + sizeof kept - 1, end, sizeof end - 1);
        assert_int_equal(r->text + r->len - at, sizeof kept - 1 + sizeof end - 1);
        assert_null(strstr(r->text, "Route"));
        lab_free(lab);
    }
}

struct wire {
    const char *what, *fields; /* beside From, To, Call-ID, CSeq */
    const char *live_has, *live_lacks, *stored_has, *stored_lacks;
};

static const struct wire wires[] = {
    {"a Date is added", "Max-Forwards: 70\r\n", "\r\nDate: Fri, 15 Jan 2027 08:0", NULL,
     "\r\nDate: Fri, 15 Jan 2027 08:0", NULL},
    {"a Date is kept", "Date: Sat, 01 Jan 2000 00:00:00 GMT\r\n", "\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\n", "2027",
     "\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\n", "2027"},
    {"Max-Forwards", "Max-Forwards: 12\r\n", "\r\nMax-Forwards: 11\r\n", "Max-Forwards: 12", "\r\nMax-Forwards: 70\r\n",
     "Max-Forwards: 11"},
    {"no Max-Forwards", "", "\r\nMax-Forwards: 70\r\n", NULL, "\r\nMax-Forwards: 70\r\n", NULL},
    {"Max-Forwards 255", "Max-Forwards: 255\r\n", "\r\nMax-Forwards: 254\r\n", NULL, "\r\nMax-Forwards: 70\r\n", NULL},
    {"Max-Breadth", "Max-Breadth: 7\r\n", "\r\nMax-Breadth: 7\r\n", NULL, "\r\nMax-Forwards: 70\r\n", "Max-Breadth"},
    {"no Max-Breadth", "", "\r\nMax-Breadth: 60\r\n", NULL, "\r\nMax-Forwards: 70\r\n", "Max-Breadth"},
    {"a huge Max-Breadth", "Max-Breadth: 100000\r\n", "\r\nMax-Breadth: 60\r\n", NULL, "MESSAGE", "Max-Breadth"},
    {"other Vias follow live, and only there", "Via: SIP/2.0/TCP far.example.net;branch=z9hG4bKfar;x=\"y\"\r\n",
     "\r\nVia: SIP/2.0/TCP far.example.net;branch=z9hG4bKfar;x=\"y\"\r\n", NULL, "Via: SIP/2.0/UDP " LAB_SERVER,
     "far.example.net"},
    {"no Record-Route, no Contact of ours", "", "MESSAGE", "Contact", "MESSAGE", "Record-Route"},
    {"an empty body is legal", "", "\r\nContent-Length: 0\r\n\r\n", NULL, "\r\nContent-Length: 0\r\n\r\n", NULL},
    {"a folded CSeq", "X: y\r\n", "CSeq:\r\n 7\r\n MESSAGE\r\n", NULL, "CSeq:\r\n 7\r\n MESSAGE\r\n", NULL},
    {"P-Preferred-Identity is no claim of ours", "P-Asserted-Identity: <sip:alice@example.com>\r\n", "MESSAGE",
     "P-Asserted-Identity", "MESSAGE", "P-Asserted-Identity"},
};

static void test_wire(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++)
        for (unsigned is_live = 0; is_live < 2; is_live++) {
            struct lab *lab = lab_new(1 + (unsigned)(i % 2));
            const struct wire *w = &wires[i];
            char text[2048];
            int len = snprintf(text, sizeof text,
                               START VIA "%sFrom: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\n"
                                         "Call-ID: w\r\nCSeq:\r\n 7\r\n MESSAGE\r\nContent-Length: 0\r\n\r\n",
                               w->fields);
            const struct lab_sent *r = pass_on(lab, text, (size_t)len, is_live);
            const char *has = is_live ? w->live_has : w->stored_has, *lacks = is_live ? w->live_lacks : w->stored_lacks;
            if (!strstr(r->text, has) || (lacks && strstr(r->text, lacks)))
                fail_msg("%s, live %u:\n%s", w->what, is_live, r->text);
            lab_free(lab);
        }
}

/* The Via as received: RFC 3261 §18.2.1, RFC 3581 §4. */
static void test_via_as_received(void **state)
{
    struct lab *lab = *state;
    static const char text[] = START
        "Via: SIP/2.0/UDP pc.example.net:5070;rport;branch=z9hG4bKv\r\nFrom: <sip:alice@example.com>;tag=1\r\n"
        "To: <sip:bob@example.com>\r\nCall-ID: v\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n";
    const struct lab_sent *r = pass_on(lab, text, sizeof text - 1, true);
    const char *ours = strstr(r->text, "Via: SIP/2.0/UDP " LAB_SERVER);
    const char *theirs = strstr(r->text, "Via: SIP/2.0/UDP pc.example.net:5070;");
    assert_non_null(theirs);
    assert_true(ours && ours < theirs);
    assert_non_null(strstr(theirs, ";received=192.0.2.99"));
    assert_non_null(strstr(theirs, ";rport=5060"));
}

static void test_stored_cseq(void **state)
{
    static const struct {
        const char *headers;
        uint32_t cseq;
    } cases[] = {
        {"CSeq: 1 MESSAGE\r\n", 1},
        {"From: x\r\ncseq:7 MESSAGE\r\nTo: y\r\n", 7},
        {"CSeq:\r\n\t4294967295\r\n MESSAGE\r\nTo: y\r\n", 4294967295u},
        {"Subject: a\r\n CSeq: 9 MESSAGE\r\nCSeq : 2 MESSAGE\r\n", 2},
        {"X-CSeq: 9 MESSAGE\r\nCSeq: 3 MESSAGE\r\n", 3},
        {"", 0},
        {"CSeq", 0},
        {"CSeq:", 0},
        {"CSeq: MESSAGE\r\n", 0},
        {"CSeq: 4294967296 MESSAGE\r\n", 0},
        {"Subject: a\r\n CSeq: 9 MESSAGE\r\n", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(letter_stored_cseq(slice_str(cases[i].headers)), cases[i].cseq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_bytes_stay),
        cmocka_unit_test(test_wire),
        TEST(test_via_as_received),
        TEST(test_stored_cseq),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
