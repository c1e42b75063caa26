/* A growable byte buffer that cannot be made without a maximum (curl's dynbuf idea). Failure is sticky: after an append
 * that went over the maximum or found no memory, every later append is refused and buf_ok says false, so a builder
 * checks once, at its end, and never sends a truncated text (defect row 24). Owns its memory. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

struct buf {
    char *ptr;
    size_t len, cap, max;
    bool failed;
};

void buf_init(struct buf *b, size_t max);
/* Frees the memory; the buffer may be used again with the same maximum. */
void buf_deinit(struct buf *b);
/* Empties it and clears a failure; keeps the memory. */
void buf_reset(struct buf *b);
static inline bool buf_ok(const struct buf *b)
{
    return !b->failed;
}
static inline struct slice buf_slice(const struct buf *b)
{
    return slice_make(b->ptr ? b->ptr : "", b->len);
}
void buf_append(struct buf *b, struct slice s);
void buf_append_str(struct buf *b, const char *s);
void buf_append_char(struct buf *b, char c);
void buf_append_u64(struct buf *b, uint64_t n);
/* Lower-case hexadecimal, two digits an octet. */
void buf_append_hex(struct buf *b, const void *bytes, size_t len);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for `len` more octets at the returned pointer, counted as used; NULL on failure. */
char *buf_extend(struct buf *b, size_t len);
/* Drops the first `n` octets and moves the rest to the front. */
void buf_consume(struct buf *b, size_t n);
/* Hands the memory to the caller, who frees it; the buffer is empty afterwards. */
char *buf_take(struct buf *b, size_t *ret_len);

#endif
