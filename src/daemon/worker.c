/* Workers: see worker.h. */
#include "daemon/worker.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/inbox.h"

struct worker {
    struct workers *all;
    unsigned index;
    struct loop *loop;
    struct net *net;
    struct server *server;
    pthread_t thread;
    bool runs;
    struct inbox inbox;
};

struct workers {
    struct mesh mesh;
    struct config *config;
    struct server_shared *shared;
    struct inbox control; /* of the thread that is no worker */
    unsigned count;
    struct worker workers[];
};

/* --- what the net tells --- */

static void on_received(void *context, const struct flow *flow, struct packet *packet)
{
    struct worker *w = context;
    server_receive(w->server, flow, packet);
}

/* The head that could not be framed goes through the endpoint like any malformed request: it answers 400 when it can.
 */
static void on_malformed(void *context, const struct flow *flow, struct slice head, const struct message_fault *fault)
{
    struct worker *w = context;
    struct packet *packet = packet_copy(head);
    if (packet)
        server_malformed(w->server, flow, packet, fault);
    packet_unref(&packet);
}

static void on_link_failed(void *context, uint64_t token)
{
    struct worker *w = context;
    server_link_failed(w->server, token);
}

static void on_flow_closed(void *context, const struct flow *flow)
{
    struct worker *w = context;
    server_flow_closed(w->server, flow);
}

static void on_keepalive(void *context, const struct flow *flow)
{
    struct worker *w = context;
    server_heard(w->server, flow);
}

static const struct net_user net_user = {on_received, on_malformed, on_link_failed, on_flow_closed, on_keepalive};

/* --- posting --- */

/* The worker whose thread this is. */
static _Thread_local struct worker *current;

_Static_assert(sizeof(struct loop_post) <= sizeof((struct mesh_post *)0)->carrier, "a post must fit into its carrier");

static void deliver_post(struct loop_post *carrier)
{
    struct mesh_post *post = CONTAINER_OF((void **)(void *)carrier, struct mesh_post, carrier);
    post->run(post, current->server);
}

void workers_post(struct workers *w, unsigned worker, struct mesh_post *post)
{
    loop_post(w->workers[worker].loop, (struct loop_post *)(void *)post->carrier, deliver_post);
}

static void on_mesh_post(struct mesh *mesh, unsigned worker, struct mesh_post *post)
{
    workers_post(CONTAINER_OF(mesh, struct workers, mesh), worker, post);
}

/* --- the store's completions --- */

static void on_completed(void *context, unsigned worker, struct list *completed)
{
    struct workers *all = context;
    inbox_put(worker < all->count ? &all->workers[worker].inbox : &all->control, completed);
}

struct store_poster workers_poster(struct workers *w)
{
    return (struct store_poster){.post = on_completed, .context = w};
}

/* --- making --- */

/* The first worker binds what the configuration asks; the others listen at the same addresses. */
static int make_net(struct worker *w, size_t *ret_listener)
{
    const struct config *c = w->all->config;
    const struct net_config nc = {
        .loop = w->loop,
        .random = random_system(),
        .worker = w->index,
        .listeners = c->listeners,
        .listener_count = c->listener_count,
        .exempt = c->exempt,
        .exempt_count = c->exempt_count,
        .user = &net_user,
        .context = w,
    };
    return net_new(&nc, &w->net, ret_listener);
}

static int note_bound(struct workers *all, const struct net *first)
{
    for (size_t i = 0; i < all->config->listener_count; i++) {
        int err = config_set_bound(all->config, i, net_bound(first, i));
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}

static int make_server(struct worker *w)
{
    const struct server_env env = {
        .config = &w->all->config->server,
        .shared = w->all->shared,
        .worker = w->index,
        .link = net_link(w->net),
        .wheel = loop_wheel(w->loop),
        .clock = clock_system(),
        .random = random_system(),
        .mesh = &w->all->mesh,
    };
    return server_new(&env, &w->server);
}

int workers_new(struct config *config, struct server_shared *shared, struct loop *control, struct workers **ret)
{
    struct workers *all = calloc(1, sizeof *all + config->server.workers * sizeof all->workers[0]);
    if (!all)
        return ERR_NO_MEMORY;
    all->mesh.post = on_mesh_post;
    all->config = config;
    all->shared = shared;
    inbox_init(&all->control, control);
    for (unsigned i = 0; i < config->server.workers; i++) {
        struct worker *w = &all->workers[i];
        w->all = all;
        w->index = i;
        int err = loop_new(clock_system(), &w->loop);
        if (err != ERR_NONE) {
            workers_free(all);
            return err;
        }
        inbox_init(&w->inbox, w->loop);
        all->count++;
    }
    *ret = all;
    return ERR_NONE;
}

int workers_listen(struct workers *w, size_t *ret_listener)
{
    for (size_t i = 0; i < w->count; i++) {
        int err = make_net(&w->workers[i], ret_listener);
        if (err == ERR_NONE && i == 0)
            err = note_bound(w, w->workers[i].net);
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}

int workers_load(struct workers *w)
{
    struct server *servers[WORKERS_MAX];
    for (size_t i = 0; i < w->count; i++) {
        int err = make_server(&w->workers[i]);
        if (err != ERR_NONE)
            return err;
        servers[i] = w->workers[i].server;
    }
    return server_load(servers, w->shared);
}

/* --- running --- */

static void *run(void *argument)
{
    struct worker *w = argument;
    current = w;
    loop_run(w->loop);
    return NULL;
}

int workers_start(struct workers *w)
{
    for (size_t i = 0; i < w->count; i++) {
        if (pthread_create(&w->workers[i].thread, NULL, run, &w->workers[i]) != 0)
            return ERR_IO;
        w->workers[i].runs = true;
    }
    return ERR_NONE;
}

struct visit {
    struct mesh_post post;
    void (*visit)(void *context, unsigned worker, struct server *server, struct net *net);
    void *context;
    struct worker *worker;
    sem_t done;
};

static void run_visit(struct mesh_post *post, struct server *there)
{
    struct visit *v = CONTAINER_OF(post, struct visit, post);
    v->visit(v->context, v->worker->index, there, v->worker->net);
    sem_post(&v->done);
}

void workers_visit_one(struct workers *w, unsigned worker,
                       void (*visit)(void *context, unsigned worker, struct server *server, struct net *net),
                       void *context)
{
    struct visit v = {.post.run = run_visit, .visit = visit, .context = context, .worker = &w->workers[worker]};
    sem_init(&v.done, 0, 0);
    workers_post(w, worker, &v.post);
    while (sem_wait(&v.done) != 0)
        ; /* a signal came */
    sem_destroy(&v.done);
}

void workers_visit(struct workers *w,
                   void (*visit)(void *context, unsigned worker, struct server *server, struct net *net), void *context)
{
    for (unsigned i = 0; i < w->count; i++)
        workers_visit_one(w, i, visit, context);
}

static void begin_drain(void *context, unsigned worker, struct server *server, struct net *net)
{
    (void)context;
    (void)worker;
    (void)net;
    server_drain(server);
}

static void add_running(void *context, unsigned worker, struct server *server, struct net *net)
{
    (void)worker;
    (void)net;
    *(size_t *)context += server_running(server) + server_is_delivering(server);
}

void workers_drain(struct workers *w)
{
    workers_visit(w, begin_drain, NULL);
}

size_t workers_running(struct workers *w)
{
    size_t running = 0;
    workers_visit(w, add_running, &running);
    return running;
}

static void take_config(void *context, unsigned worker, struct server *server, struct net *net)
{
    const struct config *c = context;
    (void)worker;
    server_set_config(server, &c->server);
    if (net_set_exempt(net, c->exempt, c->exempt_count) != ERR_NONE)
        LOG(LOG_WARN, "reload-incomplete", LOG_FIELD("error", SLICE("no memory for the caps' exemptions")));
}

void workers_set_config(struct workers *w, struct config *config)
{
    w->config = config;
    workers_visit(w, take_config, config);
}

void workers_stop(struct workers *w)
{
    for (size_t i = 0; i < w->count; i++) {
        if (!w->workers[i].runs)
            continue;
        loop_stop(w->workers[i].loop);
        pthread_join(w->workers[i].thread, NULL);
        w->workers[i].runs = false;
    }
}

void workers_settle(struct workers *w)
{
    for (size_t i = 0; i < w->count; i++) {
        current = &w->workers[i];
        loop_turn(w->workers[i].loop, 0);
    }
    current = NULL;
}

void workers_free(struct workers *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++) {
        server_free(w->workers[i].server);
        if (w->workers[i].net)
            net_free(w->workers[i].net);
        inbox_deinit(&w->workers[i].inbox);
        loop_free(w->workers[i].loop);
    }
    inbox_deinit(&w->control);
    free(w);
}

unsigned workers_count(const struct workers *w)
{
    return w->count;
}
