/* The embedded driver, put together: folder, batch, thread. */
#include "store/sqlite/sqlite_store.h"

#include "base/err.h"
#include "store/sqlite/thread.h"

int sqlite_store_open(const char *dir, const struct store_poster *poster, struct store **ret_store)
{
    return sqlite_store_open_with(dir, poster, &(struct sqlite_store_options){0}, ret_store);
}

int sqlite_store_open_with(const char *dir, const struct store_poster *poster,
                           const struct sqlite_store_options *options, struct store **ret_store)
{
    struct folder *folder;
    int err = folder_open(dir, &folder);
    if (err != ERR_NONE)
        return err;
    struct batch_options batch_options = {
        .folder = folder_path(folder),
        .path = folder_database(folder),
        .vfs = options->vfs,
        .clock = options->clock ? options->clock : clock_system(),
        .statvfs = options->statvfs,
    };
    struct batch *batch = NULL;
    err = batch_open(&batch_options, &batch);
    if (err == ERR_NONE)
        err = thread_start(batch, folder, poster, ret_store);
    if (err != ERR_NONE) {
        batch_close(batch);
        folder_close(folder);
    }
    return err;
}
