/* Failed logins in the log, through one token bucket. */
#include "server/auth_log.h"

#include "base/log.h"

void auth_log_init(struct auth_log *l, struct clock *clock)
{
    *l = (struct auth_log){.clock = clock, .filled_ms = clock_mono_ms(clock), .tokens = AUTH_LOG_BURST * 1000u};
}

static bool take(struct auth_log *l)
{
    uint64_t now_ms = clock_mono_ms(l->clock);
    l->tokens += (now_ms - l->filled_ms) * AUTH_LOG_PER_SECOND;
    if (l->tokens > AUTH_LOG_BURST * 1000u)
        l->tokens = AUTH_LOG_BURST * 1000u;
    l->filled_ms = now_ms;
    if (l->tokens < 1000) {
        l->left_out++;
        return false;
    }
    l->tokens -= 1000;
    return true;
}

/* The number of lines that were left out as text, absent for none. */
static struct slice left_out(struct auth_log *l, struct buf *b)
{
    if (l->left_out == 0)
        return SLICE_NONE;
    buf_append_u64(b, l->left_out);
    l->left_out = 0;
    return buf_slice(b);
}

void auth_log_failed(struct auth_log *l, const struct flow *flow, struct slice user, const char *reason,
                     struct slice call_id)
{
    char source[ADDRESS_TEXT_MAX];
    struct buf number;
    if (!take(l))
        return;
    buf_init(&number, 24);
    LOG(LOG_WARN, "auth-failed", LOG_FIELD("source", slice_str(address_text(&flow->remote, source))),
        LOG_FIELD("user", user), LOG_FIELD("reason", slice_str(reason)), LOG_FIELD("call_id", call_id),
        LOG_FIELD("left_out", left_out(l, &number)));
    buf_deinit(&number);
}

void auth_log_unknown_domain(struct auth_log *l, const struct flow *flow, struct slice host)
{
    char source[ADDRESS_TEXT_MAX];
    struct buf line;
    if (!take(l))
        return;
    buf_init(&line, 300);
    buf_append(&line, SLICE("domains: [..., "));
    buf_append(&line, host);
    buf_append_char(&line, ']');
    LOG(LOG_WARN, "register-unknown-domain", LOG_FIELD("source", slice_str(address_text(&flow->remote, source))),
        LOG_FIELD("domain", host), LOG_FIELD("add_to_configuration", buf_slice(&line)));
    buf_deinit(&line);
}
