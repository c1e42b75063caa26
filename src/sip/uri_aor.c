/* The canonical address-of-record of a URI. RFC 3261 §10.3 step 5. */
#include "base/err.h"
#include "sip/lex.h"
#include "sip/uri.h"

static void append_user(struct buf *out, struct slice user)
{
    static const char hex[] = "0123456789ABCDEF";
    const char *p = user.ptr, *end = slice_end(user);
    while (p < end) {
        char c = *p;
        if (lex_is_escape(p, end)) {
            c = (char)(lex_hex_value(p[1]) << 4 | lex_hex_value(p[2]));
            p += 3;
        } else {
            p++;
        }
        if (lex_is(c, LEX_USER)) {
            buf_append_char(out, c);
        } else {
            buf_append_char(out, '%');
            buf_append_char(out, hex[(unsigned char)c >> 4]);
            buf_append_char(out, hex[(unsigned char)c & 15]);
        }
    }
}

int uri_append_aor_at(struct buf *out, const struct uri *u, struct slice host)
{
    if (u->scheme != URI_SIP && u->scheme != URI_SIPS)
        return ERR_MALFORMED;
    buf_append(out, SLICE("sip:"));
    if (slice_is_set(u->user)) {
        append_user(out, u->user);
        buf_append_char(out, '@');
    }
    /* "example.com." is the same name, written with the root's dot. */
    if (host.len > 1 && host.ptr[host.len - 1] == '.')
        host.len--;
    for (size_t i = 0; i < host.len; i++)
        buf_append_char(out, lex_lower(host.ptr[i]));
    return ERR_NONE;
}

int uri_append_aor(struct buf *out, const struct uri *u)
{
    return uri_append_aor_at(out, u, u->host);
}
