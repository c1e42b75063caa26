/* A whole installation in one process on a virtual clock: a server with several workers over a store in memory, phones,
 * the air between them. The seed decides everything, so a run can be repeated exactly. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "air.h"
#include "checker.h"
#include "server/server.h"
#include "store/memory/store_memory.h"

#define WORLD_WORKERS 2
#define WORLD_PHONES  3
#define WORLD_DOMAIN  "sim.test"

struct phone;
struct world;

struct world_worker {
    struct link link;
    struct world *world;
    unsigned index;
    struct server *server;
    struct list posts;     /* in the order they came, per poster; see world_run_posts */
    struct list completed; /* store requests */
};

struct world {
    uint64_t seed;
    struct random_seeded random;
    struct clock clock;
    uint64_t now_ms;
    struct timer_wheel wheel;
    struct air air;
    struct address server_address;
    struct slice domain;
    struct server_listener listener;
    struct network trusted;
    struct server_config config;
    struct server_shared shared;
    struct mesh mesh;
    struct world_worker workers[WORLD_WORKERS];
    struct store *store;
    uint64_t store_at_ms; /* when the store commits next; 0: nothing waits */
    bool is_up;
    struct phone *phones[WORLD_PHONES];
    struct checker checker;
};

/* Makes it, with the server up and the phones' accounts known. */
struct world *world_new(uint64_t seed, bool tells_story);
void world_free(struct world *w);
/* Runs until `until_ms` of its own time. */
void world_run(struct world *w, uint64_t until_ms);
/* Kills the server: what was not committed is gone, the workers' memory too. world_start brings it back. */
void world_kill(struct world *w);
void world_start(struct world *w);

#endif
