#include "support/harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* cmocka wants these before itself. */
#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/memory/store_memory.h"
#include "support/snapshot.h"

struct store_request *harness_order[HARNESS_ORDER_MAX];
size_t harness_order_count;

static void post(void *context, unsigned worker, struct list *completed)
{
    struct harness *h = context;
    (void)pthread_mutex_lock(&h->lock);
    list_splice(&h->completed[worker], completed);
    h->post_count++;
    (void)pthread_cond_broadcast(&h->wake);
    (void)pthread_mutex_unlock(&h->lock);
}

static void on_done(struct store_request *r)
{
    if (harness_order_count < HARNESS_ORDER_MAX)
        harness_order[harness_order_count++] = r;
}

void harness_init(struct harness *h, enum driver driver)
{
    *h = (struct harness){.driver = driver};
    (void)snprintf(h->dir, sizeof h->dir, "/tmp/telex-store-test-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_cond_init(&h->wake, NULL);
    for (int i = 0; i < HARNESS_WORKERS; i++)
        list_init(&h->completed[i]);
    harness_order_count = 0;
}

int harness_open(struct harness *h)
{
    struct store_poster poster = {post, h};
    if (h->driver == DRIVER_MEMORY)
        return store_memory_open(&poster, random_system(), &h->store);
    return sqlite_store_open_with(h->dir, &poster, &h->options, &h->store);
}

void harness_restart(struct harness *h)
{
    if (h->driver == DRIVER_MEMORY)
        return;
    store_close(h->store);
    assert_int_equal(harness_open(h), ERR_NONE);
}

void harness_deinit(struct harness *h)
{
    static const char *const files[] = {"telex.db", "telex.db-wal", "telexd.lock"};
    if (h->store)
        store_close(h->store);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", h->dir, files[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(h->dir), 0); /* nothing else was left there */
    (void)pthread_mutex_destroy(&h->lock);
    (void)pthread_cond_destroy(&h->wake);
}

void harness_submit(struct harness *h, struct store_request *r)
{
    r->done = on_done;
    store_submit(h->store, r);
}

void harness_wait(struct harness *h, unsigned worker, size_t count)
{
    if (h->driver == DRIVER_MEMORY)
        (void)store_memory_run(h->store);
    while (count > 0) {
        struct list mine;
        list_init(&mine);
        (void)pthread_mutex_lock(&h->lock);
        while (list_is_empty(&h->completed[worker]))
            (void)pthread_cond_wait(&h->wake, &h->lock);
        list_splice(&mine, &h->completed[worker]);
        (void)pthread_mutex_unlock(&h->lock);
        size_t before = harness_order_count;
        store_complete(&mine);
        size_t got = harness_order_count - before;
        assert_true(got <= count);
        count -= got;
    }
}

int harness_do(struct harness *h, struct store_request *r)
{
    harness_order_count = 0;
    harness_submit(h, r);
    harness_wait(h, r->worker, 1);
    assert_ptr_equal(harness_order[0], r);
    return r->result;
}

char *harness_snapshot(struct harness *h)
{
    struct buf b;
    buf_init(&b, 64 << 20);
    assert_int_equal(store_load(h->store, &snapshot_loader, &b), ERR_NONE);
    buf_append_char(&b, '\0');
    assert_true(buf_ok(&b));
    size_t len;
    return buf_take(&b, &len);
}

int64_t harness_account(struct harness *h, const char *aor)
{
    struct store_request r = {.op = STORE_ACCOUNT_PUT, .put = {.aor = slice_str(aor)}};
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    return r.put.id;
}

struct store_request harness_append(int64_t account, const char *body, const struct store_mark *marks, size_t count)
{
    return (struct store_request){.op = STORE_APPEND,
                                  .account = account,
                                  .append = {.entry = {.kind = STORE_KIND_MESSAGE,
                                                       .answer = 202,
                                                       .duplicate_key = {1, 2, 3},
                                                       .accepted_ms = 1000,
                                                       .expires_ms = 9000,
                                                       .sender = SLICE("sip:bob@example.com"),
                                                       .headers = SLICE("Subject: x\r\n"),
                                                       .body = slice_str(body)},
                                             .marks = marks,
                                             .mark_count = count}};
}

uint64_t harness_append_now(struct harness *h, int64_t account, const char *body)
{
    struct store_request r = harness_append(account, body, NULL, 0);
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    return r.append.entry.seq;
}

int harness_mark(struct harness *h, int64_t account, struct store_mark m)
{
    struct store_request r = {.op = STORE_MARK, .account = account, .mark = {.marks = &m, .mark_count = 1}};
    return harness_do(h, &r);
}

void harness_device(struct harness *h, int64_t account, uint8_t number, uint64_t position)
{
    struct store_device d = {.number = number, .key = SLICE("<urn:uuid:1>"), .position = position, .seen_ms = 7};
    struct store_request r = {.op = STORE_REGISTER, .account = account, .reg = {.devices = &d, .device_count = 1}};
    assert_int_equal(harness_do(h, &r), ERR_NONE);
}
