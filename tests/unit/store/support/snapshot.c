#include "support/snapshot.h"

static void text(struct buf *b, const char *key, struct slice s)
{
    buf_printf(b, " %s=%.*s", key, SLICE_ARG(s));
}

static void number(struct buf *b, const char *key, int64_t n)
{
    buf_printf(b, " %s=%lld", key, (long long)n);
}

static void on_account(void *context, const struct store_account *a)
{
    struct buf *b = context;
    buf_printf(b, "account %lld", (long long)a->id);
    text(b, "aor", a->aor);
    text(b, "name", a->name);
    text(b, "extra", a->extra);
    for (int i = 0; i < 2; i++)
        buf_printf(b, " ha1=%s,%s,%s", a->credentials.md5[i], a->credentials.sha256[i], a->credentials.sha512_256[i]);
    buf_append_char(b, '\n');
}

static void on_device(void *context, int64_t account, const struct store_device *d)
{
    struct buf *b = context;
    buf_printf(b, "device %lld/%u", (long long)account, d->number);
    number(b, "position", (int64_t)d->position);
    number(b, "instance", d->has_instance);
    number(b, "seen", d->seen_ms);
    text(b, "key", d->key);
    text(b, "features", d->features);
    buf_append_char(b, '\n');
}

static void on_binding(void *context, int64_t account, const struct store_binding *v)
{
    struct buf *b = context;
    buf_printf(b, "binding %lld/%u", (long long)account, v->device);
    text(b, "contact", v->contact);
    text(b, "params", v->params);
    text(b, "path", v->path);
    text(b, "call_id", v->call_id);
    text(b, "agent", v->user_agent);
    text(b, "allow", slice_is_set(v->allow) ? v->allow : SLICE("(absent)"));
    number(b, "cseq", v->cseq);
    number(b, "q", v->q);
    number(b, "registered", v->registered_ms);
    number(b, "expires", v->expires_ms);
    number(b, "nat", v->behind_nat);
    text(b, "transport", transport_name((enum transport)v->flow.transport));
    buf_append_str(b, " local=");
    if (v->flow.local.family)
        address_append(b, &v->flow.local);
    buf_append_str(b, " remote=");
    if (v->flow.remote.family)
        address_append(b, &v->flow.remote);
    number(b, "slot", v->flow.slot);
    number(b, "listener", v->flow.listener);
    buf_append_char(b, '\n');
}

static void on_exception(void *context, int64_t account, const struct store_mark *m)
{
    buf_printf(context, "exception %lld/%u seq=%llu state=%u status=%u\n", (long long)account, m->device,
               (unsigned long long)m->seq, m->state, m->status);
}

static void on_entry(void *context, int64_t account, const struct store_entry *e, uint32_t size)
{
    struct buf *b = context;
    buf_printf(b, "entry %lld seq=%llu kind=%u answer=%u", (long long)account, (unsigned long long)e->seq, e->kind,
               e->answer);
    number(b, "accepted", e->accepted_ms);
    number(b, "expires", e->expires_ms);
    text(b, "sender", e->sender);
    number(b, "size", size);
    buf_append_str(b, " key=");
    buf_append_hex(b, e->duplicate_key, sizeof e->duplicate_key);
    buf_append_char(b, '\n');
}

const struct store_loader snapshot_loader = {on_account, on_device, on_binding, on_exception, on_entry};
