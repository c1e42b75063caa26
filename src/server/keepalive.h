/* Keeps NAT bindings of UDP devices open: an OPTIONS every 25 s, spread evenly; three misses make the binding not live
 * (contract.md, wire rules). Runs at home; the OPTIONS goes out on the worker that owns the flow. */
#ifndef SERVER_KEEPALIVE_H
#define SERVER_KEEPALIVE_H

#include "server/server_private.h"

/* A ping unanswered for this long is a miss: longer than any round trip, shorter than the time to the next one. */
#define KEEPALIVE_TIMEOUT_MS 10000u

/* Begins or restarts pinging a binding that needs it (UDP, behind NAT); else does nothing. A binding that is not live
 * is pinged on: an answer makes it live again and wakes its device's queue. */
void keepalive_start(struct binding *b);
void keepalive_stop(struct binding *b);
/* A packet came over the binding's flow: no misses, and a UDP binding is live again. */
void keepalive_heard(struct binding *b);

#endif
