/* What a REGISTER changes in an account, decided whole before anything is done: RFC 3261 §10.3 step 7, contract.md
 * "Devices". Either all of it is committed or nothing (§10.3: "the update MUST be aborted"). */
#ifndef SERVER_REGISTER_CHANGE_H
#define SERVER_REGISTER_CHANGE_H

#include "server/account.h"
#include "server/register_request.h"

/* The rows for the store; slices borrow from the arena, the request and the account's devices and bindings. */
struct register_change {
    struct store_device devices[REGISTER_CONTACTS_MAX]; /* new or registered again */
    size_t device_count;
    struct store_binding bindings[REGISTER_CONTACTS_MAX]; /* new or refreshed */
    size_t binding_count;
    struct store_binding *removed; /* contact, call_id, device; those that are refreshed are among them */
    size_t removed_count;
    uint8_t forgotten[STORE_DEVICES_MAX];
    size_t forgotten_count;
    uint32_t leaving;    /* bit = number: devices that end */
    uint32_t joining;    /* devices that are new */
    uint32_t registered; /* devices whose contact was added or refreshed */
    uint32_t anew;       /* of these: what was learned of them no longer holds */
};

/* ERR_NONE; ERR_MALFORMED with *ret_fault (500 for an old CSeq, 403 over a limit); ERR_NO_MEMORY. A change without
 * devices, removed and forgotten is none: a query, or a retransmission. */
int register_change_make(struct account *a, const struct register_request *q, struct arena *arena,
                         struct register_change *ret, struct register_fault *ret_fault);

static inline bool register_change_is_empty(const struct register_change *c)
{
    return c->device_count == 0 && c->removed_count == 0 && c->forgotten_count == 0;
}

#endif
