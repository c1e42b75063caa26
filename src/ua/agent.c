/* The agent's public functions (telex/ua.h) and its turn: what they wrote down is done by telex_ua_receive and
 * telex_ua_advance, and by nothing else, so that no callback surprises a caller. */
#include <limits.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "ua/ua_private.h"

const char *telex_version(void)
{
    return TELEX_VERSION;
}

const char *telex_error_text(int error)
{
    static const char *const texts[] = {
        [-TELEX_OK] = "success",
        [-TELEX_ERR_ARGUMENT] = "a URI, address, header value or number that is not valid",
        [-TELEX_ERR_NO_MEMORY] = "no memory",
        [-TELEX_ERR_FULL] = "the queue is full",
        [-TELEX_ERR_TOO_LARGE] = "over the size limit",
        [-TELEX_ERR_NOT_FOUND] = "not found",
    };
    return error <= 0 && error > -(int)(sizeof texts / sizeof texts[0]) ? texts[-error] : "unknown error";
}

/* --- what comes from below --- */

static void fill_random(struct random *base, void *out, size_t len)
{
    struct ua_random *r = CONTAINER_OF(base, struct ua_random, base);
    r->ua->config.random(r->ua->config.context, out, len);
}

static void system_random(void *context, void *out, size_t len)
{
    (void)context;
    random_fill(random_system(), out, len);
}

static void got_request(void *context, const struct incoming *in)
{
    ua_inbox_request(context, in);
}

static void got_foreign_response(void *context, unsigned worker, const struct flow *flow, struct packet *packet)
{
    (void)context, (void)worker, (void)flow, (void)packet; /* a branch of no agent of ours: dropped */
}

static const struct endpoint_user endpoint_callbacks = {.request = got_request,
                                                        .foreign_response = got_foreign_response};

/* --- making one --- */

static bool copy_text(struct telex_ua *ua, const char **text)
{
    if (!*text)
        return true;
    struct slice s = slice_make(*text, strlen(*text) + 1); /* with its NUL */
    *text = arena_copy(&ua->texts, s).ptr;
    return *text != NULL;
}

static bool copy_config(struct telex_ua *ua, const struct telex_ua_config *config)
{
    struct telex_ua_config *c = &ua->config;
    *c = *config;
    if (!c->user_agent)
        c->user_agent = "libtelex/" TELEX_VERSION;
    if (!c->accept)
        c->accept = "*/*";
    if (!c->random)
        c->random = system_random;
    if (c->attempts_max == 0)
        c->attempts_max = UA_ATTEMPTS_DEFAULT;
    return copy_text(ua, &c->aor) && copy_text(ua, &c->display_name) && copy_text(ua, &c->auth_user) &&
           copy_text(ua, &c->password) && copy_text(ua, &c->realm) && copy_text(ua, &c->instance_id) &&
           copy_text(ua, &c->user_agent) && copy_text(ua, &c->accept);
}

/* Nothing in the configuration may end a header line or a quoted string of ours. */
static bool config_is_valid(const struct telex_ua_config *c)
{
    if (!c || !c->aor || !c->callbacks || !c->callbacks->send || !c->callbacks->connect ||
        (unsigned)c->transport >= TELEX_TRANSPORTS)
        return false;
    const char *const texts[] = {c->aor,   c->display_name, c->auth_user,  c->password,
                                 c->realm, c->instance_id,  c->user_agent, c->accept};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i] && (strlen(texts[i]) >= UA_TEXT_MAX || !ua_text_is_clean(texts[i])))
            return false;
    }
    return !c->instance_id || !strpbrk(c->instance_id, "<>\"\\ ");
}

static bool read_aor(struct telex_ua *ua)
{
    size_t fault = 0;
    if (uri_parse(slice_str(ua->config.aor), &ua->aor, &fault) != ERR_NONE || ua->aor.scheme != URI_SIP ||
        slice_is_empty(ua->aor.user) || slice_is_set(ua->aor.password) || ua->aor.port != 0 ||
        slice_is_set(ua->aor.params) || slice_is_set(ua->aor.headers))
        return false; /* an address-of-record has neither port nor parameters (RFC 3261 §10.3 step 5) */
    ua->user = ua->aor.user;
    ua->domain = ua->aor.host;
    return true;
}

/* The user part is escaped in a URI and bare in credentials (RFC 3261 §22.4). */
static bool choose_auth_user(struct telex_ua *ua)
{
    static const char digits[] = "0123456789abcdef";
    if (ua->config.auth_user) {
        ua->auth_user = slice_str(ua->config.auth_user);
        return true;
    }
    char *bare = arena_alloc(&ua->texts, ua->user.len + 1);
    if (!bare)
        return false;
    size_t len = 0;
    for (size_t i = 0; i < ua->user.len; i++) {
        char c = ua->user.ptr[i];
        if (c == '%') { /* uri_parse has seen two digits behind it */
            const char *high = memchr(digits, ua->user.ptr[i + 1] | 32, 16);
            const char *low = memchr(digits, ua->user.ptr[i + 2] | 32, 16);
            c = high && low ? (char)((high - digits) * 16 + (low - digits)) : c;
            i += 2;
        }
        bare[len++] = c;
    }
    ua->config.auth_user = bare;
    ua->auth_user = slice_make(bare, len);
    return ua_text_is_clean(bare) && strlen(bare) == len;
}

static int make_endpoint(struct telex_ua *ua)
{
    const struct endpoint_config config = {.link = &ua->link,
                                           .wheel = &ua->wheel,
                                           .random = &ua->random.base,
                                           .user = &endpoint_callbacks,
                                           .context = ua,
                                           .server_txns_max = UA_SERVER_TXNS_MAX,
                                           .finished_max = UA_FINISHED_MAX,
                                           .client_txns_max = UA_CLIENT_TXNS_MAX};
    return endpoint_new(&config, &ua->endpoint) == ERR_NONE ? TELEX_OK : TELEX_ERR_NO_MEMORY;
}

int telex_ua_new(const struct telex_ua_config *config, uint64_t now_ms, struct telex_ua **ret)
{
    if (!config_is_valid(config))
        return TELEX_ERR_ARGUMENT;
    struct telex_ua *ua = calloc(1, sizeof *ua);
    if (!ua)
        return TELEX_ERR_NO_MEMORY;
    arena_init(&ua->texts, 32 * UA_TEXT_MAX);
    int err = copy_config(ua, config) ? TELEX_OK : TELEX_ERR_NO_MEMORY;
    if (!err && (!read_aor(ua) || !choose_auth_user(ua)))
        err = TELEX_ERR_ARGUMENT;
    if (err)
        goto fail_texts;
    ua->random = (struct ua_random){.base.fill = fill_random, .ua = ua};
    random_fill(&ua->random.base, &ua->hash_key, sizeof ua->hash_key);
    ua->link.ops = &ua_channel_link_ops;
    timer_wheel_init(&ua->wheel, now_ms);
    if ((err = make_endpoint(ua)))
        goto fail_texts;
    if (ua_inbox_init(&ua->inbox) != ERR_NONE) {
        err = TELEX_ERR_NO_MEMORY;
        goto fail_endpoint;
    }
    ua_outbox_init(&ua->outbox);
    if (!ua_registration_init(&ua->registration, ua)) {
        err = TELEX_ERR_NO_MEMORY;
        goto fail_registration;
    }
    for (unsigned i = 0; i < TELEX_TRANSPORTS; i++)
        ua_channel_init(&ua->channels[i], ua, (enum telex_transport)i);
    *ret = ua;
    return TELEX_OK;

fail_registration:
    ua_registration_deinit(&ua->registration);
    ua_inbox_deinit(&ua->inbox);
fail_endpoint:
    endpoint_free(ua->endpoint);
fail_texts:
    arena_deinit(&ua->texts);
    free(ua);
    return err;
}

void telex_ua_free(struct telex_ua *ua)
{
    if (!ua)
        return;
    ua_outbox_deinit(ua);
    ua_registration_deinit(&ua->registration);
    ua_inbox_deinit(&ua->inbox);
    for (unsigned i = 0; i < TELEX_TRANSPORTS; i++)
        ua_channel_deinit(&ua->channels[i]);
    endpoint_free(ua->endpoint);
    if (ua->config.password)
        OPENSSL_cleanse((char *)(uintptr_t)ua->config.password, strlen(ua->config.password));
    OPENSSL_cleanse(ua->credentials, sizeof ua->credentials);
    arena_deinit(&ua->texts);
    free(ua);
}

/* --- what the host wants and tells --- */

static bool write_sent_by(const struct address *local, char out[ADDRESS_TEXT_MAX])
{
    struct buf text;
    buf_init(&text, ADDRESS_TEXT_MAX);
    address_append(&text, local);
    bool ok = buf_ok(&text) && slice_to_cstr(buf_slice(&text), out, ADDRESS_TEXT_MAX) == ERR_NONE;
    buf_deinit(&text);
    return ok;
}

int telex_ua_connected(struct telex_ua *ua, enum telex_transport transport, const char *local, const char *remote)
{
    struct address l, r;
    char sent_by[ADDRESS_TEXT_MAX];
    if ((unsigned)transport >= TELEX_TRANSPORTS || !local || !remote ||
        address_parse(slice_str(local), &l) != ERR_NONE || address_parse(slice_str(remote), &r) != ERR_NONE)
        return TELEX_ERR_ARGUMENT;
    if (!write_sent_by(&l, sent_by))
        return TELEX_ERR_NO_MEMORY;
    struct ua_channel *c = &ua->channels[transport];
    c->changed = c->change_up = true;
    c->closed |= c->up;
    c->new_local = l;
    c->new_remote = r;
    memcpy(c->new_sent_by, sent_by, sizeof sent_by);
    return TELEX_OK;
}

void telex_ua_disconnected(struct telex_ua *ua, enum telex_transport transport)
{
    if ((unsigned)transport >= TELEX_TRANSPORTS)
        return;
    struct ua_channel *c = &ua->channels[transport];
    c->changed = true;
    c->change_up = false;
    c->closed |= c->up;
}

int telex_ua_register(struct telex_ua *ua, uint32_t expires_s)
{
    struct ua_registration *r = &ua->registration;
    r->wanted = r->due = true;
    r->raised = false;
    r->failures = 0;
    r->expires_s = expires_s;
    return TELEX_OK;
}

int telex_ua_send(struct telex_ua *ua, const struct telex_outgoing *message, uint64_t *ret_id)
{
    return ua_outbox_add(ua, message, ret_id);
}

int telex_ua_cancel(struct telex_ua *ua, uint64_t id)
{
    return ua_outbox_cancel(ua, id);
}

int telex_ua_answer(struct telex_ua *ua, uint64_t handle, unsigned status)
{
    return ua_inbox_answer(ua, handle, status);
}

size_t telex_ua_outgoing_count(const struct telex_ua *ua)
{
    return ua->outbox.count;
}

size_t telex_ua_unanswered_count(const struct telex_ua *ua)
{
    return ua->inbox.unanswered_count;
}

/* --- the turn --- */

static bool is_due(const struct telex_ua *ua)
{
    bool changed = false;
    for (unsigned i = 0; i < TELEX_TRANSPORTS; i++)
        changed |= ua->channels[i].changed;
    return changed || (ua->registration.due && !ua->registration.exchange.running) || ua->outbox.due ||
           !list_is_empty(&ua->inbox.to_send);
}

static void work(struct telex_ua *ua)
{
    for (unsigned i = 0; i < TELEX_TRANSPORTS; i++)
        ua_channel_settle(&ua->channels[i]);
    ua_registration_work(&ua->registration);
    ua_outbox_work(ua);
    ua_inbox_work(ua);
}

void telex_ua_advance(struct telex_ua *ua, uint64_t now_ms)
{
    if (now_ms > ua->wheel.now_ms || timer_wheel_next(&ua->wheel) <= now_ms)
        timer_wheel_advance(&ua->wheel, now_ms);
    work(ua);
}

void telex_ua_receive(struct telex_ua *ua, enum telex_transport transport, const void *bytes, size_t len,
                      uint64_t now_ms)
{
    telex_ua_advance(ua, now_ms);
    if ((unsigned)transport < TELEX_TRANSPORTS && len > 0)
        ua_channel_receive(&ua->channels[transport], slice_make(bytes, len));
    work(ua);
}

int telex_ua_timeout(const struct telex_ua *ua, uint64_t now_ms)
{
    if (is_due(ua))
        return 0;
    uint64_t next = timer_wheel_next(&ua->wheel);
    if (next == UINT64_MAX)
        return -1;
    if (next <= now_ms)
        return 0;
    return next - now_ms < INT_MAX ? (int)(next - now_ms) : INT_MAX;
}
