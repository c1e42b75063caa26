/* Reads a REGISTER and refuses what no registrar should bind. */
#include "server/register_request.h"

#include "base/err.h"
#include "server/us.h"
#include "sip/params.h"

/* What is at hand while one request is read. */
struct reading {
    const struct server_config *c;
    const struct message *m;
    const struct flow *flow;
    struct arena *arena;
    struct register_fault *fault;
    unsigned vias;
    uint32_t expires_s; /* of a contact without its own */
};

static int refuse(struct reading *r, uint16_t status, const char *reason)
{
    *r->fault = (struct register_fault){status, reason};
    return ERR_MALFORMED;
}

/* A copy without folds: CR and LF inside a value only ever fold a line (RFC 3261 §7.3.1). */
static struct slice one_line(struct arena *arena, struct slice s)
{
    struct slice copy = arena_copy(arena, s);
    for (size_t i = 0; i < copy.len; i++)
        if (copy.ptr[i] == '\r' || copy.ptr[i] == '\n')
            ((char *)(uintptr_t)copy.ptr)[i] = ' ';
    return copy;
}

/* delta-seconds = 1*DIGIT. What is no number counts as the default, what is too great as the greatest (§20.10, §20.19).
 */
static uint32_t read_expires(const struct server_config *c, struct slice text)
{
    uint32_t seconds;
    int result = slice_to_u32(text, UINT32_MAX, &seconds);
    if (result == ERR_TOO_LARGE)
        seconds = c->limits.register_max_s;
    else if (result != ERR_NONE)
        seconds = c->limits.register_default_s;
    return seconds < c->limits.register_max_s ? seconds : c->limits.register_max_s;
}

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ) in thousandths; anything else is 1. */
static uint16_t read_q(struct slice text)
{
    struct slice rest, whole = slice_cut(text, '.', &rest);
    uint32_t value, fraction = 0;
    if (slice_to_u32(whole, 1, &value) != ERR_NONE || rest.len > 3)
        return 1000;
    if (rest.len && slice_to_u32(rest, 999, &fraction) != ERR_NONE)
        return 1000;
    for (size_t i = rest.len; i < 3; i++)
        fraction *= 10;
    value = value * 1000 + fraction;
    return (uint16_t)(value > 1000 ? 1000 : value);
}

static bool ends_with_invalid(struct slice host)
{
    struct slice end = SLICE(".invalid");
    return host.len > end.len && slice_eq_nocase(slice_skip(host, host.len - end.len), end);
}

static uint16_t port_of(const struct uri *u)
{
    struct slice transport;
    if (u->port)
        return u->port;
    bool is_tls = u->scheme == URI_SIPS ||
                  (uri_param(u, SLICE("transport"), &transport) && slice_eq_nocase(transport, SLICE("tls")));
    return is_tls ? 5061 : 5060;
}

/* contract.md, wire rules: one Via, and the source is not where the Contact says. A name says nothing about an address,
 * but .invalid says that there is none (RFC 7118 §5). */
static bool is_behind_nat(const struct reading *r, const struct uri *u)
{
    struct address ip;
    if (r->vias != 1)
        return false;
    if (address_parse_ip(u->host, &ip) != ERR_NONE)
        return ends_with_invalid(u->host);
    ip.port = port_of(u);
    return !address_eq(&ip, &r->flow->remote);
}

/* A Contact that leads back to us would make every message to it a loop (RFC 5393; contract.md: never back). */
static bool is_ourselves(const struct reading *r, const struct uri *u)
{
    struct address ip;
    if (address_parse_ip(u->host, &ip) != ERR_NONE)
        return us_is_uri(r->c, u, NULL);
    ip.port = port_of(u);
    for (size_t i = 0; i < r->c->listener_count; i++)
        if (address_eq(&ip, &r->c->listeners[i].address))
            return true;
    return false;
}

/* Where would bytes to this contact go? Never where the peer itself could not send them (defects.md, server-side
 * request forgery). */
static int check_reach(struct reading *r, const struct register_contact *c, bool has_path)
{
    struct address ip;
    bool is_ip = address_parse_ip(c->uri.host, &ip) == ERR_NONE;
    if (c->uri.scheme != URI_SIP && c->uri.scheme != URI_SIPS)
        return refuse(r, 400, "Contact Not Reachable");
    if (is_ip && (address_is_multicast_or_broadcast(&ip) || address_is_any(&ip)))
        return refuse(r, 403, "Contact Not Allowed");
    if (c->behind_nat || has_path)
        return ERR_NONE;
    if (is_ip && address_is_loopback(&ip) && !address_is_loopback(&r->flow->remote))
        return refuse(r, 403, "Contact Not Allowed");
    return is_ourselves(r, &c->uri) ? refuse(r, 403, "Contact Is This Server") : ERR_NONE;
}

static int read_instance(struct reading *r, const struct addr *a, struct register_contact *c)
{
    struct slice value;
    char text[REGISTER_INSTANCE_MAX];
    if (!addr_param(a, SLICE("+sip.instance"), &value) || !slice_is_set(value))
        return ERR_NONE;
    int len = params_unquote(value, text, sizeof text);
    if (len < 0)
        return refuse(r, 400, "Bad Instance");
    if (len == 0)
        return ERR_NONE;
    c->instance = arena_copy(r->arena, slice_make(text, (size_t)len));
    return slice_is_set(c->instance) ? ERR_NONE : ERR_NO_MEMORY;
}

static int read_methods(struct reading *r, const struct addr *a, struct register_contact *c)
{
    struct slice value;
    char text[REGISTER_ALLOW_MAX];
    if (!addr_param(a, SLICE("methods"), &value) || !slice_is_set(value))
        return ERR_NONE;
    int len = params_unquote(value, text, sizeof text);
    if (len <= 0)
        return ERR_NONE; /* unknown */
    c->methods = arena_copy(r->arena, slice_make(text, (size_t)len));
    return slice_is_set(c->methods) ? ERR_NONE : ERR_NO_MEMORY;
}

static int read_contact(struct reading *r, const struct addr *a, bool has_path, struct register_contact *ret)
{
    struct register_contact c = {.uri = a->uri, .q = 1000, .expires_s = r->expires_s};
    struct slice value;
    if (a->uri.text.len > REGISTER_CONTACT_MAX || a->params.len > REGISTER_CONTACT_MAX)
        return refuse(r, 400, "Contact Too Long");
    if (slice_is_set(a->params)) {
        c.params = one_line(r->arena, a->params);
        if (!slice_is_set(c.params))
            return ERR_NO_MEMORY;
    }
    if (addr_param(a, SLICE("expires"), &value))
        c.expires_s = read_expires(r->c, value);
    if (addr_param(a, SLICE("q"), &value))
        c.q = read_q(value);
    if (!addr_param(a, SLICE("reg-id"), &c.reg_id))
        c.reg_id = SLICE_NONE;
    int result = read_instance(r, a, &c);
    if (result == ERR_NONE)
        result = read_methods(r, a, &c);
    c.behind_nat = is_behind_nat(r, &c.uri);
    if (result == ERR_NONE && c.expires_s > 0)
        result = check_reach(r, &c, has_path);
    /* §10.3 step 7: only what is not a removal can be too brief. */
    if (result == ERR_NONE && c.expires_s > 0 && c.expires_s < r->c->limits.register_min_s)
        result = refuse(r, 423, NULL);
    if (result == ERR_NONE)
        *ret = c;
    return result;
}

/* A contact that stands twice in one request counts as it stands last. */
static void put_contact(struct register_request *q, const struct register_contact *c)
{
    for (size_t i = 0; i < q->contact_count; i++) {
        if (slice_eq(q->contacts[i].instance, c->instance) && uri_eq(&q->contacts[i].uri, &c->uri)) {
            q->contacts[i] = *c;
            return;
        }
    }
    q->contacts[q->contact_count++] = *c;
}

static int read_contacts(struct reading *r, struct register_request *q)
{
    struct message_values values = {0};
    struct addr a;
    int err = ERR_NONE;
    while (message_next_addr(r->m, HEADER_CONTACT, &values, &a, &err)) {
        struct register_contact c;
        if (q->is_star || (a.star && q->contact_count))
            return refuse(r, 400, "Star With Another Contact");
        q->is_star = a.star;
        if (a.star)
            continue;
        int result = read_contact(r, &a, slice_is_set(q->path), &c);
        if (result != ERR_NONE)
            return result;
        if (q->contact_count == REGISTER_CONTACTS_MAX)
            return refuse(r, 403, "Too Many Contacts");
        put_contact(q, &c);
    }
    if (err != ERR_NONE)
        return refuse(r, 400, "Bad Contact");
    /* §10.3 step 6: a star is only legal with Expires: 0. */
    if (q->is_star && (r->expires_s != 0 || !message_header(r->m, HEADER_EXPIRES)))
        return refuse(r, 400, "Star Without Expires 0");
    return ERR_NONE;
}

/* All lines of a list field as one, joined by ", ". Absent when there is none or they are over `max`. */
static int join(struct reading *r, enum header field, size_t max, struct slice *ret)
{
    struct buf b;
    int result = ERR_NONE;
    buf_init(&b, max);
    for (const struct header_line *h = message_header(r->m, field); h; h = message_next_header(r->m, h)) {
        if (b.len)
            buf_append(&b, SLICE(", "));
        buf_append(&b, h->value);
    }
    *ret = SLICE_NONE;
    if (buf_ok(&b) && b.len) {
        *ret = one_line(r->arena, buf_slice(&b));
        result = slice_is_set(*ret) ? ERR_NONE : ERR_NO_MEMORY;
    }
    buf_deinit(&b);
    return result;
}

/* RFC 3327 §5.3. Every Path value must be a URI that can be routed to. */
static int read_path(struct reading *r, struct register_request *q)
{
    struct message_values values = {0};
    struct addr a;
    int err = ERR_NONE;
    size_t len = 0;
    while (message_next_addr(r->m, HEADER_PATH, &values, &a, &err)) {
        len += a.uri.text.len;
        if (a.uri.scheme != URI_SIP && a.uri.scheme != URI_SIPS)
            return refuse(r, 400, "Bad Path");
    }
    if (err != ERR_NONE || len > REGISTER_CONTACT_MAX)
        return refuse(r, 400, "Bad Path");
    int result = join(r, HEADER_PATH, REGISTER_CONTACT_MAX * 2, &q->path);
    if (result == ERR_NONE && len && !slice_is_set(q->path))
        return refuse(r, 400, "Path Too Long");
    return result;
}

static unsigned count_vias(const struct message *m)
{
    struct message_values values = {0};
    struct via via;
    unsigned count = 0;
    int err;
    while (message_next_via(m, &values, &via, NULL, &err))
        count++;
    return count;
}

int register_request_parse(const struct server_config *c, const struct message *m, const struct flow *flow,
                           bool path_is_believed, struct arena *arena, struct register_request *ret,
                           struct register_fault *ret_fault)
{
    struct reading r = {.c = c, .m = m, .flow = flow, .arena = arena, .fault = ret_fault, .vias = count_vias(m)};
    const struct header_line *expires = message_header(m, HEADER_EXPIRES);
    struct slice method;
    *ret = (struct register_request){.flow = *flow, .is_direct = r.vias == 1};
    r.expires_s = expires ? read_expires(c, expires->value) : read_expires(c, SLICE_NONE);
    ret->call_id = message_value(m, HEADER_CALL_ID);
    ret->user_agent = slice_head(message_value(m, HEADER_USER_AGENT), REGISTER_USER_AGENT_MAX);
    ret->supports_path = message_has_token(m, HEADER_SUPPORTED, SLICE("path"));
    if (message_cseq(m, &ret->cseq, &method) != ERR_NONE)
        return refuse(&r, 400, "Bad CSeq");
    if (ret->call_id.len == 0 || ret->call_id.len > REGISTER_CALL_ID_MAX)
        return refuse(&r, 400, "Bad Call-ID");
    int result = join(&r, HEADER_ALLOW, REGISTER_ALLOW_MAX, &ret->allow);
    if (result == ERR_NONE && path_is_believed)
        result = read_path(&r, ret);
    return result == ERR_NONE ? read_contacts(&r, ret) : result;
}
