/* REGISTER against a whole server: RFC 3261 §10.3, RFC 3327, contract.md "Devices". */
#include "support/lab.h"

#include <stdio.h>
#include <string.h>

#include "server/registrar.h"

#define PHONE "192.0.2.10:5060"

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

static int send_from(struct lab *lab, const char *source, const struct lab_register *r)
{
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, source);
    lab_clear(lab);
    lab_receive(lab, &flow, lab_register_text(r));
    return lab_status(lab);
}

/* With digest, as a phone would. */
static int register_from(struct lab *lab, const char *source, const struct lab_register *r)
{
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, source);
    return lab_authenticated(lab, &flow, lab_register_text(r), r->user ? r->user : "alice", "secret");
}

static int do_register(struct lab *lab, const struct lab_register *r)
{
    return register_from(lab, PHONE, r);
}

static size_t count_bindings(struct lab *lab)
{
    struct account *a = lab_account(lab, "sip:alice@example.com");
    size_t count = 0;
    for (struct binding *b = NULL; (b = location_next_binding(a, b));)
        count++;
    return count;
}

static size_t count_devices(struct lab *lab)
{
    struct account *a = lab_account(lab, "sip:alice@example.com");
    size_t count = 0;
    for (size_t i = 1; i < STORE_DEVICES_MAX; i++)
        count += a->devices[i] != NULL;
    return count;
}

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
        if (status != c->status || count_bindings(lab) != c->bindings || !holds || !lacks)
            fail_msg("%s: %d, %zu bindings\n%s", c->what, status, count_bindings(lab), lab_last(lab)->text);
        lab_free(lab);
    }
}

/* Sequences of REGISTERs from the same account. */
struct step {
    const char *source, *call_id;
    unsigned cseq;
    const char *contacts, *extra;
    int status;
    size_t bindings, devices;
};
struct sequence {
    const char *what;
    struct step steps[6];
};

#define C1        "Contact: <sip:a@192.0.2.10>\r\n"
#define C2        "Contact: <sip:a@192.0.2.11>\r\n"
#define C1_END    "Contact: <sip:a@192.0.2.10>;expires=0\r\n"
#define I1        ";+sip.instance=\"<urn:uuid:1>\""
#define I2        ";+sip.instance=\"<urn:uuid:2>\""
#define ELSEWHERE "198.51.100.7:1024"

static const struct sequence sequences[] = {
    {"refresh", {{PHONE, "x", 1, C1, NULL, 200, 1, 1}, {PHONE, "x", 2, C1, NULL, 200, 1, 1}}},
    {"older CSeq", {{PHONE, "x", 5, C1, NULL, 200, 1, 1}, {PHONE, "x", 4, C1, NULL, 500, 1, 1}}},
    {"older CSeq removes nothing", {{PHONE, "x", 5, C1, NULL, 200, 1, 1}, {PHONE, "x", 4, C1_END, NULL, 500, 1, 1}}},
    {"one old of two changes none", {{PHONE, "x", 5, C1, NULL, 200, 1, 1}, {PHONE, "x", 4, C2 C1, NULL, 500, 1, 1}}},
    {"same CSeq is a repeat", {{PHONE, "x", 5, C1, NULL, 200, 1, 1}, {PHONE, "x", 5, C1_END, NULL, 200, 1, 1}}},
    {"removal", {{PHONE, "x", 1, C1, NULL, 200, 1, 1}, {PHONE, "x", 2, C1_END, NULL, 200, 0, 0}}},
    {"removal by Expires: 0", {{PHONE, "x", 1, C1, NULL, 200, 1, 1}, {PHONE, "x", 2, C1, "Expires: 0\r\n", 200, 0, 0}}},
    {"removal spelt differently",
     {{PHONE, "x", 1, C1, NULL, 200, 1, 1},
      {PHONE, "x", 2, "Contact: <SIP:%61@192.0.2.10>;expires=0\r\n", NULL, 200, 0, 0}}},
    {"refresh spelt differently",
     {{PHONE, "x", 1, C1, NULL, 200, 1, 1}, {PHONE, "x", 2, "Contact: <SIP:%61@192.0.2.10>\r\n", NULL, 200, 1, 1}}},
    {"user compares with case",
     {{PHONE, "x", 1, C1, NULL, 200, 1, 1}, {PHONE, "x", 2, "Contact: <sip:A@192.0.2.10>\r\n", NULL, 200, 2, 2}}},
    {"removal after a restart of the phone",
     {{PHONE, "x", 9, C1, NULL, 200, 1, 1}, {PHONE, "y", 1, C1_END, NULL, 200, 0, 0}}},
    {"another source cannot remove it",
     {{PHONE, "x", 9, C1, NULL, 200, 1, 1}, {ELSEWHERE, "y", 1, C1_END, NULL, 200, 1, 1}}},
    {"the phone restarts", {{PHONE, "x", 9, C1, NULL, 200, 1, 1}, {PHONE, "y", 1, C1, NULL, 200, 1, 1}}},
    {"same contact behind another NAT",
     {{PHONE, "x", 9, C1, NULL, 200, 1, 1}, {ELSEWHERE, "y", 1, C1, NULL, 200, 2, 2}}},
    {"the phone moves", {{PHONE, "x", 1, C1, NULL, 200, 1, 1}, {ELSEWHERE, "x", 2, C1, NULL, 200, 1, 1}}},
    {"star ends all",
     {{PHONE, "x", 1, C1 C2, NULL, 200, 2, 2}, {PHONE, "y", 1, "Contact: *\r\n", "Expires: 0\r\n", 200, 0, 0}}},
    {"star with an old CSeq",
     {{PHONE, "x", 5, C1 C2, NULL, 200, 2, 2}, {PHONE, "x", 5, "Contact: *\r\n", "Expires: 0\r\n", 500, 2, 2}}},
    {"instance outlives its binding",
     {{PHONE, "x", 1, "Contact: <sip:a@192.0.2.10>" I1 "\r\n", NULL, 200, 1, 1},
      {PHONE, "x", 2, "Contact: *\r\n", "Expires: 0\r\n", 200, 0, 1},
      {PHONE, "y", 1, "Contact: <sip:a@192.0.2.12>" I1 "\r\n", NULL, 200, 1, 1}}},
    {"instance with a second address",
     {{PHONE, "x", 1, "Contact: <sip:a@192.0.2.10>" I1 "\r\n", NULL, 200, 1, 1},
      {PHONE, "y", 1, "Contact: <sip:a@192.0.2.12>" I1 "\r\n", NULL, 200, 2, 1}}},
    {"instance with a new Call-ID",
     {{PHONE, "x", 7, "Contact: <sip:a@192.0.2.10>" I1 "\r\n", NULL, 200, 1, 1},
      {ELSEWHERE, "y", 1, "Contact: <sip:a@192.0.2.10>" I1 "\r\n", NULL, 200, 1, 1}}},
    {"two instances at one address",
     {{PHONE, "x", 7, "Contact: <sip:a@192.0.2.10>" I1 "\r\n", NULL, 200, 1, 1},
      {ELSEWHERE, "y", 1, "Contact: <sip:a@192.0.2.10>" I2 "\r\n", NULL, 200, 2, 2}}},
    {"reg-id replaces",
     {{PHONE, "x", 1, "Contact: <sip:a@q1.invalid>;reg-id=1" I1 "\r\n", NULL, 200, 1, 1},
      {PHONE, "y", 1, "Contact: <sip:a@q2.invalid>;reg-id=1" I1 "\r\n", NULL, 200, 1, 1}}},
    {"another reg-id does not",
     {{PHONE, "x", 1, "Contact: <sip:a@q1.invalid>;reg-id=1" I1 "\r\n", NULL, 200, 1, 1},
      {PHONE, "y", 1, "Contact: <sip:a@q2.invalid>;reg-id=2" I1 "\r\n", NULL, 200, 2, 1}}},
    {"removal without the instance",
     {{PHONE, "x", 1, "Contact: <sip:a@192.0.2.10>" I1 "\r\n", NULL, 200, 1, 1},
      {PHONE, "x", 2, C1_END, NULL, 200, 0, 1}}},
    {"two contacts of one new instance",
     {{PHONE, "x", 1, "Contact: <sip:a@192.0.2.10>" I1 ", <sip:a@192.0.2.11>" I1 "\r\n", NULL, 200, 2, 1}}},
    {"two contacts of none", {{PHONE, "x", 1, C1 C2, NULL, 200, 2, 2}}},
};

static void run_step(struct lab *lab, const struct sequence *q, const struct step *s)
{
    int status = register_from(
        lab, s->source,
        &(struct lab_register){.call_id = s->call_id, .cseq = s->cseq, .contacts = s->contacts, .extra = s->extra});
    if (status != s->status || count_bindings(lab) != s->bindings || count_devices(lab) != s->devices)
        fail_msg("%s, step %d: %d, %zu bindings, %zu devices\n%s", q->what, (int)(s - q->steps), status,
                 count_bindings(lab), count_devices(lab), lab_last(lab)->text);
}

static void test_sequences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++) {
        struct lab *lab = lab_new(2);
        const struct step *last = NULL;
        for (size_t k = 0; k < 6 && sequences[i].steps[k].source; k++) {
            last = &sequences[i].steps[k];
            run_step(lab, &sequences[i], last);
        }
        /* The store tells the same. */
        lab_restart(lab);
        if (count_bindings(lab) != last->bindings || count_devices(lab) != last->devices)
            fail_msg("%s, after a restart: %zu bindings, %zu devices", sequences[i].what, count_bindings(lab),
                     count_devices(lab));
        lab_free(lab);
    }
}

static void test_at_most_ten_bindings(void **state)
{
    struct lab *lab = *state;
    char contact[128], call_id[32];
    for (int i = 0; i < 10; i++) {
        (void)snprintf(contact, sizeof contact, "Contact: <sip:a@192.0.2.10:%d>\r\n", 6000 + i);
        (void)snprintf(call_id, sizeof call_id, "c%d", i);
        assert_int_equal(do_register(lab, &(struct lab_register){.contacts = contact, .call_id = call_id}), 200);
    }
    assert_int_equal(do_register(lab, &(struct lab_register){.contacts = C1, .call_id = "c10"}), 403);
    assert_int_equal(count_bindings(lab), 10);
    /* A refresh is no more; an end makes room. */
    assert_int_equal(
        do_register(lab, &(struct lab_register){.contacts = "Contact: <sip:a@192.0.2.10:6000>\r\n", .call_id = "c0"}),
        200);
    assert_int_equal(
        do_register(
            lab, &(struct lab_register){.contacts = "Contact: <sip:a@192.0.2.10:6000>;expires=0\r\n", .call_id = "c0"}),
        200);
    assert_int_equal(do_register(lab, &(struct lab_register){.contacts = C1, .call_id = "c10"}), 200);
}

/* A phone with +sip.instance that changes its address with each registration never locks itself out. */
static void test_own_oldest_gives_way(void **state)
{
    struct lab *lab = *state;
    char contact[128];
    for (int i = 0; i < 15; i++) {
        (void)snprintf(contact, sizeof contact, "Contact: <sip:a@192.0.2.10:%d>" I1 "\r\n", 6000 + i);
        assert_int_equal(do_register(lab, &(struct lab_register){.contacts = contact}), 200);
        lab_advance(lab, 1);
    }
    assert_int_equal(count_bindings(lab), 10);
    assert_int_equal(count_devices(lab), 1);
    assert_true(lab_last_has(lab, ":6014>"));
    assert_false(lab_last_has(lab, ":6004>"));
}

/* 31 devices are known; a further one takes the place of the one that has been away longest. */
static void test_longest_unseen_device_makes_room(void **state)
{
    struct lab *lab = *state;
    char contact[128];
    for (int i = 0; i < 32; i++) {
        (void)snprintf(contact, sizeof contact, "Contact: <sip:a@192.0.2.10>;+sip.instance=\"<urn:uuid:%d>\"\r\n", i);
        assert_int_equal(do_register(lab, &(struct lab_register){.contacts = contact}), 200);
        assert_int_equal(
            do_register(lab, &(struct lab_register){.contacts = "Contact: *\r\n", .extra = "Expires: 0\r\n"}), 200);
        lab_advance(lab, 10);
    }
    struct account *a = lab_account(lab, "sip:alice@example.com");
    assert_int_equal(count_devices(lab), 31);
    assert_null(location_find_device(a, SLICE("<urn:uuid:0>")));
    assert_non_null(location_find_device(a, SLICE("<urn:uuid:1>")));
    assert_non_null(location_find_device(a, SLICE("<urn:uuid:31>")));
}

static void test_identity(void **state)
{
    struct lab *lab = *state;
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, PHONE);
    const char *text = lab_register_text(&(struct lab_register){.user = "bob"});
    /* Registration hijack: another's account, another's From. */
    assert_int_equal(lab_authenticated(lab, &flow, text, "alice", "secret"), 403);
    text = lab_register_text(&(struct lab_register){.from = "sip:bob@example.com"});
    assert_int_equal(lab_authenticated(lab, &flow, text, "alice", "secret"), 403);
    text = lab_register_text(&(struct lab_register){.user = "nobody"});
    assert_int_equal(lab_authenticated(lab, &flow, text, "nobody", "secret"), 401);
    assert_int_equal(count_bindings(lab), 0);
    /* A trusted peer registers anybody whom we have. */
    assert_int_equal(send_from(lab, LAB_TRUSTED, &(struct lab_register){.from = "sip:pbx@192.0.2.99"}), 200);
    assert_int_equal(send_from(lab, LAB_TRUSTED, &(struct lab_register){.user = "nobody"}), 404);
}

static void test_path(void **state)
{
    struct lab *lab = *state;
    const char *path = "Path: <sip:edge1.example.com;lr>\r\nPath: <sip:edge2.example.com;lr>\r\n";
    const char *with_support = "Supported: path\r\nPath: <sip:edge1.example.com;lr>\r\n";
    struct account *a = lab_account(lab, "sip:alice@example.com");
    /* Believed from a relay (after digest); echoed to who reads it. */
    assert_int_equal(register_from(lab, LAB_RELAY, &(struct lab_register){.extra = path, .contacts = C1}), 200);
    assert_false(lab_last_has(lab, "Path:"));
    const struct binding *b = location_next_binding(a, NULL);
    assert_true(slice_eq(b->path, SLICE("<sip:edge1.example.com;lr>, <sip:edge2.example.com;lr>")));
    assert_int_equal(register_from(lab, LAB_RELAY, &(struct lab_register){.extra = with_support, .contacts = C1}), 200);
    assert_true(lab_last_has(lab, "Path: <sip:edge1.example.com;lr>\r\n"));
    assert_int_equal(
        register_from(lab, LAB_RELAY, &(struct lab_register){.extra = "Path: <tel:+1>\r\n", .contacts = C1}), 400);
    /* A stranger's is not kept. */
    assert_int_equal(do_register(lab, &(struct lab_register){.extra = with_support, .contacts = C2}), 200);
    b = location_find_binding(a, SLICE("sip:a@192.0.2.11"), SLICE("call-1"));
    assert_non_null(b);
    assert_false(slice_is_set(b->path));
}

/* Two phones with the same private Contact behind one relay are two. */
static void test_relay_does_not_merge(void **state)
{
    struct lab *lab = *state;
    const char *via = "Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bKx\r\n";
    assert_int_equal(register_from(lab, LAB_RELAY, &(struct lab_register){.vias = via, .call_id = "a", .contacts = C1}),
                     200);
    assert_int_equal(register_from(lab, LAB_RELAY, &(struct lab_register){.vias = via, .call_id = "b", .contacts = C1}),
                     200);
    assert_int_equal(count_bindings(lab), 2);
}

static void test_nat(void **state)
{
    struct lab *lab = *state;
    static const struct {
        const char *source, *contacts, *vias;
        bool behind_nat;
    } cases[] = {
        {PHONE, "Contact: <sip:a@192.0.2.10>\r\n", NULL, false},
        {PHONE, "Contact: <sip:a@192.0.2.10:5060>\r\n", NULL, false},
        {PHONE, "Contact: <sip:a@192.0.2.10:5062>\r\n", NULL, true},
        {PHONE, "Contact: <sip:a@10.0.0.1>\r\n", NULL, true},
        {PHONE, "Contact: <sip:a@127.0.0.1:9>\r\n", NULL, true},
        {PHONE, "Contact: <sip:a@x.invalid>\r\n", NULL, true},
        {PHONE, "Contact: <sip:a@phone.example.net>\r\n", NULL, false},
        {PHONE, "Contact: <sip:a@10.0.0.1>\r\n", "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\n", false},
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

/* What was learned holds over a refresh, and not over a restart of the phone. */
static void test_learned_until_anew(void **state)
{
    struct lab *lab = *state;
    struct account *a = lab_account(lab, "sip:alice@example.com");
    const char *contact = "Contact: <sip:a@192.0.2.10>" I1 "\r\n";
    assert_int_equal(do_register(lab, &(struct lab_register){.contacts = contact, .extra = "User-Agent: A\r\n"}), 200);
    struct device *d = location_find_device(a, SLICE("<urn:uuid:1>"));
    assert_non_null(d);
    d->reads_no_messages = true;
    assert_int_equal(do_register(lab, &(struct lab_register){.contacts = contact, .extra = "User-Agent: A\r\n"}), 200);
    assert_true(d->reads_no_messages);
    assert_int_equal(do_register(lab, &(struct lab_register){.contacts = contact, .extra = "User-Agent: B\r\n"}), 200);
    assert_false(d->reads_no_messages);
    d->reads_no_messages = true;
    assert_int_equal(
        do_register(lab, &(struct lab_register){.contacts = contact, .extra = "User-Agent: B\r\n", .call_id = "new"}),
        200);
    assert_false(d->reads_no_messages);
}

/* C1, C13: no 200 before it is on disk; 503 with Retry-After when it cannot be. */
static void test_store(void **state)
{
    struct lab *lab = *state;
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, LAB_TRUSTED);
    lab->holds_store = true;
    lab_clear(lab);
    lab_receive(lab, &flow, lab_register_text(&(struct lab_register){.call_id = "a", .contacts = C1}));
    lab_receive(lab, &flow, lab_register_text(&(struct lab_register){.call_id = "b", .contacts = C2}));
    assert_int_equal(lab->sent_count, 0);
    assert_int_equal(count_bindings(lab), 0);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(lab->sent_count, 2);
    assert_int_equal(lab_status(lab), 200);
    assert_int_equal(count_bindings(lab), 2);

    store_memory_fail_all(lab->store, 1, ERR_IO);
    lab_clear(lab);
    lab_receive(lab, &flow, lab_register_text(&(struct lab_register){.call_id = "a", .contacts = C1_END}));
    assert_int_equal(lab_status(lab), 503);
    assert_true(lab_last_has(lab, "Retry-After: 30"));
    assert_int_equal(count_bindings(lab), 2);
}

static void test_slow_store(void **state)
{
    struct lab *lab = *state;
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, LAB_TRUSTED);
    lab->holds_store = true;
    lab_clear(lab);
    lab_receive(lab, &flow, lab_register_text(&(struct lab_register){.call_id = "a", .contacts = C1}));
    lab_receive(lab, &flow, lab_register_text(&(struct lab_register){.call_id = "b", .contacts = C2}));
    lab_advance(lab, 4999);
    assert_int_equal(lab->sent_count, 0);
    lab_advance(lab, 1);
    assert_int_equal(lab->sent_count, 2);
    assert_int_equal(lab_status(lab), 503);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(lab->sent_count, 2); /* answered once each */
    assert_false(registrar_is_busy(lab_account(lab, "sip:alice@example.com")));
}

/* More than one may wait, not any number. */
static void test_queue_is_bounded(void **state)
{
    struct lab *lab = *state;
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, LAB_TRUSTED);
    lab->holds_store = true;
    lab_clear(lab);
    for (unsigned i = 0; i < REGISTRAR_WAITING_MAX + 2; i++)
        lab_receive(lab, &flow, lab_register_text(&(struct lab_register){.contacts = C1}));
    assert_int_equal(lab->sent_count, 1);
    assert_int_equal(lab_status(lab), 503);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(lab->sent_count, REGISTRAR_WAITING_MAX + 2);
    assert_int_equal(lab_status(lab), 200);
}

static void test_deleted_meanwhile(void **state)
{
    struct lab *lab = *state;
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, LAB_TRUSTED);
    struct account *a = lab_account(lab, "sip:alice@example.com");
    lab->holds_store = true;
    lab_clear(lab);
    lab_receive(lab, &flow, lab_register_text(&(struct lab_register){.call_id = "a", .contacts = C1}));
    lab_receive(lab, &flow, lab_register_text(&(struct lab_register){.call_id = "b", .contacts = C2}));
    registrar_stop(a, 404);
    lab_run(lab);
    assert_int_equal(lab->sent_count, 2);
    assert_int_equal(lab_status(lab), 404);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(lab->sent_count, 2);
}

/* From every worker to every home; the answer leaves where the request came. */
static void test_workers(void **state)
{
    struct lab *lab = lab_new(4);
    static const char *const users[] = {"alice", "bob", "carol"};
    (void)state;
    for (unsigned worker = 0; worker < 4; worker++) {
        for (size_t i = 0; i < 3; i++) {
            struct flow flow = lab_flow(lab, worker, TRANSPORT_UDP, PHONE);
            const char *text = lab_register_text(&(struct lab_register){.user = users[i], .contacts = C1});
            assert_int_equal(lab_authenticated(lab, &flow, text, users[i], "secret"), 200);
            assert_int_equal(lab_last(lab)->worker, worker);
        }
    }
    lab_free(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_singles),
        cmocka_unit_test(test_sequences),
        cmocka_unit_test_setup_teardown(test_at_most_ten_bindings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_oldest_gives_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_longest_unseen_device_makes_room, setup, teardown),
        cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_relay_does_not_merge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nat, setup, teardown),
        cmocka_unit_test_setup_teardown(test_capabilities, setup, teardown),
        cmocka_unit_test_setup_teardown(test_learned_until_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_store, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_store, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queue_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deleted_meanwhile, setup, teardown),
        cmocka_unit_test(test_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
