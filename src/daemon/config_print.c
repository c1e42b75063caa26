/* The configuration as YAML that would be read back as the same: see config.h. */
#include "daemon/config.h"
#include "daemon/config_limits.h"

/* Octets over 0x7F are UTF-8: that is all that YAML lets through. */
static void print_quoted(const char *text, struct buf *out)
{
    buf_append_char(out, '"');
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7F)
            buf_printf(out, "\\x%02X", *p);
        else
            buf_printf(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    }
    buf_append_char(out, '"');
}

static void print_networks(struct buf *out, const char *key, const struct network *networks, size_t count)
{
    buf_printf(out, "%s: [", key);
    for (size_t i = 0; i < count; i++) {
        buf_append_str(out, i ? ", \"" : "\"");
        address_append_ip(out, &networks[i].base);
        buf_printf(out, "/%u\"", networks[i].prefix);
    }
    buf_append_str(out, "]\n");
}

static void print_hop(struct buf *out, const struct target *t)
{
    if (t->has_transport)
        buf_printf(out, "%s:", t->transport == TRANSPORT_UDP ? "udp" : "tcp");
    buf_append(out, t->host);
    if (t->port)
        buf_printf(out, ":%u", t->port);
}

void config_print_listener(const struct config *c, size_t i, struct buf *out)
{
    buf_append_str(out, c->listeners[i].transport == TRANSPORT_UDP ? "udp:" : "tcp:");
    address_append(out, &c->listeners[i].address);
}

void config_print(const struct config *c, struct buf *out)
{
    const struct server_config *s = &c->server;
    buf_append_str(out, "domains:\n");
    for (size_t i = 0; i < s->domain_count; i++)
        buf_printf(out, "  - %.*s\n", SLICE_ARG(s->domains[i]));
    buf_append_str(out, "data: ");
    print_quoted(c->data, out);
    buf_append_str(out, "\nlisten:\n");
    for (size_t i = 0; i < c->listener_count; i++) {
        buf_append_str(out, "  - at: \"");
        config_print_listener(c, i, out);
        buf_append_str(out, "\"\n");
        if (s->listeners[i].public_name.len)
            buf_printf(out, "    public: %.*s\n", SLICE_ARG(s->listeners[i].public_name));
    }
    buf_append_str(out, "auth:\n");
    print_networks(out, "  trusted", s->trusted, s->trusted_count);
    buf_append_str(out, "  digest: [");
    for (size_t i = 0; i < s->digest_count; i++)
        buf_printf(out, "%s%.*s", i ? ", " : "", SLICE_ARG(digest_algorithm_name(s->digest[i])));
    buf_append_str(out, "]\n");
    print_networks(out, "relays", s->relays, s->relay_count);
    buf_printf(out, "aliases:%s\n", s->alias_count ? "" : " {}");
    for (size_t i = 0; i < s->alias_count; i++)
        buf_printf(out, "  %.*s: %.*s\n", SLICE_ARG(s->aliases[i].name), SLICE_ARG(s->aliases[i].domain));
    buf_printf(out, "routes:%s\n", s->route_count ? "" : " {}");
    for (size_t i = 0; i < s->route_count; i++) {
        const struct server_route *route = &s->routes[i];
        buf_printf(out, "  \"%.*s\": \"", SLICE_ARG(route->domain.len ? route->domain : route->prefix));
        print_hop(out, &route->next_hop);
        buf_append_str(out, "\"\n");
    }
    config_limits_print(&s->limits, out);
    buf_printf(out, "workers: %u\n", s->workers);
}
