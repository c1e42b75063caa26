/* message/cpim: reading, refusing, writing. */
#include "sip/cpim.h"

#include "support/check.h"

#define LINPHONE                                                                                                       \
    "From: <sip:a@example.com>\r\nTo: <sip:b@example.com>\r\nDateTime: 2026-01-02T03:04:05Z\r\n"                       \
    "NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 8X7f\r\n"                                                     \
    "imdn.Disposition-Notification: positive-delivery, display\r\n\r\n"                                                \
    "content-type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhi\0\r\n"

static void test_read(void **state)
{
    struct guard guard = guard_copy(SLICE(LINPHONE));
    struct cpim c;
    size_t fault;
    (void)state;
    assert_int_equal(cpim_parse(guard.in, &c, &fault), ERR_NONE);
    check_slice(c.from, "<sip:a@example.com>");
    check_slice(c.to, "<sip:b@example.com>");
    check_slice(c.date_time, "2026-01-02T03:04:05Z");
    check_slice(c.message_id, "8X7f");
    check_slice(c.disposition, "positive-delivery, display");
    check_slice(c.content_type, "text/plain; charset=utf-8");
    check_slice(c.content_encoding, NULL);
    assert_int_equal(c.body.len, 5);
    guard_free(&guard);
}

static void test_prefixes(void **state)
{
    struct slice text = SLICE(LINPHONE);
    struct guard guard = guard_copy(text);
    size_t head = text.len - 5, good = 0;
    (void)state;
    for (size_t len = 0; len <= text.len; len++) {
        struct cpim c;
        size_t fault = 0;
        bool parsed = cpim_parse(guard_prefix(&guard, text, len), &c, &fault) == ERR_NONE;
        assert_true(parsed == (len >= head));
        assert_true(parsed || fault <= len);
        good += parsed;
    }
    assert_int_equal(good, 6);
    guard_free(&guard);
}

static void test_name_spaces(void **state)
{
    static const struct {
        const char *text, *id;
    } rows[] = {
        {"NS: x <urn:ietf:params:imdn>\r\nx.Message-ID: 1\r\n\r\n\r\n", "1"},
        {"NS: <urn:ietf:params:imdn>\r\nMessage-ID: 1\r\n\r\n\r\n", "1"},
        {"NS: x <urn:other>\r\nx.Message-ID: 1\r\n\r\n\r\n", NULL},
        {"imdn.Message-ID: 1\r\n\r\n\r\n", NULL}, /* no name space */
        {"Message-ID: 1\r\n\r\n\r\n", NULL},
        {"NS: x <urn:ietf:params:imdn>\r\nimdn.Message-ID: 1\r\n\r\n\r\n", NULL},
        {"NS: x <urn:ietf:params:imdn>\r\nx.message-id: 1\r\n\r\n\r\n", NULL},
        {"NS: x <urn:ietf:params:imdn>\r\n\r\nx.Message-ID: 1\r\n\r\n", NULL}, /* a MIME header */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cpim c;
        size_t fault;
        check_row(cpim_parse(slice_str(rows[i].text), &c, &fault) == ERR_NONE, rows[i].text);
        check_slice(c.message_id, rows[i].id);
    }
}

static void test_bad(void **state)
{
    static const char *const bad[] = {
        "",
        "\r\n",
        "hello",
        "From: <sip:a@h>\r\n",
        "From: <sip:a@h>\r\n\r\n",
        "From: <sip:a@h>\n\n\n",
        "From <sip:a@h>\r\n\r\n\r\n",
        ": x\r\n\r\n\r\n",
        " From: x\r\n\r\n\r\n",
        "From: a\r\n folded\r\n\r\n\r\n",
        "From: a\rTo: b\r\n\r\n\r\n",
        "From: a\r\nFrom: b\r\n\r\n\r\n",
        "To: a\r\nTo: b\r\n\r\n\r\n",
        "DateTime: a\r\nDateTime: b\r\n\r\n\r\n",
        "NS: i <urn:ietf:params:imdn>\r\ni.Message-ID: 1\r\ni.Message-ID: 2\r\n\r\n\r\n",
        "\r\nContent-Type: a/b\r\nCONTENT-TYPE: c/d\r\n\r\n",
    };
    struct cpim c;
    size_t fault;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct guard guard = guard_copy(slice_str(bad[i]));
        fault = 9999;
        check_row(cpim_parse(guard.in, &c, &fault) == ERR_MALFORMED && fault <= guard.in.len, bad[i]);
        guard_free(&guard);
    }
    assert_int_equal(cpim_parse(SLICE("X: a\0b\r\n\r\n\r\n"), &c, &fault), ERR_MALFORMED);
}

static void test_many_headers(void **state)
{
    struct buf text;
    struct cpim c;
    size_t fault;
    (void)state;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 2000; i++)
        buf_printf(&text, "X-%d: y\r\n", i);
    buf_append_str(&text, "\r\n\r\n");
    assert_int_equal(cpim_parse(buf_slice(&text), &c, &fault), ERR_MALFORMED);
    buf_deinit(&text);
}

static void test_write(void **state)
{
    struct buf out;
    struct cpim c;
    size_t fault;
    (void)state;
    buf_init(&out, 1000);
    struct cpim_out message = {.from = SLICE("sip:a@h"),
                               .to = SLICE("sip:b@h"),
                               .date_seconds = 1289690940,
                               .message_id = SLICE("id\r\nTo: <sip:evil@h>\x1b\\"),
                               .disposition = SLICE("display"),
                               .content_type = SLICE("text/plain"),
                               .body = SLICE("x\r\n\r\ny")};
    cpim_append(&out, &message);
    assert_true(buf_ok(&out));
    assert_int_equal(cpim_parse(buf_slice(&out), &c, &fault), ERR_NONE);
    check_slice(c.from, "<sip:a@h>");
    check_slice(c.to, "<sip:b@h>");
    check_slice(c.date_time, "2010-11-13T23:29:00Z");
    check_slice(c.message_id, "id\\r\\nTo: <sip:evil@h>\\u001b\\\\");
    check_slice(c.disposition, "display");
    check_slice(c.content_type, "text/plain");
    check_slice(c.body, "x\r\n\r\ny");

    static const struct {
        const char *from, *type;
    } bad[] = {{"sip:a>\r\nTo: <x", "a/b"}, {"sip:a", "a/b\r\nX: y"}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        buf_reset(&out);
        message.from = slice_str(bad[i].from);
        message.content_type = slice_str(bad[i].type);
        cpim_append(&out, &message);
        check_row(!buf_ok(&out), bad[i].from);
    }
    buf_deinit(&out);
    buf_init(&out, 20);
    cpim_append(&out, &message);
    assert_false(buf_ok(&out));
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read), cmocka_unit_test(test_prefixes),     cmocka_unit_test(test_name_spaces),
        cmocka_unit_test(test_bad),  cmocka_unit_test(test_many_headers), cmocka_unit_test(test_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
