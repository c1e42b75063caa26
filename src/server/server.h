/* The server core: one object per worker, no I/O of its own. The daemon and the simulator drive it alike. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "server/accounts.h"
#include "server/config.h"
#include "server/mesh.h"
#include "store/store.h"
#include "txn/endpoint.h"

/* What all workers of a process share. */
struct server_shared {
    struct accounts *accounts;
    struct store *store;
    struct hash_key hash_key;                   /* random per process: tables, home workers */
    uint8_t nonce_key[STORE_SECRET_LEN];        /* lasting (store_secret "nonce") */
    uint8_t duplicate_secret[STORE_SECRET_LEN]; /* lasting (store_secret "duplicate") */
    unsigned workers;
};

struct server_env {
    const struct server_config *config;
    struct server_shared *shared;
    unsigned worker;
    struct link *link;
    struct timer_wheel *wheel;
    struct clock *clock;
    struct random *random;
    struct mesh *mesh;
};

/* ERR_NONE or ERR_NO_MEMORY. The environment's objects must outlive the server. */
int server_new(const struct server_env *env, struct server **ret);
void server_free(struct server *s);
/* A reloaded configuration. The old snapshot may be freed once every worker took the new one. */
void server_set_config(struct server *s, const struct server_config *config);

/* The worker that decides for this address-of-record. */
unsigned server_home_worker(const struct server_shared *shared, struct slice aor);

/* Reads the store into all servers (indexed by worker) and the accounts; before any worker runs. */
int server_load(struct server **servers, struct server_shared *shared);

/* From the net: one datagram or framed message; a late failure; a connection that ended. */
void server_receive(struct server *s, const struct flow *flow, struct packet *packet);
/* A stream that cannot be read on: `packet` holds what came of the message; `fault` says how it is answered. */
void server_malformed(struct server *s, const struct flow *flow, struct packet *packet,
                      const struct message_fault *fault);
/* A keep-alive came that is no message: a device that was away may be back. */
void server_heard(struct server *s, const struct flow *flow);
void server_link_failed(struct server *s, uint64_t token);
void server_flow_closed(struct server *s, const struct flow *flow);

/* Stops taking new work (503 with Retry-After) and starting deliveries of kept mail, for SIGTERM. */
void server_drain(struct server *s);
/* Messages in decision, and those to another domain. */
size_t server_running(const struct server *s);
/* Whether a device has a message and could still answer: the answer spares it a repeat after the start. */
bool server_is_delivering(const struct server *s);

struct server_counters {
    uint64_t messages;  /* MESSAGE requests authenticated */
    uint64_t delivered; /* answered 200 */
    uint64_t stored;    /* answered 202 */
    uint64_t refused;   /* any other final answer */
    uint64_t duplicates;
    uint64_t drained; /* stored messages taken by a device later */
    uint64_t expired, failed;
    uint64_t registers, auth_failures, bindings, devices, queued;
};
void server_counters(const struct server *s, struct server_counters *ret);
const struct endpoint_counters *server_endpoint_counters(const struct server *s);

#endif
