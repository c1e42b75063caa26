/* Media types: what a good value took parses alone to the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "sip/content_type.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    struct content_type t, again;
    size_t fault = 0;
    int n = content_type_parse(in, &t, &fault);
    if (n < 0) {
        check(n == ERR_MALFORMED && fault <= size);
        return 0;
    }
    check(n > 0 && (size_t)n <= size && t.type.len > 0 && t.subtype.len > 0);
    check(content_type_parse(slice_head(in, (size_t)n), &again, &fault) == n);
    check(content_type_is(&again, t.type, t.subtype) && slice_eq(again.params, t.params));
    return 0;
}
