/* Outgoing MESSAGE requests. RFC 3428 §4, §8.
 *
 * To one recipient one message is on its way at a time; the next one starts after the outcome of the one before. A
 * message keeps its Call-ID, From tag, Date and message id through all its attempts, and its CSeq but for credentials
 * (RFC 3261 §22.2), so that whoever took an earlier attempt knows the repeat (contract C4, C5). */
#include <stdlib.h>

#include "sip/cpim.h"
#include "sip/date.h"
#include "ua/ua_private.h"

struct outgoing {
    struct list_node node;
    struct ua_exchange exchange;
    struct timer retry;
    uint64_t id;
    uint64_t recipient; /* hash of the address-of-record; equal for one recipient, and a collision only serialises */
    unsigned attempts;
    bool cancelled; /* swept in the next turn: telex_ua_cancel may be called inside a callback of this very message */
    enum { WAITING, IN_FLIGHT, BACKING_OFF } state;
    char message_id[65];
    struct buf to;
};

static void outgoing_free(struct telex_ua *ua, struct outgoing *o)
{
    if (o->state == IN_FLIGHT)
        ua->outbox.in_flight--;
    ua->outbox.count--;
    list_remove(&o->node);
    timer_wheel_cancel(&ua->wheel, &o->retry);
    ua_exchange_deinit(&o->exchange);
    buf_deinit(&o->to);
    free(o);
    ua->outbox.due = true; /* the next one to this recipient may go */
}

static void end(struct telex_ua *ua, struct outgoing *o, const struct message *response)
{
    char reason[128] = "", message_id[sizeof o->message_id];
    memcpy(message_id, o->message_id, sizeof message_id);
    struct telex_result result = {
        .id = o->id, .outcome = TELEX_UNREACHABLE, .reason = reason, .message_id = message_id, .attempts = o->attempts};
    if (response) {
        result.status = response->status;
        ua_text_cut(response->reason, reason, sizeof reason);
        /* RFC 3428 §7: 202 is somebody's promise to deliver; any other 2xx comes from a device. */
        result.outcome = response->status == 202  ? TELEX_STORED
                         : response->status < 300 ? TELEX_DELIVERED
                                                  : TELEX_REFUSED;
    }
    outgoing_free(ua, o);
    if (ua->config.callbacks->outcome)
        ua->config.callbacks->outcome(ua->config.context, &result);
}

/* A 482 to a repeat means that the earlier attempt is still being handled there (contract C4). */
static bool may_repeat(const struct outgoing *o, const struct message *response)
{
    return !response || ua_text_is_passing(response->status) || (response->status == 482 && o->attempts > 1);
}

static void done(struct ua_exchange *x, const struct message *response)
{
    struct outgoing *o = CONTAINER_OF(x, struct outgoing, exchange);
    struct telex_ua *ua = x->ua;
    if (o->cancelled) {
        outgoing_free(ua, o);
    } else if (!may_repeat(o, response) || o->attempts >= ua->config.attempts_max) {
        end(ua, o, response);
    } else {
        o->state = BACKING_OFF;
        ua->outbox.in_flight--;
        uint32_t wait_s = response ? ua_text_retry_after(response) : 0;
        if (response && response->status == 482)
            wait_s = UA_TIMER_F_MS / 1000;
        timer_wheel_set_in(&ua->wheel, &o->retry, ua_text_backoff_ms(ua, o->attempts - 1, wait_s));
    }
    ua_outbox_work(ua);
}

static void retry_fired(struct timer *t)
{
    struct outgoing *o = CONTAINER_OF(t, struct outgoing, retry);
    o->state = WAITING;
    o->exchange.ua->outbox.due = true;
    ua_outbox_work(o->exchange.ua);
}

static bool is_first_to_its_recipient(const struct ua_outbox *b, const struct outgoing *o)
{
    LIST_EACH (n, &b->messages) {
        const struct outgoing *other = CONTAINER_OF(n, struct outgoing, node);
        if (other == o)
            return true;
        if (other->recipient == o->recipient)
            return false;
    }
    return true;
}

void ua_outbox_work(struct telex_ua *ua)
{
    struct ua_outbox *b = &ua->outbox;
    if (!b->due)
        return;
    LIST_EACH (n, &b->messages) {
        struct outgoing *o = CONTAINER_OF(n, struct outgoing, node);
        if (o->cancelled)
            outgoing_free(ua, o);
    }
    b->due = false;
    LIST_EACH (n, &b->messages) {
        struct outgoing *o = CONTAINER_OF(n, struct outgoing, node);
        if (b->in_flight >= UA_IN_FLIGHT_MAX)
            return; /* the end of any of them sets `due` again */
        if (o->cancelled || o->state != WAITING || !is_first_to_its_recipient(b, o))
            continue;
        o->state = IN_FLIGHT;
        o->attempts++;
        b->in_flight++;
        ua_exchange_start(&o->exchange, buf_slice(&o->to), NULL);
    }
}

/* --- making one --- */

static bool message_id_is_valid(const char *id)
{
    size_t len = strlen(id);
    for (const char *p = id; *p; p++) {
        bool alnum = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');
        if (!alnum && *p != '-' && *p != '.' && *p != '_')
            return false;
    }
    return len > 0 && len < sizeof((struct outgoing *)0)->message_id;
}

static int check(const struct telex_outgoing *m, struct uri *ret_to)
{
    size_t fault = 0;
    struct slice value;
    if (!m->to || strlen(m->to) > UA_TEXT_MAX || uri_parse(slice_str(m->to), ret_to, &fault) != ERR_NONE)
        return TELEX_ERR_ARGUMENT;
    /* A method parameter or headers would change what a Request-URI means (RFC 3261 §19.1.1). */
    if ((ret_to->scheme != URI_SIP && ret_to->scheme != URI_TEL) || slice_is_set(ret_to->headers) ||
        (ret_to->scheme == URI_SIP && uri_param(ret_to, SLICE("method"), &value)))
        return TELEX_ERR_ARGUMENT;
    if ((m->content_type && !ua_text_is_clean(m->content_type)) || (m->subject && !ua_text_is_clean(m->subject)) ||
        (m->message_id && !message_id_is_valid(m->message_id)) || (m->body_len > 0 && !m->body))
        return TELEX_ERR_ARGUMENT;
    if (m->receipts && (!ua_text_is_clean(m->receipts) || m->date == 0))
        return TELEX_ERR_ARGUMENT;
    return m->body_len > TELEX_BODY_MAX ? TELEX_ERR_TOO_LARGE : TELEX_OK;
}

static void append_body(struct telex_ua *ua, struct buf *tail, const struct telex_outgoing *m, const struct outgoing *o)
{
    struct slice body = slice_make(m->body ? m->body : "", m->body_len);
    struct slice type = m->content_type ? slice_str(m->content_type) : SLICE("text/plain");
    if (!m->receipts) {
        build_header(tail, HEADER_X_TELEX_ID, slice_str(o->message_id));
        build_header(tail, HEADER_CONTENT_TYPE, type);
        build_end(tail, body);
        return;
    }
    const struct cpim_out cpim = {.from = slice_str(ua->config.aor),
                                  .to = slice_str(m->to),
                                  .date_seconds = m->date,
                                  .message_id = slice_str(o->message_id),
                                  .disposition = slice_str(m->receipts),
                                  .content_type = type,
                                  .body = body};
    struct buf wrapped;
    buf_init(&wrapped, UA_BODY_MAX);
    cpim_append(&wrapped, &cpim);
    build_header(tail, HEADER_CONTENT_TYPE, SLICE("message/cpim"));
    build_end(tail, buf_slice(&wrapped));
    tail->failed |= !buf_ok(&wrapped);
    buf_deinit(&wrapped);
}

static struct packet *make_tail(struct telex_ua *ua, const struct telex_outgoing *m, const struct outgoing *o)
{
    char from_tag[17], call_id[UA_TOKEN_LEN + 1];
    ua_text_short_token(ua, from_tag, 16);
    ua_text_token(ua, call_id); /* a fresh one per message: Linphone finds duplicates by it (peers.md) */
    struct buf tail;
    buf_init(&tail, UA_HEAD_MAX + UA_BODY_MAX);
    ua_text_from(ua, &tail, from_tag);
    buf_printf(&tail, "To: <%s>\r\nCall-ID: %s\r\n", m->to, call_id);
    if (m->date != 0) {
        buf_append_str(&tail, "Date: ");
        date_append(&tail, m->date);
        buf_append_str(&tail, "\r\n");
    }
    if (m->subject)
        build_header(&tail, HEADER_SUBJECT, slice_str(m->subject));
    ua_text_user_agent(ua, &tail);
    append_body(ua, &tail, m, o);
    struct packet *packet = buf_ok(&tail) ? packet_copy(buf_slice(&tail)) : NULL;
    buf_deinit(&tail);
    return packet;
}

static uint64_t hash_recipient(struct telex_ua *ua, const struct uri *to)
{
    struct buf aor;
    buf_init(&aor, UA_TEXT_MAX * 4);
    struct slice key = uri_append_aor(&aor, to) == ERR_NONE && buf_ok(&aor) ? buf_slice(&aor) : to->text;
    uint64_t hash = hash_slice(&ua->hash_key, key);
    buf_deinit(&aor);
    return hash;
}

int ua_outbox_add(struct telex_ua *ua, const struct telex_outgoing *m, uint64_t *ret_id)
{
    struct uri to;
    int err = check(m, &to);
    if (err)
        return err;
    if (ua->outbox.count >= UA_OUTGOING_MAX)
        return TELEX_ERR_FULL;
    struct outgoing *o = calloc(1, sizeof *o);
    if (!o)
        return TELEX_ERR_NO_MEMORY;
    if (m->message_id)
        ua_text_cut(slice_str(m->message_id), o->message_id, sizeof o->message_id);
    else
        ua_text_token(ua, o->message_id);
    ua_exchange_init(&o->exchange, ua, METHOD_MESSAGE);
    o->exchange.done = done;
    o->exchange.cseq = 1;
    o->exchange.tail = make_tail(ua, m, o);
    buf_init(&o->to, UA_TEXT_MAX);
    buf_append_str(&o->to, m->to);
    if (!o->exchange.tail || !buf_ok(&o->to)) {
        ua_exchange_deinit(&o->exchange);
        buf_deinit(&o->to);
        free(o);
        return TELEX_ERR_NO_MEMORY;
    }
    timer_init(&o->retry, retry_fired);
    o->recipient = hash_recipient(ua, &to);
    o->id = ++ua->outbox.last_id;
    list_push_back(&ua->outbox.messages, &o->node);
    ua->outbox.count++;
    ua->outbox.due = true;
    if (ret_id)
        *ret_id = o->id;
    return TELEX_OK;
}

int ua_outbox_cancel(struct telex_ua *ua, uint64_t id)
{
    LIST_EACH (n, &ua->outbox.messages) {
        struct outgoing *o = CONTAINER_OF(n, struct outgoing, node);
        if (o->id == id && !o->cancelled) {
            o->cancelled = ua->outbox.due = true;
            return TELEX_OK;
        }
    }
    return TELEX_ERR_NOT_FOUND;
}

void ua_outbox_init(struct ua_outbox *b)
{
    *b = (struct ua_outbox){0};
    list_init(&b->messages);
}

void ua_outbox_deinit(struct telex_ua *ua)
{
    for (struct list_node *n; (n = list_first(&ua->outbox.messages));)
        outgoing_free(ua, CONTAINER_OF(n, struct outgoing, node));
}
