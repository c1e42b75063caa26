/* An account's stored messages at home: what is owed to whom, appends and marks. contract C1, C3-C6, C11, C12. */
#ifndef SERVER_MAILBOX_H
#define SERVER_MAILBOX_H

#include "server/account.h"

/* From the store at start: entries in order, after the account's devices and exceptions. ERR_NO_MEMORY. */
int mailbox_load_entry(struct account *a, const struct store_entry *e, uint32_t size);
int mailbox_load_exception(struct account *a, const struct store_mark *m);

/* A device is about to join: sets the position that it starts at, at the oldest message no device of the account has
 * taken, for the row that the registrar will commit. */
uint64_t mailbox_first_position(const struct account *a);
/* It has joined (its row is committed and in a->devices): what the heir is owed is owed to it. Submits exception marks
 * for entries behind its position that it isn't owed. */
void mailbox_device_joined(struct device *d);
/* It is about to leave memory; its row is being removed. */
void mailbox_device_leaves(struct device *d);

bool mailbox_has_backlog(const struct device *d);
/* Earliest expiry of an entry, or UINT64_MAX. */
uint64_t mailbox_next_expiry(const struct account *a);
/* Ends entries whose time is over, for all who are owed them. */
void mailbox_expire(struct account *a, uint64_t now_mono_ms);

#endif
