/* What the files of libtelex share: the agent and its parts. Nothing here is seen outside this folder.
 *
 *   agent.c            the public functions, and the turn that does what they wrote down
 *   ua_channel.c       the ways to the server: link.h toward the endpoint, stream framing, keep-alive
 *   ua_exchange.c      one request with its challenges, up to its final answer
 *   ua_auth.c          which challenge is answered, and how
 *   ua_registration.c  REGISTER: refresh, lost connections, backing off
 *   ua_outbox.c        outgoing MESSAGE: order, repeats under one identity
 *   ua_inbox.c         incoming requests, late answers, repeats
 *   ua_text.c          header lines that REGISTER and MESSAGE share */
#ifndef UA_PRIVATE_H
#define UA_PRIVATE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/table.h"
#include "sip/build.h"
#include "sip/digest.h"
#include "sip/framer.h"
#include "telex/ua.h"
#include "txn/endpoint.h"
#include "ua/ua_limits.h"

/* --- ways to the server --- */

struct ua_channel {
    struct telex_ua *ua;
    enum telex_transport transport;
    bool up;
    bool asked;           /* callbacks.connect was called and not answered */
    bool broken;          /* hang_up was called: input is ignored until the host has closed */
    bool change_up;       /* with `changed`: what the host said last */
    bool changed, closed; /* to be settled in the next turn: a new state; the flow that was up is gone */
    struct address new_local, new_remote;
    struct flow flow;
    char sent_by[ADDRESS_TEXT_MAX], new_sent_by[ADDRESS_TEXT_MAX];
    struct list waiting;   /* exchanges that need it open */
    struct list in_flight; /* exchanges with a transaction on it */
    struct buf input;      /* TELEX_TCP */
    struct framer framer;
    struct timer ping, pong;
    bool ponged;               /* this peer answers pings (RFC 5626 §4.4.1) */
    uint64_t refused_until_ms; /* could not be opened: not asked again for size alone */
};

void ua_channel_init(struct ua_channel *c, struct telex_ua *ua, enum telex_transport transport);
void ua_channel_deinit(struct ua_channel *c);
/* Acts on what the host said since the last turn. */
void ua_channel_settle(struct ua_channel *c);
void ua_channel_receive(struct ua_channel *c, struct slice bytes);
/* Asks the host for it unless that was done. */
void ua_channel_want(struct ua_channel *c);
extern const struct link_ops ua_channel_link_ops;

/* --- one request --- */

struct ua_exchange {
    struct telex_ua *ua;
    struct client_txn *txn;
    struct list_node node; /* in its channel's waiting or in_flight list */
    struct timer limit;    /* no way to the server in time, or the failure of a start to be told */
    enum method method;
    struct slice uri;    /* borrowed from the owner */
    struct packet *tail; /* fields that don't change per attempt, and the body; owned */
    uint32_t cseq;       /* of the last attempt sent */
    enum telex_transport transport;
    bool running;
    bool large;         /* on a stream for its size alone */
    bool proven[2];     /* per kind: a challenge in this exchange was answered */
    uint8_t challenges; /* answered ones */
    /* Called when the way is open, before each attempt; may replace `tail`. NULL: nothing to do. */
    void (*prepare)(struct ua_exchange *x);
    /* The end: `response` is final, or NULL for no answer. May start it again. */
    void (*done)(struct ua_exchange *x, const struct message *response);
};

void ua_exchange_init(struct ua_exchange *x, struct telex_ua *ua, enum method method);
/* Withdraws it without `done` and frees the tail. */
void ua_exchange_deinit(struct ua_exchange *x);
/* Takes the reference of `tail` (NULL: keeps the one it has). Never calls `done` before it returns. */
void ua_exchange_start(struct ua_exchange *x, struct slice uri, struct packet *tail);
/* The channel that its transaction was on is gone. `done` comes later. */
void ua_exchange_channel_lost(struct ua_exchange *x);
/* The channel that it waited for is open, or could not be opened. */
void ua_exchange_channel_settled(struct ua_exchange *x, bool up);

/* --- digest --- */

enum ua_auth_kind { UA_AUTH_WWW, UA_AUTH_PROXY }; /* 401, 407 */

struct ua_credential {
    bool set;
    bool has_qop, qop_int;
    enum digest_algorithm algorithm;
    struct digest_hash ha1;
    char realm[UA_TEXT_MAX], nonce[UA_TEXT_MAX], opaque[UA_TEXT_MAX];
    bool has_opaque;
    uint32_t nc;
};

/* Takes a challenge of the response for later attempts of that method. False: none that may be answered. */
bool ua_auth_learn(struct ua_exchange *x, const struct message *response);
/* Appends the credentials that are known for that method; without memory the buffer fails. */
void ua_auth_append(struct ua_exchange *x, struct buf *out, struct slice body);

/* --- REGISTER --- */

struct ua_registration {
    struct ua_exchange exchange;
    struct timer timer; /* refresh, or the next try */
    bool wanted;        /* keep it alive */
    bool due;           /* send one in the next turn */
    bool raised;        /* Min-Expires was followed */
    uint32_t expires_s, asked_s;
    unsigned failures;
    struct buf uri; /* sip:domain */
    char call_id[40], from_tag[20];
};

/* False without memory; then only ua_registration_deinit is legal. */
bool ua_registration_init(struct ua_registration *r, struct telex_ua *ua);
void ua_registration_deinit(struct ua_registration *r);
void ua_registration_work(struct ua_registration *r);
/* The channel of config.transport has come or gone. */
void ua_registration_channel_settled(struct ua_registration *r, bool up);

/* --- outgoing messages --- */

struct ua_outbox {
    struct list messages; /* struct outgoing, in the order of telex_ua_send */
    size_t count, in_flight;
    uint64_t last_id;
    bool due;
};

void ua_outbox_init(struct ua_outbox *b);
void ua_outbox_deinit(struct telex_ua *ua);
void ua_outbox_work(struct telex_ua *ua);
int ua_outbox_add(struct telex_ua *ua, const struct telex_outgoing *m, uint64_t *ret_id);
int ua_outbox_cancel(struct telex_ua *ua, uint64_t id);

/* --- incoming requests --- */

struct ua_inbox {
    struct table by_key;    /* struct incoming_record */
    struct list unanswered; /* shown to the host */
    struct list answered;   /* oldest first */
    struct list to_send;    /* answers that the host has given since the last turn */
    size_t unanswered_count, answered_count;
    uint64_t last_handle;
};

int ua_inbox_init(struct ua_inbox *b);
void ua_inbox_deinit(struct ua_inbox *b);
void ua_inbox_request(struct telex_ua *ua, const struct incoming *in);
void ua_inbox_work(struct telex_ua *ua);
int ua_inbox_answer(struct telex_ua *ua, uint64_t handle, unsigned status);

/* --- the agent --- */

struct ua_random {
    struct random base;
    struct telex_ua *ua;
};

struct telex_ua {
    struct arena texts; /* what config points to */
    struct telex_ua_config config;
    struct uri aor;
    struct slice user, domain, auth_user;
    struct slice learned_realm; /* from a REGISTER; in texts */
    struct hash_key hash_key;
    struct ua_random random;
    struct link link;
    struct timer_wheel wheel;
    struct endpoint *endpoint;
    struct ua_channel channels[TELEX_TRANSPORTS];
    struct ua_credential credentials[2][2]; /* [REGISTER or not][kind] */
    struct ua_registration registration;
    struct ua_outbox outbox;
    struct ua_inbox inbox;
};

/* --- shared text --- */

#define UA_TOKEN_LEN 32
/* Writes UA_TOKEN_LEN hexadecimal digits of 128 random bits and a NUL. */
void ua_text_token(struct telex_ua *ua, char out[UA_TOKEN_LEN + 1]);
/* `len` digits at most UA_TOKEN_LEN, and a NUL. */
void ua_text_short_token(struct telex_ua *ua, char *out, size_t len);
/* The From line: display name, address-of-record, tag. */
void ua_text_from(struct telex_ua *ua, struct buf *out, const char *tag);
void ua_text_user_agent(struct telex_ua *ua, struct buf *out);
/* True when no octet of `s` could end a header line: no C0 control, no DEL. */
bool ua_text_is_clean(const char *s);
/* Copies with a NUL, cut at `size` - 1. */
const char *ua_text_cut(struct slice s, char *out, size_t size);
/* Seconds of Retry-After, or 0. */
uint32_t ua_text_retry_after(const struct message *response);
/* Answers that may be different a little later: 408 and the 5xx that speak of the server's state, not of the request.
 * 408, 500, 502, 503, 504. */
bool ua_text_is_passing(uint16_t status);
/* Milliseconds before try number `failures` + 1: doubling, the upper half at random (RFC 5626 §4.5), and at least
 * Retry-After. */
uint64_t ua_text_backoff_ms(struct telex_ua *ua, unsigned failures, uint32_t retry_after_s);

#endif
