/* A VFS around SQLite's default one that counts and fails what tests ask for. It offers no shared memory, so it also
 * shows that the driver needs none. */
#include "support/fault_vfs.h"

#include <sqlite3.h>
#include <string.h>

struct fault_vfs fault_vfs;

struct file {
    sqlite3_file base;
    bool is_log;
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs vfs, *real_vfs;

static struct file *file_of(sqlite3_file *f)
{
    return (struct file *)(void *)f;
}
static sqlite3_file *real_of(sqlite3_file *f)
{
    return file_of(f)->real;
}

static bool takes(atomic_int *counter)
{
    int left = atomic_load(counter);
    while (left > 0)
        if (atomic_compare_exchange_weak(counter, &left, left - 1))
            return true;
    return false;
}

static int file_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}
static int file_read(sqlite3_file *f, void *out, int len, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), out, len, at);
}
static int file_write(sqlite3_file *f, const void *in, int len, sqlite3_int64 at)
{
    if (takes(&fault_vfs.full_writes))
        return SQLITE_FULL;
    return real_of(f)->pMethods->xWrite(real_of(f), in, len, at);
}
static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return real_of(f)->pMethods->xTruncate(real_of(f), size);
}
static int file_sync(sqlite3_file *f, int flags)
{
    if (file_of(f)->is_log)
        atomic_fetch_add(&fault_vfs.log_syncs, 1);
    if (!takes(&fault_vfs.skip_syncs) && takes(&fault_vfs.fail_syncs))
        return SQLITE_IOERR_FSYNC;
    /* Nobody cuts the power here: what is synced for the counting need not reach the disk. */
    (void)flags;
    return SQLITE_OK;
}
static int file_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), ret);
}
static int file_lock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xLock(real_of(f), level);
}
static int file_unlock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}
static int file_reserved(sqlite3_file *f, int *ret)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), ret);
}
static int file_control(sqlite3_file *f, int op, void *argument)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, argument);
}
static int file_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}
static int file_characteristics(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_characteristics,
};

static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    (void)v;
    struct file *file = file_of(f);
    *file = (struct file){.is_log = (flags & SQLITE_OPEN_WAL) != 0, .real = (sqlite3_file *)(void *)(file + 1)};
    if (takes(&fault_vfs.fail_opens))
        return SQLITE_CANTOPEN;
    int rc = real_vfs->xOpen(real_vfs, name, file->real, flags, ret_flags);
    if (rc == SQLITE_OK)
        file->base.pMethods = &methods;
    return rc;
}

void fault_vfs_reset(void)
{
    if (!real_vfs) {
        real_vfs = sqlite3_vfs_find(NULL);
        vfs = *real_vfs;
        vfs.pNext = NULL;
        vfs.zName = FAULT_VFS_NAME;
        vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
        vfs.xOpen = vfs_open;
        (void)sqlite3_vfs_register(&vfs, 0);
    }
    atomic_store(&fault_vfs.log_syncs, 0);
    atomic_store(&fault_vfs.fail_syncs, 0);
    atomic_store(&fault_vfs.skip_syncs, 0);
    atomic_store(&fault_vfs.full_writes, 0);
    atomic_store(&fault_vfs.fail_opens, 0);
}
