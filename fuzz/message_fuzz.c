/* message_parse and message_check, and all that is read of a message: whatever comes, no octet too far; a good message
 * is built again and parses to the same model; an answer to a request parses as a response. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "sip/build.h"

#define OUT_MAX (4U << 20)

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void read_lists(const struct message *m)
{
    for (unsigned id = 0; id < HEADER_COUNT; id++) {
        struct message_values tokens = {0}, addrs = {0};
        struct slice token;
        struct addr addr;
        size_t count = 0;
        int err;
        while (message_next_token(m, (enum header)id, &tokens, &token))
            check(++count <= m->raw.len && token.len > 0);
        count = 0;
        while (message_next_addr(m, (enum header)id, &addrs, &addr, &err))
            check(++count <= m->raw.len);
        check(err == ERR_NONE || err == ERR_MALFORMED);
    }
}

static void read_values(const struct message *m, bool good)
{
    struct uri uri;
    struct via via;
    struct addr addr;
    struct slice text;
    struct message_values vias = {0};
    uint32_t number;
    int err;
    bool request = message_is_request(m);
    check(message_top_via(m, &via) == ERR_NONE || !good);
    check(message_from(m, &addr) == ERR_NONE || !good);
    check(message_to(m, &addr) == ERR_NONE || !good);
    check(message_cseq(m, &number, &text) == ERR_NONE || !good);
    check(message_uri(m, &uri) == ERR_NONE || !good || !request);
    while (message_next_via(m, &vias, &via, &text, &err))
        check(text.len > 0);
    check(err == ERR_NONE || !good);
    for (unsigned id = 0; id < HEADER_COUNT; id++)
        (void)message_number(m, (enum header)id, INT32_MAX, &number);
    (void)message_has_token(m, HEADER_SUPPORTED, SLICE("path"));
    (void)message_other(m, SLICE("X-Fuzz"));
    read_lists(m);
}

static void rebuild(const struct message *m, struct buf *out)
{
    struct message again;
    struct message_fault fault;
    buf_reset(out);
    if (message_is_request(m))
        build_request_line(out, m->method_name, m->uri_text);
    else
        build_status_line(out, m->status, m->reason);
    for (unsigned i = 0; i < m->header_count; i++) {
        if (m->headers[i].id != HEADER_CONTENT_LENGTH)
            build_line(out, &m->headers[i]);
    }
    if (m->header_count == MESSAGE_HEADERS_MAX && message_header(m, HEADER_CONTENT_LENGTH) == NULL)
        return; /* no room for the length that build_end adds */
    build_end(out, m->body);
    check(buf_ok(out));
    check(message_parse(buf_slice(out), &again, &fault) == ERR_NONE);
    check(message_check(&again, &fault) == ERR_NONE);
    check(again.method == m->method && again.status == m->status && slice_eq(again.body, m->body));
    check(slice_eq(again.uri_text, m->uri_text) && slice_eq(again.method_name, m->method_name));
    for (unsigned id = 0; id < HEADER_COUNT; id++) {
        if (id != HEADER_CONTENT_LENGTH)
            check(slice_eq(message_value(&again, (enum header)id), message_value(m, (enum header)id)));
    }
}

static void respond(const struct message *m, bool good, struct buf *out)
{
    struct message response;
    struct message_fault fault;
    buf_reset(out);
    build_response(out, m, 400, SLICE_NONE, SLICE("tag"), SLICE_NONE);
    build_end(out, SLICE(""));
    check(buf_ok(out));
    int err = message_parse(buf_slice(out), &response, &fault);
    if (!good) /* what is wrong with the request may stand in the fields that go back */
        return;
    check(err == ERR_NONE && message_check(&response, &fault) == ERR_NONE && response.status == 400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message m;
    struct message_fault fault = {.reason = NULL};
    struct buf out;
    struct slice in = slice_make((const char *)data, size);
    int err = message_parse(in, &m, &fault);
    if (err == ERR_NONE)
        err = message_check(&m, &fault);
    check(err == ERR_NONE || (err == ERR_MALFORMED && fault.reason != NULL && fault.offset <= size));
    read_values(&m, err == ERR_NONE);
    buf_init(&out, OUT_MAX);
    if (err == ERR_NONE)
        rebuild(&m, &out);
    if (message_can_answer(&m))
        respond(&m, err == ERR_NONE, &out);
    buf_deinit(&out);
    return 0;
}
