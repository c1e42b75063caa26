/* Building messages. RFC 3261 §7, §8.2.6. */
#include "sip/build.h"

#include "base/err.h"
#include "sip/cseq.h"
#include "sip/lex.h"

static const struct {
    uint16_t status;
    struct slice text;
} reasons[] = {
    {100, SLICE_INIT("Trying")},
    {180, SLICE_INIT("Ringing")},
    {181, SLICE_INIT("Call Is Being Forwarded")},
    {182, SLICE_INIT("Queued")},
    {183, SLICE_INIT("Session Progress")},
    {200, SLICE_INIT("OK")},
    {202, SLICE_INIT("Accepted")},
    {204, SLICE_INIT("No Notification")},
    {300, SLICE_INIT("Multiple Choices")},
    {301, SLICE_INIT("Moved Permanently")},
    {302, SLICE_INIT("Moved Temporarily")},
    {305, SLICE_INIT("Use Proxy")},
    {380, SLICE_INIT("Alternative Service")},
    {400, SLICE_INIT("Bad Request")},
    {401, SLICE_INIT("Unauthorized")},
    {402, SLICE_INIT("Payment Required")},
    {403, SLICE_INIT("Forbidden")},
    {404, SLICE_INIT("Not Found")},
    {405, SLICE_INIT("Method Not Allowed")},
    {406, SLICE_INIT("Not Acceptable")},
    {407, SLICE_INIT("Proxy Authentication Required")},
    {408, SLICE_INIT("Request Timeout")},
    {410, SLICE_INIT("Gone")},
    {412, SLICE_INIT("Conditional Request Failed")},
    {413, SLICE_INIT("Request Entity Too Large")},
    {414, SLICE_INIT("Request-URI Too Long")},
    {415, SLICE_INIT("Unsupported Media Type")},
    {416, SLICE_INIT("Unsupported URI Scheme")},
    {420, SLICE_INIT("Bad Extension")},
    {421, SLICE_INIT("Extension Required")},
    {423, SLICE_INIT("Interval Too Brief")},
    {430, SLICE_INIT("Flow Failed")},
    {439, SLICE_INIT("First Hop Lacks Outbound Support")},
    {440, SLICE_INIT("Max-Breadth Exceeded")},
    {480, SLICE_INIT("Temporarily Unavailable")},
    {481, SLICE_INIT("Call/Transaction Does Not Exist")},
    {482, SLICE_INIT("Loop Detected")},
    {483, SLICE_INIT("Too Many Hops")},
    {484, SLICE_INIT("Address Incomplete")},
    {485, SLICE_INIT("Ambiguous")},
    {486, SLICE_INIT("Busy Here")},
    {487, SLICE_INIT("Request Terminated")},
    {488, SLICE_INIT("Not Acceptable Here")},
    {489, SLICE_INIT("Bad Event")},
    {491, SLICE_INIT("Request Pending")},
    {493, SLICE_INIT("Undecipherable")},
    {500, SLICE_INIT("Server Internal Error")},
    {501, SLICE_INIT("Not Implemented")},
    {502, SLICE_INIT("Bad Gateway")},
    {503, SLICE_INIT("Service Unavailable")},
    {504, SLICE_INIT("Server Time-out")},
    {505, SLICE_INIT("Version Not Supported")},
    {513, SLICE_INIT("Message Too Large")},
    {600, SLICE_INIT("Busy Everywhere")},
    {603, SLICE_INIT("Decline")},
    {604, SLICE_INIT("Does Not Exist Anywhere")},
    {606, SLICE_INIT("Not Acceptable")},
};

/* §21: an unknown code is treated as the x00 of its class. */
static const struct slice class_reasons[] = {SLICE_INIT("Trying"),       SLICE_INIT("OK"),
                                             SLICE_INIT("Redirection"),  SLICE_INIT("Bad Request"),
                                             SLICE_INIT("Server Error"), SLICE_INIT("Global Failure")};

struct slice build_reason(uint16_t status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].text;
    }
    return status >= 100 && status < 700 ? class_reasons[status / 100 - 1] : SLICE("Unknown");
}

/* Appends text into a line; what would end the line makes the buffer fail. A fold may stay. */
static void append_text(struct buf *out, struct slice text)
{
    const char *p = text.ptr, *end = slice_end(text);
    while (p < end && (p = lex_find_special(p, end)) < end) {
        bool fold = *p == '\r' && end - p > 2 && p[1] == '\n' && lex_is_wsp(p[2]);
        if (*p == '\0' || *p == '\n' || (*p == '\r' && !fold)) {
            out->failed = true;
            return;
        }
        p += fold ? 2 : 1;
    }
    buf_append(out, text);
}

void build_request_line(struct buf *out, struct slice method, struct slice uri)
{
    append_text(out, method);
    buf_append_char(out, ' ');
    append_text(out, uri);
    buf_append(out, SLICE(" SIP/2.0\r\n"));
}

void build_status_line(struct buf *out, uint16_t status, struct slice reason)
{
    buf_append(out, SLICE("SIP/2.0 "));
    buf_append_u64(out, status);
    buf_append_char(out, ' ');
    append_text(out, slice_is_set(reason) ? reason : build_reason(status));
    buf_append(out, SLICE("\r\n"));
}

void build_other(struct buf *out, struct slice name, struct slice value)
{
    append_text(out, name);
    buf_append(out, SLICE(": "));
    append_text(out, value);
    buf_append(out, SLICE("\r\n"));
}

void build_header(struct buf *out, enum header name, struct slice value)
{
    build_other(out, header_name(name), value);
}

void build_header_number(struct buf *out, enum header name, uint64_t value)
{
    buf_append(out, header_name(name));
    buf_append(out, SLICE(": "));
    buf_append_u64(out, value);
    buf_append(out, SLICE("\r\n"));
}

void build_line(struct buf *out, const struct header_line *h)
{
    buf_append(out, h->line);
    buf_append(out, SLICE("\r\n"));
}

void build_end(struct buf *out, struct slice body)
{
    build_header_number(out, HEADER_CONTENT_LENGTH, body.len);
    buf_append(out, SLICE("\r\n"));
    buf_append(out, body);
}

static void append_lines(struct buf *out, const struct message *m, const struct header_line *h)
{
    for (; h != NULL; h = message_next_header(m, h))
        build_line(out, h);
}

static void append_vias(struct buf *out, const struct message *request, struct slice received_top_via)
{
    struct via via;
    size_t fault;
    const struct header_line *top = message_header(request, HEADER_VIA);
    if (top == NULL)
        return;
    int n = slice_is_set(received_top_via) ? via_parse(top->value, &via, &fault) : -1;
    if (n < 0) {
        append_lines(out, request, top);
        return;
    }
    buf_append(out, SLICE("Via: "));
    append_text(out, received_top_via);
    buf_append(out, slice_skip(top->value, (size_t)n)); /* further values of the same line */
    buf_append(out, SLICE("\r\n"));
    append_lines(out, request, message_next_header(request, top));
}

static void append_to(struct buf *out, const struct message *request, struct slice to_tag)
{
    struct addr to;
    const struct header_line *h = message_header(request, HEADER_TO);
    if (h == NULL)
        return;
    buf_append(out, h->line);
    if (slice_is_set(to_tag) && message_to(request, &to) == ERR_NONE && !slice_is_set(addr_tag(&to))) {
        buf_append(out, SLICE(";tag="));
        append_text(out, to_tag);
    }
    buf_append(out, SLICE("\r\n"));
}

void build_response(struct buf *out, const struct message *request, uint16_t status, struct slice reason,
                    struct slice to_tag, struct slice received_top_via)
{
    static const enum header copied[] = {HEADER_FROM, HEADER_CALL_ID, HEADER_CSEQ};
    build_status_line(out, status, reason);
    append_vias(out, request, received_top_via);
    append_to(out, request, to_tag);
    for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++) {
        const struct header_line *h = message_header(request, copied[i]);
        if (h != NULL && (h->id != HEADER_CSEQ || h->value.len <= CSEQ_LEN_MAX))
            build_line(out, h);
    }
    /* §8.2.6.1 */
    if (status == 100 && message_header(request, HEADER_TIMESTAMP) != NULL)
        build_line(out, message_header(request, HEADER_TIMESTAMP));
}
