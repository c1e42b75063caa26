/* Messages: structure, access, lists, every prefix. */
#include "sip/message.h"

#include "support/check.h"

#define REQUEST                                                                                                        \
    "MESSAGE sip:bob@example.com;lr SIP/2.0\r\n"                                                                       \
    "Via: SIP/2.0/UDP a:5060;branch=z9hG4bK1;rport , SIP/2.0/TCP b\r\n"                                                \
    "v: SIP/2.0/TLS c\r\n"                                                                                             \
    "Max-Forwards: 70\r\n"                                                                                             \
    "From : \"A, B\" <sip:alice@example.com>;tag=1\r\n"                                                                \
    "TO:\r\n <sip:bob@example.com>\r\n"                                                                                \
    "i: id@h\r\n"                                                                                                      \
    "CSeq: 17 MESSAGE\r\n"                                                                                             \
    "X-One: first\r\n"                                                                                                 \
    "x-one: second\r\n"                                                                                                \
    "X-Empty:\r\n"                                                                                                     \
    "Supported: a , b\r\n"                                                                                             \
    "k: c,,d;x=\"1,2\"\r\n"                                                                                            \
    "Content-Type: text/plain\r\n"                                                                                     \
    "Content-Length: 5\r\n\r\nhe\0lo"

static void test_request(void **state)
{
    struct guard guard = guard_copy(SLICE(REQUEST));
    struct message m;
    struct message_fault fault;
    struct via via;
    struct addr a;
    struct uri uri;
    uint32_t number;
    struct slice method;
    (void)state;
    assert_int_equal(message_parse(guard.in, &m, &fault), ERR_NONE);
    assert_int_equal(message_check(&m, &fault), ERR_NONE);
    assert_true(message_is_request(&m) && message_can_answer(&m));
    assert_int_equal(m.method, METHOD_MESSAGE);
    check_slice(m.uri_text, "sip:bob@example.com;lr");
    assert_true(slice_eq(m.raw, guard.in));
    assert_true(slice_eq(m.body, SLICE("he\0lo")));
    assert_int_equal(m.header_count, 14);
    assert_int_equal(message_uri(&m, &uri), ERR_NONE);
    assert_int_equal(message_top_via(&m, &via), ERR_NONE);
    check_slice(via.branch, "z9hG4bK1");
    assert_int_equal(message_from(&m, &a), ERR_NONE);
    check_slice(a.display, "\"A, B\"");
    check_slice(addr_tag(&a), "1");
    assert_int_equal(message_to(&m, &a), ERR_NONE);
    check_slice(a.uri.user, "bob");
    check_slice(message_value(&m, HEADER_CALL_ID), "id@h");
    assert_int_equal(message_cseq(&m, &number, &method), ERR_NONE);
    assert_int_equal(number, 17);
    check_slice(method, "MESSAGE");
    assert_int_equal(message_number(&m, HEADER_MAX_FORWARDS, 255, &number), ERR_NONE);
    assert_int_equal(number, 70);
    assert_int_equal(message_number(&m, HEADER_MAX_FORWARDS, 69, &number), ERR_TOO_LARGE);
    assert_int_equal(message_number(&m, HEADER_EXPIRES, 9, &number), ERR_NOT_FOUND);
    const struct header_line *h = message_other(&m, SLICE("X-ONE"));
    check_slice(h->value, "first");
    check_slice(h->line, "X-One: first");
    h = message_next_header(&m, h);
    check_slice(h->value, "second");
    h = message_next_header(&m, h);
    check_slice(h->value, "");
    assert_null(message_next_header(&m, h));
    assert_null(message_other(&m, SLICE("X-Two")));
    check_slice(message_value(&m, HEADER_DATE), NULL);
    guard_free(&guard);
}

static void test_lists(void **state)
{
    static const char *const tokens[] = {"a", "b", "c", "d;x=\"1,2\""};
    static const char *const hosts[] = {"a", "b", "c"};
    struct message m;
    struct message_fault fault;
    struct message_values values = {0};
    struct slice text;
    struct via via;
    int err;
    (void)state;
    assert_int_equal(message_parse(SLICE(REQUEST), &m, &fault), ERR_NONE);
    for (size_t i = 0; i < COUNT(tokens); i++) {
        assert_true(message_next_token(&m, HEADER_SUPPORTED, &values, &text));
        check_slice(text, tokens[i]);
    }
    assert_false(message_next_token(&m, HEADER_SUPPORTED, &values, &text));
    assert_true(message_has_token(&m, HEADER_SUPPORTED, SLICE("C")));
    assert_false(message_has_token(&m, HEADER_SUPPORTED, SLICE("d")));
    assert_false(message_has_token(&m, HEADER_ALLOW, SLICE("c")));
    values = (struct message_values){0};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        assert_true(message_next_via(&m, &values, &via, &text, &err));
        check_slice(via.host, hosts[i]);
    }
    check_slice(text, "SIP/2.0/TLS c");
    assert_false(message_next_via(&m, &values, &via, &text, &err));
    assert_int_equal(err, ERR_NONE);
}

static const struct {
    const char *headers;
    const char *users; /* of the Contacts, one letter each */
    int err;
} contacts[] = {
    {"Contact: <sip:a@h>, \"x,y\" <sip:b@h>;q=1\r\nm: sip:c@h\r\n", "abc", 0},
    {"Contact: <sip:a@h>,<sip:b@h>\r\nContact:\r\nContact: <sip:c@h>\r\n", "abc", 0},
    {"Contact: *\r\n", "*", 0},
    {"X: y\r\n", "", 0},
    {"Contact: <sip:a@h>,\r\n", "a", ERR_MALFORMED},
    {"Contact: ,<sip:a@h>\r\n", "", ERR_MALFORMED},
    {"Contact: <sip:a@h>,,<sip:b@h>\r\n", "a", ERR_MALFORMED},
    {"Contact: <sip:a@h> <sip:b@h>\r\n", "", ERR_MALFORMED},
    {"Contact: <sip:a@h>, bob\r\n", "a", ERR_MALFORMED},
};

static void test_addrs(void **state)
{
    struct buf text;
    (void)state;
    buf_init(&text, 1000);
    for (size_t i = 0; i < COUNT(contacts); i++) {
        struct message m;
        struct message_fault fault;
        struct message_values values = {0};
        struct addr a;
        int err;
        size_t n = 0;
        buf_reset(&text);
        buf_printf(&text, "REGISTER sip:h SIP/2.0\r\n%s\r\n", contacts[i].headers);
        check_row(message_parse(buf_slice(&text), &m, &fault) == ERR_NONE, contacts[i].headers);
        while (message_next_addr(&m, HEADER_CONTACT, &values, &a, &err)) {
            char user = '*';
            if (!a.star)
                user = a.uri.user.ptr[0];
            check_row(user == contacts[i].users[n++], contacts[i].headers);
        }
        check_row(contacts[i].users[n] == '\0' && err == contacts[i].err, contacts[i].headers);
    }
    buf_deinit(&text);
}

static void test_response(void **state)
{
    static const struct {
        const char *line, *reason; /* NULL: dropped */
        uint16_t status;
    } rows[] = {
        {"SIP/2.0 200 OK", "OK", 200},
        {"sip/2.0 100 ", "", 100},
        {"SIP/2.0 699 \xd0\x90 b\tc", "\xd0\x90 b\tc", 699},
        {"SIP/2.0 404 Latin \xe9", "Latin \xe9", 404},
        {"SIP/2.0 200", NULL, 0},
        {"SIP/2.0 20 OK", NULL, 0},
        {"SIP/2.0 2000 OK", NULL, 0},
        {"SIP/2.0  200 OK", NULL, 0},
        {"SIP/2.0 99 x", NULL, 0},
        {"SIP/2.0 099 x", NULL, 0},
        {"SIP/2.0 700 x", NULL, 0},
        {"SIP/2.0 4294967301 x", NULL, 0},
        {"SIP/2.0 +20 OK", NULL, 0},
        {"SIP/3.0 200 OK", NULL, 0},
        {"SIP/2.0 200 O\x07K", NULL, 0},
        {"SIP/2.0 200 O\nK", NULL, 0},
        {"SIP/2.0", NULL, 0},
    };
    struct buf text;
    (void)state;
    buf_init(&text, 1000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct message m;
        struct message_fault fault = {.status = 1};
        buf_reset(&text);
        buf_printf(&text, "%s\r\nVia: SIP/2.0/UDP h\r\n\r\n", rows[i].line);
        int err = message_parse(buf_slice(&text), &m, &fault);
        check_row(err == (rows[i].reason != NULL ? ERR_NONE : ERR_MALFORMED), rows[i].line);
        if (err == ERR_NONE) {
            check_row(m.status == rows[i].status, rows[i].line);
            check_slice(m.reason, rows[i].reason);
        } else {
            check_row(fault.status == 0 && !message_can_answer(&m), rows[i].line);
        }
    }
    buf_deinit(&text);
}

#define TOP "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"

static const struct {
    const char *text;
    size_t len;
    uint16_t status;
    bool answer;
} bad[] = {
#define BAD(text, status, answer)                                                                                      \
    {                                                                                                                  \
        text, sizeof(text) - 1, status, answer                                                                         \
    }
    BAD("", 0, false),
    BAD("\r\n\r\n", 0, false),
    BAD("x", 0, false),
    BAD("\0\0\0\0", 0, false),
    BAD("GET / HTTP/1.1\r\n\r\n", 400, false),
    BAD("MESSAGE sip:h SIP/2.0\r\n" TOP, 400, true), /* no empty line */
    BAD("MESSAGE sip:h SIP/7.0\r\n" TOP "\r\n", 505, true),
    BAD("MESSAGE sip:h SIP/2.00\r\n" TOP "\r\n", 505, true),
    BAD("MESSAGE sip:h SIP/2.\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h  SIP/2.0\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE  sip:h SIP/2.0\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0 \r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE\r\n" TOP "\r\n", 400, false),
    BAD(" MESSAGE sip:h SIP/2.0\r\n" TOP "\r\n", 400, false),
    BAD("MES/SAGE sip:h SIP/2.0\r\n" TOP "\r\n", 400, false),
    BAD("ACK sip:h  SIP/2.0\r\n" TOP "\r\n", 0, false), /* never answered */
    BAD("MESSAGE sip:h SIP/2.0\r\n folded\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\nNo colon\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\n: x\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\nX/Y: x\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\nX: \x01\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\nX: \0\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\nX: \x7f\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\nX: \xc2\x85\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\nX: \xff\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\nX: a\rb\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\nX: a\nb: c\r\n" TOP "\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\n" TOP "Call-ID: a\nX: b\r\n\r\n", 400, false), /* its echo would be two lines */
    BAD("MESSAGE sip:h SIP/2.0\nVia: SIP/2.0/UDP h\n\n", 0, false),
    BAD("MESSAGE sip:h SIP/2.0\r\n" TOP "Content-Length: 1\r\n\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\n" TOP "Content-Length: x\r\n\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\n" TOP "Content-Length: 2147483648\r\n\r\n", 400, true),
    BAD("MESSAGE sip:h SIP/2.0\r\n" TOP "Content-Length: 4294967296\r\n\r\n", 400, true),
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct guard guard = guard_copy(slice_make(bad[i].text, bad[i].len));
        struct message m;
        struct message_fault fault = {0};
        check_row(message_parse(guard.in, &m, &fault) == ERR_MALFORMED, bad[i].text);
        check_row(fault.status == bad[i].status && fault.reason != NULL, bad[i].text);
        check_row(fault.offset <= guard.in.len, bad[i].text);
        check_row(message_can_answer(&m) == bad[i].answer, bad[i].text);
        guard_free(&guard);
    }
}

static void test_datagram_ends(void **state)
{
    static const struct {
        const char *text, *body;
    } rows[] = {
        {"\r\n\r\nMESSAGE sip:h SIP/2.0\r\nX: y\r\n\r\nrest", "rest"}, /* §18.3: no length, to the end */
        {"MESSAGE sip:h SIP/2.0\r\nl: 2\r\n\r\nrest", "re"},
        {"MESSAGE sip:h SIP/2.0\r\nl: 0\r\n\r\nrest", ""},
        {"MESSAGE sip:h SIP/2.0\r\n\r\n", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct message m;
        struct message_fault fault;
        check_row(message_parse(slice_str(rows[i].text), &m, &fault) == ERR_NONE, rows[i].text);
        check_slice(m.body, rows[i].body);
        check_row(slice_end(m.raw) == slice_end(m.body) && m.raw.ptr[0] == 'M', rows[i].text);
    }
}

static void test_header_limit(void **state)
{
    struct buf text;
    (void)state;
    buf_init(&text, 1 << 16);
    for (int lines = MESSAGE_HEADERS_MAX - 1; lines <= MESSAGE_HEADERS_MAX + 1; lines++) {
        struct message m;
        struct message_fault fault;
        buf_reset(&text);
        buf_append_str(&text, "MESSAGE sip:h SIP/2.0\r\n");
        for (int i = 0; i < lines; i++)
            buf_append_str(&text, i == 0 ? TOP : "X: y\r\n");
        buf_append_str(&text, "\r\n");
        int err = message_parse(buf_slice(&text), &m, &fault);
        assert_int_equal(err, lines <= MESSAGE_HEADERS_MAX ? ERR_NONE : ERR_MALFORMED);
        assert_int_equal(m.header_count, lines < MESSAGE_HEADERS_MAX ? lines : MESSAGE_HEADERS_MAX);
        assert_true(message_can_answer(&m));
    }
    buf_deinit(&text);
}

static void test_prefixes(void **state)
{
    struct slice text = SLICE(REQUEST);
    struct guard guard = guard_copy(text);
    (void)state;
    for (size_t len = 0; len < text.len; len++) {
        struct message m;
        struct message_fault fault = {0};
        assert_int_equal(message_parse(guard_prefix(&guard, text, len), &m, &fault), ERR_MALFORMED);
        (void)message_can_answer(&m);
        assert_true(fault.offset <= len);
    }
    guard_free(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),  cmocka_unit_test(test_lists),        cmocka_unit_test(test_addrs),
        cmocka_unit_test(test_response), cmocka_unit_test(test_bad),          cmocka_unit_test(test_datagram_ends),
        cmocka_unit_test(test_prefixes), cmocka_unit_test(test_header_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
