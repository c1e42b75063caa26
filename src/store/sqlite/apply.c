/* What one request does to the tables. Everything that can fail for a reason of the request's own is checked before
 * the first write, so a batch needs no savepoints (each would copy every page that it touches). */
#include "store/sqlite/apply.h"

#include "base/err.h"
#include "store/limits.h"

struct apply {
    struct connection *c;
    uint64_t *next_seq;
};

/* Runs statement `s` with one or two numbers bound: most deletions. */
static int run_1(struct apply *a, enum statement s, int64_t first)
{
    struct query q = connection_query(a->c, s);
    query_bind_int(&q, first);
    return query_run(&q);
}

static int run_2(struct apply *a, enum statement s, int64_t first, int64_t second)
{
    struct query q = connection_query(a->c, s);
    query_bind_int(&q, first);
    query_bind_int(&q, second);
    return query_run(&q);
}

/* The owner's row is the account's existence. With several nodes its node and epoch are compared here too (C16). */
static int has_account(struct apply *a, int64_t account, bool *ret)
{
    struct query q = connection_query(a->c, STATEMENT_OWNER_HAS);
    query_bind_int(&q, account);
    bool found = query_next(&q);
    int rc = query_end(&q);
    if (rc == SQLITE_OK)
        *ret = found;
    return rc;
}

static int account_put(struct apply *a, struct store_request *r)
{
    const struct store_account *p = &r->put;
    int64_t id = 0;
    struct query q = connection_query(a->c, STATEMENT_ACCOUNT_PUT);
    query_bind_text(&q, p->aor);
    query_bind_text(&q, p->name);
    query_bind_text(&q, p->extra);
    for (int i = 0; i < 2; i++)
        query_bind_text(&q, slice_str(p->credentials.md5[i]));
    for (int i = 0; i < 2; i++)
        query_bind_text(&q, slice_str(p->credentials.sha256[i]));
    for (int i = 0; i < 2; i++)
        query_bind_text(&q, slice_str(p->credentials.sha512_256[i]));
    if (query_next(&q))
        id = query_int(&q);
    int rc = query_run(&q); /* RETURNING writes only once it was stepped to its end */
    if (rc == SQLITE_OK)
        rc = run_1(a, STATEMENT_OWNER_PUT, id);
    if (rc == SQLITE_OK)
        r->put.id = id;
    return rc;
}

static int account_delete(struct apply *a, struct store_request *r)
{
    /* The journal has no index by account: without an owner its rows are seen no more, and the sweep takes them. */
    static const enum statement parts[] = {
        STATEMENT_OWNER_DELETE,    STATEMENT_ACCOUNT_DELETE,    STATEMENT_DEVICES_DELETE,
        STATEMENT_BINDINGS_DELETE, STATEMENT_EXCEPTIONS_DELETE,
    };
    int rc = SQLITE_OK;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && rc == SQLITE_OK; i++)
        rc = run_1(a, parts[i], r->account);
    return rc;
}

static int forget_device(struct apply *a, int64_t account, uint8_t number)
{
    int rc = run_2(a, STATEMENT_DEVICE_DELETE, account, number);
    if (rc == SQLITE_OK)
        rc = run_2(a, STATEMENT_DEVICE_BINDINGS_DELETE, account, number);
    if (rc == SQLITE_OK)
        rc = run_2(a, STATEMENT_DEVICE_EXCEPTIONS_DELETE, account, number);
    return rc;
}

static int device_put(struct apply *a, int64_t account, const struct store_device *d)
{
    struct query q = connection_query(a->c, STATEMENT_DEVICE_PUT);
    query_bind_int(&q, account);
    query_bind_int(&q, d->number);
    query_bind_int(&q, (int64_t)d->position);
    query_bind_int(&q, d->seen_ms);
    query_bind_int(&q, d->has_instance);
    query_bind_text(&q, d->key);
    query_bind_text(&q, d->features);
    return query_run(&q);
}

static int binding_delete(struct apply *a, int64_t account, const struct store_binding *b)
{
    struct query q = connection_query(a->c, STATEMENT_BINDING_DELETE);
    query_bind_int(&q, account);
    query_bind_text(&q, b->contact);
    query_bind_text(&q, b->call_id);
    return query_run(&q);
}

/* "ip:port", or the empty text for an address that is not set. */
static struct slice text_of(const struct address *address, char out[ADDRESS_TEXT_MAX])
{
    return address->family ? slice_str(address_text(address, out)) : SLICE("");
}

static int binding_put(struct apply *a, int64_t account, const struct store_binding *b)
{
    char local[ADDRESS_TEXT_MAX], remote[ADDRESS_TEXT_MAX];
    struct query q = connection_query(a->c, STATEMENT_BINDING_PUT);
    query_bind_int(&q, account);
    query_bind_text(&q, b->contact);
    query_bind_text(&q, b->call_id);
    query_bind_int(&q, b->device);
    query_bind_int(&q, b->cseq);
    query_bind_int(&q, b->q);
    query_bind_int(&q, b->registered_ms);
    query_bind_int(&q, b->expires_ms);
    query_bind_text(&q, b->params);
    query_bind_text(&q, b->path);
    query_bind_text(&q, b->user_agent);
    query_bind_text_or_null(&q, b->allow);
    query_bind_text(&q, transport_name((enum transport)b->flow.transport));
    query_bind_text(&q, text_of(&b->flow.local, local));
    query_bind_text(&q, text_of(&b->flow.remote, remote));
    query_bind_int(&q, b->behind_nat);
    return query_run(&q);
}

static int registration(struct apply *a, struct store_request *r)
{
    int rc = SQLITE_OK;
    /* Forgotten first: a number may be given to another device in the same request. */
    for (size_t i = 0; i < r->reg.forgotten_count && rc == SQLITE_OK; i++)
        rc = forget_device(a, r->account, r->reg.forgotten[i]);
    for (size_t i = 0; i < r->reg.device_count && rc == SQLITE_OK; i++)
        rc = device_put(a, r->account, &r->reg.devices[i]);
    for (size_t i = 0; i < r->reg.removed_count && rc == SQLITE_OK; i++)
        rc = binding_delete(a, r->account, &r->reg.removed[i]);
    for (size_t i = 0; i < r->reg.binding_count && rc == SQLITE_OK; i++)
        rc = binding_put(a, r->account, &r->reg.bindings[i]);
    return rc;
}

static int position_get(struct apply *a, int64_t account, uint8_t device, bool *ret_found, uint64_t *ret_position)
{
    struct query q = connection_query(a->c, STATEMENT_POSITION_GET);
    query_bind_int(&q, account);
    query_bind_int(&q, device);
    *ret_found = query_next(&q);
    *ret_position = *ret_found ? (uint64_t)query_int(&q) : 0;
    return query_end(&q);
}

/* Moves the position, and drops what it makes superfluous: exceptions that say `delivered` between the old and the new
 * one. Below the old one there are none, so the cost is that of the step, not of the history. */
static int position_advance(struct apply *a, int64_t account, const struct store_mark *m, uint64_t from, uint64_t to)
{
    bool is_heir = m->device == STORE_HEIR;
    struct query q = connection_query(a->c, is_heir ? STATEMENT_HEIR_POSITION_SET : STATEMENT_POSITION_SET);
    query_bind_int(&q, account);
    if (!is_heir)
        query_bind_int(&q, m->device);
    query_bind_int(&q, (int64_t)to);
    int rc = query_run(&q);
    if (rc != SQLITE_OK)
        return rc;
    q = connection_query(a->c, STATEMENT_EXCEPTIONS_PASSED);
    query_bind_int(&q, account);
    query_bind_int(&q, m->device);
    query_bind_int(&q, (int64_t)from);
    query_bind_int(&q, (int64_t)to);
    query_bind_int(&q, m->state == STORE_DELIVERED);
    return query_run(&q);
}

static int exception_put(struct apply *a, int64_t account, const struct store_mark *m, uint64_t seq)
{
    struct query q = connection_query(a->c, STATEMENT_EXCEPTION_PUT);
    query_bind_int(&q, account);
    query_bind_int(&q, m->device);
    query_bind_int(&q, (int64_t)seq);
    query_bind_int(&q, m->state);
    query_bind_int(&q, m->status);
    return query_run(&q);
}

/* One end of one entry (store.h, struct store_mark). `appended` stands for a seq of 0. */
static int mark(struct apply *a, int64_t account, const struct store_mark *m, uint64_t appended)
{
    uint64_t seq = m->seq ? m->seq : appended, position;
    bool known;
    int rc = position_get(a, account, m->device, &known, &position);
    /* A device that was forgotten is owed nothing: a late mark must not bring it back. */
    if (rc != SQLITE_OK || (!known && m->device != STORE_HEIR))
        return rc;
    if (m->advance && seq > position) {
        rc = position_advance(a, account, m, position, seq);
        if (rc != SQLITE_OK || m->state == STORE_DELIVERED)
            return rc;
    } else if (m->state == STORE_DELIVERED && seq <= position) {
        struct query q = connection_query(a->c, STATEMENT_EXCEPTION_DELETE);
        query_bind_int(&q, account);
        query_bind_int(&q, m->device);
        query_bind_int(&q, (int64_t)seq);
        return query_run(&q);
    }
    return exception_put(a, account, m, seq);
}

static int append(struct apply *a, struct store_request *r)
{
    struct store_entry *e = &r->append.entry;
    uint64_t seq = (*a->next_seq)++;
    struct query q = connection_query(a->c, STATEMENT_APPEND);
    query_bind_int(&q, (int64_t)seq);
    query_bind_int(&q, r->account);
    query_bind_int(&q, e->kind);
    query_bind_int(&q, e->answer);
    query_bind_int(&q, e->accepted_ms);
    query_bind_int(&q, e->expires_ms);
    query_bind_int(&q, (int64_t)(e->headers.len + e->body.len));
    query_bind_blob(&q, slice_make((const char *)e->duplicate_key, sizeof e->duplicate_key));
    query_bind_text(&q, e->sender);
    query_bind_blob(&q, e->headers);
    query_bind_blob(&q, e->body);
    int rc = query_run(&q);
    for (size_t i = 0; i < r->append.mark_count && rc == SQLITE_OK; i++)
        rc = mark(a, r->account, &r->append.marks[i], seq);
    if (rc == SQLITE_OK)
        e->seq = seq;
    return rc;
}

static int marks(struct apply *a, struct store_request *r)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < r->mark.mark_count && rc == SQLITE_OK; i++)
        rc = mark(a, r->account, &r->mark.marks[i], 0);
    return rc;
}

/* Fills `row` from the row that `q` stands on. ERR_NO_MEMORY. */
static int read_row(struct query *q, struct store_row *row)
{
    row->accepted_ms = query_int(q);
    row->expires_ms = query_int(q);
    struct slice sender = query_bytes(q), headers = query_bytes(q), body = query_bytes(q);
    struct packet *p = packet_new(headers.len + body.len + sender.len);
    if (!p)
        return ERR_NO_MEMORY;
    memcpy(p->data, headers.ptr, headers.len);
    memcpy(p->data + headers.len, body.ptr, body.len);
    memcpy(p->data + headers.len + body.len, sender.ptr, sender.len);
    row->headers_len = (uint32_t)headers.len;
    row->body_len = (uint32_t)body.len;
    row->sender_len = (uint32_t)sender.len;
    row->bytes = p;
    return ERR_NONE;
}

static int read_entries(struct apply *a, struct store_request *r)
{
    size_t total = 0;
    r->read.ret_count = 0;
    while (r->read.ret_count < r->read.count && total < STORE_LIMIT_READ_BYTES) {
        struct store_row *row = &r->read.rows[r->read.ret_count];
        *row = (struct store_row){.seq = r->read.seqs[r->read.ret_count]};
        r->read.ret_count++;
        struct query q = connection_query(a->c, STATEMENT_READ);
        query_bind_int(&q, (int64_t)row->seq);
        query_bind_int(&q, r->account);
        if (query_next(&q))
            r->result = read_row(&q, row);
        int rc = query_end(&q);
        if (rc != SQLITE_OK)
            return rc;
        if (r->result != ERR_NONE) {
            apply_undo(r);
            return SQLITE_OK;
        }
        total += row->bytes ? row->bytes->len : 0;
    }
    return SQLITE_OK;
}

static int (*const operations[])(struct apply *a, struct store_request *r) = {
    [STORE_ACCOUNT_PUT] = account_put,
    [STORE_ACCOUNT_DELETE] = account_delete,
    [STORE_REGISTER] = registration,
    [STORE_APPEND] = append,
    [STORE_MARK] = marks,
    [STORE_READ] = read_entries,
};

int apply_request(struct connection *c, uint64_t *next_seq, struct store_request *r)
{
    struct apply a = {.c = c, .next_seq = next_seq};
    r->result = ERR_NONE;
    if (r->op != STORE_ACCOUNT_PUT) {
        bool found;
        int rc = has_account(&a, r->account, &found);
        if (rc != SQLITE_OK)
            return rc;
        if (!found) {
            r->result = ERR_NOT_FOUND;
            return SQLITE_OK;
        }
    }
    return operations[r->op](&a, r);
}

void apply_undo(struct store_request *r)
{
    if (r->op != STORE_READ)
        return;
    for (size_t i = 0; i < r->read.ret_count; i++)
        packet_unref(&r->read.rows[i].bytes);
    r->read.ret_count = 0;
}
