/* Where a MESSAGE goes: a local account, the echo, another domain's next hop, or nowhere. */
#ifndef SERVER_ROUTER_H
#define SERVER_ROUTER_H

#include "server/server_private.h"

/* A MESSAGE whose sender is known. Answers it or hands it on; at the arrival worker. */
void router_message(struct server *s, const struct incoming *in, const struct auth_result *sender);

#endif
