/* What the server asks of durable storage, in the server's words. Drivers behind it: memory/, sqlite/ (postgres/
 * later).
 *
 * Contract of every driver:
 *  - a request touches one account; requests of one account take effect and complete in the order submitted;
 *  - each submitted request completes exactly once, on the worker that submitted it, never inside store_submit;
 *  - ERR_NONE means committed and synced (C1); any other result means that nothing of it took effect;
 *  - the store numbers journal entries per account at commit: later is greater, gaps are legal;
 *  - a withdrawn request that was not yet begun completes with ERR_CLOSED (C9, C13);
 *  - a request for an account that is not there completes with ERR_NOT_FOUND (a put makes it);
 *  - a mark of a device that has no row is dropped: a forgotten device is owed nothing. The heir needs none.
 * Times are wall-clock milliseconds since 1970. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdatomic.h>

#include "base/flow.h"
#include "base/list.h"
#include "base/packet.h"

/* HA1 in hexadecimal for `user` [0] and `user@domain` [1] as the username; realm is the account's domain. */
struct store_credentials {
    char md5[2][33];
    char sha256[2][65];
    char sha512_256[2][65];
};

struct store_account {
    int64_t id;         /* assigned by the store; 0 in a put of a new account */
    struct slice aor;   /* "sip:alice@example.com", canonical (uri_append_aor) */
    struct slice name;  /* display name, may be empty */
    struct slice extra; /* settings: "name=value" separated by spaces (digest=sha-256,md5), or empty */
    struct store_credentials credentials;
};

/* A device's number within its account, chosen by the server: 0 is the account's heir, a device that is always there
 * and is owed what no real device has taken; 1..STORE_DEVICES_MAX-1 are real ones. */
#define STORE_DEVICES_MAX 32
#define STORE_HEIR        0

/* What a device has had: all entries up to and including `position` are ended for it, but those with an exception row
 * that says otherwise; later ones are owed to it unless an exception row says that they ended. The heir needs no row
 * until its position is over 0. */
struct store_device {
    uint8_t number;
    bool has_instance;     /* known by +sip.instance: outlives its bindings */
    struct slice key;      /* the instance, or Contact and Call-ID (contract.md, Devices) */
    struct slice features; /* what was learned of it: one JSON object, or empty */
    uint64_t position;
    int64_t seen_ms;
};

struct store_binding {
    uint8_t device;
    struct slice contact; /* the URI as registered; one row per (account, contact, call_id) */
    struct slice params;  /* the Contact's header parameters as registered */
    struct slice path;    /* Path values joined by ", ", or empty */
    struct slice call_id;
    struct slice user_agent;
    struct slice allow; /* methods it takes; absent: unknown */
    uint32_t cseq;
    uint16_t q; /* 0..1000 */
    int64_t registered_ms, expires_ms;
    struct flow flow; /* where the REGISTER came from. Loaded back with transport, local and remote only */
    bool behind_nat;
};

/* Durable ends of an entry for a device (C3). */
enum store_state {
    STORE_OWED, /* none: owed to the device although its position lies behind it */
    STORE_DELIVERED,
    STORE_EXPIRED,
    STORE_FAILED, /* with the status */
    STORE_REMOVED
};

struct store_mark {
    uint64_t seq; /* 0 inside an append: the entry being appended */
    uint8_t device;
    uint8_t state;   /* enum store_state */
    uint16_t status; /* SIP status for STORE_FAILED and STORE_DELIVERED; 0: none */
    /* True: every earlier entry of this device is ended too, so its position moves to seq (and exception rows of
     * `delivered` at or below vanish; one for this entry is written only if it is not delivered). False: an exception
     * row. */
    bool advance;
};

enum store_kind { STORE_KIND_MESSAGE = 1 }; /* room for sent copies, receipts, read marks */

struct store_entry {
    uint64_t seq;
    uint8_t kind;
    uint16_t answer;           /* what the sender was told: 200 or 202; a duplicate is told the same */
    uint8_t duplicate_key[16]; /* C5, hashed by the server with a lasting secret */
    int64_t accepted_ms, expires_ms;
    struct slice sender;  /* authenticated identity, an address-of-record */
    struct slice headers; /* field lines to deliver, each with its CRLF, without Content-Length and the empty line */
    struct slice body;
};

enum store_op {
    STORE_ACCOUNT_PUT,    /* insert, or update by aor; account.id is set on completion */
    STORE_ACCOUNT_DELETE, /* with all that belongs to it */
    STORE_REGISTER,       /* the outcome of one REGISTER, or of expiry */
    STORE_APPEND,         /* one journal entry and the ends that are known already */
    STORE_MARK,           /* ends of entries */
    STORE_READ,           /* entries' bytes by number */
};

#define STORE_READ_MAX 16

/* One entry that was read: `bytes` holds headers, body, sender one behind the other. bytes == NULL: no such entry. The
 * reference is the requester's. */
struct store_row {
    uint64_t seq;
    struct packet *bytes;
    uint32_t headers_len, body_len, sender_len;
    int64_t accepted_ms, expires_ms;
};

/* Owned by the submitter, who keeps it and everything that its slices borrow until `done`. */
struct store_request {
    struct list_node node; /* the driver's, while submitted */
    enum store_op op;
    unsigned worker;
    int64_t account; /* 0 for a new account only */
    void (*done)(struct store_request *r);
    int result; /* enum err: ERR_NONE, ERR_FULL (disk reserve reached), ERR_IO, ERR_CLOSED, ERR_NOT_FOUND, ERR_NO_MEMORY
                 */
    atomic_bool withdrawn;
    union {
        struct store_account put;
        struct {                                /* takes effect in this order: forgotten, devices, removed, bindings */
            const struct store_device *devices; /* inserted, or updated by number: a position is never moved back */
            size_t device_count;
            const uint8_t *forgotten; /* numbers: row, bindings and exceptions go */
            size_t forgotten_count;
            const struct store_binding *bindings; /* inserted or updated */
            size_t binding_count;
            const struct store_binding *removed; /* contact and call_id are read */
            size_t removed_count;
        } reg;
        struct {
            struct store_entry entry; /* seq is set on completion */
            const struct store_mark *marks;
            size_t mark_count;
        } append;
        struct {
            const struct store_mark *marks;
            size_t mark_count;
        } mark;
        struct {
            uint64_t seqs[STORE_READ_MAX];
            size_t count;
            struct store_row rows[STORE_READ_MAX]; /* filled on completion, in the order of seqs; may stop early once
                                                      256 kB have been read: then ret_count < count (never 0) */
            size_t ret_count;
        } read;
    };
};

/* What was in the store, told to the server before its workers start: all accounts, then all devices, bindings,
 * exceptions, and entries in order of their numbers (without headers and body; `size` is their length together). An
 * entry is told as long as its row is kept, so that its duplicate key is known. */
struct store_loader {
    void (*account)(void *context, const struct store_account *a);
    void (*device)(void *context, int64_t account, const struct store_device *d);
    void (*binding)(void *context, int64_t account, const struct store_binding *b);
    void (*exception)(void *context, int64_t account, const struct store_mark *m);
    void (*entry)(void *context, int64_t account, const struct store_entry *e, uint32_t size);
};

#define STORE_SECRET_LEN 32

struct store;
struct store_ops {
    void (*submit)(struct store *s, struct store_request *r);
    void (*withdraw)(struct store *s, struct store_request *r);
    int (*load)(struct store *s, const struct store_loader *loader, void *context);
    int (*secret)(struct store *s, struct slice name, uint8_t out[STORE_SECRET_LEN]);
    bool (*is_full)(struct store *s);
    void (*close)(struct store *s);
};
struct store {
    const struct store_ops *ops;
};

/* Hands completed requests to the worker that submitted them; the worker then calls store_complete on the list. Called
 * from the driver's thread with a list of requests of one worker; takes the list's nodes. */
struct store_poster {
    void (*post)(void *context, unsigned worker, struct list *completed);
    void *context;
};

/* Never blocks on the disk; never calls done. */
static inline void store_submit(struct store *s, struct store_request *r)
{
    s->ops->submit(s, r);
}
/* The submitter no longer wants it. It still completes. */
static inline void store_withdraw(struct store *s, struct store_request *r)
{
    s->ops->withdraw(s, r);
}
/* Before workers start, in the caller's thread. ERR_IO, ERR_NO_MEMORY. */
static inline int store_load(struct store *s, const struct store_loader *loader, void *context)
{
    return s->ops->load(s, loader, context);
}
/* A lasting random secret, made at the first asking. Before workers start. */
static inline int store_secret(struct store *s, struct slice name, uint8_t out[STORE_SECRET_LEN])
{
    return s->ops->secret(s, name, out);
}
/* True while appends would be refused with ERR_FULL (C10). Any thread. */
static inline bool store_is_full(struct store *s)
{
    return s->ops->is_full(s);
}
/* Completes what is queued, then frees. */
static inline void store_close(struct store *s)
{
    s->ops->close(s);
}
/* Calls `done` of each request on the list. On the submitting worker. */
void store_complete(struct list *completed);

#endif
