/* URIs: what is one, its parts, RFC 3261 §19.1.4, the canonical address-of-record. */
#include "sip/uri.h"

#include "support/check.h"

struct good {
    const char *text;
    enum uri_scheme scheme;
    const char *user, *password, *host;
    uint16_t port;
    const char *params, *headers;
};

static const struct good good[] = {
    {"sip:alice@example.com", URI_SIP, "alice", NULL, "example.com", 0, NULL, NULL},
    {"SIP:alice@example.com", URI_SIP, "alice", NULL, "example.com", 0, NULL, NULL},
    {"sips:alice@example.com:5061", URI_SIPS, "alice", NULL, "example.com", 5061, NULL, NULL},
    {"sip:example.com", URI_SIP, NULL, NULL, "example.com", 0, NULL, NULL},
    {"sip:a:secret@h", URI_SIP, "a", "secret", "h", 0, NULL, NULL},
    {"sip:a:@h", URI_SIP, "a", "", "h", 0, NULL, NULL},
    {"sip:a%20b@h", URI_SIP, "a%20b", NULL, "h", 0, NULL, NULL},
    {"sip:+358-555-1234567;postd=pp22@foo.com;user=phone", URI_SIP, "+358-555-1234567;postd=pp22", NULL, "foo.com", 0,
     ";user=phone", NULL},
    {"sip:user;par=u%40example.net@example.com", URI_SIP, "user;par=u%40example.net", NULL, "example.com", 0, NULL,
     NULL},
    {"sip:[2001:db8::10]", URI_SIP, NULL, NULL, "[2001:db8::10]", 0, NULL, NULL},
    {"sip:a@[2001:db8::10]:5070;lr", URI_SIP, "a", NULL, "[2001:db8::10]", 5070, ";lr", NULL},
    {"sip:a@[::ffff:192.0.2.1]", URI_SIP, "a", NULL, "[::ffff:192.0.2.1]", 0, NULL, NULL},
    {"sip:192.0.2.1:5060", URI_SIP, NULL, NULL, "192.0.2.1", 5060, NULL, NULL},
    {"sip:a@b.c.d.", URI_SIP, "a", NULL, "b.c.d.", 0, NULL, NULL},
    {"sip:a@1.2.3.example", URI_SIP, "a", NULL, "1.2.3.example", 0, NULL, NULL},
    {"sip:h;transport=tcp;lr?Subject=x&To=a", URI_SIP, NULL, NULL, "h", 0, ";transport=tcp;lr", "Subject=x&To=a"},
    {"sip:a@h?x=", URI_SIP, "a", NULL, "h", 0, NULL, "x="},
    {"sip:a@h:65535", URI_SIP, "a", NULL, "h", 65535, NULL, NULL},
    {"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com", URI_SIP,
     "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*", NULL, "example.com", 0, NULL, NULL},
    {"tel:+1-201-555-0123", URI_TEL, "+1-201-555-0123", NULL, NULL, 0, NULL, NULL},
    {"tel:7042;phone-context=example.com", URI_TEL, "7042", NULL, NULL, 0, ";phone-context=example.com", NULL},
    {"urn:service:sos", URI_OTHER, "service:sos", NULL, NULL, 0, NULL, NULL},
    {"soap.beep://192.0.2.103:3002", URI_OTHER, "//192.0.2.103:3002", NULL, NULL, 0, NULL, NULL},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        const struct good *g = &good[i];
        struct guard guard = guard_copy(slice_str(g->text));
        struct uri uri;
        size_t fault;
        check_row(uri_parse(guard.in, &uri, &fault) == ERR_NONE, g->text);
        check_row(uri.scheme == g->scheme && uri.port == g->port, g->text);
        check_slice(uri.text, g->text);
        check_slice(uri.user, g->user);
        check_slice(uri.password, g->password);
        check_slice(uri.host, g->host);
        check_slice(uri.params, g->params);
        check_slice(uri.headers, g->headers);
        guard_free(&guard);
    }
}

static const struct {
    const char *text;
    size_t fault;
} bad[] = {
    {"", 0},
    {":", 0},
    {"/", 0}, /* CVE-2021-33056 */
    {"alice@example.com", 0},
    {"<sip:a@h>", 0},
    {"sip:", 4},
    {"sip:@h", 4},
    {"sip:a@", 6},
    {"sip:a@b@c", 7},
    {"sip:a b@c", 5},
    {"sip:a@h:", 8},
    {"sip:a@h:0", 8},
    {"sip:a@h:65536", 8},
    {"sip:a@h:4294972356", 8},
    {"sip:a@h:-1", 8},
    {"sip:a@h:50a", 10},
    {"sip:a@h;", 8},
    {"sip:a@h;;lr", 8},
    {"sip:a@h;x=", 10},
    {"sip:a@h;=y", 8},
    {"sip:a@h?", 8},
    {"sip:a@h?x", 9},
    {"sip:a@h?x=1&", 12},
    {"sip:a%2@h", 5},
    {"sip:a%gg@h", 5},
    {"sip:a@.1", 6},
    {"sip:a@..", 6},
    {"sip:a@h..", 8},
    {"sip:a@-h", 8},
    {"sip:a@h-", 8},
    {"sip:a@1.2.3", 10},
    {"sip:a@1.2.3.256", 12},
    {"sip:a@1.2.3.4.", 13},
    {"sip:a@h_x", 7},
    {"sip:a@[2001:db8::1", 6},
    {"sip:a@[]", 6},
    {"sip:a@[1.2.3.4]", 6},
    {"sip:a@[2001:db8:::1]", 6},
    {"sip:a@2001:db8::1", 6},
    {"sip:a@h\r\n", 7},
    {"sip:a@h\x01", 7},
    {"sip:\xc3\xa9@h", 4},
    {"sip:a@\xc3\xa9", 6},
    {"tel:", 4},
    {"tel:+1+2", 8},
    {"tel:1;", 6},
    {"tel:alice", 5},
    {"foo:", 4},
    {"foo:a b", 5},
    {"1sip:a@h", 0},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct guard guard = guard_copy(slice_str(bad[i].text));
        struct uri uri = {.port = 7};
        size_t fault = 999;
        check_row(uri_parse(guard.in, &uri, &fault) == ERR_MALFORMED, bad[i].text);
        check_row(uri.port == 7, bad[i].text); /* untouched */
        check_row(fault == bad[i].fault, bad[i].text);
        guard_free(&guard);
    }
}

static void test_nul_is_no_end(void **state)
{
    struct uri uri;
    size_t fault;
    (void)state;
    assert_int_equal(uri_parse(SLICE("sip:a@h\0"), &uri, &fault), ERR_MALFORMED);
    assert_int_equal(uri_parse(SLICE("sip:a\0b@h"), &uri, &fault), ERR_MALFORMED);
}

static void test_prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct slice text = slice_str(good[i].text);
        struct guard guard = guard_copy(text);
        for (size_t len = 0; len <= text.len; len++) {
            struct uri uri;
            struct slice value, in = guard_prefix(&guard, text, len);
            size_t fault = 0;
            if (uri_parse(in, &uri, &fault) == ERR_NONE)
                (void)uri_param(&uri, SLICE("none"), &value);
            else
                assert_true(fault <= len);
        }
        guard_free(&guard);
    }
}

static void test_param(void **state)
{
    struct uri uri;
    struct slice value;
    size_t fault;
    (void)state;
    assert_int_equal(uri_parse(SLICE("sip:h;LR;transport=TCP;x=1"), &uri, &fault), ERR_NONE);
    assert_true(uri_param(&uri, SLICE("lr"), &value));
    check_slice(value, NULL);
    assert_true(uri_param(&uri, SLICE("Transport"), &value));
    check_slice(value, "TCP");
    assert_false(uri_param(&uri, SLICE("t"), &value));
    assert_false(uri_param(&uri, SLICE("TCP"), &value));
}

static const struct {
    const char *a, *b;
    bool eq;
} pairs[] = {
    /* RFC 3261 §19.1.4: equivalent */
    {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true},
    {"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true},
    {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
     "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
    {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
     "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
    /* not equivalent */
    {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
    {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
    {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
    {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},
    /* the rules, one by one */
    {"sip:a@h", "sips:a@h", false},
    {"sip:a@h", "sip:h", false},
    {"sip:a@h", "sip:a:@h", false},
    {"sip:a:p@h", "sip:a:P@h", false},
    {"sip:a@h;user=phone", "sip:a@h", false},
    {"sip:a@h", "sip:a@h;ttl=1", false},
    {"sip:a@h;method=INVITE", "sip:a@h", false},
    {"sip:a@h;maddr=1.2.3.4", "sip:a@h", false},
    {"sip:a@h;%6Daddr=1.2.3.4", "sip:a@h", false},
    {"sip:a@h;maddr=1.2.3.4", "sip:a@h;maddr=1.2.3.4", true},
    {"sip:a@h;lr", "sip:a@h", true},
    {"sip:a@h;lr", "sip:a@h;lr=on", false},
    {"sip:a%2Fb@h", "sip:a/b@h", false}, /* "/" is reserved */
    {"sip:a%2fb@h", "sip:a%2Fb@h", true},
    {"sip:a%2D@h", "sip:a-@h", true},
    {"sip:null-%00-null@h", "sip:null@h", false},
    {"sip:null-%00-null@h", "sip:null-%00-null@h", true},
    {"sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]", true},
    {"sip:a@[2001:db8::1]", "sip:a@[2001:db8::2]", false},
    {"sip:a@h?x=1", "sip:a@h?x=1&y=2", false},
    {"sip:a@h?x=1", "sip:a@h?X=1", true},
    {"sip:a@h;x=1;x=2", "sip:a@h;x=1;x=2", true}, /* illegal, and still itself */
    {"sip:a@h;x=1;x=2", "sip:a@h;x=2;x=1", false},
    {"tel:+1-201-555-0123", "tel:+1.201.555(0123)", true},
    {"tel:+12015550123", "tel:12015550123", false},
    {"tel:7042;phone-context=example.com", "tel:7042;phone-context=example.org", false},
    {"tel:7042;phone-context=example.com", "tel:7042", false},
    {"tel:7042;phone-context=a;isub=1", "tel:7042;isub=1;phone-context=A", true},
    {"urn:service:sos", "URN:service:sos", true},
    {"urn:service:sos", "urn:service:SOS", false},
};

static void test_eq(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct guard ga = guard_copy(slice_str(pairs[i].a)), gb = guard_copy(slice_str(pairs[i].b));
        struct uri a, b;
        size_t fault;
        check_row(uri_parse(ga.in, &a, &fault) == ERR_NONE, pairs[i].a);
        check_row(uri_parse(gb.in, &b, &fault) == ERR_NONE, pairs[i].b);
        check_row(uri_eq(&a, &b) == pairs[i].eq, pairs[i].a);
        check_row(uri_eq(&b, &a) == pairs[i].eq, pairs[i].b);
        check_row(uri_eq(&a, &a) && uri_eq(&b, &b), pairs[i].a);
        guard_free(&ga);
        guard_free(&gb);
    }
}

static void test_eq_is_bounded(void **state)
{
    struct buf text;
    struct uri a, b;
    size_t fault;
    (void)state;
    buf_init(&text, 1 << 20);
    buf_append_str(&text, "sip:h");
    for (int i = 0; i < 5000; i++)
        buf_printf(&text, ";p%d=1", i);
    assert_int_equal(uri_parse(buf_slice(&text), &a, &fault), ERR_NONE);
    assert_true(uri_eq(&a, &a));
    assert_int_equal(uri_parse(slice_head(buf_slice(&text), text.len - 8), &b, &fault), ERR_NONE);
    assert_false(uri_eq(&a, &b)); /* when unsure, apart */
    assert_false(uri_eq(&b, &a));
    buf_deinit(&text);
}

static const struct {
    const char *text, *aor; /* NULL: refused */
} aors[] = {
    {"sip:alice@Example.COM", "sip:alice@example.com"},
    {"sips:alice@example.com:5061;transport=tls?x=y", "sip:alice@example.com"},
    {"sip:%61lice:secret@example.com", "sip:alice@example.com"},
    {"sip:Alice@example.com", "sip:Alice@example.com"},
    {"sip:a%40b@example.com", "sip:a%40b@example.com"},
    {"sip:a%3ab%2f@example.com", "sip:a%3Ab/@example.com"},
    {"sip:null-%00-null@example.com", "sip:null-%00-null@example.com"},
    {"sip:a%0d%0aX@example.com", "sip:a%0D%0AX@example.com"},
    {"sip:example.com.", "sip:example.com"},
    {"sip:a@[2001:DB8::1]:5060", "sip:a@[2001:db8::1]"},
    {"tel:+1", NULL},
    {"urn:service:sos", NULL},
};

static void test_aor(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 200);
    for (size_t i = 0; i < COUNT(aors); i++) {
        struct uri uri;
        size_t fault;
        buf_reset(&out);
        check_row(uri_parse(slice_str(aors[i].text), &uri, &fault) == ERR_NONE, aors[i].text);
        int err = uri_append_aor(&out, &uri);
        check_row(err == (aors[i].aor != NULL ? ERR_NONE : ERR_MALFORMED), aors[i].text);
        check_slice(buf_slice(&out), aors[i].aor != NULL ? aors[i].aor : "");
        if (aors[i].aor == NULL)
            continue;
        buf_reset(&out);
        assert_int_equal(uri_append_aor_at(&out, &uri, SLICE("Other.Org")), ERR_NONE);
        assert_true(slice_find_slice(buf_slice(&out), SLICE("other.org")) > 0);
    }
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),          cmocka_unit_test(test_bad),   cmocka_unit_test(test_nul_is_no_end),
        cmocka_unit_test(test_prefixes),      cmocka_unit_test(test_param), cmocka_unit_test(test_eq),
        cmocka_unit_test(test_eq_is_bounded), cmocka_unit_test(test_aor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
