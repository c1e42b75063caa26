/* The router: content and rate checks, Route, then the Request-URI. RFC 3261 §16.4-16.6; contract.md, last wire rules.
 */
#include "server/router.h"

#include "base/err.h"
#include "server/delivery.h"
#include "server/echo.h"
#include "server/letter.h"
#include "server/rates.h"
#include "server/relay.h"
#include "sip/build.h"
#include "sip/content_type.h"

/* What is left of Route after ours were removed. */
#define ROUTES_MAX 4096u

struct routing {
    struct server *s;
    const struct incoming *in;
    const struct auth_result *sender;
    struct uri uri;
    struct buf routes;              /* Route lines that remain */
    const struct server_route *hop; /* the next hop that Route names; NULL: none remains */
};

static void refuse(const struct routing *r, uint16_t status, struct slice headers)
{
    const struct answer a = {.status = status, .headers = headers};
    r->s->counters.refused++;
    endpoint_answer(r->s->endpoint, r->in, &a);
}

static struct slice sender_of(const struct routing *r)
{
    return slice_make(r->sender->sender, r->sender->sender_len);
}

/* --- content --- */

/* Codings that a device may lack can be undone for it only if we know them (contract.md, wire rules: adaptation). */
static bool coding_is_known(const struct message *m)
{
    struct slice coding = message_value(m, HEADER_CONTENT_ENCODING);
    return !coding.len || slice_eq_nocase(coding, SLICE("identity")) || slice_eq_nocase(coding, SLICE("deflate"));
}

static bool check_content(const struct routing *r)
{
    const struct message *m = r->in->message;
    struct content_type type;
    size_t fault;
    if (m->body.len > r->s->config->limits.message_bytes) {
        refuse(r, 413, SLICE_NONE);
    } else if (m->body.len && content_type_parse(message_value(m, HEADER_CONTENT_TYPE), &type, &fault) < 0) {
        refuse(r, 400, SLICE_NONE); /* RFC 3261 §20.15: a body has a type */
    } else if (!coding_is_known(m)) {
        refuse(r, 415, SLICE("Accept-Encoding: identity, deflate\r\n"));
    } else {
        return true;
    }
    return false;
}

static bool check_rate(const struct routing *r)
{
    if (r->sender->kind != AUTH_ACCOUNT || rates_sender(r->s->rates, sender_of(r), r->s->wheel->now_ms))
        return true;
    refuse(r, 403, SLICE_NONE); /* C11: never 503 for one user */
    return false;
}

/* --- Route --- */

static bool is_hop(const struct server_route *route, const struct uri *u)
{
    uint16_t wanted = route->next_hop.port ? route->next_hop.port : 5060;
    return slice_eq_nocase(route->next_hop.host, u->host) && (u->port ? u->port : 5060) == wanted;
}

static const struct server_route *find_hop(const struct server_config *c, const struct uri *u)
{
    for (size_t i = 0; i < c->route_count; i++)
        if (is_hop(&c->routes[i], u))
            return &c->routes[i];
    return NULL;
}

/* §16.4: preloaded Routes that name us go; what remains must begin with a configured hop, or with the Path of a device
 * that the message is for: the account's home knows those. */
static bool check_routes(struct routing *r)
{
    struct message_values state = {0};
    struct addr route;
    int err = ERR_NONE;
    while (message_next_addr(r->in->message, HEADER_ROUTE, &state, &route, &err)) {
        if (!r->routes.len && us_is_uri(r->s->config, &route.uri, NULL))
            continue;
        if (!r->routes.len)
            r->hop = find_hop(r->s->config, &route.uri);
        buf_append_str(&r->routes, "Route: <");
        buf_append(&r->routes, route.uri.text);
        buf_append_str(&r->routes, ">\r\n");
    }
    if (err != ERR_NONE || !buf_ok(&r->routes)) {
        refuse(r, 400, SLICE_NONE);
        return false;
    }
    return true;
}

/* --- destinations --- */

static void deliver(struct mesh_post *post, struct server *there)
{
    delivery_start(there, CONTAINER_OF(post, struct letter, post));
}

/* Makes the transaction and the letter; NULL after the refusal. */
static struct letter *accept(const struct routing *r, struct slice recipient, int64_t account)
{
    const struct letter_facts facts = {
        .sender = sender_of(r), .recipient = recipient, .account = account, .routes = buf_slice(&r->routes)};
    struct server_txn *txn = server_txn_new(r->s->endpoint, r->in);
    if (!txn) {
        refuse(r, 503, server_retry_later);
        return NULL;
    }
    struct letter *l = letter_new(r->s, r->in, &facts);
    if (!l) {
        const struct answer a = {.status = 503, .headers = server_retry_later};
        server_txn_answer(txn, &a);
        return NULL;
    }
    l->has_txn = true;
    l->txn = server_txn_id(txn);
    r->s->counters.messages++;
    return l;
}

static void to_account(const struct routing *r, struct slice aor, int64_t account)
{
    struct letter *l = accept(r, aor, account);
    if (!l)
        return;
    unsigned home = server_home_worker(r->s->shared, aor);
    if (home == r->s->worker) {
        delivery_start(r->s, l);
    } else {
        l->post.run = deliver;
        mesh_post(r->s->mesh, home, &l->post);
    }
}

static bool came_from(const struct routing *r, const struct target *hop)
{
    struct address ip;
    uint16_t port = hop->port ? hop->port : 5060;
    uint16_t sent_by = r->in->via->port ? r->in->via->port : 5060; /* over a stream the source port says nothing */
    return address_parse_ip(hop->host, &ip) == ERR_NONE && address_eq_ip(&ip, &r->in->flow->remote) &&
           (port == r->in->flow->remote.port || (r->sender->kind != AUTH_ACCOUNT && port == sent_by));
}

static void to_hop(const struct routing *r, const struct server_route *route)
{
    /* Own users and trusted peers only: we are no open relay; and a message never returns to the peer it came from. */
    if (r->sender->kind == AUTH_HOP || came_from(r, &route->next_hop)) {
        refuse(r, 404, SLICE_NONE);
        return;
    }
    struct letter *l = accept(r, SLICE(""), 0);
    if (l)
        relay_start(r->s, l, &route->next_hop);
}

static const struct server_route *find_domain_route(const struct server_config *c, struct slice host)
{
    for (size_t i = 0; i < c->route_count; i++)
        if (c->routes[i].domain.len && slice_eq_nocase(c->routes[i].domain, host))
            return &c->routes[i];
    return NULL;
}

/* The longest prefix wins. */
static const struct server_route *find_prefix_route(const struct server_config *c, struct slice user)
{
    const struct server_route *best = NULL;
    for (size_t i = 0; i < c->route_count; i++) {
        const struct server_route *route = &c->routes[i];
        if (route->prefix.len && slice_starts_with(user, route->prefix) &&
            (!best || route->prefix.len > best->prefix.len))
            best = route;
    }
    return best;
}

static void to_user(const struct routing *r)
{
    struct buf aor;
    int64_t account;
    buf_init(&aor, AUTH_AOR_MAX);
    bool valid = us_aor(r->s->config, &r->uri, &aor) == ERR_NONE && buf_ok(&aor);
    const struct server_route *route = find_prefix_route(r->s->config, r->uri.user);
    if (valid && accounts_id(r->s->shared->accounts, buf_slice(&aor), &account)) {
        to_account(r, buf_slice(&aor), account);
    } else if (r->routes.len) {
        refuse(r, 403, SLICE_NONE);
    } else if (valid && echo_is_user(&r->uri)) {
        struct server_txn *txn = server_txn_new(r->s->endpoint, r->in);
        if (txn)
            echo_receive(r->s, r->in, server_txn_id(txn), r->sender, buf_slice(&aor));
        else
            refuse(r, 503, server_retry_later);
    } else if (valid && route) {
        to_hop(r, route);
    } else {
        refuse(r, 404, SLICE_NONE);
    }
    buf_deinit(&aor);
}

static void to_destination(const struct routing *r)
{
    if (r->hop) {
        to_hop(r, r->hop);
        return;
    }
    if (us_is_uri(r->s->config, &r->uri, NULL)) {
        if (r->uri.user.len)
            to_user(r);
        else
            refuse(r, 404, SLICE_NONE);
        return;
    }
    if (r->routes.len) {
        refuse(r, 403, SLICE_NONE); /* never a way to hosts that nobody configured (defects.md, request forgery) */
        return;
    }
    const struct server_route *route = find_domain_route(r->s->config, r->uri.host);
    if (route)
        to_hop(r, route);
    else
        refuse(r, 404, SLICE_NONE);
}

void router_message(struct server *s, const struct incoming *in, const struct auth_result *sender)
{
    struct routing r = {.s = s, .in = in, .sender = sender};
    (void)message_uri(in->message, &r.uri); /* checked before */
    buf_init(&r.routes, ROUTES_MAX);
    if (check_rate(&r) && check_content(&r) && check_routes(&r))
        to_destination(&r);
    buf_deinit(&r.routes);
}
