/* A REGISTER's way between workers and the store: C1, C13, who may register whom. */
#include <stdio.h>
#include <string.h>

#include "server/registrar.h"
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

#define C1     "Contact: <sip:a@192.0.2.10>\r\n"
#define C2     "Contact: <sip:a@192.0.2.11>\r\n"
#define C1_END "Contact: <sip:a@192.0.2.10>;expires=0\r\n"

static int send_from(struct lab *lab, const char *source, const struct lab_register *r)
{
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, source);
    lab_clear(lab);
    lab_receive(lab, &flow, lab_register_text(r));
    return lab_status(lab);
}

static void test_identity(void **state)
{
    struct lab *lab = *state;
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, LAB_PHONE);
    const char *text = lab_register_text(&(struct lab_register){.user = "bob"});
    /* Registration hijack: another's account, another's From. */
    assert_int_equal(lab_authenticated(lab, &flow, text, "alice", "secret"), 403);
    text = lab_register_text(&(struct lab_register){.from = "sip:bob@example.com"});
    assert_int_equal(lab_authenticated(lab, &flow, text, "alice", "secret"), 403);
    text = lab_register_text(&(struct lab_register){.user = "nobody"});
    assert_int_equal(lab_authenticated(lab, &flow, text, "nobody", "secret"), 401);
    assert_int_equal(lab_count_bindings(lab, LAB_ALICE), 0);
    /* A trusted peer registers anybody whom we have. */
    assert_int_equal(send_from(lab, LAB_TRUSTED, &(struct lab_register){.from = "sip:pbx@192.0.2.99"}), 200);
    assert_int_equal(send_from(lab, LAB_TRUSTED, &(struct lab_register){.user = "nobody"}), 404);
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
    assert_int_equal(lab_count_bindings(lab, LAB_ALICE), 0);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(lab->sent_count, 2);
    assert_int_equal(lab_status(lab), 200);
    assert_int_equal(lab_count_bindings(lab, LAB_ALICE), 2);

    store_memory_fail_all(lab->store, 1, ERR_IO);
    lab_clear(lab);
    lab_receive(lab, &flow, lab_register_text(&(struct lab_register){.call_id = "a", .contacts = C1_END}));
    assert_int_equal(lab_status(lab), 503);
    assert_true(lab_last_has(lab, "Retry-After: 30"));
    assert_int_equal(lab_count_bindings(lab, LAB_ALICE), 2);
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
            struct flow flow = lab_flow(lab, worker, TRANSPORT_UDP, LAB_PHONE);
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
        cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_store, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_store, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queue_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deleted_meanwhile, setup, teardown),
        cmocka_unit_test(test_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
