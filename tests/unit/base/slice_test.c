/* Slices and the integer parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/slice.h"

static void compares(void **state)
{
    (void)state;
    assert_true(slice_eq(SLICE("abc"), SLICE("abc")));
    assert_false(slice_eq(SLICE("abc"), SLICE("abd")));
    assert_false(slice_eq(SLICE("abc"), SLICE("ab")));
    assert_true(slice_eq(SLICE_NONE, SLICE("")));
    assert_true(slice_eq_nocase(SLICE("Via[{@`"), SLICE("vIA[{@`")));
    assert_false(slice_eq_nocase(SLICE("@"), SLICE("`")));
    assert_false(slice_eq_nocase(SLICE("["), SLICE("{")));
    assert_false(slice_eq_nocase(SLICE("\xC4"), SLICE("\xE4")));
    assert_true(slice_starts_with(SLICE("sip:a"), SLICE("sip:")));
    assert_false(slice_starts_with(SLICE("si"), SLICE("sip:")));
    assert_false(slice_starts_with(SLICE("SIP:a"), SLICE("sip:")));
    assert_true(slice_starts_with_nocase(SLICE("SIP:a"), SLICE("sip:")));
    assert_true(slice_compare(SLICE("a"), SLICE("b")) < 0);
    assert_true(slice_compare(SLICE("ab"), SLICE("a")) > 0);
    assert_true(slice_compare(SLICE("\xFF"), SLICE("a")) > 0);
    assert_int_equal(slice_compare(SLICE_NONE, SLICE("")), 0);
}

static void finds_and_cuts(void **state)
{
    struct slice rest, head;
    (void)state;
    assert_int_equal(slice_find(SLICE("a;b"), ';'), 1);
    assert_int_equal(slice_find(SLICE("ab"), ';'), -1);
    assert_int_equal(slice_find(SLICE_NONE, ';'), -1);
    assert_int_equal(slice_find_slice(SLICE("a\r\n\r\nb"), SLICE("\r\n\r\n")), 1);
    assert_int_equal(slice_find_slice(SLICE("a\r\n\rb"), SLICE("\r\n\r\n")), -1);
    assert_int_equal(slice_find_slice(SLICE("a"), SLICE("ab")), -1);
    assert_int_equal(slice_find_slice(SLICE("a"), SLICE("")), 0);
    head = slice_cut(SLICE("a,b,c"), ',', &rest);
    assert_true(slice_eq(head, SLICE("a")) && slice_eq(rest, SLICE("b,c")));
    head = slice_cut(SLICE("a,"), ',', &rest);
    assert_true(slice_eq(head, SLICE("a")) && slice_is_set(rest) && rest.len == 0);
    head = slice_cut(SLICE("a"), ',', &rest);
    assert_true(slice_eq(head, SLICE("a")) && !slice_is_set(rest));
    assert_true(slice_eq(slice_trim(SLICE(" \t\r\na b\r\n ")), SLICE("a b")));
    assert_int_equal(slice_trim(SLICE(" \r\n")).len, 0);
    assert_int_equal(slice_trim(SLICE_NONE).len, 0);
}

static void reads_numbers(void **state)
{
    static const struct {
        struct slice text;
        uint64_t max;
        int err;
        uint64_t value;
    } cases[] = {
        {SLICE_INIT("0"), 0, ERR_NONE, 0},
        {SLICE_INIT("0000000000000000000000000000012"), 12, ERR_NONE, 12},
        {SLICE_INIT("18446744073709551615"), UINT64_MAX, ERR_NONE, UINT64_MAX},
        {SLICE_INIT("255"), 255, ERR_NONE, 255},
        {SLICE_INIT("256"), 255, ERR_TOO_LARGE, 0},
        {SLICE_INIT("18446744073709551616"), UINT64_MAX, ERR_TOO_LARGE, 0},
        {SLICE_INIT("99999999999999999999999999999999"), UINT64_MAX, ERR_TOO_LARGE, 0},
        {SLICE_INIT("9999999999999999999999x"), UINT64_MAX, ERR_MALFORMED, 0},
        {SLICE_INIT(""), 9, ERR_MALFORMED, 0},
        {SLICE_INIT("-1"), 9, ERR_MALFORMED, 0},
        {SLICE_INIT("+1"), 9, ERR_MALFORMED, 0},
        {SLICE_INIT(" 1"), 9, ERR_MALFORMED, 0},
        {SLICE_INIT("1 "), 9, ERR_MALFORMED, 0},
        {SLICE_INIT("0x1"), 9, ERR_MALFORMED, 0},
        {SLICE_INIT("1\0"), 9, ERR_MALFORMED, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t n = 77;
        assert_int_equal(slice_to_u64(cases[i].text, cases[i].max, &n), cases[i].err);
        assert_int_equal(n, cases[i].err ? 77 : cases[i].value);
    }
    uint32_t small = 5;
    assert_int_equal(slice_to_u32(SLICE("4294967295"), UINT32_MAX, &small), ERR_NONE);
    assert_int_equal(small, UINT32_MAX);
    assert_int_equal(slice_to_u32(SLICE("4294967296"), UINT32_MAX, &small), ERR_TOO_LARGE);
    assert_int_equal(small, UINT32_MAX);
}

static void copies_to_c(void **state)
{
    char out[4];
    (void)state;
    assert_int_equal(slice_to_cstr(SLICE("abc"), out, sizeof out), ERR_NONE);
    assert_string_equal(out, "abc");
    assert_int_equal(slice_to_cstr(SLICE("abcd"), out, sizeof out), ERR_TOO_LARGE);
    assert_string_equal(out, "");
    assert_int_equal(slice_to_cstr(SLICE("a"), out, 0), ERR_TOO_LARGE);
    assert_int_equal(slice_to_cstr(SLICE_NONE, out, 1), ERR_NONE);
}

static void names_errors(void **state)
{
    (void)state;
    for (int err = 0; err >= ERR_CLOSED; err--)
        assert_string_not_equal(err_text(err), "unknown error");
    assert_string_equal(err_text(ERR_CLOSED - 1), "unknown error");
    assert_string_equal(err_text(1), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),    cmocka_unit_test(finds_and_cuts), cmocka_unit_test(reads_numbers),
        cmocka_unit_test(copies_to_c), cmocka_unit_test(names_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
