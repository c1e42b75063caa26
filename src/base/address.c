/* Addresses and networks as values: text to octets and back, and the kinds that decisions ask for. */
#include "base/address.h"

#include <arpa/inet.h>

#include "base/err.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

static size_t ip_len(const struct address *a)
{
    return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}

static int parse_ip4(const char *text, struct address *ret)
{
    struct address a = {.family = 4};
    if (inet_pton(AF_INET, text, a.ip) != 1)
        return ERR_MALFORMED;
    *ret = a;
    return ERR_NONE;
}

static int parse_ip6(const char *text, struct address *ret)
{
    struct address a = {.family = 6};
    if (inet_pton(AF_INET6, text, a.ip) != 1)
        return ERR_MALFORMED;
    if (memcmp(a.ip, mapped_prefix, sizeof mapped_prefix) == 0) {
        struct address mapped = {.family = 4};
        memcpy(mapped.ip, a.ip + sizeof mapped_prefix, 4);
        a = mapped;
    }
    *ret = a;
    return ERR_NONE;
}

int address_parse_ip(struct slice s, struct address *ret)
{
    char text[INET6_ADDRSTRLEN];
    bool brackets = s.len >= 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']';
    if (brackets)
        s = slice_make(s.ptr + 1, s.len - 2);
    /* A NUL inside would end the text early for inet_pton. */
    if (slice_find(s, '\0') >= 0 || slice_to_cstr(s, text, sizeof text) != ERR_NONE)
        return ERR_MALFORMED;
    if (brackets || slice_find(s, ':') >= 0)
        return parse_ip6(text, ret);
    return parse_ip4(text, ret);
}

int address_parse(struct slice s, struct address *ret)
{
    struct address a;
    uint32_t port;
    size_t colon = s.len;
    while (colon > 0 && s.ptr[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return ERR_MALFORMED;
    struct slice host = slice_head(s, colon - 1);
    /* Without brackets an IPv6 address and its port cannot be told apart. */
    if (host.ptr[0] != '[' && slice_find(host, ':') >= 0)
        return ERR_MALFORMED;
    if (address_parse_ip(host, &a) != ERR_NONE || slice_to_u32(slice_skip(s, colon), UINT16_MAX, &port) != ERR_NONE)
        return ERR_MALFORMED;
    a.port = (uint16_t)port;
    *ret = a;
    return ERR_NONE;
}

bool address_eq_ip(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, ip_len(a)) == 0;
}

bool address_eq(const struct address *a, const struct address *b)
{
    return a->port == b->port && address_eq_ip(a, b);
}

void address_append_ip(struct buf *b, const struct address *a)
{
    char text[INET6_ADDRSTRLEN];
    if (a->family && inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, text, sizeof text))
        buf_append_str(b, text);
    else
        buf_append_char(b, '?');
}

void address_append_host(struct buf *b, const struct address *a)
{
    if (a->family == 6)
        buf_append_char(b, '[');
    address_append_ip(b, a);
    if (a->family == 6)
        buf_append_char(b, ']');
}

void address_append(struct buf *b, const struct address *a)
{
    address_append_host(b, a);
    buf_append_char(b, ':');
    buf_append_u64(b, a->port);
}

const char *address_text(const struct address *a, char *out)
{
    struct buf b;
    buf_init(&b, ADDRESS_TEXT_MAX);
    address_append(&b, a);
    if (!buf_ok(&b) || slice_to_cstr(buf_slice(&b), out, ADDRESS_TEXT_MAX) != ERR_NONE)
        (void)slice_to_cstr(SLICE("?"), out, ADDRESS_TEXT_MAX);
    buf_deinit(&b);
    return out;
}

bool address_is_loopback(const struct address *a)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    if (a->family == 4)
        return a->ip[0] == 127;
    return a->family == 6 && memcmp(a->ip, loopback6, sizeof loopback6) == 0;
}

bool address_is_multicast_or_broadcast(const struct address *a)
{
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    if (a->family == 4)
        return (a->ip[0] & 0xF0) == 0xE0 || memcmp(a->ip, broadcast, sizeof broadcast) == 0;
    return a->family == 6 && a->ip[0] == 0xFF;
}

bool address_is_any(const struct address *a)
{
    static const uint8_t zero[16] = {0};
    return a->family != 0 && memcmp(a->ip, zero, ip_len(a)) == 0;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

int network_parse(struct slice s, struct network *ret)
{
    struct slice prefix_text, ip_text = slice_cut(s, '/', &prefix_text);
    struct network n;
    uint32_t prefix;
    if (address_parse_ip(ip_text, &n.base) != ERR_NONE)
        return ERR_MALFORMED;
    uint32_t widest = (uint32_t)ip_len(&n.base) * 8;
    prefix = widest;
    if (slice_is_set(prefix_text) && slice_to_u32(prefix_text, widest, &prefix) != ERR_NONE)
        return ERR_MALFORMED;
    n.prefix = (uint8_t)prefix;
    for (uint32_t bit = prefix; bit < widest; bit++)
        if (n.base.ip[bit / 8] >> (7 - bit % 8) & 1)
            return ERR_MALFORMED;
    *ret = n;
    return ERR_NONE;
}

bool network_contains(const struct network *n, const struct address *a)
{
    return n->base.family == a->family && n->base.family != 0 && bits_equal(n->base.ip, a->ip, n->prefix);
}
