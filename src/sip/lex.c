/* The lexical rules of SIP. RFC 3261 §25.1. */
#include "sip/lex.h"

#define ALL (LEX_TOKEN | LEX_WORD | LEX_USER | LEX_PASSWORD | LEX_PARAM | LEX_HEADER | LEX_URIC | LEX_VALUE)
#define URI (LEX_USER | LEX_PASSWORD | LEX_PARAM | LEX_HEADER | LEX_URIC) /* unreserved */
#define TOK (LEX_TOKEN | LEX_WORD | LEX_VALUE)

const uint16_t lex_classes[256] = {
    ['0' ... '9'] = ALL | LEX_DIGIT | LEX_HEXDIG | LEX_PHONE,
    ['A' ... 'F'] = ALL | LEX_ALPHA | LEX_HEXDIG | LEX_PHONE,
    ['G' ... 'Z'] = ALL | LEX_ALPHA,
    ['a' ... 'f'] = ALL | LEX_ALPHA | LEX_HEXDIG | LEX_PHONE,
    ['g' ... 'z'] = ALL | LEX_ALPHA,
    /* mark */
    ['-'] = URI | TOK | LEX_PHONE,
    ['_'] = URI | TOK,
    ['.'] = URI | TOK | LEX_PHONE,
    ['!'] = URI | TOK,
    ['~'] = URI | TOK,
    ['*'] = URI | TOK | LEX_PHONE,
    ['\''] = URI | TOK,
    ['('] = URI | LEX_WORD | LEX_PHONE,
    [')'] = URI | LEX_WORD | LEX_PHONE,
    /* reserved */
    [';'] = LEX_USER | LEX_URIC,
    ['/'] = LEX_USER | LEX_PARAM | LEX_HEADER | LEX_URIC | LEX_WORD,
    ['?'] = LEX_USER | LEX_HEADER | LEX_URIC | LEX_WORD,
    [':'] = LEX_PARAM | LEX_HEADER | LEX_URIC | LEX_WORD | LEX_VALUE,
    ['@'] = LEX_URIC,
    ['&'] = LEX_USER | LEX_PASSWORD | LEX_PARAM | LEX_URIC,
    ['='] = LEX_USER | LEX_PASSWORD | LEX_URIC,
    ['+'] = LEX_USER | LEX_PASSWORD | LEX_PARAM | LEX_HEADER | LEX_URIC | TOK | LEX_PHONE,
    ['$'] = LEX_USER | LEX_PASSWORD | LEX_PARAM | LEX_HEADER | LEX_URIC,
    [','] = LEX_USER | LEX_PASSWORD | LEX_URIC,
    ['['] = LEX_PARAM | LEX_HEADER | LEX_URIC | LEX_WORD | LEX_VALUE,
    [']'] = LEX_PARAM | LEX_HEADER | LEX_URIC | LEX_WORD | LEX_VALUE,
    /* the rest */
    ['%'] = TOK,
    ['`'] = TOK,
    ['#'] = LEX_PHONE,
    ['<'] = LEX_WORD,
    ['>'] = LEX_WORD,
    ['\\'] = LEX_WORD,
    ['"'] = LEX_WORD,
    ['{'] = LEX_WORD,
    ['}'] = LEX_WORD,
};

/* LWS = [*WSP CRLF] 1*WSP, repeated: some senders fold twice in a row. */
const char *lex_skip_lws(const char *p, const char *end)
{
    for (;;) {
        while (p < end && lex_is_wsp(*p))
            p++;
        if (end - p < 3 || p[0] != '\r' || p[1] != '\n' || !lex_is_wsp(p[2]))
            return p;
        p += 3;
    }
}

/* quoted-string = SWS DQUOTE *(qdtext / quoted-pair) DQUOTE; quoted-pair = "\" (%x00-09 / %x0B-0C / %x0E-7F) */
const char *lex_quoted(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '"')
            return p + 1;
        if (*p == '\\') {
            p++;
            if (p == end || *p == '\r' || *p == '\n' || (unsigned char)*p >= 0x80)
                return NULL;
        }
    }
    return NULL;
}

/* Length of the well-formed UTF-8 sequence at `p` that is no C1 control, or 0. RFC 3629 §4. */
static size_t utf8_length(const char *p, const char *end)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t left = (size_t)(end - p);
    unsigned low = 0x80, high = 0xBF;
    size_t len;
    if (u[0] < 0xC2)
        return 0;
    if (u[0] < 0xE0) {
        len = 2;
        low = u[0] == 0xC2 ? 0xA0 : 0x80; /* U+0080..U+009F are the C1 controls */
    } else if (u[0] < 0xF0) {
        len = 3;
        low = u[0] == 0xE0 ? 0xA0 : 0x80;  /* overlong */
        high = u[0] == 0xED ? 0x9F : 0xBF; /* surrogates */
    } else if (u[0] < 0xF5) {
        len = 4;
        low = u[0] == 0xF0 ? 0x90 : 0x80;
        high = u[0] == 0xF4 ? 0x8F : 0xBF;
    } else {
        return 0;
    }
    if (left < len || u[1] < low || u[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((u[i] & 0xC0) != 0x80)
            return 0;
    }
    return len;
}

const char *lex_find_illegal(const char *p, const char *end)
{
    bool quoted = false;
    while (p < end) {
        unsigned char c = (unsigned char)*p;
        if (c >= 0x80) {
            size_t len = utf8_length(p, end);
            if (len == 0)
                return p;
            p += len;
        } else if (c == '\r') {
            if (end - p < 3 || p[1] != '\n' || !lex_is_wsp(p[2]))
                return p;
            p += 3;
        } else if ((c < 0x20 && c != '\t') || c == 0x7F) {
            return p;
        } else if (c == '\\' && quoted) {
            if (end - p < 2 || p[1] == '\r' || p[1] == '\n' || (unsigned char)p[1] >= 0x80)
                return p;
            p += 2;
        } else {
            if (c == '"')
                quoted = !quoted;
            p++;
        }
    }
    return NULL;
}
