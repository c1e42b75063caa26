/* Token buckets per sender and per source address: how much one of them may ask. One per worker, so a peer whose
 * connections are spread over workers gets the rate once on each. Bounded: the longest-idle bucket makes room, and a
 * forgotten one begins full again. */
#ifndef SERVER_RATES_H
#define SERVER_RATES_H

#include "base/address.h"
#include "base/hash.h"
#include "server/limits.h"

/* 65 536 buckets of each kind, about 5 MB when all are in use: more sources than one worker's sockets see in a burst.
 */
#define RATES_BUCKETS_MAX 65536u

struct rates;

/* ERR_NONE or ERR_NO_MEMORY. */
int rates_new(const struct hash_key *key, const struct server_limits *limits, struct rates **ret);
void rates_free(struct rates *r);
/* Other limits, from now on. */
void rates_set_limits(struct rates *r, const struct server_limits *limits);

/* Takes one token; false: the source or sender is over its rate. An IPv6 source counts as its /64: one customer has
 * that many addresses. Without memory for a bucket the request passes. */
bool rates_source(struct rates *r, const struct address *source, uint64_t now_mono_ms);
bool rates_sender(struct rates *r, struct slice sender, uint64_t now_mono_ms);

#endif
