/* Message borders: the same for every split of the bytes. */
#include "sip/framer.h"

#include <stdlib.h>

#include "support/check.h"

#define HEAD     "MESSAGE sip:b@h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\n"
#define MAX_HEAD 300
#define MAX_BODY 50

/* Expected frames: "m12" a message of 12 octets, "c" CRLF, "k" keep-alive, "-" needs more, "4" malformed, "T" too
 * large; an error is followed by its status. */
static const struct {
    const char *in, *frames;
} rows[] = {
    {HEAD "Content-Length: 5\r\n\r\nhello", "m87 -"},
    {HEAD "l:0\r\n\r\n" HEAD "L : 1\r\n\r\nx", "m68 m71 -"},
    {HEAD "Content-Length:\r\n 5\r\n\r\nhello", "m89 -"},
    {HEAD "Content-Length: 0000000000000000000000000000005\r\n\r\nhello", "m117 -"},
    {"\r\n\r\n\r\n" HEAD "l: 0\r\n\r\n\r\n\r\n", "k c m69 k -"},
    {"\r\n", "-"},
    {"\r\n\r", "-"},
    {"\r\n\r\n", "k -"},
    {"", "-"},
    {HEAD "Content-Length: 5\r\n\r\nhell", "-"},
    {HEAD "Content-Length: 5\r\n", "-"},
    {HEAD "Content-Length: 2\r\n\r\n\r\r"
          "x",
     "m84 -"}, /* a body may hold anything */
    {"SIP/2.0 200 OK\r\nl: 3\r\n\r\n\n\n\n", "m27 -"},
    {"\r\rX", "4 400"},
    {"\rX", "4 400"},
    {"\nX", "4 400"},
    {"\x16\x03\x01", "4 400"},
    {HEAD "X: a\nContent-Length: 0\r\n\r\n", "4 400"},
    {HEAD "X: a\rContent-Length: 0\r\n\r\n", "4 400"},
    {HEAD "X: a\n\nContent-Length: 0", "4 400"},
    {HEAD "\r\n", "4 400"},
    {HEAD "X: l: 5\r\n\r\n", "4 400"},
    {HEAD "X: y\r\n Content-Length: 5\r\n\r\nhello", "4 400"}, /* a fold, not a field */
    {HEAD "Content-Length: 5\r\nl: 5\r\n\r\nhello", "4 400"},
    {HEAD "Content-Length: 5\r\nl: 6\r\n\r\nhello!", "4 400"},
    {HEAD "Content-Length: 5,5\r\n\r\nhello", "4 400"},
    {HEAD "Content-Length: -5\r\n\r\nhello", "4 400"},
    {HEAD "Content-Length: +5\r\n\r\nhello", "4 400"},
    {HEAD "Content-Length: 0x5\r\n\r\nhello", "4 400"},
    {HEAD "Content-Length: 5 5\r\n\r\nhello", "4 400"},
    {HEAD "Content-Length: 1\r\n 5\r\n\r\nhello", "4 400"},
    {HEAD "Content-Length: \r\n\r\nhello", "4 400"},
    {HEAD "Content-Length 5\r\n\r\nhello", "4 400"},
    {"SIP/2.0 200 OK\r\n\r\n", "4 0"}, /* nothing is answered to a response */
    {HEAD "Content-Length: 51\r\n\r\n", "T 413"},
    {HEAD "Content-Length: 2147483648\r\n\r\n", "T 413"},
    {HEAD "Content-Length: 4294967301\r\n\r\nhello", "T 413"},
    {HEAD "Content-Length: 18446744073709551621\r\n\r\nhello", "T 413"},
    {HEAD "X: 10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
          "200000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
          "30000000000000000000000000000000000",
     "T 513"},
};

static void append_result(struct buf *out, int kind, size_t len, const struct message_fault *fault)
{
    if (kind == FRAME_MESSAGE)
        buf_printf(out, "m%zu ", len);
    else if (kind == FRAME_CRLF || kind == FRAME_KEEPALIVE)
        buf_printf(out, "%s ", kind == FRAME_CRLF ? "c" : "k");
    else
        buf_printf(out, "%s %u ", kind == ERR_MALFORMED ? "4" : "T", (unsigned)fault->status);
}

/* Feeds `in` as it would arrive: first `first` octets, then `step` at a time. */
static void run(struct guard *guard, struct slice in, size_t first, size_t step, struct buf *out)
{
    struct framer f;
    size_t begin = 0, have = first;
    framer_init(&f);
    for (;;) {
        struct message_fault fault = {0};
        size_t len = 0;
        struct slice window = guard_prefix(guard, slice_skip(in, begin), have - begin);
        int kind = framer_next(&f, window, MAX_HEAD, MAX_BODY, &len, &fault);
        if (kind == ERR_NEED_MORE && have < in.len) {
            have = have + step < in.len ? have + step : in.len;
        } else if (kind >= 0) {
            assert_true(len > 0 && len <= window.len);
            append_result(out, kind, len, &fault);
            begin += len;
        } else {
            if (kind == ERR_NEED_MORE)
                buf_append_str(out, "-");
            else
                append_result(out, kind, 0, &fault);
            return;
        }
    }
}

static void test_every_split(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice in = slice_str(rows[i].in);
        struct guard guard = guard_copy(in);
        for (size_t first = 0; first <= in.len; first++) {
            for (size_t step = 1; step <= 1001; step += 500) {
                buf_reset(&out);
                run(&guard, in, first, step, &out);
                if (!slice_eq(slice_trim(buf_slice(&out)), slice_str(rows[i].frames)))
                    fail_msg("%s\nsplit at %zu, then %zu: got \"%.*s\", want \"%s\"", rows[i].in, first, step,
                             SLICE_ARG(buf_slice(&out)), rows[i].frames);
            }
        }
        guard_free(&guard);
    }
    buf_deinit(&out);
}

/* A sender of one octet at a time costs no rescans: what was scanned is not looked at again. */
static void test_linear(void **state)
{
    enum { SIZE = 1 << 20 };
    struct framer f;
    struct message_fault fault;
    size_t len;
    char *in = malloc(SIZE);
    (void)state;
    assert_non_null(in);
    memset(in, 'a', SIZE);
    framer_init(&f);
    for (size_t n = 1; n <= SIZE; n++)
        assert_int_equal(framer_next(&f, slice_make(in, n), SIZE, 10, &len, &fault), ERR_NEED_MORE);
    free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_split), cmocka_unit_test(test_linear)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
