/* Tells what is in the tables, each in one pass in the order of its key. Slices borrow from SQLite's row until the
 * callback returns. */
#include "store/sqlite/load.h"

#include "base/err.h"

static void copy_text(char *out, size_t size, struct slice s)
{
    /* Longer than a digest: the file was changed by another hand; an empty one matches no password. */
    (void)slice_to_cstr(s, out, size);
}

static void load_account(struct query *q, const struct store_loader *loader, void *context)
{
    struct store_account a = {0};
    a.id = query_int(q);
    a.aor = query_bytes(q);
    a.name = query_bytes(q);
    a.extra = query_bytes(q);
    for (int i = 0; i < 2; i++)
        copy_text(a.credentials.md5[i], sizeof a.credentials.md5[i], query_bytes(q));
    for (int i = 0; i < 2; i++)
        copy_text(a.credentials.sha256[i], sizeof a.credentials.sha256[i], query_bytes(q));
    for (int i = 0; i < 2; i++)
        copy_text(a.credentials.sha512_256[i], sizeof a.credentials.sha512_256[i], query_bytes(q));
    loader->account(context, &a);
}

static void load_device(struct query *q, const struct store_loader *loader, void *context)
{
    struct store_device d = {0};
    int64_t account = query_int(q);
    d.number = (uint8_t)query_int(q);
    d.position = (uint64_t)query_int(q);
    d.seen_ms = query_int(q);
    d.has_instance = query_int(q) != 0;
    d.key = query_bytes(q);
    d.features = query_bytes(q);
    loader->device(context, account, &d);
}

static void load_flow(struct query *q, struct flow *ret)
{
    enum transport transport;
    if (transport_parse(query_bytes(q), &transport) == ERR_NONE)
        ret->transport = (uint8_t)transport;
    /* The empty text leaves the address unset. */
    (void)address_parse(query_bytes(q), &ret->local);
    (void)address_parse(query_bytes(q), &ret->remote);
}

static void load_binding(struct query *q, const struct store_loader *loader, void *context)
{
    struct store_binding b = {0};
    int64_t account = query_int(q);
    b.contact = query_bytes(q);
    b.call_id = query_bytes(q);
    b.device = (uint8_t)query_int(q);
    b.cseq = (uint32_t)query_int(q);
    b.q = (uint16_t)query_int(q);
    b.registered_ms = query_int(q);
    b.expires_ms = query_int(q);
    b.params = query_bytes(q);
    b.path = query_bytes(q);
    b.user_agent = query_bytes(q);
    b.allow = query_bytes(q);
    load_flow(q, &b.flow);
    b.behind_nat = query_int(q) != 0;
    loader->binding(context, account, &b);
}

static void load_exception(struct query *q, const struct store_loader *loader, void *context)
{
    struct store_mark m = {0};
    int64_t account = query_int(q);
    m.device = (uint8_t)query_int(q);
    m.seq = (uint64_t)query_int(q);
    m.state = (uint8_t)query_int(q);
    m.status = (uint16_t)query_int(q);
    loader->exception(context, account, &m);
}

static void load_entry(struct query *q, const struct store_loader *loader, void *context)
{
    struct store_entry e = {0};
    e.seq = (uint64_t)query_int(q);
    int64_t account = query_int(q);
    e.kind = (uint8_t)query_int(q);
    e.answer = (uint16_t)query_int(q);
    e.accepted_ms = query_int(q);
    e.expires_ms = query_int(q);
    uint32_t size = (uint32_t)query_int(q);
    struct slice key = query_bytes(q);
    if (key.len == sizeof e.duplicate_key)
        memcpy(e.duplicate_key, key.ptr, key.len);
    e.sender = query_bytes(q);
    loader->entry(context, account, &e, size);
}

int load_all(struct connection *c, const struct store_loader *loader, void *context)
{
    static const struct {
        enum statement statement;
        void (*row)(struct query *q, const struct store_loader *loader, void *context);
    } passes[] = {
        {STATEMENT_LOAD_ACCOUNTS, load_account}, {STATEMENT_LOAD_DEVICES, load_device},
        {STATEMENT_LOAD_BINDINGS, load_binding}, {STATEMENT_LOAD_EXCEPTIONS, load_exception},
        {STATEMENT_LOAD_ENTRIES, load_entry},
    };
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++) {
        struct query q = connection_query(c, passes[i].statement);
        while (query_next(&q))
            passes[i].row(&q, loader, context);
        int rc = query_end(&q);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}
