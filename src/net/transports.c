/* The table of transports. */
#include "net/net_private.h"

static const struct transport_ops udp = {
    .open = udp_open,
    .close = udp_close,
    .socket_type = SOCK_DGRAM,
    .default_port = 5060,
    .srv_prefix = SLICE_INIT("_sip._udp."),
};

static const struct transport_ops tcp = {
    .open = tcp_open,
    .close = tcp_close,
    .socket_type = SOCK_STREAM,
    .default_port = 5060,
    .srv_prefix = SLICE_INIT("_sip._tcp."),
    .wire = &tcp_wire,
    .framing = &sip_stream_framing,
};

const struct transport_ops *transports_ops(enum transport t)
{
    static const struct transport_ops *const table[TRANSPORT_COUNT] = {
        [TRANSPORT_UDP] = &udp,
        [TRANSPORT_TCP] = &tcp,
    };
    return (unsigned)t < TRANSPORT_COUNT ? table[t] : NULL;
}
