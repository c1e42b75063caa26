/* Via, and the Via of an answer. */
#include "sip/via.h"

#include "support/check.h"

static const struct {
    const char *text, *transport, *host;
    uint16_t port;
    const char *branch, *received, *maddr;
    bool has_rport;
    uint16_t rport;
    size_t used; /* 0: all */
} good[] = {
    {"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx;rport", "UDP", "192.0.2.1", 5060, "z9hG4bKx", NULL, NULL, true, 0, 0},
    {"SIP/2.0/TCP h", "TCP", "h", 0, NULL, NULL, NULL, false, 0, 0},
    {"sip/2.0/tls a.example.com", "tls", "a.example.com", 0, NULL, NULL, NULL, false, 0, 0},
    {"SIP / 2.0\r\n / UDP\r\n  192.0.2.2 : 5 ; branch = z9hG4bK1", "UDP", "192.0.2.2", 5, "z9hG4bK1", NULL, NULL, false,
     0, 0},
    {"SIP/2.0/UDP [2001:db8::9:1]:5070;received=[2001:db8::9:255];branch=z9hG4bKas3-111", "UDP", "[2001:db8::9:1]",
     5070, "z9hG4bKas3-111", "[2001:db8::9:255]", NULL, false, 0, 0},
    {"SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3", "UDP", "[2001:db8::9:1]", 0,
     "z9hG4bKas3", "2001:db8::9:255", NULL, false, 0, 0}, /* RFC 5118 §4.5 */
    {"SIP/2.0/UDP h;rport=5066;received=192.0.2.3;maddr=224.2.0.1;ttl=16", "UDP", "h", 0, NULL, "192.0.2.3",
     "224.2.0.1", true, 5066, 0},
    {"SIP/2.0/UNKNOWN h;x=\"a,b\";y", "UNKNOWN", "h", 0, NULL, NULL, NULL, false, 0, 0},
    {"FOO/9.9/UDP h", "UDP", "h", 0, NULL, NULL, NULL, false, 0, 0},
    {"SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b", "UDP", "a", 0, "1", NULL, NULL, false, 0, 22},
    {"SIP/2.0/UDP a , SIP/2.0/UDP b", "UDP", "a", 0, NULL, NULL, NULL, false, 0, 13},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct guard guard = guard_copy(slice_str(good[i].text));
        struct via v;
        size_t fault;
        int n = via_parse(guard.in, &v, &fault);
        check_row(n == (int)(good[i].used > 0 ? good[i].used : guard.in.len), good[i].text);
        check_row(v.port == good[i].port && v.has_rport == good[i].has_rport && v.rport == good[i].rport, good[i].text);
        check_slice(v.transport, good[i].transport);
        check_slice(v.host, good[i].host);
        check_slice(v.branch, good[i].branch);
        check_slice(v.received, good[i].received);
        check_slice(v.maddr, good[i].maddr);
        guard_free(&guard);
    }
}

static const char *const bad[] = {
    "",
    "SIP",
    "SIP/2.0",
    "SIP/2.0/",
    "SIP/2.0/UDP",
    "SIP/2.0/UDP ",
    "SIP/2.0 UDP h",
    "SIP//UDP h",
    "/2.0/UDP h",
    "SIP/2.0/UDP/h",
    "SIP/2.0/UDP h:",
    "SIP/2.0/UDP h:0",
    "SIP/2.0/UDP h:65536",
    "SIP/2.0/UDP h x",
    "SIP/2.0/UDP h;",
    "SIP/2.0/UDP h;;branch=1",
    "SIP/2.0/UDP 192.0.2.15;;,;,,", /* RFC 4475 badinv01 */
    "SIP/2.0/UDP h;branch",
    "SIP/2.0/UDP h;branch=",
    "SIP/2.0/UDP h;branch=\"1\"",
    "SIP/2.0/UDP h;branch=1;branch=2",
    "SIP/2.0/UDP h;Branch=1;bRANCH=1",
    "SIP/2.0/UDP h;received=1.1.1.1;received=2.2.2.2",
    "SIP/2.0/UDP h;rport;rport",
    "SIP/2.0/UDP h;rport=65536",
    "SIP/2.0/UDP h;rport=x",
    "SIP/2.0/UDP h;ttl=256",
    "SIP/2.0/UDP h;ttl",
    "SIP/2.0/UDP h;branch=a/b",
    "SIP/2.0/UDP 2001:db8::9:1;branch=1",
    "SIP/2.0/UDP [2001:db8::9:1;branch=1",
    "SIP/2.0/UDP h;x=\"open",
    "SIP/2.0/UDP h\r\nX: y",
    "SIP/2.0/UDP 1.2.3.4.5",
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct guard guard = guard_copy(slice_str(bad[i]));
        struct via v = {.port = 9};
        size_t fault = 9999;
        check_row(via_parse(guard.in, &v, &fault) == ERR_MALFORMED, bad[i]);
        check_row(fault <= guard.in.len && v.port == 9, bad[i]);
        guard_free(&guard);
    }
}

static void test_prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct slice text = slice_str(good[i].text);
        struct guard guard = guard_copy(text);
        for (size_t len = 0; len <= text.len; len++) {
            struct via v;
            size_t fault = 0;
            int n = via_parse(guard_prefix(&guard, text, len), &v, &fault);
            assert_true(n >= 0 ? (size_t)n <= len : fault <= len);
        }
        guard_free(&guard);
    }
}

static const struct {
    const char *text, *source, *want;
} received[] = {
    /* RFC 3581 §4 */
    {"SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff", "192.0.2.1:9988",
     "SIP/2.0/UDP 10.1.1.1:4540;branch=z9hG4bKkjshdyff;received=192.0.2.1;rport=9988"},
    {"SIP/2.0/UDP 192.0.2.1;branch=1", "192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1;branch=1"},
    {"SIP/2.0/UDP 192.0.2.1;rport", "192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1;received=192.0.2.1;rport=5060"},
    {"SIP/2.0/UDP 192.0.2.9;branch=1", "192.0.2.1:7", "SIP/2.0/UDP 192.0.2.9;branch=1;received=192.0.2.1"},
    {"SIP/2.0/UDP host.example.com", "192.0.2.1:7", "SIP/2.0/UDP host.example.com;received=192.0.2.1"},
    {"SIP/2.0/UDP [2001:db8::1]", "[2001:db8:0::1]:5", "SIP/2.0/UDP [2001:db8::1]"},
    {"SIP/2.0/UDP h;x", "[2001:db8::1]:5", "SIP/2.0/UDP h;x;received=2001:db8::1"},
    /* what the sender claims is replaced */
    {"SIP/2.0/UDP h;received=6.6.6.6;rport=6;x=\"y\"", "192.0.2.1:7",
     "SIP/2.0/UDP h;x=\"y\";received=192.0.2.1;rport=7"},
    {"SIP/2.0/UDP 192.0.2.1;received=6.6.6.6", "192.0.2.1:7", "SIP/2.0/UDP 192.0.2.1"},
    {"SIP/2.0/UDP 192.0.2.1\r\n ;received=6.6.6.6", "192.0.2.1:7", "SIP/2.0/UDP 192.0.2.1"},
    {"SIP/2.0/UDP 192.0.2.1;x\r\n ;received=6.6.6.6", "192.0.2.1:7", "SIP/2.0/UDP 192.0.2.1;x"},
};

static void test_received(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 500);
    for (size_t i = 0; i < COUNT(received); i++) {
        struct slice text = slice_str(received[i].text);
        struct address source;
        struct via v;
        size_t fault;
        buf_reset(&out);
        assert_int_equal(address_parse(slice_str(received[i].source), &source), ERR_NONE);
        assert_int_equal(via_parse(text, &v, &fault), (int)text.len);
        via_append_received(&out, &v, text, &source);
        check_slice(buf_slice(&out), received[i].want);
        assert_int_equal(via_parse(buf_slice(&out), &v, &fault), (int)out.len);
    }
    buf_deinit(&out);
}

static void test_magic(void **state)
{
    static const struct {
        const char *branch;
        bool magic;
    } rows[] = {{"z9hG4bKa", true}, {"Z9hg4Bka", true}, {"z9hG4bK", false}, {"z9hG4b", false}, {"x", false}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct via v = {.branch = slice_str(rows[i].branch)};
        check_row(via_has_magic_branch(&v) == rows[i].magic, rows[i].branch);
    }
    assert_false(via_has_magic_branch(&(struct via){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),     cmocka_unit_test(test_bad),   cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_received), cmocka_unit_test(test_magic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
