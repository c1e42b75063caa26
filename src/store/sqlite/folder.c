/* The data folder: made for its owner alone, and held by one telexd at a time. */
#include "store/sqlite/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

/* A path that SQLite and the kernel take. */
#define PATH_LEN_MAX 4000

struct folder {
    char *path, *database;
    int lock_fd;
};

static int failed(const char *what, const char *path)
{
    char reason[128];
    int number = errno;
    LOG(LOG_ERROR, what, LOG_FIELD("path", slice_str(path)),
        LOG_FIELD("reason", slice_str(strerror_r(number, reason, sizeof reason))));
    return number == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}

/* "dir" and "name" as one path, to be freed; NULL without memory or over the maximum. */
static char *join(const char *dir, const char *name)
{
    struct buf b;
    buf_init(&b, PATH_LEN_MAX);
    buf_append_str(&b, dir);
    buf_append_str(&b, name);
    buf_append_char(&b, '\0');
    if (!buf_ok(&b)) {
        buf_deinit(&b);
        return NULL;
    }
    size_t len;
    return buf_take(&b, &len);
}

/* A folder that was just made must survive a power cut as well as what is in it (C8). */
static void sync_parent(const char *dir)
{
    char *parent = join(dir, "/..");
    int fd = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
    free(parent);
}

static int lock(struct folder *f)
{
    char *path = join(f->path, "/telexd.lock");
    if (!path)
        return ERR_NO_MEMORY;
    int err = ERR_NONE;
    f->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->lock_fd < 0)
        err = failed("lock-failed", path);
    else if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0)
        err = errno == EWOULDBLOCK ? ERR_EXISTS : failed("lock-failed", path);
    free(path);
    return err;
}

/* SQLite would make it readable for all; its log takes over the mode of the file. */
static int make_database(struct folder *f)
{
    int fd = open(f->database, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed("database-open-failed", f->database);
    (void)close(fd);
    return ERR_NONE;
}

int folder_open(const char *dir, struct folder **ret_folder)
{
    if (mkdir(dir, 0700) == 0)
        sync_parent(dir);
    else if (errno != EEXIST)
        return failed("data-folder-failed", dir);
    struct folder *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NO_MEMORY;
    f->lock_fd = -1;
    f->path = join(dir, "");
    f->database = join(dir, "/telex.db");
    int err = f->path && f->database ? lock(f) : ERR_NO_MEMORY;
    if (err == ERR_NONE)
        err = make_database(f);
    if (err != ERR_NONE) {
        folder_close(f);
        return err;
    }
    *ret_folder = f;
    return ERR_NONE;
}

const char *folder_path(const struct folder *f)
{
    return f->path;
}

const char *folder_database(const struct folder *f)
{
    return f->database;
}

void folder_close(struct folder *f)
{
    if (!f)
        return;
    if (f->lock_fd >= 0)
        (void)close(f->lock_fd); /* the lock goes with it */
    free(f->path);
    free(f->database);
    free(f);
}
