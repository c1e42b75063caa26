/* Parameter lists. */
#include "sip/params.h"

#include "support/check.h"

static const struct {
    const char *text;
    int span; /* length of the list, or negative */
    const char *name, *value;
} rows[] = {
    {";a", 2, "a", NULL},
    {";a=b", 4, "a", "b"},
    {"; a = b ;c", 10, "a", "b"},
    {";a=\"x;y,\\\"\"", 11, "a", "\"x;y,\\\"\""},
    {";a=[2001:db8::1];b=1", 20, "a", "[2001:db8::1]"},
    {";a , b", 2, "a", NULL},
    {";a=b,c", 4, "a", "b"},
    {";a\r\n =b", 7, "a", "b"},
    {";%4a=`", 6, "%4a", "`"},
    {"", 0, NULL, NULL},
    {",x", 0, NULL, NULL},
    {";", -1, NULL, NULL},
    {";;", -1, NULL, NULL},
    {";=b", -1, NULL, NULL},
    {";a=", -1, NULL, NULL},
    {";a= ;b", -1, NULL, NULL},
    {";a=\"x", -1, NULL, NULL},
    {";a=\"x\\\"", -1, NULL, NULL},
    {";a=\"x\\", -1, NULL, NULL},
    {";a=b c", -1, NULL, NULL},
    {";a b", -1, NULL, NULL},
    {";a=b/c", -1, NULL, NULL},
    {";a=\"x\"y", -1, NULL, NULL},
    {";a=b\r\n;c", -1, NULL, NULL},
    {"x", -1, NULL, NULL},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct guard guard = guard_copy(slice_str(rows[i].text));
        size_t len = 0, fault = 9999;
        int err = params_span(guard.in, &len, &fault);
        check_row(err == (rows[i].span < 0 ? ERR_MALFORMED : ERR_NONE), rows[i].text);
        if (err == ERR_NONE)
            check_row(len == (size_t)rows[i].span, rows[i].text);
        else
            check_row(fault <= guard.in.len, rows[i].text);
        if (rows[i].name != NULL) {
            struct param param;
            check_row(params_next(guard.in, &param) > 0, rows[i].text);
            check_slice(param.name, rows[i].name);
            check_slice(param.value, rows[i].value);
            check_row(params_find(slice_head(guard.in, len), slice_str(rows[i].name), &param), rows[i].text);
        }
        for (size_t n = 0; n <= strlen(rows[i].text); n++)
            (void)params_span(guard_prefix(&guard, slice_str(rows[i].text), n), &len, &fault);
        guard_free(&guard);
    }
}

static void test_find(void **state)
{
    struct param param;
    struct slice list = SLICE(";tag=1;Tagged=2;x=\";tag=3\";lr");
    (void)state;
    assert_true(params_find(list, SLICE("TAG"), &param));
    check_slice(param.value, "1");
    assert_true(params_find(list, SLICE("lr"), &param));
    check_slice(param.value, NULL);
    assert_false(params_find(list, SLICE("ta"), &param));
    assert_false(params_find(list, SLICE("3"), &param));
    assert_false(params_find(SLICE_NONE, SLICE("tag"), &param));
}

static void test_unquote(void **state)
{
    static const struct {
        const char *in, *out;
        int err;
    } cases[] = {
        {"token", "token", 0}, {"\"a b\"", "a b", 0}, {"\"a\\\"b\\\\\"", "a\"b\\", 0},        {"\"\"", "", 0},
        {"a\\b", "a\\b", 0},   {"\"open", NULL, -1},  {"\"123456789\"", NULL, ERR_TOO_LARGE}, {"\"x\"y", NULL, -1},
    };
    char out[8];
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct guard guard = guard_copy(slice_str(cases[i].in));
        int n = params_unquote(guard.in, out, sizeof(out));
        if (cases[i].out == NULL)
            check_row(n == cases[i].err, cases[i].in);
        else
            check_row(n >= 0 && slice_eq(slice_make(out, (size_t)n), slice_str(cases[i].out)), cases[i].in);
        guard_free(&guard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_unquote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
