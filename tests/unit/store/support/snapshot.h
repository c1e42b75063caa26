/* All that a store tells in a load, as text: one line each, so that drivers and restarts can be compared. */
#ifndef TESTS_STORE_SNAPSHOT_H
#define TESTS_STORE_SNAPSHOT_H

#include "base/buf.h"
#include "store/store.h"

/* The loader's context is a struct buf. */
extern const struct store_loader snapshot_loader;

#endif
