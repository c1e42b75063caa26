/* REGISTER: one lasting Call-ID, refreshed before it expires, sent anew when the way to the server changes. RFC 3261
 * §10.2, RFC 5626 §4.1 (+sip.instance), §4.5 (backing off). */
#include "ua/ua_private.h"

static void timer_fired(struct timer *t)
{
    struct ua_registration *r = CONTAINER_OF(t, struct ua_registration, timer);
    r->due = true;
    ua_registration_work(r);
}

static void report(struct ua_registration *r, enum telex_registration_state state, const struct message *response,
                   uint32_t seconds)
{
    struct telex_ua *ua = r->exchange.ua;
    char reason[128] = "";
    struct telex_registration told = {.state = state, .reason = reason, .seconds = seconds};
    if (response) {
        told.status = response->status;
        ua_text_cut(response->reason, reason, sizeof reason);
    }
    if (ua->config.callbacks->registration)
        ua->config.callbacks->registration(ua->config.context, &told);
}

/* Our Contact: the address that the server sees or can reach on this flow. RFC 3261 §8.1.1.8. */
static void append_contact(struct telex_ua *ua, struct buf *out)
{
    const struct ua_channel *c = &ua->channels[ua->config.transport];
    buf_append_str(out, "Contact: <sip:");
    buf_append(out, ua->user);
    buf_append_char(out, '@');
    buf_append_str(out, c->sent_by);
    buf_append_str(out, c->transport == TELEX_TCP ? ";transport=tcp>" : ">");
    if (ua->config.instance_id)
        buf_printf(out, ";+sip.instance=\"<%s>\"", ua->config.instance_id);
    buf_append_str(out, "\r\n");
}

static void prepare(struct ua_exchange *x)
{
    struct ua_registration *r = CONTAINER_OF(x, struct ua_registration, exchange);
    struct buf tail;
    buf_init(&tail, UA_HEAD_MAX);
    ua_text_from(x->ua, &tail, r->from_tag);
    buf_printf(&tail, "To: <%s>\r\nCall-ID: %s\r\n", x->ua->config.aor, r->call_id);
    append_contact(x->ua, &tail);
    buf_printf(&tail, "Expires: %u\r\nSupported: path\r\nAllow: MESSAGE, OPTIONS\r\n", r->asked_s);
    ua_text_user_agent(x->ua, &tail);
    build_end(&tail, SLICE(""));
    packet_unref(&x->tail);
    if (buf_ok(&tail))
        x->tail = packet_copy(buf_slice(&tail));
    buf_deinit(&tail);
}

/* How long the server keeps us (RFC 3261 §10.2.4): our Contact's expires, else the Expires field, else what was asked.
 */
static uint32_t granted(struct ua_registration *r, const struct message *response)
{
    struct telex_ua *ua = r->exchange.ua;
    const struct ua_channel *c = &ua->channels[ua->config.transport];
    uint32_t seconds = r->asked_s;
    if (message_number(response, HEADER_EXPIRES, UINT32_MAX, &seconds) != ERR_NONE)
        seconds = r->asked_s;
    struct message_values state = {0};
    struct addr contact;
    int err = ERR_NONE;
    while (message_next_addr(response, HEADER_CONTACT, &state, &contact, &err)) {
        struct slice value, host_port = slice_range(contact.uri.host.ptr, slice_end(contact.uri.text));
        if (contact.star || !slice_is_set(contact.uri.host) || !slice_eq(contact.uri.user, ua->user) ||
            !slice_starts_with_nocase(host_port, slice_str(c->sent_by)))
            continue;
        if (addr_param(&contact, SLICE("expires"), &value))
            slice_to_u32(value, UINT32_MAX, &seconds);
    }
    return seconds < r->asked_s ? seconds : r->asked_s;
}

static void succeeded(struct ua_registration *r, const struct message *response)
{
    r->failures = 0;
    if (r->asked_s == 0) {
        r->wanted = false;
        report(r, TELEX_UNREGISTERED, response, 0);
        return;
    }
    uint32_t seconds = granted(r, response);
    if (seconds == 0) /* it took the request and kept nothing */
        seconds = 1;
    /* Early enough for a lost packet and a try after it, and not more than needed. */
    uint64_t refresh_ms = seconds > 1200 ? ((uint64_t)seconds - 600) * 1000 : (uint64_t)seconds * 500;
    timer_wheel_set_in(&r->exchange.ua->wheel, &r->timer, refresh_ms);
    report(r, TELEX_REGISTERED, response, seconds);
}

static void try_later(struct ua_registration *r, const struct message *response)
{
    uint32_t retry_after = response ? ua_text_retry_after(response) : 0;
    uint64_t ms = ua_text_backoff_ms(r->exchange.ua, r->failures++, retry_after);
    timer_wheel_set_in(&r->exchange.ua->wheel, &r->timer, ms);
    report(r, TELEX_REGISTER_WAITING, response, (uint32_t)((ms + 999) / 1000));
}

/* 423: follow Min-Expires, once. RFC 3261 §10.2.8. */
static bool raise_expires(struct ua_registration *r, const struct message *response)
{
    uint32_t min = 0;
    if (response->status != 423 || r->raised ||
        message_number(response, HEADER_MIN_EXPIRES, UA_EXPIRES_MAX, &min) != ERR_NONE || min <= r->asked_s)
        return false;
    r->raised = true;
    r->expires_s = min;
    r->due = true;
    ua_registration_work(r);
    return true;
}

static void done(struct ua_exchange *x, const struct message *response)
{
    struct ua_registration *r = CONTAINER_OF(x, struct ua_registration, exchange);
    if (r->due) { /* something newer was asked for meanwhile */
        ua_registration_work(r);
    } else if (!response || ua_text_is_passing(response->status)) {
        try_later(r, response);
    } else if (response->status < 300) {
        succeeded(r, response);
    } else if (!raise_expires(r, response)) {
        r->wanted = false;
        report(r, TELEX_REGISTER_REFUSED, response, 0);
    }
}

bool ua_registration_init(struct ua_registration *r, struct telex_ua *ua)
{
    *r = (struct ua_registration){0};
    ua_exchange_init(&r->exchange, ua, METHOD_REGISTER);
    r->exchange.done = done;
    r->exchange.prepare = prepare;
    timer_init(&r->timer, timer_fired);
    buf_init(&r->uri, UA_TEXT_MAX);
    buf_append_str(&r->uri, "sip:");
    buf_append(&r->uri, ua->domain);
    ua_text_token(ua, r->call_id);
    ua_text_short_token(ua, r->from_tag, 16);
    return buf_ok(&r->uri);
}

void ua_registration_deinit(struct ua_registration *r)
{
    timer_wheel_cancel(&r->exchange.ua->wheel, &r->timer);
    ua_exchange_deinit(&r->exchange);
    buf_deinit(&r->uri);
}

void ua_registration_work(struct ua_registration *r)
{
    if (!r->due || r->exchange.running)
        return;
    r->due = false;
    r->asked_s = r->expires_s;
    timer_wheel_cancel(&r->exchange.ua->wheel, &r->timer);
    r->exchange.cseq++; /* RFC 3261 §10.2: higher for each REGISTER with the same Call-ID */
    ua_exchange_start(&r->exchange, buf_slice(&r->uri), NULL);
}

void ua_registration_channel_settled(struct ua_registration *r, bool up)
{
    if (!r->wanted || r->exchange.running)
        return;
    if (up) { /* a new way: the binding must name it */
        r->due = true;
        ua_registration_work(r);
    } else if (!timer_is_set(&r->timer) || r->failures == 0) { /* it was registered over the lost connection */
        try_later(r, NULL);
    }
}
