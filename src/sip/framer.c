/* Message borders in a byte stream. RFC 3261 §18.3, §7.5, §20.14; RFC 5626 §4.4.1. */
#include "sip/framer.h"

#include "base/err.h"
#include "sip/lex.h"
#include "sip/line.h"

void framer_init(struct framer *f)
{
    *f = (struct framer){0};
}

static int fail(struct slice in, int err, uint16_t status, const char *reason, const char *at,
                struct message_fault *ret_fault)
{
    /* A response has no answer: the connection is closed without a word. */
    bool response = in.len >= 4 && lex_eq_lower(slice_head(in, 4), SLICE("sip/"));
    *ret_fault = (struct message_fault){
        .status = response ? 0 : status, .reason = reason, .offset = (size_t)(at - in.ptr)};
    return err;
}

/* CRLF between messages. With fewer than four octets it is not known yet whether CRLF is half a keep-alive. */
static int take_crlf(struct slice in, size_t *ret_len, struct message_fault *ret_fault)
{
    static const char keepalive[4] = {'\r', '\n', '\r', '\n'};
    size_t same = 0;
    while (same < in.len && same < sizeof(keepalive) && in.ptr[same] == keepalive[same])
        same++;
    if (same < sizeof(keepalive) && same == in.len)
        return ERR_NEED_MORE;
    if (same < 2)
        return fail(in, ERR_MALFORMED, 400, "Bad Line End", in.ptr, ret_fault);
    *ret_len = same == sizeof(keepalive) ? 4 : 2;
    return same == sizeof(keepalive) ? FRAME_KEEPALIVE : FRAME_CRLF;
}

/* The one Content-Length of the head. On a stream there must be one (§18.3, §20.14). */
static int read_length(struct framer *f, struct slice in, size_t max_body, struct message_fault *ret_fault)
{
    struct line line;
    struct slice value = SLICE_NONE;
    uint32_t len;
    const char *end = in.ptr + f->head_len - 2, *p = line_read_first(in.ptr, end, &line);
    while (p != NULL && p < end) {
        p = line_read(p, end, &line);
        if (p == NULL || !slice_is_set(line.name) || line.id != HEADER_CONTENT_LENGTH)
            continue;
        if (slice_is_set(value))
            return fail(in, ERR_MALFORMED, 400, "Content-Length Repeated", line.text.ptr, ret_fault);
        value = line.value;
    }
    if (!slice_is_set(value))
        return fail(in, ERR_MALFORMED, 400, "Missing Content-Length", in.ptr, ret_fault);
    int err = slice_to_u32(value, INT32_MAX, &len);
    if (err == ERR_MALFORMED)
        return fail(in, ERR_MALFORMED, 400, "Bad Content-Length", value.ptr, ret_fault);
    if (err != ERR_NONE || len > max_body)
        return fail(in, ERR_TOO_LARGE, 413, "Message Body Too Large", value.ptr, ret_fault);
    f->body_len = len;
    return ERR_NONE;
}

/* A CR or LF alone would end a line for some readers and not for others (defects.md row 44). Looks from `p`; a CR at
 * the end is not judged yet. */
static const char *find_bare_line_end(struct slice in, const char *p, const char *end)
{
    for (; (p = lex_find_special(p, end)) < end; p++) {
        if (*p == '\n' && (p == in.ptr || p[-1] != '\r'))
            return p;
        if (*p == '\r' && end - p > 1 && p[1] != '\n')
            return p;
    }
    return NULL;
}

/* Looks for the empty line behind what was looked at before. The outcome is the same for any split: whatever is wrong
 * within max_head comes before being too large. */
static int find_head(struct framer *f, struct slice in, size_t max_head, struct message_fault *ret_fault)
{
    struct slice seen = slice_head(in, max_head);
    const char *start = in.ptr + f->scanned, *end = slice_end(seen);
    const char *empty = memmem(start, (size_t)(end - start), "\r\n\r\n", 4);
    const char *bare = find_bare_line_end(in, start, empty == NULL ? end : empty + 4);
    if (bare != NULL)
        return fail(in, ERR_MALFORMED, 400, "Bad Line End", bare, ret_fault);
    if (empty != NULL) {
        f->head_len = (size_t)(empty - in.ptr) + 4;
        return ERR_NONE;
    }
    if (in.len > max_head)
        return fail(in, ERR_TOO_LARGE, 513, "Message Head Too Large", end, ret_fault);
    f->scanned = in.len < 3 ? 0 : in.len - 3;
    return ERR_NEED_MORE;
}

int framer_next(struct framer *f, struct slice in, size_t max_head, size_t max_body, size_t *ret_len,
                struct message_fault *ret_fault)
{
    int err;
    if (in.len == 0)
        return ERR_NEED_MORE;
    if (f->head_len == 0) {
        if (in.ptr[0] == '\r')
            return take_crlf(in, ret_len, ret_fault);
        /* Neither a method nor "SIP/" can begin so: TLS, a length prefix, NULs. No need to wait for more of it. */
        if (!lex_is(in.ptr[0], LEX_TOKEN))
            return fail(in, ERR_MALFORMED, 400, "Not SIP", in.ptr, ret_fault);
        err = find_head(f, in, max_head, ret_fault);
        if (err == ERR_NONE)
            err = read_length(f, in, max_body, ret_fault);
        if (err != ERR_NONE)
            return err;
    }
    if (in.len - f->head_len < f->body_len)
        return ERR_NEED_MORE;
    *ret_len = f->head_len + f->body_len;
    framer_init(f);
    return FRAME_MESSAGE;
}
