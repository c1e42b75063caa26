/* See admin.h. */
#include "server/admin.h"

#include "server/home.h"
#include "server/location.h"
#include "server/mailbox.h"
#include "server/registrar.h"

void admin_bindings(struct server *home, int64_t account,
                    void (*visit)(void *context, const struct binding *b, uint64_t expires_in_ms), void *context)
{
    struct account *a = home_find(home, account);
    uint64_t now_ms = clock_mono_ms(home->clock);
    if (!a)
        return;
    for (struct binding *b = NULL; (b = location_next_binding(a, b));)
        visit(context, b, b->expires_mono_ms > now_ms ? b->expires_mono_ms - now_ms : 0);
}

static const struct entry *entry_at(const struct account *a, uint32_t i)
{
    return &a->entries[a->entry_first + i];
}

void admin_mailbox(struct server *home, int64_t account, struct admin_mailbox *ret)
{
    const struct account *a = home_find(home, account);
    *ret = (struct admin_mailbox){0};
    if (!a)
        return;
    for (uint32_t i = 0; i < a->entry_count; i++) {
        if (!entry_at(a, i)->owed)
            continue;
        ret->messages++;
        ret->bytes += entry_at(a, i)->size;
    }
    for (size_t n = 1; n < STORE_DEVICES_MAX; n++)
        ret->devices += a->devices[n] != NULL;
}

size_t admin_entries(struct server *home, int64_t account, uint64_t after, struct admin_entry *out, size_t max)
{
    const struct account *a = home_find(home, account);
    size_t count = 0;
    for (uint32_t i = 0; a && i < a->entry_count && count < max; i++) {
        const struct entry *e = entry_at(a, i);
        if (e->seq <= after || !e->owed)
            continue;
        /* Without the heir's bit: that is not a device. */
        out[count++] = (struct admin_entry){e->seq, e->size, (uint32_t)__builtin_popcount(e->owed & ~1u)};
    }
    return count;
}

bool admin_remove_entry(struct server *home, int64_t account, uint64_t seq)
{
    struct account *a = home_find(home, account);
    const struct entry *e = a ? mailbox_find(a, seq) : NULL;
    if (!e)
        return false;
    uint32_t owed = e->owed; /* the entry may move with the first end */
    for (uint8_t n = 0; n < STORE_DEVICES_MAX; n++)
        if (owed & 1u << n)
            mailbox_end(a, seq, n, STORE_REMOVED, 0);
    return true;
}

bool admin_forget(struct server *home, int64_t account)
{
    struct account *a = home_find(home, account);
    if (!a)
        return true;
    if (registrar_is_busy(a)) /* its request borrows from the devices */
        return false;
    for (size_t n = 1; n < STORE_DEVICES_MAX; n++) {
        if (!a->devices[n])
            continue;
        mailbox_device_leaves(a->devices[n]);
        location_remove_device(a->devices[n]);
    }
    mailbox_forget(a);
    timer_wheel_cancel(home->wheel, &a->expiry);
    return true; /* the empty account stays: deliveries may still name it */
}
