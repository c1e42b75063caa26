/* The checker: see checker.h. The first broken promise is kept. */
#include "checker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void __attribute__((format(printf, 2, 3))) fail(struct checker *c, const char *format, ...)
{
    if (c->failed)
        return;
    c->failed = true;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(c->why, sizeof c->why, format, args);
    va_end(args);
}

size_t checker_body(unsigned message, char out[64])
{
    return (size_t)snprintf(out, 64, "message %u %c and a NUL", message, 0);
}

unsigned checker_sent(struct checker *c, unsigned sender, unsigned number, unsigned account)
{
    if (c->count == CHECKER_MESSAGES)
        abort();
    c->messages[c->count] = (struct checked){.sender = sender, .number = number, .account = account};
    return c->count++;
}

void checker_answered(struct checker *c, unsigned message, uint16_t status)
{
    if (c->tells_story)
        printf("  message %u answered %u\n", message, status);
    if (status >= 200 && status < 300)
        c->messages[message].answer = status;
}

void checker_delivered(struct checker *c, unsigned device, struct slice body)
{
    char expected[64];
    for (unsigned i = 0; i < c->count; i++) {
        if (!slice_eq(body, slice_make(expected, checker_body(i, expected))))
            continue;
        struct checked *m = &c->messages[i];
        if (c->tells_story)
            printf("  message %u delivered to device %u\n", i, device);
        if (m->account != c->device_account[device])
            fail(c, "message %u came to device %u of another account", i, device);
        if (m->deliveries[device]++ == 0)
            m->first_at[device] = ++c->received[device];
        else if (!c->may_repeat)
            fail(c, "message %u came again to device %u, and nothing had broken", i, device);
        return;
    }
    fail(c, "device %u got a message that nobody sent", device);
}

/* C6: each sender awaits its answers, so its messages to an account have an order at each device. */
static void check_order(struct checker *c, unsigned device)
{
    for (unsigned i = 0; i < c->count; i++)
        for (unsigned j = i + 1; j < c->count; j++) {
            const struct checked *a = &c->messages[i], *b = &c->messages[j];
            if (a->sender != b->sender || a->account != b->account || !a->first_at[device] || !b->first_at[device])
                continue;
            if (a->first_at[device] > b->first_at[device])
                fail(c, "device %u got message %u after %u", device, i, j);
        }
}

void checker_finish(struct checker *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        const struct checked *m = &c->messages[i];
        if (!m->answer)
            fail(c, "message %u was never accepted", i);
        for (unsigned d = 0; d < c->devices; d++)
            if (c->device_account[d] == m->account && !m->deliveries[d])
                fail(c, "message %u (answered %u) never came to device %u", i, m->answer, d);
    }
    for (unsigned d = 0; d < c->devices; d++)
        check_order(c, d);
}
