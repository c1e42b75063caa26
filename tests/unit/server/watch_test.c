/* A packet from where a held device was wakes it: C6 of contract.md. */
#include "server/watch.h"

#include <stdio.h>
#include <string.h>

#include "server/drain.h"
#include "support/post.h"

static int setup(void **state)
{
    *state = lab_new(3);
    return 0;
}

static int teardown(void **state)
{
    lab_free(*state);
    return 0;
}

/* Registers the phone, and one message to its user finds it gone, with a backoff that has grown long. */
static struct device *hold_it(struct lab *lab, const struct post_phone *p)
{
    post_register(lab, p);
    char to[64];
    (void)snprintf(to, sizeof to, "sip:%s@example.com", p->user ? p->user : "bob");
    (void)post_send(lab, &(struct post_message){.to = to});
    for (size_t i = 0; i < lab->sent_count; i++)
        if (strncmp(lab->sent[i].text, "MESSAGE ", 8) == 0) {
            struct lab_sent request = lab->sent[i];
            post_answer(lab, &request, 480);
            break;
        }
    struct device *d = lab_account(lab, to)->devices[1];
    assert_true(d->held);
    d->backoff_ms = LIMIT_BACKOFF_MAX_MS / 2;
    timer_wheel_cancel(&lab->wheel, &d->wake);
    drain_hold(d);
    lab_run(lab);
    lab_clear(lab);
    return d;
}

/* True when the device is on its way within a second. */
static bool wakes(struct lab *lab, struct device *d)
{
    lab_advance(lab, 1000);
    return !d->held;
}

struct heard {
    const char *what;
    struct post_phone phone, noise;
    bool wakes;
};

static const struct heard cases[] = {
    {"the same address", {.worker = 1}, {.worker = 1}, true},
    {"another port", {.worker = 1}, {.address = "192.0.2.10:5061", .worker = 1}, false},
    {"another address", {.worker = 1}, {.address = PHONE_B, .worker = 1}, false},
    {"behind NAT", {.contact = "10.0.0.1:5060"}, {0}, true},
    {"the same connection", {.transport = TRANSPORT_TCP}, {.transport = TRANSPORT_TCP}, true},
    {"another connection", {.transport = TRANSPORT_TCP}, {.transport = TRANSPORT_TCP, .connection = 1}, false},
    {"a relay speaks for many", {.source = LAB_RELAY}, {.source = LAB_RELAY}, false},
    {"a Path",
     {.source = LAB_RELAY, .extra = "Path: <sip:192.0.2.98;lr>\r\nSupported: path\r\n"},
     {.source = LAB_RELAY},
     false},
};

static void test_what_wakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab *lab = lab_new(3);
        struct device *d = hold_it(lab, &cases[i].phone);
        assert_false(wakes(lab, d));
        post_noise(lab, &cases[i].noise);
        if (wakes(lab, d) != cases[i].wakes)
            fail_msg("%s", cases[i].what);
        lab_free(lab);
    }
}

static void test_one_packet_wakes_all_lines_of_a_phone(void **state)
{
    struct lab *lab = *state;
    struct device *bob = hold_it(lab, &(struct post_phone){.user = "bob"});
    struct device *carol = hold_it(lab, &(struct post_phone){.user = "carol"});
    timer_wheel_cancel(&lab->wheel, &bob->wake); /* registering the second line has woken the first */
    bob->held = false;
    bob->backoff_ms = LIMIT_BACKOFF_MAX_MS / 2;
    drain_hold(bob);
    lab_run(lab);
    post_noise(lab, &(struct post_phone){0});
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    assert_false(bob->held);
    assert_false(carol->held);
}

static void test_a_keepalive_wakes_too(void **state)
{
    struct lab *lab = *state;
    struct device *d = hold_it(lab, &(struct post_phone){.contact = "10.0.0.1:5060"});
    struct flow flow = CONTAINER_OF(d->bindings.head.next, struct binding, node)->flow;
    server_heard(lab->workers[flow.worker].server, &flow);
    lab_run(lab);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    assert_false(d->held);
}

static void test_a_device_that_left_is_not_woken(void **state)
{
    struct lab *lab = *state;
    struct device *d = hold_it(lab, &(struct post_phone){0});
    struct account *a = d->account;
    (void)d;
    lab_advance(lab, 7300 * 1000); /* its binding and with it the device are over */
    assert_null(a->devices[1]);
    post_noise(lab, &(struct post_phone){0});
}

/* Held again and again without being heard: one place in the table. */
static void test_no_growth(void **state)
{
    struct lab *lab = *state;
    struct device *d = hold_it(lab, &(struct post_phone){0});
    for (unsigned i = 0; i < 1000; i++) {
        timer_wheel_cancel(&lab->wheel, &d->wake);
        drain_hold(d);
        lab_run(lab);
    }
    post_noise(lab, &(struct post_phone){0});
    assert_true(wakes(lab, d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        cmocka_unit_test(test_what_wakes),
        TEST(test_one_packet_wakes_all_lines_of_a_phone),
        TEST(test_a_keepalive_wakes_too),
        TEST(test_a_device_that_left_is_not_woken),
        TEST(test_no_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
