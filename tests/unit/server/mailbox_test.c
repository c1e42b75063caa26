/* What is owed to whom, across restarts, expiry and quota: C3, C11, C12 and "Devices" of contract.md. */
#include "server/mailbox.h"

#include <stdio.h>
#include <string.h>

#include "support/post.h"

static const struct post_phone phone_a = {.address = PHONE_A, .instance = "a"};
static const struct post_phone phone_b = {.address = PHONE_B, .instance = "b", .worker = 1};
static const struct post_phone phone_c = {.address = PHONE_C, .instance = "c"};

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
    static char text[256];
    const struct account *a = lab_account(lab, BOB);
    size_t len = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < a->entry_count && len < sizeof text; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%x", i ? " " : "",
                                a->entries[a->entry_first + i].owed);
    return text;
}

static void hold(struct lab *lab, const char *expected)
{
    assert_string_equal(owed(lab), expected);
    lab_restart(lab);
    assert_string_equal(owed(lab), expected);
}

/* Memory and store say the same after each of these; devices get the numbers 1, 2, 3 as they come. */
static void test_survives_a_restart(void **state)
{
    struct lab *lab = *state;
    hold(lab, "");
    (void)post_send(lab, &to_bob);
    hold(lab, "1");
    away(lab, &phone_a);
    hold(lab, "3");
    (void)post_send(lab, &to_bob);
    hold(lab, "3 3");
    away(lab, &phone_b);
    hold(lab, "7 7");
    (void)post_send(lab, &to_bob);
    hold(lab, "7 7 7");
    post_register(lab, &phone_b);
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    post_answer(lab, post_request(lab, PHONE_B, 0), 200);
    assert_string_equal(owed(lab), "2 7 7");
    post_answer(lab, post_request(lab, PHONE_B, 1), 488);
    assert_string_equal(owed(lab), "2 3 7"); /* refused by one: the heir waits on */
    hold(lab, "2 3 7");
    away(lab, &phone_c); /* starts at the oldest that nobody has taken */
    assert_string_equal(owed(lab), "2 b f");
    hold(lab, "2 b f");
}

static void test_ends_out_of_order_survive(void **state)
{
    struct lab *lab = *state;
    away(lab, &phone_a);
    (void)post_send(lab, &(struct post_message){.extra = "Expires: 7200\r\n"});
    (void)post_send(lab, &(struct post_message){.extra = "Expires: 60\r\n"});
    (void)post_send(lab, &(struct post_message){.extra = "Expires: 7200\r\n"});
    assert_string_equal(owed(lab), "3 3 3");
    lab_advance(lab, 60000);
    assert_string_equal(owed(lab), "3 0 3");
    lab_restart(lab);
    assert_string_equal(owed(lab), "3 3");
}

/* --- devices --- */

static void test_a_new_device_is_not_owed_what_another_took(void **state)
{
    struct lab *lab = *state;
    away(lab, &phone_a);
    post_register(lab, &phone_b);
    (void)post_send(lab, &to_bob);
    post_answer(lab, post_request(lab, PHONE_B, 0), 200);
    lab_advance(lab, LIMIT_AFTER_FIRST_2XX_MS);
    assert_string_equal(owed(lab), "2");
    away(lab, &phone_c);
    hold(lab, "2");
}

/* While its row is committed an older entry ends: after a restart it must not come back for the newcomer. */
static void test_a_new_device_is_not_owed_what_ended_while_it_joined(void **state)
{
    struct lab *lab = *state;
    post_register(lab, &phone_a);
    lab->holds_store = true;
    (void)post_send(lab, &to_bob);
    lab_advance(lab, LIMIT_STORE_MS);
    struct flow flow = post_flow(lab, &phone_b);
    const struct lab_register r = {.user = "bob",
                                   .call_id = "reg-" PHONE_B,
                                   .contacts = "Contact: <sip:bob@" PHONE_B ">;+sip.instance=\"<urn:uuid:b>\"\r\n"};
    struct lab_sent request = *post_request(lab, PHONE_A, 0);
    (void)lab_authenticated(lab, &flow, lab_register_text(&r), "bob", "secret");
    post_answer(lab, &request, 200);
    lab->holds_store = false;
    lab_run(lab);
    hold(lab, "");
}

static void test_without_instance_the_heir_keeps_what_nobody_took(void **state)
{
    struct lab *lab = *state;
    const struct post_phone brief = {.address = PHONE_A};
    away(lab, &phone_b);
    post_register(lab, &brief);
    (void)post_send(lab, &to_bob);
    post_answer(lab, post_request(lab, PHONE_A, 0), 480);
    assert_string_equal(owed(lab), "7");
    post_unregister(lab, &brief);
    hold(lab, "3");
}

/* --- C11: copies --- */

static void make_copy(struct lab *lab)
{
    lab_clear(lab);
    const char *branch = post_send(lab, &to_bob);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    lab_advance(lab, LIMIT_AFTER_FIRST_2XX_MS);
    assert_int_equal(post_status(lab, branch), 200);
}

static void test_copies_do_not_count_as_mail(void **state)
{
    struct lab *lab = *state;
    lab->config.limits.mailbox_messages = 1;
    away(lab, &phone_b);
    post_register(lab, &phone_a);
    for (unsigned i = 0; i < 3; i++)
        make_copy(lab);
    assert_true(mailbox_has_room(lab_account(lab, BOB), 1));
    assert_int_equal(lab_account(lab, BOB)->copies, 3);
}

static void test_copies_over_quota_end_for_the_longest_absent(void **state)
{
    struct lab *lab = *state;
    lab->config.limits.copy_messages = 3;
    away(lab, &phone_b);
    lab_advance(lab, 1000);
    away(lab, &phone_c);
    post_register(lab, &phone_a);
    for (unsigned i = 0; i < 3; i++)
        make_copy(lab);
    assert_string_equal(owed(lab), "6 6 6");
    make_copy(lab);
    /* b loses copies until one of them is nobody's; then there is room. */
    assert_int_equal(lab_account(lab, BOB)->copies, 3);
    assert_int_equal(post_device(lab, "b")->owed, 0);
    assert_int_equal(post_device(lab, "c")->owed, 3);
}

/* The longest-absent has mail that nobody took and no copy at all: the next one's copies go. */
static void test_copies_quota_passes_over_devices_without_copies(void **state)
{
    struct lab *lab = *state;
    struct account *a = lab_account(lab, BOB);
    away(lab, &phone_b); /* number 1 */
    lab_advance(lab, 1000);
    away(lab, &phone_c); /* number 2 */
    (void)post_send(lab, &to_bob);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(mailbox_reserve(a, 1u << 2, 10));
        mailbox_add(a, a->last_seq + 1, 1u << 2, 0, 10, lab->wall_ms + 100000);
    }
    assert_string_equal(owed(lab), "7 4 4 4");
    lab->config.limits.copy_messages = 2;
    mailbox_trim_copies(a);
    assert_string_equal(owed(lab), "7 0 4 4");
}

/* --- C12 --- */

static void test_expiry_ends_for_all(void **state)
{
    struct lab *lab = *state;
    away(lab, &phone_a);
    (void)post_send(lab, &(struct post_message){.extra = "Expires: 60\r\n"});
    lab_advance(lab, 59999);
    assert_string_equal(owed(lab), "3");
    lab_advance(lab, 1);
    hold(lab, "");
    assert_int_equal(lab_account(lab, BOB)->untaken, 0);
    assert_true(lab_account(lab, BOB)->untaken_bytes == 0);
}

struct life {
    const char *expires;
    uint64_t life_s;
};

static void test_lives(void **state)
{
    static const struct life lives[] = {
        {NULL, 30ull * 24 * 3600},
        {"Expires: 1\r\n", 1},
        {"Expires: 3600\r\n", 3600},
        {"Expires: 4294967295\r\n", 90ull * 24 * 3600},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        struct lab *lab = lab_new(1);
        (void)post_send(lab, &(struct post_message){.extra = lives[i].expires});
        lab_advance(lab, lives[i].life_s * 1000 - 1);
        assert_string_equal(owed(lab), "1");
        lab_advance(lab, 1);
        assert_string_equal(owed(lab), "");
        lab_free(lab);
    }
}

static void test_a_jump_of_the_wall_clock_deletes_nothing(void **state)
{
    struct lab *lab = *state;
    const int64_t year_ms = 365ll * 24 * 3600 * 1000;
    (void)post_send(lab, &(struct post_message){.extra = "Expires: 7200\r\n"});
    lab->wall_ms += year_ms;
    lab_advance(lab, 1000);
    assert_string_equal(owed(lab), "1");
    lab_restart(lab); /* with a clock that is wrong */
    lab_advance(lab, 60000);
    assert_string_equal(owed(lab), "1");
    lab->wall_ms -= year_ms; /* and is set right within the hour */
    lab_advance(lab, 3600 * 1000);
    assert_string_equal(owed(lab), "1");
    lab_advance(lab, 3600 * 1000);
    assert_string_equal(owed(lab), "");
}

static void test_a_clock_that_went_back_ends_it_at_the_cap(void **state)
{
    struct lab *lab = *state;
    (void)post_send(lab, &(struct post_message){.extra = "Expires: 60\r\n"});
    lab->wall_ms -= 1000ll * 3600 * 1000;
    lab_advance(lab, 60000);
    assert_string_equal(owed(lab), "1"); /* the wall says there is time */
    lab->wall_ms += 1000ll * 3600 * 1000;
    lab_advance(lab, 1000ull * 3600 * 1000);
    assert_string_equal(owed(lab), "");
}

static void test_many_expire_in_steps(void **state)
{
    struct lab *lab = *state;
    struct account *a = lab_account(lab, BOB);
    for (uint64_t seq = 1; seq <= 2000; seq++) {
        assert_true(mailbox_reserve(a, 1, 10));
        mailbox_add(a, seq, 1, 0, 10, lab->wall_ms + 1000);
    }
    lab_advance(lab, 1100);
    assert_string_equal(owed(lab), "");
}

/* --- memory --- */

/* What was answered 202 must fit: the room is there before the store is asked. */
static void test_reserved_room_is_there(void **state)
{
    struct lab *lab = *state;
    struct account *a = lab_account(lab, BOB);
    for (unsigned i = 0; i < 100; i++)
        assert_true(mailbox_reserve(a, 1, 10));
    const struct entry *room = a->entries;
    for (uint64_t seq = 1; seq <= 100; seq++)
        mailbox_add(a, seq, 1, 0, 10, lab->wall_ms + 1000);
    assert_ptr_equal(a->entries, room); /* nothing was allocated after the promise */
    assert_int_equal(a->entry_count, 100);
    assert_int_equal(a->reserved, 0);
}

/* Behind one entry that waits for long others come and go: their places are used again. */
static void test_ended_entries_give_their_memory_back(void **state)
{
    struct lab *lab = *state;
    struct account *a = lab_account(lab, BOB);
    int64_t expires_ms = lab->wall_ms + 1000000;
    assert_true(mailbox_reserve(a, 1, 10));
    mailbox_add(a, 1, 1, 0, 10, expires_ms);
    for (uint64_t seq = 2; seq < 5000; seq++) {
        assert_true(mailbox_reserve(a, 1, 10));
        mailbox_add(a, seq, 1, 0, 10, expires_ms);
        assert_non_null(mailbox_find(a, seq));
        mailbox_end(a, seq, STORE_HEIR, STORE_FAILED, 0);
        assert_null(mailbox_find(a, seq));
    }
    assert_in_range(a->entry_cap, 1, 16);
    assert_non_null(mailbox_find(a, 1));
}

static void test_what_is_not_there(void **state)
{
    struct lab *lab = *state;
    away(lab, &phone_a);
    struct account *a = lab_account(lab, BOB);
    const struct device *d = post_device(lab, "a");
    assert_null(mailbox_next(d, 0));
    assert_null(mailbox_find(a, 1));
    mailbox_end(a, 1, 1, STORE_DELIVERED, 200);
    (void)post_send(lab, &to_bob);
    uint64_t seq = mailbox_next(d, 0)->seq;
    assert_null(mailbox_next(d, seq));
    assert_null(mailbox_find(a, seq + 1));
    mailbox_end(a, seq, 2, STORE_DELIVERED, 200); /* not owed to it */
    assert_string_equal(owed(lab), "3");
    mailbox_end(a, seq, 1, STORE_DELIVERED, 200);
    mailbox_end(a, seq, 1, STORE_DELIVERED, 200);
    hold(lab, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_survives_a_restart),
        TEST(test_ends_out_of_order_survive),
        TEST(test_a_new_device_is_not_owed_what_another_took),
        TEST(test_a_new_device_is_not_owed_what_ended_while_it_joined),
        TEST(test_without_instance_the_heir_keeps_what_nobody_took),
        TEST(test_copies_do_not_count_as_mail),
        TEST(test_copies_over_quota_end_for_the_longest_absent),
        TEST(test_copies_quota_passes_over_devices_without_copies),
        TEST(test_expiry_ends_for_all),
        TEST(test_lives),
        TEST(test_a_jump_of_the_wall_clock_deletes_nothing),
        TEST(test_a_clock_that_went_back_ends_it_at_the_cap),
        TEST(test_many_expire_in_steps),
        TEST(test_reserved_room_is_there),
        TEST(test_ended_entries_give_their_memory_back),
        TEST(test_what_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
