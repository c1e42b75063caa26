/* The accounts in memory: digest material, settings, readers beside a writer. */
#include "server/accounts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "support/lab.h"

static const struct hash_key key = {5, 6};

static struct accounts *make(void)
{
    struct accounts *a;
    assert_int_equal(accounts_new(&key, &a), ERR_NONE);
    return a;
}

static int put(struct accounts *a, int64_t id, const char *aor, const char *name, const char *extra)
{
    struct store_account account = {
        .id = id, .aor = slice_str(aor), .name = slice_str(name), .extra = slice_str(extra)};
    return accounts_put(a, &account);
}

static void test_find(void **state)
{
    struct accounts *a = make();
    struct account_identity found;
    int64_t id;
    (void)state;
    assert_int_equal(put(a, 1, "sip:alice@example.com", "Alice", ""), ERR_NONE);
    assert_int_equal(put(a, 2, "sip:bob@example.com", "", ""), ERR_NONE);
    assert_int_equal(accounts_count(a), 2);
    assert_true(accounts_find(a, SLICE("sip:alice@example.com"), &found));
    assert_int_equal(found.id, 1);
    assert_string_equal(found.name, "Alice");
    assert_false(accounts_find(a, SLICE("sip:Alice@example.com"), &found));
    assert_false(accounts_find(a, SLICE("sip:alice@example.co"), &found));
    assert_false(accounts_find(a, SLICE(""), &found));
    /* Replaced, not twice there. */
    assert_int_equal(put(a, 1, "sip:alice@example.com", "Alicia", ""), ERR_NONE);
    assert_int_equal(accounts_count(a), 2);
    assert_true(accounts_find(a, SLICE("sip:alice@example.com"), &found));
    assert_string_equal(found.name, "Alicia");
    accounts_remove(a, SLICE("sip:alice@example.com"));
    accounts_remove(a, SLICE("sip:nobody@example.com"));
    assert_int_equal(accounts_count(a), 1);
    assert_false(accounts_id(a, SLICE("sip:alice@example.com"), &id));
    assert_true(accounts_id(a, SLICE("sip:bob@example.com"), &id));
    assert_int_equal(id, 2);
    accounts_free(a);
    accounts_free(NULL);
}

static void test_name_is_cut_at_a_character(void **state)
{
    struct accounts *a = make();
    struct account_identity found;
    char name[80];
    (void)state;
    memset(name, 'a', 62);
    memcpy(name + 62, "\xc3\xa9tail", 7); /* the two octets of é would be split at 63 */
    assert_int_equal(put(a, 1, "sip:a@x", name, ""), ERR_NONE);
    assert_true(accounts_find(a, SLICE("sip:a@x"), &found));
    assert_int_equal(strlen(found.name), 62);
    accounts_free(a);
}

static void test_extra(void **state)
{
    static const struct {
        const char *extra;
        int result;
        unsigned count;
        enum digest_algorithm first;
    } rows[] = {
        {"", ERR_NONE, 0, DIGEST_MD5},
        {"digest=sha-256", ERR_NONE, 1, DIGEST_SHA256},
        {"digest=sha-256,md5", ERR_NONE, 2, DIGEST_SHA256},
        {"color=blue digest=MD5 x=", ERR_NONE, 1, DIGEST_MD5},
        {"  digest=md5  ", ERR_NONE, 1, DIGEST_MD5},
        {"digest=sha-1", ERR_MALFORMED, 0, DIGEST_MD5},
        {"digest=", ERR_MALFORMED, 0, DIGEST_MD5},
        {"digest=md5,", ERR_MALFORMED, 0, DIGEST_MD5},
        {"digest", ERR_MALFORMED, 0, DIGEST_MD5},
        {"digest=md5,md5,md5,md5", ERR_MALFORMED, 0, DIGEST_MD5},
        {"{\"digest\":[\"md5\"]}", ERR_MALFORMED, 0, DIGEST_MD5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct accounts *a = make();
        struct account_identity found;
        if (put(a, 1, "sip:a@x", "", rows[i].extra) != rows[i].result)
            fail_msg("%s", rows[i].extra);
        if (rows[i].result == ERR_NONE) {
            assert_true(accounts_find(a, SLICE("sip:a@x"), &found));
            assert_int_equal(found.digest_count, rows[i].count);
            if (rows[i].count)
                assert_int_equal(found.digest[0], rows[i].first);
        } else {
            assert_int_equal(accounts_count(a), 0);
        }
        accounts_free(a);
    }
}

static void test_credentials(void **state)
{
    struct store_credentials c;
    struct digest_hash expected;
    (void)state;
    assert_int_equal(accounts_make_credentials(SLICE("sip:alice@example.com"), SLICE("secret"), &c), ERR_NONE);
    assert_int_equal(digest_ha1(DIGEST_MD5, SLICE("alice"), SLICE("example.com"), SLICE("secret"), &expected),
                     ERR_NONE);
    assert_memory_equal(c.md5[0], expected.hex, 32);
    assert_int_equal(
        digest_ha1(DIGEST_SHA512_256, SLICE("alice@example.com"), SLICE("example.com"), SLICE("secret"), &expected),
        ERR_NONE);
    assert_memory_equal(c.sha512_256[1], expected.hex, 64);
    assert_int_equal(strlen(c.sha256[0]), 64);
    /* The user as it is spoken. */
    assert_int_equal(accounts_make_credentials(SLICE("sip:a%20b@example.com"), SLICE("s"), &c), ERR_NONE);
    assert_int_equal(digest_ha1(DIGEST_MD5, SLICE("a b"), SLICE("example.com"), SLICE("s"), &expected), ERR_NONE);
    assert_memory_equal(c.md5[0], expected.hex, 32);

    static const char *const bad[] = {"", "alice", "sip:example.com", "tel:+1", "sips:a@example.com", "sip:a b@x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(accounts_make_credentials(slice_str(bad[i]), SLICE("s"), &c), ERR_MALFORMED);
}

struct sharing {
    struct accounts *a;
    atomic_bool stop;
};

/* A reader sees an account whole or not at all: id and name belong together. */
static void *read_on(void *context)
{
    struct sharing *s = context;
    struct account_identity found;
    char name[24];
    size_t torn = 0;
    while (!atomic_load(&s->stop)) {
        if (!accounts_find(s->a, SLICE("sip:x@example.com"), &found))
            continue;
        (void)snprintf(name, sizeof name, "%lld", (long long)found.id);
        torn += strcmp(name, found.name) != 0;
    }
    return torn ? s : NULL;
}

static void test_readers_beside_a_writer(void **state)
{
    struct sharing s = {.a = make()};
    pthread_t reader;
    void *torn;
    char text[40];
    (void)state;
    assert_int_equal(pthread_create(&reader, NULL, read_on, &s), 0);
    for (int i = 1; i < 3000; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        assert_int_equal(put(s.a, i, "sip:x@example.com", text, ""), ERR_NONE);
        if (i % 7 == 0)
            accounts_remove(s.a, SLICE("sip:x@example.com"));
        (void)snprintf(text, sizeof text, "sip:u%d@example.com", i);
        assert_int_equal(put(s.a, i, text, "", ""), ERR_NONE);
    }
    atomic_store(&s.stop, true);
    assert_int_equal(pthread_join(reader, &torn), 0);
    assert_null(torn);
    accounts_free(s.a);
}

static void count_one(void *context, int64_t id, struct slice aor, struct slice name)
{
    (void)name;
    assert_true(slice_starts_with(aor, SLICE("sip:u")));
    *(int64_t *)context += id;
}

static void test_each(void **state)
{
    struct accounts *a = make();
    char aor[40];
    int64_t sum = 0;
    (void)state;
    for (int i = 1; i <= 1000; i++) {
        (void)snprintf(aor, sizeof aor, "sip:u%d@example.com", i);
        assert_int_equal(put(a, i, aor, "", ""), ERR_NONE);
    }
    accounts_each(a, count_one, &sum);
    assert_int_equal(sum, 500500);
    accounts_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),  cmocka_unit_test(test_name_is_cut_at_a_character),
        cmocka_unit_test(test_extra), cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_each),  cmocka_unit_test(test_readers_beside_a_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
