/* The one connection to the file, with its settings and its prepared statements. Not threaded. */
#ifndef STORE_SQLITE_CONNECTION_H
#define STORE_SQLITE_CONNECTION_H

#include "store/sqlite/query.h"
#include "store/sqlite/statements.h"

struct connection {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    int log_pages; /* in the write-ahead log since it was last carried over */
};

/* Opens or makes the file, carries a log that is left over into it (C9), migrates it and prepares the statements.
 * vfs == NULL: SQLite's default. Returns SQLITE_OK, SQLITE_MISMATCH (not a file of this Telex) or SQLite's error; after
 * an error nothing is open. `c` must not move while it is open. */
int connection_open(struct connection *c, const char *path, const char *vfs);
/* Closes without a checkpoint (C9). Legal when nothing is open. */
void connection_close(struct connection *c);
/* Carries the whole log over into the file; with `truncate` the log is empty afterwards, otherwise it is written over.
 * Returns SQLite's code; SQLITE_BUSY when some of it was left. */
int connection_checkpoint(struct connection *c, bool truncate);
/* One kept statement, ready to be bound. */
struct query connection_query(struct connection *c, enum statement s);
/* Runs a kept statement without parameters. Returns SQLite's code. */
int connection_run(struct connection *c, enum statement s);
/* Ends a transaction that may be open, whatever became of it. */
void connection_rollback(struct connection *c);

#endif
