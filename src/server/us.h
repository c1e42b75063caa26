/* What is ours: domains, aliases, listener addresses (contract.md, last wire rule). */
#ifndef SERVER_US_H
#define SERVER_US_H

#include "server/config.h"
#include "sip/uri.h"

/* Whether the URI's host and port are ours; *ret_domain (may be NULL) is the domain that it means: itself, the alias's,
 * or the first one for an address of ours. A port must be absent or a listener's. */
bool us_is_uri(const struct server_config *c, const struct uri *u, struct slice *ret_domain);
/* As above for the host alone (From and To, where the port says nothing). */
bool us_is_host(const struct server_config *c, struct slice host, struct slice *ret_domain);
/* The canonical address-of-record of a URI of ours; ERR_NOT_FOUND when it is not ours, ERR_MALFORMED. For tel: URIs and
 * others ERR_UNSUPPORTED. */
int us_aor(const struct server_config *c, const struct uri *u, struct buf *out);

#endif
