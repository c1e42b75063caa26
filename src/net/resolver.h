/* Names to records, by c-ares on the worker's loop, with a bounded memory of answers (and of "no such name"). */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include "net/net_private.h"

enum resolver_kind { RESOLVER_HOST, RESOLVER_SRV };

struct resolver_record {
    struct address address;          /* HOST; without port */
    uint16_t port, priority, weight; /* SRV */
    char host[NET_NAME_BYTES];       /* SRV */
};

/* Lives inside who waits; taken out of its list before `ready` is called. list_remove(&node) withdraws it. */
struct resolver_wait {
    struct list_node node;
    void (*ready)(struct resolver_wait *w);
};

/* `servers`: "ip:port,..." or NULL for the system's. ERR_NO_MEMORY or ERR_IO. */
int resolver_new(struct net *n, const char *servers, struct resolver **ret);
void resolver_free(struct resolver *r);
/* ERR_NONE: the answer is known, *ret_records and *ret_count (0: no such record) are valid until the next call.
 * ERR_NEED_MORE: `wait` is queued; when it is called, the same question is answered at once. ERR_FULL: too many
 * questions. ERR_MALFORMED: no name. ERR_NO_MEMORY. */
int resolver_ask(struct resolver *r, enum resolver_kind kind, struct slice name, struct resolver_wait *wait,
                 const struct resolver_record **ret_records, size_t *ret_count);

#endif
