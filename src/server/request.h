/* A request outside every transaction: the checks that come before authentication, then its method. RFC 3261 §8.2,
 * §16.3. */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include "server/server_private.h"

/* The endpoint's `request` callback, for a server. */
void request_receive(void *context, const struct incoming *in);

#endif
