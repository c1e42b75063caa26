/* One execution of a prepared statement: parameters are bound in order, columns are read in order, the first error
 * sticks and is told at the end. Borrows the statement and every bound slice until query_end. */
#ifndef STORE_SQLITE_QUERY_H
#define STORE_SQLITE_QUERY_H

#include <sqlite3.h>

#include "base/slice.h"

struct query {
    sqlite3_stmt *statement;
    int parameter, column;
    int rc; /* SQLite's code: SQLITE_OK until something failed */
};

struct query query_make(sqlite3_stmt *statement);
void query_bind_int(struct query *q, int64_t value);
/* Absent is bound as the empty text. */
void query_bind_text(struct query *q, struct slice s);
/* Absent is bound as NULL. */
void query_bind_text_or_null(struct query *q, struct slice s);
void query_bind_blob(struct query *q, struct slice s);
/* True: a row stands ready, and its first column is the next to be read. */
bool query_next(struct query *q);
int64_t query_int(struct query *q);
/* Text or blob, valid until the next row; NULL gives an absent slice. */
struct slice query_bytes(struct query *q);
/* Makes the statement ready for its next use. Returns SQLITE_OK or the first error. */
int query_end(struct query *q);
/* query_next over all rows, then query_end. */
int query_run(struct query *q);

#endif
