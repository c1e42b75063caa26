/* One execution of a prepared statement; see query.h. */
#include "store/sqlite/query.h"

struct query query_make(sqlite3_stmt *statement)
{
    return (struct query){.statement = statement};
}

static void keep(struct query *q, int rc)
{
    if (q->rc == SQLITE_OK)
        q->rc = rc;
}

void query_bind_int(struct query *q, int64_t value)
{
    keep(q, sqlite3_bind_int64(q->statement, ++q->parameter, value));
}

void query_bind_text(struct query *q, struct slice s)
{
    const char *text = s.ptr ? s.ptr : "";
    keep(q, sqlite3_bind_text64(q->statement, ++q->parameter, text, s.len, SQLITE_STATIC, SQLITE_UTF8));
}

void query_bind_text_or_null(struct query *q, struct slice s)
{
    if (slice_is_set(s))
        query_bind_text(q, s);
    else
        keep(q, sqlite3_bind_null(q->statement, ++q->parameter));
}

void query_bind_blob(struct query *q, struct slice s)
{
    /* A NULL pointer would bind NULL. */
    keep(q, sqlite3_bind_blob64(q->statement, ++q->parameter, s.ptr ? s.ptr : "", s.len, SQLITE_STATIC));
}

bool query_next(struct query *q)
{
    if (q->rc != SQLITE_OK)
        return false;
    q->column = 0;
    int rc = sqlite3_step(q->statement);
    if (rc == SQLITE_ROW)
        return true;
    if (rc != SQLITE_DONE)
        keep(q, rc);
    return false;
}

int64_t query_int(struct query *q)
{
    return sqlite3_column_int64(q->statement, q->column++);
}

struct slice query_bytes(struct query *q)
{
    int column = q->column++;
    if (sqlite3_column_type(q->statement, column) == SQLITE_NULL)
        return SLICE_NONE;
    const char *bytes = sqlite3_column_blob(q->statement, column);
    int len = sqlite3_column_bytes(q->statement, column);
    return slice_make(bytes ? bytes : "", (size_t)len); /* an empty blob has no pointer */
}

int query_end(struct query *q)
{
    /* Its code repeats the error of the last step, which is kept already. */
    (void)sqlite3_reset(q->statement);
    return q->rc;
}

int query_run(struct query *q)
{
    while (query_next(q))
        ;
    return query_end(q);
}
