/* See control_mailbox.h. The home knows what waits, the store what it is. */
#include "daemon/control_mailbox.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "daemon/control_put.h"
#include "daemon/control_walk.h"
#include "server/admin.h"

/* Entries ended in one visit of a home. */
#define PURGE_STEP 256u

/* One command on the mailbox of one account. */
struct mailbox_call {
    struct control_call *call;
    int64_t account;
    unsigned home;
    uint64_t after, number;
    struct store_request request;
    struct admin_entry entries[STORE_READ_MAX];
    size_t entry_count;
    size_t removed;
    bool more;
};

/* NULL: the call was refused. */
static struct mailbox_call *begin(struct control_call *call)
{
    struct buf aor;
    struct mailbox_call *m = calloc(1, sizeof *m);
    if (!m) {
        control_refuse(call, "out of memory");
        return NULL;
    }
    m->call = call;
    m->number = control_number(call, "number");
    buf_init(&aor, CONTROL_AOR_MAX);
    int named = control_walk_named(call, &aor, &m->account);
    if (named == ERR_NONE)
        m->home = server_home_worker(&call->daemon->shared, buf_slice(&aor));
    buf_deinit(&aor);
    if (named == ERR_NONE)
        return m;
    free(m);
    if (named == ERR_NOT_FOUND)
        control_refuse(call, "expected an account");
    return NULL;
}

static void read_rows(struct mailbox_call *m, void (*done)(struct store_request *r))
{
    m->request = (struct store_request){.op = STORE_READ, .account = m->account, .done = done};
    m->request.worker = workers_count(m->call->daemon->workers);
    m->request.read.count = m->entry_count;
    for (size_t i = 0; i < m->entry_count; i++)
        m->request.read.seqs[i] = m->entries[i].seq;
    store_submit(m->call->daemon->shared.store, &m->request);
}

static void drop_rows(struct store_request *r)
{
    for (size_t i = 0; i < r->read.ret_count; i++)
        packet_unref(&r->read.rows[i].bytes);
}

static void refuse(struct mailbox_call *m, const char *why)
{
    control_refuse(m->call, "%s", why);
    free(m);
}

/* --- list --- */

static json_t *summary(struct server *home, const struct control_account *account)
{
    struct admin_mailbox box;
    admin_mailbox(home, account->id, &box);
    if (!box.messages)
        return NULL;
    return json_pack("[{s:o,s:I,s:I,s:I}]", "account", control_json_text(account->aor), "messages",
                     (json_int_t)box.messages, "bytes", (json_int_t)box.bytes, "devices", (json_int_t)box.devices);
}

static json_t *time_text(int64_t wall_ms)
{
    char text[32];
    struct tm utc;
    time_t seconds = (time_t)(wall_ms / 1000);
    gmtime_r(&seconds, &utc);
    size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_stringn(text, len);
}

static struct slice row_sender(const struct store_row *row)
{
    struct slice bytes = packet_slice(row->bytes);
    return slice_make(bytes.ptr + row->headers_len + row->body_len, row->sender_len);
}

static void list_row(struct mailbox_call *m, const struct store_row *row, const struct admin_entry *e)
{
    json_t *waits_for = e->devices == 0   ? json_string("the first device")
                        : e->devices == 1 ? json_string("1 device")
                                          : json_sprintf("%u devices", e->devices);
    control_item(m->call, json_pack("{s:I,s:o,s:o,s:o,s:I,s:I,s:o}", "number", (json_int_t)row->seq, "accepted",
                                    time_text(row->accepted_ms), "expires", time_text(row->expires_ms), "from",
                                    control_json_text(row_sender(row)), "bytes", (json_int_t)row->body_len, "devices",
                                    (json_int_t)e->devices, "waits_for", waits_for));
}

static void find_entries(void *context, unsigned worker, struct server *server, struct net *net)
{
    struct mailbox_call *m = context;
    (void)worker;
    (void)net;
    m->entry_count = admin_entries(server, m->account, m->after, m->entries, STORE_READ_MAX);
}

static void list_on(struct mailbox_call *m);

static void on_listed(struct store_request *r)
{
    struct mailbox_call *m = CONTAINER_OF(r, struct mailbox_call, request);
    if (r->result != ERR_NONE) {
        refuse(m, err_text(r->result));
        return;
    }
    for (size_t i = 0; i < r->read.ret_count; i++) {
        m->after = r->read.rows[i].seq;
        if (r->read.rows[i].bytes)
            list_row(m, &r->read.rows[i], &m->entries[i]);
    }
    drop_rows(r);
    list_on(m);
}

static void list_on(struct mailbox_call *m)
{
    if (control_is_stopping(m->call)) {
        refuse(m, "telexd is stopping");
        return;
    }
    workers_visit_one(m->call->daemon->workers, m->home, find_entries, m);
    if (m->entry_count) {
        read_rows(m, on_listed);
        return;
    }
    control_ok(m->call, NULL);
    free(m);
}

void control_mailbox_list(struct control_call *call)
{
    if (!slice_is_set(control_text(call, "account"))) {
        control_walk(call, summary);
        return;
    }
    struct mailbox_call *m = begin(call);
    if (m)
        list_on(m);
}

/* --- show --- */

static void set_body(json_t *answer, struct slice body)
{
    json_t *text = memchr(body.ptr, 0, body.len) ? NULL : json_stringn(body.ptr, body.len);
    (void)json_object_set_new(answer, "body_bytes", json_integer((json_int_t)body.len));
    if (text) {
        (void)json_object_set_new(answer, "body", text);
        return;
    }
    struct buf b; /* not text */
    buf_init(&b, (body.len + 2) / 3 * 4 + 1);
    char *out = buf_extend(&b, (body.len + 2) / 3 * 4 + 1);
    if (out) {
        int len = EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)body.ptr, (int)body.len);
        (void)json_object_set_new(answer, "body_base64", json_stringn(out, (size_t)len));
    }
    buf_deinit(&b);
}

static void on_shown(struct store_request *r)
{
    struct mailbox_call *m = CONTAINER_OF(r, struct mailbox_call, request);
    const struct store_row *row = r->result == ERR_NONE && r->read.ret_count ? &r->read.rows[0] : NULL;
    if (r->result != ERR_NONE) {
        refuse(m, err_text(r->result));
        return;
    }
    if (!row || !row->bytes) {
        refuse(m, "there is no such message; telexctl mailbox list says which wait");
        return;
    }
    struct slice bytes = packet_slice(row->bytes);
    json_t *answer = json_pack("{s:I,s:o,s:o,s:o,s:o}", "number", (json_int_t)row->seq, "accepted",
                               time_text(row->accepted_ms), "expires", time_text(row->expires_ms), "from",
                               control_json_text(row_sender(row)), "headers",
                               control_json_text(slice_head(bytes, row->headers_len)));
    set_body(answer, slice_head(slice_skip(bytes, row->headers_len), row->body_len));
    control_ok(m->call, answer);
    drop_rows(r);
    free(m);
}

void control_mailbox_show(struct control_call *call)
{
    struct mailbox_call *m = begin(call);
    if (!m)
        return;
    m->entries[0].seq = m->number;
    m->entry_count = 1;
    read_rows(m, on_shown);
}

/* --- purge --- */

static void purge_some(void *context, unsigned worker, struct server *server, struct net *net)
{
    struct mailbox_call *m = context;
    struct admin_entry entry;
    size_t ended = 0;
    (void)worker;
    (void)net;
    m->more = false;
    if (m->number) {
        m->removed = admin_remove_entry(server, m->account, m->number);
        return;
    }
    while (ended < PURGE_STEP && admin_entries(server, m->account, m->after, &entry, 1)) {
        m->after = entry.seq;
        ended += admin_remove_entry(server, m->account, entry.seq);
    }
    m->removed += ended;
    m->more = ended == PURGE_STEP;
}

/* Marks of one account are committed in the order submitted: this read came after them. */
static void on_purged(struct store_request *r)
{
    struct mailbox_call *m = CONTAINER_OF(r, struct mailbox_call, request);
    drop_rows(r);
    if (r->result != ERR_NONE) {
        refuse(m, err_text(r->result));
        return;
    }
    control_ok(m->call, json_pack("{s:I}", "removed", (json_int_t)m->removed));
    free(m);
}

void control_mailbox_purge(struct control_call *call)
{
    struct mailbox_call *m = begin(call);
    if (!m)
        return;
    do
        workers_visit_one(call->daemon->workers, m->home, purge_some, m);
    while (m->more);
    if (m->number && !m->removed) {
        refuse(m, "there is no such message; telexctl mailbox list says which wait");
        return;
    }
    m->entries[0].seq = m->number ? m->number : m->after;
    m->entry_count = 1;
    read_rows(m, on_purged);
}
