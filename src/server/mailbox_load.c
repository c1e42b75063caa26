/* The mailbox of one account as the store tells it at the start. */
#include "server/mailbox_private.h"

#include <stdlib.h>

#include "base/err.h"
#include "server/drain.h"

#define HEIR_BIT 1u
/* A clock that was wrong at the start is right after an hour; until then nothing expires by it (C12). */
#define LOAD_GRACE_MS (3600ull * 1000)

static uint32_t bit(uint8_t device)
{
    return 1u << device;
}

int mailbox_load_exception(struct account *a, const struct store_mark *m)
{
    size_t n = a->load_exception_count;
    if ((n & (n - 1)) == 0) { /* room doubles at each power of two */
        struct store_mark *grown = realloc(a->load_exceptions, (n ? n * 2 : 1) * sizeof *grown);
        if (!grown)
            return ERR_NO_MEMORY;
        a->load_exceptions = grown;
    }
    a->load_exceptions[a->load_exception_count++] = *m;
    return ERR_NONE;
}

static int by_seq(const void *left, const void *right)
{
    const struct store_mark *a = left, *b = right;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

/* The first exception of `seq`, or of a later one. */
static size_t first_exception(const struct account *a, uint64_t seq)
{
    size_t low = 0, high = a->load_exception_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (a->load_exceptions[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t load_owed(struct account *a, uint64_t seq)
{
    if (!a->load_exceptions_sorted && a->load_exception_count)
        qsort(a->load_exceptions, a->load_exception_count, sizeof *a->load_exceptions, by_seq);
    a->load_exceptions_sorted = true;
    uint32_t owed = seq > a->heir_position ? HEIR_BIT : 0;
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++)
        if (a->devices[n] && seq > a->devices[n]->position)
            owed |= bit(n);
    for (size_t i = first_exception(a, seq); i < a->load_exception_count && a->load_exceptions[i].seq == seq; i++)
        owed = a->load_exceptions[i].state == STORE_OWED ? owed | bit(a->load_exceptions[i].device)
                                                         : owed & ~bit(a->load_exceptions[i].device);
    return owed;
}

int mailbox_load_entry(struct account *a, const struct store_entry *e, uint32_t size)
{
    return mailbox_insert(a, e->seq, load_owed(a, e->seq), size, e->expires_ms, LOAD_GRACE_MS);
}

void mailbox_free_exceptions(struct account *a)
{
    free(a->load_exceptions);
    a->load_exceptions = NULL;
    a->load_exception_count = 0;
}

void mailbox_loaded(struct account *a)
{
    mailbox_free_exceptions(a);
    for (uint8_t n = 1; n < STORE_DEVICES_MAX; n++)
        if (a->devices[n] && a->devices[n]->owed)
            drain_resume(a->devices[n]);
}
