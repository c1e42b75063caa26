/* TTLs of raw DNS answers, whole, cut at every octet, and made to deceive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/err.h"
#include "net/dns_answer.h"

#define HEADER(questions, answers) "\x12\x34\x85\x80\0" questions "\0" answers "\0\0\0\0"
#define QUESTION                   "\1a\2bc\0\0\x21\0\1"
#define RECORD(ttl)                "\xc0\x0c\0\x21\0\1" ttl "\0\2xy"

static void takes_the_smallest(void **state)
{
    static const struct {
        struct slice in;
        int err;
        uint32_t ttl;
    } cases[] = {
        {SLICE_INIT(HEADER("\1", "\1") QUESTION RECORD("\0\0\0\x3c")), ERR_NONE, 60},
        {SLICE_INIT(HEADER("\1", "\2") QUESTION RECORD("\0\0\1\0") RECORD("\0\0\0\7")), ERR_NONE, 7},
        {SLICE_INIT(HEADER("\0", "\1") RECORD("\xff\xff\xff\xfe")), ERR_NONE, 0xfffffffe},
        {SLICE_INIT(HEADER("\1", "\1") QUESTION "\1a\xc0\x0c\0\x21\0\1\0\0\0\5\0\0"), ERR_NONE, 5},
        {SLICE_INIT(HEADER("\1", "\0") QUESTION), ERR_NOT_FOUND, 0},
        {SLICE_INIT(HEADER("\1", "\2") QUESTION RECORD("\0\0\0\1")), ERR_MALFORMED, 0},
        {SLICE_INIT(HEADER("\1", "\1") QUESTION "\xc0\x0c\0\x21\0\1\0\0\0\5\xff\xffxy"), ERR_MALFORMED, 0},
        {SLICE_INIT(HEADER("\1", "\1") QUESTION "\x40xyz\0\0\x21\0\1\0\0\0\5\0\0"), ERR_MALFORMED, 0},
        {SLICE_INIT(HEADER("\xff", "\xff")), ERR_MALFORMED, 0},
        {SLICE_INIT("\x12\x34"), ERR_MALFORMED, 0},
        {SLICE_INIT(""), ERR_MALFORMED, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t ttl = 99;
        assert_int_equal(dns_answer_ttl(cases[i].in, &ttl), cases[i].err);
        assert_int_equal(ttl, cases[i].err ? 99 : cases[i].ttl);
    }
}

static void every_prefix_is_refused(void **state)
{
    struct slice whole = SLICE(HEADER("\1", "\1") QUESTION RECORD("\0\0\0\x3c"));
    (void)state;
    for (size_t len = 0; len < whole.len; len++) {
        char *copy = malloc(len ? len : 1); /* the sanitizer watches its end */
        uint32_t ttl;
        memcpy(copy, whole.ptr, len);
        assert_int_equal(dns_answer_ttl(slice_make(copy, len), &ttl), ERR_MALFORMED);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_the_smallest), cmocka_unit_test(every_prefix_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
