/* The driver for the simulator and tests: everything in memory, in the caller's thread, with faults on request. What
 * it holds survives a restart of the server: load it again. */
#ifndef STORE_MEMORY_STORE_MEMORY_H
#define STORE_MEMORY_STORE_MEMORY_H

#include "base/random.h"
#include "store/store.h"

/* The random source makes the secrets. ERR_NO_MEMORY. */
int store_memory_open(const struct store_poster *poster, struct random *random, struct store **ret_store);

/* Applies what was submitted, in order, and posts the completions: the commit of one batch. Returns how many. */
size_t store_memory_run(struct store *s);
/* How many requests wait for store_memory_run. */
size_t store_memory_waiting(struct store *s);
/* The server was killed: forgets what waits, without completing it. */
void store_memory_drop(struct store *s);

/* From now on appends are refused with ERR_FULL, or no longer. */
void store_memory_set_full(struct store *s, bool is_full);
/* The next `count` appends complete with `result` and nothing of them takes effect. */
void store_memory_fail_appends(struct store *s, size_t count, int result);
/* The next `count` requests of any kind do: a failed sync. */
void store_memory_fail_all(struct store *s, size_t count, int result);

#endif
