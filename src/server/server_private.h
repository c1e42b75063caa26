/* Inside of the server core: what its files share. One worker's state; nothing here is touched by another thread. */
#ifndef SERVER_SERVER_PRIVATE_H
#define SERVER_SERVER_PRIVATE_H

#include "server/account.h"
#include "server/auth.h"
#include "server/server.h"
#include "server/us.h"

struct duplicates;
struct rates;
struct watch;

struct server {
    const struct server_config *config;
    struct server_shared *shared;
    struct store *store;
    struct endpoint *endpoint;
    struct link *link;
    struct timer_wheel *wheel;
    struct clock *clock;
    struct random *random;
    struct mesh *mesh;
    unsigned worker;
    bool draining;

    struct auth *auth;
    struct rates *rates;           /* per sender and per source */
    struct table homes;            /* struct account by id: those whose home is here */
    struct duplicates *duplicates; /* of the accounts at home here */
    struct watch *watch;           /* flows on this worker whose next packet wakes a held device */
    struct list attempts;          /* that run, asked for here */
    struct list branches, relays;
    size_t deciding;       /* deliveries and relays that run */
    size_t deciding_bytes; /* of their messages */
    struct server_counters counters;
};

/* The Retry-After line of our 503 and 480 (LIMIT_RETRY_AFTER_S). */
extern const struct slice server_retry_later;

/* Admits one more message of `bytes` to be decided; false: too many run, answer 503 (C17). */
bool server_begin_deciding(struct server *s, size_t bytes);
void server_end_deciding(struct server *s, size_t bytes);

/* Answers a server transaction that may live on another worker. `a` is copied. A transaction that ended meanwhile is no
 * error. Without memory the answer is lost and the client's repeat gets it. */
void server_answer(struct server *s, struct txn_id to, const struct answer *a);
/* Passes on a response (a parsed message inside `packet`) in the same way. */
void server_forward(struct server *s, struct txn_id to, struct packet *packet);

#endif
