/* URIs: a good one equals itself, and its address-of-record is its own address-of-record. Input: one URI, or two with a
 * line feed between them, which are compared both ways. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "sip/uri.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_aor(const struct uri *uri)
{
    struct buf first, second;
    struct uri again;
    size_t fault;
    buf_init(&first, 1U << 22);
    buf_init(&second, 1U << 22);
    if (uri_append_aor(&first, uri) == ERR_NONE) {
        check(buf_ok(&first));
        check(uri_parse(buf_slice(&first), &again, &fault) == ERR_NONE);
        check(uri_append_aor(&second, &again) == ERR_NONE);
        check(slice_eq(buf_slice(&first), buf_slice(&second)));
    }
    buf_deinit(&first);
    buf_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice second, first = slice_cut(slice_make((const char *)data, size), '\n', &second);
    struct uri a, b;
    struct slice value;
    size_t fault = 0;
    if (uri_parse(first, &a, &fault) != ERR_NONE) {
        check(fault <= first.len);
        return 0;
    }
    check(a.scheme == URI_TEL || a.scheme == URI_OTHER || a.host.len > 0);
    (void)uri_param(&a, SLICE("transport"), &value);
    check_aor(&a);
    if (slice_is_set(second) && uri_parse(second, &b, &fault) == ERR_NONE)
        check(uri_eq(&a, &b) == uri_eq(&b, &a));
    if (a.params.len + a.headers.len < 100)
        check(uri_eq(&a, &a));
    return 0;
}
