/* Durable appends per second and CPU per row through the embedded store, and how long a restart takes to load them.
 * usage: store_bench [DIR]   (default: a folder in the current directory, removed afterwards) */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <pthread.h>

#include "base/err.h"
#include "store/sqlite/sqlite_store.h"

#define ACCOUNTS   200000
#define ROWS       100000
#define IN_FLIGHT  1024 /* waiting requests, as of a busy server's workers */
#define BODY_LEN   300
#define HEADER_LEN 300

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct list completed;
} inbox = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static struct store *store;
static struct store_request requests[IN_FLIGHT];
static int64_t accounts[ACCOUNTS];
static size_t submitted, finished, goal;
static bool with_marks;
static char headers[HEADER_LEN], body[BODY_LEN];

static void post(void *context, unsigned worker, struct list *completed)
{
    (void)context;
    (void)worker;
    (void)pthread_mutex_lock(&inbox.lock);
    list_splice(&inbox.completed, completed);
    (void)pthread_cond_signal(&inbox.wake);
    (void)pthread_mutex_unlock(&inbox.lock);
}

static void die(const char *what, int err)
{
    (void)fprintf(stderr, "store_bench: %s: %s\n", what, err_text(err));
    exit(1);
}

static const struct store_mark heir_mark = {.device = STORE_HEIR, .state = STORE_DELIVERED, .advance = true};

static void on_done(struct store_request *r);

static void submit_next(struct store_request *r)
{
    int64_t account = accounts[submitted++ * 7919 % ACCOUNTS];
    *r = (struct store_request){.op = STORE_APPEND, .account = account, .done = on_done};
    r->append.entry = (struct store_entry){.kind = STORE_KIND_MESSAGE,
                                           .answer = 202,
                                           .accepted_ms = 1,
                                           .expires_ms = INT64_MAX,
                                           .sender = SLICE("sip:somebody@example.com"),
                                           .headers = slice_make(headers, sizeof headers),
                                           .body = slice_make(body, sizeof body)};
    memcpy(r->append.entry.duplicate_key, &submitted, sizeof submitted);
    if (with_marks) {
        r->append.marks = &heir_mark;
        r->append.mark_count = 1;
    }
    store_submit(store, r);
}

static void on_done(struct store_request *r)
{
    if (r->result != ERR_NONE)
        die("append", r->result);
    finished++;
    if (submitted < goal)
        submit_next(r);
}

static void drain(void)
{
    while (finished < submitted) {
        struct list mine;
        list_init(&mine);
        (void)pthread_mutex_lock(&inbox.lock);
        while (list_is_empty(&inbox.completed))
            (void)pthread_cond_wait(&inbox.wake, &inbox.lock);
        list_splice(&mine, &inbox.completed);
        (void)pthread_mutex_unlock(&inbox.lock);
        store_complete(&mine);
    }
}

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void measure_appends(const char *name, bool marks)
{
    with_marks = marks;
    submitted = finished = 0;
    goal = ROWS;
    double wall = seconds(), cpu = cpu_seconds();
    for (size_t i = 0; i < IN_FLIGHT; i++)
        submit_next(&requests[i]);
    drain();
    wall = seconds() - wall;
    cpu = cpu_seconds() - cpu;
    (void)printf("%-28s %8.0f rows/s   %5.1f us CPU per row\n", name, ROWS / wall, cpu / ROWS * 1e6);
}

static char aors[IN_FLIGHT][64];

static void on_put(struct store_request *r);

static void put_next(struct store_request *r)
{
    char *aor = aors[r - requests];
    (void)snprintf(aor, sizeof aors[0], "sip:user%zu@example.com", submitted++);
    *r = (struct store_request){.op = STORE_ACCOUNT_PUT, .done = on_put};
    r->put.aor = slice_str(aor);
    memset(r->put.credentials.md5, 'a', sizeof r->put.credentials.md5 - 1);
    memset(r->put.credentials.sha256, 'b', sizeof r->put.credentials.sha256 - 1);
    memset(r->put.credentials.sha512_256, 'c', sizeof r->put.credentials.sha512_256 - 1);
    for (int i = 0; i < 2; i++) {
        r->put.credentials.md5[i][sizeof r->put.credentials.md5[i] - 1] = '\0';
        r->put.credentials.sha256[i][sizeof r->put.credentials.sha256[i] - 1] = '\0';
        r->put.credentials.sha512_256[i][sizeof r->put.credentials.sha512_256[i] - 1] = '\0';
    }
    store_submit(store, r);
}

static void on_put(struct store_request *r)
{
    if (r->result != ERR_NONE)
        die("account", r->result);
    accounts[finished++] = r->put.id;
    if (submitted < ACCOUNTS)
        put_next(r);
}

static void measure_accounts(void)
{
    double wall = seconds(), cpu = cpu_seconds();
    for (size_t i = 0; i < IN_FLIGHT; i++)
        put_next(&requests[i]);
    drain();
    wall = seconds() - wall;
    cpu = cpu_seconds() - cpu;
    (void)printf("%-28s %8.0f rows/s   %5.1f us CPU per row\n", "account", ACCOUNTS / wall, cpu / ACCOUNTS * 1e6);
}

static size_t loaded;
static void on_account(void *context, const struct store_account *a)
{
    (void)context;
    (void)a;
}
static void on_device(void *context, int64_t account, const struct store_device *d)
{
    (void)context;
    (void)account;
    (void)d;
}
static void on_binding(void *context, int64_t account, const struct store_binding *b)
{
    (void)context;
    (void)account;
    (void)b;
}
static void on_exception(void *context, int64_t account, const struct store_mark *m)
{
    (void)context;
    (void)account;
    (void)m;
}
static void on_entry(void *context, int64_t account, const struct store_entry *e, uint32_t size)
{
    (void)context;
    (void)account;
    (void)e;
    loaded += size > 0;
}

static void measure_load(const char *dir, const struct store_poster *poster)
{
    static const struct store_loader loader = {on_account, on_device, on_binding, on_exception, on_entry};
    store_close(store);
    double wall = seconds();
    int err = sqlite_store_open(dir, poster, &store);
    if (err == ERR_NONE)
        err = store_load(store, &loader, NULL);
    if (err != ERR_NONE)
        die("load", err);
    wall = seconds() - wall;
    (void)printf("%-28s %8.0f ms      for %d accounts and %zu entries\n", "open and load", wall * 1e3, ACCOUNTS,
                 loaded);
}

int main(int argc, char **argv)
{
    char made[] = "store-bench-XXXXXX", path[4096];
    const char *dir = argc > 1 ? argv[1] : mkdtemp(made);
    if (!dir)
        die("no folder", ERR_IO);
    struct store_poster poster = {post, NULL};
    list_init(&inbox.completed);
    memset(headers, 'h', sizeof headers);
    memset(body, 'b', sizeof body);
    int err = sqlite_store_open(dir, &poster, &store);
    if (err != ERR_NONE)
        die(dir, err);
    measure_accounts();
    measure_appends("append", false);
    measure_appends("append, heir's position too", true);
    measure_load(dir, &poster);
    store_close(store);
    static const char *const files[] = {"telex.db", "telex.db-wal", "telexd.lock"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        (void)unlink(path);
    }
    return rmdir(dir) == 0 ? 0 : 1;
}
