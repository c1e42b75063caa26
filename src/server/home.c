/* Accounts at home: made when first needed, loaded from the store at start. */
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "server/delivery.h"
#include "server/drain.h"
#include "server/duplicates.h"
#include "server/home.h"
#include "server/location.h"
#include "server/mailbox.h"
#include "server/registrar.h"

static uint64_t hash_id(const struct server *home, int64_t id)
{
    return hash_mix(home->shared->hash_key.k0, (uint64_t)id);
}

static bool has_id(const struct table_node *n, const void *key)
{
    return CONTAINER_OF(n, struct account, node)->id == *(const int64_t *)key;
}

struct account *home_find(struct server *home, int64_t id)
{
    struct table_node *n = table_find(&home->homes, hash_id(home, id), has_id, &id);
    return n ? CONTAINER_OF(n, struct account, node) : NULL;
}

struct account *home_account(struct server *home, int64_t id, struct slice aor)
{
    struct account *a = home_find(home, id);
    if (a)
        return a;
    a = calloc(1, sizeof *a + aor.len);
    if (!a)
        return NULL;
    a->id = id;
    a->home = home;
    memcpy(a->aor_text, aor.ptr, aor.len);
    a->aor = slice_make(a->aor_text, aor.len);
    a->entry_expiry_ms = UINT64_MAX;
    list_init(&a->deliveries);
    timer_init(&a->expiry, location_expire);
    if (table_insert(&home->homes, &a->node, hash_id(home, id)) != ERR_NONE) {
        free(a);
        return NULL;
    }
    return a;
}

static void free_account(struct table_node *n, void *context)
{
    struct server *home = context;
    struct account *a = CONTAINER_OF(n, struct account, node);
    table_remove(&home->homes, n);
    timer_wheel_cancel(home->wheel, &a->expiry);
    delivery_free_all(a);
    registrar_stop(a, 0);
    for (unsigned i = 1; i < STORE_DEVICES_MAX; i++)
        if (a->devices[i])
            drain_stop(a->devices[i]);
    location_free_devices(a);
    mailbox_deinit(a);
    free(a);
}

void home_free(struct server *home)
{
    table_each(&home->homes, free_account, home);
}

/* --- loading --- */

struct loading {
    struct server **servers;
    struct server_shared *shared;
    struct table by_id; /* struct known */
    int err;
};

/* Which home an account number belongs to. */
struct known {
    struct table_node node;
    struct account *account;
};

static bool is_known(const struct table_node *n, const void *key)
{
    return CONTAINER_OF(n, struct known, node)->account->id == *(const int64_t *)key;
}

static struct account *known_account(struct loading *l, int64_t id)
{
    struct table_node *n = table_find(&l->by_id, hash_id(l->servers[0], id), is_known, &id);
    return n ? CONTAINER_OF(n, struct known, node)->account : NULL;
}

static void note(struct loading *l, int err)
{
    if (err != ERR_NONE && l->err == ERR_NONE)
        l->err = err;
}

static void load_account(void *context, const struct store_account *account)
{
    struct loading *l = context;
    struct server *home = l->servers[server_home_worker(l->shared, account->aor)];
    note(l, accounts_put(l->shared->accounts, account));
    struct known *k = calloc(1, sizeof *k);
    if (k)
        k->account = home_account(home, account->id, account->aor);
    if (!k || !k->account || table_insert(&l->by_id, &k->node, hash_id(l->servers[0], account->id)) != ERR_NONE) {
        note(l, ERR_NO_MEMORY);
        free(k);
    }
}

static void load_device(void *context, int64_t id, const struct store_device *d)
{
    struct loading *l = context;
    struct account *a = known_account(l, id);
    if (!a)
        return;
    if (d->number == STORE_HEIR)
        a->heir_position = d->position;
    else
        note(l, location_load_device(a, d));
    if (d->position > a->last_seq)
        a->last_seq = d->position;
}

static void load_binding(void *context, int64_t id, const struct store_binding *b)
{
    struct loading *l = context;
    struct account *a = known_account(l, id);
    if (a)
        note(l, location_load_binding(a, b));
}

static void load_exception(void *context, int64_t id, const struct store_mark *m)
{
    struct loading *l = context;
    struct account *a = known_account(l, id);
    if (a)
        note(l, mailbox_load_exception(a, m));
}

/* What is left until `at_ms`, on the monotonic clock; a wall clock that jumped can't make it longer than the cap. */
static uint64_t to_mono(const struct server *s, int64_t at_ms)
{
    int64_t left = at_ms - clock_wall_ms(s->clock);
    int64_t cap = (int64_t)s->config->limits.message_life_max_s * 1000;
    if (left > cap)
        left = cap;
    return s->wheel->now_ms + (left > 0 ? (uint64_t)left : 0);
}

static void load_entry(void *context, int64_t id, const struct store_entry *e, uint32_t size)
{
    struct loading *l = context;
    struct account *a = known_account(l, id);
    if (!a)
        return;
    struct duplicates *seen = a->home->duplicates;
    struct duplicate *d = duplicates_find(seen, e->duplicate_key);
    if (!d && (d = duplicates_begin(seen, e->duplicate_key, NULL))) {
        uint64_t forget = to_mono(a->home, e->accepted_ms + (int64_t)LIMIT_DUPLICATE_KEEP_MS);
        duplicates_end(seen, d, e->answer, id, e->seq, forget);
    }
    note(l, d ? mailbox_load_entry(a, e, size) : ERR_NO_MEMORY);
}

static void finish(struct table_node *n, void *context)
{
    struct loading *l = context;
    struct known *k = CONTAINER_OF(n, struct known, node);
    table_remove(&l->by_id, n);
    mailbox_loaded(k->account);
    location_schedule_expiry(k->account);
    free(k);
}

int home_load(struct server **servers, struct server_shared *shared)
{
    static const struct store_loader loader = {load_account, load_device, load_binding, load_exception, load_entry};
    struct loading l = {.servers = servers, .shared = shared};
    int err = table_init(&l.by_id, SIZE_MAX);
    if (err != ERR_NONE)
        return err;
    err = store_load(shared->store, &loader, &l);
    table_each(&l.by_id, finish, &l);
    table_deinit(&l.by_id);
    return err != ERR_NONE ? err : l.err;
}
