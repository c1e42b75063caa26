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

static uint64_t share(const struct resolver_record *r)
{
    return (uint64_t)r->weight * 100 + 1; /* a weight of 0 counts a little, so that it is drawn at all */
}

static void swap(struct resolver_record *a, struct resolver_record *b)
{
    struct resolver_record kept = *a;
    *a = *b;
    *b = kept;
}

/* RFC 2782: by priority; among equal ones each is drawn with a chance in proportion to its weight. */
static void order(struct random *random, struct resolver_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t total = 0;
        size_t drawn = i;
        /* One pass finds the lowest priority left, and draws among its records as they come. */
        for (size_t j = i; j < count; j++) {
            if (records[j].priority > records[drawn].priority)
                continue;
            if (records[j].priority < records[drawn].priority)
                total = 0;
            total += share(&records[j]);
            if (random_below(random, total) < share(&records[j]))
                drawn = j;
        }
        swap(&records[i], &records[drawn]);
    }
}

static int add_services(struct net *n, const struct resolver_record *records, size_t count, enum transport transport,
                        struct resolver_wait *wait, struct locate_result *ret)
{
    struct resolver_record sorted[NET_RECORDS]; /* asking for a host may drop the answer that we read */
    memcpy(sorted, records, count * sizeof *records);
    order(n->random, sorted, count);
    for (size_t i = 0; i < count; i++) {
        int err = add_host(n, slice_str(sorted[i].host), sorted[i].port, transport, wait, ret);
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
