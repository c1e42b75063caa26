/* Hash function and hash table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/random.h"
#include "base/table.h"

#define RECORDS 5000

struct record {
    struct table_node node;
    uint64_t key;
    bool in;
};

static void siphash_gives_the_papers_values(void **state)
{
    /* Key 00..0f, input 00..(n-1): SipHash paper, appendix A, and its reference vectors. */
    static const struct {
        size_t len;
        uint64_t hash;
    } cases[] = {
        {0, 0x726fdb47dd0e0e31u}, {1, 0x74f839c593dc67fdu},  {7, 0xab0200f58b01d137u},
        {8, 0x93f5f5799a932462u}, {15, 0xa129ca6149be45e5u},
    };
    const struct hash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    char in[15];
    (void)state;
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (char)i;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(hash_slice(&key, slice_make(in, cases[i].len)) == cases[i].hash);
    assert_true(hash_slice(&key, SLICE_NONE) == cases[0].hash);
}

static void folds_letters_only(void **state)
{
    const struct hash_key key = {1, 2};
    (void)state;
    for (int c = 0; c < 256; c++) {
        char given[11] = "aBcDeFgHiJ", lower[11] = "abcdefghij";
        given[3] = given[9] = (char)c;
        lower[3] = lower[9] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        assert_true(hash_slice_nocase(&key, slice_make(given, 10)) == hash_slice(&key, slice_make(lower, 10)));
    }
    assert_true(hash_mix(1, 2) != hash_mix(2, 1));
    assert_true(hash_mix(1, 2) != hash_mix(1, 3));
}

static bool equal(const struct table_node *n, const void *key)
{
    return ((const struct record *)(const void *)n)->key == *(const uint64_t *)key;
}

static void counts(struct table_node *n, void *context)
{
    (void)n;
    ++*(size_t *)context;
}

/* Against a plain array of flags; few hash values, so chains and equal hashes occur too. */
static void holds_what_was_put(void **state)
{
    struct random_seeded random;
    struct record *records = calloc(RECORDS, sizeof *records);
    struct table t;
    size_t in = 0;
    (void)state;
    random_seeded_init(&random, 42);
    assert_int_equal(table_init(&t, RECORDS - 100), ERR_NONE);
    for (int step = 0; step < 60000; step++) {
        uint64_t i = random_below(&random.base, RECORDS);
        struct record *r = &records[i];
        uint64_t hash = hash_mix(7, i / 3);
        r->key = i;
        if (r->in && step % 3 == 0) {
            table_remove(&t, &r->node);
            r->in = false;
            in--;
        } else if (!r->in) {
            int err = table_insert(&t, &r->node, hash);
            assert_int_equal(err, in == t.max ? ERR_FULL : ERR_NONE);
            r->in = err == ERR_NONE;
            in += r->in;
        }
        uint64_t other = random_below(&random.base, RECORDS);
        struct table_node *found = table_find(&t, hash_mix(7, other / 3), equal, &other);
        assert_ptr_equal(found, records[other].in ? &records[other].node : NULL);
        assert_int_equal(t.count, in);
    }
    size_t seen = 0;
    table_each(&t, counts, &seen);
    assert_int_equal(seen, in);
    table_deinit(&t);
    assert_null(table_find(&t, 1, equal, &(uint64_t){1}));
    assert_int_equal(table_insert(&t, &records[0].node, 1), ERR_NO_MEMORY);
    free(records);
}

static void remove_and_free(struct table_node *n, void *context)
{
    table_remove(context, n);
    free(n);
}

static void each_may_remove(void **state)
{
    struct table t;
    (void)state;
    assert_int_equal(table_init(&t, 100), ERR_NONE);
    for (uint64_t i = 0; i < 100; i++) { /* stops amid a growth */
        struct record *r = calloc(1, sizeof *r);
        assert_int_equal(table_insert(&t, &r->node, hash_mix(1, i)), ERR_NONE);
    }
    table_each(&t, remove_and_free, &t);
    assert_int_equal(t.count, 0);
    table_deinit(&t);
}

static void lists_link(void **state)
{
    struct list a, b;
    struct list_node n[3];
    (void)state;
    list_init(&a);
    list_init(&b);
    for (int i = 0; i < 3; i++)
        list_node_init(&n[i]);
    assert_null(list_pop_front(&a));
    list_remove(&n[0]);
    list_push_back(&a, &n[1]);
    list_push_front(&a, &n[0]);
    list_push_back(&b, &n[2]);
    list_splice(&a, &b);
    list_splice(&a, &b);
    assert_true(list_is_empty(&b));
    int i = 0;
    LIST_EACH (at, &a) {
        assert_ptr_equal(at, &n[i++]);
        list_remove(at);
    }
    assert_int_equal(i, 3);
    assert_true(list_is_empty(&a));
    assert_false(list_is_linked(&n[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_gives_the_papers_values),
        cmocka_unit_test(folds_letters_only),
        cmocka_unit_test(holds_what_was_put),
        cmocka_unit_test(each_may_remove),
        cmocka_unit_test(lists_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
