/* The one connection to the file, with its settings and its prepared statements. Decides nothing about requests. */
#include "store/sqlite/connection.h"

#include "store/limits.h"
#include "store/sqlite/schema.h"

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

/* In this order: auto_vacuum counts only before anything is written, and with the exclusive lock taken before the log
 * is first touched the log's index lies in our memory: nobody else opens the file, by mistake neither. */
static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE;"
                               "PRAGMA auto_vacuum=INCREMENTAL;"
                               "PRAGMA journal_mode=WAL;"
                               "PRAGMA synchronous=FULL;"
                               /* A failed sync inside the automatic checkpoint is swallowed: we run our own. */
                               "PRAGMA wal_autocheckpoint=0;"
                               "PRAGMA cache_size=-" TEXT_OF(STORE_LIMIT_CACHE_KIB) ";"
                                                                                    "PRAGMA mmap_size=0;"
                                                                                    "PRAGMA temp_store=MEMORY;"
                                                                                    "PRAGMA trusted_schema=OFF;";

static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    struct connection *c = context;
    c->log_pages = pages;
    return SQLITE_OK;
}

int connection_checkpoint(struct connection *c, bool truncate)
{
    int in_log = 0, carried = 0;
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int rc = sqlite3_wal_checkpoint_v2(c->db, NULL, mode, &in_log, &carried);
    if (rc != SQLITE_OK)
        return rc;
    if (in_log != carried)
        return SQLITE_BUSY;
    c->log_pages = 0;
    return SQLITE_OK;
}

static int prepare_all(struct connection *c)
{
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        int rc = sqlite3_prepare_v3(c->db, statements_sql((enum statement)i), -1, SQLITE_PREPARE_PERSISTENT,
                                    &c->statements[i], NULL);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

int connection_open(struct connection *c, const char *path, const char *vfs)
{
    *c = (struct connection){0};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(path, &c->db, flags, vfs);
    if (rc == SQLITE_OK)
        rc = sqlite3_extended_result_codes(c->db, 1);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(c->db, settings, NULL, NULL, NULL);
    /* C9: what lies in the log may have been written by a process whose sync failed. Pages that the kernel still holds
     * but the disk does not would be a hole in front of every later commit, so nothing is committed before the whole
     * log was carried over and synced, and begins anew. */
    if (rc == SQLITE_OK)
        rc = connection_checkpoint(c, true);
    if (rc == SQLITE_OK)
        rc = schema_migrate(c->db);
    if (rc == SQLITE_OK)
        rc = prepare_all(c);
    if (rc == SQLITE_OK)
        (void)sqlite3_wal_hook(c->db, on_commit, c);
    else
        connection_close(c);
    return rc;
}

void connection_close(struct connection *c)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(c->statements[i]);
    (void)sqlite3_close(c->db);
    *c = (struct connection){0};
}

struct query connection_query(struct connection *c, enum statement s)
{
    return query_make(c->statements[s]);
}

int connection_run(struct connection *c, enum statement s)
{
    struct query q = connection_query(c, s);
    return query_run(&q);
}

void connection_rollback(struct connection *c)
{
    /* Some errors end the transaction by themselves. */
    if (!sqlite3_get_autocommit(c->db))
        (void)connection_run(c, STATEMENT_ROLLBACK);
}
