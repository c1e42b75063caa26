/* What a device is owed that was never seen before, now and after a restart: "Devices" of contract.md. */
#include "server/mailbox.h"

#include <stdio.h>
#include <string.h>

#include "support/post.h"

static const struct post_phone phone_a = {.address = PHONE_A, .instance = "a"};
static const struct post_phone phone_b = {.address = PHONE_B, .instance = "b"};

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

static void away(struct lab *lab, const struct post_phone *p)
{
    post_register(lab, p);
    post_unregister(lab, p);
}

/* bob's mailbox as text: each entry's device bits, the oldest first. */
static const char *owed(struct lab *lab)
{
    static char text[1024];
    const struct account *a = lab_account(lab, BOB);
    size_t len = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < a->entry_count && len < sizeof text; i++) {
        const struct entry *e = &a->entries[a->entry_first + i];
        if (e->owed)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%x", len ? " " : "", e->owed);
    }
    return text;
}

static void hold(struct lab *lab, const char *expected)
{
    assert_string_equal(owed(lab), expected);
    lab_restart(lab);
    assert_string_equal(owed(lab), expected);
}

/* `stored` messages wait; phone a comes, refuses the first of them, takes `taken` others, and is away again. */
static void refuse_one_take_some(struct lab *lab, size_t stored, size_t taken)
{
    away(lab, &phone_a);
    for (size_t i = 0; i < stored; i++)
        (void)post_send(lab, &to_bob);
    post_register(lab, &phone_a);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    for (size_t i = 0; i <= taken; i++) {
        post_answer(lab, post_request(lab, PHONE_A, i), i == 0 ? 488 : 200);
        lab_advance(lab, 1);
    }
    post_unregister(lab, &phone_a);
}

/* The first waits for a device that reads it; what ended behind it has left the queue by the time that one comes. */
static void test_what_others_took_before_a_restart_stays_theirs(void **state)
{
    struct lab *lab = *state;
    refuse_one_take_some(lab, 3, 2);
    hold(lab, "1");
    away(lab, &phone_b);
    hold(lab, "5");
}

static void test_what_others_took_before_the_queue_was_compacted_stays_theirs(void **state)
{
    struct lab *lab = *state;
    refuse_one_take_some(lab, 7, 6);
    for (size_t i = 0; i < 4; i++)
        (void)post_send(lab, &to_bob);
    assert_string_equal(owed(lab), "1 3 3 3 3");
    away(lab, &phone_b);
    hold(lab, "5 7 7 7 7");
}

/* What it inherited ends for it like anything else. */
static void test_what_it_inherited_ends(void **state)
{
    static const int statuses[] = {200, 488};
    static const char *const left[] = {"", "1"};
    for (size_t i = 0; i < 2; i++) {
        struct lab *lab = lab_new(2);
        refuse_one_take_some(lab, 2, 1);
        lab_restart(lab);
        post_register(lab, &phone_b);
        lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
        assert_int_equal(post_count(lab, PHONE_B), 1);
        post_answer(lab, post_request(lab, PHONE_B, 0), statuses[i]);
        lab_advance(lab, 1);
        hold(lab, left[i]);
        lab_free(lab);
    }
    (void)state;
}

/* One message is being committed when the device joins; the next one, which it takes at once, must not end the first
 * for it in the store. */
static void test_what_is_committed_while_it_joins_is_owed_to_it(void **state)
{
    struct lab *lab = *state;
    unsigned home = server_home_worker(&lab->shared, SLICE(BOB));
    away(lab, &phone_a);
    struct flow flow = post_flow(lab, &phone_b);
    const struct lab_register r = {.user = "bob",
                                   .call_id = "reg-" PHONE_B,
                                   .contacts = "Contact: <sip:bob@" PHONE_B ">;+sip.instance=\"<urn:uuid:b>\"\r\n"};
    lab->holds_store = true;
    (void)lab_authenticated(lab, &flow, lab_register_text(&r), "bob", "secret");
    assert_int_equal(store_memory_run(lab->store), 1); /* committed; its worker hears of it behind the message */
    const char *first = post_send(lab, &(struct post_message){.worker = home});
    const char *second = post_send(lab, &(struct post_message){.worker = home, .from = "sip:carol@example.com"});
    const struct lab_sent *request = post_request(lab, PHONE_B, 0);
    if (request)
        post_answer(lab, request, 200);
    lab_advance(lab, LIMIT_AFTER_FIRST_2XX_MS);
    lab->holds_store = false;
    lab_run(lab);
    assert_int_equal(post_status(lab, first), 202);
    assert_int_not_equal(post_status(lab, second), 0);
    assert_true(post_device(lab, "b")->owed > 0);
    uint32_t before = post_device(lab, "b")->owed;
    lab_restart(lab);
    assert_int_equal(post_device(lab, "b")->owed, before);
    assert_int_equal(post_device(lab, "b")->appending, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_what_others_took_before_a_restart_stays_theirs),
        TEST(test_what_others_took_before_the_queue_was_compacted_stays_theirs),
        cmocka_unit_test(test_what_it_inherited_ends),
        TEST(test_what_is_committed_while_it_joins_is_owed_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
