/* The embedded driver: one SQLite file in the data folder. */
#ifndef STORE_SQLITE_SQLITE_STORE_H
#define STORE_SQLITE_SQLITE_STORE_H

#include "store/store.h"

/* Makes DIR (0700) when it is missing, locks it (DIR/telexd.lock), opens DIR/telex.db and starts the store's thread,
 * which calls the poster. The poster's context must live until store_close has returned.
 * ERR_EXISTS: another telexd holds the folder. ERR_NOT_FOUND: the folder around DIR is missing. ERR_UNSUPPORTED: the
 * file is of a later Telex, or none of Telex's. ERR_IO, ERR_NO_MEMORY. */
int sqlite_store_open(const char *dir, const struct store_poster *poster, struct store **ret_store);

/* The same with what tests replace. */
struct clock;
struct statvfs;
struct sqlite_store_options {
    struct clock *clock;                                   /* NULL: the system's */
    const char *vfs;                                       /* NULL: SQLite's default */
    int (*statvfs)(const char *path, struct statvfs *out); /* NULL: the system's */
};
int sqlite_store_open_with(const char *dir, const struct store_poster *poster,
                           const struct sqlite_store_options *options, struct store **ret_store);

#endif
