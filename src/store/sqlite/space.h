/* Room on the disk, and what it means for appends (C10). */
#ifndef STORE_SQLITE_SPACE_H
#define STORE_SQLITE_SPACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/statvfs.h>

struct space {
    const char *folder; /* borrowed */
    int (*statvfs)(const char *path, struct statvfs *out);
    atomic_bool is_full;    /* read by any thread */
    uint64_t hit_until_ms;  /* SQLITE_FULL was returned: full until then, whatever the file system says */
    uint64_t checked_at_ms; /* monotonic */
};

/* `function` as statvfs(3); NULL: that one. */
void space_init(struct space *s, const char *folder, int (*function)(const char *, struct statvfs *));
/* Looks again. */
void space_check(struct space *s, uint64_t now_ms);
/* The disk was full in the middle of something. */
void space_hit(struct space *s, uint64_t now_ms);
bool space_is_full(struct space *s);

#endif
