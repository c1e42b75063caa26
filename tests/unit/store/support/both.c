#include "support/both.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

static void setup_driver(void **state, enum driver driver)
{
    struct harness *h = calloc(1, sizeof *h);
    harness_init(h, driver);
    assert_int_equal(harness_open(h), ERR_NONE);
    *state = h;
}
int both_setup_memory(void **state)
{
    setup_driver(state, DRIVER_MEMORY);
    return 0;
}
int both_setup_sqlite(void **state)
{
    setup_driver(state, DRIVER_SQLITE);
    return 0;
}
int both_teardown(void **state)
{
    harness_deinit(*state);
    free(*state);
    return 0;
}

void both_expect(struct harness *h, const char *text)
{
    char *now = harness_snapshot(h);
    assert_string_equal(now, text);
    free(now);
    harness_restart(h);
    char *after = harness_snapshot(h);
    assert_string_equal(after, text);
    free(after);
}

void both_expect_only(struct harness *h, const char *word, const char *text)
{
    harness_restart(h);
    char *all = harness_snapshot(h), *to = all;
    for (char *line = all; *line;) {
        char *end = strchr(line, '\n') + 1;
        size_t len = (size_t)(end - line);
        if (strncmp(line, word, strlen(word)) == 0) {
            memmove(to, line, len);
            to += len;
        }
        line = end;
    }
    *to = '\0';
    assert_string_equal(all, text);
    free(all);
}
