/* The half of the driver without threads: opens the file, applies a list of requests in one transaction and one sync,
 * and keeps the file in order between batches. One caller at a time. It calls no `done` and posts nothing. */
#ifndef STORE_SQLITE_BATCH_H
#define STORE_SQLITE_BATCH_H

#include <sys/statvfs.h>

#include "base/clock.h"
#include "store/store.h"

struct batch;

/* Strings are borrowed until batch_close. */
struct batch_options {
    const char *folder; /* whose file system is asked for room */
    const char *path;   /* the database file */
    const char *vfs;    /* NULL: SQLite's default */
    struct clock *clock;
    int (*statvfs)(const char *path, struct statvfs *out); /* NULL: the system's */
};

/* Opens or makes the file. ERR_IO, ERR_NO_MEMORY, ERR_UNSUPPORTED (made by a later Telex, or no database of Telex). */
int batch_open(const struct batch_options *options, struct batch **ret_batch);
/* Carries the log over if nothing is wrong with it, closes and frees. NULL is legal. */
void batch_close(struct batch *b);

/* Sets the result of every request on the list, which stays as it is. ERR_NONE: committed and synced. When the disk
 * failed (C9) all have ERR_IO, and so has every later batch until batch_maintain has opened the file anew.
 *
 * After ERR_IO no journal entry of the batch is there; a mark, a registration or an account change of it may be, as
 * they are true or will be asked for again. */
void batch_apply(struct batch *b, struct list *requests);

#define BATCH_NEVER UINT64_MAX
/* What is due between batches: the file opened anew, the log carried over, a look at the room, a step of the sweep.
 * `is_idle`: no request waits. Returns in how many ms it wants to be called again, 0 for at once, or BATCH_NEVER. */
uint64_t batch_maintain(struct batch *b, bool is_idle);

/* As in struct store_ops. */
int batch_load(struct batch *b, const struct store_loader *loader, void *context);
int batch_secret(struct batch *b, struct slice name, uint8_t out[STORE_SECRET_LEN]);
/* Any thread. */
bool batch_is_full(struct batch *b);

#endif
