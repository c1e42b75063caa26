/* The simulated installation: see world.h. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "phone.h"

/* The store commits this long after the first request of a batch came, at most. */
#define STORE_DELAY_MAX_MS 30u

/* --- clock, link, mesh, poster --- */

static uint64_t on_mono_ms(struct clock *c)
{
    return CONTAINER_OF(c, struct world, clock)->now_ms;
}

static int64_t on_wall_ms(struct clock *c)
{
    return (int64_t)CONTAINER_OF(c, struct world, clock)->now_ms + INT64_C(1700000000000);
}

static enum link_result on_send(struct link *l, const struct hop *to, const struct slice *parts, size_t count,
                                uint64_t token)
{
    struct world *w = CONTAINER_OF(l, struct world_worker, link)->world;
    struct address remote = to->flow.remote;
    (void)token;
    if (!to->is_flow && address_parse_ip(to->target.host, &remote) != ERR_NONE)
        return LINK_FAILED;
    if (!to->is_flow)
        remote.port = to->target.port ? to->target.port : 5060;
    if (w->is_up)
        air_send(&w->air, w->now_ms, &w->server_address, &remote, parts, count);
    return LINK_DONE;
}

static int on_sent_by(struct link *l, const struct hop *to, enum transport *ret_transport, struct slice *ret_sent_by)
{
    (void)l, (void)to;
    *ret_transport = TRANSPORT_UDP;
    *ret_sent_by = SLICE("10.0.0.1:5060");
    return ERR_NONE;
}

static const struct link_ops link_ops = {.send = on_send, .sent_by = on_sent_by};

_Static_assert(sizeof(struct list_node) <= sizeof((struct mesh_post *)0)->carrier, "a post must fit into its carrier");

static void on_post(struct mesh *mesh, unsigned worker, struct mesh_post *post)
{
    struct world *w = CONTAINER_OF(mesh, struct world, mesh);
    list_push_back(&w->workers[worker].posts, (struct list_node *)(void *)post->carrier);
}

static void on_completed(void *context, unsigned worker, struct list *completed)
{
    struct world *w = context;
    list_splice(&w->workers[worker].completed, completed);
}

/* Runs what workers posted to each other, the workers in a shuffled order, until nothing is left. */
static bool run_posts(struct world *w)
{
    bool ran = false;
    unsigned first = (unsigned)random_below(&w->random.base, WORLD_WORKERS);
    for (unsigned i = 0; i < WORLD_WORKERS; i++) {
        struct world_worker *worker = &w->workers[(first + i) % WORLD_WORKERS];
        struct list_node *node = list_pop_front(&worker->posts);
        if (node) {
            struct mesh_post *post = CONTAINER_OF((void **)(void *)node, struct mesh_post, carrier);
            post->run(post, worker->server);
            ran = true;
        }
        if (!list_is_empty(&worker->completed)) {
            store_complete(&worker->completed);
            ran = true;
        }
    }
    return ran;
}

/* --- the server --- */

static void log_nothing(void *context, struct slice line)
{
    (void)context, (void)line;
}

void world_start(struct world *w)
{
    struct server *servers[WORLD_WORKERS];
    if (accounts_new(&w->shared.hash_key, &w->shared.accounts) != ERR_NONE)
        abort();
    for (unsigned i = 0; i < WORLD_WORKERS; i++) {
        const struct server_env env = {.config = &w->config,
                                       .shared = &w->shared,
                                       .worker = i,
                                       .link = &w->workers[i].link,
                                       .wheel = &w->wheel,
                                       .clock = &w->clock,
                                       .random = &w->random.base,
                                       .mesh = &w->mesh};
        if (server_new(&env, &w->workers[i].server) != ERR_NONE)
            abort();
        servers[i] = w->workers[i].server;
    }
    if (server_load(servers, &w->shared) != ERR_NONE)
        abort();
    w->is_up = true;
}

void world_kill(struct world *w)
{
    w->is_up = false; /* from here on nothing reaches the air or the store */
    store_memory_fail_all(w->store, SIZE_MAX, ERR_CLOSED);
    do {
        while (run_posts(w))
            ;
    } while (store_memory_run(w->store));
    store_memory_fail_all(w->store, 0, ERR_NONE);
    w->store_at_ms = 0;
    for (unsigned i = 0; i < WORLD_WORKERS; i++)
        server_free(w->workers[i].server);
    accounts_free(w->shared.accounts);
}

/* --- making --- */

static void add_account(struct world *w, unsigned number)
{
    char aor[64];
    struct store_request r = {.op = STORE_ACCOUNT_PUT, .done = NULL};
    (void)snprintf(aor, sizeof aor, "sip:user%u@" WORLD_DOMAIN, number);
    r.put.aor = slice_str(aor);
    r.put.name = SLICE("");
    r.put.extra = SLICE("");
    store_submit(w->store, &r);
    store_memory_run(w->store);
    for (unsigned i = 0; i < WORLD_WORKERS; i++) /* nobody waits for this one */
        while (list_pop_front(&w->workers[i].completed))
            ;
}

static void configure(struct world *w)
{
    w->domain = SLICE(WORLD_DOMAIN);
    w->server_address = (struct address){.family = 4, .port = 5060, .ip = {10, 0, 0, 1}};
    w->listener = (struct server_listener){.transport = TRANSPORT_UDP, .address = w->server_address};
    if (network_parse(SLICE("10.0.0.0/8"), &w->trusted) != ERR_NONE)
        abort();
    w->config = (struct server_config){.domains = &w->domain,
                                       .domain_count = 1,
                                       .listeners = &w->listener,
                                       .listener_count = 1,
                                       .trusted = &w->trusted,
                                       .trusted_count = 1,
                                       .digest = {DIGEST_MD5},
                                       .digest_count = 1,
                                       .workers = WORLD_WORKERS};
    server_limits_default(&w->config.limits);
}

struct world *world_new(uint64_t seed, bool tells_story)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    w->seed = seed;
    w->clock = (struct clock){.mono_ms = on_mono_ms, .wall_ms = on_wall_ms};
    w->mesh.post = on_post;
    w->now_ms = 1000;
    w->checker.tells_story = tells_story;
    if (!tells_story)
        log_set_sink(log_nothing, NULL);
    random_seeded_init(&w->random, seed);
    timer_wheel_init(&w->wheel, w->now_ms);
    air_init(&w->air, &w->random.base);
    configure(w);
    for (unsigned i = 0; i < WORLD_WORKERS; i++) {
        w->workers[i] = (struct world_worker){.link.ops = &link_ops, .world = w, .index = i};
        list_init(&w->workers[i].posts);
        list_init(&w->workers[i].completed);
    }
    const struct store_poster poster = {.post = on_completed, .context = w};
    if (store_memory_open(&poster, &w->random.base, &w->store) != ERR_NONE)
        abort();
    w->shared = (struct server_shared){.store = w->store, .workers = WORLD_WORKERS};
    random_fill(&w->random.base, &w->shared.hash_key, sizeof w->shared.hash_key);
    (void)store_secret(w->store, SLICE("nonce"), w->shared.nonce_key);
    (void)store_secret(w->store, SLICE("duplicate"), w->shared.duplicate_secret);
    for (unsigned i = 0; i < WORLD_PHONES; i++) {
        add_account(w, i);
        /* The last two phones are two devices of one account. */
        w->phones[i] = phone_new(w, i, i == WORLD_PHONES - 1 ? i - 1 : i);
    }
    world_start(w);
    return w;
}

void world_free(struct world *w)
{
    if (w->is_up)
        world_kill(w);
    for (unsigned i = 0; i < WORLD_PHONES; i++)
        phone_free(w->phones[i]);
    air_deinit(&w->air);
    store_close(w->store);
    free(w);
}

/* --- running --- */

static void arrive(struct world *w, struct packet *packet, const struct address *from, const struct address *to)
{
    if (address_eq(to, &w->server_address)) {
        /* The kernel spreads by address; any worker must do. */
        unsigned worker = random_below(&w->random.base, 8) ? from->ip[3] % WORLD_WORKERS
                                                           : (unsigned)random_below(&w->random.base, WORLD_WORKERS);
        const struct flow f = {
            .transport = TRANSPORT_UDP, .worker = (uint8_t)worker, .local = w->server_address, .remote = *from};
        if (w->is_up)
            server_receive(w->workers[worker].server, &f, packet);
        return;
    }
    for (unsigned i = 0; i < WORLD_PHONES; i++)
        if (address_eq(to, phone_address(w->phones[i])))
            phone_receive(w->phones[i], from, packet);
}

static uint64_t min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void run_instant(struct world *w)
{
    struct address from, to;
    timer_wheel_advance(&w->wheel, w->now_ms);
    for (struct packet *p; (p = air_take(&w->air, w->now_ms, &from, &to));) {
        arrive(w, p, &from, &to);
        packet_unref(&p);
    }
    if (w->store_at_ms && w->now_ms >= w->store_at_ms) {
        w->store_at_ms = 0;
        store_memory_run(w->store);
    }
    if (w->is_up)
        while (run_posts(w))
            ;
    if (!w->store_at_ms && store_memory_waiting(w->store))
        w->store_at_ms = w->now_ms + 1 + random_below(&w->random.base, STORE_DELAY_MAX_MS);
}

void world_run(struct world *w, uint64_t until_ms)
{
    while (w->now_ms < until_ms) {
        run_instant(w);
        uint64_t next = min(air_next(&w->air), timer_wheel_next(&w->wheel));
        if (w->store_at_ms)
            next = min(next, w->store_at_ms);
        w->now_ms = min(until_ms, next > w->now_ms ? next : w->now_ms + 1);
    }
}
