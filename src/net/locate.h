/* RFC 3263: a target to the addresses to try, in order. */
#ifndef NET_LOCATE_H
#define NET_LOCATE_H

#include "net/resolver.h"

struct locate_result {
    struct address candidates[NET_CANDIDATES];
    size_t count;
};

/* `transport` is decided already (RFC 3263 §4.1 without NAPTR: what the target says, else UDP). ERR_NONE with at least
 * one candidate; ERR_NEED_MORE: `wait` is queued, locate again when it is called; ERR_NOT_FOUND; or an error of
 * resolver_ask. */
int locate(struct net *n, struct slice host, uint16_t port, enum transport transport, struct resolver_wait *wait,
           struct locate_result *ret);

#endif
