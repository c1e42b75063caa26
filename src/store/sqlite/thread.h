/* The half of the driver with a thread: gathers the requests of all workers, has a batch apply them, and posts the
 * completions. Knows nothing of SQL. */
#ifndef STORE_SQLITE_THREAD_H
#define STORE_SQLITE_THREAD_H

#include "store/sqlite/batch.h"
#include "store/sqlite/folder.h"

/* Starts the thread. Takes `batch` and `folder`, and on failure leaves them to the caller. ERR_NO_MEMORY. */
int thread_start(struct batch *batch, struct folder *folder, const struct store_poster *poster,
                 struct store **ret_store);

#endif
