/* What the server core is told once: domains, trust, routes, limits. An immutable snapshot that the daemon makes from
 * its file and the simulator by hand; a reload makes a new one. Slices live as long as the snapshot. */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "base/address.h"
#include "server/limits.h"
#include "sip/digest.h"
#include "txn/link.h"

/* Another name of one of our domains. */
struct server_alias {
    struct slice name, domain;
};

/* A listener's own address: a Request-URI, From or To there means the first domain (contract.md, last wire rule). */
struct server_listener {
    enum transport transport;
    struct address address;   /* IP 0.0.0.0 or ::: every address of this machine at that port */
    struct slice public_name; /* host that is advertised; absent: the address */
    uint8_t digest_count;     /* 0: the general list */
    enum digest_algorithm digest[DIGEST_ALGORITHMS];
};

/* routes: another domain ("example.net") or a user prefix ("+49") -> next hop. */
struct server_route {
    struct slice domain, prefix; /* one of the two is set */
    struct target next_hop;
    struct slice next_hop_host; /* NUL-terminated owner of next_hop.host */
};

struct server_config {
    const struct slice *domains; /* lower-case; the first is the default */
    size_t domain_count;
    const struct server_alias *aliases;
    size_t alias_count;
    const struct server_listener *listeners; /* index = flow.listener */
    size_t listener_count;
    const struct network *trusted, *relays;
    size_t trusted_count, relay_count;
    const struct server_route *routes;
    size_t route_count;
    enum digest_algorithm digest[DIGEST_ALGORITHMS]; /* in the order offered */
    uint8_t digest_count;
    struct server_limits limits;
    unsigned workers;
    struct slice server_name; /* "Telex/0.1.0" for Server fields; absent: none */
};

#endif
