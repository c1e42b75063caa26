/* A batch without its thread, on a virtual clock and the fault VFS: one call, one transaction. */
#ifndef TESTS_STORE_LAB_H
#define TESTS_STORE_LAB_H

#include "store/sqlite/batch.h"

struct lab {
    struct clock clock;
    uint64_t mono_ms;
    int64_t wall_ms;
    char dir[64], path[80];
    struct batch_options options;
    struct batch *batch;
};

/* What lab_statvfs answers: blocks of 1 KiB. Plenty after lab_init. */
extern unsigned long lab_blocks, lab_blocks_free;

void lab_init(struct lab *l);
void lab_deinit(struct lab *l);
void lab_open(struct lab *l);
void lab_restart(struct lab *l);
/* Applies the requests as one batch. */
void lab_apply(struct lab *l, struct store_request *requests, size_t count);
/* Applies one and returns its result. */
int lab_do(struct lab *l, struct store_request *r);
/* Time passes, wall and monotonic alike. */
void lab_pass(struct lab *l, uint64_t ms);
/* Maintains until nothing is due at once. */
void lab_maintain(struct lab *l, bool is_idle);
int64_t lab_account(struct lab *l, const char *aor);
/* Everything in the store as text; the caller frees it. */
char *lab_snapshot(struct lab *l);
/* How many lines of the snapshot begin with `word`. */
size_t lab_count(struct lab *l, const char *word);

#endif
