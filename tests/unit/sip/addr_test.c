/* Addresses with display names and header parameters. */
#include "sip/addr.h"

#include "support/check.h"

static const struct {
    const char *text;
    const char *display, *uri, *params, *tag;
    bool bracketed, star;
    size_t used; /* 0: all of it */
} good[] = {
    {"sip:a@h", NULL, "sip:a@h", NULL, NULL, false, false, 0},
    {"<sip:a@h>", NULL, "sip:a@h", NULL, NULL, true, false, 0},
    {"Alice <sip:a@h>;tag=1", "Alice", "sip:a@h", ";tag=1", "1", true, false, 0},
    {"Alice B. Liddell  <sip:a@h> ; tag = 1 ;x", "Alice B. Liddell", "sip:a@h", "; tag = 1 ;x", "1", true, false, 0},
    {"caller<sip:a@h>", "caller", "sip:a@h", NULL, NULL, true, false, 0}, /* RFC 4475 lwsdisp */
    {"\"Bob \\\"x\\\\\" <sip:a@h>;TAG=z", "\"Bob \\\"x\\\\\"", "sip:a@h", ";TAG=z", "z", true, false, 0},
    {"\"\" <sip:a@h>", "\"\"", "sip:a@h", NULL, NULL, true, false, 0},
    {"\"a,b;c<d>\"<sip:a@h>", "\"a,b;c<d>\"", "sip:a@h", NULL, NULL, true, false, 0},
    {"J\xc3\xbcrgen <sip:a@h>", "J\xc3\xbcrgen", "sip:a@h", NULL, NULL, true, false, 0},
    {"sip:a@h;tag=1", NULL, "sip:a@h", ";tag=1", "1", false, false, 0}, /* §20.10: the header's parameter */
    {"<sip:a@h;lr>;tag=1", NULL, "sip:a@h;lr", ";tag=1", "1", true, false, 0},
    {"<sip:a@h?Route=%3Csip:x%3E>", NULL, "sip:a@h?Route=%3Csip:x%3E", NULL, NULL, true, false, 0},
    {"<sip:alice;x=1@h>", NULL, "sip:alice;x=1@h", NULL, NULL, true, false, 0},
    {"\r\n <sip:a@h>\r\n ;tag=1", NULL, "sip:a@h", ";tag=1", "1", true, false, 0},
    {"*", NULL, "", NULL, NULL, false, true, 0},
    {"* <sip:a@h>", "*", "sip:a@h", NULL, NULL, true, false, 0},
    {"<sip:a@h>;q=0.5, <sip:b@h>", NULL, "sip:a@h", ";q=0.5", NULL, true, false, 15},
    {"sip:a@h,sip:b@h", NULL, "sip:a@h", NULL, NULL, false, false, 7},
    {"<sip:a@h> , x", NULL, "sip:a@h", NULL, NULL, true, false, 9},
    {"<tel:+1>;+sip.instance=\"<urn:uuid:1,2>\";expires=5", NULL, "tel:+1",
     ";+sip.instance=\"<urn:uuid:1,2>\";expires=5", NULL, true, false, 0},
    {"<isbn:2983792873>", NULL, "isbn:2983792873", NULL, NULL, true, false, 0},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct guard guard = guard_copy(slice_str(good[i].text));
        struct addr a;
        size_t fault;
        int n = addr_parse(guard.in, &a, &fault);
        check_row(n == (int)(good[i].used > 0 ? good[i].used : guard.in.len), good[i].text);
        check_row(a.bracketed == good[i].bracketed && a.star == good[i].star, good[i].text);
        check_slice(a.display, good[i].display);
        check_row(slice_eq(a.uri.text, slice_str(good[i].uri)), good[i].text);
        check_slice(a.params, good[i].params);
        check_slice(addr_tag(&a), good[i].tag);
        guard_free(&guard);
    }
}

static const char *const bad[] = {
    "",
    "Alice",
    "<sip:a@h",
    "sip:a@h>",
    "< sip:a@h>",
    "<sip:a@h >",
    "<sip:a@h> x",
    "<sip:a@h>;",
    "<sip:a@h>;;x",
    "<sip:a@h>;tag=",
    "<sip:a@h>;tag",
    "<sip:a@h>;tag=\"1\"",
    "<sip:a@h>;tag=1;tag=2",
    "<sip:a@h>;tag=1;Tag=1",
    "<sip:a@h>;x=\"open",
    "\"open <sip:a@h>",
    "\"ends in backslash\\", /* CVE-2021-43611 */
    "\"eaten quote\\\" <sip:a@h>",
    "\"x\" sip:a@h",
    "\"x\"",
    "Bell, Alexander <sip:a@h>", /* RFC 4475 baddn */
    "a:b <sip:a@h>",
    "sip:a@h?x=y", /* RFC 4475 regbadct */
    "sip:a@h x",
    "<>",
    "<<sip:a@h>>",
    "*x",
    "* *",
    "alice@h",
    "<alice>",
    "<sip:a@h\r\n>",
    "<sip:a@h>\r\nX: y",
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct guard guard = guard_copy(slice_str(bad[i]));
        struct addr a = {.star = true};
        size_t fault = 9999;
        check_row(addr_parse(guard.in, &a, &fault) == ERR_MALFORMED, bad[i]);
        check_row(fault <= guard.in.len, bad[i]);
        check_row(a.star, bad[i]);
        guard_free(&guard);
    }
}

static void test_prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct slice text = slice_str(good[i].text);
        struct guard guard = guard_copy(text);
        for (size_t len = 0; len <= text.len; len++) {
            struct addr a;
            size_t fault = 0;
            int n = addr_parse(guard_prefix(&guard, text, len), &a, &fault);
            assert_true(n >= 0 ? (size_t)n <= len : fault <= len);
        }
        guard_free(&guard);
    }
}

static void test_param(void **state)
{
    struct addr a;
    struct slice value;
    size_t fault;
    (void)state;
    assert_true(addr_parse(SLICE("<sip:a@h;expires=1>;Expires=60;q"), &a, &fault) > 0);
    assert_true(addr_param(&a, SLICE("expires"), &value));
    check_slice(value, "60");
    assert_true(addr_param(&a, SLICE("q"), &value));
    check_slice(value, NULL);
    assert_false(addr_param(&a, SLICE("tag"), &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_param),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
