/* Nonces and their counts: docs/decisions/0006-nonce.md. */
#include "server/nonce.h"

#include "support/lab.h"

#define REALM SLICE("example.com")

struct rig {
    struct clock clock;
    int64_t wall_ms;
    struct random_seeded random;
    struct hash_key hash_key;
};

static uint64_t rig_mono(struct clock *c)
{
    (void)c;
    return 0;
}

static int64_t rig_wall(struct clock *c)
{
    return CONTAINER_OF(c, struct rig, clock)->wall_ms;
}

static struct rig *rig_new(void)
{
    static struct rig rig;
    rig = (struct rig){.clock = {rig_mono, rig_wall}, .wall_ms = 1800000000000, .hash_key = {1, 2}};
    random_seeded_init(&rig.random, 7);
    return &rig;
}

static struct nonces *make(struct rig *rig, unsigned worker, unsigned workers, uint32_t max)
{
    const struct nonces_config c = {
        .key = "0123456789abcdef0123456789abcde",
        .hash_key = &rig->hash_key,
        .clock = &rig->clock,
        .random = &rig->random.base,
        .worker = worker,
        .workers = workers,
        .max = max,
    };
    struct nonces *n;
    assert_int_equal(nonces_new(&c, &n), ERR_NONE);
    rig->wall_ms++;
    return n;
}

struct nonce {
    char text[NONCE_TEXT_LEN];
};

static struct nonce fresh(struct nonces *n)
{
    struct nonce nonce;
    assert_true(nonces_make(n, REALM, nonce.text));
    return nonce;
}

static bool use(struct nonces *n, const struct nonce *nonce, uint32_t nc, uint64_t request)
{
    return nonces_use(n, REALM, slice_make(nonce->text, NONCE_TEXT_LEN), nc, request);
}

static void test_counts(void **state)
{
    static const struct {
        uint32_t nc;
        uint64_t request;
        bool passes;
    } rows[] = {
        {1, 11, true},         {1, 11, true},                         /* a retransmission */
        {1, 12, false},                                               /* a replay */
        {2, 12, true},         {4, 14, true},          {3, 13, true}, /* out of order */
        {3, 99, false},        {40, 40, true},         {9, 19, true}, /* the window's last */
        {8, 18, false},                                               /* below it */
        {4, 14, false},                                               /* even if it was that request */
        {0xFFFFFFFF, 5, true}, {0xFFFFFFFF, 6, false}, {41, 41, false}, {0xFFFFFFFE, 7, true},
    };
    struct nonces *n = make(rig_new(), 0, 1, 16);
    struct nonce nonce = fresh(n);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (use(n, &nonce, rows[i].nc, rows[i].request) != rows[i].passes)
            fail_msg("row %zu", i);
    nonces_free(n);
    nonces_free(NULL);
}

/* defects.md row 11: counts belong to their nonce. */
static void test_counts_per_nonce(void **state)
{
    struct nonces *n = make(rig_new(), 0, 1, 16);
    struct nonce a = fresh(n), b = fresh(n);
    (void)state;
    assert_memory_not_equal(a.text, b.text, NONCE_TEXT_LEN);
    assert_true(use(n, &a, 5, 1));
    assert_true(use(n, &b, 1, 2));
    assert_false(use(n, &a, 5, 2));
    nonces_free(n);
}

static void test_without_count_once(void **state)
{
    struct nonces *n = make(rig_new(), 0, 1, 16);
    struct nonce a = fresh(n);
    (void)state;
    assert_true(use(n, &a, 0, 1));
    assert_true(use(n, &a, 0, 1));
    assert_false(use(n, &a, 0, 2));
    nonces_free(n);
}

static void test_life(void **state)
{
    struct rig *rig = rig_new();
    struct nonces *n = make(rig, 0, 1, 16);
    struct nonce a = fresh(n);
    (void)state;
    rig->wall_ms += NONCE_LIFE_MS;
    assert_true(use(n, &a, 1, 1));
    rig->wall_ms += 1;
    assert_false(use(n, &a, 2, 2));
    rig->wall_ms -= NONCE_LIFE_MS + 1 + 2000; /* the clock was set back a little */
    assert_true(use(n, &a, 3, 3));
    rig->wall_ms -= 1;
    assert_false(use(n, &a, 4, 4));
    nonces_free(n);
}

static void test_forged(void **state)
{
    struct nonces *n = make(rig_new(), 0, 1, 16);
    struct nonce good = fresh(n);
    (void)state;
    for (size_t i = 0; i < NONCE_TEXT_LEN; i++) {
        struct nonce bad = good;
        bad.text[i] = bad.text[i] == '0' ? '1' : '0';
        assert_false(use(n, &bad, 1, 1));
        bad.text[i] = 'G';
        assert_false(use(n, &bad, 1, 1));
    }
    assert_false(nonces_use(n, SLICE("example.org"), slice_make(good.text, NONCE_TEXT_LEN), 1, 1));
    assert_false(nonces_use(n, REALM, slice_make(good.text, NONCE_TEXT_LEN - 1), 1, 1));
    assert_false(nonces_use(n, REALM, SLICE(""), 1, 1));
    assert_true(use(n, &good, 1, 1));
    nonces_free(n);
}

/* A restart challenges nobody anew, and what came before it cannot be used again. */
static void test_restart(void **state)
{
    struct rig *rig = rig_new();
    struct nonces *n = make(rig, 0, 1, 16);
    struct nonce a = fresh(n);
    (void)state;
    assert_true(use(n, &a, 1, 1));
    assert_true(use(n, &a, 2, 2));
    nonces_free(n);
    n = make(rig, 0, 1, 16);
    assert_true(use(n, &a, 3, 3));
    assert_false(use(n, &a, 2, 2));
    assert_false(use(n, &a, 1, 1));
    assert_true(use(n, &a, 4, 4));
    nonces_free(n);
}

/* The table forgets: what it may have held is stale; what was issued later is not. */
static void test_bounded(void **state)
{
    struct rig *rig = rig_new();
    struct nonces *n = make(rig, 0, 1, 2);
    struct nonce a[4];
    (void)state;
    for (int i = 0; i < 4; i++) {
        a[i] = fresh(n);
        rig->wall_ms++;
    }
    assert_true(use(n, &a[1], 1, 1));
    assert_true(use(n, &a[2], 1, 1));
    assert_true(use(n, &a[3], 1, 1)); /* drops a[1] */
    assert_false(use(n, &a[1], 1, 1));
    assert_false(use(n, &a[1], 2, 2));
    assert_false(use(n, &a[0], 1, 1)); /* never used, but who can tell */
    assert_true(use(n, &a[2], 2, 2));
    struct nonce later = fresh(n);
    assert_true(use(n, &later, 1, 1));
    /* Those that died of age make room without a trace. */
    rig->wall_ms += NONCE_LIFE_MS + 1;
    later = fresh(n);
    assert_true(use(n, &later, 1, 1));
    nonces_free(n);
}

/* Another worker cannot know the counts; nobody replays one request per worker. */
static void test_workers(void **state)
{
    struct rig *rig = rig_new();
    struct nonces *zero = make(rig, 0, 2, 16), *one = make(rig, 1, 2, 16);
    struct nonce a = fresh(zero), b = fresh(one);
    (void)state;
    assert_true(use(zero, &a, 1, 1));
    assert_false(use(one, &a, 1, 1));
    assert_false(use(one, &a, 2, 2));
    assert_true(use(one, &b, 1, 1));
    nonces_free(zero);
    nonces_free(one);
    /* Fewer workers after a restart: somebody still answers for each. */
    zero = make(rig, 0, 1, 16);
    assert_true(use(zero, &b, 2, 2));
    nonces_free(zero);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_counts_per_nonce),
        cmocka_unit_test(test_without_count_once),
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
