/* Keeps NAT bindings of UDP devices open: an OPTIONS every 25 s, spread evenly; three misses make the binding not live
 * (contract.md, wire rules). Runs at home; the OPTIONS goes out on the worker that owns the flow. */
#ifndef SERVER_KEEPALIVE_H
#define SERVER_KEEPALIVE_H

#include "server/server_private.h"

/* Begins or restarts pinging a binding that needs it (UDP, behind NAT); else does nothing. */
void keepalive_start(struct binding *b);
void keepalive_stop(struct binding *b);

#endif
