/* What a REGISTER changes, in sequences: RFC 3261 §10.3 step 7, contract.md "Devices". */
#include <stdio.h>
#include <string.h>

#include "server/register_change.h"
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
    {"refresh", {{LAB_PHONE, "x", 1, C1, NULL, 200, 1, 1}, {LAB_PHONE, "x", 2, C1, NULL, 200, 1, 1}}},
    {"older CSeq", {{LAB_PHONE, "x", 5, C1, NULL, 200, 1, 1}, {LAB_PHONE, "x", 4, C1, NULL, 500, 1, 1}}},
    {"older CSeq removes nothing",
     {{LAB_PHONE, "x", 5, C1, NULL, 200, 1, 1}, {LAB_PHONE, "x", 4, C1_END, NULL, 500, 1, 1}}},
    {"one old of two changes none",
     {{LAB_PHONE, "x", 5, C1, NULL, 200, 1, 1}, {LAB_PHONE, "x", 4, C2 C1, NULL, 500, 1, 1}}},
    {"same CSeq is a repeat", {{LAB_PHONE, "x", 5, C1, NULL, 200, 1, 1}, {LAB_PHONE, "x", 5, C1_END, NULL, 200, 1, 1}}},
    {"removal", {{LAB_PHONE, "x", 1, C1, NULL, 200, 1, 1}, {LAB_PHONE, "x", 2, C1_END, NULL, 200, 0, 0}}},
    {"removal by Expires: 0",
     {{LAB_PHONE, "x", 1, C1, NULL, 200, 1, 1}, {LAB_PHONE, "x", 2, C1, "Expires: 0\r\n", 200, 0, 0}}},
    {"removal spelt differently",
     {{LAB_PHONE, "x", 1, C1, NULL, 200, 1, 1},
      {LAB_PHONE, "x", 2, "Contact: <SIP:%61@192.0.2.10>;expires=0\r\n", NULL, 200, 0, 0}}},
    {"refresh spelt differently",
     {{LAB_PHONE, "x", 1, C1, NULL, 200, 1, 1},
      {LAB_PHONE, "x", 2, "Contact: <SIP:%61@192.0.2.10>\r\n", NULL, 200, 1, 1}}},
    {"user compares with case",
     {{LAB_PHONE, "x", 1, C1, NULL, 200, 1, 1},
      {LAB_PHONE, "x", 2, "Contact: <sip:A@192.0.2.10>\r\n", NULL, 200, 2, 2}}},
    {"removal after a restart of the phone",
     {{LAB_PHONE, "x", 9, C1, NULL, 200, 1, 1}, {LAB_PHONE, "y", 1, C1_END, NULL, 200, 0, 0}}},
    {"another source cannot remove it",
     {{LAB_PHONE, "x", 9, C1, NULL, 200, 1, 1}, {ELSEWHERE, "y", 1, C1_END, NULL, 200, 1, 1}}},
    {"the phone restarts", {{LAB_PHONE, "x", 9, C1, NULL, 200, 1, 1}, {LAB_PHONE, "y", 1, C1, NULL, 200, 1, 1}}},
    {"same contact behind another NAT",
     {{LAB_PHONE, "x", 9, C1, NULL, 200, 1, 1}, {ELSEWHERE, "y", 1, C1, NULL, 200, 2, 2}}},
    {"the phone moves", {{LAB_PHONE, "x", 1, C1, NULL, 200, 1, 1}, {ELSEWHERE, "x", 2, C1, NULL, 200, 1, 1}}},
    {"star ends all",
     {{LAB_PHONE, "x", 1, C1 C2, NULL, 200, 2, 2}, {LAB_PHONE, "y", 1, "Contact: *\r\n", "Expires: 0\r\n", 200, 0, 0}}},
    {"star with an old CSeq",
     {{LAB_PHONE, "x", 5, C1 C2, NULL, 200, 2, 2}, {LAB_PHONE, "x", 5, "Contact: *\r\n", "Expires: 0\r\n", 500, 2, 2}}},
    {"instance outlives its binding",
     {{LAB_PHONE, "x", 1, "Contact: <sip:a@192.0.2.10>" I1 "\r\n", NULL, 200, 1, 1},
      {LAB_PHONE, "x", 2, "Contact: *\r\n", "Expires: 0\r\n", 200, 0, 1},
      {LAB_PHONE, "y", 1, "Contact: <sip:a@192.0.2.12>" I1 "\r\n", NULL, 200, 1, 1}}},
    {"instance with a second address",
     {{LAB_PHONE, "x", 1, "Contact: <sip:a@192.0.2.10>" I1 "\r\n", NULL, 200, 1, 1},
      {LAB_PHONE, "y", 1, "Contact: <sip:a@192.0.2.12>" I1 "\r\n", NULL, 200, 2, 1}}},
    {"instance with a new Call-ID",
     {{LAB_PHONE, "x", 7, "Contact: <sip:a@192.0.2.10>" I1 "\r\n", NULL, 200, 1, 1},
      {ELSEWHERE, "y", 1, "Contact: <sip:a@192.0.2.10>" I1 "\r\n", NULL, 200, 1, 1}}},
    {"two instances at one address",
     {{LAB_PHONE, "x", 7, "Contact: <sip:a@192.0.2.10>" I1 "\r\n", NULL, 200, 1, 1},
      {ELSEWHERE, "y", 1, "Contact: <sip:a@192.0.2.10>" I2 "\r\n", NULL, 200, 2, 2}}},
    {"reg-id replaces",
     {{LAB_PHONE, "x", 1, "Contact: <sip:a@q1.invalid>;reg-id=1" I1 "\r\n", NULL, 200, 1, 1},
      {LAB_PHONE, "y", 1, "Contact: <sip:a@q2.invalid>;reg-id=1" I1 "\r\n", NULL, 200, 1, 1}}},
    {"another reg-id does not",
     {{LAB_PHONE, "x", 1, "Contact: <sip:a@q1.invalid>;reg-id=1" I1 "\r\n", NULL, 200, 1, 1},
      {LAB_PHONE, "y", 1, "Contact: <sip:a@q2.invalid>;reg-id=2" I1 "\r\n", NULL, 200, 2, 1}}},
    {"removal without the instance",
     {{LAB_PHONE, "x", 1, "Contact: <sip:a@192.0.2.10>" I1 "\r\n", NULL, 200, 1, 1},
      {LAB_PHONE, "x", 2, C1_END, NULL, 200, 0, 1}}},
    {"two contacts of one new instance",
     {{LAB_PHONE, "x", 1, "Contact: <sip:a@192.0.2.10>" I1 ", <sip:a@192.0.2.11>" I1 "\r\n", NULL, 200, 2, 1}}},
    {"two contacts of none", {{LAB_PHONE, "x", 1, C1 C2, NULL, 200, 2, 2}}},
};

static void run_step(struct lab *lab, const struct sequence *q, const struct step *s)
{
    int status = lab_register_from(
        lab, s->source,
        &(struct lab_register){.call_id = s->call_id, .cseq = s->cseq, .contacts = s->contacts, .extra = s->extra});
    if (status != s->status || lab_count_bindings(lab, LAB_ALICE) != s->bindings ||
        lab_count_devices(lab, LAB_ALICE) != s->devices)
        fail_msg("%s, step %d: %d, %zu bindings, %zu devices\n%s", q->what, (int)(s - q->steps), status,
                 lab_count_bindings(lab, LAB_ALICE), lab_count_devices(lab, LAB_ALICE), lab_last(lab)->text);
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
        if (lab_count_bindings(lab, LAB_ALICE) != last->bindings || lab_count_devices(lab, LAB_ALICE) != last->devices)
            fail_msg("%s, after a restart: %zu bindings, %zu devices", sequences[i].what,
                     lab_count_bindings(lab, LAB_ALICE), lab_count_devices(lab, LAB_ALICE));
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
    assert_int_equal(lab_count_bindings(lab, LAB_ALICE), 10);
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
    assert_int_equal(lab_count_bindings(lab, LAB_ALICE), 10);
    assert_int_equal(lab_count_devices(lab, LAB_ALICE), 1);
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
    assert_int_equal(lab_count_devices(lab, LAB_ALICE), 31);
    assert_null(location_find_device(a, SLICE("<urn:uuid:0>")));
    assert_non_null(location_find_device(a, SLICE("<urn:uuid:1>")));
    assert_non_null(location_find_device(a, SLICE("<urn:uuid:31>")));
}

/* Two phones with the same private Contact behind one relay are two. */
static void test_relay_does_not_merge(void **state)
{
    struct lab *lab = *state;
    const char *via = "Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bKx\r\n";
    assert_int_equal(
        lab_register_from(lab, LAB_RELAY, &(struct lab_register){.vias = via, .call_id = "a", .contacts = C1}), 200);
    assert_int_equal(
        lab_register_from(lab, LAB_RELAY, &(struct lab_register){.vias = via, .call_id = "b", .contacts = C1}), 200);
    assert_int_equal(lab_count_bindings(lab, LAB_ALICE), 2);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
        cmocka_unit_test_setup_teardown(test_at_most_ten_bindings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_oldest_gives_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_longest_unseen_device_makes_room, setup, teardown),
        cmocka_unit_test_setup_teardown(test_relay_does_not_merge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_learned_until_anew, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
