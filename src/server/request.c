/* Requests: checked in the order of RFC 3261 §16.3, then handed to what serves their method. Nothing here makes state
 * before the sender is known. */
#include "server/request.h"

#include "base/err.h"
#include "base/log.h"
#include "server/letter.h"
#include "server/rates.h"
#include "server/registrar.h"
#include "server/router.h"

#define REQUEST_ALLOW "Allow: MESSAGE, REGISTER, OPTIONS\r\n"
/* Option tags are echoed in a 420: as many as fit here, the rest is no news to the sender. */
#define UNSUPPORTED_MAX 512u

static const struct slice allow = SLICE_INIT(REQUEST_ALLOW);
static const struct slice capabilities = SLICE_INIT(REQUEST_ALLOW "Accept: */*\r\nSupported: path\r\n");

static void answer(struct server *s, const struct incoming *in, uint16_t status, struct slice headers)
{
    const struct answer a = {.status = status, .headers = headers};
    endpoint_answer(s->endpoint, in, &a);
}

/* --- checks: each answers and returns false when the request ends there --- */

/* §16.3 step 2. TLS comes later, so what asks for it can't be kept (RFC 5630: no downgrade). */
static bool check_scheme(struct server *s, const struct incoming *in)
{
    struct uri uri;
    int err = message_uri(in->message, &uri);
    if (err == ERR_NONE && uri.scheme == URI_SIP)
        return true;
    answer(s, in, err == ERR_NONE ? 416 : 400, SLICE_NONE);
    return false;
}

static bool is_options_to_us(struct server *s, const struct incoming *in)
{
    struct uri uri;
    return in->message->method == METHOD_OPTIONS && message_uri(in->message, &uri) == ERR_NONE &&
           !slice_is_set(uri.user) && us_is_uri(s->config, &uri, NULL);
}

/* §16.3 step 3 */
static bool check_max_forwards(struct server *s, const struct incoming *in)
{
    uint32_t left;
    if (message_number(in->message, HEADER_MAX_FORWARDS, 255, &left) != ERR_NONE || left > 0 ||
        in->message->method == METHOD_REGISTER || is_options_to_us(s, in))
        return true;
    answer(s, in, 483, SLICE_NONE);
    return false;
}

/* §16.3 step 4 with RFC 5393 §4.2: our branch with the same hash is a loop, with another one a spiral. */
static bool check_loop(struct server *s, const struct incoming *in)
{
    struct message_values state = {0};
    struct via via;
    struct slice text;
    uint64_t seen, own = 0;
    int err = ERR_NONE;
    while (message_next_via(in->message, &state, &via, &text, &err)) {
        if (!endpoint_branch_loop_hash(via.branch, &seen))
            continue;
        if (!own)
            own = letter_loop_hash(s, in->message);
        if (seen == own) {
            answer(s, in, 482, SLICE_NONE);
            return false;
        }
    }
    return true;
}

static void append_tokens(const struct message *m, enum header id, struct buf *out)
{
    struct message_values state = {0};
    struct slice token;
    while (message_next_token(m, id, &state, &token)) {
        if (id == HEADER_REQUIRE && slice_eq_nocase(token, SLICE("path")))
            continue;
        buf_append(out, out->len ? SLICE(", ") : SLICE("Unsupported: "));
        buf_append(out, token);
    }
}

/* §16.3 step 5; where the request ends here, Require too (§8.2.2.3). */
static bool check_require(struct server *s, const struct incoming *in)
{
    struct buf unsupported;
    buf_init(&unsupported, UNSUPPORTED_MAX);
    append_tokens(in->message, HEADER_PROXY_REQUIRE, &unsupported);
    if (in->message->method == METHOD_REGISTER || in->message->method == METHOD_OPTIONS)
        append_tokens(in->message, HEADER_REQUIRE, &unsupported);
    bool passes = unsupported.len == 0 && buf_ok(&unsupported);
    if (!passes) {
        buf_append_str(&unsupported, "\r\n");
        answer(s, in, 420, buf_ok(&unsupported) ? buf_slice(&unsupported) : SLICE_NONE);
    }
    buf_deinit(&unsupported);
    return passes;
}

static bool check_stopping(struct server *s, const struct incoming *in)
{
    if (!s->draining)
        return true;
    answer(s, in, 503, server_retry_later);
    return false;
}

static bool (*const checks[])(struct server *, const struct incoming *) = {
    check_scheme, check_max_forwards, check_loop, check_require, check_stopping,
};

/* --- methods --- */

/* Who sent it, for requests that only known senders may make; NULL after the refusal was sent. */
static bool authenticate(struct server *s, const struct incoming *in, struct auth_result *ret)
{
    auth_request(s->auth, in, ret);
    if (ret->kind != AUTH_CHALLENGE && ret->kind != AUTH_REFUSED)
        return true;
    s->counters.auth_failures += ret->failed;
    /* A flood from one address gets no answers: they would double it (defects.md, flood). Relays stand for many. */
    if (!auth_is_relay(s->config, &in->flow->remote) && !rates_source(s->rates, &in->flow->remote, s->wheel->now_ms))
        return false;
    answer(s, in, ret->status, slice_make(ret->headers, ret->headers_len));
    return false;
}

static void on_message(struct server *s, const struct incoming *in)
{
    struct auth_result sender;
    if (authenticate(s, in, &sender))
        router_message(s, in, &sender);
}

static void on_register(struct server *s, const struct incoming *in)
{
    struct auth_result sender;
    struct addr to;
    struct uri uri;
    struct buf aor;
    (void)message_uri(in->message, &uri); /* check_scheme saw that it parses, message_check saw To */
    (void)message_to(in->message, &to);
    if (!us_is_uri(s->config, &uri, NULL) || !us_is_host(s->config, to.uri.host, NULL)) {
        bool scheme_fits = to.uri.scheme == URI_SIP || to.uri.scheme == URI_SIPS;
        if (scheme_fits)
            auth_note_unknown_domain(s->auth, in->flow, us_is_uri(s->config, &uri, NULL) ? to.uri.host : uri.host);
        answer(s, in, scheme_fits ? 404 : 400, SLICE_NONE);
        return;
    }
    if (!authenticate(s, in, &sender))
        return;
    buf_init(&aor, AUTH_AOR_MAX);
    int64_t account = 0;
    bool known = us_aor(s->config, &to.uri, &aor) == ERR_NONE && buf_ok(&aor) &&
                 accounts_id(s->shared->accounts, buf_slice(&aor), &account);
    struct server_txn *txn = known ? server_txn_new(s->endpoint, in) : NULL;
    s->counters.registers++;
    if (txn)
        registrar_receive(s, in, server_txn_id(txn), account, buf_slice(&aor));
    else
        answer(s, in, known ? 503 : 404, known ? server_retry_later : SLICE_NONE);
    buf_deinit(&aor);
}

/* To us it tells what we do (§11.2), without credentials; about users it tells nothing, so that nobody learns who
 * exists. */
static void on_options(struct server *s, const struct incoming *in)
{
    struct uri uri;
    (void)message_uri(in->message, &uri);
    answer(s, in, us_is_uri(s->config, &uri, NULL) ? 200 : 404, capabilities);
}

/* RFC 4320 §4, RFC 3261 §9: CANCEL has no effect on what we serve, and finds no INVITE. */
static void on_cancel(struct server *s, const struct incoming *in)
{
    answer(s, in, 481, SLICE_NONE);
}

static void on_other(struct server *s, const struct incoming *in)
{
    answer(s, in, 405, allow);
}

static void (*const methods[METHOD_COUNT])(struct server *, const struct incoming *) = {
    [METHOD_MESSAGE] = on_message,
    [METHOD_REGISTER] = on_register,
    [METHOD_OPTIONS] = on_options,
    [METHOD_CANCEL] = on_cancel,
};

void request_receive(void *context, const struct incoming *in)
{
    struct server *s = context;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (!checks[i](s, in))
            return;
    (methods[in->message->method] ? methods[in->message->method] : on_other)(s, in);
}
