/* The configuration's sections, its defaults, and what becomes of them: see config.h. */
#include "daemon/config.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/config_values.h"

/* A configuration with 10 000 routes and networks. */
#define CONFIG_BYTES_MAX (16u * 1024 * 1024)
/* Listeners and this machine's addresses at their ports. */
#define LISTENERS_MAX 64u
#define US_MAX        1024u

static const char builtin[] = "domains: [localhost]\n"
                              "listen: [udp:0.0.0.0:5060, tcp:0.0.0.0:5060, udp:[::]:5060, tcp:[::]:5060]\n";

/* An array of `count` zeroed elements; one more, so that it is never of size 0. */
static void *array(struct reader *r, size_t count, size_t size)
{
    return arena_alloc(r->arena, (count + 1) * size);
}

/* --- domains, data, workers --- */

static int read_domain(struct reader *r, const struct place *at, size_t index, void *into)
{
    return config_values_domain(r, at, &((struct slice *)into)[index]);
}

static int read_domains(struct reader *r, const struct place *at, void *into)
{
    struct config *c = into;
    struct slice *domains = array(r, reader_count(r, at), sizeof *domains);
    if (!domains)
        return ERR_NO_MEMORY;
    c->server.domains = domains;
    c->server.domain_count = reader_count(r, at);
    if (!c->server.domain_count && at->node->type == YAML_SEQUENCE_NODE)
        return reader_fail(r, at, "expected at least one domain");
    return reader_list(r, at, read_domain, domains);
}

static int read_data(struct reader *r, const struct place *at, void *into)
{
    struct slice text;
    int err = reader_text(r, at, &text);
    if (err != ERR_NONE)
        return err;
    if (!text.len)
        return reader_fail(r, at, "expected a folder");
    ((struct config *)into)->data = text.ptr; /* reader_text leaves a NUL behind it */
    return ERR_NONE;
}

static int read_workers(struct reader *r, const struct place *at, void *into)
{
    uint64_t n;
    int err = reader_number(r, at, 0, 64, &n);
    if (err == ERR_NONE)
        ((struct config *)into)->server.workers = (unsigned)n;
    return err;
}

/* --- listen --- */

struct listen_entry {
    struct config *config;
    struct net_listener *net;
    struct server_listener *server;
};

static int read_at(struct reader *r, const struct place *at, void *into)
{
    struct listen_entry *e = into;
    int err = config_values_listener(r, at, &e->server->transport, &e->server->address);
    e->net->transport = e->server->transport;
    e->net->address = e->server->address;
    return err;
}

static int read_public(struct reader *r, const struct place *at, void *into)
{
    struct listen_entry *e = into;
    int err = config_values_domain(r, at, &e->server->public_name);
    e->net->advertised = e->server->public_name;
    return err;
}

static int read_listener_digest(struct reader *r, const struct place *at, void *into)
{
    struct listen_entry *e = into;
    return config_values_digest(r, at, e->server->digest, &e->server->digest_count);
}

static int read_listener(struct reader *r, const struct place *at, size_t index, void *into)
{
    static const struct key keys[] = {{"at", read_at}, {"public", read_public}, {"digest", read_listener_digest}};
    struct config *c = into;
    struct listen_entry e = {.config = c,
                             .net = &c->listeners[index],
                             .server = (struct server_listener *)(uintptr_t)&c->server.listeners[index]};
    if (index >= LISTENERS_MAX)
        return reader_fail(r, at, "more than %u listeners", LISTENERS_MAX);
    if (at->node->type != YAML_MAPPING_NODE)
        return read_at(r, at, &e);
    int err = reader_map(r, at, keys, sizeof keys / sizeof keys[0], &e);
    if (err == ERR_NONE && !e.server->address.family)
        err = reader_fail(r, at, "expected at: transport:address:port");
    return err;
}

static int read_listen(struct reader *r, const struct place *at, void *into)
{
    struct config *c = into;
    size_t count = reader_count(r, at);
    c->listeners = array(r, count, sizeof *c->listeners);
    c->server.listeners = array(r, US_MAX, sizeof *c->server.listeners);
    if (!c->listeners || !c->server.listeners)
        return ERR_NO_MEMORY;
    c->listener_count = c->server.listener_count = count;
    if (!count && at->node->type == YAML_SEQUENCE_NODE)
        return reader_fail(r, at, "expected at least one listener");
    return reader_list(r, at, read_listener, c);
}

/* --- auth, relays --- */

static int read_network(struct reader *r, const struct place *at, size_t index, void *into)
{
    return config_values_network(r, at, &((struct network *)into)[index]);
}

static int read_networks(struct reader *r, const struct place *at, const struct network **ret, size_t *ret_count)
{
    struct network *networks = array(r, reader_count(r, at), sizeof *networks);
    if (!networks)
        return ERR_NO_MEMORY;
    *ret = networks;
    *ret_count = reader_count(r, at);
    return reader_list(r, at, read_network, networks);
}

static int read_trusted(struct reader *r, const struct place *at, void *into)
{
    struct server_config *s = into;
    return read_networks(r, at, &s->trusted, &s->trusted_count);
}

static int read_digest(struct reader *r, const struct place *at, void *into)
{
    struct server_config *s = into;
    return config_values_digest(r, at, s->digest, &s->digest_count);
}

static int read_auth(struct reader *r, const struct place *at, void *into)
{
    static const struct key keys[] = {{"trusted", read_trusted}, {"digest", read_digest}};
    return reader_map(r, at, keys, sizeof keys / sizeof keys[0], &((struct config *)into)->server);
}

static int read_relays(struct reader *r, const struct place *at, void *into)
{
    struct server_config *s = &((struct config *)into)->server;
    return read_networks(r, at, &s->relays, &s->relay_count);
}

/* --- aliases, routes --- */

static int read_alias(struct reader *r, const struct place *at, struct slice key, void *into)
{
    struct server_config *s = into;
    struct server_alias *alias = (struct server_alias *)(uintptr_t)&s->aliases[s->alias_count++];
    alias->name = arena_copy(r->arena, key);
    return config_values_domain(r, at, &alias->domain);
}

static int read_aliases(struct reader *r, const struct place *at, void *into)
{
    struct server_config *s = &((struct config *)into)->server;
    s->aliases = array(r, reader_count(r, at), sizeof *s->aliases);
    return s->aliases ? reader_pairs(r, at, read_alias, s) : ERR_NO_MEMORY;
}

/* A key with a dot, or without a digit or "+" in front, is a domain. */
static bool is_prefix(struct slice key)
{
    if (slice_find(key, '.') >= 0 || !key.len)
        return false;
    return key.ptr[0] == '+' || (key.ptr[0] >= '0' && key.ptr[0] <= '9');
}

static int read_route(struct reader *r, const struct place *at, struct slice key, void *into)
{
    struct server_config *s = into;
    struct server_route *route = (struct server_route *)(uintptr_t)&s->routes[s->route_count++];
    if (!key.len)
        return reader_fail(r, at, "expected a domain, or a prefix as in +49");
    *(is_prefix(key) ? &route->prefix : &route->domain) = arena_copy(r->arena, key);
    return config_values_hop(r, at, &route->next_hop);
}

static int read_routes(struct reader *r, const struct place *at, void *into)
{
    struct server_config *s = &((struct config *)into)->server;
    s->routes = array(r, reader_count(r, at), sizeof *s->routes);
    return s->routes ? reader_pairs(r, at, read_route, s) : ERR_NO_MEMORY;
}

/* --- limits --- */

struct limit {
    const char *name;
    size_t offset;
    bool is_wide;
};

#define LIMIT(field)                                                                                                   \
    {                                                                                                                  \
#field, offsetof(struct server_limits, field), sizeof(((struct server_limits *)0)->field) == 8                 \
    }

static const struct limit limits[] = {
    LIMIT(mailbox_messages),   LIMIT(mailbox_bytes),     LIMIT(copy_messages),      LIMIT(bindings_per_account),
    LIMIT(message_bytes),      LIMIT(message_life_s),    LIMIT(message_life_max_s), LIMIT(register_min_s),
    LIMIT(register_default_s), LIMIT(register_max_s),    LIMIT(device_days),        LIMIT(sender_per_minute),
    LIMIT(sender_burst),       LIMIT(source_per_second), LIMIT(source_burst),       LIMIT(deciding_max),
    LIMIT(duplicates_max),
};

static int read_limit(struct reader *r, const struct place *at, struct slice key, void *into)
{
    uint64_t n;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (!slice_eq(key, slice_str(limits[i].name)))
            continue;
        char *field = (char *)into + limits[i].offset;
        int err = reader_number(r, at, 1, limits[i].is_wide ? INT64_MAX : INT32_MAX, &n);
        if (err != ERR_NONE)
            return err;
        if (limits[i].is_wide)
            memcpy(field, &n, sizeof n);
        else
            *(uint32_t *)(void *)field = (uint32_t)n;
        return ERR_NONE;
    }
    return reader_fail(r, at, "unknown limit");
}

static int read_limits(struct reader *r, const struct place *at, void *into)
{
    return reader_pairs(r, at, read_limit, &((struct config *)into)->server.limits);
}

/* --- the whole --- */

static const struct key sections[] = {
    {"domains", read_domains}, {"data", read_data},     {"listen", read_listen},
    {"auth", read_auth},       {"relays", read_relays}, {"aliases", read_aliases},
    {"routes", read_routes},   {"limits", read_limits}, {"workers", read_workers},
};

static int check_aliases(struct reader *r, const struct place *root, const struct config *c)
{
    for (size_t i = 0; i < c->server.alias_count; i++) {
        const struct server_alias *alias = &c->server.aliases[i];
        bool found = false;
        for (size_t k = 0; k < c->server.domain_count; k++)
            found = found || slice_eq(alias->domain, c->server.domains[k]);
        if (!found)
            return reader_fail(r, root, "aliases.%.*s: '%.*s' is not one of domains", SLICE_ARG(alias->name),
                               SLICE_ARG(alias->domain));
    }
    return ERR_NONE;
}

static int read_root(struct reader *r, struct config *c)
{
    struct place root = {.node = yaml_document_get_root_node(&r->document)};
    if (!root.node) {
        (void)asprintf(&r->message, "%s: the file is empty", r->file);
        return ERR_MALFORMED;
    }
    int err = reader_map(r, &root, sections, sizeof sections / sizeof sections[0], c);
    if (err == ERR_NONE && !c->server.domain_count)
        err = reader_fail(r, &root, "domains: is missing, as in domains: [example.com]");
    if (err == ERR_NONE && !c->listener_count)
        err = reader_fail(r, &root, "listen: is missing, as in listen: [udp:0.0.0.0:5060]");
    if (err == ERR_NONE && c->server.limits.register_min_s > c->server.limits.register_max_s)
        err = reader_fail(r, &root, "limits.register_min_s is over limits.register_max_s");
    return err == ERR_NONE ? check_aliases(r, &root, c) : err;
}

static int parse(struct reader *r, FILE *in, struct config *c)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return ERR_NO_MEMORY;
    if (in)
        yaml_parser_set_input_file(&parser, in);
    else
        yaml_parser_set_input_string(&parser, (const unsigned char *)builtin, sizeof builtin - 1);
    int err = ERR_MALFORMED;
    if (yaml_parser_load(&parser, &r->document)) {
        err = read_root(r, c);
        yaml_document_delete(&r->document);
    } else if (asprintf(&r->message, "%s:%zu: %s", r->file, parser.problem_mark.line + 1,
                        parser.problem ? parser.problem : "not YAML") < 0) {
        r->message = NULL;
    }
    yaml_parser_delete(&parser);
    return err;
}

static int set_data(struct config *c, const char *data)
{
    char text[4096];
    const char *home = getenv("HOME"), *share = getenv("XDG_DATA_HOME");
    if (!data && c->data)
        return ERR_NONE;
    if (data)
        (void)snprintf(text, sizeof text, "%s", data);
    else if (geteuid() == 0)
        (void)snprintf(text, sizeof text, "/var/lib/telex");
    else if (share && *share)
        (void)snprintf(text, sizeof text, "%s/telex", share);
    else
        (void)snprintf(text, sizeof text, "%s/.local/share/telex", home ? home : ".");
    c->data = arena_copy(&c->arena, slice_make(text, strlen(text) + 1)).ptr;
    return c->data ? ERR_NONE : ERR_NO_MEMORY;
}

static int set_exempt(struct config *c)
{
    size_t trusted = c->server.trusted_count, relays = c->server.relay_count;
    c->exempt = arena_alloc(&c->arena, (trusted + relays + 1) * sizeof *c->exempt);
    if (!c->exempt)
        return ERR_NO_MEMORY;
    if (trusted)
        memcpy(c->exempt, c->server.trusted, trusted * sizeof *c->exempt);
    if (relays)
        memcpy(c->exempt + trusted, c->server.relays, relays * sizeof *c->exempt);
    c->exempt_count = trusted + relays;
    return ERR_NONE;
}

static void set_defaults(struct config *c)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (c->server.workers == 0)
        c->server.workers = cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
    if (c->server.digest_count == 0)
        c->server.digest[c->server.digest_count++] = DIGEST_MD5; /* docs: why md5 alone, see contract.md */
    c->server.server_name = SLICE("Telex/" TELEX_VERSION);
}

int config_load(const char *file, const char *data, struct config **ret, char **ret_message)
{
    struct config *c = calloc(1, sizeof *c);
    struct reader r = {.file = file ? file : "built-in configuration"};
    FILE *in = NULL;
    int err = c ? ERR_NONE : ERR_NO_MEMORY;
    if (c) {
        arena_init(&c->arena, CONFIG_BYTES_MAX);
        r.arena = &c->arena;
        server_limits_default(&c->server.limits);
    }
    if (err == ERR_NONE && file && !(in = fopen(file, "re"))) {
        err = ERR_IO;
        (void)asprintf(&r.message, "%s: %m", file);
    }
    if (err == ERR_NONE)
        err = parse(&r, in, c);
    if (in)
        (void)fclose(in);
    if (err == ERR_NONE)
        err = set_data(c, data);
    if (err == ERR_NONE)
        err = set_exempt(c);
    if (err != ERR_NONE) {
        *ret_message = r.message ? r.message : strdup(err_text(err));
        config_free(c);
        return err;
    }
    set_defaults(c);
    c->file = file ? arena_copy(&c->arena, slice_make(file, strlen(file) + 1)).ptr : NULL;
    *ret = c;
    return ERR_NONE;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    arena_deinit(&c->arena);
    free(c);
}

/* --- bound addresses --- */

static void add_us(struct config *c, const struct server_listener *like, const struct address *ip)
{
    struct server_listener *listeners = (struct server_listener *)(uintptr_t)c->server.listeners;
    if (c->server.listener_count == US_MAX)
        return;
    struct server_listener *l = &listeners[c->server.listener_count++];
    *l = *like;
    l->address = *ip;
    l->address.port = like->address.port;
}

static int add_interfaces(struct config *c, const struct server_listener *like)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0)
        return ERR_IO;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        struct address ip = {0};
        if (!i->ifa_addr)
            continue;
        if (i->ifa_addr->sa_family == AF_INET && like->address.family == 4) {
            const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)i->ifa_addr;
            ip.family = 4;
            memcpy(ip.ip, &in->sin_addr, 4);
        } else if (i->ifa_addr->sa_family == AF_INET6 && like->address.family == 6) {
            const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)i->ifa_addr;
            ip.family = 6;
            memcpy(ip.ip, &in->sin6_addr, 16);
        } else {
            continue;
        }
        add_us(c, like, &ip);
    }
    freeifaddrs(all);
    return ERR_NONE;
}

int config_set_bound(struct config *c, size_t i, const struct address *bound)
{
    struct server_listener *l = (struct server_listener *)(uintptr_t)&c->server.listeners[i];
    c->listeners[i].address = *bound;
    l->address = *bound;
    return address_is_any(bound) ? add_interfaces(c, l) : ERR_NONE;
}

/* --- printing --- */

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

static void print_limits(const struct config *c, struct buf *out)
{
    buf_append_str(out, "limits:\n");
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const char *field = (const char *)&c->server.limits + limits[i].offset;
        uint64_t n = limits[i].is_wide ? *(const uint64_t *)(const void *)field
                                       : *(const uint32_t *)(const void *)field;
        buf_printf(out, "  %s: %llu\n", limits[i].name, (unsigned long long)n);
    }
}

void config_print(const struct config *c, struct buf *out)
{
    const struct server_config *s = &c->server;
    buf_append_str(out, "domains:\n");
    for (size_t i = 0; i < s->domain_count; i++)
        buf_printf(out, "  - %.*s\n", SLICE_ARG(s->domains[i]));
    buf_printf(out, "data: %s\nlisten:\n", c->data);
    for (size_t i = 0; i < c->listener_count; i++) {
        buf_printf(out, "  - at: \"%s:", c->listeners[i].transport == TRANSPORT_UDP ? "udp" : "tcp");
        address_append(out, &c->listeners[i].address);
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
    print_limits(c, out);
    buf_printf(out, "workers: %u\n", s->workers);
}
