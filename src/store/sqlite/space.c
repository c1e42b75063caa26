/* Room on the disk, and what it means for appends (C10). */
#include "store/sqlite/space.h"

#include "base/log.h"
#include "store/limits.h"

void space_init(struct space *s, const char *folder, int (*function)(const char *, struct statvfs *))
{
    *s = (struct space){.folder = folder, .statvfs = function ? function : statvfs};
    atomic_init(&s->is_full, false);
}

static void set(struct space *s, bool is_full)
{
    if (atomic_exchange(&s->is_full, is_full) == is_full)
        return;
    if (is_full)
        LOG(LOG_WARN, "store-full", LOG_FIELD("folder", slice_str(s->folder)));
    else
        LOG(LOG_INFO, "store-has-room", LOG_FIELD("folder", slice_str(s->folder)));
}

/* True while the free space is below the reserve. */
static bool is_low(struct space *s)
{
    struct statvfs v;
    /* A file system that does not say is used until it refuses. */
    if (s->statvfs(s->folder, &v) != 0)
        return false;
    uint64_t free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    uint64_t reserve = (uint64_t)v.f_blocks * v.f_frsize / 100 * STORE_LIMIT_RESERVE_PERCENT;
    if (reserve > STORE_LIMIT_RESERVE_BYTES)
        reserve = STORE_LIMIT_RESERVE_BYTES;
    return free_bytes < reserve;
}

void space_check(struct space *s, uint64_t now_ms)
{
    s->checked_at_ms = now_ms;
    set(s, now_ms < s->hit_until_ms || is_low(s));
}

void space_hit(struct space *s, uint64_t now_ms)
{
    s->hit_until_ms = now_ms + STORE_LIMIT_FULL_RECHECK_MS;
    s->checked_at_ms = now_ms;
    set(s, true);
}

bool space_is_full(struct space *s)
{
    return atomic_load_explicit(&s->is_full, memory_order_relaxed);
}
