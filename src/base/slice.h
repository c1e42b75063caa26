/* Slices: a pointer and a length by value, over bytes that somebody else owns. No NUL is implied or needed.
 * ptr == NULL means absent; an empty slice that is present has a pointer and len 0. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

/* A slice over a string literal, usable in constant expressions. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
#define SLICE_INIT(literal)                                                                                            \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1                                                                                 \
    }
#define SLICE_NONE ((struct slice){NULL, 0})
/* For printf("%.*s"). */
#define SLICE_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static inline struct slice slice_make(const char *ptr, size_t len)
{
    return (struct slice){ptr, len};
}
/* Borrows a NUL-terminated string; NULL gives an absent slice. */
static inline struct slice slice_str(const char *s)
{
    return (struct slice){s, s ? strlen(s) : 0};
}
static inline struct slice slice_range(const char *begin, const char *end)
{
    return (struct slice){begin, (size_t)(end - begin)};
}
static inline bool slice_is_set(struct slice s)
{
    return s.ptr != NULL;
}
static inline bool slice_is_empty(struct slice s)
{
    return s.len == 0;
}
static inline const char *slice_end(struct slice s)
{
    return s.ptr ? s.ptr + s.len : s.ptr;
}
/* The rest of `s` after its first `n` octets; `n` at most s.len. */
static inline struct slice slice_skip(struct slice s, size_t n)
{
    return (struct slice){s.ptr + n, s.len - n};
}
static inline struct slice slice_head(struct slice s, size_t n)
{
    return (struct slice){s.ptr, n < s.len ? n : s.len};
}
static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Compares octets with ASCII letters folded; no locale. */
bool slice_eq_nocase(struct slice a, struct slice b);
bool slice_starts_with(struct slice s, struct slice prefix);
bool slice_starts_with_nocase(struct slice s, struct slice prefix);
/* Octet order, shorter first among equals: <0, 0, >0. */
int slice_compare(struct slice a, struct slice b);
/* Index of the first `c`, or -1. */
ptrdiff_t slice_find(struct slice s, char c);
/* Index of the first occurrence of `needle`, or -1. */
ptrdiff_t slice_find_slice(struct slice s, struct slice needle);
/* Without leading and trailing SP, HTAB, CR and LF. */
struct slice slice_trim(struct slice s);
/* Cuts `s` at the first `c`: returns what stands before it and moves *rest behind it; without a `c` returns all of it
 * and *rest becomes absent. */
struct slice slice_cut(struct slice s, char c, struct slice *rest);
/* The one integer parser of the house (defect rows 16, 20, 56, 61): 1*DIGIT only, no sign, no space. Returns ERR_NONE,
 * ERR_MALFORMED (empty or a non-digit) or ERR_TOO_LARGE (over `max`); *ret is untouched on failure. */
int slice_to_u64(struct slice s, uint64_t max, uint64_t *ret);
int slice_to_u32(struct slice s, uint32_t max, uint32_t *ret);
/* Copies into `out` with a NUL; ERR_TOO_LARGE when it does not fit (then `out` is ""). For libc's border only. */
int slice_to_cstr(struct slice s, char *out, size_t out_size);

#endif
