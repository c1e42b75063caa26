/* Incoming requests. A MESSAGE is shown to the host once and answered when the host says so, in this transaction or,
 * when the host was slower than the server waits, in the next one: a server repeats what it got no 2xx for, with the
 * same Call-ID, CSeq and From (contract C4). RFC 3428 §7, RFC 3261 §8.2. */
#include <stdlib.h>

#include "sip/content_type.h"
#include "sip/cpim.h"
#include "sip/date.h"
#include "sip/params.h"
#include "ua/ua_private.h"

#define ALLOW_LINE "Allow: MESSAGE, OPTIONS\r\n"

struct incoming_record {
    struct table_node by_key;
    struct list_node node; /* in unanswered, to_send or answered */
    struct telex_ua *ua;
    struct timer limit;
    uint64_t handle;
    uint16_t status; /* 0: the host has not said */
    uint8_t txn_count;
    struct txn_id txns[UA_REPEATS_MAX];
};

static void answer_statelessly(struct telex_ua *ua, const struct incoming *in, uint16_t status, const char *headers)
{
    const struct answer a = {.status = status, .headers = slice_str(headers)};
    endpoint_answer(ua->endpoint, in, &a);
}

static void record_free(struct incoming_record *r)
{
    timer_wheel_cancel(&r->ua->wheel, &r->limit);
    table_remove(&r->ua->inbox.by_key, &r->by_key);
    list_remove(&r->node);
    free(r);
}

/* 415 names what would be read (RFC 3261 §8.2.3). */
static void answer_transactions(struct incoming_record *r, uint16_t status)
{
    struct buf headers;
    buf_init(&headers, UA_TEXT_MAX * 2);
    if (status == 415)
        build_header(&headers, HEADER_ACCEPT, slice_str(r->ua->config.accept));
    const struct answer a = {.status = status, .headers = buf_ok(&headers) ? buf_slice(&headers) : SLICE_NONE};
    for (uint8_t i = 0; i < r->txn_count; i++) {
        struct server_txn *t = server_txn_find(r->ua->endpoint, r->txns[i]);
        if (t)
            server_txn_answer(t, &a);
    }
    r->txn_count = 0;
    buf_deinit(&headers);
}

/* 64*T1 after the latest attempt the server has given up waiting: it hears that we are slow, and tries again. The
 * record stays, and the host's answer meets the next attempt. */
static void limit_fired(struct timer *t)
{
    answer_transactions(CONTAINER_OF(t, struct incoming_record, limit), 500);
}

/* A 64-bit SipHash with a secret key stands for the text: nobody can aim a collision. */
static uint64_t key_of(struct telex_ua *ua, const struct message *m)
{
    struct addr from;
    uint32_t cseq = 0;
    struct slice method;
    uint64_t hash = hash_slice(&ua->hash_key, message_value(m, HEADER_CALL_ID));
    if (message_from(m, &from) == ERR_NONE) {
        hash = hash_mix(hash, hash_slice(&ua->hash_key, from.uri.text));
        hash = hash_mix(hash, hash_slice(&ua->hash_key, addr_tag(&from)));
    }
    if (message_cseq(m, &cseq, &method) == ERR_NONE)
        hash = hash_mix(hash, cseq);
    return hash;
}

static bool any_record(const struct table_node *n, const void *key)
{
    (void)n, (void)key;
    return true;
}

/* --- showing it to the host --- */

static const char *text_of(struct arena *a, struct slice s)
{
    if (!slice_is_set(s))
        return NULL;
    char *copy = arena_alloc(a, s.len + 1);
    if (copy && s.len)
        memcpy(copy, s.ptr, s.len);
    return copy;
}

static const char *display_of(struct arena *a, const struct addr *from)
{
    if (slice_is_empty(from->display))
        return NULL;
    char *name = arena_alloc(a, from->display.len + 1);
    if (!name)
        return NULL;
    int len = params_unquote(from->display, name, from->display.len + 1);
    return len > 0 && (size_t)len <= from->display.len ? name : NULL;
}

/* message/cpim is opened here, so that the host sees one text and one identity; what is encoded or broken stays shut.
 */
static void open_cpim(struct arena *a, struct telex_incoming *t)
{
    struct content_type type;
    struct cpim cpim;
    size_t fault = 0;
    if (!t->content_type || t->content_encoding || content_type_parse(slice_str(t->content_type), &type, &fault) < 0 ||
        !content_type_is(&type, SLICE("message"), SLICE("cpim")) ||
        cpim_parse(slice_make(t->body, t->body_len), &cpim, &fault) < 0)
        return;
    t->cpim = true;
    t->content_type = text_of(a, cpim.content_type);
    t->content_encoding = text_of(a, cpim.content_encoding);
    t->receipts = text_of(a, cpim.disposition);
    if (slice_is_set(cpim.message_id))
        t->message_id = text_of(a, cpim.message_id);
    t->body = cpim.body.ptr ? cpim.body.ptr : "";
    t->body_len = cpim.body.len;
}

static void show(struct telex_ua *ua, const struct message *m, uint64_t handle)
{
    struct arena a;
    struct addr from = {0}, to = {0};
    struct telex_incoming t = {.handle = handle, .raw = m->raw.ptr, .raw_len = m->raw.len};
    arena_init(&a, 4 * UA_BODY_MAX);
    message_from(m, &from); /* the endpoint has checked both */
    message_to(m, &to);
    t.from = text_of(&a, from.uri.text);
    t.from_name = display_of(&a, &from);
    t.to = text_of(&a, to.uri.text);
    t.call_id = text_of(&a, message_value(m, HEADER_CALL_ID));
    t.message_id = text_of(&a, message_value(m, HEADER_X_TELEX_ID));
    t.subject = text_of(&a, message_value(m, HEADER_SUBJECT));
    t.content_type = text_of(&a, message_value(m, HEADER_CONTENT_TYPE));
    t.content_encoding = text_of(&a, message_value(m, HEADER_CONTENT_ENCODING));
    if (date_parse(message_value(m, HEADER_DATE), &t.date) != ERR_NONE)
        t.date = 0;
    t.body = m->body.ptr ? m->body.ptr : "";
    t.body_len = m->body.len;
    open_cpim(&a, &t);
    if (t.from && t.to && t.call_id)
        ua->config.callbacks->message(ua->config.context, &t);
    else /* no memory: the server keeps it */
        ua_inbox_answer(ua, handle, 503);
    arena_deinit(&a);
}

static bool add_transaction(struct incoming_record *r, const struct incoming *in)
{
    struct server_txn *t = r->txn_count < UA_REPEATS_MAX ? server_txn_new(r->ua->endpoint, in) : NULL;
    if (!t)
        return false;
    r->txns[r->txn_count++] = server_txn_id(t);
    timer_wheel_set_in(&r->ua->wheel, &r->limit, UA_TIMER_F_MS);
    return true;
}

static struct incoming_record *record_new(struct telex_ua *ua, const struct incoming *in, uint64_t key)
{
    if (ua->inbox.unanswered_count >= UA_UNANSWERED_MAX)
        return NULL;
    struct incoming_record *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->ua = ua;
    timer_init(&r->limit, limit_fired);
    if (table_insert(&ua->inbox.by_key, &r->by_key, key) != ERR_NONE) {
        free(r);
        return NULL;
    }
    if (!add_transaction(r, in)) {
        record_free(r);
        return NULL;
    }
    r->handle = ++ua->inbox.last_handle;
    list_push_back(&ua->inbox.unanswered, &r->node);
    ua->inbox.unanswered_count++;
    return r;
}

static void message_arrived(struct telex_ua *ua, const struct incoming *in)
{
    static const char busy[] = "Retry-After: 5\r\n";
    uint64_t key = key_of(ua, in->message);
    struct table_node *n = table_find(&ua->inbox.by_key, key, any_record, NULL);
    struct incoming_record *r = n ? CONTAINER_OF(n, struct incoming_record, by_key) : NULL;
    if (r && r->status != 0) {
        answer_statelessly(ua, in, r->status, NULL);
    } else if (r) {
        if (!add_transaction(r, in))
            answer_statelessly(ua, in, 503, busy);
    } else if ((r = record_new(ua, in, key))) {
        show(ua, in->message, r->handle);
    } else {
        answer_statelessly(ua, in, 503, busy);
    }
}

static void options_arrived(struct telex_ua *ua, const struct incoming *in)
{
    struct buf headers;
    buf_init(&headers, UA_TEXT_MAX * 2);
    buf_append_str(&headers, ALLOW_LINE);
    build_header(&headers, HEADER_ACCEPT, slice_str(ua->config.accept));
    const struct answer a = {.status = 200, .headers = buf_slice(&headers)};
    endpoint_answer(ua->endpoint, in, &a); /* RFC 3261 §11.2 */
    buf_deinit(&headers);
}

/* RFC 3261 §8.2.2.3: we offer no extension that a Require could name. */
static bool refuse_extensions(struct telex_ua *ua, const struct incoming *in)
{
    struct message_values state = {0};
    struct slice token;
    struct buf headers;
    buf_init(&headers, UA_HEAD_MAX);
    while (message_next_token(in->message, HEADER_REQUIRE, &state, &token))
        build_header(&headers, HEADER_UNSUPPORTED, token);
    bool refused = headers.len > 0 || headers.failed;
    const struct answer a = {.status = 420, .headers = buf_ok(&headers) ? buf_slice(&headers) : SLICE_NONE};
    if (refused)
        endpoint_answer(ua->endpoint, in, &a);
    buf_deinit(&headers);
    return refused;
}

void ua_inbox_request(struct telex_ua *ua, const struct incoming *in)
{
    enum method method = in->message->method;
    if (method == METHOD_CANCEL)
        answer_statelessly(ua, in, 481, NULL); /* RFC 3261 §9.2: nothing of ours can be cancelled */
    else if (method != METHOD_OPTIONS && (method != METHOD_MESSAGE || !ua->config.callbacks->message))
        answer_statelessly(ua, in, 405, ALLOW_LINE); /* §8.2.1 */
    else if (!refuse_extensions(ua, in))
        (method == METHOD_OPTIONS ? options_arrived : message_arrived)(ua, in);
}

/* --- the host's answers --- */

int ua_inbox_answer(struct telex_ua *ua, uint64_t handle, unsigned status)
{
    if (status < 200 || status > 699)
        return TELEX_ERR_ARGUMENT;
    LIST_EACH (n, &ua->inbox.unanswered) {
        struct incoming_record *r = CONTAINER_OF(n, struct incoming_record, node);
        if (r->handle == handle) {
            r->status = (uint16_t)status;
            list_remove(&r->node);
            list_push_back(&ua->inbox.to_send, &r->node);
            ua->inbox.unanswered_count--;
            return TELEX_OK;
        }
    }
    return TELEX_ERR_NOT_FOUND;
}

void ua_inbox_work(struct telex_ua *ua)
{
    struct ua_inbox *b = &ua->inbox;
    for (struct list_node *n; (n = list_pop_front(&b->to_send));) {
        struct incoming_record *r = CONTAINER_OF(n, struct incoming_record, node);
        answer_transactions(r, r->status);
        timer_wheel_cancel(&ua->wheel, &r->limit);
        if (r->status >= 300) { /* a repeat may fare better with the host */
            record_free(r);
            continue;
        }
        list_push_back(&b->answered, &r->node);
        if (++b->answered_count > UA_ANSWERED_MAX) {
            record_free(CONTAINER_OF(list_first(&b->answered), struct incoming_record, node));
            b->answered_count--;
        }
    }
}

int ua_inbox_init(struct ua_inbox *b)
{
    *b = (struct ua_inbox){0};
    list_init(&b->unanswered);
    list_init(&b->answered);
    list_init(&b->to_send);
    return table_init(&b->by_key, UA_UNANSWERED_MAX + 2 * UA_ANSWERED_MAX);
}

void ua_inbox_deinit(struct ua_inbox *b)
{
    list_splice(&b->answered, &b->unanswered);
    list_splice(&b->answered, &b->to_send);
    for (struct list_node *n; (n = list_first(&b->answered));)
        record_free(CONTAINER_OF(n, struct incoming_record, node));
    table_deinit(&b->by_key);
}
