/* host and port. RFC 3261 §25.1:
 *   hostname      = *( domainlabel "." ) toplabel [ "." ]
 *   domainlabel   = alphanum / alphanum *( alphanum / "-" ) alphanum
 *   toplabel      = ALPHA / ALPHA *( alphanum / "-" ) alphanum
 *   IPv4address   = 1*3DIGIT "." 1*3DIGIT "." 1*3DIGIT "." 1*3DIGIT
 *   IPv6reference = "[" IPv6address "]"
 * A name is at most 255 octets, a label 63 (RFC 1035 §2.3.4): longer ones could never be looked up. */
#include "sip/host.h"

#include "base/address.h"
#include "base/err.h"
#include "sip/lex.h"

#define HOST_NAME_MAX  255
#define HOST_LABEL_MAX 63
#define HOST_IPV6_MAX  48 /* "[" 45 "]", and a spare */

static const char *skip_ipv6(const char *p, const char *end, const char **ret_fault)
{
    struct address ignored;
    size_t left = (size_t)(end - p);
    const char *close = memchr(p, ']', left < HOST_IPV6_MAX ? left : HOST_IPV6_MAX);
    *ret_fault = p;
    if (close == NULL || address_parse_ip(slice_range(p + 1, close), &ignored) != ERR_NONE || ignored.family == 0 ||
        memchr(p, ':', (size_t)(close - p)) == NULL)
        return NULL;
    return close + 1;
}

static bool is_ipv4(const char *p, const char *end)
{
    for (int part = 0; part < 4; part++) {
        unsigned n = 0;
        const char *digits = p;
        for (; p < end && lex_is(*p, LEX_DIGIT) && p - digits < 3; p++)
            n = n * 10 + lex_hex_value(*p);
        if (p == digits || n > 255)
            return false;
        if (part < 3 && (p == end || *p++ != '.'))
            return false;
    }
    return p == end;
}

const char *host_skip(const char *p, const char *end, const char **ret_fault)
{
    const char *start = p, *label;
    if (p < end && *p == '[')
        return skip_ipv6(p, end, ret_fault);
    for (;;) {
        label = p;
        while (p < end && (lex_is(*p, LEX_ALNUM) || *p == '-'))
            p++;
        *ret_fault = p;
        if (p == label || *label == '-' || p[-1] == '-' || p - label > HOST_LABEL_MAX)
            return NULL;
        if (p == end || *p != '.')
            break;
        if (end - p < 2 || !lex_is(p[1], LEX_ALNUM)) {
            if (lex_is(*label, LEX_DIGIT))
                return NULL;
            p++; /* the root's dot */
            break;
        }
        p++;
    }
    if (p - start > HOST_NAME_MAX)
        return NULL;
    if (lex_is(*label, LEX_DIGIT) && !is_ipv4(start, p)) {
        *ret_fault = label;
        return NULL;
    }
    return p;
}

const char *host_skip_port(const char *p, const char *end, uint16_t *ret_port)
{
    uint32_t port;
    const char *digits = p;
    p = lex_span(p, end, LEX_DIGIT);
    /* Port 0 can never be sent to (cases/s-ruri-port0). */
    if (slice_to_u32(slice_range(digits, p), UINT16_MAX, &port) != ERR_NONE || port == 0)
        return NULL;
    *ret_port = (uint16_t)port;
    return p;
}

bool host_eq(struct slice a, struct slice b)
{
    struct address x, y;
    if (slice_eq_nocase(a, b))
        return true;
    /* RFC 5954 §4.2: IPv6 addresses compare by value. */
    return a.len > 0 && b.len > 0 && a.ptr[0] == '[' && b.ptr[0] == '[' && address_parse_ip(a, &x) == ERR_NONE &&
           address_parse_ip(b, &y) == ERR_NONE && address_eq_ip(&x, &y);
}
