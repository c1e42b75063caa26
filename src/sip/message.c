/* Reading a parsed message: lines by field, typed values, comma lists. */
#include "sip/message.h"

#include "base/err.h"
#include "sip/cseq.h"
#include "sip/lex.h"

const struct header_line *message_header(const struct message *m, enum header id)
{
    uint8_t index = m->first[id];
    return index == MESSAGE_NO_HEADER ? NULL : &m->headers[index];
}

const struct header_line *message_next_header(const struct message *m, const struct header_line *h)
{
    return h->next == MESSAGE_NO_HEADER ? NULL : &m->headers[h->next];
}

struct slice message_value(const struct message *m, enum header id)
{
    const struct header_line *h = message_header(m, id);
    return h == NULL ? SLICE_NONE : h->value;
}

const struct header_line *message_other(const struct message *m, struct slice name)
{
    const struct header_line *h = message_header(m, HEADER_OTHER);
    while (h != NULL && !slice_eq_nocase(h->name, name))
        h = message_next_header(m, h);
    return h;
}

int message_uri(const struct message *m, struct uri *ret)
{
    size_t fault;
    if (!slice_is_set(m->uri_text))
        return ERR_NOT_FOUND;
    return uri_parse(m->uri_text, ret, &fault);
}

int message_top_via(const struct message *m, struct via *ret)
{
    size_t fault;
    struct slice value = message_value(m, HEADER_VIA);
    if (!slice_is_set(value))
        return ERR_NOT_FOUND;
    return via_parse(value, ret, &fault) < 0 ? ERR_MALFORMED : ERR_NONE;
}

static int single_addr(const struct message *m, enum header id, struct addr *ret)
{
    struct addr addr;
    size_t fault;
    struct slice value = message_value(m, id);
    if (!slice_is_set(value))
        return ERR_NOT_FOUND;
    /* The value is trimmed: less than all of it means that a comma and a second address follow. */
    if (addr_parse(value, &addr, &fault) != (int)value.len || addr.star)
        return ERR_MALFORMED;
    *ret = addr;
    return ERR_NONE;
}

int message_from(const struct message *m, struct addr *ret)
{
    return single_addr(m, HEADER_FROM, ret);
}

int message_to(const struct message *m, struct addr *ret)
{
    return single_addr(m, HEADER_TO, ret);
}

int message_cseq(const struct message *m, uint32_t *ret_number, struct slice *ret_method)
{
    size_t fault;
    struct slice value = message_value(m, HEADER_CSEQ);
    if (!slice_is_set(value))
        return ERR_NOT_FOUND;
    return cseq_parse(value, ret_number, ret_method, &fault);
}

int message_number(const struct message *m, enum header id, uint32_t max, uint32_t *ret)
{
    struct slice value = message_value(m, id);
    if (!slice_is_set(value))
        return ERR_NOT_FOUND;
    if (id == HEADER_RETRY_AFTER) /* delta-seconds [ comment ] *( SEMI retry-param ) */
        value = slice_range(value.ptr, lex_span(value.ptr, slice_end(value), LEX_DIGIT));
    return slice_to_u32(value, max, ret);
}

/* Where the next value of the list begins. False: no more, or a comma is missing (*ret_err). */
static bool next_value(const struct message *m, enum header id, struct message_values *state, struct slice *ret,
                       int *ret_err)
{
    uint8_t index = state->line == 0 ? m->first[id] : (uint8_t)(state->line - 1);
    *ret_err = ERR_NONE;
    while (index != MESSAGE_NO_HEADER) {
        struct slice value = m->headers[index].value;
        const char *end = slice_end(value), *p = lex_skip_sws(value.ptr + state->offset, end);
        if (p < end) {
            if (state->offset > 0 && *p != ',') {
                *ret_err = ERR_MALFORMED;
                return false;
            }
            if (state->offset > 0)
                p = lex_skip_sws(p + 1, end);
            state->line = (uint8_t)(index + 1);
            *ret = slice_range(p, end);
            return true;
        }
        index = m->headers[index].next;
        state->offset = 0;
    }
    return false;
}

/* The value at the start of `rest` took `n` octets. */
static void advance(const struct message *m, struct message_values *state, struct slice rest, size_t n)
{
    state->offset = (size_t)(rest.ptr + n - m->headers[state->line - 1].value.ptr);
}

bool message_next_addr(const struct message *m, enum header id, struct message_values *state, struct addr *ret,
                       int *ret_err)
{
    struct slice rest;
    size_t fault;
    if (!next_value(m, id, state, &rest, ret_err))
        return false;
    int n = addr_parse(rest, ret, &fault);
    if (n < 0) {
        *ret_err = n;
        return false;
    }
    advance(m, state, rest, (size_t)n);
    return true;
}

bool message_next_via(const struct message *m, struct message_values *state, struct via *ret, struct slice *ret_text,
                      int *ret_err)
{
    struct slice rest;
    size_t fault;
    if (!next_value(m, HEADER_VIA, state, &rest, ret_err))
        return false;
    int n = via_parse(rest, ret, &fault);
    if (n < 0) {
        *ret_err = n;
        return false;
    }
    if (ret_text)
        *ret_text = slice_head(rest, (size_t)n);
    advance(m, state, rest, (size_t)n);
    return true;
}

/* Up to the next comma outside quotes. */
static const char *skip_element(const char *p, const char *end)
{
    while (p < end && *p != ',') {
        const char *after = *p == '"' ? lex_quoted(p, end) : p + 1;
        p = after == NULL ? end : after;
    }
    return p;
}

bool message_next_token(const struct message *m, enum header id, struct message_values *state, struct slice *ret)
{
    uint8_t index = state->line == 0 ? m->first[id] : (uint8_t)(state->line - 1);
    for (; index != MESSAGE_NO_HEADER; index = m->headers[index].next, state->offset = 0) {
        struct slice value = m->headers[index].value;
        const char *end = slice_end(value), *p = value.ptr + state->offset;
        while (p < end && (*p == ',' || (unsigned char)*p <= ' '))
            p++; /* empty elements are skipped: they say nothing */
        if (p == end)
            continue;
        const char *after = skip_element(p, end);
        state->line = (uint8_t)(index + 1);
        state->offset = (size_t)(after - value.ptr);
        *ret = slice_trim(slice_range(p, after));
        return true;
    }
    return false;
}

bool message_has_token(const struct message *m, enum header id, struct slice token)
{
    struct message_values state = {0};
    struct slice found;
    while (message_next_token(m, id, &state, &found)) {
        if (slice_eq_nocase(found, token))
            return true;
    }
    return false;
}
