/* Log lines: their form, and that a peer's text cannot forge one. Clocks and random sources beside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

static char line[40000];

static void keep(void *context, struct slice text)
{
    (void)context;
    assert_int_equal(slice_to_cstr(text, line, sizeof line), 0);
}

static int set_up(void **state)
{
    (void)state;
    log_set_sink(keep, NULL);
    return 0;
}

/* Everything behind the time and level. */
static const char *event_part(const char *level)
{
    const char *at = strstr(line, level);
    assert_non_null(at);
    return at + strlen(level) + 1;
}

static void writes_fields(void **state)
{
    (void)state;
    log_configure(LOG_INFO, LOG_TEXT);
    LOG(LOG_WARN, "auth-failed", LOG_FIELD("source", SLICE("192.0.2.1:5060")), LOG_FIELD("none", SLICE_NONE),
        LOG_FIELD("user", SLICE("a b")), LOG_FIELD("empty", SLICE("")));
    assert_string_equal(event_part("warn"), "auth-failed source=192.0.2.1:5060 user=\"a b\" empty=\"\"\n");
    line[0] = '\0';
    LOG(LOG_DEBUG, "hidden", LOG_FIELD("a", SLICE("b")));
    assert_string_equal(line, "");
    log_configure(LOG_DEBUG, LOG_JSON);
    LOG(LOG_DEBUG, "shown", LOG_FIELD("a", SLICE("b\"\\")));
    assert_non_null(strstr(line, "\"level\":\"debug\",\"event\":\"shown\",\"a\":\"b\\\"\\\\\"}\n"));
}

static void escapes_what_could_forge(void **state)
{
    static const struct {
        struct slice in;
        const char *out;
    } cases[] = {
        {SLICE_INIT("a\r\nb"), "\"a\\u000d\\u000ab\""},
        {SLICE_INIT("\x1b[31m"), "\"\\u001b[31m\""},
        {SLICE_INIT("a\0b"), "\"a\\u0000b\""},
        {SLICE_INIT("\x7f"), "\"\\u007f\""},
        {SLICE_INIT("\xc2\x9b"), "\"\\u00c2\\u009b\""},            /* C1 control */
        {SLICE_INIT("\xe2\x80\xae"), "\"\\u00e2\\u0080\\u00ae\""}, /* right-to-left override */
        {SLICE_INIT("\xe2\x81\xa6"), "\"\\u00e2\\u0081\\u00a6\""},
        {SLICE_INIT("\xff"), "\"\\u00ff\""},
        {SLICE_INIT("\xc0\xaf"), "\"\\u00c0\\u00af\""},            /* overlong */
        {SLICE_INIT("\xed\xa0\x80"), "\"\\u00ed\\u00a0\\u0080\""}, /* surrogate */
        {SLICE_INIT("\xe2\x82"), "\"\\u00e2\\u0082\""},            /* cut short */
        {SLICE_INIT("key=\"x\""), "\"key=\\\"x\\\"\""},
        {SLICE_INIT("J\xc3\xbcrgen \xf0\x9f\x98\x80"), "\"J\xc3\xbcrgen \xf0\x9f\x98\x80\""},
        {SLICE_INIT("sip:alice@example.com"), "sip:alice@example.com"},
    };
    (void)state;
    log_configure(LOG_INFO, LOG_TEXT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        LOG(LOG_INFO, "e", LOG_FIELD("v", cases[i].in));
        const char *value = event_part("info") + strlen("e v=");
        assert_int_equal(strlen(value), strlen(cases[i].out) + 1);
        assert_memory_equal(value, cases[i].out, strlen(cases[i].out));
    }
}

static void is_bounded(void **state)
{
    struct log_field fields[20];
    char *large = calloc(1, 100000);
    (void)state;
    log_configure(LOG_INFO, LOG_TEXT);
    LOG(LOG_INFO, "large", LOG_FIELD("v", slice_make(large, 100000)));
    assert_true(strlen(line) < 4000);
    assert_non_null(strstr(line, "...\"\n"));
    for (size_t i = 0; i < 20; i++)
        fields[i] = LOG_FIELD("v", slice_make(large, 100000));
    log_event(LOG_INFO, "too-much", fields, 20);
    assert_string_equal(event_part("info"), "too-much\n");
    free(large);
}

static void clocks_and_random(void **state)
{
    struct random_seeded a, b;
    unsigned hits[5] = {0};
    (void)state;
    uint64_t before = clock_mono_ms(clock_system());
    assert_true(clock_mono_ms(clock_system()) >= before);
    assert_true(clock_wall_ms(clock_system()) > 1600000000000);
    random_seeded_init(&a, 9);
    random_seeded_init(&b, 9);
    for (int i = 0; i < 1000; i++) {
        uint64_t n = random_below(&a.base, 5);
        assert_true(n == random_below(&b.base, 5));
        hits[n]++;
    }
    for (int i = 0; i < 5; i++)
        assert_in_range(hits[i], 100, 300);
    random_seeded_init(&b, 10);
    assert_true(random_u64(&a.base) != random_u64(&b.base));
    assert_true(random_u64(random_system()) != random_u64(random_system()));
    unsigned char big[1000] = {0};
    random_fill(random_system(), big, sizeof big);
    unsigned zeros = 0;
    for (size_t i = 0; i < sizeof big; i++)
        zeros += big[i] == 0;
    assert_true(zeros < 50);
    assert_true(random_below(&a.base, 1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_fields),
        cmocka_unit_test(escapes_what_could_forge),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(clocks_and_random),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
