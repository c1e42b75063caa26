/* Tells what is in the tables, each in one pass. */
#ifndef STORE_SQLITE_LOAD_H
#define STORE_SQLITE_LOAD_H

#include "store/sqlite/connection.h"
#include "store/store.h"

/* In the order that struct store_loader documents. Returns SQLITE_OK or SQLite's error. */
int load_all(struct connection *c, const struct store_loader *loader, void *context);

#endif
