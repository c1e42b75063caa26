/* Comparing, searching and cutting slices, and the one integer parser. No locale anywhere. */
#include "base/slice.h"

#include "base/err.h"

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (fold(a.ptr[i]) != fold(b.ptr[i]))
            return false;
    return true;
}

bool slice_starts_with(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_eq(slice_head(s, prefix.len), prefix);
}

bool slice_starts_with_nocase(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_eq_nocase(slice_head(s, prefix.len), prefix);
}

int slice_compare(struct slice a, struct slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.ptr, b.ptr, common) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

ptrdiff_t slice_find(struct slice s, char c)
{
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return at ? at - s.ptr : -1;
}

ptrdiff_t slice_find_slice(struct slice s, struct slice needle)
{
    if (needle.len == 0)
        return 0;
    if (needle.len > s.len)
        return -1;
    const char *at = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return at ? at - s.ptr : -1;
}

struct slice slice_trim(struct slice s)
{
    while (s.len && is_blank(s.ptr[0]))
        s = slice_skip(s, 1);
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct slice slice_cut(struct slice s, char c, struct slice *rest)
{
    ptrdiff_t at = slice_find(s, c);
    if (at < 0) {
        *rest = SLICE_NONE;
        return s;
    }
    *rest = slice_skip(s, (size_t)at + 1);
    return slice_head(s, (size_t)at);
}

int slice_to_u64(struct slice s, uint64_t max, uint64_t *ret)
{
    uint64_t n = 0;
    bool over = false;
    if (s.len == 0)
        return ERR_MALFORMED;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return ERR_MALFORMED;
        over = over || __builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(s.ptr[i] - '0'), &n);
    }
    if (over || n > max)
        return ERR_TOO_LARGE;
    *ret = n;
    return ERR_NONE;
}

int slice_to_u32(struct slice s, uint32_t max, uint32_t *ret)
{
    uint64_t n;
    int err = slice_to_u64(s, max, &n);
    if (err == ERR_NONE)
        *ret = (uint32_t)n;
    return err;
}

int slice_to_cstr(struct slice s, char *out, size_t out_size)
{
    if (out_size == 0)
        return ERR_TOO_LARGE;
    out[0] = '\0';
    if (s.len >= out_size)
        return ERR_TOO_LARGE;
    if (s.len)
        memcpy(out, s.ptr, s.len);
    out[s.len] = '\0';
    return ERR_NONE;
}
