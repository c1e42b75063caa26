/* A whole server in one process: some workers, the memory store, a virtual clock, a link that records what is sent.
 * Tests put in bytes and look at what comes out. Nothing happens but by lab_run and lab_advance (which lab_receive
 * calls). */
#ifndef SUPPORT_LAB_H
#define SUPPORT_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "server/home.h"
#include "server/location.h"
#include "store/memory/store_memory.h"

#define LAB_WORKERS_MAX 4
#define LAB_SENT_MAX    256
#define LAB_TEXT_MAX    8192
#define LAB_PHONE       "192.0.2.10:5060"
#define LAB_ALICE       "sip:alice@example.com"
#define LAB_SERVER      "192.0.2.1:5060"
#define LAB_TRUSTED     "192.0.2.99:5060"
#define LAB_RELAY       "192.0.2.98:5060"
#define LAB_HOP         "192.0.2.97:5060" /* next hop of example.net */

struct lab;

struct lab_sent {
    unsigned worker;
    bool is_flow;
    struct flow flow;
    char to[ADDRESS_TEXT_MAX]; /* where it goes, by flow or target: "192.0.2.10:5060" */
    enum transport transport;
    uint32_t connect_ms;
    uint64_t token;
    size_t len;
    char text[LAB_TEXT_MAX]; /* NUL-terminated */
};

struct lab_worker {
    struct link link;
    struct lab *lab;
    unsigned index;
    struct server *server;
    struct list posts, completed;
};

struct lab {
    struct clock clock;
    uint64_t mono_ms;
    int64_t wall_ms;
    struct timer_wheel wheel;
    struct random_seeded random;
    struct mesh mesh;
    struct store *store;
    bool holds_store;            /* nothing is committed until it is false again */
    bool fails[TRANSPORT_COUNT]; /* what is sent over it fails at once */
    struct slice domains[2];
    struct server_alias alias;
    struct server_listener listeners[2]; /* UDP and TCP at LAB_SERVER */
    struct network trusted, relay;
    struct server_route route;
    struct server_config config;
    struct server_shared shared;
    struct lab_worker workers[LAB_WORKERS_MAX];
    struct lab_sent sent[LAB_SENT_MAX];
    size_t sent_count;
};

/* alice, bob and carol of example.com exist, with the password "secret". Fails the test when it cannot be made. */
struct lab *lab_new(unsigned workers);
void lab_free(struct lab *lab);
/* Ends the servers and starts them anew from the store. */
void lab_restart(struct lab *lab);
/* Adds an account; returns its number. `extra` as in struct store_account. */
int64_t lab_add_account(struct lab *lab, const char *aor, const char *password, const char *extra);
/* The account at its home. */
struct account *lab_account(struct lab *lab, const char *aor);

struct flow lab_flow(const struct lab *lab, unsigned worker, enum transport transport, const char *remote);
/* One packet comes in; runs until nothing moves. */
void lab_receive(struct lab *lab, const struct flow *flow, const char *text);
/* Posts and (unless held) commits until nothing moves. */
void lab_run(struct lab *lab);
/* Moves both clocks and runs. */
void lab_advance(struct lab *lab, uint64_t ms);
/* Forgets what was sent so far. */
void lab_clear(struct lab *lab);
/* The last thing sent; fails the test when there is none. */
const struct lab_sent *lab_last(const struct lab *lab);
/* The status of the last thing sent; 0 when nothing was sent, or a request was. */
int lab_status(const struct lab *lab);
/* Whether the last thing sent holds `text`. */
bool lab_last_has(const struct lab *lab, const char *text);

/* Sends `text`, and once more with credentials for what it was challenged with. They stand where the text has its
 * "Content-Length". Returns the last status. */
int lab_authenticated(struct lab *lab, const struct flow *flow, const char *text, const char *username,
                      const char *password);

/* A REGISTER. NULL and 0 mean: as usual. */
struct lab_register {
    const char *user;     /* "alice" */
    const char *call_id;  /* "call-1" */
    unsigned cseq;        /* the lab counts on */
    const char *contacts; /* whole lines with CRLF; "" for none */
    const char *extra;    /* whole lines */
    const char *vias;     /* whole lines below the top one */
    const char *from;     /* other than To */
};
/* The text, good until the next call. */
const char *lab_register_text(const struct lab_register *r);
/* Sends it with digest, over UDP from `source` (NULL: LAB_PHONE) at worker 0. Returns the status. */
int lab_register_from(struct lab *lab, const char *source, const struct lab_register *r);
size_t lab_count_bindings(struct lab *lab, const char *aor);
size_t lab_count_devices(struct lab *lab, const char *aor);

#endif
