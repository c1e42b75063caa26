/* Arguments of `telex`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/telex_commands.h"
#include "cmd/telex_session.h"

static void arguments_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *argv[8];
        int code;
        size_t rest, before;
    } cases[] = {
        {{"send", "bob", "hi"}, 0, 2, 2},
        {{"send", "bob", "hi", "--json"}, 0, 2, 2},
        {{"send", "bob", "carol", "--", "hi"}, 0, 3, 2},
        {{"send", "--", "hi"}, 0, 1, 0},
        {{"send", "bob", "--", "--json"}, 0, 2, 1},
        {{"send", "--to", "bob", "hi"}, 0, 1, 1},
        {{"send", "--to=bob", "-c", "text/html", "hi"}, 0, 1, 1},
        {{"send", "bob", "-"}, 0, 2, 2},
        {{"send", "--nonsense"}, TELEX_EXIT_USAGE, 0, 0},
        {{"send", "--exec", "x"}, TELEX_EXIT_USAGE, 0, 0}, /* another command's */
        {{"send", "--server"}, TELEX_EXIT_USAGE, 0, 0},
        {{"send", "--timeout", "0"}, TELEX_EXIT_USAGE, 0, 0},
        {{"send", "--timeout", "-1"}, TELEX_EXIT_USAGE, 0, 0},
        {{"send", "--timeout", "99999999999"}, TELEX_EXIT_USAGE, 0, 0},
        {{"send", "--transport", "tls"}, TELEX_EXIT_USAGE, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *argv[9] = {NULL};
        int argc = 0;
        for (; argc < 8 && cases[i].argv[argc]; argc++)
            argv[argc] = (char *)(uintptr_t)cases[i].argv[argc];
        struct telex_options o;
        int code = telex_options_read(&telex_send_command, argc, argv, &o);
        if (code != cases[i].code)
            fail_msg("case %zu: %d", i, code);
        if (code == 0) {
            assert_int_equal(o.rest_count, cases[i].rest);
            assert_int_equal(o.before_dashes, cases[i].before);
        }
    }
}

static void names_become_uris(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out; /* out NULL: not a URI */
    } cases[] = {
        {"1001", "sip:1001@example.com"},
        {"bob", "sip:bob@example.com"},
        {"+49123", "sip:+49123@example.com"},
        {"bob@example.net", "sip:bob@example.net"},
        {"sip:bob@example.net", "sip:bob@example.net"},
        {"SIP:bob@example.net:5070", "SIP:bob@example.net:5070"},
        {"tel:+49123", "tel:+49123"},
        {"", NULL},
        {"not a uri", NULL},
        {"a\r\nb", NULL},
        {"bob@", NULL},
        {"http://example.com", NULL},
        {"sips:bob@example.net", NULL},
        {"<sip:bob@example.net>", NULL},
    };
    struct telex_session s = {.domain = "example.com"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[128];
        bool ok = telex_session_uri(&s, cases[i].in, out, sizeof out);
        if (ok != (cases[i].out != NULL))
            fail_msg("\"%s\"", cases[i].in);
        if (ok)
            assert_string_equal(out, cases[i].out);
    }
    char small[8];
    assert_false(telex_session_uri(&s, "somebody", small, sizeof small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_read),
        cmocka_unit_test(names_become_uris),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
