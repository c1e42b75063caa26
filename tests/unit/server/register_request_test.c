/* What a REGISTER may ask: RFC 3261 §10.3 steps 6-7, RFC 3327, contract.md's rules on NAT and methods. */
#include <stdio.h>
#include <string.h>

#include "server/register_request.h"
#include "support/lab.h"

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

static int do_register(struct lab *lab, const struct lab_register *r)
{
    return lab_register_from(lab, NULL, r);
}

#define C1     "Contact: <sip:a@192.0.2.10>\r\n"
#define C2     "Contact: <sip:a@192.0.2.11>\r\n"
#define C1_END "Contact: <sip:a@192.0.2.10>;expires=0\r\n"

/* One REGISTER alone: what it is answered with, how many bindings are left, and what the answer must hold. */
struct single {
    const char *what;
    const char *contacts, *extra;
    int status;
    size_t bindings;
    const char *holds, *lacks;
};

static const struct single singles[] = {
    {"one contact", "Contact: <sip:a@192.0.2.10>\r\n", NULL, 200, 1, "Contact: <sip:a@192.0.2.10>;expires=3600", NULL},
    {"header expires", "Contact: <sip:a@192.0.2.10>\r\n", "Expires: 120\r\n", 200, 1, ";expires=120", NULL},
    {"parameter wins", "Contact: <sip:a@192.0.2.10>;expires=60\r\n", "Expires: 120\r\n", 200, 1, ";expires=60", NULL},
    {"bad expires is the default", "Contact: <sip:a@192.0.2.10>;expires=soon\r\n", NULL, 200, 1, ";expires=3600", NULL},
    {"huge expires is cut", "Contact: <sip:a@192.0.2.10>;expires=4294967296\r\n", NULL, 200, 1, ";expires=7200", NULL},
    {"too long is cut", "Contact: <sip:a@192.0.2.10>;expires=7201\r\n", NULL, 200, 1, ";expires=7200", NULL},
    {"exactly the least", "Contact: <sip:a@192.0.2.10>;expires=10\r\n", NULL, 200, 1, ";expires=10", NULL},
    {"too brief", "Contact: <sip:a@192.0.2.10>;expires=9\r\n", NULL, 423, 0, "Min-Expires: 10", NULL},
    {"r-expires-1", "Contact: <sip:a@192.0.2.10>;expires=1\r\n", NULL, 423, 0, "Min-Expires: 10", NULL},
    {"removal of nothing", "Contact: <sip:a@192.0.2.10>;expires=0\r\n", NULL, 200, 0, NULL, "Contact:"},
    {"query", "", NULL, 200, 0, "Date: ", "Contact:"},
    {"several", "Contact: <sip:a@192.0.2.10>, <sip:a@192.0.2.10:5070;transport=tcp>\r\nContact: sip:b@192.0.2.10\r\n",
     NULL, 200, 3, "<sip:b@192.0.2.10>", NULL},
    {"one twice counts once", "Contact: <sip:a@192.0.2.10>;q=0.1, <sip:a@192.0.2.10>;q=0.2\r\n", NULL, 200, 1, ";q=0.2",
     ";q=0.1"},
    {"star with nothing", "Contact: *\r\n", "Expires: 0\r\n", 200, 0, NULL, "Contact:"},
    {"star without expires", "Contact: *\r\n", NULL, 400, 0, NULL, NULL},
    {"star with expires 1", "Contact: *\r\n", "Expires: 1\r\n", 400, 0, NULL, NULL},
    {"r-star-plus", "Contact: *, <sip:a@192.0.2.10>\r\n", "Expires: 0\r\n", 400, 0, NULL, NULL},
    {"star behind another", "Contact: <sip:a@192.0.2.10>\r\nContact: *\r\n", "Expires: 0\r\n", 400, 0, NULL, NULL},
    {"mail", "Contact: <mailto:alice@example.com>\r\n", NULL, 400, 0, NULL, NULL},
    {"tel", "Contact: <tel:+4930123456>\r\n", NULL, 400, 0, NULL, NULL},
    {"one bad of two binds none", "Contact: <sip:a@192.0.2.10>, <mailto:a@example.com>\r\n", NULL, 400, 0, NULL, NULL},
    {"r-contact-broadcast", "Contact: <sip:a@255.255.255.255>, <sip:a@224.0.0.1>\r\n", NULL, 403, 0, NULL, NULL},
    {"any address", "Contact: <sip:a@0.0.0.0>\r\n", NULL, 403, 0, NULL, NULL},
    {"r-contact-self", "Contact: <sip:bob@example.com>, <sip:carol@example.com>\r\n", NULL, 403, 0, NULL, NULL},
    {"alias of ours", "Contact: <sip:bob@old.example.com:5060>\r\n", NULL, 403, 0, NULL, NULL},
    {"our name, other port", "Contact: <sip:bob@example.com:5099>\r\n", NULL, 200, 1, NULL, NULL},
    {"a foreign name", "Contact: <sip:a@phone.example.net>\r\n", NULL, 200, 1, NULL, NULL},
    {"r-contact-loopback is behind NAT", "Contact: <sip:a@127.0.0.1:6379;transport=tcp>\r\n", NULL, 200, 1, NULL, NULL},
    {"r-contact-header-uri", "Contact: <sip:a@192.0.2.10?Route=%3Csip:evil.example.net%3E>\r\n", NULL, 200, 1,
     "?Route=%3Csip:evil", "\r\nRoute:"},
    {"regbadct", "Contact: sip:a@192.0.2.10?Route=%3Csip:evil.example.net%3E\r\n", NULL, 400, 0, NULL, NULL},
    {"r-contact-crlf", "Contact: <sip:a%0d%0a@192.0.2.10;x=\"\x0b\">\r\n", NULL, 400, 0, NULL, NULL},
    {"cparam01: the parameter is the header's", "Contact: sip:a@192.0.2.10;unknownparam\r\n", NULL, 200, 1,
     "<sip:a@192.0.2.10>;unknownparam;expires", NULL},
    {"cparam02: the parameter is the URI's", "Contact: <sip:a@192.0.2.10;unknownparam>\r\n", NULL, 200, 1,
     "<sip:a@192.0.2.10;unknownparam>;expires", NULL},
    {"escnull: two contacts", "Contact: <sip:%00@192.0.2.10>\r\nContact: <sip:%00%00@192.0.2.10>\r\n", NULL, 200, 2,
     NULL, NULL},
    {"folded parameters", "Contact: <sip:a@192.0.2.10>;q=0.5\r\n ;methods=\"MESSAGE\"\r\n", NULL, 200, 1,
     "methods=\"MESSAGE\"", NULL},
    {"r-path-untrusted is ignored", "Contact: <sip:a@192.0.2.10>\r\n",
     "Path: <sip:evil.example.net;lr>\r\nSupported: path\r\n", 200, 1, NULL, "Path:"},
    {"empty instance is none", "Contact: <sip:a@192.0.2.10>;+sip.instance=\"\"\r\n", NULL, 200, 1, NULL, NULL},
};

static void test_singles(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++) {
        const struct single *c = &singles[i];
        struct lab *lab = lab_new((unsigned)(1 + i % 3));
        int status = do_register(lab, &(struct lab_register){.contacts = c->contacts, .extra = c->extra});
        bool holds = !c->holds || lab_last_has(lab, c->holds);
        bool lacks = !c->lacks || !lab_last_has(lab, c->lacks);
        if (status != c->status || lab_count_bindings(lab, LAB_ALICE) != c->bindings || !holds || !lacks)
            fail_msg("%s: %d, %zu bindings\n%s", c->what, status, lab_count_bindings(lab, LAB_ALICE),
                     lab_last(lab)->text);
        lab_free(lab);
    }
}

static void test_path(void **state)
{
    struct lab *lab = *state;
    const char *path = "Path: <sip:edge1.example.com;lr>\r\nPath: <sip:edge2.example.com;lr>\r\n";
    const char *with_support = "Supported: path\r\nPath: <sip:edge1.example.com;lr>\r\n";
    struct account *a = lab_account(lab, "sip:alice@example.com");
    /* Believed from a relay (after digest); echoed to who reads it. */
    assert_int_equal(lab_register_from(lab, LAB_RELAY, &(struct lab_register){.extra = path, .contacts = C1}), 200);
    assert_false(lab_last_has(lab, "Path:"));
    const struct binding *b = location_next_binding(a, NULL);
    assert_true(slice_eq(b->path, SLICE("<sip:edge1.example.com;lr>, <sip:edge2.example.com;lr>")));
    assert_int_equal(lab_register_from(lab, LAB_RELAY, &(struct lab_register){.extra = with_support, .contacts = C1}),
                     200);
    assert_true(lab_last_has(lab, "Path: <sip:edge1.example.com;lr>\r\n"));
    assert_int_equal(
        lab_register_from(lab, LAB_RELAY, &(struct lab_register){.extra = "Path: <tel:+1>\r\n", .contacts = C1}), 400);
    /* A stranger's is not kept. */
    assert_int_equal(do_register(lab, &(struct lab_register){.extra = with_support, .contacts = C2}), 200);
    b = location_find_binding(a, SLICE("sip:a@192.0.2.11"), SLICE("call-1"));
    assert_non_null(b);
    assert_false(slice_is_set(b->path));
}

static void test_nat(void **state)
{
    struct lab *lab = *state;
    static const struct {
        const char *source, *contacts, *vias;
        bool behind_nat;
    } cases[] = {
        {LAB_PHONE, "Contact: <sip:a@192.0.2.10>\r\n", NULL, false},
        {LAB_PHONE, "Contact: <sip:a@192.0.2.10:5060>\r\n", NULL, false},
        {LAB_PHONE, "Contact: <sip:a@192.0.2.10:5062>\r\n", NULL, true},
        {LAB_PHONE, "Contact: <sip:a@10.0.0.1>\r\n", NULL, true},
        {LAB_PHONE, "Contact: <sip:a@127.0.0.1:9>\r\n", NULL, true},
        {LAB_PHONE, "Contact: <sip:a@x.invalid>\r\n", NULL, true},
        {LAB_PHONE, "Contact: <sip:a@phone.example.net>\r\n", NULL, false},
        {LAB_PHONE, "Contact: <sip:a@10.0.0.1>\r\n", "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            do_register(lab, &(struct lab_register){.contacts = "Contact: *\r\n", .extra = "Expires: 0\r\n"}), 200);
        assert_int_equal(do_register(lab, &(struct lab_register){.contacts = cases[i].contacts, .vias = cases[i].vias}),
                         200);
        const struct binding *b = location_next_binding(lab_account(lab, "sip:alice@example.com"), NULL);
        if (b->behind_nat != cases[i].behind_nat)
            fail_msg("%s", cases[i].contacts);
    }
    /* Through another proxy the Contact itself is the target: it must not be our own loopback. */
    assert_int_equal(do_register(lab, &(struct lab_register){.contacts = "Contact: <sip:a@127.0.0.1:6379>\r\n",
                                                             .vias = "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\n"}),
                     403);
    assert_int_equal(do_register(lab, &(struct lab_register){.contacts = "Contact: <sip:a@192.0.2.1>\r\n",
                                                             .vias = "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\n"}),
                     403);
}

static void test_capabilities(void **state)
{
    struct lab *lab = *state;
    struct account *a = lab_account(lab, "sip:alice@example.com");
    static const struct {
        const char *contacts, *extra;
        bool reads;
    } cases[] = {
        {C1, NULL, true},
        {C1, "Allow: INVITE, MESSAGE\r\n", true},
        {C1, "Allow: INVITE\r\nAllow: ACK ,MESSAGE\r\n", true},
        {C1, "Allow: INVITE, ACK\r\n", false},
        {C1, "Allow: message\r\n", false},
        {"Contact: <sip:a@192.0.2.10>;methods=\"INVITE,MESSAGE\"\r\n", "Allow: INVITE\r\n", true},
        {"Contact: <sip:a@192.0.2.10>;methods=\"INVITE\"\r\n", "Allow: MESSAGE\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            do_register(lab, &(struct lab_register){.contacts = cases[i].contacts, .extra = cases[i].extra}), 200);
        if (location_reads_method(location_next_binding(a, NULL), SLICE("MESSAGE")) != cases[i].reads)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_singles),
        cmocka_unit_test_setup_teardown(test_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nat, setup, teardown),
        cmocka_unit_test_setup_teardown(test_capabilities, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
