/* Header field and method names. */
#include "sip/header.h"

#include "sip/method.h"
#include "support/check.h"

static void test_every_name(void **state)
{
    (void)state;
    for (unsigned h = HEADER_OTHER + 1; h < HEADER_COUNT; h++) {
        struct slice name = header_name((enum header)h);
        char text[32];
        assert_true(name.len > 1 && name.len < sizeof(text));
        assert_int_equal(header_from_name(name), h);
        for (size_t i = 0; i < name.len; i++)
            text[i] = (char)(name.ptr[i] >= 'a' && name.ptr[i] <= 'z' ? name.ptr[i] - 32 : name.ptr[i]);
        assert_int_equal(header_from_name(slice_make(text, name.len)), h);
        /* one octet more, one less, one other */
        text[name.len] = 'x';
        assert_int_equal(header_from_name(slice_make(text, name.len + 1)), HEADER_OTHER);
        if (name.len > 2) /* "T" is To */
            assert_int_not_equal(header_from_name(slice_make(text, name.len - 1)), h);
        text[name.len - 1] ^= 1;
        assert_int_not_equal(header_from_name(slice_make(text, name.len)), h);
        assert_false(header_is_list((enum header)h) && header_is_single((enum header)h));
    }
}

static void test_compact(void **state)
{
    static const struct {
        const char *name;
        enum header h;
    } rows[] = {
        {"v", HEADER_VIA},
        {"F", HEADER_FROM},
        {"t", HEADER_TO},
        {"I", HEADER_CALL_ID},
        {"m", HEADER_CONTACT},
        {"l", HEADER_CONTENT_LENGTH},
        {"c", HEADER_CONTENT_TYPE},
        {"e", HEADER_CONTENT_ENCODING},
        {"u", HEADER_ALLOW_EVENTS},
        {"k", HEADER_SUPPORTED},
        {"o", HEADER_EVENT},
        {"s", HEADER_SUBJECT},
        {"r", HEADER_REFER_TO},
        {"z", HEADER_OTHER},
        {"1", HEADER_OTHER},
        {"", HEADER_OTHER},
        {"X-Unknown", HEADER_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_row(header_from_name(slice_str(rows[i].name)) == rows[i].h, rows[i].name);
}

static void test_kinds(void **state)
{
    (void)state;
    assert_true(header_is_list(HEADER_VIA));
    assert_true(header_is_single(HEADER_CALL_ID));
    assert_false(header_is_list(HEADER_AUTHORIZATION));
    assert_false(header_is_single(HEADER_OTHER));
    check_slice(header_name(HEADER_OTHER), NULL);
}

static void test_methods(void **state)
{
    (void)state;
    for (unsigned m = METHOD_OTHER + 1; m < METHOD_COUNT; m++)
        assert_int_equal(method_from_name(method_name((enum method)m)), m);
    assert_int_equal(method_from_name(SLICE("message")), METHOD_OTHER); /* §7.1: case-sensitive */
    assert_int_equal(method_from_name(SLICE("MESSAGEX")), METHOD_OTHER);
    assert_int_equal(method_from_name(SLICE("")), METHOD_OTHER);
    check_slice(method_name(METHOD_OTHER), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_name),
        cmocka_unit_test(test_compact),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
