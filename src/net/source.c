/* Counts connections per source address, so that one address cannot take all places (defects.md row 43). */
#include <stdlib.h>

#include "base/err.h"
#include "net/net_private.h"

/* One IPv6 customer holds a /64: all its addresses are one source. */
static struct address source_ip(const struct address *remote)
{
    struct address ip = *remote;
    ip.port = 0;
    if (ip.family == 6)
        memset(ip.ip + 8, 0, 8);
    return ip;
}

static uint64_t hash_ip(const struct net *n, const struct address *ip)
{
    return hash_slice(&n->key, slice_make((const char *)ip->ip, sizeof ip->ip));
}

static bool same_ip(const struct table_node *node, const void *key)
{
    return address_eq_ip(&CONTAINER_OF(node, const struct source, node)->ip, key);
}

bool source_is_exempt(const struct net *n, const struct address *remote)
{
    for (size_t i = 0; i < n->exempt_count; i++)
        if (network_contains(&n->exempt[i], remote))
            return true;
    return false;
}

struct source *source_take(struct net *n, const struct address *remote)
{
    struct address ip = source_ip(remote);
    uint64_t hash = hash_ip(n, &ip);
    struct table_node *node = table_find(&n->sources, hash, same_ip, &ip);
    struct source *s = node ? CONTAINER_OF(node, struct source, node) : NULL;
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s)
            return NULL;
        s->ip = ip;
        if (table_insert(&n->sources, &s->node, hash) != ERR_NONE) {
            free(s);
            return NULL;
        }
    }
    if (s->total >= n->limits.connections_per_source || s->fresh >= n->limits.fresh_per_source)
        return NULL;
    s->total++;
    s->fresh++;
    return s;
}

void source_no_longer_fresh(struct source *s)
{
    if (s)
        s->fresh--;
}

void source_give(struct net *n, struct source *s, bool fresh)
{
    if (!s)
        return;
    s->fresh -= fresh;
    if (--s->total > 0)
        return;
    table_remove(&n->sources, &s->node);
    free(s);
}
