/* Values that the configuration writes as one word: listeners, next hops, networks, digest algorithms, domains. */
#ifndef DAEMON_CONFIG_VALUES_H
#define DAEMON_CONFIG_VALUES_H

#include "daemon/reader.h"
#include "server/config.h"

/* "udp:127.0.0.1:5060", "tcp:[::]:5060" */
int config_values_listener(struct reader *r, const struct place *at, enum transport *ret_transport,
                           struct address *ret_address);
/* Letters, digits, ".", "-" and "_". */
bool config_values_is_host(struct slice s);
/* "udp:192.0.2.1:5060", "tcp:sip.example.net" (RFC 3263 finds the port), "sip.example.net" (and the transport) */
int config_values_hop(struct reader *r, const struct place *at, struct target *ret);
/* "192.0.2.0/24" */
int config_values_network(struct reader *r, const struct place *at, struct network *ret);
/* A host name, lower-cased. */
int config_values_domain(struct reader *r, const struct place *at, struct slice *ret);
/* [sha-256, md5] */
int config_values_digest(struct reader *r, const struct place *at, enum digest_algorithm ret[DIGEST_ALGORITHMS],
                         uint8_t *ret_count);

#endif
