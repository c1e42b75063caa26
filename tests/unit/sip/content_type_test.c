/* Media types and ranges. */
#include "sip/content_type.h"

#include "support/check.h"

static const struct {
    const char *text, *type, *subtype, *params; /* type NULL: malformed */
    int used;                                   /* 0: all */
} rows[] = {
    {"text/plain", "text", "plain", NULL, 0},
    {"Text/PLAIN; charset=UTF-8", "Text", "PLAIN", "; charset=UTF-8", 0},
    {"text / html ; a=\"x,y\"", "text", "html", "; a=\"x,y\"", 0},
    {"*/*", "*", "*", NULL, 0},
    {"text/*;q=0.5, message/cpim", "text", "*", ";q=0.5", 12},
    {"application/im-iscomposing+xml", "application", "im-iscomposing+xml", NULL, 0},
    {"", NULL, NULL, NULL, 0},
    {"text", NULL, NULL, NULL, 0},
    {"text/", NULL, NULL, NULL, 0},
    {"/plain", NULL, NULL, NULL, 0},
    {"/", NULL, NULL, NULL, 0},
    {"text/plain;", NULL, NULL, NULL, 0},
    {"text/plain;;a", NULL, NULL, NULL, 0},
    {"text/plain;a=\"x", NULL, NULL, NULL, 0},
    {"text/plain x", NULL, NULL, NULL, 0},
    {"text//plain", NULL, NULL, NULL, 0},
    {"text\x01/plain", NULL, NULL, NULL, 0},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice text = slice_str(rows[i].text);
        struct guard guard = guard_copy(text);
        struct content_type t = {0};
        size_t fault = 9999;
        int n = content_type_parse(guard.in, &t, &fault);
        if (rows[i].type == NULL) {
            check_row(n == ERR_MALFORMED && fault <= guard.in.len, rows[i].text);
        } else {
            check_row(n == (rows[i].used > 0 ? rows[i].used : (int)guard.in.len), rows[i].text);
            check_slice(t.type, rows[i].type);
            check_slice(t.subtype, rows[i].subtype);
            check_slice(t.params, rows[i].params);
            check_row(content_type_is(&t, slice_str(rows[i].type), slice_str(rows[i].subtype)), rows[i].text);
            check_row(!content_type_is(&t, SLICE("x"), t.subtype) && !content_type_is(&t, t.type, SLICE("x")),
                      rows[i].text);
        }
        for (size_t len = 0; len <= text.len; len++)
            (void)content_type_parse(guard_prefix(&guard, text, len), &t, &fault);
        guard_free(&guard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
