/* Date: a good one comes out as it went in, but for the week day (which is not compared) and a leap second. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "sip/date.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size), text;
    struct buf out;
    int64_t seconds, again;
    buf_init(&out, 64);
    if (date_parse(in, &seconds) == ERR_NONE) {
        date_append(&out, seconds);
        check(buf_ok(&out) && date_parse(buf_slice(&out), &again) == ERR_NONE && again == seconds);
        text = slice_trim(in);
        check(memcmp(text.ptr + 23, "60", 2) == 0 || slice_eq(slice_skip(text, 3), slice_skip(buf_slice(&out), 3)));
    }
    if (size >= sizeof(seconds)) { /* any number at all */
        memcpy(&seconds, data, sizeof(seconds));
        buf_reset(&out);
        date_append(&out, seconds);
        check(buf_ok(&out) && date_parse(buf_slice(&out), &again) == ERR_NONE);
    }
    buf_deinit(&out);
    return 0;
}
