/* What a stranger's text may do at a terminal: nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cmd/telex_print.h"

static void text_is_harmless(void **state)
{
    (void)state;
    static const struct {
        struct slice in;
        const char *indent, *out;
    } cases[] = {
        {SLICE_INIT("plain text"), NULL, "plain text"},
        {SLICE_INIT(""), NULL, ""},
        {SLICE_INIT("gr\xc3\xbc\xc3\x9f"
                    "e \xf0\x9f\x99\x82"),
         NULL,
         "gr\xc3\xbc\xc3\x9f"
         "e \xf0\x9f\x99\x82"},
        {SLICE_INIT("a\tb"), NULL, "a\tb"},
        {SLICE_INIT("\x1b[31mred"), NULL, "\\x1b[31mred"},
        {SLICE_INIT("a\0b\x7f"), NULL, "a\\x00b\\x7f"},
        {SLICE_INIT("\xc2\x9b"
                    "31m"),
         NULL, "\\x9b31m"}, /* C1 CSI */
        {SLICE_INIT("\xe2\x80\xae"), NULL, "\\u{202e}"},
        {SLICE_INIT("\xe2\x81\xa6"), NULL, "\\u{2066}"},
        {SLICE_INIT("\xe2\x80\xa8"), NULL, "\\u{2028}"},
        {SLICE_INIT("\xff\xfe"), NULL, "\\xff\\xfe"},
        {SLICE_INIT("\xc0\x8a"), NULL, "\\xc0\\x8a"},          /* overlong line end */
        {SLICE_INIT("\xed\xa0\x80"), NULL, "\\xed\\xa0\\x80"}, /* surrogate */
        {SLICE_INIT("\xf4\x90\x80\x80"), NULL, "\\xf4\\x90\\x80\\x80"},
        {SLICE_INIT("\xe2\x82"), NULL, "\\xe2\\x82"}, /* cut short */
        {SLICE_INIT("a\nb"), NULL, "a\\nb"},
        {SLICE_INIT("a\nb\r\nc"), "> ", "a\n> b\n> c"},
        {SLICE_INIT("a\rb"), "> ", "a\\x0db"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *written = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&written, &len);
        assert_non_null(out);
        telex_print_text(out, cases[i].in, cases[i].indent);
        fclose(out);
        assert_string_equal(written, cases[i].out);
        free(written);
    }
}

static void bodies_are_text_or_base64(void **state)
{
    (void)state;
    static const struct {
        struct slice in;
        const char *key;
        struct slice out;
    } cases[] = {
        {SLICE_INIT("hello"), "text", SLICE_INIT("hello")},
        {SLICE_INIT(""), "text", SLICE_INIT("")},
        {SLICE_INIT("a\0b"), "text", SLICE_INIT("a\0b")},
        {SLICE_INIT("\xff"), "base64", SLICE_INIT("/w==")},
        {SLICE_INIT("\xff\0\xfe\xfd"), "base64", SLICE_INIT("/wD+/Q==")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *event = json_object();
        telex_print_body(event, cases[i].in.ptr, cases[i].in.len);
        const json_t *value = json_object_get(event, cases[i].key);
        assert_non_null(value);
        assert_int_equal(json_object_size(event), 1);
        assert_true(slice_eq(slice_make(json_string_value(value), json_string_length(value)), cases[i].out));
        json_decref(event);
    }
}

static void strings_are_never_lost(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {{"x", "x"}, {"", ""}, {"a\xff", "a\\xff"}, {"\xc3\xbc\xc3", "\xc3\xbc\\xc3"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *string = telex_print_string(cases[i].in);
        assert_string_equal(json_string_value(string), cases[i].out);
        json_decref(string);
    }
    json_t *none = telex_print_string(NULL);
    assert_true(json_is_null(none));
    json_decref(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_harmless),
        cmocka_unit_test(bodies_are_text_or_base64),
        cmocka_unit_test(strings_are_never_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
