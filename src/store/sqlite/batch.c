/* Applies lists of requests, one transaction and one sync each, and keeps the file in order between them. What a
 * request does stands in apply.c; this file decides what becomes of the transaction. */
#include "store/sqlite/batch.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "store/limits.h"
#include "store/sqlite/apply.h"
#include "store/sqlite/load.h"
#include "store/sqlite/space.h"
#include "store/sqlite/sweep.h"

struct batch {
    struct connection connection;
    bool is_open; /* false after a failed sync, until the file was opened anew (C9) */
    struct batch_options options;
    struct space space;
    struct sweep sweep;
    uint64_t next_seq;      /* for the next journal entry; never goes back */
    uint64_t committed_seq; /* entries above it were never told as committed */
    uint64_t reopen_at_ms, reopen_pause_ms;
    uint64_t checkpoint_at_ms; /* not before: the disk was full at the last one */
};

/* Not in enum err: the request has no result yet. */
#define UNDECIDED 1

static uint64_t now_ms(struct batch *b)
{
    return clock_mono_ms(b->options.clock);
}

static void log_failure(const char *event, int rc)
{
    const char *reason = rc == SQLITE_MISMATCH ? "not a file of Telex, or of a later one" : sqlite3_errstr(rc);
    LOG(LOG_ERROR, event, LOG_FIELD("reason", slice_str(reason)));
}

/* After these the handle is not to be used again: its idea of the file and the disk's may differ (C9). */
static bool is_disk_failure(int rc)
{
    int primary = rc & 0xff;
    if (rc == SQLITE_IOERR_NOMEM)
        return false;
    return primary == SQLITE_IOERR || primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ||
           primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY;
}

static int err_of(int rc)
{
    if (rc == SQLITE_OK)
        return ERR_NONE;
    if ((rc & 0xff) == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM)
        return ERR_NO_MEMORY;
    if ((rc & 0xff) == SQLITE_FULL)
        return ERR_FULL;
    return (rc & 0xff) == SQLITE_MISMATCH ? ERR_UNSUPPORTED : ERR_IO;
}

static void give_up(struct batch *b)
{
    connection_close(&b->connection);
    b->is_open = false;
    b->reopen_at_ms = now_ms(b); /* at once, then less and less often */
    b->reopen_pause_ms = STORE_LIMIT_REOPEN_FIRST_MS;
}

/* Notes what an error between batches means. */
static void note_failure(struct batch *b, const char *event, int rc)
{
    if ((rc & 0xff) == SQLITE_FULL) {
        space_hit(&b->space, now_ms(b));
        return;
    }
    log_failure(event, rc);
    if (is_disk_failure(rc))
        give_up(b);
}

/* --- transactions --- */

/* Applies those requests that are undecided (`only`: no other one) in one transaction. When it fails all is undone, and
 * they are undecided as before. */
static int transact(struct batch *b, struct list *requests, struct store_request *only)
{
    struct connection *c = &b->connection;
    int rc = connection_run(c, STATEMENT_BEGIN);
    struct list_node *n = requests->head.next;
    for (; n != &requests->head && rc == SQLITE_OK; n = n->next) {
        struct store_request *r = CONTAINER_OF(n, struct store_request, node);
        if (r->result == UNDECIDED && (!only || r == only))
            rc = apply_request(c, &b->next_seq, r);
    }
    if (rc == SQLITE_OK)
        rc = connection_run(c, STATEMENT_COMMIT);
    if (rc == SQLITE_OK) {
        b->committed_seq = b->next_seq - 1;
        return rc;
    }
    connection_rollback(c);
    LIST_EACH (m, requests) {
        struct store_request *r = CONTAINER_OF(m, struct store_request, node);
        if (r->result == ERR_CLOSED || r->result == ERR_FULL || (only && r != only))
            continue; /* decided before */
        apply_undo(r);
        r->result = UNDECIDED;
    }
    return rc;
}

static void decide_rest(struct list *requests, int result)
{
    LIST_EACH (n, requests) {
        struct store_request *r = CONTAINER_OF(n, struct store_request, node);
        if (r->result == UNDECIDED)
            r->result = result;
    }
}

static void refuse_appends(struct list *requests)
{
    LIST_EACH (n, requests) {
        struct store_request *r = CONTAINER_OF(n, struct store_request, node);
        if (r->result == UNDECIDED && r->op == STORE_APPEND)
            r->result = ERR_FULL;
    }
}

static void log_request_failure(const struct store_request *r, int rc)
{
    static const char *const names[] = {
        [STORE_ACCOUNT_PUT] = "account-put",
        [STORE_ACCOUNT_DELETE] = "account-delete",
        [STORE_REGISTER] = "register",
        [STORE_APPEND] = "append",
        [STORE_MARK] = "mark",
        [STORE_READ] = "read",
    };
    struct buf account;
    buf_init(&account, 32);
    buf_append_u64(&account, (uint64_t)r->account);
    LOG(LOG_ERROR, "store-request-failed", LOG_FIELD("reason", slice_str(sqlite3_errstr(rc))),
        LOG_FIELD("operation", slice_str(names[r->op])), LOG_FIELD("account", buf_slice(&account)));
    buf_deinit(&account);
}

/* One request has spoilt the transaction of all: each gets its own, so that only the culprit fails. */
static int transact_singly(struct batch *b, struct list *requests)
{
    LIST_EACH (n, requests) {
        struct store_request *r = CONTAINER_OF(n, struct store_request, node);
        if (r->result != UNDECIDED)
            continue;
        int rc = transact(b, requests, r);
        if (is_disk_failure(rc))
            return rc;
        if (rc == SQLITE_OK)
            continue;
        log_request_failure(r, rc);
        r->result = err_of(rc);
    }
    return SQLITE_OK;
}

static void begin(struct batch *b, struct list *requests)
{
    space_check(&b->space, now_ms(b));
    LIST_EACH (n, requests) {
        struct store_request *r = CONTAINER_OF(n, struct store_request, node);
        r->result = UNDECIDED;
        if (atomic_load_explicit(&r->withdrawn, memory_order_acquire))
            r->result = ERR_CLOSED;
        else if (r->op == STORE_READ)
            r->read.ret_count = 0; /* so that there is nothing to give back before it was read */
    }
    if (space_is_full(&b->space))
        refuse_appends(requests);
}

void batch_apply(struct batch *b, struct list *requests)
{
    begin(b, requests);
    if (!b->is_open) {
        decide_rest(requests, ERR_IO);
        return;
    }
    int rc = transact(b, requests, NULL);
    if ((rc & 0xff) == SQLITE_FULL) {
        /* C10: what frees room and what reads goes on without the appends. */
        space_hit(&b->space, now_ms(b));
        refuse_appends(requests);
        rc = transact(b, requests, NULL);
    }
    if (rc != SQLITE_OK && !is_disk_failure(rc))
        rc = transact_singly(b, requests);
    if (rc == SQLITE_OK)
        return;
    log_failure("store-failed", rc);
    give_up(b);
    decide_rest(requests, ERR_IO);
}

/* --- opening --- */

static int counter_get(struct connection *c, struct slice name, int64_t *ret)
{
    struct query q = connection_query(c, STATEMENT_COUNTER_GET);
    query_bind_text(&q, name);
    *ret = query_next(&q) ? query_int(&q) : 0;
    return query_end(&q);
}

/* The highest number that was ever committed. */
static int last_seq(struct connection *c, uint64_t *ret)
{
    int64_t counter, last = 0;
    int rc = counter_get(c, SLICE("journal"), &counter);
    if (rc != SQLITE_OK)
        return rc;
    struct query q = connection_query(c, STATEMENT_JOURNAL_LAST);
    if (query_next(&q))
        last = query_int(&q);
    *ret = (uint64_t)(last > counter ? last : counter);
    return query_end(&q);
}

/* Entries whose commit was told as failed, and which the log held after all: their senders were answered 503 and their
 * duplicate keys are not known, so they go. Their numbers stay used, as marks may stand at them. */
static int undo_refused(struct batch *b)
{
    struct connection *c = &b->connection;
    if (b->next_seq - 1 == b->committed_seq)
        return SQLITE_OK;
    int rc = connection_run(c, STATEMENT_BEGIN);
    struct query q = connection_query(c, STATEMENT_JOURNAL_UNDO);
    query_bind_int(&q, (int64_t)b->committed_seq);
    if (rc == SQLITE_OK)
        rc = query_run(&q);
    q = connection_query(c, STATEMENT_COUNTER_RAISE);
    query_bind_text(&q, SLICE("journal"));
    query_bind_int(&q, (int64_t)b->next_seq - 1);
    if (rc == SQLITE_OK)
        rc = query_run(&q);
    if (rc == SQLITE_OK)
        rc = connection_run(c, STATEMENT_COMMIT);
    if (rc == SQLITE_OK)
        b->committed_seq = b->next_seq - 1;
    return rc;
}

static void reopen(struct batch *b)
{
    int rc = connection_open(&b->connection, b->options.path, b->options.vfs);
    if (rc == SQLITE_OK)
        rc = undo_refused(b);
    if (rc == SQLITE_OK) {
        b->is_open = true;
        LOG(LOG_WARN, "store-reopened", LOG_FIELD("file", slice_str(b->options.path)));
        return;
    }
    log_failure("store-reopen-failed", rc);
    connection_close(&b->connection);
    b->reopen_at_ms = now_ms(b) + b->reopen_pause_ms;
    b->reopen_pause_ms *= 2;
    if (b->reopen_pause_ms > STORE_LIMIT_REOPEN_MAX_MS)
        b->reopen_pause_ms = STORE_LIMIT_REOPEN_MAX_MS;
}

int batch_open(const struct batch_options *options, struct batch **ret_batch)
{
    struct batch *b = calloc(1, sizeof *b);
    if (!b)
        return ERR_NO_MEMORY;
    b->options = *options;
    space_init(&b->space, b->options.folder, b->options.statvfs);
    int rc = connection_open(&b->connection, b->options.path, b->options.vfs);
    if (rc == SQLITE_OK)
        rc = last_seq(&b->connection, &b->committed_seq);
    if (rc == SQLITE_OK)
        rc = sweep_init(&b->sweep, &b->connection, clock_wall_ms(b->options.clock), now_ms(b));
    if (rc != SQLITE_OK) {
        log_failure("store-open-failed", rc);
        connection_close(&b->connection);
        free(b);
        return err_of(rc);
    }
    b->next_seq = b->committed_seq + 1;
    b->is_open = true;
    space_check(&b->space, now_ms(b));
    *ret_batch = b;
    return ERR_NONE;
}

void batch_close(struct batch *b)
{
    if (!b)
        return;
    if (b->is_open) {
        /* Only to start faster, and so that the file alone is a backup: the log is as durable as the file. */
        int rc = connection_checkpoint(&b->connection, true);
        if (rc != SQLITE_OK)
            log_failure("store-checkpoint-failed", rc);
    }
    connection_close(&b->connection);
    free(b);
}

/* --- between batches --- */

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void checkpoint_if_due(struct batch *b, bool is_idle)
{
    int limit = is_idle ? STORE_LIMIT_LOG_PAGES_IDLE : STORE_LIMIT_LOG_PAGES_BUSY;
    if (b->connection.log_pages < limit || now_ms(b) < b->checkpoint_at_ms)
        return;
    int rc = connection_checkpoint(&b->connection, false);
    if (rc == SQLITE_OK)
        return;
    /* On a full disk the log is whole and stays: C10, not C9. */
    b->checkpoint_at_ms = now_ms(b) + STORE_LIMIT_FULL_RECHECK_MS;
    note_failure(b, "store-checkpoint-failed", rc);
    if (rc == SQLITE_BUSY)
        give_up(b);
}

/* Returns the wait until the next look, while the disk is full. */
static uint64_t space_if_due(struct batch *b)
{
    if (!space_is_full(&b->space))
        return BATCH_NEVER;
    uint64_t now = now_ms(b), at = b->space.checked_at_ms + STORE_LIMIT_FULL_RECHECK_MS;
    if (now < at)
        return at - now;
    space_check(&b->space, now);
    return space_is_full(&b->space) ? STORE_LIMIT_FULL_RECHECK_MS : BATCH_NEVER;
}

static uint64_t sweep_if_due(struct batch *b, bool is_idle)
{
    uint64_t wait = sweep_wait_ms(&b->sweep, now_ms(b), is_idle);
    if (wait > 0)
        return wait;
    int rc = sweep_step(&b->sweep, &b->connection, clock_wall_ms(b->options.clock), now_ms(b));
    if (rc == SQLITE_OK)
        return sweep_wait_ms(&b->sweep, now_ms(b), is_idle);
    note_failure(b, "store-sweep-failed", rc);
    return b->is_open ? STORE_SWEEP_BUSY_MS : 0;
}

uint64_t batch_maintain(struct batch *b, bool is_idle)
{
    uint64_t wait = space_if_due(b);
    if (!b->is_open) {
        if (now_ms(b) >= b->reopen_at_ms)
            reopen(b);
        if (!b->is_open)
            return min_u64(wait, b->reopen_at_ms > now_ms(b) ? b->reopen_at_ms - now_ms(b) : 0);
    }
    checkpoint_if_due(b, is_idle);
    if (!b->is_open)
        return 0;
    return min_u64(wait, sweep_if_due(b, is_idle));
}

/* --- before workers start --- */

int batch_load(struct batch *b, const struct store_loader *loader, void *context)
{
    return b->is_open ? err_of(load_all(&b->connection, loader, context)) : ERR_IO;
}

int batch_secret(struct batch *b, struct slice name, uint8_t out[STORE_SECRET_LEN])
{
    if (!b->is_open)
        return ERR_IO;
    struct query q = connection_query(&b->connection, STATEMENT_SECRET_GET);
    query_bind_text(&q, name);
    bool found = query_next(&q);
    if (found) {
        struct slice value = query_bytes(&q);
        if (value.len == STORE_SECRET_LEN)
            memcpy(out, value.ptr, value.len);
        else
            q.rc = SQLITE_CORRUPT;
    }
    int rc = query_end(&q);
    if (rc != SQLITE_OK || found)
        return err_of(rc);
    random_fill(random_system(), out, STORE_SECRET_LEN);
    q = connection_query(&b->connection, STATEMENT_SECRET_PUT);
    query_bind_text(&q, name);
    query_bind_blob(&q, slice_make((const char *)out, STORE_SECRET_LEN));
    return err_of(query_run(&q));
}

bool batch_is_full(struct batch *b)
{
    return space_is_full(&b->space);
}
