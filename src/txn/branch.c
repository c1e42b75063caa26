/* Writes and reads our branches. */
#include "txn/branch.h"

#define COOKIE_LEN 7

static char *write_hex(char *at, uint64_t value, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; value >>= 4)
        at[i] = "0123456789abcdef"[value & 15];
    return at + digits;
}

void branch_write(const struct branch *b, char *out)
{
    memcpy(out, "z9hG4bK", COOKIE_LEN);
    char *at = write_hex(out + COOKIE_LEN, b->worker, 2);
    at = write_hex(at, b->slot, 8);
    at = write_hex(at, b->random, 16);
    *at++ = '-';
    write_hex(at, b->loop_hash, 16);
}

static bool read_hex(const char **at, unsigned digits, uint64_t *ret)
{
    uint64_t value = 0;
    for (; digits > 0; digits--) {
        char c = *(*at)++;
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *ret = value;
    return true;
}

bool branch_parse(struct slice text, struct branch *ret)
{
    if (text.len != BRANCH_LEN || memcmp(text.ptr, "z9hG4bK", COOKIE_LEN) != 0)
        return false;
    const char *at = text.ptr + COOKIE_LEN;
    uint64_t worker = 0, slot = 0, random = 0, loop_hash = 0;
    if (!read_hex(&at, 2, &worker) || !read_hex(&at, 8, &slot) || !read_hex(&at, 16, &random) || *at++ != '-' ||
        !read_hex(&at, 16, &loop_hash))
        return false;
    *ret = (struct branch){(uint8_t)worker, (uint32_t)slot, random, loop_hash};
    return true;
}
