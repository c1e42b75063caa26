/* The structure of a message: start line, header lines, body. RFC 3261 §7, §18.3, §25.1. A fault does not end the
 * reading: the first one is kept, the rest is read on, so that an error can be answered to who sent it. */
#include "base/err.h"
#include "sip/lex.h"
#include "sip/line.h"
#include "sip/message.h"

struct parse {
    struct message *m;
    const char *start;
    struct message_fault fault;
    bool failed;
    bool is_response;
};

static void fail(struct parse *parse, uint16_t status, const char *reason, const char *at)
{
    if (parse->failed)
        return;
    parse->failed = true;
    parse->fault = (struct message_fault){.status = status, .reason = reason, .offset = (size_t)(at - parse->start)};
}

/* SIP-Version = "SIP" "/" 1*DIGIT "." 1*DIGIT, without case (§7.1). 1: ours, 0: another, -1: no version. */
static int check_version(struct slice s)
{
    static const char ours[] = "SIP/2.0";
    if (s.len == sizeof(ours) - 1 && memcmp(s.ptr, ours, s.len) == 0)
        return 1;
    if (lex_eq_lower(s, SLICE("sip/2.0")))
        return 1;
    if (s.len < 7 || !lex_eq_lower(slice_head(s, 4), SLICE("sip/")))
        return -1;
    const char *p = s.ptr + 4, *end = slice_end(s);
    const char *major = lex_span(p, end, LEX_DIGIT);
    if (major == p || major == end || *major != '.')
        return -1;
    const char *minor = lex_span(major + 1, end, LEX_DIGIT);
    return minor > major + 1 && minor == end ? 0 : -1;
}

/* Status-Line = SIP-Version SP Status-Code SP Reason-Phrase. The phrase may be empty (RFC 4475 §3.1.1.13); stray octets
 * over 0x7F are legal in it by the grammar, controls are not. */
static void parse_status_line(struct parse *parse, const struct line *line)
{
    struct slice rest, code;
    uint32_t status;
    struct slice version = slice_cut(line->text, ' ', &rest);
    if (check_version(version) != 1)
        fail(parse, 0, "Bad Version", version.ptr);
    code = slice_head(rest, 3);
    /* RFC 4475 §3.1.2.19: a status over 699 is dropped. */
    if (rest.len < 4 || rest.ptr[3] != ' ' || slice_to_u32(code, 699, &status) != ERR_NONE || status < 100) {
        fail(parse, 0, "Bad Status-Line", line->text.ptr);
        return;
    }
    parse->m->status = (uint16_t)status;
    parse->m->reason = slice_skip(rest, 4);
    for (const char *p = parse->m->reason.ptr; p < slice_end(line->text); p++) {
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7F) {
            fail(parse, 0, "Bad Reason-Phrase", p);
            return;
        }
    }
}

/* Request-Line = Method SP Request-URI SP SIP-Version: one space each, none behind (RFC 4475 §3.1.2.8 to .10; refused,
 * not repaired). */
static void parse_request_line(struct parse *parse, const struct line *line)
{
    struct message *m = parse->m;
    const char *p = line->text.ptr, *end = slice_end(line->text);
    const char *method_end = lex_span(p, end, LEX_TOKEN);
    if (method_end == p || method_end == end || *method_end != ' ') {
        fail(parse, 400, "Bad Request-Line", method_end);
        return;
    }
    m->method_name = slice_range(p, method_end);
    m->method = method_from_name(m->method_name);
    p = method_end + 1;
    const char *uri_end = memchr(p, ' ', (size_t)(end - p));
    if (uri_end == NULL || uri_end == p) {
        fail(parse, 400, "Bad Request-Line", p);
        return;
    }
    m->uri_text = slice_range(p, uri_end);
    int version = check_version(slice_range(uri_end + 1, end));
    if (version < 0)
        fail(parse, 400, "Bad Request-Line", uri_end + 1);
    else if (version == 0)
        fail(parse, 505, "Version Not Supported", uri_end + 1);
    if (line->illegal != NULL)
        fail(parse, 400, "Bad Request-Line", line->illegal);
}

static void add_header(struct parse *parse, const struct line *line, uint8_t *last)
{
    struct message *m = parse->m;
    if (m->header_count == MESSAGE_HEADERS_MAX) {
        fail(parse, 400, "Too Many Header Fields", line->text.ptr);
        return;
    }
    uint8_t index = m->header_count++;
    struct header_line *h = &m->headers[index];
    h->line = line->text;
    h->name = line->name;
    h->value = line->value;
    h->id = (uint8_t)line->id;
    h->next = MESSAGE_NO_HEADER;
    if (m->first[line->id] == MESSAGE_NO_HEADER)
        m->first[line->id] = index;
    else
        m->headers[last[line->id]].next = index;
    last[line->id] = index;
}

/* Header lines up to the empty one. Behind that, or NULL. */
static const char *parse_headers(struct parse *parse, const char *p, const char *end)
{
    uint8_t last[HEADER_COUNT]; /* valid where first[] is set */
    struct line line;
    for (;;) {
        if (end - p >= 2 && p[0] == '\r' && p[1] == '\n')
            return p + 2;
        const char *next = line_read(p, end, &line);
        if (next == NULL) {
            fail(parse, 400, "No Empty Line", p);
            return NULL;
        }
        if (line.illegal != NULL)
            fail(parse, 400, "Illegal Character", line.illegal);
        if (slice_is_set(line.name))
            add_header(parse, &line, last);
        else
            fail(parse, 400, "Bad Header Field", p);
        p = next;
    }
}

/* §18.3: Content-Length octets, the rest of a datagram is ignored; without the field all that is left. */
static void parse_body(struct parse *parse, const char *p, const char *end)
{
    uint32_t len = 0;
    struct message *m = parse->m;
    struct slice rest = slice_range(p, end);
    int err = message_number(m, HEADER_CONTENT_LENGTH, INT32_MAX, &len);
    if (err == ERR_NONE && len <= rest.len)
        rest.len = len;
    else if (err != ERR_NOT_FOUND)
        fail(parse, 400, err == ERR_MALFORMED ? "Bad Content-Length" : "Content-Length Too Large",
             message_value(m, HEADER_CONTENT_LENGTH).ptr);
    m->body = rest;
    m->raw = slice_range(parse->start, slice_end(rest));
}

static void reset(struct message *m, struct slice in)
{
    m->raw = in;
    m->body = m->method_name = m->uri_text = m->reason = SLICE_NONE;
    m->method = METHOD_OTHER;
    m->status = 0;
    m->header_count = 0;
    memset(m->first, MESSAGE_NO_HEADER, sizeof(m->first));
}

int message_parse(struct slice in, struct message *ret, struct message_fault *ret_fault)
{
    struct parse parse = {.m = ret};
    struct line line;
    const char *p = in.ptr, *end = slice_end(in);
    /* §7.5: CRLFs before the start line are ignored. */
    while (end - p >= 2 && p[0] == '\r' && p[1] == '\n')
        p += 2;
    parse.start = p;
    reset(ret, slice_range(p, end));
    p = p < end ? line_read_first(p, end, &line) : NULL;
    if (p == NULL) {
        *ret_fault = (struct message_fault){.reason = "Not SIP"};
        return ERR_MALFORMED;
    }
    parse.is_response = line.text.len >= 4 && lex_eq_lower(slice_head(line.text, 4), SLICE("sip/"));
    if (parse.is_response)
        parse_status_line(&parse, &line);
    else
        parse_request_line(&parse, &line);
    p = parse_headers(&parse, p, end);
    if (p != NULL)
        parse_body(&parse, p, end);
    if (!parse.failed)
        return ERR_NONE;
    /* A response is never answered, nor is ACK (RFC 3261 §17.1.1.3). */
    if (parse.is_response || ret->method == METHOD_ACK)
        parse.fault.status = 0;
    parse.fault.offset += (size_t)(parse.start - in.ptr);
    *ret_fault = parse.fault;
    return ERR_MALFORMED;
}
