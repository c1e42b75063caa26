/* Where an account's devices are: devices and bindings in memory at home, loaded from the store, changed by the
 * registrar, ended by time. contract.md, "Devices". A pointer to a binding is good until the loop's turn ends. */
#ifndef SERVER_LOCATION_H
#define SERVER_LOCATION_H

#include "server/account.h"
#include "sip/message.h"

/* NULL when there is none. Devices without +sip.instance have the Contact and the Call-ID as their key: look for their
 * binding instead. */
struct device *location_find_device(struct account *a, struct slice key);
/* The binding with exactly these texts, or NULL. */
struct binding *location_find_binding(struct account *a, struct slice contact, struct slice call_id);
/* The binding to deliver to: newest registration, live, not expired; NULL: the device is away. */
struct binding *location_binding(const struct device *d, uint64_t now_mono_ms);
/* Whether `edge` is where the Path of one of the account's bindings begins. */
bool location_has_path(const struct account *a, const struct uri *edge);
/* Its Contact as a Request-URI: without the headers part (RFC 3261 §19.1.5; RFC 4475 regescrt). */
struct slice location_request_uri(const struct binding *b);
bool location_reads_method(const struct binding *b, struct slice method); /* by Allow/methods; true when unknown */
/* Walks over all bindings of an account: the first one after `previous` (NULL: from the start), or NULL. */
struct binding *location_next_binding(const struct account *a, const struct binding *previous);

/* From the store at start; ERR_NO_MEMORY. A binding over a connection is loaded as not live. */
int location_load_device(struct account *a, const struct store_device *d);
int location_load_binding(struct account *a, const struct store_binding *b);

/* In memory only: the durable side is the registrar's STORE_REGISTER. NULL without memory. */
struct device *location_add_device(struct account *a, const struct store_device *d);
/* Ends its bindings too. The caller has told mailbox_device_leaves. */
void location_remove_device(struct device *d);
struct binding *location_add_binding(struct device *d, const struct store_binding *b);
void location_remove_binding(struct binding *b);
/* Takes it out of its device; the caller owns it then, and frees it. */
void location_detach_binding(struct binding *b);
void location_free_devices(struct account *a);
/* It was seen now: the days after which it is forgotten begin anew. */
void location_seen(struct device *d, int64_t now_wall_ms);

/* Sets account->expiry for the earliest of bindings, devices to forget and entries (mailbox_next_expiry). */
void location_schedule_expiry(struct account *a);
/* account->expiry's fire: ends bindings (and devices without +sip.instance that have none left) in memory and store,
 * forgets devices not seen for device_days, then calls mailbox_expire. Waits while a REGISTER is being committed: it
 * might refresh what is about to end. */
void location_expire(struct timer *t);

#endif
