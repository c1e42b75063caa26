/* What is ours: contract.md, last wire rule. */
#include "server/us.h"

#include "support/lab.h"

struct row {
    const char *uri;
    bool is_ours;
    const char *domain, *aor;
};

static const struct row rows[] = {
    {"sip:alice@example.com", true, "example.com", "sip:alice@example.com"},
    {"sips:alice@EXAMPLE.com", true, "example.com", "sip:alice@example.com"},
    {"sip:alice@example.com.", true, "example.com", "sip:alice@example.com"},
    {"sip:alice@example.com:5060;transport=tcp", true, "example.com", "sip:alice@example.com"},
    {"sip:alice@example.com:5061", false, "example.com", "sip:alice@example.com"},
    {"sip:%61lice@old.example.com", true, "example.com", "sip:alice@example.com"},
    {"sip:Alice@example.org", true, "example.org", "sip:Alice@example.org"},
    {"sip:1001@192.0.2.1", true, "example.com", "sip:1001@example.com"},
    {"sip:1001@192.0.2.1:5060", true, "example.com", "sip:1001@example.com"},
    {"sip:1001@192.0.2.1:5070", false, "example.com", "sip:1001@example.com"},
    {"sip:1001@192.0.2.2", false, NULL, NULL},
    {"sip:1001@0.0.0.0", false, NULL, NULL},
    {"sip:1001@[2001:db8::1]", true, "example.com", "sip:1001@example.com"},
    {"sip:1001@[2001:db8:0:0::1]:5080", true, "example.com", "sip:1001@example.com"},
    {"sip:1001@[2001:db8::2]", false, NULL, NULL},
    {"sip:a@public.example", true, "example.com", "sip:a@example.com"},
    {"sip:a@example.com.example", false, NULL, NULL},
    {"sip:a@xexample.com", false, NULL, NULL},
    {"sip:a@sub.example.com", false, NULL, NULL},
    {"sip:example.com", true, "example.com", "sip:example.com"},
    {"tel:+4930123456", false, NULL, NULL},
    {"mailto:alice@example.com", false, NULL, NULL},
};

static struct address address_of(const char *text)
{
    struct address a;
    assert_int_equal(address_parse(slice_str(text), &a), ERR_NONE);
    return a;
}

static void test_rows(void **state)
{
    const struct slice domains[] = {SLICE("example.com"), SLICE("example.org")};
    const struct server_alias alias = {SLICE("old.example.com"), SLICE("example.com")};
    const struct server_listener listeners[] = {
        {.transport = TRANSPORT_UDP, .address = address_of("0.0.0.0:5060"), .public_name = SLICE("public.example")},
        {.transport = TRANSPORT_UDP, .address = address_of("192.0.2.1:5060")},
        {.transport = TRANSPORT_TCP, .address = address_of("[2001:db8::1]:5080")},
    };
    const struct server_config c = {
        .domains = domains,
        .domain_count = 2,
        .aliases = &alias,
        .alias_count = 1,
        .listeners = listeners,
        .listener_count = 3,
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct uri uri;
        size_t fault;
        struct slice domain = SLICE_NONE;
        struct buf aor;
        buf_init(&aor, 256);
        assert_int_equal(uri_parse(slice_str(rows[i].uri), &uri, &fault), ERR_NONE);
        bool is_ours = us_is_uri(&c, &uri, &domain);
        int result = us_aor(&c, &uri, &aor);
        bool has_aor = result == ERR_NONE && rows[i].aor && slice_eq(buf_slice(&aor), slice_str(rows[i].aor));
        if (is_ours != rows[i].is_ours || (is_ours && !slice_eq(domain, slice_str(rows[i].domain))) ||
            (rows[i].aor ? !has_aor : result == ERR_NONE))
            fail_msg("%s", rows[i].uri);
        buf_deinit(&aor);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
