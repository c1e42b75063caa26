/* The order of RFC 3263 §4.2: an IP literal as it is; a port given: the host's addresses; else SRV, by priority and
 * weight (RFC 2782), and where there is no SRV the host at the default port. Run again from the start after each
 * answer that was waited for: what was asked before is remembered by then. */
#include "net/locate.h"

#include "base/err.h"

static int add_host(struct net *n, struct slice host, uint16_t port, enum transport transport,
                    struct resolver_wait *wait, struct locate_result *ret)
{
    const struct resolver_record *records;
    struct address literal;
    size_t count;
    if (address_parse_ip(host, &literal) == ERR_NONE) {
        literal.port = port;
        if (ret->count < NET_CANDIDATES)
            ret->candidates[ret->count++] = literal;
        return ERR_NONE;
    }
    int err = resolver_ask(n->resolver, RESOLVER_HOST, host, wait, &records, &count);
    for (size_t i = 0; !err && i < count && ret->count < NET_CANDIDATES; i++) {
        struct address a = records[i].address;
        a.port = port;
        if (listener_toward(n, transport, &a)) /* not an IPv6 address where we only have IPv4 */
            ret->candidates[ret->count++] = a;
    }
    return err;
}

static bool comes_before(const struct resolver_record *a, const struct resolver_record *b)
{
    return a->priority < b->priority;
}

/* RFC 2782: among equal priorities each is drawn with a chance in proportion to its weight (a weight of 0 counts a
 * little, so that it is drawn at all). */
static void order(struct random *random, const struct resolver_record **records, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && comes_before(records[j], records[j - 1]); j--) {
            const struct resolver_record *swap = records[j];
            records[j] = records[j - 1];
            records[j - 1] = swap;
        }
    for (size_t i = 0; i < count; i++) {
        uint64_t total = 0;
        size_t end = i;
        for (; end < count && records[end]->priority == records[i]->priority; end++)
            total += (uint64_t)records[end]->weight * 100 + 1;
        uint64_t drawn = random_below(random, total);
        size_t at = i;
        while (drawn >= (uint64_t)records[at]->weight * 100 + 1)
            drawn -= (uint64_t)records[at++]->weight * 100 + 1;
        const struct resolver_record *swap = records[at];
        records[at] = records[i];
        records[i] = swap;
    }
}

static int add_services(struct net *n, const struct resolver_record *records, size_t count, enum transport transport,
                        struct resolver_wait *wait, struct locate_result *ret)
{
    struct resolver_record copies[NET_RECORDS]; /* asking for a host may drop the answer that we read */
    const struct resolver_record *sorted[NET_RECORDS];
    for (size_t i = 0; i < count; i++) {
        copies[i] = records[i];
        sorted[i] = &copies[i];
    }
    order(n->random, sorted, count);
    for (size_t i = 0; i < count; i++) {
        int err = add_host(n, slice_str(sorted[i]->host), sorted[i]->port, transport, wait, ret);
        if (err == ERR_NEED_MORE)
            return err;
    }
    return ERR_NONE;
}

int locate(struct net *n, struct slice host, uint16_t port, enum transport transport, struct resolver_wait *wait,
           struct locate_result *ret)
{
    const struct transport_ops *ops = transports_ops(transport);
    const struct resolver_record *records;
    struct address literal;
    size_t count = 0;
    struct buf name;
    ret->count = 0;
    int err = ERR_NONE;
    if (port == 0 && address_parse_ip(host, &literal) != ERR_NONE) {
        buf_init(&name, NET_NAME_BYTES);
        buf_append(&name, ops->srv_prefix);
        buf_append(&name, host);
        err = buf_ok(&name) ? resolver_ask(n->resolver, RESOLVER_SRV, buf_slice(&name), wait, &records, &count)
                            : ERR_MALFORMED;
        buf_deinit(&name);
        if (err)
            return err;
    }
    if (count > 0)
        err = add_services(n, records, count, transport, wait, ret);
    else
        err = add_host(n, host, port ? port : ops->default_port, transport, wait, ret);
    if (err)
        return err;
    return ret->count ? ERR_NONE : ERR_NOT_FOUND;
}
