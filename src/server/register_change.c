/* Finds for each Contact what it adds, refreshes or ends, and gives new devices their numbers. */
#include "server/register_change.h"

#include "base/err.h"
#include "server/location.h"
#include "server/mailbox.h"
#include "server/server_private.h"
#include "sip/params.h"

/* A binding of the account, and whether it ends. */
struct standing {
    struct binding *binding;
    struct uri uri;
    bool ends;
};

/* A binding that will be. */
struct coming {
    const struct register_contact *contact;
    struct device *device; /* NULL: a new one */
    uint8_t number;
};

struct planning {
    struct account *a;
    const struct register_request *q;
    struct register_change *change;
    struct register_fault *fault;
    struct standing *standing;
    size_t standing_count;
    struct coming coming[REGISTER_CONTACTS_MAX];
    size_t coming_count;
    int64_t now_wall_ms;
};

static int refuse(struct planning *p, uint16_t status, const char *reason)
{
    *p->fault = (struct register_fault){status, reason};
    return ERR_MALFORMED;
}

static int list_standing(struct planning *p, struct arena *arena)
{
    size_t count = 0, fault;
    for (struct binding *b = NULL; (b = location_next_binding(p->a, b));)
        count++;
    p->standing = arena_alloc(arena, (count + 1) * sizeof *p->standing);
    p->change->removed = arena_alloc(arena, (count + 1) * sizeof *p->change->removed);
    if (!p->standing || !p->change->removed)
        return ERR_NO_MEMORY;
    for (struct binding *b = NULL; (b = location_next_binding(p->a, b));) {
        struct standing *s = &p->standing[p->standing_count++];
        s->binding = b;
        if (uri_parse(b->contact, &s->uri, &fault) != ERR_NONE)
            s->ends = true; /* a row that this version cannot read: it must not stand in the way */
    }
    return ERR_NONE;
}

/* Two REGISTERs from the same address and port come from the same phone, whatever their Call-IDs: it restarted. */
static bool same_source(const struct binding *b, const struct register_request *q)
{
    return q->is_direct && b->flow.transport == q->flow.transport && address_eq(&b->flow.remote, &q->flow.remote);
}

static struct slice reg_id_of(const struct binding *b)
{
    struct param p;
    return slice_is_set(b->params) && params_find(b->params, SLICE("reg-id"), &p) ? p.value : SLICE_NONE;
}

/* Whether `c` speaks of this binding. With +sip.instance the same Contact of the same device, or its same reg-id (RFC
 * 5626 §6). Without: the same Contact and Call-ID; another phone behind another NAT may have the same Contact, so with
 * another Call-ID only if it came from the same source. A removal may leave +sip.instance out. */
static bool concerns(const struct planning *p, const struct register_contact *c, const struct standing *s)
{
    const struct binding *b = s->binding;
    const struct device *d = b->device;
    bool is_instance = slice_is_set(c->instance) && d->has_instance && slice_eq(d->key, c->instance);
    bool same_uri = uri_eq(&c->uri, &s->uri);
    if (slice_eq(b->contact, c->uri.text) && slice_eq(b->call_id, p->q->call_id))
        return true; /* one row in the store, whatever the instance says now */
    if (is_instance)
        return same_uri || (slice_is_set(c->reg_id) && slice_eq(c->reg_id, reg_id_of(b)));
    if (!same_uri || slice_is_set(c->instance) || (d->has_instance && c->expires_s > 0))
        return false;
    return slice_eq(b->call_id, p->q->call_id) || same_source(b, p->q);
}

/* §10.3 step 7: the same Call-ID needs a higher CSeq. The same one is a retransmission that came after our answer was
 * forgotten: nothing changes, and it is told the same. */
static int plan_contact(struct planning *p, const struct register_contact *c)
{
    struct device *device = NULL;
    bool is_repeat = false;
    for (size_t i = 0; i < p->standing_count; i++) {
        const struct binding *b = p->standing[i].binding;
        if (p->standing[i].ends || !concerns(p, c, &p->standing[i]) || !slice_eq(b->call_id, p->q->call_id))
            continue;
        if (p->q->cseq < b->cseq)
            return refuse(p, 500, "CSeq Out Of Order");
        is_repeat = is_repeat || p->q->cseq == b->cseq;
        device = b->device;
    }
    if (is_repeat)
        return ERR_NONE;
    for (size_t i = 0; i < p->standing_count; i++)
        if (concerns(p, c, &p->standing[i]))
            p->standing[i].ends = true;
    if (c->expires_s == 0)
        return ERR_NONE;
    if (slice_is_set(c->instance))
        device = location_find_device(p->a, c->instance);
    p->coming[p->coming_count++] = (struct coming){.contact = c, .device = device};
    return ERR_NONE;
}

static int plan_star(struct planning *p)
{
    for (size_t i = 0; i < p->standing_count; i++) {
        const struct binding *b = p->standing[i].binding;
        /* §10.3 step 6: "If the Call-ID value agrees, remove only if the CSeq is higher". */
        if (slice_eq(b->call_id, p->q->call_id) && p->q->cseq <= b->cseq)
            return refuse(p, 500, "CSeq Out Of Order");
        p->standing[i].ends = true;
    }
    return ERR_NONE;
}

/* A phone with +sip.instance that changes its address often leaves bindings behind that nobody will ever renew: over
 * the limit its own oldest ones give way. */
static bool drop_oldest_of_own(struct planning *p)
{
    struct standing *oldest = NULL;
    for (size_t i = 0; i < p->standing_count; i++) {
        struct standing *s = &p->standing[i];
        bool is_own = false;
        for (size_t k = 0; k < p->coming_count; k++)
            is_own = is_own || (s->binding->device->has_instance && p->coming[k].device == s->binding->device);
        if (is_own && !s->ends && (!oldest || s->binding->registered_ms < oldest->binding->registered_ms))
            oldest = s;
    }
    if (oldest)
        oldest->ends = true;
    return oldest != NULL;
}

static int keep_limit(struct planning *p)
{
    for (;;) {
        size_t count = p->coming_count;
        for (size_t i = 0; i < p->standing_count; i++)
            count += !p->standing[i].ends;
        if (count <= p->a->home->config->limits.bindings_per_account || p->coming_count == 0)
            return ERR_NONE;
        if (!drop_oldest_of_own(p))
            return refuse(p, 403, "Too Many Bindings");
    }
}

static bool keeps_binding(const struct planning *p, const struct device *d)
{
    for (size_t i = 0; i < p->standing_count; i++)
        if (p->standing[i].binding->device == d && !p->standing[i].ends)
            return true;
    for (size_t i = 0; i < p->coming_count; i++)
        if (p->coming[i].device == d)
            return true;
    return false;
}

static void forget(struct register_change *c, uint8_t number)
{
    for (size_t i = 0; i < c->forgotten_count; i++)
        if (c->forgotten[i] == number)
            return;
    c->forgotten[c->forgotten_count++] = number;
}

/* A device without +sip.instance ends with its binding. */
static void end_devices(struct planning *p)
{
    for (uint8_t i = 1; i < STORE_DEVICES_MAX; i++) {
        const struct device *d = p->a->devices[i];
        if (!d || d->has_instance || keeps_binding(p, d))
            continue;
        p->change->leaving |= 1u << i;
        forget(p->change, i);
    }
}

/* The lowest number that nobody has; one that is just being left is taken last. Without any, the device that has been
 * away longest makes room. 0: all are here. */
static uint8_t free_number(struct planning *p)
{
    struct register_change *c = p->change;
    const struct device *longest = NULL;
    for (uint8_t i = 1; i < STORE_DEVICES_MAX; i++)
        if (!p->a->devices[i] && !(c->joining & 1u << i))
            return i;
    for (uint8_t i = 1; i < STORE_DEVICES_MAX; i++)
        if (c->leaving & 1u << i && !(c->joining & 1u << i))
            return i;
    for (uint8_t i = 1; i < STORE_DEVICES_MAX; i++) {
        const struct device *d = p->a->devices[i];
        if (d && !(c->leaving & 1u << i) && !keeps_binding(p, d) && (!longest || d->seen_ms < longest->seen_ms))
            longest = d;
    }
    if (!longest)
        return 0;
    c->leaving |= 1u << longest->number;
    return longest->number;
}

/* Two contacts of one request may belong to one device that is new. */
static uint8_t number_of_twin(const struct planning *p, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (slice_is_set(p->coming[i].contact->instance) &&
            slice_eq(p->coming[i].contact->instance, p->coming[index].contact->instance))
            return p->coming[i].number;
    return 0;
}

/* contract.md: what was learned holds until User-Agent or Call-ID change; and who was away comes as a stranger. */
static bool is_anew(const struct planning *p, const struct device *d)
{
    const struct binding *b = location_binding(d, clock_mono_ms(p->a->home->clock));
    return !b || !slice_eq(b->call_id, p->q->call_id) || !slice_eq(b->user_agent, p->q->user_agent);
}

static int join_key(const struct planning *p, const struct register_contact *c, struct arena *arena,
                    struct slice *ret_key)
{
    struct buf b;
    if (slice_is_set(c->instance)) {
        *ret_key = c->instance;
        return ERR_NONE;
    }
    buf_init(&b, REGISTER_CONTACT_MAX + REGISTER_CALL_ID_MAX + 1);
    buf_append(&b, c->uri.text);
    buf_append_char(&b, ' ');
    buf_append(&b, p->q->call_id);
    *ret_key = arena_copy(arena, buf_slice(&b));
    buf_deinit(&b);
    return slice_is_set(*ret_key) ? ERR_NONE : ERR_NO_MEMORY;
}

static int put_device(struct planning *p, struct coming *coming, struct arena *arena)
{
    struct register_change *c = p->change;
    struct device *d = coming->device;
    uint32_t bit = 1u << coming->number;
    if (c->registered & bit)
        return ERR_NONE; /* the row of its twin will do */
    struct store_device row = {.number = coming->number, .seen_ms = p->now_wall_ms};
    if (d) {
        bool anew = is_anew(p, d);
        row.has_instance = d->has_instance;
        row.key = d->key;
        row.features = anew ? SLICE_NONE : d->features;
        row.position = d->position;
        if (anew)
            c->anew |= bit;
    } else {
        if (join_key(p, coming->contact, arena, &row.key) != ERR_NONE)
            return ERR_NO_MEMORY;
        row.has_instance = slice_is_set(coming->contact->instance);
        row.position = mailbox_first_position(p->a);
        c->joining |= bit;
        /* Rows that an earlier owner of the number may have left after a failed commit. */
        forget(c, coming->number);
    }
    c->registered |= bit;
    c->devices[c->device_count++] = row;
    return ERR_NONE;
}

static int put_coming(struct planning *p, size_t index, struct arena *arena)
{
    struct coming *coming = &p->coming[index];
    const struct register_contact *contact = coming->contact;
    if (coming->device)
        coming->number = coming->device->number;
    else if (!(coming->number = number_of_twin(p, index)))
        coming->number = free_number(p);
    if (coming->number == 0)
        return refuse(p, 403, "Too Many Devices");
    p->change->bindings[p->change->binding_count++] = (struct store_binding){
        .device = coming->number,
        .contact = contact->uri.text,
        .params = contact->params,
        .path = p->q->path,
        .call_id = p->q->call_id,
        .user_agent = p->q->user_agent,
        .allow = slice_is_set(contact->methods) ? contact->methods : p->q->allow,
        .cseq = p->q->cseq,
        .q = contact->q,
        .registered_ms = p->now_wall_ms,
        .expires_ms = p->now_wall_ms + contact->expires_s * 1000ll,
        .flow = p->q->flow,
        .behind_nat = contact->behind_nat,
    };
    return put_device(p, coming, arena);
}

static void list_removed(struct planning *p)
{
    struct register_change *c = p->change;
    for (size_t i = 0; i < p->standing_count; i++) {
        const struct binding *b = p->standing[i].binding;
        if (p->standing[i].ends)
            c->removed[c->removed_count++] = (struct store_binding){
                .device = b->device->number, .contact = b->contact, .call_id = b->call_id};
    }
}

int register_change_make(struct account *a, const struct register_request *q, struct arena *arena,
                         struct register_change *ret, struct register_fault *ret_fault)
{
    struct planning p = {.a = a, .q = q, .change = ret, .fault = ret_fault};
    *ret = (struct register_change){0};
    if (!q->is_star && q->contact_count == 0)
        return ERR_NONE;
    p.now_wall_ms = clock_wall_ms(a->home->clock);
    int result = list_standing(&p, arena);
    if (result == ERR_NONE && q->is_star)
        result = plan_star(&p);
    for (size_t i = 0; i < q->contact_count && result == ERR_NONE; i++)
        result = plan_contact(&p, &q->contacts[i]);
    if (result == ERR_NONE)
        result = keep_limit(&p);
    if (result != ERR_NONE)
        return result;
    end_devices(&p);
    for (size_t i = 0; i < p.coming_count && result == ERR_NONE; i++)
        result = put_coming(&p, i, arena);
    list_removed(&p);
    return result;
}
