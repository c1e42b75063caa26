/* Parameter lists: every one that a good list has is found by its name, and its value can be unquoted. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "sip/params.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size), rest;
    struct param param, found;
    size_t len = 0, fault = 0, count = 0;
    char text[256];
    if (params_span(in, &len, &fault) != ERR_NONE) {
        check(fault <= size);
        return 0;
    }
    check(len <= size);
    rest = slice_head(in, len);
    for (int n; (n = params_next(rest, &param)) != 0; rest = slice_skip(rest, (size_t)n)) {
        check(n > 0 && (size_t)n <= rest.len && param.name.len > 0);
        /* searching is linear, so for each of few */
        check(count++ > 32 || params_find(slice_head(in, len), param.name, &found));
        int unquoted = params_unquote(param.value, text, sizeof(text));
        check(unquoted >= 0 || unquoted == ERR_TOO_LARGE);
        check(unquoted <= (int)sizeof(text));
    }
    check(rest.len == 0);
    return 0;
}
