/* The store's thread. While it waits for one sync the next requests gather: that is the group commit, and there is no
 * delay in it. The queue has no limit of its own: each request is owned by a transaction of a worker, and those are
 * limited. */
#include "store/sqlite/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "store/limits.h"

struct thread {
    struct store store;
    struct store_poster poster;
    pthread_t id;
    pthread_mutex_t batch_lock; /* held while `batch` is in use: by the thread, and by load and secret at the start */
    struct batch *batch;
    struct folder *folder;
    pthread_mutex_t queue_lock; /* guards what follows; never held across a call that may touch the disk */
    pthread_cond_t wake;
    struct list queue;
    bool sleeps, stops;
};

static struct thread *thread_of(struct store *s)
{
    return CONTAINER_OF(s, struct thread, store);
}

/* Hands the requests over, one list for each worker. */
static void post(struct thread *t, struct list *done)
{
    while (!list_is_empty(done)) {
        struct list mine;
        list_init(&mine);
        unsigned worker = CONTAINER_OF(list_first(done), struct store_request, node)->worker;
        LIST_EACH (n, done) {
            if (CONTAINER_OF(n, struct store_request, node)->worker != worker)
                continue;
            list_remove(n);
            list_push_back(&mine, n);
        }
        t->poster.post(t->poster.context, worker, &mine);
    }
}

/* With queue_lock held. `wait_ms` as batch_maintain returns it. */
static void sleep_until_work(struct thread *t, uint64_t wait_ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    if (wait_ms != BATCH_NEVER) {
        at.tv_sec += (time_t)(wait_ms / 1000);
        at.tv_nsec += (long)(wait_ms % 1000) * 1000000;
        if (at.tv_nsec >= 1000000000) {
            at.tv_sec++;
            at.tv_nsec -= 1000000000;
        }
    }
    t->sleeps = true;
    int rc = 0;
    while (list_is_empty(&t->queue) && !t->stops && rc == 0)
        rc = wait_ms == BATCH_NEVER ? pthread_cond_wait(&t->wake, &t->queue_lock)
                                    : pthread_cond_timedwait(&t->wake, &t->queue_lock, &at);
    t->sleeps = false;
}

/* Takes the next batch off the queue; returns false when the thread is to end. */
static bool take(struct thread *t, uint64_t wait_ms, struct list *ret_requests, bool *ret_idle)
{
    (void)pthread_mutex_lock(&t->queue_lock);
    if (wait_ms > 0)
        sleep_until_work(t, wait_ms);
    for (int i = 0; i < STORE_LIMIT_BATCH && !list_is_empty(&t->queue); i++)
        list_push_back(ret_requests, list_pop_front(&t->queue));
    bool goes_on = !t->stops || !list_is_empty(ret_requests);
    *ret_idle = list_is_empty(&t->queue);
    (void)pthread_mutex_unlock(&t->queue_lock);
    return goes_on;
}

static void *run(void *context)
{
    struct thread *t = context;
    uint64_t wait_ms = 0;
    struct list requests;
    list_init(&requests);
    bool is_idle;
    while (take(t, wait_ms, &requests, &is_idle)) {
        (void)pthread_mutex_lock(&t->batch_lock);
        if (!list_is_empty(&requests)) {
            batch_apply(t->batch, &requests);
            post(t, &requests);
        }
        wait_ms = batch_maintain(t->batch, is_idle);
        (void)pthread_mutex_unlock(&t->batch_lock);
    }
    return NULL;
}

static void thread_submit(struct store *s, struct store_request *r)
{
    struct thread *t = thread_of(s);
    (void)pthread_mutex_lock(&t->queue_lock);
    list_push_back(&t->queue, &r->node);
    bool wakes = t->sleeps;
    t->sleeps = false; /* one wake-up is enough */
    (void)pthread_mutex_unlock(&t->queue_lock);
    if (wakes)
        (void)pthread_cond_signal(&t->wake);
}

static void thread_withdraw(struct store *s, struct store_request *r)
{
    (void)s;
    atomic_store_explicit(&r->withdrawn, true, memory_order_release);
}

static int thread_load(struct store *s, const struct store_loader *loader, void *context)
{
    struct thread *t = thread_of(s);
    (void)pthread_mutex_lock(&t->batch_lock);
    int err = batch_load(t->batch, loader, context);
    (void)pthread_mutex_unlock(&t->batch_lock);
    return err;
}

static int thread_secret(struct store *s, struct slice name, uint8_t out[STORE_SECRET_LEN])
{
    struct thread *t = thread_of(s);
    (void)pthread_mutex_lock(&t->batch_lock);
    int err = batch_secret(t->batch, name, out);
    (void)pthread_mutex_unlock(&t->batch_lock);
    return err;
}

static bool thread_is_full(struct store *s)
{
    return batch_is_full(thread_of(s)->batch);
}

static void thread_close(struct store *s)
{
    struct thread *t = thread_of(s);
    (void)pthread_mutex_lock(&t->queue_lock);
    t->stops = true;
    (void)pthread_cond_signal(&t->wake);
    (void)pthread_mutex_unlock(&t->queue_lock);
    (void)pthread_join(t->id, NULL);
    batch_close(t->batch);
    folder_close(t->folder);
    (void)pthread_cond_destroy(&t->wake);
    (void)pthread_mutex_destroy(&t->queue_lock);
    (void)pthread_mutex_destroy(&t->batch_lock);
    free(t);
}

static const struct store_ops ops = {
    .submit = thread_submit,
    .withdraw = thread_withdraw,
    .load = thread_load,
    .secret = thread_secret,
    .is_full = thread_is_full,
    .close = thread_close,
};

int thread_start(struct batch *batch, struct folder *folder, const struct store_poster *poster,
                 struct store **ret_store)
{
    struct thread *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NO_MEMORY;
    t->store.ops = &ops;
    t->poster = *poster;
    t->batch = batch;
    t->folder = folder;
    list_init(&t->queue);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&t->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&t->queue_lock, NULL);
    (void)pthread_mutex_init(&t->batch_lock, NULL);
    if (pthread_create(&t->id, NULL, run, t) != 0) {
        free(t);
        return ERR_NO_MEMORY;
    }
    *ret_store = &t->store;
    return ERR_NONE;
}
