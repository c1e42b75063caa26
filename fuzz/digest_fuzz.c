/* Digest values: parse, write, parse gives the same; a response can be computed of whatever was read. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "sip/digest.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

static bool has_control(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\r' || s.ptr[i] == '\n' || s.ptr[i] == '\0')
            return true;
    }
    return false;
}

static void check_credentials(struct slice in, struct buf *out)
{
    struct digest_credentials c, again;
    struct digest_hash ha1, response;
    int err = digest_parse_credentials(in, &c);
    if (err != ERR_NONE) {
        check(err == ERR_MALFORMED || err == ERR_UNSUPPORTED);
        return;
    }
    check(digest_ha1(c.algorithm, c.username, c.realm, SLICE("secret"), &ha1) == ERR_NONE);
    check(digest_response(&ha1, &c, SLICE("MESSAGE"), in, &response) == ERR_NONE);
    check(!digest_hash_eq(&response, slice_head(c.response, 31)));
    buf_reset(out);
    digest_append_credentials(out, &c);
    check(buf_ok(out) || has_control(in));
    if (!buf_ok(out))
        return;
    check(digest_parse_credentials(buf_slice(out), &again) == ERR_NONE);
    check(again.nc == c.nc && again.qop == c.qop && again.algorithm == c.algorithm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    struct digest_challenge c, again;
    struct buf out;
    buf_init(&out, 4 * size + 1000);
    check_credentials(in, &out);
    int err = digest_parse_challenge(in, &c);
    check(err == ERR_NONE || err == ERR_MALFORMED || err == ERR_UNSUPPORTED);
    if (err == ERR_NONE) {
        buf_reset(&out);
        digest_append_challenge(&out, &c);
        check(buf_ok(&out) || has_control(in));
        if (buf_ok(&out)) {
            check(digest_parse_challenge(buf_slice(&out), &again) == ERR_NONE);
            check(again.stale == c.stale && again.qop_auth == c.qop_auth && again.qop_auth_int == c.qop_auth_int);
        }
    }
    buf_deinit(&out);
    return 0;
}
