/* Bounded records that never move. */
#include "support/rig.h"
#include "txn/slab.h"

struct record {
    struct slab_head head;
    uint64_t value;
};

static void test_bounded_and_stable(void **state)
{
    (void)state;
    enum { MAX = 150 };
    struct slab s;
    struct record *records[MAX];
    assert_int_equal(slab_init(&s, sizeof(struct record), MAX), ERR_NONE);
    for (uint32_t i = 0; i < MAX; i++) {
        records[i] = slab_take(&s);
        assert_non_null(records[i]);
        assert_int_equal(records[i]->value, 0);
        records[i]->value = i + 1;
    }
    assert_true(slab_is_full(&s));
    assert_null(slab_take(&s));
    for (uint32_t i = 0; i < MAX; i++) {
        assert_int_equal(records[i]->value, i + 1);
        assert_ptr_equal(slab_at(&s, records[i]->head.slot), records[i]);
    }
    assert_null(slab_at(&s, MAX));
    assert_null(slab_at(&s, UINT32_MAX));
    slab_deinit(&s);
}

static void test_reuse_is_zeroed_and_has_a_new_generation(void **state)
{
    (void)state;
    struct slab s;
    assert_int_equal(slab_init(&s, sizeof(struct record), 1), ERR_NONE);
    struct record *r = slab_take(&s);
    uint32_t generation = r->head.generation;
    assert_int_not_equal(generation, 0);
    r->value = 5;
    slab_give(&s, r);
    assert_null(slab_at(&s, 0));
    assert_int_equal(s.used, 0);
    struct record *again = slab_take(&s);
    assert_ptr_equal(again, r);
    assert_int_equal(again->value, 0);
    assert_int_not_equal(again->head.generation, generation);
    again->head.generation = UINT32_MAX;
    slab_give(&s, again);
    again = slab_take(&s);
    assert_int_equal(again->head.generation, 1); /* never 0 */
    slab_deinit(&s);
}

static void test_none_at_all(void **state)
{
    (void)state;
    struct slab s;
    assert_int_equal(slab_init(&s, sizeof(struct record), 0), ERR_NONE);
    assert_null(slab_take(&s));
    assert_null(slab_at(&s, 0));
    assert_true(slab_is_full(&s));
    slab_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounded_and_stable),
        cmocka_unit_test(test_reuse_is_zeroed_and_has_a_new_generation),
        cmocka_unit_test(test_none_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
