/* What becomes of a MESSAGE for an account: the answer table, C1, C2 and C15 of contract.md, and the ways between
 * workers, against a whole server. */
#include "server/delivery.h"

#include <stdio.h>
#include <string.h>

#include "server/mailbox.h"
#include "support/post.h"

static const struct post_phone phone_a = {.address = PHONE_A, .instance = "a"};
static const struct post_phone phone_b = {.address = PHONE_B, .instance = "b", .worker = 1};
static const struct post_phone phone_c = {.address = PHONE_C, .instance = "c"};
static const struct post_phone *const phones[] = {&phone_a, &phone_b, &phone_c};
static const char *const addresses[] = {PHONE_A, PHONE_B, PHONE_C};

static const struct post_message to_bob = {0};

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

/* --- the answer table --- */

enum { NONE = 0, SILENT = -1, AWAY = -2 };

struct row {
    const char *what;
    int devices[3]; /* the status it answers with */
    int answer;
    uint32_t owed; /* devices that are owed it in the end; bit 0 the heir's */
};

static const struct row rows[] = {
    {"no device known", {NONE}, 202, 1},
    {"taken", {200}, 200, 0},
    {"taken with 202", {202}, 200, 0},
    {"all take it", {200, 200, 200}, 200, 0},
    {"one takes it, one is away", {200, AWAY}, 200, 1 << 2},
    {"one takes it, one is silent", {200, SILENT}, 200, 1 << 2},
    {"one takes it, one refuses", {200, 488}, 200, 0},
    {"one takes it, one declines for all", {200, 603}, 200, 0},
    {"the only one is away", {AWAY}, 202, 1 | 1 << 1},
    {"the only one is silent", {SILENT}, 202, 1 | 1 << 1},
    {"6xx beats away", {603, AWAY}, 603, 0},
    {"6xx beats silence", {SILENT, 600}, 600, 0},
    {"6xx beats another refusal", {488, 606}, 606, 0},
    {"refused and away", {488, AWAY}, 202, 1 | 1 << 2},
    {"refused", {488}, 488, 0},
    {"refused by all: the lowest class", {501, 488}, 488, 0},
    {"refused by all: what tells how to repeat it", {488, 415}, 415, 0},
    {"redirected", {302}, 302, 0},
    {"501 refuses", {501}, 501, 0},
    {"505 refuses", {505}, 505, 0},
    {"513 refuses", {513}, 513, 0},
    {"403 refuses", {403}, 403, 0},
    {"404 is gone", {404}, 202, 1 | 1 << 1},
    {"408 is gone", {408}, 202, 1 | 1 << 1},
    {"410 is gone", {410}, 202, 1 | 1 << 1},
    {"430 is gone", {430}, 202, 1 | 1 << 1},
    {"480 is gone", {480}, 202, 1 | 1 << 1},
    {"481 is gone", {481}, 202, 1 | 1 << 1},
    {"486 is gone", {486}, 202, 1 | 1 << 1},
    {"500 is gone", {500}, 202, 1 | 1 << 1},
    {"503 is gone", {503}, 202, 1 | 1 << 1},
    {"504 is gone", {504}, 202, 1 | 1 << 1},
    {"482 is no refusal", {482}, 202, 1 | 1 << 1},
    {"taken beats gone and refused", {480, 403, 200}, 200, 1 << 1},
};

static void run_row(const struct row *r, unsigned workers)
{
    struct lab *lab = lab_new(workers);
    for (size_t i = 0; i < 3 && r->devices[i] != NONE; i++) {
        struct post_phone p = *phones[i];
        p.worker = p.worker % workers;
        post_register(lab, &p);
        if (r->devices[i] == AWAY)
            post_unregister(lab, &p);
    }
    const char *branch = post_send(lab, &to_bob);
    for (size_t i = 0; i < 3; i++)
        if (r->devices[i] > 0)
            post_answer(lab, post_request(lab, addresses[i], 0), r->devices[i]);
    lab_advance(lab, LIMIT_STORE_MS);
    uint32_t owed = post_stored(lab) ? lab_account(lab, BOB)->entries[lab_account(lab, BOB)->entry_first].owed : 0;
    int answer = post_status(lab, branch);
    if (answer != r->answer || owed != r->owed)
        fail_msg("%s, %u workers: %d, owed %x", r->what, workers, answer, owed);
    lab_free(lab);
}

static void test_answer_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned workers = 1; workers <= 3; workers++)
            run_row(&rows[i], workers);
}

/* --- C1 --- */

static void test_c1_202_waits_for_the_commit(void **state)
{
    struct lab *lab = *state;
    lab->holds_store = true;
    const char *branch = post_send(lab, &to_bob);
    assert_int_equal(post_waiting(lab), 1);
    assert_int_equal(post_status(lab, branch), 0);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(post_status(lab, branch), 202);
}

static void test_c1_a_failed_append_is_503_and_nothing(void **state)
{
    struct lab *lab = *state;
    store_memory_fail_appends(lab->store, 1, ERR_IO);
    const char *branch = post_send(lab, &to_bob);
    assert_int_equal(post_status(lab, branch), 503);
    assert_non_null(strstr(post_response(lab, branch, 503, 503)->text, "Retry-After: "));
    assert_int_equal(post_stored(lab), 0);
    assert_int_equal(lab_account(lab, BOB)->untaken, 0);
    lab_restart(lab);
    assert_int_equal(post_stored(lab), 0);
    /* The repeat is tried anew, once. */
    lab_clear(lab);
    branch = post_send(lab, &(struct post_message){.call_id = "again"});
    assert_int_equal(post_status(lab, branch), 202);
}

static void test_c1_a_failed_append_of_a_copy_is_503_too(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    post_register(lab, &phone_b);
    post_unregister(lab, &phone_b);
    store_memory_fail_appends(lab->store, 1, ERR_IO);
    const char *branch = post_send(lab, &to_bob);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    lab_advance(lab, LIMIT_AFTER_FIRST_2XX_MS);
    assert_int_equal(post_status(lab, branch), 503);
    assert_false(mailbox_has_backlog(post_device(lab, "b")));
}

/* --- C2 --- */

static void test_c2_nothing_owed_touches_no_store(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    lab->holds_store = true;
    const char *branch = post_send(lab, &to_bob);
    assert_int_equal(post_status(lab, branch), 0); /* handed to a socket is not delivered */
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    assert_int_equal(post_status(lab, branch), 200);
    assert_int_equal(post_waiting(lab), 0);
}

static void test_c2_waits_100_ms_after_the_first_2xx(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    post_register(lab, &phone_b);
    const char *branch = post_send(lab, &to_bob);
    lab_advance(lab, 300);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    lab_advance(lab, LIMIT_AFTER_FIRST_2XX_MS - 1);
    assert_int_equal(post_status(lab, branch), 0);
    lab_advance(lab, 1);
    assert_int_equal(post_status(lab, branch), 200);
    assert_int_equal(post_stored(lab), 1);
    assert_true(mailbox_has_backlog(post_device(lab, "b")));
    assert_false(mailbox_has_backlog(post_device(lab, "a")));
}

static void test_c2_the_last_branch_ends_the_wait(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    post_register(lab, &phone_b);
    const char *branch = post_send(lab, &to_bob);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    assert_int_equal(post_status(lab, branch), 0);
    post_answer(lab, post_request(lab, PHONE_B, 0), 200);
    assert_int_equal(post_status(lab, branch), 200);
    assert_int_equal(post_stored(lab), 0);
}

static void test_c2_the_copy_is_committed_before_the_200(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    post_register(lab, &phone_b);
    post_unregister(lab, &phone_b);
    lab->holds_store = true;
    const char *branch = post_send(lab, &to_bob);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    lab_advance(lab, LIMIT_AFTER_FIRST_2XX_MS);
    assert_int_equal(post_status(lab, branch), 0);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(post_status(lab, branch), 200);
}

/* --- C15 --- */

static void test_c15_100_at_3500_and_202_at_4000(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    const char *branch = post_send(lab, &to_bob);
    lab_advance(lab, LIMIT_PROVISIONAL_MS - 1);
    assert_null(post_response(lab, branch, 100, 699));
    lab_advance(lab, 1);
    assert_non_null(post_response(lab, branch, 100, 100));
    lab_advance(lab, LIMIT_STORE_MS - LIMIT_PROVISIONAL_MS - 1);
    assert_int_equal(post_status(lab, branch), 0);
    lab_advance(lab, 1);
    assert_int_equal(post_status(lab, branch), 202);
}

static void test_c15_a_late_2xx_marks_it_delivered(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    (void)post_send(lab, &to_bob);
    struct lab_sent first = *post_request(lab, PHONE_A, 0);
    lab_advance(lab, LIMIT_STORE_MS);
    assert_int_equal(post_stored(lab), 1);
    assert_int_equal(post_count(lab, PHONE_A), 1); /* C4: no second attempt while it runs */
    lab_clear(lab);
    post_answer(lab, &first, 200);
    assert_int_equal(post_stored(lab), 0);
    lab_advance(lab, 60000);
    assert_int_equal(post_count(lab, PHONE_A), 0);
    lab_restart(lab);
    assert_int_equal(post_stored(lab), 0);
}

static void test_c15_a_2xx_while_the_store_works_marks_it_delivered(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    const char *branch = post_send(lab, &to_bob);
    lab->holds_store = true;
    lab_advance(lab, LIMIT_STORE_MS);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(post_status(lab, branch), 202);
    assert_int_equal(post_stored(lab), 0);
}

static void test_c15_a_late_refusal_sets_it_aside(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    (void)post_send(lab, &to_bob);
    struct lab_sent first = *post_request(lab, PHONE_A, 0);
    lab_advance(lab, LIMIT_STORE_MS);
    post_answer(lab, &first, 488);
    assert_false(mailbox_has_backlog(post_device(lab, "a")));
    assert_int_equal(lab_account(lab, BOB)->untaken, 1); /* the next new device may take it */
}

/* --- two workers --- */

static void test_workers_any_arrival_any_flow_any_response(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        struct lab *lab = lab_new(4);
        struct post_phone p = phone_a;
        p.worker = i / 4 % 4;
        p.contact = i % 2 ? "10.0.0.1:5060" : NULL; /* behind NAT: by the flow of its worker */
        post_register(lab, &p);
        const char *branch = post_send(lab, &(struct post_message){.worker = i % 4});
        const struct lab_sent *r = post_request(lab, PHONE_A, 0);
        assert_non_null(r);
        if (i % 2)
            assert_int_equal(r->worker, p.worker);
        post_answer_at(lab, r, 200, NULL, i / 16); /* it lands anywhere */
        assert_int_equal(post_status(lab, branch), 200);
        assert_int_equal(post_response(lab, branch, 200, 200)->worker, i % 4);
        lab_free(lab);
    }
}

static void test_responses_of_workers_that_are_not_there(void **state)
{
    struct lab *lab = *state;
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, PHONE_A);
    lab_receive(lab, &flow,
                "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP " LAB_SERVER
                ";branch=z9hG4bKff00000000aaaaaaaaaaaaaaaa-0000000000000000\r\n"
                "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\n"
                "Content-Length: 0\r\n\r\n");
    assert_int_equal(lab->sent_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        cmocka_unit_test(test_answer_table),
        TEST(test_c1_202_waits_for_the_commit),
        TEST(test_c1_a_failed_append_is_503_and_nothing),
        TEST(test_c1_a_failed_append_of_a_copy_is_503_too),
        TEST(test_c2_nothing_owed_touches_no_store),
        TEST(test_c2_waits_100_ms_after_the_first_2xx),
        TEST(test_c2_the_last_branch_ends_the_wait),
        TEST(test_c2_the_copy_is_committed_before_the_200),
        TEST(test_c15_100_at_3500_and_202_at_4000),
        TEST(test_c15_a_late_2xx_marks_it_delivered),
        TEST(test_c15_a_2xx_while_the_store_works_marks_it_delivered),
        TEST(test_c15_a_late_refusal_sets_it_aside),
        cmocka_unit_test(test_workers_any_arrival_any_flow_any_response),
        TEST(test_responses_of_workers_that_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
