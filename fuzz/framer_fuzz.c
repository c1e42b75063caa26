/* The framer: any split of the octets gives the same frames and the same fault as all at once. Input: the first octet
 * says how the rest is split. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "sip/framer.h"

#define MAX_HEAD 2000
#define MAX_BODY 1000
#define FRAMES   64

struct result {
    size_t count;
    size_t lengths[FRAMES];
    int kinds[FRAMES];
    int end; /* ERR_NEED_MORE or a fault */
    uint16_t status;
};

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* As received: octets come `step` at a time, a little more each time. step 0: all at once. */
static struct result run(struct slice in, size_t step)
{
    struct result r = {.count = 0};
    struct framer f;
    size_t have = step == 0 ? in.len : 0, grow = step;
    framer_init(&f);
    while (r.count < FRAMES) {
        struct message_fault fault = {0};
        size_t len = 0;
        /* Exactly what is there, in memory of its own. */
        char *window = malloc(have > 0 ? have : 1);
        check(window != NULL);
        if (have > 0)
            memcpy(window, in.ptr, have);
        int kind = framer_next(&f, slice_make(window, have), MAX_HEAD, MAX_BODY, &len, &fault);
        free(window);
        if (kind >= 0) {
            check(len > 0 && len <= have);
            r.lengths[r.count] = len;
            r.kinds[r.count++] = kind;
            in = slice_skip(in, len);
            have -= len;
        } else if (kind == ERR_NEED_MORE && have < in.len) {
            have = have + grow < in.len ? have + grow : in.len;
            grow = grow * 3 / 2 + 1;
        } else {
            check(kind == ERR_NEED_MORE || fault.reason != NULL);
            r.end = kind;
            r.status = fault.status;
            return r;
        }
    }
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice in = slice_make((const char *)data + 1, size - 1);
    struct result whole = run(in, 0), split = run(in, (size_t)data[0] + 1);
    check(whole.count == split.count && whole.end == split.end && whole.status == split.status);
    for (size_t i = 0; i < whole.count; i++)
        check(whole.lengths[i] == split.lengths[i] && whole.kinds[i] == split.kinds[i]);
    return 0;
}
