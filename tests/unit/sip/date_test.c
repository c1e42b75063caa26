/* Date: both ways, against libc's calendar. */
#include "sip/date.h"

#include <time.h>

#include "support/check.h"

static void test_known(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Sat, 13 Nov 2010 23:29:00 GMT", 1289690940},
        {"Thu, 21 Feb 2002 13:02:03 GMT", 1014296523},
        {"Tue, 29 Feb 2000 23:59:59 GMT", 951868799},
        {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799LL},
        {"Tue, 19 Jan 2038 03:14:08 GMT", 2147483648LL},
    };
    struct buf out;
    (void)state;
    buf_init(&out, 64);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct guard guard = guard_copy(slice_str(rows[i].text));
        int64_t seconds = -1;
        check_row(date_parse(guard.in, &seconds) == ERR_NONE && seconds == rows[i].seconds, rows[i].text);
        buf_reset(&out);
        date_append(&out, rows[i].seconds);
        check_slice(buf_slice(&out), rows[i].text);
        guard_free(&guard);
    }
    buf_deinit(&out);
}

static void test_bad(void **state)
{
    static const char *const bad[] = {
        "",
        "Fri, 01 Jan 2010 16:00:00 EST", /* RFC 4475 baddate */
        "Thu, 1 Jan 1970 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 gmt",
        "Thu 01 Jan 1970 00:00:00 GMTx",
        "Thx, 01 Jan 1970 00:00:00 GMT",
        "Thu, 01 Jax 1970 00:00:00 GMT",
        "Thu, 00 Jan 1970 00:00:00 GMT",
        "Thu, 32 Jan 1970 00:00:00 GMT",
        "Thu, 29 Feb 2023 00:00:00 GMT",
        "Thu, 29 Feb 2100 00:00:00 GMT",
        "Thu, 31 Apr 2023 00:00:00 GMT",
        "Thu, 01 Jan 1969 00:00:00 GMT",
        "Thu, 01 Jan 1970 24:00:00 GMT",
        "Thu, 01 Jan 1970 00:60:00 GMT",
        "Thu, 01 Jan 1970 00:00:61 GMT",
        "Thu, 01 Jan -970 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:0a GMT",
        "Thu, +1 Jan 1970 00:00:00 GMT",
        "Thu,\t01 Jan 1970 00:00:00 GMT",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct guard guard = guard_copy(slice_str(bad[i]));
        int64_t seconds = 7;
        check_row(date_parse(guard.in, &seconds) == ERR_MALFORMED && seconds == 7, bad[i]);
        guard_free(&guard);
    }
}

static void test_calendar(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 64);
    for (int64_t t = 0; t < 8000000000LL; t += 40000003) {
        char want[64];
        struct tm tm;
        time_t when = (time_t)t;
        int64_t back;
        assert_non_null(gmtime_r(&when, &tm));
        assert_int_equal(strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT", &tm), 29);
        buf_reset(&out);
        date_append(&out, t);
        check_slice(buf_slice(&out), want);
        assert_int_equal(date_parse(buf_slice(&out), &back), ERR_NONE);
        assert_true(back == t);
    }
    buf_reset(&out);
    date_append(&out, -5);
    check_slice(buf_slice(&out), "Thu, 01 Jan 1970 00:00:00 GMT");
    buf_reset(&out);
    date_append(&out, INT64_MAX);
    check_slice(buf_slice(&out), "Fri, 31 Dec 9999 23:59:59 GMT");
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
