/* The SQLite driver's batches when something fails: C1, C9, C10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "base/err.h"
#include "store/limits.h"
#include "store/sqlite/schema.h"
#include "support/fault_vfs.h"
#include "support/harness.h"
#include "support/lab.h"

static struct lab lab;

static int setup(void **state)
{
    (void)state;
    lab_init(&lab);
    lab_open(&lab);
    return 0;
}
static int setup_closed(void **state)
{
    (void)state;
    lab_init(&lab);
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    lab_deinit(&lab);
    return 0;
}

/* Runs SQL on the file while no batch has it open. */
static int sql(const char *text)
{
    sqlite3 *db;
    int rc = sqlite3_open(lab.path, &db);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, text, NULL, NULL, NULL);
    (void)sqlite3_close(db);
    return rc;
}

static off_t file_size(const char *suffix)
{
    char path[128];
    struct stat s;
    (void)snprintf(path, sizeof path, "%s%s", lab.path, suffix);
    assert_int_equal(stat(path, &s), 0);
    return s.st_size;
}

static struct store_request make_read(int64_t account, uint64_t seq)
{
    return (struct store_request){.op = STORE_READ, .account = account, .read = {.seqs = {seq}, .count = 1}};
}

static void one_batch_is_one_sync(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    struct store_request r[STORE_LIMIT_BATCH];
    for (size_t i = 0; i < STORE_LIMIT_BATCH; i++)
        r[i] = harness_append(a, "x", NULL, 0);
    int before = atomic_load(&fault_vfs.log_syncs);
    lab_apply(&lab, r, STORE_LIMIT_BATCH);
    assert_int_equal(atomic_load(&fault_vfs.log_syncs), before + 1);
    for (size_t i = 0; i < STORE_LIMIT_BATCH; i++)
        assert_int_equal(r[i].result, ERR_NONE);
    struct store_request read = make_read(a, 1);
    assert_int_equal(lab_do(&lab, &read), ERR_NONE);
    packet_unref(&read.read.rows[0].bytes);
    assert_int_equal(atomic_load(&fault_vfs.log_syncs), before + 1); /* reading syncs nothing */
}

/* C9: all of the batch fail, the file is opened anew, what was refused is not there, later commits last. */
static void a_failed_sync_fails_all_and_heals(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    struct store_request good = harness_append(a, "good", NULL, 0);
    assert_int_equal(lab_do(&lab, &good), ERR_NONE);
    struct store_mark heir = {.device = 0, .state = STORE_DELIVERED, .advance = true};
    struct store_request r[] = {harness_append(a, "lost", &heir, 1), make_read(a, good.append.entry.seq),
                                harness_append(a, "lost too", NULL, 0)};
    atomic_store(&fault_vfs.fail_syncs, 1);
    lab_apply(&lab, r, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(r[i].result, ERR_IO);
    assert_int_equal(r[1].read.ret_count, 0); /* what was read was given back */
    /* Nothing is tried on a file that was given up, whatever it is. */
    struct store_request read = make_read(a, good.append.entry.seq);
    assert_int_equal(lab_do(&lab, &read), ERR_IO);
    assert_int_equal(batch_load(lab.batch, NULL, NULL), ERR_IO);
    lab_maintain(&lab, false);
    assert_int_equal(lab_count(&lab, "entry"), 1);
    struct store_request later = harness_append(a, "later", NULL, 0);
    assert_int_equal(lab_do(&lab, &later), ERR_NONE);
    /* The mark of the refused entry may have moved the position, so its number is not given again. */
    assert_true(later.append.entry.seq > good.append.entry.seq + 2);
    lab_restart(&lab);
    assert_int_equal(lab_count(&lab, "entry"), 2);
    struct store_request last = harness_append(a, "last", NULL, 0);
    assert_int_equal(lab_do(&lab, &last), ERR_NONE);
    assert_true(last.append.entry.seq > later.append.entry.seq);
}

/* The process dies between the failed sync and the reopening: what the log holds counts as accepted (C9), and numbers
 * go on behind it. */
static void a_death_after_a_failed_sync_loses_nothing_committed(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    struct store_request good = harness_append(a, "good", NULL, 0), bad = harness_append(a, "bad", NULL, 0);
    assert_int_equal(lab_do(&lab, &good), ERR_NONE);
    atomic_store(&fault_vfs.fail_syncs, 1);
    assert_int_equal(lab_do(&lab, &bad), ERR_IO);
    lab_restart(&lab);
    assert_int_equal(lab_count(&lab, "entry"), 2);
    assert_int_equal(lab_do(&lab, &good), ERR_NONE);
    assert_true(good.append.entry.seq >= 3);
}

/* C9: no new commit until a full checkpoint has succeeded, and tries grow rarer. */
static void nothing_is_committed_until_the_log_was_carried_over(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    struct store_request r = harness_append(a, "x", NULL, 0);
    atomic_store(&fault_vfs.fail_syncs, 1000);
    assert_int_equal(lab_do(&lab, &r), ERR_IO);
    uint64_t last_wait = 0;
    for (int i = 0; i < 12; i++) {
        uint64_t wait = batch_maintain(lab.batch, true);
        assert_true(wait > 0 && wait >= last_wait && wait <= STORE_LIMIT_REOPEN_MAX_MS);
        last_wait = wait;
        assert_int_equal(lab_do(&lab, &r), ERR_IO);
        int tries = atomic_load(&fault_vfs.fail_syncs);
        assert_int_equal(batch_maintain(lab.batch, true), wait); /* not before its time */
        assert_int_equal(atomic_load(&fault_vfs.fail_syncs), tries);
        lab_pass(&lab, wait);
    }
    assert_int_equal(last_wait, STORE_LIMIT_REOPEN_MAX_MS);
    atomic_store(&fault_vfs.fail_syncs, 0);
    lab_maintain(&lab, true);
    assert_int_equal(lab_do(&lab, &r), ERR_NONE);
}

/* The log of a failed sync may have a hole on the disk: it is begun anew. */
static void the_log_of_a_failed_sync_is_not_continued(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    struct store_mark m = {.seq = 1, .device = 0, .state = STORE_DELIVERED, .advance = true};
    struct store_request r = {.op = STORE_MARK, .account = a, .mark = {.marks = &m, .mark_count = 1}};
    atomic_store(&fault_vfs.fail_syncs, 1);
    assert_int_equal(lab_do(&lab, &r), ERR_IO);
    assert_true(file_size("-wal") > 0);
    lab_maintain(&lab, false);
    assert_int_equal(file_size("-wal"), 0);
    assert_int_equal(lab_do(&lab, &r), ERR_NONE);
}

static void a_file_that_cannot_be_opened_again_heals_too(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    struct store_request r = harness_append(a, "x", NULL, 0);
    atomic_store(&fault_vfs.fail_syncs, 1);
    atomic_store(&fault_vfs.fail_opens, 1);
    assert_int_equal(lab_do(&lab, &r), ERR_IO);
    uint64_t wait = batch_maintain(lab.batch, true);
    assert_int_equal(wait, STORE_LIMIT_REOPEN_FIRST_MS);
    lab_pass(&lab, wait);
    lab_maintain(&lab, true);
    assert_int_equal(lab_do(&lab, &r), ERR_NONE);
}

/* Writes until the log is over `pages` long. */
static void fill_log(int64_t account, size_t pages)
{
    char *body = calloc(1, 60001);
    memset(body, 'x', 60000);
    for (size_t i = 0; i * 15 < pages + 30; i++) {
        struct store_request r = harness_append(account, body, NULL, 0);
        assert_int_equal(lab_do(&lab, &r), ERR_NONE);
    }
    free(body);
}

static void the_log_is_carried_over_earlier_when_idle(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    off_t empty = file_size("");
    fill_log(a, STORE_LIMIT_LOG_PAGES_IDLE);
    assert_int_equal(file_size(""), empty); /* not by itself */
    (void)batch_maintain(lab.batch, false);
    assert_int_equal(file_size(""), empty);
    (void)batch_maintain(lab.batch, true);
    assert_true(file_size("") > empty);
    off_t before = file_size("");
    fill_log(a, STORE_LIMIT_LOG_PAGES_BUSY);
    (void)batch_maintain(lab.batch, false);
    assert_true(file_size("") > before);
    /* The log begins anew instead of growing. */
    off_t log = file_size("-wal");
    fill_log(a, 100);
    assert_int_equal(file_size("-wal"), log);
}

static void a_failed_checkpoint_counts_as_a_failed_sync(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    fill_log(a, STORE_LIMIT_LOG_PAGES_IDLE);
    size_t entries = lab_count(&lab, "entry");
    atomic_store(&fault_vfs.fail_syncs, 2); /* the checkpoint's, and the first reopening's */
    assert_int_equal(batch_maintain(lab.batch, true), 0);
    struct store_request r = harness_append(a, "x", NULL, 0);
    assert_int_equal(lab_do(&lab, &r), ERR_IO);
    lab_pass(&lab, batch_maintain(lab.batch, true));
    assert_int_equal(lab_do(&lab, &r), ERR_IO);
    lab_maintain(&lab, true);
    assert_int_equal(lab_do(&lab, &r), ERR_NONE);
    assert_int_equal(lab_count(&lab, "entry"), entries + 1);
}

static void one_bad_request_fails_alone(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    struct store_device bad = {.number = 200}; /* refused by the table */
    struct store_request r[] = {harness_append(a, "one", NULL, 0),
                                make_read(a, 1),
                                {.op = STORE_REGISTER, .account = a, .reg = {.devices = &bad, .device_count = 1}},
                                {.op = STORE_MARK, .account = 77},
                                harness_append(a, "two", NULL, 0)};
    static const int want[] = {ERR_NONE, ERR_NONE, ERR_IO, ERR_NOT_FOUND, ERR_NONE};
    lab_apply(&lab, r, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(r[i].result, want[i]);
    for (size_t i = 0; i < r[1].read.ret_count; i++)
        packet_unref(&r[1].read.rows[i].bytes);
    assert_true(r[4].append.entry.seq > r[0].append.entry.seq);
    lab_restart(&lab);
    assert_int_equal(lab_count(&lab, "entry"), 2);
    assert_int_equal(lab_count(&lab, "device"), 0);
}

static void a_withdrawn_request_is_not_begun(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    struct store_request r[] = {harness_append(a, "one", NULL, 0), harness_append(a, "two", NULL, 0)};
    atomic_store(&r[0].withdrawn, true);
    lab_apply(&lab, r, 2);
    assert_int_equal(r[0].result, ERR_CLOSED);
    assert_int_equal(r[1].result, ERR_NONE);
    assert_int_equal(lab_count(&lab, "entry"), 1);
}

/* --- C10 --- */

static void the_reserve_is_the_smaller_of_the_two(void **state)
{
    (void)state;
    static const struct {
        unsigned long blocks, free; /* KiB */
        bool is_full;
    } cases[] = {
        {10ul << 20, 64ul * 1024, false},  {10ul << 20, 64ul * 1024 - 1, true},   {10ul << 20, 0, true},
        {100ul * 1024, 5ul * 1024, false}, {100ul * 1024, 5ul * 1024 - 20, true}, {100ul * 1024, 64ul * 1024, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lab_blocks = cases[i].blocks;
        lab_blocks_free = cases[i].free;
        struct store_request none = make_read(1, 1);
        (void)lab_do(&lab, &none);
        assert_int_equal(batch_is_full(lab.batch), cases[i].is_full);
    }
}

static void a_full_disk_refuses_appends_only(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    struct store_request append = harness_append(a, "one", NULL, 0);
    assert_int_equal(lab_do(&lab, &append), ERR_NONE);
    lab_blocks_free = 1000;
    struct store_device d = {.number = 1};
    struct store_mark m = {.seq = 1, .device = 0, .state = STORE_DELIVERED, .advance = true};
    struct store_request r[] = {harness_append(a, "two", NULL, 0),
                                {.op = STORE_REGISTER, .account = a, .reg = {.devices = &d, .device_count = 1}},
                                {.op = STORE_MARK, .account = a, .mark = {.marks = &m, .mark_count = 1}},
                                make_read(a, 1)};
    lab_apply(&lab, r, 4);
    assert_int_equal(r[0].result, ERR_FULL);
    for (int i = 1; i < 4; i++)
        assert_int_equal(r[i].result, ERR_NONE);
    packet_unref(&r[3].read.rows[0].bytes);
    assert_int_equal(lab_count(&lab, "entry"), 1);
    /* It heals without a request: nobody may dare to submit one. */
    lab_blocks_free = 100ul << 20;
    uint64_t wait = batch_maintain(lab.batch, true);
    assert_true(wait > 0 && wait <= STORE_LIMIT_FULL_RECHECK_MS);
    assert_true(batch_is_full(lab.batch));
    lab_pass(&lab, wait);
    (void)batch_maintain(lab.batch, true);
    assert_false(batch_is_full(lab.batch));
    assert_int_equal(lab_do(&lab, &append), ERR_NONE);
}

static void a_disk_that_fills_inside_a_batch_refuses_appends_only(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    struct store_mark m = {.seq = 1, .device = 0, .state = STORE_DELIVERED, .advance = true};
    struct store_request r[] = {harness_append(a, "one", NULL, 0),
                                make_read(a, 1),
                                {.op = STORE_MARK, .account = a, .mark = {.marks = &m, .mark_count = 1}}};
    atomic_store(&fault_vfs.full_writes, 1);
    lab_apply(&lab, r, 3);
    assert_int_equal(r[0].result, ERR_FULL);
    assert_int_equal(r[1].result, ERR_NONE);
    assert_null(r[1].read.rows[0].bytes);
    assert_int_equal(r[2].result, ERR_NONE);
    assert_true(batch_is_full(lab.batch));
    assert_int_equal(lab_count(&lab, "device 1/0 position=1"), 1);
    /* Believed for a while, whatever the file system says of its room. */
    struct store_request at_once = harness_append(a, "one", NULL, 0);
    assert_int_equal(lab_do(&lab, &at_once), ERR_FULL);
    lab_pass(&lab, STORE_LIMIT_FULL_RECHECK_MS);
    struct store_request again = harness_append(a, "one", NULL, 0);
    assert_int_equal(lab_do(&lab, &again), ERR_NONE);
    assert_false(batch_is_full(lab.batch));
    lab_restart(&lab);
    assert_int_equal(lab_count(&lab, "entry"), 1);
}

static void a_disk_without_any_room_still_reads(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    struct store_mark m = {.seq = 1, .device = 0, .state = STORE_DELIVERED, .advance = true};
    struct store_request r[] = {harness_append(a, "one", NULL, 0),
                                make_read(a, 1),
                                {.op = STORE_MARK, .account = a, .mark = {.marks = &m, .mark_count = 1}}};
    atomic_store(&fault_vfs.full_writes, 1000);
    lab_apply(&lab, r, 3);
    assert_int_equal(r[0].result, ERR_FULL);
    assert_int_equal(r[1].result, ERR_NONE);
    assert_int_equal(r[2].result, ERR_FULL);
    assert_int_equal(lab_count(&lab, "device"), 0);
}

static void a_checkpoint_on_a_full_disk_waits(void **state)
{
    (void)state;
    int64_t a = lab_account(&lab, "sip:alice@example.com");
    fill_log(a, STORE_LIMIT_LOG_PAGES_IDLE);
    atomic_store(&fault_vfs.full_writes, 1);
    (void)batch_maintain(lab.batch, true);
    assert_true(batch_is_full(lab.batch));
    struct store_mark m = {.seq = 1, .device = 0, .state = STORE_DELIVERED, .advance = true};
    struct store_request r = {.op = STORE_MARK, .account = a, .mark = {.marks = &m, .mark_count = 1}};
    assert_int_equal(lab_do(&lab, &r), ERR_NONE);
    lab_pass(&lab, STORE_LIMIT_FULL_RECHECK_MS);
    lab_maintain(&lab, true);
    assert_false(batch_is_full(lab.batch));
}

/* --- the file --- */

static void an_empty_file_is_migrated_once(void **state)
{
    (void)state;
    lab_open(&lab);
    (void)lab_account(&lab, "sip:alice@example.com");
    batch_close(lab.batch);
    lab.batch = NULL;
    sqlite3 *db;
    sqlite3_stmt *s;
    static const struct {
        const char *pragma;
        int want;
    } cases[] = {{"PRAGMA auto_vacuum", 2}, {"PRAGMA application_id", 0x546c6578}, {"SELECT count(*) FROM owner", 1}};
    assert_int_equal(sqlite3_open(lab.path, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(sqlite3_prepare_v2(db, cases[i].pragma, -1, &s, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(s), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int(s, 0), cases[i].want);
        (void)sqlite3_finalize(s);
    }
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(s, 0), schema_version());
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    lab_open(&lab);
    assert_int_equal(lab_count(&lab, "account"), 1);
}

static void a_foreign_file_is_left_alone(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        int want;
    } cases[] = {
        {"CREATE TABLE x (y)", ERR_UNSUPPORTED},
        {"PRAGMA application_id=1", ERR_UNSUPPORTED},
        {"PRAGMA user_version=1", ERR_UNSUPPORTED},
        {"PRAGMA application_id=0", ERR_NONE}, /* an empty database is as good as an empty file */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)remove(lab.path);
        (void)sql(cases[i].sql);
        int err = batch_open(&lab.options, &lab.batch);
        assert_int_equal(err, cases[i].want);
        if (err == ERR_NONE)
            batch_close(lab.batch);
        lab.batch = NULL;
    }
    /* No database at all. */
    FILE *f = fopen(lab.path, "w");
    for (int i = 0; i < 2000; i++)
        (void)fputs("not a database ", f);
    (void)fclose(f);
    assert_int_equal(batch_open(&lab.options, &lab.batch), ERR_IO);
}

static void a_file_of_a_later_telex_is_left_alone(void **state)
{
    (void)state;
    lab_open(&lab);
    batch_close(lab.batch);
    lab.batch = NULL;
    assert_int_equal(sql("PRAGMA user_version=1000"), SQLITE_OK);
    assert_int_equal(batch_open(&lab.options, &lab.batch), ERR_UNSUPPORTED);
}

#define OPEN(f)   cmocka_unit_test_setup_teardown(f, setup, teardown)
#define CLOSED(f) cmocka_unit_test_setup_teardown(f, setup_closed, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(one_batch_is_one_sync),
        OPEN(a_failed_sync_fails_all_and_heals),
        OPEN(a_death_after_a_failed_sync_loses_nothing_committed),
        OPEN(nothing_is_committed_until_the_log_was_carried_over),
        OPEN(the_log_of_a_failed_sync_is_not_continued),
        OPEN(a_file_that_cannot_be_opened_again_heals_too),
        OPEN(the_log_is_carried_over_earlier_when_idle),
        OPEN(a_failed_checkpoint_counts_as_a_failed_sync),
        OPEN(one_bad_request_fails_alone),
        OPEN(a_withdrawn_request_is_not_begun),
        OPEN(the_reserve_is_the_smaller_of_the_two),
        OPEN(a_full_disk_refuses_appends_only),
        OPEN(a_disk_that_fills_inside_a_batch_refuses_appends_only),
        OPEN(a_disk_without_any_room_still_reads),
        OPEN(a_checkpoint_on_a_full_disk_waits),
        CLOSED(an_empty_file_is_migrated_once),
        CLOSED(a_foreign_file_is_left_alone),
        CLOSED(a_file_of_a_later_telex_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
