/* What is ours, by exact comparison with the configured names and addresses. A listener on 0.0.0.0 or :: names no
 * address of its own: the daemon lists the addresses of the machine as further listeners. */
#include "server/us.h"

#include "base/err.h"

static bool same_name(struct slice host, struct slice name)
{
    /* "example.com." is the same host (RFC 3261 §25.1 lets a hostname end with a dot). */
    if (host.len > 1 && host.ptr[host.len - 1] == '.')
        host.len--;
    return slice_eq_nocase(host, name);
}

static bool is_listener_host(const struct server_config *c, struct slice host)
{
    struct address ip;
    bool is_ip = address_parse_ip(host, &ip) == ERR_NONE;
    for (size_t i = 0; i < c->listener_count; i++) {
        const struct server_listener *l = &c->listeners[i];
        if (is_ip && !address_is_any(&l->address) && address_eq_ip(&l->address, &ip))
            return true;
        if (slice_is_set(l->public_name) && same_name(host, l->public_name))
            return true;
    }
    return false;
}

static bool is_listener_port(const struct server_config *c, uint16_t port)
{
    for (size_t i = 0; i < c->listener_count; i++)
        if (c->listeners[i].address.port == port)
            return true;
    return false;
}

bool us_is_host(const struct server_config *c, struct slice host, struct slice *ret_domain)
{
    struct slice domain = SLICE_NONE;
    for (size_t i = 0; i < c->domain_count && !slice_is_set(domain); i++)
        if (same_name(host, c->domains[i]))
            domain = c->domains[i];
    for (size_t i = 0; i < c->alias_count && !slice_is_set(domain); i++)
        if (same_name(host, c->aliases[i].name))
            domain = c->aliases[i].domain;
    if (!slice_is_set(domain) && c->domain_count > 0 && is_listener_host(c, host))
        domain = c->domains[0];
    if (!slice_is_set(domain))
        return false;
    if (ret_domain)
        *ret_domain = domain;
    return true;
}

static bool is_sip(const struct uri *u)
{
    return u->scheme == URI_SIP || u->scheme == URI_SIPS;
}

bool us_is_uri(const struct server_config *c, const struct uri *u, struct slice *ret_domain)
{
    if (!is_sip(u) || (u->port != 0 && !is_listener_port(c, u->port)))
        return false;
    return us_is_host(c, u->host, ret_domain);
}

int us_aor(const struct server_config *c, const struct uri *u, struct buf *out)
{
    struct slice domain;
    if (!is_sip(u))
        return ERR_UNSUPPORTED;
    if (!us_is_host(c, u->host, &domain))
        return ERR_NOT_FOUND;
    return uri_append_aor_at(out, u, domain);
}
