/* Where answers go. RFC 3261 §18.2.2, RFC 3581 §4, contract.md. */
#include "support/rig.h"
#include "txn/response_path.h"

struct path_case {
    const char *via;
    enum transport transport;
    const char *source;
    const char *want; /* NULL: nowhere */
};

static const struct path_case cases[] = {
    /* rport: back to the port it came from */
    {"SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bKx", TRANSPORT_UDP, "192.0.2.1:40000", "192.0.2.1:40000"},
    {"SIP/2.0/UDP 10.0.0.5:5062;rport;branch=z9hG4bKx", TRANSPORT_UDP, "192.0.2.1:40000", "192.0.2.1:40000"},
    {"SIP/2.0/UDP phone.example.com;rport;branch=z9hG4bKx", TRANSPORT_UDP, "192.0.2.1:40000", "192.0.2.1:40000"},
    /* no rport, sent-by is the source: its port means something */
    {"SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKx", TRANSPORT_UDP, "192.0.2.1:40000", "192.0.2.1:5062"},
    {"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx", TRANSPORT_UDP, "192.0.2.1:40000", "192.0.2.1:5060"},
    {"SIP/2.0/UDP [2001:db8::9]:5062;branch=z9hG4bKx", TRANSPORT_UDP, "[2001:db8::9]:40000", "[2001:db8::9]:5062"},
    {"SIP/2.0/UDP [2001:DB8:0::9];branch=z9hG4bKx", TRANSPORT_UDP, "[2001:db8::9]:40000", "[2001:db8::9]:5060"},
    /* no rport, sent-by differs: the source (contract.md) */
    {"SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bKx", TRANSPORT_UDP, "192.0.2.1:40000", "192.0.2.1:40000"},
    {"SIP/2.0/UDP phone.example.com:5062;branch=z9hG4bKx", TRANSPORT_UDP, "192.0.2.1:40000", "192.0.2.1:40000"},
    {"SIP/2.0/UDP [2001:db8::8]:5062;branch=z9hG4bKx", TRANSPORT_UDP, "[2001:db8::9]:40000", "[2001:db8::9]:40000"},
    /* maddr and a received of the sender's own are not obeyed */
    {"SIP/2.0/UDP 192.0.2.1:5062;maddr=224.2.0.1;branch=z9hG4bKx", TRANSPORT_UDP, "192.0.2.1:40000", "192.0.2.1:5062"},
    {"SIP/2.0/UDP 10.0.0.5;received=203.0.113.1;branch=z9hG4bKx", TRANSPORT_UDP, "192.0.2.1:40000", "192.0.2.1:40000"},
    {"SIP/2.0/UDP 10.0.0.5;rport=9;branch=z9hG4bKx", TRANSPORT_UDP, "192.0.2.1:40000", "192.0.2.1:40000"},
    /* unreadable Via: the source */
    {NULL, TRANSPORT_UDP, "192.0.2.1:40000", "192.0.2.1:40000"},
    /* forged sources */
    {"SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bKx", TRANSPORT_UDP, "224.0.1.75:5060", NULL},
    {"SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bKx", TRANSPORT_UDP, "255.255.255.255:5060", NULL},
    {"SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bKx", TRANSPORT_UDP, "0.0.0.0:5060", NULL},
    {"SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bKx", TRANSPORT_UDP, "[ff02::1]:5060", NULL},
    {"SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bKx", TRANSPORT_UDP, "192.0.2.1:0", NULL},
    /* streams: the connection, whatever the Via says */
    {"SIP/2.0/TCP 192.0.2.1:5062;branch=z9hG4bKx", TRANSPORT_TCP, "192.0.2.1:40000", "192.0.2.1:40000"},
    {"SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bKx", TRANSPORT_TLS, "192.0.2.1:40000", "192.0.2.1:40000"},
    {"SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKx", TRANSPORT_WS, "192.0.2.1:40000", "192.0.2.1:40000"},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct path_case *c = &cases[i];
        struct via via;
        size_t fault;
        if (c->via)
            assert_true(via_parse(slice_str(c->via), &via, &fault) > 0);
        struct flow source = rig_flow(c->transport, c->source), path;
        bool found = response_path_make(c->via ? &via : NULL, &source, &path);
        char text[ADDRESS_TEXT_MAX];
        if (found != (c->want != NULL) || (found && strcmp(address_text(&path.remote, text), c->want) != 0))
            fail_msg("%s from %s: %s", c->via, c->source, found ? address_text(&path.remote, text) : "nowhere");
        assert_int_equal(path.slot, source.slot);
        assert_true(address_eq(&path.local, &source.local));
    }
}

static void test_reopen(void **state)
{
    (void)state;
    static const struct {
        enum transport transport;
        const char *source, *via, *host; /* host NULL: no second way */
        uint16_t port;
    } table[] = {
        {TRANSPORT_TCP, "192.0.2.1:40000", "SIP/2.0/TCP 10.0.0.5:5070;branch=z9hG4bKx", "192.0.2.1", 5070},
        {TRANSPORT_TCP, "192.0.2.1:40000", "SIP/2.0/TCP 10.0.0.5;branch=z9hG4bKx", "192.0.2.1", 5060},
        {TRANSPORT_TCP, "[2001:db8::9]:40000", "SIP/2.0/TCP a.example;branch=z9hG4bKx", "[2001:db8::9]", 5060},
        {TRANSPORT_UDP, "192.0.2.1:40000", "SIP/2.0/UDP 10.0.0.5;branch=z9hG4bKx", NULL, 0},
        {TRANSPORT_TLS, "192.0.2.1:40000", "SIP/2.0/TLS 10.0.0.5;branch=z9hG4bKx", NULL, 0},
        {TRANSPORT_WS, "192.0.2.1:40000", "SIP/2.0/WS a.invalid;branch=z9hG4bKx", NULL, 0},
        {TRANSPORT_WSS, "192.0.2.1:40000", "SIP/2.0/WSS a.invalid;branch=z9hG4bKx", NULL, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct via via;
        size_t fault;
        assert_true(via_parse(slice_str(table[i].via), &via, &fault) > 0);
        struct flow path = rig_flow(table[i].transport, table[i].source);
        char text[ADDRESS_TEXT_MAX];
        struct hop hop;
        bool found = response_path_reopen(&via, &path, text, &hop);
        assert_int_equal(found, table[i].host != NULL);
        if (!found)
            continue;
        assert_false(hop.is_flow);
        assert_true(slice_eq(hop.target.host, slice_str(table[i].host)));
        assert_int_equal(hop.target.port, table[i].port);
        assert_true(hop.target.has_transport);
        assert_int_equal(hop.target.transport, TRANSPORT_TCP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_reopen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
