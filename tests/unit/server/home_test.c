/* Accounts at home: one worker each, and all of them back after a restart. C5, C7 of contract.md. */
#include "server/home.h"

#include <stdio.h>
#include <string.h>

#include "server/mailbox.h"
#include "support/post.h"

static void test_one_home_for_each(void **state)
{
    struct lab *lab = lab_new(4);
    (void)state;
    unsigned homes[4] = {0};
    for (unsigned i = 0; i < 200; i++) {
        char aor[64];
        (void)snprintf(aor, sizeof aor, "sip:user%u@example.com", i);
        int64_t id = lab_add_account(lab, aor, "secret", NULL);
        unsigned home = server_home_worker(&lab->shared, slice_str(aor));
        assert_in_range(home, 0, 3);
        homes[home]++;
        struct account *a = lab_account(lab, aor);
        assert_ptr_equal(home_account(lab->workers[home].server, id, slice_str(aor)), a);
        assert_ptr_equal(home_find(lab->workers[home].server, id), a);
        assert_null(home_find(lab->workers[(home + 1) % 4].server, id));
    }
    for (unsigned i = 0; i < 4; i++)
        assert_true(homes[i] > 20);
    lab_free(lab);
}

/* Everybody's mail, devices and repeats are there after a restart, with as many workers as there are then. */
static void test_a_restart_with_other_workers(void **state)
{
    static const char *const users[] = {ALICE, BOB, "sip:carol@example.com"};
    struct lab *lab = lab_new(1);
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k <= i; k++) {
            char call_id[16];
            (void)snprintf(call_id, sizeof call_id, "%zu-%zu", i, k);
            (void)post_send(lab, &(struct post_message){.to = users[i], .call_id = call_id});
        }
    post_register(lab, &(struct post_phone){.instance = "a"});
    lab_restart(lab);
    for (size_t i = 0; i < 3; i++) {
        char call_id[16];
        const struct account *a = lab_account(lab, users[i]);
        assert_int_equal(a->entry_count, i + 1);
        assert_int_equal(a->untaken, i + 1);
        (void)snprintf(call_id, sizeof call_id, "%zu-0", i);
        const char *branch = post_send(lab, &(struct post_message){.to = users[i], .call_id = call_id});
        assert_int_equal(post_status(lab, branch), 202);
        assert_int_equal(a->entry_count, i + 1); /* a repeat */
    }
    assert_int_equal(post_device(lab, "a")->owed, 2);
    lab_free(lab);
}

/* C5: kept for 24 h after a restart too, and not for ever. */
static void test_repeats_end_after_a_restart(void **state)
{
    struct lab *lab = lab_new(2);
    const struct post_message m = {.call_id = "x", .extra = "Expires: 60\r\n"};
    (void)state;
    (void)post_send(lab, &m);
    lab_restart(lab);
    lab_advance(lab, 23ull * 3600 * 1000);
    assert_int_equal(post_stored(lab), 0);
    (void)post_send(lab, &m);
    assert_int_equal(post_stored(lab), 0);
    lab_advance(lab, 2ull * 3600 * 1000);
    (void)post_send(lab, &(struct post_message){.to = ALICE});
    (void)post_send(lab,
                    &(struct post_message){.to = "sip:carol@example.com"}); /* each home forgets by its own calls */
    (void)post_send(lab, &(struct post_message){.call_id = "y"});
    uint32_t before = post_stored(lab);
    (void)post_send(lab, &m);
    assert_int_equal(post_stored(lab), before + 1);
    lab_free(lab);
}

static void test_numbers_go_on_after_a_restart(void **state)
{
    struct lab *lab = lab_new(1);
    (void)state;
    (void)post_send(lab, &(struct post_message){0});
    uint64_t last = lab_account(lab, BOB)->last_seq;
    lab_restart(lab);
    assert_true(lab_account(lab, BOB)->last_seq >= last);
    (void)post_send(lab, &(struct post_message){0});
    assert_true(lab_account(lab, BOB)->last_seq > last);
    lab_free(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_home_for_each),
        cmocka_unit_test(test_a_restart_with_other_workers),
        cmocka_unit_test(test_repeats_end_after_a_restart),
        cmocka_unit_test(test_numbers_go_on_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
