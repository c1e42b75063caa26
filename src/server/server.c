/* One worker's server: puts the parts together and passes events in; answers go back to the worker that holds the
 * transaction. */
#include <stdlib.h>

#include "base/err.h"
#include "server/attempt.h"
#include "server/branch.h"
#include "server/duplicates.h"
#include "server/home.h"
#include "server/mailbox.h"
#include "server/rates.h"
#include "server/relay.h"
#include "server/request.h"
#include "server/watch.h"

/* Transactions of one worker: at 1 kB each 64 MB while they run; finished ones are about 100 bytes. */
#define SERVER_TXNS_MAX   65536u
#define FINISHED_TXNS_MAX 400000u
#define CLIENT_TXNS_MAX   65536u
/* Nonces whose nc is remembered: one per phone and a reserve. */
#define NONCES_MAX 200000u
/* Accounts in memory on one worker: as many as the store brings. */
#define HOMES_MAX SIZE_MAX

static void on_foreign_response(void *context, unsigned worker, const struct flow *flow, struct packet *packet);

static void on_heard(void *context, const struct flow *flow)
{
    watch_heard(context, flow);
}

static const struct endpoint_user endpoint_user = {
    .request = request_receive, .foreign_response = on_foreign_response, .heard = on_heard};

static int make_endpoint(struct server *s)
{
    const struct endpoint_config c = {
        .worker = s->worker,
        .link = s->link,
        .wheel = s->wheel,
        .random = s->random,
        .user = &endpoint_user,
        .context = s,
        .server_name = s->config->server_name,
        .server_txns_max = SERVER_TXNS_MAX,
        .finished_max = FINISHED_TXNS_MAX,
        .client_txns_max = CLIENT_TXNS_MAX,
    };
    return endpoint_new(&c, &s->endpoint);
}

static int make_auth(struct server *s)
{
    struct auth_config c = {
        .config = s->config,
        .accounts = s->shared->accounts,
        .clock = s->clock,
        .random = s->random,
        .hash_key = &s->shared->hash_key,
        .nonces_max = NONCES_MAX,
        .worker = s->worker,
        .workers = s->shared->workers,
    };
    memcpy(c.nonce_key, s->shared->nonce_key, sizeof c.nonce_key);
    return auth_new(&c, &s->auth);
}

static bool is_owed(void *context, int64_t account, uint64_t seq)
{
    const struct account *a = home_find(context, account);
    return a && mailbox_find(a, seq);
}

int server_new(const struct server_env *env, struct server **ret)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NO_MEMORY;
    s->config = env->config;
    s->shared = env->shared;
    s->store = env->shared->store;
    s->worker = env->worker;
    s->link = env->link;
    s->wheel = env->wheel;
    s->clock = env->clock;
    s->random = env->random;
    s->mesh = env->mesh;
    list_init(&s->attempts);
    list_init(&s->branches);
    list_init(&s->relays);
    if (table_init(&s->homes, HOMES_MAX) != ERR_NONE || make_endpoint(s) != ERR_NONE || make_auth(s) != ERR_NONE ||
        rates_new(&s->shared->hash_key, &s->config->limits, &s->rates) != ERR_NONE ||
        duplicates_new(s->config->limits.duplicates_max, is_owed, s, &s->duplicates) != ERR_NONE ||
        watch_new(&s->shared->hash_key, &s->watch) != ERR_NONE) {
        server_free(s);
        return ERR_NO_MEMORY;
    }
    *ret = s;
    return ERR_NONE;
}

void server_free(struct server *s)
{
    if (!s)
        return;
    relay_free_all(s);
    branch_free_all(s);
    if (s->homes.buckets)
        home_free(s);
    attempt_free_all(s);
    table_deinit(&s->homes);
    watch_free(s->watch);
    duplicates_free(s->duplicates);
    rates_free(s->rates);
    auth_free(s->auth);
    endpoint_free(s->endpoint);
    free(s);
}

void server_set_config(struct server *s, const struct server_config *config)
{
    s->config = config;
    auth_set_config(s->auth, config);
    rates_set_limits(s->rates, &config->limits);
}

int server_load(struct server **servers, struct server_shared *shared)
{
    return home_load(servers, shared);
}

unsigned server_home_worker(const struct server_shared *shared, struct slice aor)
{
    return (unsigned)(hash_slice(&shared->hash_key, aor) % shared->workers);
}

/* --- events from the net --- */

void server_receive(struct server *s, const struct flow *flow, struct packet *packet)
{
    endpoint_receive(s->endpoint, flow, packet);
}

void server_malformed(struct server *s, const struct flow *flow, struct packet *packet,
                      const struct message_fault *fault)
{
    endpoint_malformed(s->endpoint, flow, packet, fault);
}

void server_heard(struct server *s, const struct flow *flow)
{
    watch_heard(s, flow);
}

void server_link_failed(struct server *s, uint64_t token)
{
    endpoint_link_failed(s->endpoint, token);
}

void server_flow_closed(struct server *s, const struct flow *flow)
{
    endpoint_flow_closed(s->endpoint, flow);
}

/* --- between workers --- */

/* A response on its way to the worker that sent the request. */
struct moved_packet {
    struct mesh_post post;
    struct flow flow;
    struct packet *packet;
};

static void receive_moved(struct mesh_post *post, struct server *there)
{
    struct moved_packet *m = CONTAINER_OF(post, struct moved_packet, post);
    endpoint_receive(there->endpoint, &m->flow, m->packet);
    packet_unref(&m->packet);
    free(m);
}

static void on_foreign_response(void *context, unsigned worker, const struct flow *flow, struct packet *packet)
{
    struct server *s = context;
    struct moved_packet *m = worker < s->shared->workers ? calloc(1, sizeof *m) : NULL;
    if (!m)
        return; /* nobody's, or lost as on the wire: the peer repeats it */
    m->flow = *flow;
    m->packet = packet_ref(packet);
    m->post.run = receive_moved;
    mesh_post(s->mesh, worker, &m->post);
}

/* An answer on its way to the worker that holds the transaction. */
struct moved_answer {
    struct mesh_post post;
    struct txn_id to;
    struct answer answer;
    struct packet *response; /* not NULL: passed on instead */
    char texts[];
};

static void forward(struct server *s, struct txn_id to, struct packet *packet)
{
    struct server_txn *t = server_txn_find(s->endpoint, to);
    struct message m;
    struct message_fault fault;
    if (t && message_parse(packet_slice(packet), &m, &fault) == ERR_NONE)
        server_txn_forward(t, &m);
}

static void answer(struct server *s, struct txn_id to, const struct answer *a)
{
    struct server_txn *t = server_txn_find(s->endpoint, to);
    if (t)
        server_txn_answer(t, a);
}

static void answer_moved(struct mesh_post *post, struct server *there)
{
    struct moved_answer *m = CONTAINER_OF(post, struct moved_answer, post);
    if (m->response)
        forward(there, m->to, m->response);
    else
        answer(there, m->to, &m->answer);
    packet_unref(&m->response);
    free(m);
}

void server_answer(struct server *s, struct txn_id to, const struct answer *a)
{
    if (to.worker == s->worker) {
        answer(s, to, a);
        return;
    }
    struct moved_answer *m = calloc(1, sizeof *m + a->reason.len + a->headers.len);
    if (!m)
        return;
    m->to = to;
    m->answer.status = a->status;
    if (a->reason.len) {
        memcpy(m->texts, a->reason.ptr, a->reason.len);
        m->answer.reason = slice_make(m->texts, a->reason.len);
    }
    if (a->headers.len) {
        memcpy(m->texts + a->reason.len, a->headers.ptr, a->headers.len);
        m->answer.headers = slice_make(m->texts + a->reason.len, a->headers.len);
    }
    m->post.run = answer_moved;
    mesh_post(s->mesh, to.worker, &m->post);
}

void server_forward(struct server *s, struct txn_id to, struct packet *packet)
{
    if (to.worker == s->worker) {
        forward(s, to, packet);
        return;
    }
    struct moved_answer *m = calloc(1, sizeof *m);
    if (!m)
        return;
    m->to = to;
    m->response = packet_ref(packet);
    m->post.run = answer_moved;
    mesh_post(s->mesh, to.worker, &m->post);
}

_Static_assert(LIMIT_RETRY_AFTER_S == 30, "the line below says it");
const struct slice server_retry_later = SLICE_INIT("Retry-After: 30\r\n");

/* --- admitting --- */

bool server_begin_deciding(struct server *s, size_t bytes)
{
    if (s->deciding >= s->config->limits.deciding_max || s->deciding_bytes + bytes > LIMIT_DECIDING_BYTES)
        return false;
    s->deciding++;
    s->deciding_bytes += bytes;
    return true;
}

void server_end_deciding(struct server *s, size_t bytes)
{
    s->deciding--;
    s->deciding_bytes -= bytes;
}

/* --- stopping and counting --- */

void server_drain(struct server *s)
{
    s->draining = true;
}

size_t server_running(const struct server *s)
{
    return s->deciding;
}

bool server_is_delivering(const struct server *s)
{
    return !list_is_empty(&s->branches);
}

void server_counters(const struct server *s, struct server_counters *ret)
{
    *ret = s->counters;
}

const struct endpoint_counters *server_endpoint_counters(const struct server *s)
{
    return endpoint_counters(s->endpoint);
}
