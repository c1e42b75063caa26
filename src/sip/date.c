/* Date. RFC 3261 §20.17, §25.1:
 *   rfc1123-date = wkday "," SP date1 SP time SP "GMT"
 *   date1        = 2DIGIT SP month SP 4DIGIT
 *   time         = 2DIGIT ":" 2DIGIT ":" 2DIGIT
 * The week day is read and not compared with the date: nothing depends on it. */
#include "sip/date.h"

#include "base/err.h"
#include "sip/lex.h"

#define DATE_LEN     29
#define DAY_SECONDS  86400
#define YEAR_MIN     1970
#define YEAR_MAX     9999
#define EPOCH_DAYS   719468         /* from 0000-03-01 to 1970-01-01 */
#define EPOCH_WKDAY  4              /* 1970-01-01 was a Thursday */
#define ERA_DAYS     146097         /* 400 years */
#define SECONDS_LAST 253402300799LL /* 9999-12-31 23:59:59 */

static const char wkdays[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Index of the three letters at `p` in `names`, or -1. */
static int find_name(const char *names, const char *p)
{
    for (int i = 0; names[i] != '\0'; i += 3) {
        if (memcmp(names + i, p, 3) == 0)
            return i / 3;
    }
    return -1;
}

static bool read_number(const char *p, size_t len, uint32_t min, uint32_t max, uint32_t *ret)
{
    return slice_to_u32(slice_make(p, len), max, ret) == ERR_NONE && *ret >= min;
}

static bool is_leap(uint32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint32_t month_days(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U);
}

/* Days since 1970-01-01, counted in years that begin with March, so that the leap day is the last. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, year_of_era = year % 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH_DAYS;
}

int date_parse(struct slice in, int64_t *ret_seconds)
{
    static const char pattern[] = "aaa, dd aaa dddd dd:dd:dd GMT";
    uint32_t day, year, hour, minute, second;
    in = slice_trim(in);
    if (in.len != DATE_LEN)
        return ERR_MALFORMED;
    for (size_t i = 0; i < DATE_LEN; i++) {
        if (pattern[i] != 'a' && pattern[i] != 'd' && pattern[i] != in.ptr[i])
            return ERR_MALFORMED;
    }
    int month = find_name(months, in.ptr + 8) + 1;
    if (find_name(wkdays, in.ptr) < 0 || month == 0 || !read_number(in.ptr + 12, 4, YEAR_MIN, YEAR_MAX, &year) ||
        !read_number(in.ptr + 5, 2, 1, month_days(year, (uint32_t)month), &day) ||
        !read_number(in.ptr + 17, 2, 0, 23, &hour) || !read_number(in.ptr + 20, 2, 0, 59, &minute) ||
        !read_number(in.ptr + 23, 2, 0, 60, &second)) /* 60: a leap second */
        return ERR_MALFORMED;
    *ret_seconds = days_from_date(year, month, day) * DAY_SECONDS + (int64_t)hour * 3600 + (int64_t)minute * 60 +
                   second;
    return ERR_NONE;
}

static void append_two(struct buf *out, int64_t n)
{
    buf_append_char(out, (char)('0' + n / 10));
    buf_append_char(out, (char)('0' + n % 10));
}

void date_append(struct buf *out, int64_t seconds)
{
    /* Outside what four digits of a year can say, the nearest that they can. */
    if (seconds < 0)
        seconds = 0;
    if (seconds > SECONDS_LAST)
        seconds = SECONDS_LAST;
    int64_t days = seconds / DAY_SECONDS, rest = seconds % DAY_SECONDS;
    int64_t shifted = days + EPOCH_DAYS, era = shifted / ERA_DAYS, day_of_era = shifted % ERA_DAYS;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * march_month + 2) / 5 + 1;
    int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);

    buf_append(out, slice_make(wkdays + (days + EPOCH_WKDAY) % 7 * 3, 3));
    buf_append(out, SLICE(", "));
    append_two(out, day);
    buf_append_char(out, ' ');
    buf_append(out, slice_make(months + (month - 1) * 3, 3));
    buf_append_char(out, ' ');
    append_two(out, year / 100);
    append_two(out, year % 100);
    buf_append_char(out, ' ');
    append_two(out, rest / 3600);
    buf_append_char(out, ':');
    append_two(out, rest / 60 % 60);
    buf_append_char(out, ':');
    append_two(out, rest % 60);
    buf_append(out, SLICE(" GMT"));
}
