/* See control_state.h. */
#include "daemon/control_state.h"

#include <stdlib.h>

#include "base/err.h"
#include "daemon/control_walk.h"
#include "daemon/reload.h"
#include "server/admin.h"

/* --- registrations --- */

struct listing {
    const struct control_account *account;
    json_t *items;
};

static void add_binding(void *context, const struct binding *b, uint64_t expires_in_ms)
{
    struct listing *l = context;
    char from[ADDRESS_TEXT_MAX];
    struct slice transport = transport_name(b->flow.transport);
    (void)json_array_append_new(
        l->items, json_pack("{s:o,s:o,s:s%,s:s,s:s,s:I,s:i,s:b,s:o,s:o,s:o}", "account",
                            control_json_text(l->account->aor), "contact", control_json_text(b->contact), "via",
                            transport.ptr, transport.len, "from", address_text(&b->flow.remote, from), "state",
                            b->live ? "registered" : "away", "expires_s", (json_int_t)(expires_in_ms / 1000), "q",
                            (int)b->q, "behind_nat", (int)b->behind_nat, "device", control_json_text(b->device->key),
                            "path", control_json_text(b->path), "user_agent", control_json_text(b->user_agent)));
}

static json_t *list_bindings(struct server *home, const struct control_account *account)
{
    struct listing l = {.account = account, .items = json_array()};
    if (l.items)
        admin_bindings(home, account->id, add_binding, &l);
    return l.items;
}

void control_state_registrations(struct control_call *call)
{
    control_walk(call, list_bindings);
}

/* --- status --- */

struct sums {
    struct server_counters server;
    struct endpoint_counters endpoint;
    struct net_counters net;
    size_t running;
};

static void add_up(void *context, unsigned worker, struct server *server, struct net *net)
{
    struct sums *sum = context;
    struct server_counters s;
    const struct endpoint_counters *e = server_endpoint_counters(server);
    const struct net_counters *n = net_counters(net);
    (void)worker;
    server_counters(server, &s);
    /* All fields of the first two are uint64_t. */
    for (size_t i = 0; i < sizeof s / sizeof(uint64_t); i++)
        ((uint64_t *)&sum->server)[i] += ((const uint64_t *)&s)[i];
    for (size_t i = 0; i < sizeof *e / sizeof(uint64_t); i++)
        ((uint64_t *)&sum->endpoint)[i] += ((const uint64_t *)e)[i];
    sum->net.datagrams_in += n->datagrams_in;
    sum->net.datagrams_out += n->datagrams_out;
    sum->net.datagrams_dropped += n->datagrams_dropped;
    sum->net.accepted += n->accepted;
    sum->net.refused += n->refused;
    sum->net.opened += n->opened;
    sum->net.deadlines += n->deadlines;
    sum->net.malformed += n->malformed;
    sum->net.connections += n->connections;
    sum->running += server_running(server);
}

struct number {
    const char *name;
    uint64_t value;
};

static json_t *group(const struct number *numbers, size_t count)
{
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++)
        (void)json_object_set_new(object, numbers[i].name, json_integer((json_int_t)numbers[i].value));
    return object;
}
#define GROUP(...)                                                                                                     \
    group((const struct number[]){__VA_ARGS__}, sizeof((const struct number[]){__VA_ARGS__}) / sizeof(struct number))

static json_t *listeners(const struct config *c)
{
    json_t *list = json_array();
    struct buf text;
    buf_init(&text, 256);
    for (size_t i = 0; i < c->listener_count; i++) {
        buf_reset(&text);
        config_print_listener(c, i, &text);
        (void)json_array_append_new(list, control_json_text(buf_slice(&text)));
    }
    buf_deinit(&text);
    return list;
}

void control_state_status(struct control_call *call)
{
    struct daemon *d = call->daemon;
    struct sums sum = {0};
    workers_visit(d->workers, add_up, &sum);
    const struct server_counters *s = &sum.server;
    const struct endpoint_counters *e = &sum.endpoint;
    const struct net_counters *n = &sum.net;
    json_t *answer = json_pack(
        "{s:s,s:I,s:s,s:s*,s:o,s:i,s:I,s:b}", "version", TELEX_VERSION, "uptime_s",
        (json_int_t)((loop_now_ms(d->loop) - d->started_ms) / 1000), "data", d->config->data, "config", d->config->file,
        "listen", listeners(d->config), "workers", (int)workers_count(d->workers), "accounts",
        (json_int_t)accounts_count(d->shared.accounts), "disk_full", (int)store_is_full(d->shared.store));
    (void)json_object_set_new(answer, "now",
                              GROUP({"registrations", s->bindings}, {"devices", s->devices}, {"queued", s->queued},
                                    {"deciding", sum.running}, {"connections", n->connections}));
    (void)json_object_set_new(answer, "messages",
                              GROUP({"received", s->messages}, {"delivered", s->delivered}, {"stored", s->stored},
                                    {"refused", s->refused}, {"duplicates", s->duplicates}, {"drained", s->drained},
                                    {"expired", s->expired}, {"failed", s->failed}));
    (void)json_object_set_new(answer, "registrar",
                              GROUP({"registers", s->registers}, {"auth_failures", s->auth_failures}));
    (void)json_object_set_new(answer, "sip",
                              GROUP({"requests", e->requests}, {"responses", e->responses},
                                    {"retransmissions", e->retransmissions}, {"malformed", e->malformed},
                                    {"strays", e->strays}, {"timeouts", e->timeouts},
                                    {"send_failures", e->send_failures}));
    (void)json_object_set_new(answer, "net",
                              GROUP({"datagrams_in", n->datagrams_in}, {"datagrams_out", n->datagrams_out},
                                    {"datagrams_dropped", n->datagrams_dropped}, {"accepted", n->accepted},
                                    {"refused", n->refused}, {"opened", n->opened}, {"deadlines", n->deadlines},
                                    {"malformed", n->malformed}));
    control_ok(call, answer);
}

/* --- reload --- */

void control_state_reload(struct control_call *call)
{
    unsigned left_out = 0;
    char *message = NULL;
    struct buf text;
    buf_init(&text, 64);
    if (reload_run(call->daemon, &left_out, &message) == ERR_NONE) {
        reload_append_left_out(&text, left_out);
        control_ok(call, json_pack("{s:o}", "needs_restart", control_json_text(buf_slice(&text))));
    } else {
        control_refuse(call, "the configuration stays as it was:\n%s", message ? message : "out of memory");
    }
    free(message);
    buf_deinit(&text);
}
