/* Retention: deletes rows that nobody needs any more, a bounded step at a time. The rules stand in sweep.h. */
#include "store/sqlite/sweep.h"

#include "store/limits.h"

/* The lasting clock, in the table `counter`. */
static const struct slice clock_name = SLICE_INIT("sweep_clock");

static int counter_write(struct connection *c, enum statement statement, struct slice name, int64_t value)
{
    struct query q = connection_query(c, statement);
    query_bind_text(&q, name);
    query_bind_int(&q, value);
    return query_run(&q);
}

int sweep_init(struct sweep *s, struct connection *c, int64_t wall_ms, uint64_t mono_ms)
{
    *s = (struct sweep){.phase = SWEEP_RESTS, .clock_ms = wall_ms, .clock_set_ms = mono_ms};
    s->due_ms = mono_ms + STORE_SWEEP_FIRST_MS;
    s->step_ms = mono_ms;
    struct query q = connection_query(c, STATEMENT_COUNTER_GET);
    query_bind_text(&q, clock_name);
    bool found = query_next(&q);
    if (found)
        s->clock_ms = query_int(&q);
    int rc = query_end(&q);
    if (rc == SQLITE_OK && !found)
        rc = counter_write(c, STATEMENT_COUNTER_SET, clock_name, wall_ms);
    return rc;
}

static void clock_follow(struct sweep *s, int64_t wall_ms, uint64_t mono_ms)
{
    int64_t limit = s->clock_ms + 2 * (int64_t)(mono_ms - s->clock_set_ms);
    s->clock_ms = wall_ms < limit ? wall_ms : limit;
    s->clock_set_ms = mono_ms;
}

uint64_t sweep_wait_ms(const struct sweep *s, uint64_t mono_ms, bool is_idle)
{
    uint64_t at = s->phase == SWEEP_RESTS ? s->due_ms : 0;
    if (!is_idle && at < s->step_ms + STORE_SWEEP_BUSY_MS)
        at = s->step_ms + STORE_SWEEP_BUSY_MS;
    return at > mono_ms ? at - mono_ms : 0;
}

struct candidate {
    int64_t key[3];   /* entry: id, account; exception: account, device, seq */
    int64_t flags[2]; /* entry: accepted, expires; exception: whether its entry is there */
};

/* Ends `q`; *ret says whether it had a row. */
static int has_row(struct query q, bool *ret)
{
    *ret = query_next(&q);
    return query_end(&q);
}

static int is_deletable(struct sweep *s, struct connection *c, const struct candidate *e, bool *ret)
{
    bool has_owner, is_owed;
    *ret = false;
    struct query q = connection_query(c, STATEMENT_OWNER_HAS);
    query_bind_int(&q, e->key[1]);
    int rc = has_row(q, &has_owner);
    if (rc != SQLITE_OK)
        return rc;
    if (!has_owner) {
        *ret = true;
        return SQLITE_OK;
    }
    if (e->flags[0] > s->clock_ms - STORE_RETENTION_MS)
        return SQLITE_OK;
    if (e->flags[1] <= s->clock_ms - STORE_EXPIRED_GRACE_MS) {
        *ret = true;
        return SQLITE_OK;
    }
    q = connection_query(c, STATEMENT_SWEEP_IS_OWED);
    query_bind_int(&q, e->key[1]);
    query_bind_int(&q, e->key[0]);
    rc = has_row(q, &is_owed);
    *ret = rc == SQLITE_OK && !is_owed;
    return rc;
}

/* Gathers up to STORE_LIMIT_SWEEP_ROWS rows first: deleting under an open cursor is not defined. */
static int gather(struct connection *c, enum statement statement, const int64_t *after, int keys, int flags,
                  struct candidate *out, size_t *ret_count)
{
    size_t count = 0;
    struct query q = connection_query(c, statement);
    for (int i = 0; i < (statement == STATEMENT_SWEEP_SCAN ? 1 : keys); i++)
        query_bind_int(&q, after[i]);
    while (count < STORE_LIMIT_SWEEP_ROWS && query_next(&q)) {
        for (int i = 0; i < keys; i++)
            out[count].key[i] = query_int(&q);
        for (int i = 0; i < flags; i++)
            out[count].flags[i] = query_int(&q);
        count++;
    }
    *ret_count = count;
    return query_end(&q);
}

static int sweep_entries(struct sweep *s, struct connection *c, bool *ret_more)
{
    struct candidate rows[STORE_LIMIT_SWEEP_ROWS];
    size_t count;
    int64_t highest = 0;
    int rc = gather(c, STATEMENT_SWEEP_SCAN, s->after, 2, 2, rows, &count);
    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        bool deletable;
        rc = is_deletable(s, c, &rows[i], &deletable);
        if (rc != SQLITE_OK || !deletable)
            continue;
        struct query q = connection_query(c, STATEMENT_SWEEP_DELETE);
        query_bind_int(&q, rows[i].key[0]);
        rc = query_run(&q);
        highest = rows[i].key[0];
    }
    /* A number whose row is gone must not be given again: positions stand behind it. */
    if (rc == SQLITE_OK && highest)
        rc = counter_write(c, STATEMENT_COUNTER_RAISE, SLICE("journal"), highest);
    *ret_more = count == STORE_LIMIT_SWEEP_ROWS;
    if (rc == SQLITE_OK && count)
        s->after[0] = rows[count - 1].key[0];
    return rc;
}

static int sweep_exceptions(struct sweep *s, struct connection *c, bool *ret_more)
{
    struct candidate rows[STORE_LIMIT_SWEEP_ROWS];
    size_t count;
    int rc = gather(c, STATEMENT_SWEEP_EXCEPTIONS, s->after, 3, 1, rows, &count);
    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        if (rows[i].flags[0])
            continue;
        struct query q = connection_query(c, STATEMENT_EXCEPTION_DELETE);
        for (int k = 0; k < 3; k++)
            query_bind_int(&q, rows[i].key[k]);
        rc = query_run(&q);
    }
    *ret_more = count == STORE_LIMIT_SWEEP_ROWS;
    if (rc == SQLITE_OK && count)
        memcpy(s->after, rows[count - 1].key, sizeof s->after);
    return rc;
}

static int sweep_pages(struct sweep *s, struct connection *c, bool *ret_more)
{
    int64_t free_pages = 0;
    struct query q = connection_query(c, STATEMENT_FREE_PAGES);
    if (query_next(&q))
        free_pages = query_int(&q);
    int rc = query_end(&q);
    *ret_more = free_pages > STORE_LIMIT_FREE_PAGES + STORE_LIMIT_VACUUM_PAGES;
    if (rc == SQLITE_OK && *ret_more)
        rc = connection_run(c, STATEMENT_VACUUM);
    /* The round ends here: its clock is written with it. */
    if (rc == SQLITE_OK && !*ret_more)
        rc = counter_write(c, STATEMENT_COUNTER_SET, clock_name, s->clock_ms);
    return rc;
}

int sweep_step(struct sweep *s, struct connection *c, int64_t wall_ms, uint64_t mono_ms)
{
    static int (*const phases[])(struct sweep *, struct connection *, bool *) = {
        [SWEEP_ENTRIES] = sweep_entries,
        [SWEEP_EXCEPTIONS] = sweep_exceptions,
        [SWEEP_PAGES] = sweep_pages,
    };
    clock_follow(s, wall_ms, mono_ms);
    s->step_ms = mono_ms;
    struct sweep next = *s;
    if (next.phase == SWEEP_RESTS)
        next.phase = SWEEP_ENTRIES;
    bool more = false;
    int rc = connection_run(c, STATEMENT_BEGIN);
    if (rc == SQLITE_OK)
        rc = phases[next.phase](&next, c, &more);
    if (rc == SQLITE_OK)
        rc = connection_run(c, STATEMENT_COMMIT);
    if (rc != SQLITE_OK) {
        connection_rollback(c);
        return rc;
    }
    if (!more) {
        next.phase++;
        memset(next.after, 0, sizeof next.after);
        next.due_ms = mono_ms + STORE_SWEEP_INTERVAL_MS;
    }
    *s = next;
    return SQLITE_OK;
}
