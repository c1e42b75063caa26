/* The SQLite driver as a whole: folder, thread, group commit, and a process that is killed (C1, C7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "store/limits.h"
#include "support/fault_vfs.h"
#include "support/harness.h"

static struct harness harness;

static int setup(void **state)
{
    (void)state;
    fault_vfs_reset();
    harness_init(&harness, DRIVER_SQLITE);
    harness.options.vfs = FAULT_VFS_NAME;
    assert_int_equal(harness_open(&harness), ERR_NONE);
    return 0;
}
static int setup_closed(void **state)
{
    (void)state;
    harness_init(&harness, DRIVER_SQLITE);
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    harness_deinit(&harness);
    return 0;
}

static mode_t mode_of(const char *name)
{
    char path[128];
    struct stat s;
    (void)snprintf(path, sizeof path, "%s/%s", harness.dir, name);
    assert_int_equal(stat(path, &s), 0);
    return s.st_mode & 0777;
}

static void the_folder_is_for_its_owner_alone(void **state)
{
    (void)state;
    assert_int_equal(rmdir(harness.dir), 0);
    assert_int_equal(harness_open(&harness), ERR_NONE);
    (void)harness_account(&harness, "sip:alice@example.com");
    assert_int_equal(mode_of("."), 0700);
    assert_int_equal(mode_of("telex.db"), 0600);
    assert_int_equal(mode_of("telex.db-wal"), 0600);
}

static void a_second_opener_is_refused(void **state)
{
    (void)state;
    assert_int_equal(harness_open(&harness), ERR_NONE);
    struct store *first = harness.store;
    assert_int_equal(harness_open(&harness), ERR_EXISTS);
    assert_ptr_equal(harness.store, first);
    store_close(first);
    assert_int_equal(harness_open(&harness), ERR_NONE);
}

static void a_folder_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *dir;
        int want;
    } cases[] = {{"/nonexistent/telex/data", ERR_NOT_FOUND}, {"/dev/null", ERR_IO}, {"/dev/null/x", ERR_IO}};
    struct store_poster poster = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct store *s = NULL;
        int err = sqlite_store_open(cases[i].dir, &poster, &s);
        /* Root may make a file anywhere, but no folder below a file. */
        assert_true(err == cases[i].want || (err != ERR_NONE && i == 1));
        assert_null(s);
    }
}

/* While the thread is inside one batch the others gather: far fewer syncs than requests. */
static void waiting_requests_share_a_sync(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    int64_t a = harness_account(&harness, "sip:alice@example.com");
    static struct store_request r[COUNT];
    int before = atomic_load(&fault_vfs.log_syncs);
    size_t posts = harness.post_count;
    harness_order_count = 0;
    for (size_t i = 0; i < COUNT; i++) {
        r[i] = harness_append(a, "x", NULL, 0);
        r[i].worker = (unsigned)i % HARNESS_WORKERS;
    }
    /* Held for the time of the submits: the thread cannot post, so it cannot go on to the second batch. */
    (void)pthread_mutex_lock(&harness.lock);
    for (size_t i = 0; i < COUNT; i++)
        harness_submit(&harness, &r[i]);
    (void)pthread_mutex_unlock(&harness.lock);
    for (unsigned w = 0; w < HARNESS_WORKERS; w++)
        harness_wait(&harness, w, COUNT / HARNESS_WORKERS + (w < COUNT % HARNESS_WORKERS));
    /* The first batch takes what was there; the rest comes in batches of STORE_LIMIT_BATCH. */
    int syncs = atomic_load(&fault_vfs.log_syncs) - before;
    assert_in_range(syncs, COUNT / STORE_LIMIT_BATCH, COUNT / STORE_LIMIT_BATCH + 2);
    assert_in_range(harness.post_count - posts, 1, (unsigned)syncs * HARNESS_WORKERS);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(r[i].result, ERR_NONE);
}

static void a_waiting_request_can_be_withdrawn(void **state)
{
    (void)state;
    int64_t a = harness_account(&harness, "sip:alice@example.com");
    struct store_request first = harness_append(a, "1", NULL, 0), second = harness_append(a, "2", NULL, 0);
    harness_order_count = 0;
    int syncs = atomic_load(&fault_vfs.log_syncs);
    (void)pthread_mutex_lock(&harness.lock);
    harness_submit(&harness, &first);
    /* The thread waits for our lock with the first one: the second is not begun. */
    while (atomic_load(&fault_vfs.log_syncs) == syncs)
        ;
    harness_submit(&harness, &second);
    store_withdraw(harness.store, &second);
    (void)pthread_mutex_unlock(&harness.lock);
    harness_wait(&harness, 0, 2);
    assert_int_equal(first.result, ERR_NONE);
    assert_int_equal(second.result, ERR_CLOSED);
}

struct worker {
    unsigned number;
    int64_t account;
    uint64_t seqs[200];
    size_t count;
    int result;
};

static void count_done(struct store_request *r)
{
    r->done = NULL;
}

/* One worker: submits one request after the other, each when the one before has completed. */
static void *work(void *context)
{
    struct worker *w = context;
    while (w->count < 200 && w->result == ERR_NONE) {
        struct store_request r = harness_append(w->account, "x", NULL, 0);
        struct list mine;
        list_init(&mine);
        r.worker = w->number;
        r.done = count_done;
        store_submit(harness.store, &r);
        (void)pthread_mutex_lock(&harness.lock);
        while (list_is_empty(&harness.completed[w->number]))
            (void)pthread_cond_wait(&harness.wake, &harness.lock);
        list_splice(&mine, &harness.completed[w->number]);
        (void)pthread_mutex_unlock(&harness.lock);
        store_complete(&mine);
        w->result = r.done ? ERR_NOT_FOUND : r.result; /* somebody else's came, or our own */
        w->seqs[w->count++] = r.append.entry.seq;
    }
    return NULL;
}

static void workers_submit_at_once(void **state)
{
    (void)state;
    static struct worker workers[HARNESS_WORKERS];
    pthread_t threads[HARNESS_WORKERS];
    int64_t account = harness_account(&harness, "sip:alice@example.com");
    for (unsigned i = 0; i < HARNESS_WORKERS; i++) {
        workers[i] = (struct worker){.number = i, .account = account};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < HARNESS_WORKERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (unsigned i = 0; i < HARNESS_WORKERS; i++) {
        assert_int_equal(workers[i].result, ERR_NONE);
        assert_int_equal(workers[i].count, 200);
        for (size_t k = 1; k < 200; k++)
            assert_true(workers[i].seqs[k] > workers[i].seqs[k - 1]);
        assert_false(store_is_full(harness.store));
    }
}

static void the_thread_heals_after_a_failed_sync(void **state)
{
    (void)state;
    int64_t a = harness_account(&harness, "sip:alice@example.com");
    struct store_request r = harness_append(a, "x", NULL, 0);
    atomic_store(&fault_vfs.fail_syncs, 1);
    assert_int_equal(harness_do(&harness, &r), ERR_IO);
    /* It is opened anew right after the completion was posted, which nothing tells: ask until it is. */
    int tries = 0;
    while (harness_do(&harness, &r) == ERR_IO)
        assert_true(++tries < 100000);
    assert_int_equal(r.result, ERR_NONE);
    harness_restart(&harness);
    char *all = harness_snapshot(&harness);
    assert_null(strstr(strstr(all, "entry") + 1, "entry"));
    free(all);
}

/* --- kill -9 --- */

struct victim {
    int out;
    struct list inbox;
    pthread_mutex_t lock;
    pthread_cond_t wake;
};
static struct victim victim;

static void victim_post(void *context, unsigned worker, struct list *completed)
{
    (void)context;
    (void)worker;
    (void)pthread_mutex_lock(&victim.lock);
    list_splice(&victim.inbox, completed);
    (void)pthread_cond_signal(&victim.wake);
    (void)pthread_mutex_unlock(&victim.lock);
}

static struct store *victim_store;

/* Says which entry is answered for, and goes on with the next. */
static void victim_done(struct store_request *r)
{
    uint64_t seq = r->op == STORE_APPEND ? r->append.entry.seq : 0;
    if (r->result != ERR_NONE || (seq && write(victim.out, &seq, sizeof seq) != (ssize_t)sizeof seq))
        _exit(3);
    int64_t account = r->op == STORE_APPEND ? r->account : r->put.id;
    *r = harness_append(account, "some text of a message", NULL, 0);
    r->done = victim_done;
    store_submit(victim_store, r);
}

static void victim_run(int out)
{
    enum { IN_FLIGHT = 50 };
    static struct store_request r[IN_FLIGHT];
    struct store_poster poster = {victim_post, NULL};
    victim = (struct victim){.out = out, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    list_init(&victim.inbox);
    if (sqlite_store_open(harness.dir, &poster, &victim_store) != ERR_NONE)
        _exit(2);
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        r[i] = (struct store_request){.op = STORE_ACCOUNT_PUT, .done = victim_done};
        r[i].put.aor = slice_make("sip:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQ", 5 + i);
        store_submit(victim_store, &r[i]);
    }
    for (;;) {
        struct list mine;
        list_init(&mine);
        (void)pthread_mutex_lock(&victim.lock);
        while (list_is_empty(&victim.inbox))
            (void)pthread_cond_wait(&victim.wake, &victim.lock);
        list_splice(&mine, &victim.inbox);
        (void)pthread_mutex_unlock(&victim.lock);
        store_complete(&mine);
    }
}

/* Which numbers are loaded. */
#define SEQ_MAX 100000
static bool is_there[SEQ_MAX];
static void note_account(void *context, const struct store_account *a)
{
    (void)context;
    (void)a;
}
static void note_entry(void *context, int64_t account, const struct store_entry *e, uint32_t size)
{
    (void)context;
    (void)account;
    assert_int_equal(size, 34);
    assert_true(e->seq < SEQ_MAX);
    is_there[e->seq] = true;
}

static void what_was_answered_survives_kill_9(void **state)
{
    (void)state;
    static const struct store_loader loader = {.account = note_account, .entry = note_entry};
    uint64_t answered = 0, seq;
    for (int round = 0; round < 3; round++) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)close(pipes[0]);
            victim_run(pipes[1]);
        }
        (void)close(pipes[1]);
        static uint64_t said[SEQ_MAX];
        size_t count = 0, goal = 400 + (size_t)round * 333;
        while (count < goal && read(pipes[0], &seq, sizeof seq) == (ssize_t)sizeof seq)
            said[count++] = seq;
        assert_int_equal(count, goal);
        assert_int_equal(kill(child, SIGKILL), 0);
        while (count < SEQ_MAX && read(pipes[0], &seq, sizeof seq) == (ssize_t)sizeof seq)
            said[count++] = seq;
        assert_int_equal(waitpid(child, NULL, 0), child);
        (void)close(pipes[0]);
        memset(is_there, 0, sizeof is_there);
        assert_int_equal(harness_open(&harness), ERR_NONE);
        assert_int_equal(store_load(harness.store, &loader, NULL), ERR_NONE);
        store_close(harness.store);
        harness.store = NULL;
        for (size_t i = 0; i < count; i++)
            if (!is_there[said[i]])
                fail_msg("entry %llu was answered for and is gone", (unsigned long long)said[i]);
        assert_true(said[0] > answered); /* no number of an earlier life comes again */
        answered = said[count - 1];
    }
}

#define OPEN(f)   cmocka_unit_test_setup_teardown(f, setup, teardown)
#define CLOSED(f) cmocka_unit_test_setup_teardown(f, setup_closed, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLOSED(the_folder_is_for_its_owner_alone),  CLOSED(a_second_opener_is_refused),
        CLOSED(a_folder_that_cannot_be_is_refused), OPEN(waiting_requests_share_a_sync),
        OPEN(a_waiting_request_can_be_withdrawn),   OPEN(workers_submit_at_once),
        OPEN(the_thread_heals_after_a_failed_sync), CLOSED(what_was_answered_survives_kill_9),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
