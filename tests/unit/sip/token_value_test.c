/* One word with parameters: Event, Reason and their kin. */
#include "sip/token_value.h"

#include "support/check.h"

static const struct {
    const char *text, *token, *params; /* token NULL: malformed */
    int used;                          /* 0: all */
} rows[] = {
    {"presence", "presence", NULL, 0},
    {"presence.winfo;id=1", "presence.winfo", ";id=1", 0},
    {" active ; expires=600;reason=x", "active", "; expires=600;reason=x", 0},
    {"SIP;cause=480;text=\"away, until 5\"", "SIP", ";cause=480;text=\"away, until 5\"", 0},
    {"SIP;cause=480, Q.850;cause=16", "SIP", ";cause=480", 13},
    {"Q.850 , SIP", "Q.850", NULL, 5},
    {"non-urgent", "non-urgent", NULL, 0},
    {"", NULL, NULL, 0},
    {";id=1", NULL, NULL, 0},
    {",SIP", NULL, NULL, 0},
    {"two words", NULL, NULL, 0},
    {"presence;", NULL, NULL, 0},
    {"presence;;id=1", NULL, NULL, 0},
    {"presence;id=\"1", NULL, NULL, 0},
    {"pre/sence", NULL, NULL, 0},
    {"pre\x01sence", NULL, NULL, 0},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice text = slice_str(rows[i].text);
        struct guard guard = guard_copy(text);
        struct token_value v = {0};
        size_t fault = 9999;
        int n = token_value_parse(guard.in, &v, &fault);
        if (rows[i].token == NULL) {
            check_row(n == ERR_MALFORMED && fault <= guard.in.len && !slice_is_set(v.token), rows[i].text);
        } else {
            check_row(n == (rows[i].used > 0 ? rows[i].used : (int)guard.in.len), rows[i].text);
            check_slice(v.token, rows[i].token);
            check_slice(v.params, rows[i].params);
        }
        for (size_t len = 0; len <= text.len; len++)
            (void)token_value_parse(guard_prefix(&guard, text, len), &v, &fault);
        guard_free(&guard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
