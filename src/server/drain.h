/* Delivering a device's backlog: in order, one at a time, held while the device is gone. contract C4, C6. */
#ifndef SERVER_DRAIN_H
#define SERVER_DRAIN_H

#include "server/account.h"

/* The device registered (added or refreshed a contact, 200 sent): no longer held; draining starts in 500 ms. An attempt
 * that went to another address or connection has ended (C4). */
void drain_registered(struct device *d);
/* A packet came from it, or its backoff is over: try now. */
void drain_wake(struct device *d);
/* It is gone: hold it, with backoff. */
void drain_hold(struct device *d);
void drain_stop(struct device *d);

#endif
