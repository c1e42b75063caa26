/* Writes the 200 and 423 of the registrar. */
#include "server/register_answer.h"

#include "server/location.h"
#include "server/server_private.h"
#include "sip/build.h"
#include "sip/date.h"
#include "sip/params.h"

/* The parameters as registered, but expires, which is ours to say. */
static void append_params(struct buf *out, struct slice params)
{
    struct param p;
    int used;
    while (params.len && (used = params_next(params, &p)) > 0) {
        params = slice_skip(params, (size_t)used);
        if (slice_eq_nocase(p.name, SLICE("expires")))
            continue;
        buf_append_char(out, ';');
        buf_append(out, p.name);
        if (!slice_is_set(p.value))
            continue;
        buf_append_char(out, '=');
        buf_append(out, p.value);
    }
}

static void append_binding(struct buf *out, const struct binding *b, uint64_t now_ms)
{
    buf_append(out, SLICE("Contact: <"));
    buf_append(out, b->contact);
    buf_append_char(out, '>');
    append_params(out, b->params);
    buf_append(out, SLICE(";expires="));
    buf_append_u64(out, (b->expires_mono_ms - now_ms + 999) / 1000);
    buf_append(out, SLICE("\r\n"));
}

void register_answer_ok(struct buf *out, const struct account *a, const struct register_request *q)
{
    struct clock *clock = a->home->clock;
    uint64_t now_ms = clock_mono_ms(clock);
    for (const struct binding *b = NULL; (b = location_next_binding(a, b));)
        if (b->expires_mono_ms > now_ms)
            append_binding(out, b, now_ms);
    if (q->supports_path && slice_is_set(q->path))
        build_header(out, HEADER_PATH, q->path);
    buf_append(out, SLICE("Date: "));
    date_append(out, clock_wall_ms(clock) / 1000);
    buf_append(out, SLICE("\r\n"));
}

void register_answer_refusal(struct buf *out, const struct server_config *c, uint16_t status)
{
    if (status == 423)
        build_header_number(out, HEADER_MIN_EXPIRES, c->limits.register_min_s);
}
