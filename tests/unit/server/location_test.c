/* Devices and bindings in memory and over a restart; what ends by time. contract.md "Devices", C12. */
#include "server/location.h"

#include <stdio.h>

#include "support/lab.h"

#define PHONE "192.0.2.10:5060"
#define HOUR  (3600ull * 1000)
#define DAY   (24 * HOUR)
#define I1    ";+sip.instance=\"<urn:uuid:1>\""
#define ALICE "sip:alice@example.com"

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

static void do_register(struct lab *lab, enum transport transport, const char *contacts)
{
    struct flow flow = lab_flow(lab, 0, transport, PHONE);
    assert_int_equal(lab_authenticated(lab, &flow, lab_register_text(&(struct lab_register){.contacts = contacts}),
                                       "alice", "secret"),
                     200);
}

static size_t count_bindings(const struct account *a)
{
    size_t count = 0;
    for (struct binding *b = NULL; (b = location_next_binding(a, b));)
        count++;
    return count;
}

static size_t count_devices(const struct account *a)
{
    size_t count = 0;
    for (size_t i = 1; i < STORE_DEVICES_MAX; i++)
        count += a->devices[i] != NULL;
    return count;
}

static void test_binding_ends_by_time(void **state)
{
    struct lab *lab = *state;
    struct account *a = lab_account(lab, ALICE);
    do_register(lab, TRANSPORT_UDP,
                "Contact: <sip:a@192.0.2.10>;expires=60\r\nContact: <sip:b@192.0.2.11>;expires=600\r\n");
    lab_advance(lab, 59999);
    assert_int_equal(count_bindings(a), 2);
    lab_advance(lab, 1);
    assert_int_equal(count_bindings(a), 1);
    assert_int_equal(count_devices(a), 1); /* without +sip.instance it ends with its binding */
    lab_restart(lab);
    a = lab_account(lab, ALICE);
    assert_int_equal(count_bindings(a), 1);
    assert_int_equal(count_devices(a), 1);
    lab_advance(lab, 540000);
    assert_int_equal(count_devices(a), 0);
}

/* While a REGISTER is being committed nothing of the account ends: it may be the refresh. */
static void test_refresh_in_the_last_moment(void **state)
{
    struct lab *lab = *state;
    struct account *a = lab_account(lab, ALICE);
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, LAB_TRUSTED);
    lab_receive(lab, &flow,
                lab_register_text(&(struct lab_register){.contacts = "Contact: <sip:a@192.0.2.99>;expires=60\r\n"}));
    lab_advance(lab, 59999);
    lab->holds_store = true;
    lab_receive(lab, &flow, lab_register_text(&(struct lab_register){.contacts = "Contact: <sip:a@192.0.2.99>\r\n"}));
    lab_advance(lab, 100);
    assert_int_equal(count_bindings(a), 1);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(lab_status(lab), 200);
    lab_advance(lab, HOUR - 101);
    assert_int_equal(count_bindings(a), 1);
    lab_advance(lab, 101);
    assert_int_equal(count_bindings(a), 0);
    lab_restart(lab);
    assert_int_equal(count_bindings(lab_account(lab, ALICE)), 0);
}

/* What could not be stored ends again after the next start. */
static void test_end_that_was_not_stored(void **state)
{
    struct lab *lab = *state;
    do_register(lab, TRANSPORT_UDP, "Contact: <sip:a@192.0.2.10>;expires=60\r\n");
    store_memory_fail_all(lab->store, 1, ERR_IO);
    lab_advance(lab, 60000);
    assert_int_equal(count_devices(lab_account(lab, ALICE)), 0);
    lab_restart(lab);
    lab_advance(lab, 1);
    assert_int_equal(count_devices(lab_account(lab, ALICE)), 0);
    lab_restart(lab);
    assert_int_equal(count_devices(lab_account(lab, ALICE)), 0);
}

static void test_device_is_forgotten_after_30_days(void **state)
{
    struct lab *lab = *state;
    struct account *a = lab_account(lab, ALICE);
    do_register(lab, TRANSPORT_UDP, "Contact: <sip:a@192.0.2.10>" I1 "\r\n");
    lab_advance(lab, 30 * DAY - 1000);
    assert_int_equal(count_bindings(a), 0);
    assert_int_equal(count_devices(a), 1);
    lab_advance(lab, 2000);
    assert_int_equal(count_devices(a), 0);
    lab_restart(lab);
    assert_int_equal(count_devices(lab_account(lab, ALICE)), 0);
}

/* C12: a jump of the wall clock deletes nothing. */
static void test_wall_clock_jumps(void **state)
{
    struct lab *lab = *state;
    struct account *a = lab_account(lab, ALICE);
    do_register(lab, TRANSPORT_UDP, "Contact: <sip:a@192.0.2.10>" I1 "\r\n");
    lab->wall_ms += 365 * (int64_t)DAY;
    lab_advance(lab, 1000);
    assert_int_equal(count_bindings(a), 1);
    lab_advance(lab, 2 * DAY); /* the binding ends by its own time */
    assert_int_equal(count_bindings(a), 0);
    assert_int_equal(count_devices(a), 1);
    /* A start with the wrong clock waits for an hour. */
    lab_restart(lab);
    lab_advance(lab, HOUR - 1000);
    assert_int_equal(count_devices(lab_account(lab, ALICE)), 1);
    lab->wall_ms -= 365 * (int64_t)DAY;
    lab_advance(lab, DAY);
    assert_int_equal(count_devices(lab_account(lab, ALICE)), 1);
}

static void test_restart(void **state)
{
    struct lab *lab = *state;
    uint64_t now = lab->mono_ms;
    do_register(lab, TRANSPORT_UDP,
                "Contact: <sip:a@10.0.0.1>;q=0.5;methods=\"MESSAGE\";expires=600" I1 "\r\nUser-Agent: Phone 1\r\n");
    do_register(lab, TRANSPORT_TCP, "Contact: <sip:b@10.0.0.1;transport=tcp>\r\n");
    lab_advance(lab, 60000);
    lab_restart(lab);
    struct account *a = lab_account(lab, ALICE);
    struct device *d = location_find_device(a, SLICE("<urn:uuid:1>"));
    assert_non_null(d);
    const struct binding *b = location_binding(d, lab->mono_ms);
    assert_non_null(b); /* UDP: reachable at once */
    assert_true(slice_eq(b->contact, SLICE("sip:a@10.0.0.1")));
    assert_true(slice_eq(b->user_agent, SLICE("Phone 1")));
    assert_int_equal(b->q, 500);
    assert_true(b->behind_nat);
    assert_int_equal(b->flow.listener, 0);
    assert_int_equal(b->flow.worker, a->home->worker);
    assert_int_equal(b->expires_mono_ms, now + 600000);
    assert_true(location_reads_method(b, SLICE("MESSAGE")));
    assert_false(location_reads_method(b, SLICE("INVITE")));
    /* A connection does not survive: a known device, away. */
    const struct binding *tcp = NULL;
    for (struct binding *at = NULL; (at = location_next_binding(a, at));)
        if (at->flow.transport == TRANSPORT_TCP)
            tcp = at;
    assert_non_null(tcp);
    assert_false(tcp->live);
    assert_null(location_binding(tcp->device, lab->mono_ms));
}

/* A listener that is gone after a restart reaches nobody. */
static void test_restart_with_another_listener(void **state)
{
    struct lab *lab = *state;
    do_register(lab, TRANSPORT_UDP, "Contact: <sip:a@192.0.2.10>\r\n");
    lab->listeners[0].address.port = 5099;
    lab_restart(lab);
    assert_false(location_next_binding(lab_account(lab, ALICE), NULL)->live);
    lab->listeners[0].address = (struct address){.family = 4, .port = 5060}; /* 0.0.0.0 */
    lab_restart(lab);
    assert_true(location_next_binding(lab_account(lab, ALICE), NULL)->live);
}

static void test_newest_live_binding(void **state)
{
    struct lab *lab = *state;
    struct account *a = lab_account(lab, ALICE);
    do_register(lab, TRANSPORT_UDP, "Contact: <sip:a@192.0.2.10>;expires=60" I1 "\r\n");
    lab_advance(lab, 10);
    do_register(lab, TRANSPORT_UDP, "Contact: <sip:b@192.0.2.10>;expires=600" I1 "\r\n");
    lab_advance(lab, 10);
    do_register(lab, TRANSPORT_UDP, "Contact: <sip:c@192.0.2.10>;expires=600" I1 "\r\n");
    struct device *d = location_find_device(a, SLICE("<urn:uuid:1>"));
    struct binding *c = location_find_binding(a, SLICE("sip:c@192.0.2.10"), SLICE("call-1"));
    struct binding *b = location_find_binding(a, SLICE("sip:b@192.0.2.10"), SLICE("call-1"));
    assert_ptr_equal(location_binding(d, lab->mono_ms), c);
    c->live = false;
    assert_ptr_equal(location_binding(d, lab->mono_ms), b);
    do_register(lab, TRANSPORT_UDP, "Contact: <sip:a@192.0.2.10>;expires=60" I1 "\r\n"); /* refreshed: the newest */
    struct binding *first = location_find_binding(a, SLICE("sip:a@192.0.2.10"), SLICE("call-1"));
    assert_ptr_equal(location_binding(d, lab->mono_ms), first);
    assert_ptr_equal(location_binding(d, first->expires_mono_ms), b);
    assert_null(location_binding(d, lab->mono_ms + DAY));
    assert_null(location_find_binding(a, SLICE("sip:a@192.0.2.10"), SLICE("call-2")));
    assert_null(location_find_device(a, SLICE("<urn:uuid:2>")));
}

static void test_counters(void **state)
{
    struct lab *lab = *state;
    struct server_counters c;
    struct account *a = lab_account(lab, ALICE);
    do_register(lab, TRANSPORT_UDP, "Contact: <sip:a@192.0.2.10>" I1 "\r\nContact: <sip:b@192.0.2.10>\r\n");
    server_counters(a->home, &c);
    assert_int_equal(c.bindings, 2);
    assert_int_equal(c.devices, 2);
    lab_advance(lab, DAY);
    server_counters(a->home, &c);
    assert_int_equal(c.bindings, 0);
    assert_int_equal(c.devices, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_binding_ends_by_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refresh_in_the_last_moment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_that_was_not_stored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_device_is_forgotten_after_30_days, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wall_clock_jumps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart_with_another_listener, setup, teardown),
        cmocka_unit_test_setup_teardown(test_newest_live_binding, setup, teardown),
        cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
