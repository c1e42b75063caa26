/* One store of either driver with a worker that waits for its completions, so that tests read as straight lines. */
#ifndef TESTS_STORE_HARNESS_H
#define TESTS_STORE_HARNESS_H

#include <pthread.h>

#include "store/sqlite/sqlite_store.h"
#include "store/store.h"

#define HARNESS_WORKERS   3
#define HARNESS_ORDER_MAX 1024

enum driver { DRIVER_MEMORY, DRIVER_SQLITE };

struct harness {
    enum driver driver;
    struct store *store;
    char dir[64]; /* a data folder of its own */
    struct sqlite_store_options options;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct list completed[HARNESS_WORKERS];
    size_t post_count;
};

/* The folder is made but the store not opened. */
void harness_init(struct harness *h, enum driver driver);
/* Closes the store if it is open, removes the folder. */
void harness_deinit(struct harness *h);
int harness_open(struct harness *h);
/* What a restart of the server does: the sqlite store is closed and opened, the memory store stays. */
void harness_restart(struct harness *h);

/* Submits, waits for the completion and returns the result. The request may be used again. */
int harness_do(struct harness *h, struct store_request *r);
void harness_submit(struct harness *h, struct store_request *r);
/* Waits until `count` requests of `worker` have completed and calls them done; fails the test when others come. */
void harness_wait(struct harness *h, unsigned worker, size_t count);
/* The order in which requests completed since harness_init. */
extern struct store_request *harness_order[HARNESS_ORDER_MAX];
extern size_t harness_order_count;

/* Everything in the store as text; the caller frees it. */
char *harness_snapshot(struct harness *h);

/* --- requests in short --- */

/* Puts an account and returns its id. */
int64_t harness_account(struct harness *h, const char *aor);
/* A request for an entry with this body, accepted at 1000, expiring at 9000. */
struct store_request harness_append(int64_t account, const char *body, const struct store_mark *marks, size_t count);
/* Appends and returns the entry's number; fails the test on an error. */
uint64_t harness_append_now(struct harness *h, int64_t account, const char *body);
/* Marks one entry; returns the result. */
int harness_mark(struct harness *h, int64_t account, struct store_mark m);
/* Puts a device with this number and position. */
void harness_device(struct harness *h, int64_t account, uint8_t number, uint64_t position);

#endif
