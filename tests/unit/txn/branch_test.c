/* Our branches: one spelling, nothing else is taken for one. */
#include "support/rig.h"
#include "txn/branch.h"

static struct slice written(const struct branch *b, char *out)
{
    branch_write(b, out);
    return slice_make(out, BRANCH_LEN);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const struct branch cases[] = {
        {0, 0, 0, 0},
        {1, 2, 3, 4},
        {255, UINT32_MAX, UINT64_MAX, UINT64_MAX},
        {16, 0x00ABCDEF, 0x0123456789ABCDEF, 0xFEDCBA9876543210},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[BRANCH_LEN];
        struct branch b;
        assert_true(branch_parse(written(&cases[i], text), &b));
        assert_int_equal(b.worker, cases[i].worker);
        assert_int_equal(b.slot, cases[i].slot);
        assert_true(b.random == cases[i].random);
        assert_true(b.loop_hash == cases[i].loop_hash);
    }
}

static void test_form(void **state)
{
    (void)state;
    char text[BRANCH_LEN];
    struct slice s = written(&(struct branch){7, 0x2A, 0xDEADBEEF, 0xC0FFEE}, text);
    assert_true(slice_eq(s, SLICE("z9hG4bK070000002a00000000deadbeef-0000000000c0ffee")));
}

static void test_others_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "z9hG4bK",
        "z9hG4bKnashds8",
        "z9hG4bK070000002a00000000deadbeef-0000000000c0ffe",   /* short */
        "z9hG4bK070000002a00000000deadbeef-0000000000c0ffee0", /* long */
        "z9hG4bK070000002A00000000deadbeef-0000000000c0ffee",  /* another spelling */
        "Z9HG4BK070000002a00000000deadbeef-0000000000c0ffee",
        "z9hG4bK070000002a00000000deadbeef_0000000000c0ffee",
        "z9hG4bK07000000 a00000000deadbeef-0000000000c0ffee",
        "z9hG4bK+70000002a00000000deadbeef-0000000000c0ffee",
        "z9hG4bK070000002a00000000deadbeef-0000000000c0ffeg",
        "z9hG4bK07000000/a00000000deadbeef-0000000000c0ffee",
        "z9hG4bK07000000:a00000000deadbeef-0000000000c0ffee",
        "z9hG4bK07000000`a00000000deadbeef-0000000000c0ffee",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct branch b;
        assert_false(branch_parse(slice_str(cases[i]), &b));
    }
    struct branch b;
    assert_false(branch_parse(SLICE_NONE, &b));
}

static void test_loop_hash(void **state)
{
    (void)state;
    uint64_t hash = 99;
    assert_true(endpoint_branch_loop_hash(SLICE("z9hG4bK070000002a00000000deadbeef-0000000000c0ffee"), &hash));
    assert_true(hash == 0xC0FFEE);
    assert_false(endpoint_branch_loop_hash(SLICE("z9hG4bK070000002a00000000deadbeef-0000000000000000"), &hash));
    assert_false(endpoint_branch_loop_hash(SLICE("z9hG4bKother"), &hash));
    assert_false(endpoint_branch_loop_hash(SLICE_NONE, &hash));
    assert_true(hash == 0xC0FFEE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_others_are_refused),
        cmocka_unit_test(test_loop_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
