/* OPTIONS pings toward UDP devices behind NAT. The requests are ours alone: a Call-ID each, From our first domain. */
#include "server/keepalive.h"

#include "base/err.h"
#include "server/attempt.h"
#include "server/drain.h"
#include "server/location.h"
#include "server/watch.h"
#include "sip/build.h"

#define PING_FIELDS_MAX 8192u
#define TOKEN_LEN       8u

static bool needs_pings(const struct binding *b)
{
    return b->behind_nat && b->flow.transport == TRANSPORT_UDP;
}

void keepalive_heard(struct binding *b)
{
    b->misses = 0;
    if (b->flow.transport == TRANSPORT_UDP)
        b->live = true;
}

static void pinged(void *context, const struct attempt_result *result)
{
    struct binding *b = context;
    b->ping_attempt = NULL;
    if (result->status != 0) { /* any answer comes from somebody who is there */
        bool was_away = !b->live;
        keepalive_heard(b);
        if (was_away)
            drain_wake(b->device);
        return;
    }
    if (result->not_tried)
        return;
    if (b->misses < LIMIT_NAT_MISSES)
        b->misses++;
    if (b->misses < LIMIT_NAT_MISSES)
        return;
    b->live = false;
    watch_binding(b); /* any packet from it brings it back */
}

static void append_token(struct buf *out, struct random *random)
{
    uint8_t noise[TOKEN_LEN];
    random_fill(random, noise, sizeof noise);
    buf_append_hex(out, noise, sizeof noise);
}

static struct packet *build_tail(struct server *s, struct slice uri)
{
    struct buf b;
    buf_init(&b, PING_FIELDS_MAX);
    buf_append(&b, SLICE("From: <sip:"));
    buf_append(&b, s->config->domains[0]);
    buf_append(&b, SLICE(">;tag="));
    append_token(&b, s->random);
    buf_append(&b, SLICE("\r\nTo: <"));
    buf_append(&b, uri);
    buf_append(&b, SLICE(">\r\nCall-ID: "));
    append_token(&b, s->random);
    buf_append(&b, SLICE("\r\nCSeq: 1 OPTIONS\r\n"));
    build_header_number(&b, HEADER_MAX_FORWARDS, LIMIT_MAX_FORWARDS);
    build_end(&b, SLICE(""));
    struct packet *p = buf_ok(&b) ? packet_copy(buf_slice(&b)) : NULL;
    buf_deinit(&b);
    return p;
}

static void ping(struct binding *b)
{
    struct server *s = b->device->account->home;
    struct slice uri = location_request_uri(b);
    struct packet *tail = build_tail(s, uri);
    struct buf line;
    buf_init(&line, PING_FIELDS_MAX);
    build_request_line(&line, SLICE("OPTIONS"), uri);
    if (tail && buf_ok(&line)) {
        const struct attempt_request r = {
            .hop = hop_flow(&b->flow),
            .method = METHOD_OPTIONS,
            .cseq = 1,
            .request_line = buf_slice(&line),
            .tail = tail,
            .timeout_ms = KEEPALIVE_TIMEOUT_MS,
        };
        if (attempt_new(s, &r, pinged, b, &b->ping_attempt) != ERR_NONE)
            b->ping_attempt = NULL; /* without memory this round is left out */
    }
    buf_deinit(&line);
    packet_unref(&tail);
}

static void is_due(struct timer *t)
{
    struct binding *b = CONTAINER_OF(t, struct binding, ping);
    timer_wheel_set_in(b->device->account->home->wheel, t, LIMIT_NAT_PING_MS);
    if (!b->ping_attempt)
        ping(b);
}

void keepalive_start(struct binding *b)
{
    struct server *s = b->device->account->home;
    keepalive_stop(b);
    if (!needs_pings(b))
        return;
    b->misses = 0;
    timer_init(&b->ping, is_due);
    /* A random phase: phones that all registered after a power cut are not all pinged at once. */
    timer_wheel_set_in(s->wheel, &b->ping, 1 + random_below(s->random, LIMIT_NAT_PING_MS));
}

void keepalive_stop(struct binding *b)
{
    timer_wheel_cancel(b->device->account->home->wheel, &b->ping);
    if (b->ping_attempt)
        attempt_detach(b->ping_attempt);
    b->ping_attempt = NULL;
}
