#include "lab.h"

#include <stdio.h>
#include <stdlib.h>

#include "sip/digest.h"

static uint64_t lab_mono(struct clock *c)
{
    return CONTAINER_OF(c, struct lab, clock)->mono_ms;
}

static int64_t lab_wall(struct clock *c)
{
    return CONTAINER_OF(c, struct lab, clock)->wall_ms;
}

static enum transport transport_of(const struct hop *to)
{
    if (to->is_flow)
        return to->flow.transport;
    return to->target.has_transport ? to->target.transport : TRANSPORT_UDP;
}

static enum link_result lab_send(struct link *link, const struct hop *to, const struct slice *parts, size_t count,
                                 uint64_t token)
{
    struct lab_worker *w = CONTAINER_OF(link, struct lab_worker, link);
    struct lab *lab = w->lab;
    struct lab_sent *s = &lab->sent[lab->sent_count];
    assert_true(lab->sent_count < LAB_SENT_MAX);
    if (lab->fails[transport_of(to)])
        return LINK_FAILED;
    *s = (struct lab_sent){.worker = w->index, .is_flow = to->is_flow, .transport = transport_of(to), .token = token};
    if (to->is_flow) {
        s->flow = to->flow;
        (void)address_text(&to->flow.remote, s->to);
    } else {
        s->connect_ms = to->target.connect_ms;
        (void)snprintf(s->to, sizeof s->to, "%.*s:%u", SLICE_ARG(to->target.host),
                       to->target.port ? to->target.port : 5060u);
    }
    for (size_t i = 0; i < count; i++) {
        assert_true(s->len + parts[i].len < sizeof s->text);
        if (parts[i].len)
            memcpy(s->text + s->len, parts[i].ptr, parts[i].len);
        s->len += parts[i].len;
    }
    lab->sent_count++;
    return LINK_DONE;
}

static int lab_sent_by(struct link *link, const struct hop *to, enum transport *ret_transport,
                       struct slice *ret_sent_by)
{
    (void)link;
    *ret_transport = transport_of(to);
    *ret_sent_by = SLICE(LAB_SERVER);
    return ERR_NONE;
}

static const struct link_ops lab_link_ops = {lab_send, lab_sent_by};

_Static_assert(sizeof(struct list_node) <= sizeof((struct mesh_post *)0)->carrier, "a post must fit into its carrier");

static void lab_post(struct mesh *mesh, unsigned worker, struct mesh_post *post)
{
    struct lab *lab = CONTAINER_OF(mesh, struct lab, mesh);
    assert_true(worker < lab->shared.workers);
    list_push_back(&lab->workers[worker].posts, (struct list_node *)(void *)post->carrier);
}

static void lab_completed(void *context, unsigned worker, struct list *completed)
{
    struct lab *lab = context;
    list_splice(&lab->workers[worker].completed, completed);
}

static bool step(struct lab *lab)
{
    bool moved = !lab->holds_store && store_memory_run(lab->store) > 0;
    for (unsigned i = 0; i < lab->shared.workers; i++) {
        struct lab_worker *w = &lab->workers[i];
        struct list_node *n = list_pop_front(&w->posts);
        moved = moved || n || !list_is_empty(&w->completed);
        if (n) {
            struct mesh_post *post = CONTAINER_OF((void **)(void *)n, struct mesh_post, carrier);
            post->run(post, w->server);
        }
        store_complete(&w->completed);
    }
    return moved;
}

void lab_run(struct lab *lab)
{
    while (step(lab)) {
    }
}

void lab_advance(struct lab *lab, uint64_t ms)
{
    uint64_t until_ms = lab->mono_ms + ms;
    lab_run(lab);
    while (lab->mono_ms < until_ms) {
        uint64_t next_ms = timer_wheel_next(&lab->wheel);
        if (next_ms > until_ms)
            next_ms = until_ms;
        lab->wall_ms += (int64_t)(next_ms - lab->mono_ms);
        lab->mono_ms = next_ms;
        timer_wheel_advance(&lab->wheel, next_ms);
        lab_run(lab);
    }
}

static struct address address_of(const char *text)
{
    struct address a;
    assert_int_equal(address_parse(slice_str(text), &a), ERR_NONE);
    return a;
}

static struct network network_of(const char *text)
{
    struct network n = {.base = address_of(text), .prefix = 32};
    n.base.port = 0;
    return n;
}

static void make_config(struct lab *lab, unsigned workers)
{
    static char hop_host[] = "192.0.2.97";
    struct server_config *c = &lab->config;
    lab->domains[0] = SLICE("example.com");
    lab->domains[1] = SLICE("example.org");
    lab->alias = (struct server_alias){SLICE("old.example.com"), SLICE("example.com")};
    lab->listeners[0] = (struct server_listener){.transport = TRANSPORT_UDP, .address = address_of(LAB_SERVER)};
    lab->listeners[1] = (struct server_listener){.transport = TRANSPORT_TCP, .address = address_of(LAB_SERVER)};
    lab->trusted = network_of(LAB_TRUSTED);
    lab->relay = network_of(LAB_RELAY);
    lab->route.domain = SLICE("example.net");
    lab->route.next_hop_host = slice_str(hop_host);
    lab->route.next_hop = (struct target){.host = slice_str(hop_host), .port = 5060};
    *c = (struct server_config){
        .domains = lab->domains,
        .domain_count = 2,
        .aliases = &lab->alias,
        .alias_count = 1,
        .listeners = lab->listeners,
        .listener_count = 2,
        .trusted = &lab->trusted,
        .trusted_count = 1,
        .relays = &lab->relay,
        .relay_count = 1,
        .routes = &lab->route,
        .route_count = 1,
        .digest = {DIGEST_MD5},
        .digest_count = 1,
        .workers = workers,
    };
    server_limits_default(&c->limits);
}

static void start_servers(struct lab *lab)
{
    struct server *servers[LAB_WORKERS_MAX];
    assert_int_equal(accounts_new(&lab->shared.hash_key, &lab->shared.accounts), ERR_NONE);
    for (unsigned i = 0; i < lab->shared.workers; i++) {
        struct lab_worker *w = &lab->workers[i];
        *w = (struct lab_worker){.link = {&lab_link_ops}, .lab = lab, .index = i};
        list_init(&w->posts);
        list_init(&w->completed);
        const struct server_env env = {
            .config = &lab->config,
            .shared = &lab->shared,
            .worker = i,
            .link = &w->link,
            .wheel = &lab->wheel,
            .clock = &lab->clock,
            .random = &lab->random.base,
            .mesh = &lab->mesh,
        };
        assert_int_equal(server_new(&env, &w->server), ERR_NONE);
        servers[i] = w->server;
    }
    assert_int_equal(server_load(servers, &lab->shared), ERR_NONE);
}

static void stop_servers(struct lab *lab)
{
    for (unsigned i = 0; i < lab->shared.workers; i++)
        server_free(lab->workers[i].server);
    accounts_free(lab->shared.accounts);
}

struct lab *lab_new(unsigned workers)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    lab->clock = (struct clock){lab_mono, lab_wall};
    lab->mono_ms = 1000000;
    lab->wall_ms = 1800000000000;
    lab->mesh.post = lab_post;
    timer_wheel_init(&lab->wheel, lab->mono_ms);
    random_seeded_init(&lab->random, 42);
    make_config(lab, workers);
    const struct store_poster poster = {lab_completed, lab};
    assert_int_equal(store_memory_open(&poster, &lab->random.base, &lab->store), ERR_NONE);
    lab->shared = (struct server_shared){.store = lab->store, .hash_key = {1, 2}, .workers = workers};
    assert_int_equal(store_secret(lab->store, SLICE("nonce"), lab->shared.nonce_key), ERR_NONE);
    assert_int_equal(store_secret(lab->store, SLICE("duplicate"), lab->shared.duplicate_secret), ERR_NONE);
    start_servers(lab);
    (void)lab_add_account(lab, "sip:alice@example.com", "secret", NULL);
    (void)lab_add_account(lab, "sip:bob@example.com", "secret", NULL);
    (void)lab_add_account(lab, "sip:carol@example.com", "secret", NULL);
    return lab;
}

void lab_free(struct lab *lab)
{
    lab->holds_store = false;
    lab_run(lab);
    stop_servers(lab);
    store_close(lab->store);
    free(lab);
}

void lab_restart(struct lab *lab)
{
    lab_run(lab);
    stop_servers(lab);
    start_servers(lab);
}

static void account_stored(struct store_request *r)
{
    assert_int_equal(r->result, ERR_NONE);
}

int64_t lab_add_account(struct lab *lab, const char *aor, const char *password, const char *extra)
{
    struct store_request r = {.op = STORE_ACCOUNT_PUT, .done = account_stored};
    r.put.aor = slice_str(aor);
    r.put.name = SLICE("");
    r.put.extra = extra ? slice_str(extra) : SLICE("");
    assert_int_equal(accounts_make_credentials(r.put.aor, slice_str(password), &r.put.credentials), ERR_NONE);
    store_submit(lab->store, &r);
    lab_run(lab);
    assert_true(r.put.id > 0);
    assert_int_equal(accounts_put(lab->shared.accounts, &r.put), ERR_NONE);
    return r.put.id;
}

struct account *lab_account(struct lab *lab, const char *aor)
{
    int64_t id;
    assert_true(accounts_id(lab->shared.accounts, slice_str(aor), &id));
    return home_account(lab->workers[server_home_worker(&lab->shared, slice_str(aor))].server, id, slice_str(aor));
}

struct flow lab_flow(const struct lab *lab, unsigned worker, enum transport transport, const char *remote)
{
    return (struct flow){
        .transport = (uint8_t)transport,
        .worker = (uint8_t)worker,
        .listener = transport == TRANSPORT_UDP ? 0 : 1,
        .slot = transport == TRANSPORT_UDP ? 0 : 7,
        .generation = transport == TRANSPORT_UDP ? 0 : 1,
        .local = lab->listeners[0].address,
        .remote = address_of(remote),
    };
}

void lab_receive(struct lab *lab, const struct flow *flow, const char *text)
{
    struct packet *p = packet_copy(slice_str(text));
    assert_non_null(p);
    server_receive(lab->workers[flow->worker].server, flow, p);
    packet_unref(&p);
    lab_run(lab);
}

void lab_clear(struct lab *lab)
{
    lab->sent_count = 0;
}

const struct lab_sent *lab_last(const struct lab *lab)
{
    assert_true(lab->sent_count > 0);
    return &lab->sent[lab->sent_count - 1];
}

int lab_status(const struct lab *lab)
{
    uint32_t status;
    if (lab->sent_count == 0)
        return 0;
    const struct lab_sent *s = lab_last(lab);
    struct slice line = slice_make(s->text, s->len);
    if (!slice_starts_with(line, SLICE("SIP/2.0 ")) ||
        slice_to_u32(slice_make(s->text + 8, 3), 999, &status) != ERR_NONE)
        return 0;
    return (int)status;
}

bool lab_last_has(const struct lab *lab, const char *text)
{
    return strstr(lab_last(lab)->text, text) != NULL;
}

/* The credentials line for the first challenge of the last answer. */
static bool make_credentials(struct lab *lab, const char *text, const char *username, const char *password,
                             struct buf *out)
{
    const char *line = strstr(lab_last(lab)->text, "-Authenticate: ");
    struct digest_challenge c;
    struct digest_hash ha1, response;
    if (!line)
        return false;
    line += strlen("-Authenticate: ");
    const char *end = strstr(line, "\r\n");
    assert_int_equal(digest_parse_challenge(slice_range(line, end), &c), ERR_NONE);
    struct slice rest, method = slice_cut(slice_str(text), ' ', &rest);
    struct digest_credentials d = {
        .username = slice_str(username),
        .realm = c.realm,
        .nonce = c.nonce,
        .uri = slice_cut(rest, ' ', &rest),
        .cnonce = SLICE("abc"),
        .nc_text = SLICE("00000001"),
        .nc = 1,
        .algorithm = c.algorithm,
        .qop = DIGEST_QOP_AUTH,
    };
    assert_int_equal(digest_ha1(c.algorithm, d.username, c.realm, slice_str(password), &ha1), ERR_NONE);
    assert_int_equal(digest_response(&ha1, &d, method, SLICE(""), &response), ERR_NONE);
    d.response = slice_make(response.hex, response.len);
    buf_append_str(out, lab_status(lab) == 401 ? "Authorization: " : "Proxy-Authorization: ");
    digest_append_credentials(out, &d);
    buf_append_str(out, "\r\n");
    return true;
}

int lab_authenticated(struct lab *lab, const struct flow *flow, const char *text, const char *username,
                      const char *password)
{
    struct buf b;
    const char *end = strstr(text, "Content-Length");
    assert_non_null(end);
    lab_clear(lab);
    lab_receive(lab, flow, text);
    buf_init(&b, LAB_TEXT_MAX);
    buf_append(&b, slice_range(text, end));
    if (make_credentials(lab, text, username, password, &b)) {
        buf_append_str(&b, end);
        buf_append_char(&b, '\0');
        assert_true(buf_ok(&b));
        lab_receive(lab, flow, b.ptr);
    }
    buf_deinit(&b);
    return lab_status(lab);
}

const char *lab_register_text(const struct lab_register *r)
{
    static char text[LAB_TEXT_MAX];
    static unsigned count;
    const char *user = r->user ? r->user : "alice";
    char from[64];
    (void)snprintf(from, sizeof from, "sip:%s@example.com", user);
    count++;
    int len = snprintf(text, sizeof text,
                       "REGISTER sip:example.com SIP/2.0\r\n"
                       "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKreg%u;rport\r\n%s"
                       "Max-Forwards: 70\r\n"
                       "From: <%s>;tag=t%u\r\nTo: <sip:%s@example.com>\r\n"
                       "Call-ID: %s\r\nCSeq: %u REGISTER\r\n%s%sContent-Length: 0\r\n\r\n",
                       count, r->vias ? r->vias : "", r->from ? r->from : from, count, user,
                       r->call_id ? r->call_id : "call-1", r->cseq ? r->cseq : count,
                       r->contacts ? r->contacts : "Contact: <sip:alice@192.0.2.10:5060>\r\n",
                       r->extra ? r->extra : "");
    assert_true(len > 0 && (size_t)len < sizeof text);
    return text;
}

int lab_register_from(struct lab *lab, const char *source, const struct lab_register *r)
{
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, source ? source : LAB_PHONE);
    return lab_authenticated(lab, &flow, lab_register_text(r), r->user ? r->user : "alice", "secret");
}

size_t lab_count_bindings(struct lab *lab, const char *aor)
{
    struct account *a = lab_account(lab, aor);
    size_t count = 0;
    for (struct binding *b = NULL; (b = location_next_binding(a, b));)
        count++;
    return count;
}

size_t lab_count_devices(struct lab *lab, const char *aor)
{
    struct account *a = lab_account(lab, aor);
    size_t count = 0;
    for (size_t i = 1; i < STORE_DEVICES_MAX; i++)
        count += a->devices[i] != NULL;
    return count;
}
