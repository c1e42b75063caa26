/* The tables, as numbered migrations: PRAGMA user_version says how many of them a file has had. */
#ifndef STORE_SQLITE_SCHEMA_H
#define STORE_SQLITE_SCHEMA_H

#include <sqlite3.h>

/* Brings the file to the newest version, each migration in a transaction of its own. Returns SQLITE_OK, SQLITE_MISMATCH
 * when the file is of a later Telex or of another program, or SQLite's error. */
int schema_migrate(sqlite3 *db);
/* The number of migrations that this program knows. */
int schema_version(void);

#endif
