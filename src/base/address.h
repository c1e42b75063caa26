/* IP address and port without libc's socket types, so that rooms without I/O can hold, compare and print them. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/buf.h"

struct address {
    uint8_t family; /* 4, 6, or 0: unset */
    uint16_t port;
    uint8_t ip[16]; /* network order; IPv4 uses the first four, the rest zero. IPv4-mapped IPv6 is kept as IPv4. */
};

/* Longest text: "[" 45 "]:65535" and a NUL. */
#define ADDRESS_TEXT_MAX 56

/* Parses an IPv4 address or an IPv6 address with or without brackets (no zone). Port becomes 0. ERR_MALFORMED. */
int address_parse_ip(struct slice s, struct address *ret);
/* Parses "ip:port" or "[ip6]:port". ERR_MALFORMED. */
int address_parse(struct slice s, struct address *ret);
bool address_eq(const struct address *a, const struct address *b);    /* with port */
bool address_eq_ip(const struct address *a, const struct address *b); /* without */
void address_append(struct buf *b, const struct address *a);          /* "ip:port", IPv6 in brackets */
void address_append_ip(struct buf *b, const struct address *a);       /* IPv6 without brackets */
void address_append_host(struct buf *b, const struct address *a);     /* IPv6 in brackets, as in a URI */
/* Writes "ip:port" into `out` of ADDRESS_TEXT_MAX octets and returns it. */
const char *address_text(const struct address *a, char *out);
bool address_is_loopback(const struct address *a);
bool address_is_multicast_or_broadcast(const struct address *a);
bool address_is_any(const struct address *a);

/* A network in CIDR form. */
struct network {
    struct address base;
    uint8_t prefix; /* bits */
};
/* Parses "192.0.2.0/24", "2001:db8::/32" or a bare address. Bits below the prefix must be zero. ERR_MALFORMED. */
int network_parse(struct slice s, struct network *ret);
bool network_contains(const struct network *n, const struct address *a);

#endif
