/* The lexical rules: white space, quoted strings, what may stand in a line. */
#include "sip/lex.h"

#include "support/check.h"

static const struct {
    const char *text;
    size_t len;
    int at; /* -1: legal */
} lines[] = {
#define ROW(text, at)                                                                                                  \
    {                                                                                                                  \
        text, sizeof(text) - 1, at                                                                                     \
    }
    ROW("", -1),
    ROW("plain text", -1),
    ROW("tab\there", -1),
    ROW("fold\r\n here", -1),
    ROW("fold\r\n\there\r\n  twice", -1),
    ROW("J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80", -1),
    ROW("\"bell \\\x07 nul \\\x00 del \\\x7f\"", -1), /* RFC 4475 intmeth: quoted-pairs */
    ROW("\xc2\xa0", -1),
    ROW("nul\x00", 3),
    ROW("esc\x1b", 3),
    ROW("del\x7f", 3),
    ROW("bare\rcr", 4),
    ROW("bare\nlf", 4),
    ROW("crlf\r\nno fold", 4),
    ROW("end\r", 3),
    ROW("end\r\n", 3),
    ROW("\\\x07 outside quotes", 1),
    ROW("\"closed\" \\\x07", 10),
    ROW("\"\\\r\n \"", 1),
    ROW("\"\\\n\"", 1),
    ROW("\"\\\xc3\xbc\"", 1),
    ROW("\"\x07\"", 1),
    ROW("c1 \xc2\x85", 3),
    ROW("c1 \xc2\x9b[2K", 3),
    ROW("latin \xfc", 6),
    ROW("cut \xc3", 4),
    ROW("cut \xe2\x82", 4),
    ROW("cut \xf0\x9f\x98", 4),
    ROW("overlong \xc0\xaf", 9),
    ROW("overlong \xe0\x80\xaf", 9),
    ROW("overlong \xf0\x80\x80\xaf", 9),
    ROW("surrogate \xed\xa0\x80", 10),
    ROW("beyond \xf4\x90\x80\x80", 7),
    ROW("old \xf8\x88\x80\x80\x80", 4),
    ROW("stray \x80", 6),
    ROW("bad tail \xe2\x82z", 9),
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct guard guard = guard_copy(slice_make(lines[i].text, lines[i].len));
        const char *at = lex_find_illegal(guard.in.ptr, slice_end(guard.in));
        check_row(lines[i].at < 0 ? at == NULL : at == guard.in.ptr + lines[i].at, lines[i].text);
        guard_free(&guard);
    }
}

/* Every octet at every place of a word, against the plain definition. */
static void test_find_special(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 20; len++) {
        char text[20];
        memset(text, 'a', sizeof(text));
        struct guard guard = guard_copy(slice_make(text, len));
        char *in = guard.pages + guard.size - len;
        assert_ptr_equal(lex_find_special(in, in + len), in + len);
        for (size_t at = 0; at < len; at++) {
            for (int c = 0; c < 256; c++) {
                in[at] = (char)c;
                bool special = c < 0x20 || c >= 0x7f;
                assert_ptr_equal(lex_find_special(in, in + len), special ? in + at : in + len);
            }
            in[at] = 'a';
        }
        guard_free(&guard);
    }
}

static void test_lws(void **state)
{
    static const struct {
        const char *text;
        size_t skipped;
    } rows[] = {
        {"", 0},     {"x", 0},    {" x", 1},   {"\t x", 2}, {"\r\n x", 3}, {" \r\n\t x", 5}, {"\r\nx", 0},
        {"\r x", 0}, {"\n x", 0}, {"\r\n", 0}, {"\r", 0},   {" \r\n", 1},  {" \r\nx", 1},    {"\r\n \r\n x", 6},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct guard guard = guard_copy(slice_str(rows[i].text));
        check_row(lex_skip_sws(guard.in.ptr, slice_end(guard.in)) == guard.in.ptr + rows[i].skipped, rows[i].text);
        guard_free(&guard);
    }
}

static void test_escapes(void **state)
{
    static const struct {
        const char *text;
        size_t span;
    } rows[] = {{"a%41b@", 5}, {"a%4", 1}, {"%", 0}, {"%zz", 0}, {"%%41", 0}, {"%41%42", 6}, {"", 0}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct guard guard = guard_copy(slice_str(rows[i].text));
        check_row(lex_span_escaped(guard.in.ptr, slice_end(guard.in), LEX_USER) == guard.in.ptr + rows[i].span,
                  rows[i].text);
        guard_free(&guard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_find_special),
        cmocka_unit_test(test_lws),
        cmocka_unit_test(test_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
