/* The configuration's sections, its defaults, and what becomes of them: see config.h. */
#include "daemon/config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/config_limits.h"
#include "daemon/config_values.h"
#include "daemon/data_folder.h"

/* A configuration with 10 000 routes and networks. */
#define CONFIG_BYTES_MAX (16u * 1024 * 1024)
#define LISTENERS_MAX    64u

static const char builtin[] = "domains: [localhost]\n"
                              "listen: [udp:0.0.0.0:5060, tcp:0.0.0.0:5060, \"udp:[::]:5060\", \"tcp:[::]:5060\"]\n";
static const char builtin_without_ipv6[] = "domains: [localhost]\n"
                                           "listen: [udp:0.0.0.0:5060, tcp:0.0.0.0:5060]\n";

static const char *builtin_text(void)
{
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return builtin_without_ipv6;
    close(fd);
    return builtin;
}

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
    bool is_long = at->node->type == YAML_MAPPING_NODE;
    int err = is_long ? reader_map(r, at, keys, sizeof keys / sizeof keys[0], &e) : read_at(r, at, &e);
    if (err == ERR_NONE && !e.server->address.family)
        err = reader_fail(r, at, "expected at: transport:address:port");
    for (size_t i = 0; err == ERR_NONE && e.net->address.port && i < index; i++)
        if (c->listeners[i].transport == e.net->transport && address_eq(&c->listeners[i].address, &e.net->address))
            err = reader_fail(r, at, "stands twice");
    return err;
}

static int read_listen(struct reader *r, const struct place *at, void *into)
{
    struct config *c = into;
    size_t count = reader_count(r, at);
    c->listeners = array(r, count, sizeof *c->listeners);
    c->server.listeners = array(r, CONFIG_US_MAX, sizeof *c->server.listeners);
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
    if (!config_values_is_host(key))
        return reader_fail(r, at, "'%.*s' is not a host name", SLICE_ARG(key));
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
    if (!is_prefix(key) && !config_values_is_host(key))
        return reader_fail(r, at, "'%.*s' is no domain, and no prefix as in +49", SLICE_ARG(key));
    *(is_prefix(key) ? &route->prefix : &route->domain) = arena_copy(r->arena, key);
    return config_values_hop(r, at, &route->next_hop);
}

static int read_routes(struct reader *r, const struct place *at, void *into)
{
    struct server_config *s = &((struct config *)into)->server;
    s->routes = array(r, reader_count(r, at), sizeof *s->routes);
    return s->routes ? reader_pairs(r, at, read_route, s) : ERR_NO_MEMORY;
}

/* --- the whole --- */

static const struct key sections[] = {
    {"domains", read_domains}, {"data", read_data},       {"listen", read_listen}, {"auth", read_auth},
    {"relays", read_relays},   {"aliases", read_aliases}, {"routes", read_routes}, {"limits", config_limits_read},
    {"workers", read_workers},
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
        reader_note(r, "%s: the file is empty", r->file);
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
    const char *text = builtin_text();
    if (!yaml_parser_initialize(&parser))
        return ERR_NO_MEMORY;
    if (in)
        yaml_parser_set_input_file(&parser, in);
    else
        yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
    int err = ERR_MALFORMED;
    if (yaml_parser_load(&parser, &r->document)) {
        err = read_root(r, c);
        yaml_document_delete(&r->document);
    } else if (in && ferror(in)) {
        reader_note(r, "%s: cannot be read: is it a file?", r->file);
    } else {
        reader_note(r, "%s:%zu: %s", r->file, parser.problem_mark.line + 1,
                    parser.problem ? parser.problem : "not YAML");
    }
    yaml_parser_delete(&parser);
    return err;
}

static int set_data(struct config *c, const char *data)
{
    char text[PATH_MAX];
    if (!data && c->data)
        return ERR_NONE;
    if (!data)
        data_folder_default(text, sizeof text);
    c->data_is_builtin = !data;
    c->data = arena_copy(&c->arena, slice_make(data ? data : text, strlen(data ? data : text) + 1)).ptr;
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
        reader_note(&r, "%s: %m", file);
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
