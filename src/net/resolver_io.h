/* c-ares on the loop: its sockets and its timeouts. */
#ifndef NET_RESOLVER_IO_H
#define NET_RESOLVER_IO_H

#include <ares.h>

#include "net/net_private.h"

struct resolver_io;

/* ERR_NO_MEMORY or ERR_IO. */
int resolver_io_new(struct net *n, const char *servers, struct resolver_io **ret);
/* Ends all questions (c-ares calls them back); NULL is legal. */
void resolver_io_free(struct resolver_io *r);
ares_channel resolver_io_channel(struct resolver_io *r);
/* To be called after each question: c-ares' next timeout may have changed. */
void resolver_io_rearm(struct resolver_io *r);

#endif
