/* Addresses, networks and flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/flow.h"

static struct address ip(const char *text)
{
    struct address a;
    assert_int_equal(address_parse_ip(slice_str(text), &a), ERR_NONE);
    return a;
}

static void reads_and_writes(void **state)
{
    static const struct {
        const char *in, *out; /* NULL: must be refused */
    } cases[] = {
        {"192.0.2.1:5060", "192.0.2.1:5060"},
        {"[2001:DB8::1]:0", "[2001:db8::1]:0"},
        {"[::ffff:192.0.2.1]:65535", "192.0.2.1:65535"},
        {"[::]:1", "[::]:1"},
        {"192.0.2.1", NULL},
        {"192.0.2.1:", NULL},
        {"192.0.2.1:65536", NULL},
        {"192.0.2.1:-1", NULL},
        {"192.0.2:5060", NULL},
        {"192.0.2.256:5060", NULL},
        {"2001:db8::1:5060", NULL},
        {"[2001:db8::1]", NULL},
        {"[192.0.2.1]:5060", NULL},
        {"[fe80::1%eth0]:5060", NULL},
        {":5060", NULL},
        {"", NULL},
        {"localhost:5060", NULL},
    };
    char text[ADDRESS_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address a;
        int err = address_parse(slice_str(cases[i].in), &a);
        assert_int_equal(err, cases[i].out ? ERR_NONE : ERR_MALFORMED);
        if (!err)
            assert_string_equal(address_text(&a, text), cases[i].out);
    }
    struct address a;
    assert_int_equal(address_parse_ip(SLICE("127.0.0.1\0x"), &a), ERR_MALFORMED);
    assert_int_equal(address_parse_ip(SLICE(".1"), &a), ERR_MALFORMED); /* defects.md row 34 */
    assert_int_equal(address_parse_ip(SLICE("010.0.0.1"), &a), ERR_MALFORMED);
    a = (struct address){0};
    assert_string_equal(address_text(&a, text), "?:0");
    a = (struct address){.family = 6, .port = 65535};
    for (int i = 0; i < 16; i++)
        a.ip[i] = 0xFF;
    assert_string_equal(address_text(&a, text), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void knows_kinds(void **state)
{
    struct address a;
    (void)state;
    assert_true(address_is_loopback(&(struct address){.family = 4, .ip = {127, 9, 9, 9}}));
    a = ip("::1");
    assert_true(address_is_loopback(&a));
    a = ip("::2");
    assert_false(address_is_loopback(&a));
    a = ip("::ffff:127.0.0.1");
    assert_true(address_is_loopback(&a));
    a = ip("224.0.0.1");
    assert_true(address_is_multicast_or_broadcast(&a));
    a = ip("255.255.255.255");
    assert_true(address_is_multicast_or_broadcast(&a));
    a = ip("ff02::1");
    assert_true(address_is_multicast_or_broadcast(&a));
    a = ip("223.255.255.255");
    assert_false(address_is_multicast_or_broadcast(&a));
    a = ip("0.0.0.0");
    assert_true(address_is_any(&a));
    a = ip("[::]");
    assert_true(address_is_any(&a));
    a = (struct address){0};
    assert_false(address_is_any(&a));
    struct address b = ip("192.0.2.1"), c = b;
    c.port = 1;
    assert_true(address_eq_ip(&b, &c));
    assert_false(address_eq(&b, &c));
    assert_false(address_eq_ip(&b, &a));
}

static void networks_contain(void **state)
{
    static const struct {
        const char *network, *address;
        bool inside;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.8/29", "192.0.2.15", true},
        {"192.0.2.8/29", "192.0.2.16", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"127.0.0.9", "127.0.0.9", true},
        {"127.0.0.9", "127.0.0.8", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::1/128", "::1", true},
        {"::/0", "::ffff:192.0.2.1", false},
    };
    static const char *const bad[] = {"192.0.2.1/24",   "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/x",
                                      "2001:db8::/129", "/24",          "",           "example.com/24",
                                      "192.0.2.0/-1"};
    struct network n;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address a = ip(cases[i].address);
        assert_int_equal(network_parse(slice_str(cases[i].network), &n), ERR_NONE);
        assert_int_equal(network_contains(&n, &a), cases[i].inside);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(network_parse(slice_str(bad[i]), &n), ERR_MALFORMED);
}

static void flows_compare(void **state)
{
    struct flow a = {.transport = TRANSPORT_UDP, .remote = ip("192.0.2.1")}, b = a;
    enum transport t;
    (void)state;
    a.local = ip("192.0.2.9"); /* one listener, two addresses of ours: the same way */
    assert_true(flow_eq(&a, &b));
    b.remote.port = 1;
    assert_false(flow_eq(&a, &b));
    b = a;
    b.listener = 1;
    assert_false(flow_eq(&a, &b));
    a.transport = b.transport = TRANSPORT_TCP;
    assert_true(flow_eq(&a, &b));
    b.generation = 1;
    assert_false(flow_eq(&a, &b));
    b = a;
    b.worker = 1;
    assert_false(flow_eq(&a, &b));
    for (unsigned i = 0; i < TRANSPORT_COUNT; i++) {
        assert_int_equal(transport_parse(transport_name((enum transport)i), &t), ERR_NONE);
        assert_int_equal(t, i);
    }
    assert_int_equal(transport_parse(SLICE("wss"), &t), ERR_NONE);
    assert_int_equal(t, TRANSPORT_WSS);
    assert_int_equal(transport_parse(SLICE("sctp"), &t), ERR_NOT_FOUND);
    assert_int_equal(transport_parse(SLICE(""), &t), ERR_NOT_FOUND);
    assert_false(slice_is_set(transport_name(TRANSPORT_COUNT)));
    assert_false(transport_is_reliable(TRANSPORT_UDP));
    assert_true(transport_is_reliable(TRANSPORT_WS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(knows_kinds),
        cmocka_unit_test(networks_contain),
        cmocka_unit_test(flows_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
