/* Where an account's devices are: devices and bindings in memory at home, loaded from the store, changed by the
 * registrar, ended by time. contract.md, "Devices". */
#ifndef SERVER_LOCATION_H
#define SERVER_LOCATION_H

#include "server/account.h"
#include "sip/message.h"

/* NULL when there is none. */
struct device *location_find_device(struct account *a, struct slice key);
/* The binding to deliver to: newest registration, live, not expired; NULL: the device is away. */
struct binding *location_binding(const struct device *d, uint64_t now_mono_ms);
bool location_reads_method(const struct binding *b, struct slice method); /* by Allow/methods; true when unknown */

/* From the store at start; ERR_NO_MEMORY. A binding over a connection is loaded as not live. */
int location_load_device(struct account *a, const struct store_device *d);
int location_load_binding(struct account *a, const struct store_binding *b);

/* In memory only: the durable side is the registrar's STORE_REGISTER. */
struct device *location_add_device(struct account *a, const struct store_device *d);
void location_remove_device(struct device *d);
struct binding *location_add_binding(struct device *d, const struct store_binding *b);
void location_remove_binding(struct binding *b);
void location_free_devices(struct account *a);

/* Sets account->expiry for the earliest of bindings, 30-day devices and entries (mailbox_next_expiry). */
void location_schedule_expiry(struct account *a);
/* account->expiry's fire: ends bindings (and devices without +sip.instance that have none left) in memory and store,
 * forgets devices not seen for device_days, then calls mailbox_expire. */
void location_expire(struct timer *t);

#endif
