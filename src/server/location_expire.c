/* What ends by time: bindings, devices whose last binding ended, devices that nobody has seen for long. Memory first;
 * the store follows, and what it fails to follow ends again after the next start, because the rows say when. */
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "server/drain.h"
#include "server/location.h"
#include "server/mailbox.h"
#include "server/registrar.h"

#define RETRY_MS 1000u
#define DAY_MS   (24ll * 3600 * 1000)

/* One expiry on its way to the store. Bindings that ended live here until it is there: the request borrows their texts.
 */
struct ending {
    struct store_request request;
    struct list bindings;
    uint8_t forgotten[STORE_DEVICES_MAX];
    size_t forgotten_count;
    struct store_binding removed[];
};

static bool is_expired(const struct binding *b, uint64_t now_ms)
{
    return b->expires_mono_ms <= now_ms;
}

/* Both clocks must agree, so that no jump of one forgets a device and its mail (C12). */
static bool is_forgotten(struct device *d, uint64_t now_ms)
{
    const struct server *s = d->account->home;
    if (!list_is_empty(&d->bindings))
        return false;
    if (!d->has_instance)
        return true;
    if (d->forget_mono_ms > now_ms)
        return false;
    if (clock_wall_ms(s->clock) - d->seen_ms >= s->config->limits.device_days * DAY_MS)
        return true;
    location_seen(d, d->seen_ms);
    return false;
}

static void ending_free(struct ending *e)
{
    struct list_node *n;
    while ((n = list_pop_front(&e->bindings)))
        free(CONTAINER_OF(n, struct binding, node));
    free(e);
}

static void stored(struct store_request *r)
{
    if (r->result != ERR_NONE)
        LOG(LOG_WARN, "expiry-not-stored", LOG_FIELD("error", slice_str(err_text(r->result))));
    ending_free(CONTAINER_OF(r, struct ending, request));
}

static void end_bindings(struct account *a, struct ending *e, uint64_t now_ms)
{
    struct binding *next = location_next_binding(a, NULL);
    while (next) {
        struct binding *b = next;
        next = location_next_binding(a, b);
        if (!is_expired(b, now_ms))
            continue;
        e->removed[e->request.reg.removed_count++] = (struct store_binding){
            .device = b->device->number, .contact = b->contact, .call_id = b->call_id};
        location_detach_binding(b);
        list_push_back(&e->bindings, &b->node);
    }
}

static void end_devices(struct account *a, struct ending *e, uint64_t now_ms)
{
    for (size_t i = 1; i < STORE_DEVICES_MAX; i++) {
        struct device *d = a->devices[i];
        if (!d || !is_forgotten(d, now_ms))
            continue;
        e->forgotten[e->forgotten_count++] = d->number;
        mailbox_device_leaves(d);
        location_remove_device(d);
    }
}

/* False without memory. */
static bool end_what_is_over(struct account *a, uint64_t now_ms)
{
    size_t count = 0;
    for (struct binding *b = NULL; (b = location_next_binding(a, b));)
        count += is_expired(b, now_ms);
    struct ending *e = calloc(1, sizeof *e + count * sizeof e->removed[0]);
    if (!e)
        return false;
    list_init(&e->bindings);
    end_bindings(a, e, now_ms);
    end_devices(a, e, now_ms);
    if (e->request.reg.removed_count == 0 && e->forgotten_count == 0) {
        free(e);
        return true;
    }
    e->request.op = STORE_REGISTER;
    e->request.worker = a->home->worker;
    e->request.account = a->id;
    e->request.done = stored;
    e->request.reg.removed = e->removed;
    e->request.reg.forgotten = e->forgotten;
    e->request.reg.forgotten_count = e->forgotten_count;
    store_submit(a->home->store, &e->request);
    return true;
}

void location_expire(struct timer *t)
{
    struct account *a = CONTAINER_OF(t, struct account, expiry);
    uint64_t now_ms = clock_mono_ms(a->home->clock);
    if (registrar_is_busy(a))
        return; /* it schedules the expiry when it is done */
    if (!end_what_is_over(a, now_ms)) {
        timer_wheel_set(a->home->wheel, t, now_ms + RETRY_MS);
        return;
    }
    mailbox_expire(a, now_ms);
    location_schedule_expiry(a);
}
