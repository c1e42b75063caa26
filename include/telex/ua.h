/* libtelex: a SIP user agent for instant messages (RFC 3428), to be embedded.
 *
 * The library has no socket, no thread and no clock. The host owns them and drives the agent:
 *
 *     telex_ua_connected(ua, TELEX_UDP, local, remote)     a way to the server exists
 *     telex_ua_receive(ua, TELEX_UDP, bytes, len, now)     bytes have arrived on it
 *     telex_ua_advance(ua, now)                            time has passed; do what is due
 *     telex_ua_timeout(ua, now)                            how long poll() may sleep
 *
 * and passes bytes on when the agent calls `send`. One agent is one account at one server (its outbound proxy).
 *
 * When callbacks come. Only telex_ua_receive and telex_ua_advance call back. Every other function writes down what is
 * wanted and returns; the next advance does it (telex_ua_timeout then says 0). So every function but telex_ua_free,
 * telex_ua_receive and telex_ua_advance may be called inside a callback.
 *
 * Threads. One agent belongs to one thread at a time; two agents share nothing.
 *
 * Text is UTF-8 with a final NUL unless a length stands beside it. Text from the network (names, URIs, reasons, bodies)
 * is what a stranger wrote: escape it before a terminal, a page or a shell sees it. Times named now_ms are milliseconds
 * of any clock that never goes back. Nothing is logged, and input never aborts. */
#ifndef TELEX_UA_H
#define TELEX_UA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telex/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct telex_ua;

enum telex_transport { TELEX_UDP, TELEX_TCP };
#define TELEX_TRANSPORTS 2

/* RFC 7616, RFC 8760. */
enum telex_hash { TELEX_MD5, TELEX_SHA256, TELEX_SHA512_256 };

/* Octets of the longest HA1 in hexadecimal, with its NUL. */
#define TELEX_HA1_SIZE 65

/* --- what the agent tells its host --- */

enum telex_registration_state {
    TELEX_REGISTERED,       /* the server holds our address; again after every refresh */
    TELEX_UNREGISTERED,     /* it holds none any more, as telex_ua_register(ua, 0) asked */
    TELEX_REGISTER_REFUSED, /* a final no, such as a wrong password; nothing is tried until the next telex_ua_register
                             */
    TELEX_REGISTER_WAITING  /* no answer, or a passing trouble there: tried again in `seconds` */
};

struct telex_registration {
    enum telex_registration_state state;
    unsigned status;    /* of the SIP answer; 0: there was none */
    const char *reason; /* its phrase, "" without one */
    uint32_t seconds;   /* TELEX_REGISTERED: until it expires; TELEX_REGISTER_WAITING: until the next try */
};

/* How a message ended. RFC 3428 §7: 200 means delivered, 202 means that somebody keeps it. */
enum telex_outcome {
    TELEX_DELIVERED,  /* a device of the recipient took it */
    TELEX_STORED,     /* the server keeps it and answers for it */
    TELEX_REFUSED,    /* a final answer from 300 up; `status` says which */
    TELEX_UNREACHABLE /* no answer in all attempts. It may have arrived: repeat it under the same message_id only */
};

struct telex_result {
    uint64_t id; /* from telex_ua_send */
    enum telex_outcome outcome;
    unsigned status;        /* 0: none */
    const char *reason;     /* "" without one */
    const char *message_id; /* the identity that all attempts had */
    unsigned attempts;
};

/* A message that has arrived. Everything borrows, for the duration of the callback. */
struct telex_incoming {
    uint64_t handle;       /* for telex_ua_answer; never 0 */
    const char *from;      /* URI of the From field. The server vouches for it, not this library */
    const char *from_name; /* display name, or NULL: proves nothing */
    const char *to;        /* URI of the To field */
    const char *call_id;
    const char *message_id;       /* imdn.Message-ID or X-Telex-ID, or NULL */
    const char *receipts;         /* imdn.Disposition-Notification (RFC 5438 §6.1), or NULL */
    const char *subject;          /* or NULL */
    const char *content_type;     /* with its parameters; NULL without one */
    const char *content_encoding; /* or NULL. The body is as it came: nothing is inflated */
    int64_t date;                 /* seconds since 1970-01-01 UTC from the Date field; 0 without one */
    bool cpim;                    /* it came as message/cpim (RFC 3862): content_type and body are the inner ones */
    const void *body;             /* octets, any; never NULL */
    size_t body_len;
    const void *raw; /* the whole request as it came */
    size_t raw_len;
};

struct telex_ua_callbacks {
    /* Passes bytes toward the server on that transport: one datagram, or the next octets of the stream. Returns 0, or a
     * negative number when they will not be sent (then the request that they are part of fails). Required. */
    int (*send)(void *context, enum telex_transport transport, const void *bytes, size_t len);
    /* The agent needs a way to the server on that transport and has none. The host answers, now or later, by
     * telex_ua_connected or telex_ua_disconnected. Required. */
    void (*connect)(void *context, enum telex_transport transport);
    /* The stream is broken (no pong, or bytes that are not SIP): close it, then call telex_ua_disconnected. Required
     * when the host ever connects TELEX_TCP. */
    void (*hang_up)(void *context, enum telex_transport transport);
    /* May be NULL. */
    void (*registration)(void *context, const struct telex_registration *registration);
    /* Exactly one for each telex_ua_send that returned 0, unless the agent is freed first. May be NULL. */
    void (*outcome)(void *context, const struct telex_result *result);
    /* Must be followed by one telex_ua_answer for its handle, now or later. Every repeat of a message that was answered
     * 2xx is answered here again and not shown twice. NULL: all messages are answered 405. */
    void (*message)(void *context, const struct telex_incoming *message);
    /* Instead of a password: writes HA1 = H(user ":" realm ":" password) in lower-case hexadecimal with its NUL.
     * Returns 0, or a negative number when there is none for that realm and hash. Used when config.password is NULL;
     * may be NULL too. */
    int (*ha1)(void *context, const char *user, const char *realm, enum telex_hash hash, char *ret_ha1);
};

/* --- the agent --- */

/* All text is copied by telex_ua_new. Fields at the end may be added; start from {0} (C) or {} (C++). */
struct telex_ua_config {
    const char *aor;          /* "sip:alice@example.com". Required */
    const char *display_name; /* NULL: none */
    const char *auth_user;    /* user name for digest; NULL: the user part of aor */
    const char *password;     /* NULL: callbacks.ha1 is asked */
    /* The one realm whose challenges are answered: a 401 or 407 may come from any element on the way, or from the
     * recipient, and must not make the agent prove its password to them (CVE-2021-41158). NULL: the domain of `aor`,
     * or else the realm that the server names in answer to a REGISTER. */
    const char *realm;
    const char
        *instance_id; /* "urn:uuid:...", lasting (RFC 5626 §4.1): makes this device known to the server. NULL: none */
    const char *user_agent;         /* User-Agent field; NULL: "libtelex/VERSION" */
    const char *accept;             /* content types that the host reads, for OPTIONS and 415; NULL: any */
    enum telex_transport transport; /* for REGISTER and for messages that fit into a datagram */
    unsigned attempts_max;          /* for one message; 0: 8 */
    /* Fills `out` with octets that nobody can guess; NULL: the kernel's. */
    void (*random)(void *context, void *out, size_t len);
    const struct telex_ua_callbacks *callbacks; /* the table is not copied and must outlive the agent. Required */
    void *context;                              /* handed to every callback */
};

/* Makes an agent. Returns 0, TELEX_ERR_ARGUMENT or TELEX_ERR_NO_MEMORY; *ret is untouched on failure. */
int telex_ua_new(const struct telex_ua_config *config, uint64_t now_ms, struct telex_ua **ret);
/* Frees it without a word to the server and without outcomes. NULL is legal. Not inside a callback. */
void telex_ua_free(struct telex_ua *ua);

/* A way to the server is open, or has moved to another local address. Addresses are "192.0.2.1:5060" or
 * "[2001:db8::1]:5060"; `local` is what the server can see or reach. Returns 0, TELEX_ERR_ARGUMENT or
 * TELEX_ERR_NO_MEMORY. */
int telex_ua_connected(struct telex_ua *ua, enum telex_transport transport, const char *local, const char *remote);
/* It is gone, or could not be opened. What was in flight on it has failed, and is tried again as its own rules say. */
void telex_ua_disconnected(struct telex_ua *ua, enum telex_transport transport);

/* One datagram (TELEX_UDP), or the next octets of the stream in any split (TELEX_TCP). Time advances as in
 * telex_ua_advance. Input that is not SIP is dropped. */
void telex_ua_receive(struct telex_ua *ua, enum telex_transport transport, const void *bytes, size_t len,
                      uint64_t now_ms);
/* Does everything that is due at now_ms. */
void telex_ua_advance(struct telex_ua *ua, uint64_t now_ms);
/* Milliseconds until the next telex_ua_advance is due: 0 now, -1 never (as poll's timeout). */
int telex_ua_timeout(const struct telex_ua *ua, uint64_t now_ms);

/* Registers for `expires_s` seconds and keeps it fresh, over lost connections too; 0 removes our address
 * (RFC 3261 §10.2). Returns 0. */
int telex_ua_register(struct telex_ua *ua, uint32_t expires_s);

struct telex_outgoing {
    const char *to;           /* "sip:bob@example.com" or "tel:..." */
    const char *content_type; /* NULL: "text/plain" */
    const char *subject;      /* NULL: none */
    const void *body;
    size_t body_len; /* at most TELEX_BODY_MAX */
    int64_t date;    /* seconds since 1970-01-01 UTC; 0: no Date field, the server writes one */
    /* The identity of the message, the same in every attempt: how servers and recipients find a repeat. NULL: a new
     * random one. A host that keeps its outbox over a restart stores it and gives it here again. 1 to 64 letters,
     * digits,
     * "-", "." and "_". */
    const char *message_id;
    /* Receipts to ask for, such as "positive-delivery, display" (RFC 5438 §6.1): the message goes as message/cpim with
     * imdn.Message-ID, which needs `date`. NULL: it goes as it is, with its identity in X-Telex-ID. */
    const char *receipts;
};

/* RFC 3428 §8 has larger content go by other means. */
#define TELEX_BODY_MAX 65536

/* Queues a message; all fields are copied. Messages to one recipient go one by one, each after the answer to the one
 * before (RFC 3428 §8). Attempts without an answer, and answers 408, 500, 502, 503 and 504, are followed by another
 * under the same identity, from 1 s doubling to 5 min later, up to attempts_max. Returns 0 with *ret_id (unless NULL),
 * TELEX_ERR_ARGUMENT, TELEX_ERR_TOO_LARGE, TELEX_ERR_FULL (1024 are waiting) or TELEX_ERR_NO_MEMORY. */
int telex_ua_send(struct telex_ua *ua, const struct telex_outgoing *message, uint64_t *ret_id);
/* Withdraws a message that has no outcome yet: none will come. It may have been delivered. TELEX_ERR_NOT_FOUND. */
int telex_ua_cancel(struct telex_ua *ua, uint64_t id);

/* Answers an incoming message: 200 when it is safe with the host, a 5xx to have the server keep it and try again, 415
 * or another refusal to end it. An answer after the server has stopped waiting still counts for the server's next try.
 * Returns 0, TELEX_ERR_NOT_FOUND or TELEX_ERR_ARGUMENT (status not in 200..699). */
int telex_ua_answer(struct telex_ua *ua, uint64_t handle, unsigned status);

/* Messages without an outcome, and incoming ones without an answer. */
size_t telex_ua_outgoing_count(const struct telex_ua *ua);
size_t telex_ua_unanswered_count(const struct telex_ua *ua);

/* "0.1.0", a static string. */
const char *telex_version(void);

#ifdef __cplusplus
}
#endif

#endif
