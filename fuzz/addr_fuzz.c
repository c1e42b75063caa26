/* Addresses: what a good value took parses alone to the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "sip/addr.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size), value;
    struct addr a, again;
    size_t fault = 0;
    int n = addr_parse(in, &a, &fault);
    if (n < 0) {
        check(n == ERR_MALFORMED && fault <= size);
        return 0;
    }
    check(n > 0 && (size_t)n <= size);
    check(a.star != (a.uri.text.len > 0));
    check(addr_parse(slice_head(in, (size_t)n), &again, &fault) == n);
    check(slice_eq(again.display, a.display) && slice_eq(again.uri.text, a.uri.text) &&
          slice_eq(again.params, a.params));
    (void)addr_param(&a, SLICE("expires"), &value);
    check(memchr("<>,\" ", addr_tag(&a).len > 0 ? addr_tag(&a).ptr[0] : 'x', 5) == NULL);
    return 0;
}
