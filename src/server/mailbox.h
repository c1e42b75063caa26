/* An account's stored messages at home: what is owed to whom, and the ends that the store is told of. contract C1,
 * C3-C6, C11, C12. */
#ifndef SERVER_MAILBOX_H
#define SERVER_MAILBOX_H

#include "server/account.h"

/* From the store at start, while the account loads: exceptions, then entries in order. ERR_NO_MEMORY. */
int mailbox_load_exception(struct account *a, const struct store_mark *m);
int mailbox_load_entry(struct account *a, const struct store_entry *e, uint32_t size);
/* All of the account was told: what is owed to devices that can be reached is on its way soon. */
void mailbox_loaded(struct account *a);

/* A device is about to join: the position that it starts at, for the row that the registrar will commit: before the
 * oldest message that no device of the account has taken. */
uint64_t mailbox_first_position(const struct account *a);
/* It has joined (its row is committed, it is in a->devices): what no device has taken is owed to it. */
void mailbox_device_joined(struct device *d);
/* It is about to leave memory; its row is being removed. */
void mailbox_device_leaves(struct device *d);

/* True when new mail must queue behind older mail for this device (C6). */
bool mailbox_has_backlog(const struct device *d);
/* Quota (C11): room for one more message of `size` octets that no device took. */
bool mailbox_has_room(const struct account *a, uint32_t size);

/* Reserves and gives back what an append in progress will owe: `owed` has a bit for each device, bit 0 for the heir.
 * False without memory: then nothing may be appended. */
bool mailbox_reserve(struct account *a, uint32_t owed, uint32_t size);
void mailbox_release(struct account *a, uint32_t owed, uint32_t size);
/* The append was committed: `owed` as reserved, `marked` has a bit for each device whose end the append said. It lives
 * until `expires_ms` of the wall clock. The room for it was reserved. */
void mailbox_add(struct account *a, uint64_t seq, uint32_t owed, uint32_t marked, uint32_t size, int64_t expires_ms);

/* The oldest entry owed to the device, over `after`; NULL: none. */
const struct entry *mailbox_next(const struct device *d, uint64_t after);
/* NULL when it is not known, or nobody is owed it. */
struct entry *mailbox_find(const struct account *a, uint64_t seq);
/* An entry ends for a device: in memory now, in the store with the next commit. Nothing happens if it had ended. */
void mailbox_end(struct account *a, uint64_t seq, uint8_t device, enum store_state state, uint16_t status);
/* All that is owed to the device ends as removed: it reads no messages. */
void mailbox_end_all(struct device *d);

/* A time not later than the earliest expiry of an entry; UINT64_MAX: none. */
uint64_t mailbox_next_expiry(const struct account *a);
/* Ends entries whose time is over, for all who are owed them. */
void mailbox_expire(struct account *a, uint64_t now_mono_ms);
/* Copies over their quota: the longest-absent device's oldest copy ends as failed (C11). */
void mailbox_trim_copies(struct account *a);
/* The account was deleted with all its rows: nothing is owed any more, and the store needs not be told. */
void mailbox_forget(struct account *a);
void mailbox_deinit(struct account *a);

#endif
