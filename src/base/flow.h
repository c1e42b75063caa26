/* A flow names where bytes came from and where bytes can go: a value, safe to copy, store and compare, never a pointer.
 * A stale one is noticed by its generation. */
#ifndef BASE_FLOW_H
#define BASE_FLOW_H

#include "base/address.h"

enum transport { TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_WS, TRANSPORT_WSS, TRANSPORT_COUNT };

struct flow {
    uint8_t transport; /* enum transport */
    uint8_t worker;    /* owns the socket */
    uint16_t listener; /* index of the configured listener; UINT16_MAX: a connection that we opened */
    uint32_t slot;     /* connection's place in its worker's table; 0 for UDP */
    uint32_t generation;
    struct address local, remote;
};

static inline bool transport_is_reliable(enum transport t)
{
    return t != TRANSPORT_UDP;
}
/* "UDP", "TCP", "TLS", "WS", "WSS" as in a Via (RFC 3261 §20.42, RFC 7118 §5.2). */
struct slice transport_name(enum transport t);
/* From a Via or a transport= parameter, without case. ERR_NOT_FOUND. */
int transport_parse(struct slice name, enum transport *ret);
/* Same way for bytes to go: same connection, or for UDP the same listener and remote. */
bool flow_eq(const struct flow *a, const struct flow *b);

#endif
