/* What every element checks before it handles a message. RFC 3261 §8.1.1, §16.3 step 1, §8.2. The table below says
 * which fields; their grammar stands in their own files. Option tags, scheme, Max-Forwards 0 and loops are the server's
 * to judge, after this. */
#include "base/err.h"
#include "sip/call_id.h"
#include "sip/content_type.h"
#include "sip/cseq.h"
#include "sip/lex.h"
#include "sip/message.h"

/* True when the value is legal; else *ret_at is the octet at fault. */
typedef bool (*check_function)(const struct message *m, struct slice value, const char **ret_at);

/* A comma list of at least one, each taken by `next`, which gives octets or an error and the fault's offset. */
typedef int (*next_function)(struct slice in, size_t *ret_fault);

static bool check_list(struct slice value, next_function next, const char **ret_at)
{
    const char *p = value.ptr, *end = slice_end(value);
    for (;;) {
        size_t fault = 0;
        int n = next(slice_range(p, end), &fault);
        if (n < 0) {
            *ret_at = p + fault;
            return false;
        }
        p = lex_skip_sws(p + n, end);
        if (p == end)
            return true;
        p = lex_skip_sws(p + 1, end); /* the comma: who gave `n` saw it */
    }
}

static int next_via(struct slice in, size_t *ret_fault)
{
    struct via via;
    return via_parse(in, &via, ret_fault);
}

static bool check_via(const struct message *m, struct slice value, const char **ret_at)
{
    (void)m;
    return check_list(value, next_via, ret_at);
}

static int next_addr(struct slice in, size_t *ret_fault)
{
    struct addr addr;
    int n = addr_parse(in, &addr, ret_fault);
    return n > 0 && addr.star ? ERR_MALFORMED : n;
}

/* route-param and its kin have no form without brackets (§20.34). */
static int next_route(struct slice in, size_t *ret_fault)
{
    struct addr addr;
    int n = addr_parse(in, &addr, ret_fault);
    return n > 0 && !addr.bracketed ? ERR_MALFORMED : n;
}

static bool check_addr(const struct message *m, struct slice value, const char **ret_at)
{
    size_t fault = 0;
    (void)m;
    int n = next_addr(value, &fault);
    *ret_at = value.ptr + (n < 0 ? fault : (size_t)n);
    return n >= 0 && (size_t)n == value.len;
}

static bool check_addrs(const struct message *m, struct slice value, const char **ret_at)
{
    (void)m;
    return check_list(value, next_addr, ret_at);
}

static bool check_routes(const struct message *m, struct slice value, const char **ret_at)
{
    (void)m;
    return check_list(value, next_route, ret_at);
}

/* Contact = STAR / (contact-param *(COMMA contact-param)): "*" stands alone, in its line and in the message. */
static bool check_contact(const struct message *m, struct slice value, const char **ret_at)
{
    if (slice_eq(value, SLICE("*"))) {
        const struct header_line *first = message_header(m, HEADER_CONTACT);
        *ret_at = value.ptr;
        return message_next_header(m, first) == NULL;
    }
    return check_list(value, next_addr, ret_at);
}

static bool check_call_id(const struct message *m, struct slice value, const char **ret_at)
{
    size_t fault;
    bool good = call_id_check(value, &fault);
    (void)m;
    *ret_at = value.ptr + fault;
    return good;
}

/* §8.1.1.5: the method is that of the request. */
static bool check_cseq(const struct message *m, struct slice value, const char **ret_at)
{
    uint32_t number;
    size_t fault;
    struct slice method;
    *ret_at = value.ptr;
    if (cseq_parse(value, &number, &method, &fault) != ERR_NONE) {
        *ret_at += fault;
        return false;
    }
    return !message_is_request(m) || slice_eq(method, m->method_name);
}

static bool check_number(struct slice value, uint32_t max, const char **ret_at)
{
    uint32_t number;
    *ret_at = value.ptr;
    return slice_to_u32(value, max, &number) == ERR_NONE;
}

/* Max-Forwards = 1*DIGIT, 0 to 255 (§20.22) */
static bool check_octet(const struct message *m, struct slice value, const char **ret_at)
{
    (void)m;
    return check_number(value, 255, ret_at);
}

static bool check_length(const struct message *m, struct slice value, const char **ret_at)
{
    (void)m;
    return check_number(value, INT32_MAX, ret_at);
}

/* delta-seconds; more than 32 bits can say is legal and means the most (RFC 4475 §3.1.2.4). */
static bool check_seconds(const struct message *m, struct slice value, const char **ret_at)
{
    const char *end = slice_end(value);
    (void)m;
    *ret_at = lex_span(value.ptr, end, LEX_DIGIT);
    return value.len > 0 && *ret_at == end;
}

static bool check_content_type(const struct message *m, struct slice value, const char **ret_at)
{
    struct content_type type;
    size_t fault = 0;
    int n = content_type_parse(value, &type, &fault);
    (void)m;
    *ret_at = value.ptr + (n < 0 ? fault : (size_t)n);
    return n >= 0 && (size_t)n == value.len;
}

static int next_option(struct slice in, size_t *ret_fault)
{
    const char *end = slice_end(in), *after = lex_span(in.ptr, end, LEX_TOKEN);
    const char *next = lex_skip_sws(after, end);
    *ret_fault = (size_t)(next - in.ptr);
    return after == in.ptr || (next < end && *next != ',') ? ERR_MALFORMED : (int)(after - in.ptr);
}

/* option-tag *(COMMA option-tag) */
static bool check_options(const struct message *m, struct slice value, const char **ret_at)
{
    (void)m;
    return check_list(value, next_option, ret_at);
}

/* A response is dropped for what its transaction or its way back depends on, and for nothing else. */
static const struct {
    check_function check;
    const char *reason;
    bool in_response;
} checks[HEADER_COUNT] = {
    [HEADER_VIA] = {check_via, "Bad Via", true},
    [HEADER_FROM] = {check_addr, "Bad From", true},
    [HEADER_TO] = {check_addr, "Bad To", true},
    [HEADER_CALL_ID] = {check_call_id, "Bad Call-ID", true},
    [HEADER_CSEQ] = {check_cseq, "Bad CSeq", true},
    [HEADER_CONTENT_LENGTH] = {check_length, "Bad Content-Length", true},
    [HEADER_CONTENT_TYPE] = {check_content_type, "Bad Content-Type", false},
    [HEADER_MAX_FORWARDS] = {check_octet, "Bad Max-Forwards", false},
    [HEADER_MAX_BREADTH] = {check_seconds, "Bad Max-Breadth", false},
    [HEADER_EXPIRES] = {check_seconds, "Bad Expires", false},
    [HEADER_CONTACT] = {check_contact, "Bad Contact", false},
    [HEADER_ROUTE] = {check_routes, "Bad Route", false},
    [HEADER_RECORD_ROUTE] = {check_routes, "Bad Record-Route", false},
    [HEADER_PATH] = {check_routes, "Bad Path", false},
    [HEADER_P_ASSERTED_IDENTITY] = {check_addrs, "Bad P-Asserted-Identity", false},
    [HEADER_P_PREFERRED_IDENTITY] = {check_addrs, "Bad P-Preferred-Identity", false},
    [HEADER_REQUIRE] = {check_options, "Bad Require", false},
    [HEADER_PROXY_REQUIRE] = {check_options, "Bad Proxy-Require", false},
};

static const struct {
    enum header id;
    const char *reason;
} mandatory[] = {
    {HEADER_VIA, "Missing Via"},         {HEADER_FROM, "Missing From"}, {HEADER_TO, "Missing To"},
    {HEADER_CALL_ID, "Missing Call-ID"}, {HEADER_CSEQ, "Missing CSeq"},
};

static int fail(const struct message *m, const char *reason, const char *at, struct message_fault *ret_fault)
{
    /* Neither a response nor ACK is ever answered (§17.1.1.3). */
    bool silent = !message_is_request(m) || m->method == METHOD_ACK;
    *ret_fault = (struct message_fault){
        .status = silent ? 0 : 400, .reason = reason, .offset = (size_t)(at - m->raw.ptr)};
    return ERR_MALFORMED;
}

/* §8.1.1.7: the top Via has a branch. RFC 2543 had none, so its own methods may come without; MESSAGE and all others
 * were made for RFC 3261. */
static bool check_branch(const struct message *m)
{
    static const bool is_old[METHOD_COUNT] = {[METHOD_INVITE] = true, [METHOD_ACK] = true,    [METHOD_OPTIONS] = true,
                                              [METHOD_BYE] = true,    [METHOD_CANCEL] = true, [METHOD_REGISTER] = true};
    struct via via;
    return is_old[m->method] || message_top_via(m, &via) != ERR_NONE || slice_is_set(via.branch);
}

static int check_request(const struct message *m, struct message_fault *ret_fault)
{
    struct uri uri;
    size_t fault;
    if (uri_parse(m->uri_text, &uri, &fault) != ERR_NONE)
        return fail(m, "Bad Request-URI", m->uri_text.ptr + fault, ret_fault);
    /* §19.1.1: no header fields in a Request-URI (RFC 4475 §3.1.2.11). */
    if (slice_is_set(uri.headers))
        return fail(m, "Bad Request-URI", uri.headers.ptr, ret_fault);
    /* §20.15: the field must be there when the body is not empty. */
    if (m->body.len > 0 && message_header(m, HEADER_CONTENT_TYPE) == NULL)
        return fail(m, "Missing Content-Type", m->body.ptr, ret_fault);
    if (!check_branch(m))
        return fail(m, "Missing Via Branch", message_value(m, HEADER_VIA).ptr, ret_fault);
    return ERR_NONE;
}

int message_check(const struct message *m, struct message_fault *ret_fault)
{
    bool request = message_is_request(m);
    if (request) {
        int err = check_request(m, ret_fault);
        if (err != ERR_NONE)
            return err;
    }
    for (size_t i = 0; i < sizeof(mandatory) / sizeof(mandatory[0]); i++) {
        if (m->first[mandatory[i].id] == MESSAGE_NO_HEADER)
            return fail(m, mandatory[i].reason, m->raw.ptr, ret_fault);
    }
    for (unsigned i = 0; i < m->header_count; i++) {
        const struct header_line *h = &m->headers[i];
        const char *at = h->line.ptr;
        if (checks[h->id].in_response || request) {
            if (h->next != MESSAGE_NO_HEADER && header_is_single((enum header)h->id))
                return fail(m, "Field Repeated", m->headers[h->next].line.ptr, ret_fault);
            if (checks[h->id].check != NULL && !checks[h->id].check(m, h->value, &at))
                return fail(m, checks[h->id].reason, at, ret_fault);
        }
    }
    return ERR_NONE;
}

/* A line break inside could make a second message of the answer for who forwards it; all else goes back as it came. */
static bool can_copy(const struct header_line *h)
{
    const char *p = h->line.ptr, *end = slice_end(h->line);
    while ((p = lex_find_special(p, end)) < end) {
        bool fold = *p == '\r' && end - p > 2 && p[1] == '\n' && lex_is_wsp(p[2]);
        if ((*p == '\r' || *p == '\n') && !fold)
            return false;
        p += fold ? 2 : 1;
    }
    return true;
}

bool message_can_answer(const struct message *m)
{
    if (!slice_is_set(m->method_name) || m->method == METHOD_ACK || message_header(m, HEADER_VIA) == NULL)
        return false;
    /* A field that is missing is left out of the answer: a request without Call-ID deserves its 400 as well (RFC 4475
     * §3.3.1). A Via that cannot be read goes back as it came, to where the bytes came from. */
    for (size_t i = 0; i < sizeof(mandatory) / sizeof(mandatory[0]); i++) {
        const struct header_line *h = message_header(m, mandatory[i].id);
        for (; h != NULL; h = message_next_header(m, h)) {
            if (!can_copy(h))
                return false;
        }
    }
    return true;
}
