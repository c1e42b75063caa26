/* The routing table of answers. */
#include "txn/response_path.h"

#define SIP_PORT 5060 /* RFC 3261 §18.2.2: sent-by without a port */

static bool sent_by_is_source(const struct via *via, const struct address *source)
{
    struct address host;
    return address_parse_ip(via->host, &host) == 0 && address_eq_ip(&host, source);
}

bool response_path_make(const struct via *via, const struct flow *source, struct flow *ret)
{
    *ret = *source;
    if (source->transport != TRANSPORT_UDP)
        return true; /* RFC 3261 §18.2.2: the connection that the request came over */
    /* RFC 3581 §4: rport asks for the source port. Without it, a host that differs betrays a NAT (contract.md), and
     * only a host that equals the source can mean its port (§18.2.2). */
    if (via && !via->has_rport && sent_by_is_source(via, &source->remote))
        ret->remote.port = via->port ? via->port : SIP_PORT;
    return ret->remote.port != 0 && !address_is_any(&ret->remote) && !address_is_multicast_or_broadcast(&ret->remote);
}

bool response_path_reopen(const struct via *via, const struct flow *path, char *text, struct hop *ret)
{
    /* A browser cannot be called, and over TLS nothing says whose certificate the other end would have to show. */
    if (path->transport != TRANSPORT_TCP)
        return false;
    struct address host = path->remote;
    host.port = 0;
    struct slice ip = slice_str(address_text(&host, text));
    ip.len -= sizeof ":0" - 1;
    *ret = hop_target(&(struct target){
        .host = ip,
        .port = via->port ? via->port : SIP_PORT,
        .has_transport = true,
        .transport = TRANSPORT_TCP,
    });
    return true;
}
