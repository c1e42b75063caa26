/* One table for reading and printing every limit: see config_limits.h. */
#include "daemon/config_limits.h"

#include "base/err.h"
#include "daemon/config.h"

struct limit {
    const char *name;
    size_t offset;
    bool is_wide;
};

#define LIMIT(field)                                                                                                   \
    {                                                                                                                  \
#field, offsetof(struct server_limits, field), sizeof(((struct server_limits *)0)->field) == 8                 \
    }

static const struct limit limits[] = {
    LIMIT(mailbox_messages),   LIMIT(mailbox_bytes),     LIMIT(copy_messages),      LIMIT(bindings_per_account),
    LIMIT(message_bytes),      LIMIT(message_life_s),    LIMIT(message_life_max_s), LIMIT(register_min_s),
    LIMIT(register_default_s), LIMIT(register_max_s),    LIMIT(device_days),        LIMIT(sender_per_minute),
    LIMIT(sender_burst),       LIMIT(source_per_second), LIMIT(source_burst),       LIMIT(deciding_max),
    LIMIT(duplicates_max),
};

static int read_limit(struct reader *r, const struct place *at, struct slice key, void *into)
{
    uint64_t n;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (!slice_eq(key, slice_str(limits[i].name)))
            continue;
        char *field = (char *)into + limits[i].offset;
        int err = reader_number(r, at, 1, limits[i].is_wide ? INT64_MAX : INT32_MAX, &n);
        if (err != ERR_NONE)
            return err;
        if (limits[i].is_wide)
            memcpy(field, &n, sizeof n);
        else
            *(uint32_t *)(void *)field = (uint32_t)n;
        return ERR_NONE;
    }
    return reader_fail(r, at, "unknown limit; telexd --print-config shows all");
}

int config_limits_read(struct reader *r, const struct place *at, void *into)
{
    return reader_pairs(r, at, read_limit, &((struct config *)into)->server.limits);
}

void config_limits_print(const struct server_limits *from, struct buf *out)
{
    buf_append_str(out, "limits:\n");
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const char *field = (const char *)from + limits[i].offset;
        uint64_t n = limits[i].is_wide ? *(const uint64_t *)(const void *)field
                                       : *(const uint32_t *)(const void *)field;
        buf_printf(out, "  %s: %llu\n", limits[i].name, (unsigned long long)n);
    }
}
