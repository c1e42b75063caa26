/* The tables, as numbered migrations. A migration that was released is never edited: add one behind it. */
#include "store/sqlite/schema.h"

#include <stdint.h>

#include "base/buf.h"

/* Marks the file as Telex's in the database header ("Tlex"). */
#define APPLICATION_ID 0x546c6578

static const char *const migrations[] = {
    /* 1. Every key begins with the account, or is the order of arrival: no index in random order lies on the path of an
     * append. Numbers of accounts and entries are never given twice: an account's by AUTOINCREMENT, an entry's by the
     * counter `journal` that holds the highest number whose row may be gone.
     *
     * `owner` says which node may commit for the account and in which epoch (C16); with one node both are 1, and the
     * row's existence is the account's. The check of node and epoch comes with the second node.
     *
     * The journal's wide columns stand last: reading those before them never touches a row's overflow pages. The rows
     * of a deleted account have no owner; nobody sees them and the sweep takes them. */
    "CREATE TABLE account ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  aor TEXT NOT NULL UNIQUE,"
    "  name TEXT NOT NULL,"
    "  extra TEXT NOT NULL,"
    "  md5_user TEXT NOT NULL, md5_user_domain TEXT NOT NULL,"
    "  sha256_user TEXT NOT NULL, sha256_user_domain TEXT NOT NULL,"
    "  sha512_256_user TEXT NOT NULL, sha512_256_user_domain TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE owner ("
    "  account INTEGER PRIMARY KEY,"
    "  node INTEGER NOT NULL,"
    "  epoch INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE device ("
    "  account INTEGER NOT NULL,"
    "  number INTEGER NOT NULL CHECK (number BETWEEN 0 AND 31)," /* STORE_DEVICES_MAX */
    "  position INTEGER NOT NULL,"
    "  seen_ms INTEGER NOT NULL,"
    "  has_instance INTEGER NOT NULL,"
    "  key TEXT NOT NULL,"
    "  features TEXT NOT NULL,"
    "  PRIMARY KEY (account, number)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE binding ("
    "  account INTEGER NOT NULL,"
    "  contact TEXT NOT NULL,"
    "  call_id TEXT NOT NULL,"
    "  device INTEGER NOT NULL CHECK (device BETWEEN 0 AND 31),"
    "  node INTEGER NOT NULL,"
    "  epoch INTEGER NOT NULL,"
    "  cseq INTEGER NOT NULL,"
    "  q INTEGER NOT NULL,"
    "  registered_ms INTEGER NOT NULL,"
    "  expires_ms INTEGER NOT NULL,"
    "  params TEXT NOT NULL,"
    "  path TEXT NOT NULL,"
    "  user_agent TEXT NOT NULL,"
    "  allow TEXT," /* NULL: not said */
    "  transport TEXT NOT NULL,"
    "  local TEXT NOT NULL,"
    "  remote TEXT NOT NULL,"
    "  behind_nat INTEGER NOT NULL,"
    "  PRIMARY KEY (account, contact, call_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE exception ("
    "  account INTEGER NOT NULL,"
    "  device INTEGER NOT NULL,"
    "  seq INTEGER NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  status INTEGER NOT NULL,"
    "  PRIMARY KEY (account, device, seq)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE journal ("
    "  id INTEGER PRIMARY KEY,"
    "  account INTEGER NOT NULL,"
    "  kind INTEGER NOT NULL,"
    "  answer INTEGER NOT NULL,"
    "  accepted_ms INTEGER NOT NULL,"
    "  expires_ms INTEGER NOT NULL,"
    "  size INTEGER NOT NULL," /* of headers and body together */
    "  duplicate_key BLOB NOT NULL,"
    "  sender TEXT NOT NULL,"
    "  headers BLOB NOT NULL,"
    "  body BLOB NOT NULL"
    ") STRICT;"
    "CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO counter VALUES ('journal', 0);",
};

#define MIGRATION_COUNT ((int)(sizeof migrations / sizeof migrations[0]))

int schema_version(void)
{
    return MIGRATION_COUNT;
}

/* Reads the one number that the pragma `sql` gives. */
static int read_number(sqlite3 *db, const char *sql, int64_t *ret)
{
    sqlite3_stmt *s;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    if (rc != SQLITE_OK)
        return rc;
    rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        *ret = sqlite3_column_int64(s, 0);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(s);
    return rc;
}

static int migrate_one(sqlite3 *db, int number)
{
    struct buf sql;
    buf_init(&sql, 16384);
    /* PRAGMA takes no parameters; both values are our own numbers. */
    buf_printf(&sql, "BEGIN;%s PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT;", migrations[number],
               APPLICATION_ID, number + 1);
    buf_append_char(&sql, '\0');
    int rc = buf_ok(&sql) ? sqlite3_exec(db, sql.ptr, NULL, NULL, NULL) : SQLITE_NOMEM;
    if (rc != SQLITE_OK && !sqlite3_get_autocommit(db))
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    buf_deinit(&sql);
    return rc;
}

int schema_migrate(sqlite3 *db)
{
    int64_t version = 0, application = 0, objects = 0;
    int rc = read_number(db, "PRAGMA user_version", &version);
    if (rc == SQLITE_OK)
        rc = read_number(db, "PRAGMA application_id", &application);
    if (rc == SQLITE_OK)
        rc = read_number(db, "SELECT count(*) FROM sqlite_schema", &objects);
    if (rc != SQLITE_OK)
        return rc;
    bool is_empty = version == 0 && application == 0 && objects == 0;
    if (!is_empty && application != APPLICATION_ID)
        return SQLITE_MISMATCH;
    if (version < 0 || version > MIGRATION_COUNT)
        return SQLITE_MISMATCH;
    for (int i = (int)version; i < MIGRATION_COUNT && rc == SQLITE_OK; i++)
        rc = migrate_one(db, i);
    return rc;
}
