/* One-word values: see config_values.h. */
#include "daemon/config_values.h"

#include "base/err.h"

static int split_transport(struct reader *r, const struct place *at, struct slice text, enum transport *ret,
                           struct slice *ret_rest)
{
    struct slice name = slice_cut(text, ':', ret_rest);
    if (!slice_is_set(*ret_rest))
        return reader_fail(r, at, "'%.*s' is not transport:address:port, as in udp:127.0.0.1:5060", SLICE_ARG(text));
    if (transport_parse(name, ret) != ERR_NONE) {
        if (slice_eq(name, SLICE("http")))
            return reader_fail(r, at, "http is not offered yet");
        return reader_fail(r, at, "'%.*s' is no transport; udp and tcp are", SLICE_ARG(name));
    }
    if (*ret != TRANSPORT_UDP && *ret != TRANSPORT_TCP)
        return reader_fail(r, at, "%.*s is not offered yet; udp and tcp are", SLICE_ARG(name));
    return ERR_NONE;
}

/* The port behind the last colon, for a message about it. */
static bool port_is_in_range(struct slice text)
{
    uint64_t port;
    size_t at = text.len;
    while (at > 0 && text.ptr[at - 1] != ':')
        at--;
    return slice_to_u64(slice_skip(text, at), 65535, &port) != ERR_TOO_LARGE;
}

int config_values_listener(struct reader *r, const struct place *at, enum transport *ret_transport,
                           struct address *ret_address)
{
    struct slice text, rest;
    int err = reader_text(r, at, &text);
    if (err == ERR_NONE)
        err = split_transport(r, at, text, ret_transport, &rest);
    if (err != ERR_NONE)
        return err;
    if (address_parse(rest, ret_address) == ERR_NONE)
        return ERR_NONE;
    if (!port_is_in_range(rest))
        return reader_fail(r, at, "port in '%.*s' is out of range (0 to 65535)", SLICE_ARG(text));
    return reader_fail(r, at, "'%.*s' is not an IP address and port, as in 127.0.0.1:5060 or [::]:5060",
                       SLICE_ARG(rest));
}

bool config_values_is_host(struct slice s)
{
    if (!s.len || s.len > 255)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                    c == '.' || c == '_';
        if (!fits)
            return false;
    }
    return true;
}

/* host[:port], the host a name or an IP literal in brackets if it has colons. */
static int parse_hop(struct reader *r, const struct place *at, struct slice text, struct target *ret)
{
    struct address ip;
    struct slice port = SLICE_NONE, host = text;
    uint32_t number = 0;
    if (address_parse_ip(text, &ip) != ERR_NONE) {
        size_t cut = text.len;
        while (cut > 0 && text.ptr[cut - 1] != ':' && text.ptr[cut - 1] != ']')
            cut--;
        if (cut > 0 && text.ptr[cut - 1] == ':') {
            port = slice_skip(text, cut);
            host = slice_head(text, cut - 1);
        }
    }
    if (!config_values_is_host(host) && address_parse_ip(host, &ip) != ERR_NONE)
        return reader_fail(r, at, "'%.*s' is not a host", SLICE_ARG(host));
    if (slice_is_set(port) && (slice_to_u32(port, 65535, &number) != ERR_NONE || number == 0))
        return reader_fail(r, at, "port '%.*s' is out of range (1 to 65535)", SLICE_ARG(port));
    ret->host = host;
    ret->port = (uint16_t)number;
    return ERR_NONE;
}

int config_values_hop(struct reader *r, const struct place *at, struct target *ret)
{
    struct slice text, rest;
    enum transport ignored;
    *ret = (struct target){0};
    int err = reader_text(r, at, &text);
    if (err != ERR_NONE)
        return err;
    struct slice first = slice_cut(text, ':', &rest);
    if (!slice_is_set(rest) || transport_parse(first, &ignored) != ERR_NONE)
        return parse_hop(r, at, text, ret);
    err = split_transport(r, at, text, &ret->transport, &rest);
    if (err != ERR_NONE)
        return err;
    ret->has_transport = true;
    return parse_hop(r, at, rest, ret);
}

int config_values_network(struct reader *r, const struct place *at, struct network *ret)
{
    struct slice text;
    int err = reader_text(r, at, &text);
    if (err == ERR_NONE && network_parse(text, ret) != ERR_NONE)
        err = reader_fail(r, at, "'%.*s' is not a network, as in 192.0.2.0/24 or 192.0.2.7", SLICE_ARG(text));
    return err;
}

int config_values_domain(struct reader *r, const struct place *at, struct slice *ret)
{
    int err = reader_text(r, at, ret);
    if (err != ERR_NONE)
        return err;
    if (!config_values_is_host(*ret))
        return reader_fail(r, at, "'%.*s' is not a domain name", SLICE_ARG(*ret));
    char *text = arena_alloc(r->arena, ret->len);
    if (!text)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < ret->len; i++)
        text[i] = ret->ptr[i] >= 'A' && ret->ptr[i] <= 'Z' ? (char)(ret->ptr[i] + ('a' - 'A')) : ret->ptr[i];
    *ret = slice_make(text, ret->len);
    return ERR_NONE;
}

struct digest_list {
    enum digest_algorithm *algorithms;
    uint8_t *count;
};

static int read_algorithm(struct reader *r, const struct place *at, size_t index, void *into)
{
    struct digest_list *list = into;
    struct slice name;
    int err = reader_text(r, at, &name);
    if (err != ERR_NONE)
        return err;
    if (index >= DIGEST_ALGORITHMS)
        return reader_fail(r, at, "more than %d algorithms", DIGEST_ALGORITHMS);
    enum digest_algorithm *next = &list->algorithms[*list->count];
    if (digest_algorithm_parse(name, next) != ERR_NONE)
        return reader_fail(r, at, "'%.*s' is no algorithm; md5, sha-256 and sha-512-256 are", SLICE_ARG(name));
    for (size_t i = 0; i < *list->count; i++)
        if (list->algorithms[i] == *next)
            return reader_fail(r, at, "'%.*s' stands twice", SLICE_ARG(name));
    ++*list->count;
    return ERR_NONE;
}

int config_values_digest(struct reader *r, const struct place *at, enum digest_algorithm ret[DIGEST_ALGORITHMS],
                         uint8_t *ret_count)
{
    struct digest_list list = {.algorithms = ret, .count = ret_count};
    if (reader_count(r, at) == 0)
        return reader_fail(r, at, "expected at least one of md5, sha-256, sha-512-256");
    return reader_list(r, at, read_algorithm, &list);
}
