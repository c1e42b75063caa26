/* One worker: a thread with its loop, its sockets and its server. Nothing of it is touched by another thread but
 * through the mesh. */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

#include "daemon/config.h"
#include "server/server.h"

/* Workers have numbers of one octet in branches and flows; more than this many cores gain nothing. */
#define WORKERS_MAX 64u

struct workers;

/* Makes all workers (config->server.workers of them) with their loops; the store may be opened with workers_poster from
 * here on. Store requests with the number workers_count() complete on the loop `control`. ERR_NO_MEMORY, ERR_IO. */
int workers_new(struct config *config, struct server_shared *shared, struct loop *control, struct workers **ret);
/* Binds the listeners and sets the configuration's bound addresses. ERR_NO_MEMORY, ERR_IO; ERR_EXISTS when a listener's
 * address is taken: then *ret_listener is its index. */
int workers_listen(struct workers *w, size_t *ret_listener);
/* Reads the store into their servers. */
int workers_load(struct workers *w);
/* Starts the threads. ERR_IO. */
int workers_start(struct workers *w);
/* A reloaded configuration: when it returns, no worker uses the old one any more. */
void workers_set_config(struct workers *w, struct config *config);
/* New requests are refused from now on; what runs goes on. */
void workers_drain(struct workers *w);
size_t workers_running(struct workers *w);
/* Stops the threads and joins them. */
void workers_stop(struct workers *w);
/* After stop, in the caller's thread: runs what was posted last (completions of a closed store). */
void workers_settle(struct workers *w);
void workers_free(struct workers *w);

unsigned workers_count(const struct workers *w);
/* The store's poster and the servers' mesh are these. */
struct store_poster workers_poster(struct workers *w);

/* Runs `call` on that worker's thread; from any thread. `post` is the caller's until then. */
void workers_post(struct workers *w, unsigned worker, struct mesh_post *post);
/* Runs `visit` on one worker, or on every worker in turn, and waits until it returned: for counters, listings and
 * reloads by the control thread. Only between workers_start and workers_stop. */
void workers_visit_one(struct workers *w, unsigned worker,
                       void (*visit)(void *context, unsigned worker, struct server *server, struct net *net),
                       void *context);
void workers_visit(struct workers *w,
                   void (*visit)(void *context, unsigned worker, struct server *server, struct net *net),
                   void *context);

#endif
