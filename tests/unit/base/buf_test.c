/* Bounded buffers, arenas and packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/packet.h"

static void appends(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 4096);
    assert_int_equal(buf_slice(&b).len, 0);
    assert_non_null(buf_slice(&b).ptr);
    buf_append_str(&b, "a");
    buf_append_char(&b, '\0');
    buf_append_u64(&b, 0);
    buf_append_u64(&b, UINT64_MAX);
    buf_append_hex(&b, "\x00\xfe", 2);
    buf_printf(&b, "%s%d", "x", -5);
    assert_true(buf_ok(&b));
    assert_true(slice_eq(buf_slice(&b), SLICE("a\0"
                                              "01844674407370955161500fex-5")));
    buf_consume(&b, 2);
    assert_true(slice_starts_with(buf_slice(&b), SLICE("0184")));
    buf_consume(&b, 1000);
    assert_int_equal(b.len, 0);
    buf_printf(&b, "%0600d", 7);
    assert_int_equal(b.len, 600);
    assert_int_equal(b.ptr[599], '7');
    size_t len;
    char *taken = buf_take(&b, &len);
    assert_int_equal(len, 600);
    assert_null(b.ptr);
    assert_int_equal(b.max, 4096);
    free(taken);
    buf_append_str(&b, "again");
    assert_int_equal(b.len, 5);
    buf_deinit(&b);
}

static void refuses_over_its_maximum(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 10);
    buf_append(&b, SLICE("0123456789"));
    assert_true(buf_ok(&b));
    buf_append(&b, SLICE(""));
    assert_true(buf_ok(&b));
    buf_append_char(&b, 'x');
    assert_false(buf_ok(&b));
    buf_consume(&b, 5);
    buf_append_char(&b, 'x'); /* failure sticks even when there would be room */
    assert_false(buf_ok(&b));
    assert_true(slice_eq(buf_slice(&b), SLICE("56789")));
    buf_reset(&b);
    assert_true(buf_ok(&b));
    buf_printf(&b, "%s", "01234567890");
    assert_false(buf_ok(&b));
    buf_reset(&b);
    assert_null(buf_extend(&b, SIZE_MAX));
    buf_reset(&b);
    buf_append_hex(&b, "x", SIZE_MAX / 2 + 1);
    assert_false(buf_ok(&b));
    buf_deinit(&b);
    buf_init(&b, 600);
    buf_printf(&b, "%0600d", 1); /* vsnprintf's NUL needs room too: refused rather than cut */
    assert_false(buf_ok(&b));
    buf_deinit(&b);
}

static void arena_is_bounded(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a, 10000);
    char *first = arena_alloc(&a, 3);
    assert_non_null(first);
    assert_int_equal((uintptr_t)arena_alloc(&a, 1) % _Alignof(max_align_t), 0);
    char *large = arena_alloc(&a, 9000);
    assert_non_null(large);
    for (size_t i = 0; i < 9000; i++)
        assert_int_equal(large[i], 0);
    assert_null(arena_alloc(&a, 1000));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX - 5));
    struct slice copy = arena_copy(&a, SLICE("text"));
    assert_true(slice_eq(copy, SLICE("text")));
    assert_false(slice_is_set(arena_copy(&a, SLICE_NONE)));
    assert_true(slice_is_set(arena_copy(&a, SLICE(""))));
    arena_deinit(&a);
    arena_deinit(&a);
}

static void packets_are_counted(void **state)
{
    (void)state;
    struct packet *p = packet_copy(SLICE("hello"));
    struct packet *q = packet_ref(p);
    packet_unref(&p);
    assert_null(p);
    assert_true(slice_eq(packet_slice(q), SLICE("hello")));
    packet_unref(&q);
    packet_unref(&q);
    assert_null(packet_new((size_t)INT32_MAX + 1));
    struct packet *empty = packet_copy(SLICE_NONE);
    assert_int_equal(packet_slice(empty).len, 0);
    packet_unref(&empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends),
        cmocka_unit_test(refuses_over_its_maximum),
        cmocka_unit_test(arena_is_bounded),
        cmocka_unit_test(packets_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
