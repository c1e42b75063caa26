/* Devices and bindings in memory. */
#include "server/location.h"

#include <stdlib.h>

#include "base/err.h"
#include "server/keepalive.h"
#include "server/mailbox.h"
#include "server/server_private.h"

#define DAY_MS (24ull * 3600 * 1000)
/* A clock that was wrong at the start is right after an hour; until then nothing is forgotten by it (C12). */
#define GRACE_MS (3600ull * 1000)

static struct binding *binding_of(struct list_node *n)
{
    return n ? CONTAINER_OF(n, struct binding, node) : NULL;
}

struct device *location_find_device(struct account *a, struct slice key)
{
    for (size_t i = 1; i < STORE_DEVICES_MAX; i++)
        if (a->devices[i] && slice_eq(a->devices[i]->key, key))
            return a->devices[i];
    return NULL;
}

struct binding *location_next_binding(const struct account *a, const struct binding *previous)
{
    size_t i = 1;
    if (previous) {
        if (previous->node.next != &previous->device->bindings.head)
            return binding_of(previous->node.next);
        i = previous->device->number + 1u;
    }
    for (; i < STORE_DEVICES_MAX; i++)
        if (a->devices[i] && !list_is_empty(&a->devices[i]->bindings))
            return binding_of(list_first(&a->devices[i]->bindings));
    return NULL;
}

struct binding *location_find_binding(struct account *a, struct slice contact, struct slice call_id)
{
    struct binding *b = NULL;
    while ((b = location_next_binding(a, b)))
        if (slice_eq(b->contact, contact) && slice_eq(b->call_id, call_id))
            return b;
    return NULL;
}

struct binding *location_binding(const struct device *d, uint64_t now_mono_ms)
{
    LIST_EACH (n, &d->bindings) {
        struct binding *b = binding_of(n);
        if (b->live && b->expires_mono_ms > now_mono_ms)
            return b;
    }
    return NULL;
}

/* RFC 3261 §20.5: a list of methods, whose names are compared with case. */
bool location_reads_method(const struct binding *b, struct slice method)
{
    struct slice rest = b->allow;
    if (!slice_is_set(rest))
        return true;
    while (slice_is_set(rest))
        if (slice_eq(slice_trim(slice_cut(rest, ',', &rest)), method))
            return true;
    return false;
}

/* The wall clock's distance as one of the monotonic clock, within bounds. */
static uint64_t mono_of(const struct server *s, int64_t wall_ms, uint64_t least_ms, uint64_t most_ms)
{
    int64_t left = wall_ms - clock_wall_ms(s->clock);
    uint64_t distance = left < 0 ? 0 : (uint64_t)left;
    distance = distance < least_ms ? least_ms : distance > most_ms ? most_ms : distance;
    return clock_mono_ms(s->clock) + distance;
}

void location_seen(struct device *d, int64_t now_wall_ms)
{
    const struct server *s = d->account->home;
    uint64_t days_ms = s->config->limits.device_days * DAY_MS;
    d->seen_ms = now_wall_ms;
    d->forget_mono_ms = mono_of(s, now_wall_ms + (int64_t)days_ms, GRACE_MS, days_ms);
}

static bool copy_text(struct slice s, struct slice *ret)
{
    *ret = SLICE_NONE;
    if (!slice_is_set(s))
        return true;
    char *text = malloc(s.len + 1);
    if (!text)
        return false;
    if (s.len)
        memcpy(text, s.ptr, s.len);
    *ret = slice_make(text, s.len);
    return true;
}

static bool begins_with(struct slice path, const struct uri *edge)
{
    struct addr first;
    size_t fault;
    return path.len && addr_parse(path, &first, &fault) >= 0 && uri_eq(&first.uri, edge);
}

bool location_has_path(const struct account *a, const struct uri *edge)
{
    for (size_t i = 1; i < STORE_DEVICES_MAX; i++) {
        if (!a->devices[i])
            continue;
        LIST_EACH (n, &a->devices[i]->bindings)
            if (begins_with(binding_of(n)->path, edge))
                return true;
    }
    return false;
}

struct slice location_request_uri(const struct binding *b)
{
    ptrdiff_t at = slice_find(b->contact, '?');
    return at < 0 ? b->contact : slice_head(b->contact, (size_t)at);
}

struct device *location_add_device(struct account *a, const struct store_device *d)
{
    struct device *device = calloc(1, sizeof *device);
    if (!device)
        return NULL;
    device->account = a;
    device->number = d->number;
    device->has_instance = d->has_instance;
    device->position = d->position;
    list_init(&device->bindings);
    location_seen(device, d->seen_ms);
    if (!copy_text(d->key, &device->key) || !copy_text(d->features, &device->features)) {
        free((void *)(uintptr_t)device->key.ptr);
        free(device);
        return NULL;
    }
    a->devices[d->number] = device;
    a->home->counters.devices++;
    return device;
}

void location_remove_device(struct device *d)
{
    struct account *a = d->account;
    LIST_EACH (n, &d->bindings) {
        location_remove_binding(binding_of(n));
    }
    timer_wheel_cancel(a->home->wheel, &d->wake);
    a->devices[d->number] = NULL;
    a->home->counters.devices--;
    free((void *)(uintptr_t)d->key.ptr);
    free((void *)(uintptr_t)d->features.ptr);
    free(d);
}

void location_free_devices(struct account *a)
{
    for (size_t i = 1; i < STORE_DEVICES_MAX; i++)
        if (a->devices[i])
            location_remove_device(a->devices[i]);
}

static struct slice keep(char **at, struct slice s)
{
    if (!slice_is_set(s))
        return s;
    if (s.len)
        memcpy(*at, s.ptr, s.len);
    struct slice kept = slice_make(*at, s.len);
    *at += s.len;
    return kept;
}

static void insert_by_age(struct device *d, struct binding *b)
{
    struct list_node *at = d->bindings.head.next;
    while (at != &d->bindings.head && binding_of(at)->registered_ms > b->registered_ms)
        at = at->next;
    list_insert_before(at, &b->node);
}

struct binding *location_add_binding(struct device *d, const struct store_binding *sb)
{
    struct server *s = d->account->home;
    size_t texts = sb->contact.len + sb->params.len + sb->path.len + sb->call_id.len + sb->user_agent.len +
                   sb->allow.len;
    struct binding *b = calloc(1, sizeof *b + texts);
    if (!b)
        return NULL;
    char *at = (char *)(b + 1);
    b->contact = keep(&at, sb->contact);
    b->params = keep(&at, sb->params);
    b->path = keep(&at, sb->path);
    b->call_id = keep(&at, sb->call_id);
    b->user_agent = keep(&at, sb->user_agent);
    b->allow = keep(&at, sb->allow);
    b->cseq = sb->cseq;
    b->q = sb->q;
    b->behind_nat = sb->behind_nat;
    b->live = true;
    b->registered_ms = sb->registered_ms;
    b->expires_ms = sb->expires_ms;
    b->expires_mono_ms = mono_of(s, sb->expires_ms, 0, s->config->limits.register_max_s * 1000ull);
    b->flow = sb->flow;
    b->device = d;
    insert_by_age(d, b);
    s->counters.bindings++;
    return b;
}

void location_detach_binding(struct binding *b)
{
    keepalive_stop(b);
    list_remove(&b->node);
    b->device->account->home->counters.bindings--;
}

void location_remove_binding(struct binding *b)
{
    location_detach_binding(b);
    free(b);
}

int location_load_device(struct account *a, const struct store_device *d)
{
    if (d->number == STORE_HEIR || d->number >= STORE_DEVICES_MAX)
        return ERR_NONE; /* the heir is no device in memory */
    return location_add_device(a, d) ? ERR_NONE : ERR_NO_MEMORY;
}

/* A loaded flow names no listener and no worker. UDP: the listener at the same address, and home's own socket there. */
static bool reopen_flow(const struct server *s, struct flow *f)
{
    if (transport_is_reliable(f->transport))
        return false;
    f->worker = (uint8_t)s->worker;
    f->slot = f->generation = 0;
    for (size_t i = 0; i < s->config->listener_count; i++) {
        const struct server_listener *l = &s->config->listeners[i];
        bool same_ip = address_eq_ip(&l->address, &f->local) ||
                       (address_is_any(&l->address) && l->address.family == f->local.family);
        if (l->transport == TRANSPORT_UDP && l->address.port == f->local.port && same_ip) {
            f->listener = (uint16_t)i;
            return true;
        }
    }
    return false;
}

int location_load_binding(struct account *a, const struct store_binding *b)
{
    struct device *d = b->device < STORE_DEVICES_MAX ? a->devices[b->device] : NULL;
    if (!d)
        return ERR_NONE; /* its device's end was stored last; nobody is there to reach */
    struct binding *added = location_add_binding(d, b);
    if (!added)
        return ERR_NO_MEMORY;
    added->live = reopen_flow(a->home, &added->flow);
    if (added->live)
        keepalive_start(added);
    return ERR_NONE;
}

static uint64_t device_ends_ms(const struct device *d)
{
    uint64_t ends_ms = UINT64_MAX;
    if (list_is_empty(&d->bindings))
        return d->has_instance ? d->forget_mono_ms : 0;
    LIST_EACH (n, &d->bindings) {
        const struct binding *b = CONTAINER_OF(n, struct binding, node);
        if (b->expires_mono_ms < ends_ms)
            ends_ms = b->expires_mono_ms;
    }
    return ends_ms;
}

void location_schedule_expiry(struct account *a)
{
    uint64_t at_ms = mailbox_next_expiry(a);
    for (size_t i = 1; i < STORE_DEVICES_MAX; i++) {
        uint64_t ends_ms = a->devices[i] ? device_ends_ms(a->devices[i]) : UINT64_MAX;
        if (ends_ms < at_ms)
            at_ms = ends_ms;
    }
    if (at_ms == UINT64_MAX)
        timer_wheel_cancel(a->home->wheel, &a->expiry);
    else
        timer_wheel_set(a->home->wheel, &a->expiry, at_ms);
}
