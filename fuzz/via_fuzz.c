/* Via: what is read of a good value parses again, and so does the value with received and rport set. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "sip/via.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    struct address source;
    struct via via, again;
    struct buf out;
    size_t fault = 0;
    int n = via_parse(in, &via, &fault);
    if (n < 0) {
        check(n == ERR_MALFORMED && fault <= size);
        return 0;
    }
    check(n > 0 && (size_t)n <= size && via.host.len > 0 && via.transport.len > 0);
    check(via_parse(slice_head(in, (size_t)n), &again, &fault) == n);
    check(address_parse(SLICE("192.0.2.7:4444"), &source) == ERR_NONE);
    buf_init(&out, size + 1000);
    via_append_received(&out, &via, slice_head(in, (size_t)n), &source);
    check(buf_ok(&out));
    check(via_parse(buf_slice(&out), &again, &fault) == (int)out.len);
    check(slice_eq(again.branch, via.branch) && slice_eq(again.host, via.host) && again.port == via.port);
    check(again.has_rport == via.has_rport && (!via.has_rport || again.rport == 4444));
    check(!slice_is_set(again.received) || slice_eq(again.received, SLICE("192.0.2.7")));
    buf_deinit(&out);
    return 0;
}
