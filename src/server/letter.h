/* A MESSAGE on its way from the worker where it arrived to the home of its recipient: counted bytes and copied facts,
 * immutable once it was posted. Also what the server writes itself (echo). */
#ifndef SERVER_LETTER_H
#define SERVER_LETTER_H

#include "server/server_private.h"

struct letter {
    struct mesh_post post;
    bool has_txn;           /* false: nobody waits for the answer */
    struct txn_id txn;      /* the sender's transaction */
    int64_t account;        /* recipient; 0: another domain */
    struct slice recipient; /* its address-of-record; another domain's: empty */
    struct slice sender;    /* authenticated identity */
    struct slice uri;       /* Request-URI as it came */
    struct slice vias;      /* Via lines of the request, the top one with received and rport; empty for our own */
    struct slice routes;    /* Route lines that remain; for an account of ours they name a device's Path */
    struct packet *tail;    /* fields to pass on, Content-Length, the empty line, body */
    uint32_t headers_len;   /* of tail: the fields, without Content-Length */
    uint32_t body_at;       /* of tail: where the body begins */
    uint32_t cseq;
    uint8_t max_forwards; /* to send with: one less than received */
    uint8_t max_breadth;
    bool live_only; /* isComposing, Expires: 0, inside a dialog: relayed, never stored */
    uint32_t life_s;
    uint64_t loop_hash;
    uint8_t duplicate_key[16];
    char texts[];
};

/* What the router found out about a request. */
struct letter_facts {
    struct slice sender, recipient;
    int64_t account;
    struct slice routes;
};

/* NULL without memory or when the fields are over their bound. The request passed the router's checks. */
struct letter *letter_new(struct server *s, const struct incoming *in, const struct letter_facts *facts);

/* A message of our own: `from` and `to` are addresses-of-record. */
struct letter_own {
    struct slice from, to, content_type, body;
    int64_t account;
};
struct letter *letter_new_own(struct server *s, const struct letter_own *own);
void letter_free(struct letter *l);

static inline struct slice letter_headers(const struct letter *l)
{
    return slice_make(l->tail->data, l->headers_len);
}
static inline struct slice letter_body(const struct letter *l)
{
    return slice_skip(packet_slice(l->tail), l->body_at);
}
/* A tail made of stored fields and body. NULL without memory. */
struct packet *letter_tail(struct slice headers, struct slice body);

/* The CSeq number among stored fields; 0 if they have none. */
uint32_t letter_stored_cseq(struct slice headers);

/* The Call-ID, From tag, Request-URI and Route of a request in 64 bits: what RFC 5393 §4.2 puts into a branch to tell a
 * loop from a spiral. */
uint64_t letter_loop_hash(const struct server *s, const struct message *m);

#endif
