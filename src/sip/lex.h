/* The lexical rules of SIP: character classes, white space with folds, tokens, quoted strings, UTF-8. RFC 3261 §25.1.
 * Every function takes a cursor and an end and never looks at or behind the end (defects.md row 9). */
#ifndef SIP_LEX_H
#define SIP_LEX_H

#include "base/slice.h"

enum {
    LEX_ALPHA = 0x001,
    LEX_DIGIT = 0x002,
    LEX_HEXDIG = 0x004,
    LEX_TOKEN = 0x008,
    LEX_WORD = 0x010,     /* of Call-ID */
    LEX_USER = 0x020,     /* unreserved / user-unreserved */
    LEX_PASSWORD = 0x040, /* unreserved and "&=+$," */
    LEX_PARAM = 0x080,    /* paramchar of a URI parameter, without escapes */
    LEX_HEADER = 0x100,   /* hnv-unreserved / unreserved */
    LEX_URIC = 0x200,     /* of a URI that is not SIP's, with "[" and "]" of RFC 3986 */
    LEX_VALUE = 0x400,    /* gen-value without quotes: token / host; ":" bare too, see params.c */
    LEX_PHONE = 0x800,    /* phonedigit-hex / "+" of RFC 3966 */
    LEX_ALNUM = LEX_ALPHA | LEX_DIGIT,
};

extern const uint16_t lex_classes[256];

static inline bool lex_is(char c, unsigned class)
{
    return (lex_classes[(unsigned char)c] & class) != 0;
}
static inline char lex_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}
/* Value of one HEXDIG. */
static inline unsigned lex_hex_value(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}
/* First octet that is not of the class. */
static inline const char *lex_span(const char *p, const char *end, unsigned class)
{
    while (p < end && lex_is(*p, class))
        p++;
    return p;
}
/* escaped = "%" HEXDIG HEXDIG */
static inline bool lex_is_escape(const char *p, const char *end)
{
    return end - p >= 3 && p[0] == '%' && lex_is(p[1], LEX_HEXDIG) && lex_is(p[2], LEX_HEXDIG);
}
/* As lex_span, with escapes allowed; a broken escape ends the span, so it is an illegal character to the caller. */
static inline const char *lex_span_escaped(const char *p, const char *end, unsigned class)
{
    for (;;) {
        p = lex_span(p, end, class);
        if (!lex_is_escape(p, end))
            return p;
        p += 3;
    }
}
static inline bool lex_is_wsp(char c)
{
    return c == ' ' || c == '\t';
}
/* Skips SWS; lex_skip_lws is its part for white space that is there. */
const char *lex_skip_lws(const char *p, const char *end);
static inline const char *lex_skip_sws(const char *p, const char *end)
{
    if (p < end && (unsigned char)*p <= ' ')
        return lex_skip_lws(p, end);
    return p;
}
/* SWS `c` SWS: behind it, or NULL when `c` does not come next. */
static inline const char *lex_skip_separator(const char *p, const char *end, char c)
{
    p = lex_skip_sws(p, end);
    return p < end && *p == c ? lex_skip_sws(p + 1, end) : NULL;
}
/* quoted-string with its quotes, `p` at the opening one: behind the closing one, or NULL when it is not closed. */
const char *lex_quoted(const char *p, const char *end);
/* Compares with a literal in lower case, letters of `p` folded. */
static inline bool lex_eq_lower(struct slice s, struct slice lower)
{
    if (s.len != lower.len)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (lex_lower(s.ptr[i]) != lower.ptr[i])
            return false;
    }
    return true;
}

#define LEX_EACH(octet) (0x0101010101010101ULL * (octet))

/* First octet that is CR, LF, NUL, another control, DEL or not ASCII, at or behind `p`; HTAB is one of them. Eight
 * octets a step: the only loop that sees every octet of a head. */
static inline const char *lex_find_special(const char *p, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    while (end - p >= 8) {
        uint64_t x;
        memcpy(&x, p, sizeof(x));
        /* The top bit of an octet is set when it is over 0x7F, under 0x20, or 0x7F. A borrow can set it wrongly only
         * above an octet that was set rightly, and the lowest one is taken. */
        uint64_t hit = (x | (x - LEX_EACH(0x20)) | ((x ^ LEX_EACH(0x7F)) - LEX_EACH(0x01))) & LEX_EACH(0x80);
        if (hit != 0)
            return p + (__builtin_ctzll(hit) >> 3);
        p += 8;
    }
#endif
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7F)
        p++;
    return p;
}
/* The first octet of a header line (or start line) that may not stand there, or NULL: NUL and other C0, DEL, C1,
 * malformed UTF-8 (overlong, surrogate, over U+10FFFF), a CR or LF that is no fold. Control characters behind a
 * backslash in a quoted string are quoted-pairs and legal (RFC 3261 §25.1, RFC 4475 §3.1.1.2). */
const char *lex_find_illegal(const char *p, const char *end);

#endif
