/* message/cpim: writing. RFC 3862 §2.3 (escapes), §5; RFC 5438 §6 (IMDN headers). */
#include "base/err.h"
#include "sip/cpim.h"
#include "sip/date.h"
#include "sip/lex.h"

/* What would end a line, a quoted string or a bracket becomes an escape, so no value can add a header. */
static void append_escaped(struct buf *out, struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\r')
            buf_append(out, SLICE("\\r"));
        else if (c == '\n')
            buf_append(out, SLICE("\\n"));
        else if (c == '\t')
            buf_append(out, SLICE("\\t"));
        else if (c == '\b')
            buf_append(out, SLICE("\\b"));
        else if (c == '\\')
            buf_append(out, SLICE("\\\\"));
        else if ((unsigned char)c < ' ' || c == 0x7F) {
            buf_append(out, SLICE("\\u00"));
            buf_append_hex(out, &c, 1);
        } else
            buf_append_char(out, c);
    }
}

static void append_header(struct buf *out, const char *name, struct slice value)
{
    buf_append_str(out, name);
    buf_append(out, SLICE(": "));
    append_escaped(out, value);
    buf_append(out, SLICE("\r\n"));
}

/* A URI holds no ">" by its grammar; one that does cannot be written. */
static void append_uri_header(struct buf *out, const char *name, struct slice uri)
{
    if (uri.len > 0 && memchr(uri.ptr, '>', uri.len) != NULL) {
        out->failed = true;
        return;
    }
    buf_append_str(out, name);
    buf_append(out, SLICE(": <"));
    append_escaped(out, uri);
    buf_append(out, SLICE(">\r\n"));
}

/* MIME headers know no escapes: a control character makes the buffer fail. */
static void append_mime_header(struct buf *out, const char *name, struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 0x7F) {
            out->failed = true;
            return;
        }
    }
    buf_append_str(out, name);
    buf_append(out, SLICE(": "));
    buf_append(out, value);
    buf_append(out, SLICE("\r\n"));
}

/* DateTime is of RFC 3339: "2010-11-13T23:29:00Z", from the text of Date. */
static void append_date_time(struct buf *out, int64_t seconds)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct buf date;
    buf_init(&date, 64);
    date_append(&date, seconds);
    if (!buf_ok(&date)) {
        out->failed = true;
        buf_deinit(&date);
        return;
    }
    const char *d = date.ptr; /* "Sat, 13 Nov 2010 23:29:00 GMT" */
    unsigned month = 0;
    while (memcmp(months + 3 * month, d + 8, 3) != 0)
        month++;
    buf_printf(out, "DateTime: %.4s-%02u-%.2sT%.8sZ\r\n", d + 12, month + 1, d + 5, d + 17);
    buf_deinit(&date);
}

void cpim_append(struct buf *out, const struct cpim_out *c)
{
    append_uri_header(out, "From", c->from);
    append_uri_header(out, "To", c->to);
    append_date_time(out, c->date_seconds);
    if (slice_is_set(c->message_id) || slice_is_set(c->disposition))
        buf_append(out, SLICE("NS: imdn <urn:ietf:params:imdn>\r\n"));
    if (slice_is_set(c->message_id))
        append_header(out, "imdn.Message-ID", c->message_id);
    if (slice_is_set(c->disposition))
        append_header(out, "imdn.Disposition-Notification", c->disposition);
    buf_append(out, SLICE("\r\n"));
    append_mime_header(out, "Content-Type", c->content_type);
    buf_append(out, SLICE("\r\n"));
    buf_append(out, c->body);
}
