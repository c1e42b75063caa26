/* What one request does to the tables, inside the transaction of its batch. Commits nothing. */
#ifndef STORE_SQLITE_APPLY_H
#define STORE_SQLITE_APPLY_H

#include "store/sqlite/connection.h"
#include "store/store.h"

/* Carries out `r` and sets r->result: ERR_NONE, or a reason of its own that touched nothing (ERR_NOT_FOUND: no such
 * account; ERR_NO_MEMORY while reading). *next_seq is the number for the next journal entry. Returns SQLITE_OK or
 * SQLite's error; then the transaction must be rolled back. */
int apply_request(struct connection *c, uint64_t *next_seq, struct store_request *r);
/* Gives back what apply_request acquired for `r`: its transaction was rolled back. */
void apply_undo(struct store_request *r);

#endif
