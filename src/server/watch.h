/* Wakes a held device at the first packet that comes from where it was (contract C6: "restarted by any packet from
 * it"). The table lives on the worker that hears the flow; the device at home. */
#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

#include "base/hash.h"
#include "server/account.h"

struct watch;

int watch_new(const struct hash_key *key, struct watch **ret);
void watch_free(struct watch *w);
/* At home: asks the worker that owns the binding's flow to listen for it. The next packet from there makes the binding
 * live again and wakes its device. */
void watch_binding(const struct binding *b);
/* At the hearing worker, for every packet. */
void watch_heard(struct server *s, const struct flow *flow);

#endif
