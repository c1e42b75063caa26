/* What the memory driver holds. The rules of marks are those of struct store_mark; the other drivers are held to the
 * same table of cases. */
#include "store/memory/content.h"

#include <stdlib.h>

#include "base/err.h"
#include "store/limits.h"
#include "store/memory/owned.h"

struct account {
    struct store_account value;
    bool has_device[STORE_DEVICES_MAX];
    struct store_device devices[STORE_DEVICES_MAX];
    struct store_binding *bindings;
    size_t binding_count, binding_room;
    struct store_mark *exceptions; /* in the order of device, seq */
    size_t exception_count, exception_room;
};

struct entry {
    int64_t account;
    struct store_entry value;
};

struct content {
    struct account **accounts; /* in the order of their ids, which are never given twice */
    size_t account_count, account_room;
    struct entry *entries; /* in the order of their numbers */
    size_t entry_count, entry_room;
    int64_t last_account;
    uint64_t last_seq;
};

/* --- helpers --- */

/* Makes room for `more` elements behind `count`; `*array` may move. False without memory. */
static bool reserve(void **array, size_t *room, size_t count, size_t more, size_t size)
{
    if (count + more <= *room)
        return true;
    size_t wanted = (count + more) * 2;
    void *moved = realloc(*array, wanted * size);
    if (!moved)
        return false;
    *array = moved;
    *room = wanted;
    return true;
}

static struct account *find_account(const struct content *c, int64_t id)
{
    for (size_t low = 0, high = c->account_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        struct account *a = c->accounts[middle];
        if (a->value.id == id)
            return a;
        if (a->value.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const struct entry *find_entry(const struct content *c, uint64_t seq)
{
    for (size_t low = 0, high = c->entry_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        const struct entry *e = &c->entries[middle];
        if (e->value.seq == seq)
            return e;
        if (e->value.seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- marks --- */

static void exception_remove(struct account *a, size_t index)
{
    a->exception_count--;
    memmove(&a->exceptions[index], &a->exceptions[index + 1], (a->exception_count - index) * sizeof a->exceptions[0]);
}

static bool exceptions_reserve(struct account *a, size_t more)
{
    return reserve((void **)&a->exceptions, &a->exception_room, a->exception_count, more, sizeof a->exceptions[0]);
}

/* Where the exception of (device, seq) is or belongs. */
static size_t exception_place(const struct account *a, uint8_t device, uint64_t seq, bool *ret_found)
{
    size_t i = 0;
    while (i < a->exception_count &&
           (a->exceptions[i].device < device || (a->exceptions[i].device == device && a->exceptions[i].seq < seq)))
        i++;
    *ret_found = i < a->exception_count && a->exceptions[i].device == device && a->exceptions[i].seq == seq;
    return i;
}

static void exceptions_drop(struct account *a, uint8_t device, uint64_t up_to, bool only_delivered)
{
    for (size_t i = a->exception_count; i > 0; i--) {
        const struct store_mark *e = &a->exceptions[i - 1];
        if (e->device == device && e->seq <= up_to && (!only_delivered || e->state == STORE_DELIVERED))
            exception_remove(a, i - 1);
    }
}

/* Room for one more exception was reserved. */
static void mark(struct account *a, const struct store_mark *m, uint64_t appended)
{
    uint64_t seq = m->seq ? m->seq : appended;
    struct store_device *d = &a->devices[m->device];
    if (!a->has_device[m->device] && m->device != STORE_HEIR)
        return; /* forgotten: owed nothing */
    if (m->advance && seq > d->position) {
        a->has_device[m->device] = true; /* the heir's row comes with its position */
        d->number = m->device;
        d->position = seq;
        exceptions_drop(a, m->device, seq, true);
    }
    bool found;
    size_t place = exception_place(a, m->device, seq, &found);
    if (m->state == STORE_DELIVERED && seq <= d->position) {
        if (found)
            exception_remove(a, place);
        return;
    }
    if (!found) {
        memmove(&a->exceptions[place + 1], &a->exceptions[place],
                (a->exception_count - place) * sizeof a->exceptions[0]);
        a->exception_count++;
    }
    a->exceptions[place] = (struct store_mark){.seq = seq, .device = m->device, .state = m->state, .status = m->status};
}

/* --- operations --- */

static int account_put(struct content *c, struct account *unused, struct store_request *r)
{
    (void)unused;
    struct store_account copy = r->put;
    if (!owned_account_take(&copy))
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < c->account_count; i++) {
        struct store_account *old = &c->accounts[i]->value;
        if (!slice_eq(old->aor, copy.aor))
            continue;
        copy.id = old->id;
        owned_account_free(old);
        *old = copy;
        r->put.id = copy.id;
        return ERR_NONE;
    }
    struct account *a = calloc(1, sizeof *a);
    if (!a || !reserve((void **)&c->accounts, &c->account_room, c->account_count, 1, sizeof c->accounts[0])) {
        free(a);
        owned_account_free(&copy);
        return ERR_NO_MEMORY;
    }
    copy.id = ++c->last_account;
    a->value = copy;
    c->accounts[c->account_count++] = a;
    r->put.id = copy.id;
    return ERR_NONE;
}

static void account_free(struct account *a)
{
    owned_account_free(&a->value);
    for (size_t i = 0; i < STORE_DEVICES_MAX; i++)
        owned_device_free(&a->devices[i]);
    for (size_t i = 0; i < a->binding_count; i++)
        owned_binding_free(&a->bindings[i]);
    free(a->bindings);
    free(a->exceptions);
    free(a);
}

static int account_delete(struct content *c, struct account *a, struct store_request *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->entry_count; i++)
        if (c->entries[i].account == r->account)
            owned_entry_free(&c->entries[i].value);
        else
            c->entries[kept++] = c->entries[i];
    c->entry_count = kept;
    kept = 0;
    for (size_t i = 0; i < c->account_count; i++)
        if (c->accounts[i] != a)
            c->accounts[kept++] = c->accounts[i];
    c->account_count = kept;
    account_free(a);
    return ERR_NONE;
}

static void binding_drop(struct account *a, size_t index)
{
    owned_binding_free(&a->bindings[index]);
    a->binding_count--;
    memmove(&a->bindings[index], &a->bindings[index + 1], (a->binding_count - index) * sizeof a->bindings[0]);
}

static void binding_remove(struct account *a, const struct store_binding *key)
{
    for (size_t i = a->binding_count; i > 0; i--)
        if (slice_eq(a->bindings[i - 1].contact, key->contact) && slice_eq(a->bindings[i - 1].call_id, key->call_id))
            binding_drop(a, i - 1);
}

/* In the order of contact, call_id. Takes what `value` owns. */
static void binding_insert(struct account *a, const struct store_binding *value)
{
    size_t i = 0;
    while (i < a->binding_count) {
        int order = slice_compare(a->bindings[i].contact, value->contact);
        if (order > 0 || (order == 0 && slice_compare(a->bindings[i].call_id, value->call_id) > 0))
            break;
        i++;
    }
    memmove(&a->bindings[i + 1], &a->bindings[i], (a->binding_count - i) * sizeof a->bindings[0]);
    a->bindings[i] = *value;
    a->binding_count++;
}

static void device_forget(struct account *a, uint8_t number)
{
    owned_device_free(&a->devices[number]);
    a->devices[number] = (struct store_device){0};
    a->has_device[number] = false;
    exceptions_drop(a, number, UINT64_MAX, false);
    for (size_t i = a->binding_count; i > 0; i--)
        if (a->bindings[i - 1].device == number)
            binding_drop(a, i - 1);
}

static void device_put(struct account *a, const struct store_device *owned)
{
    struct store_device *d = &a->devices[owned->number];
    uint64_t position = d->position > owned->position ? d->position : owned->position;
    owned_device_free(d);
    *d = *owned;
    d->position = position;
    a->has_device[d->number] = true;
}

/* Everything that needs memory, before anything changes. */
static int registration_copy(struct account *a, const struct store_request *r, struct store_device *devices,
                             struct store_binding *bindings)
{
    size_t d = 0, b = 0;
    bool ok = reserve((void **)&a->bindings, &a->binding_room, a->binding_count, r->reg.binding_count + 1,
                      sizeof a->bindings[0]);
    for (; ok && d < r->reg.device_count; d++) {
        devices[d] = r->reg.devices[d];
        ok = owned_device_take(&devices[d]);
    }
    for (; ok && b < r->reg.binding_count; b++) {
        bindings[b] = r->reg.bindings[b];
        ok = owned_binding_take(&bindings[b]);
    }
    if (ok)
        return ERR_NONE;
    while (d > 0)
        owned_device_free(&devices[--d]);
    while (b > 0)
        owned_binding_free(&bindings[--b]);
    return ERR_NO_MEMORY;
}

static int registration(struct content *c, struct account *a, struct store_request *r)
{
    (void)c;
    struct store_device *devices = calloc(r->reg.device_count + 1, sizeof *devices);
    struct store_binding *bindings = calloc(r->reg.binding_count + 1, sizeof *bindings);
    int err = devices && bindings ? registration_copy(a, r, devices, bindings) : ERR_NO_MEMORY;
    if (err == ERR_NONE) {
        for (size_t i = 0; i < r->reg.forgotten_count; i++)
            device_forget(a, r->reg.forgotten[i]);
        for (size_t i = 0; i < r->reg.device_count; i++)
            device_put(a, &devices[i]);
        for (size_t i = 0; i < r->reg.removed_count; i++)
            binding_remove(a, &r->reg.removed[i]);
        for (size_t i = 0; i < r->reg.binding_count; i++) {
            binding_remove(a, &bindings[i]);
            binding_insert(a, &bindings[i]);
        }
    }
    free(devices);
    free(bindings);
    return err;
}

static int append(struct content *c, struct account *a, struct store_request *r)
{
    struct store_entry copy = r->append.entry;
    if (!exceptions_reserve(a, r->append.mark_count) ||
        !reserve((void **)&c->entries, &c->entry_room, c->entry_count, 1, sizeof c->entries[0]) ||
        !owned_entry_take(&copy))
        return ERR_NO_MEMORY;
    copy.seq = ++c->last_seq;
    c->entries[c->entry_count++] = (struct entry){.account = r->account, .value = copy};
    for (size_t i = 0; i < r->append.mark_count; i++)
        mark(a, &r->append.marks[i], copy.seq);
    r->append.entry.seq = copy.seq;
    return ERR_NONE;
}

static int marks(struct content *c, struct account *a, struct store_request *r)
{
    (void)c;
    if (!exceptions_reserve(a, r->mark.mark_count))
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < r->mark.mark_count; i++)
        mark(a, &r->mark.marks[i], 0);
    return ERR_NONE;
}

static int read_row(const struct entry *e, struct store_row *row)
{
    const struct store_entry *v = &e->value;
    row->bytes = packet_new(v->headers.len + v->body.len + v->sender.len);
    if (!row->bytes)
        return ERR_NO_MEMORY;
    char *at = row->bytes->data;
    const struct slice parts[] = {v->headers, v->body, v->sender};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].len)
            memcpy(at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    row->headers_len = (uint32_t)v->headers.len;
    row->body_len = (uint32_t)v->body.len;
    row->sender_len = (uint32_t)v->sender.len;
    row->accepted_ms = v->accepted_ms;
    row->expires_ms = v->expires_ms;
    return ERR_NONE;
}

static int read_entries(struct content *c, struct account *a, struct store_request *r)
{
    size_t total = 0;
    int err = ERR_NONE;
    for (r->read.ret_count = 0; r->read.ret_count < r->read.count && total < STORE_LIMIT_READ_BYTES;) {
        struct store_row *row = &r->read.rows[r->read.ret_count];
        *row = (struct store_row){.seq = r->read.seqs[r->read.ret_count]};
        r->read.ret_count++;
        const struct entry *e = find_entry(c, row->seq);
        if (e && e->account == a->value.id)
            err = read_row(e, row);
        if (err != ERR_NONE)
            break;
        total += row->bytes ? row->bytes->len : 0;
    }
    while (err != ERR_NONE && r->read.ret_count > 0)
        packet_unref(&r->read.rows[--r->read.ret_count].bytes);
    return err;
}

static int (*const operations[])(struct content *c, struct account *a, struct store_request *r) = {
    [STORE_ACCOUNT_PUT] = account_put,
    [STORE_ACCOUNT_DELETE] = account_delete,
    [STORE_REGISTER] = registration,
    [STORE_APPEND] = append,
    [STORE_MARK] = marks,
    [STORE_READ] = read_entries,
};

int content_apply(struct content *c, struct store_request *r)
{
    struct account *a = NULL;
    if (r->op != STORE_ACCOUNT_PUT && !(a = find_account(c, r->account)))
        return ERR_NOT_FOUND;
    return operations[r->op](c, a, r);
}

/* --- the whole --- */

struct content *content_new(void)
{
    return calloc(1, sizeof(struct content));
}

void content_free(struct content *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->account_count; i++)
        account_free(c->accounts[i]);
    for (size_t i = 0; i < c->entry_count; i++)
        owned_entry_free(&c->entries[i].value);
    free(c->accounts);
    free(c->entries);
    free(c);
}

void content_load(const struct content *c, const struct store_loader *loader, void *context)
{
    for (size_t i = 0; i < c->account_count; i++)
        loader->account(context, &c->accounts[i]->value);
    for (size_t i = 0; i < c->account_count; i++)
        for (size_t d = 0; d < STORE_DEVICES_MAX; d++)
            if (c->accounts[i]->has_device[d])
                loader->device(context, c->accounts[i]->value.id, &c->accounts[i]->devices[d]);
    for (size_t i = 0; i < c->account_count; i++)
        for (size_t b = 0; b < c->accounts[i]->binding_count; b++) {
            struct store_binding binding = c->accounts[i]->bindings[b];
            /* As from a disk: a connection's place in its table means nothing after a restart. */
            binding.flow = (struct flow){
                .transport = binding.flow.transport, .local = binding.flow.local, .remote = binding.flow.remote};
            loader->binding(context, c->accounts[i]->value.id, &binding);
        }
    for (size_t i = 0; i < c->account_count; i++)
        for (size_t e = 0; e < c->accounts[i]->exception_count; e++)
            loader->exception(context, c->accounts[i]->value.id, &c->accounts[i]->exceptions[e]);
    for (size_t i = 0; i < c->entry_count; i++) {
        struct store_entry e = c->entries[i].value;
        uint32_t size = (uint32_t)(e.headers.len + e.body.len);
        e.headers = e.body = SLICE_NONE;
        loader->entry(context, c->entries[i].account, &e, size);
    }
}
