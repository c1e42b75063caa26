/* The growable buffer: doubles up to its maximum; a failure sticks until reset. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST_SIZE 256 /* a short header block; smaller would only mean one more realloc */

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_deinit(struct buf *b)
{
    free(b->ptr);
    buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

static bool grow(struct buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : BUF_FIRST_SIZE;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->max)
        cap = b->max; /* need is at most max: the caller checked */
    char *ptr = realloc(b->ptr, cap);
    if (!ptr)
        return false;
    b->ptr = ptr;
    b->cap = cap;
    return true;
}

char *buf_extend(struct buf *b, size_t len)
{
    if (b->failed)
        return NULL;
    if (len > b->max - b->len) {
        b->failed = true;
        return NULL;
    }
    size_t need = b->len + len;
    /* The first extension allocates even for no octets, so that success is never NULL. */
    if ((need > b->cap || !b->ptr) && !grow(b, need ? need : 1)) {
        b->failed = true;
        return NULL;
    }
    char *at = b->ptr + b->len;
    b->len = need;
    return at;
}

void buf_append(struct buf *b, struct slice s)
{
    if (s.len == 0)
        return;
    char *at = buf_extend(b, s.len);
    if (at)
        memcpy(at, s.ptr, s.len);
}

void buf_append_str(struct buf *b, const char *s)
{
    buf_append(b, slice_str(s));
}

void buf_append_char(struct buf *b, char c)
{
    buf_append(b, slice_make(&c, 1));
}

void buf_append_u64(struct buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    buf_append(b, slice_make(digits + at, sizeof digits - at));
}

void buf_append_hex(struct buf *b, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = bytes;
    if (len > SIZE_MAX / 2) {
        b->failed = true;
        return;
    }
    char *at = buf_extend(b, len * 2);
    for (size_t i = 0; at && i < len; i++) {
        *at++ = digits[in[i] >> 4];
        *at++ = digits[in[i] & 15];
    }
}

void buf_printf(struct buf *b, const char *format, ...)
{
    char text[512];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0) {
        b->failed = true;
    } else if ((size_t)len < sizeof text) {
        buf_append(b, slice_make(text, (size_t)len));
    } else {
        /* vsnprintf writes a NUL too: take one octet more and give it back. */
        char *at = buf_extend(b, (size_t)len + 1);
        if (at) {
            vsnprintf(at, (size_t)len + 1, format, again);
            b->len--;
        }
    }
    va_end(again);
}

void buf_consume(struct buf *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
        return;
    }
    if (n == 0)
        return;
    memmove(b->ptr, b->ptr + n, b->len - n);
    b->len -= n;
}

char *buf_take(struct buf *b, size_t *ret_len)
{
    char *ptr = b->ptr;
    *ret_len = b->len;
    buf_init(b, b->max);
    return ptr;
}
