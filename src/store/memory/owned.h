/* Copies of the records of store.h that own their texts. */
#ifndef STORE_MEMORY_OWNED_H
#define STORE_MEMORY_OWNED_H

#include "store/store.h"

/* Replaces every slice of the record by a copy that it owns; absent stays absent. False without memory: then it owns
 * nothing, and its slices are absent. */
bool owned_account_take(struct store_account *a);
bool owned_device_take(struct store_device *d);
bool owned_binding_take(struct store_binding *b);
bool owned_entry_take(struct store_entry *e);

/* Frees what a record owns; the record itself is the caller's. */
void owned_account_free(const struct store_account *a);
void owned_device_free(const struct store_device *d);
void owned_binding_free(const struct store_binding *b);
void owned_entry_free(const struct store_entry *e);

#endif
