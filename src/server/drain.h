/* Delivering a device's backlog: in order, one at a time, held while the device is gone. contract C4, C6. */
#ifndef SERVER_DRAIN_H
#define SERVER_DRAIN_H

#include "server/account.h"

/* Begins or goes on, if something is owed, the device is reachable and not held, and nothing is in flight to it. */
void drain_start(struct device *d);
/* The device registered (added or refreshed a contact, its 200 was sent): no longer held; draining starts in 500 ms.
 * New mail without a backlog needs not wait. Branches that went to another address or connection have ended (C4). */
void drain_registered(struct device *d);
/* A packet came from it: it is held for 500 ms at most. */
void drain_wake(struct device *d);
/* After a start: what was owed to it goes on its way soon, if it can be reached. */
void drain_resume(struct device *d);
/* It answered 482: to it the repeat looks like a loop. Nothing is tried before it has forgotten the first try, whatever
 * comes from it (C4). */
void drain_repeat_later(struct device *d);
/* It is gone: nothing is tried until its backoff is over or a packet comes from it. */
void drain_hold(struct device *d);
/* The device leaves. */
void drain_stop(struct device *d);

#endif
