/* The one escape for terminals and the one for JSON (defects.md, "injection sinks"). */
#include "cmd/telex_print.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/buf.h"

#define TEXT_MAX 1048576

/* Octets of the UTF-8 sequence at the start of `s` and its code point, or 0 when it is none (RFC 3629: no overlong
 * form, no surrogate). */
static size_t decode(struct slice s, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t len = p[0] < 0x80             ? 1
                 : (p[0] & 0xe0) == 0xc0 ? 2
                 : (p[0] & 0xf0) == 0xe0 ? 3
                 : (p[0] & 0xf8) == 0xf0 ? 4
                                         : 0;
    if (len == 0 || len > s.len)
        return 0;
    uint32_t c = len == 1 ? p[0] : p[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return len;
}

/* Controls, line and paragraph separators, and the directional marks of Unicode TR 9. */
static bool is_dangerous(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void telex_print_text(FILE *out, struct slice text, const char *indent)
{
    while (text.len > 0) {
        uint32_t c = 0;
        size_t len = decode(text, &c);
        if (len == 0)
            fprintf(out, "\\x%02x", (unsigned char)text.ptr[0]);
        else if (c == '\n' && indent)
            fprintf(out, "\n%s", indent);
        else if (c == '\r' && indent && text.len > 1 && text.ptr[1] == '\n')
            ; /* half of a line end */
        else if (c == '\n')
            fputs("\\n", out);
        else if (c != '\t' && is_dangerous(c))
            fprintf(out, c < 0x100 ? "\\x%02x" : "\\u{%04x}", c);
        else
            fwrite(text.ptr, 1, len, out);
        text = slice_skip(text, len ? len : 1);
    }
}

bool telex_print_json(json_t *event)
{
    if (!event)
        return false;
    /* ASCII only: every JSON reader gets the same text, and a terminal no C1 controls and no directional marks. */
    bool ok = json_dumpf(event, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) == 0;
    json_decref(event);
    ok = ok && putchar('\n') != EOF;
    return fflush(stdout) == 0 && ok;
}

json_t *telex_print_string(const char *text)
{
    if (!text)
        return json_null();
    json_t *string = json_string(text);
    if (string)
        return string;
    struct buf shown;
    buf_init(&shown, TEXT_MAX);
    for (struct slice rest = slice_str(text); rest.len > 0;) {
        uint32_t c;
        size_t len = decode(rest, &c);
        if (len)
            buf_append(&shown, slice_head(rest, len));
        else
            buf_printf(&shown, "\\x%02x", (unsigned char)rest.ptr[0]);
        rest = slice_skip(rest, len ? len : 1);
    }
    string = buf_ok(&shown) ? json_stringn(shown.ptr, shown.len) : NULL;
    buf_deinit(&shown);
    return string;
}

void telex_print_body(json_t *event, const void *body, size_t len)
{
    json_t *text = json_stringn(body, len);
    if (text) {
        json_object_set_new(event, "text", text);
        return;
    }
    unsigned char *encoded = malloc(len / 3 * 4 + 5);
    if (encoded && len < TEXT_MAX) {
        int size = EVP_EncodeBlock(encoded, body, (int)len);
        json_object_set_new(event, "base64", json_stringn((const char *)encoded, (size_t)size));
    }
    free(encoded);
}
