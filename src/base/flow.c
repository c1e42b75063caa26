/* Names of transports, and when two flows are the same way. */
#include "base/flow.h"

#include "base/err.h"

static const struct slice names[TRANSPORT_COUNT] = {
    [TRANSPORT_UDP] = SLICE_INIT("UDP"), [TRANSPORT_TCP] = SLICE_INIT("TCP"), [TRANSPORT_TLS] = SLICE_INIT("TLS"),
    [TRANSPORT_WS] = SLICE_INIT("WS"),   [TRANSPORT_WSS] = SLICE_INIT("WSS"),
};

struct slice transport_name(enum transport t)
{
    return (unsigned)t < TRANSPORT_COUNT ? names[t] : SLICE_NONE;
}

int transport_parse(struct slice name, enum transport *ret)
{
    for (unsigned i = 0; i < TRANSPORT_COUNT; i++) {
        if (slice_eq_nocase(names[i], name)) {
            *ret = (enum transport)i;
            return ERR_NONE;
        }
    }
    return ERR_NOT_FOUND;
}

bool flow_eq(const struct flow *a, const struct flow *b)
{
    if (a->transport != b->transport || a->worker != b->worker)
        return false;
    if (a->transport == TRANSPORT_UDP)
        return a->listener == b->listener && address_eq(&a->remote, &b->remote);
    return a->slot == b->slot && a->generation == b->generation;
}
