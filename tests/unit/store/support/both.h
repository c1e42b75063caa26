/* What every driver must do is a table of cases that runs against each. */
#ifndef TESTS_STORE_BOTH_H
#define TESTS_STORE_BOTH_H

#include "support/harness.h"

/* cmocka's setups; the state is the harness with its store open. */
int both_setup_memory(void **state);
int both_setup_sqlite(void **state);
int both_teardown(void **state);

/* Two rows for cmocka's table. */
#define BOTH(f)                                                                                                        \
    {"memory: " #f, f, both_setup_memory, both_teardown, NULL},                                                        \
    {                                                                                                                  \
        "sqlite: " #f, f, both_setup_sqlite, both_teardown, NULL                                                       \
    }

/* The store holds exactly this, before and after a restart. */
void both_expect(struct harness *h, const char *text);
/* The same for the lines that begin with `word`, after a restart. */
void both_expect_only(struct harness *h, const char *word, const char *text);

#endif
