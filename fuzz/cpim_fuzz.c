/* CPIM: reading; and writing the input as values and body, which must read back as what was meant. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "sip/cpim.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    struct cpim c;
    struct buf out;
    size_t fault = 0;
    int err = cpim_parse(in, &c, &fault);
    check(err == ERR_NONE ? slice_end(c.body) == slice_end(in) : err == ERR_MALFORMED && fault <= size);

    struct cpim_out message = {.from = in,
                               .to = SLICE("sip:b@h"),
                               .date_seconds = (int64_t)size,
                               .message_id = in,
                               .disposition = in,
                               .content_type = SLICE("text/plain"),
                               .body = in};
    buf_init(&out, 32 * size + 1000);
    cpim_append(&out, &message);
    check(buf_ok(&out) == (memchr(in.ptr, '>', in.len) == NULL));
    if (buf_ok(&out)) {
        check(cpim_parse(buf_slice(&out), &c, &fault) == ERR_NONE);
        check(slice_eq(c.body, in) && slice_eq(c.to, SLICE("<sip:b@h>")) && slice_is_set(c.message_id));
    }
    buf_deinit(&out);
    return 0;
}
