/* One account on its way into the store, and from there to all workers: committed, published, then answered
 * (DESIGN §3). */
#ifndef DAEMON_CONTROL_PUT_H
#define DAEMON_CONTROL_PUT_H

#include "base/buf.h"
#include "daemon/daemon_private.h"

/* An address-of-record: names and domains of people and sites are far shorter; a URI of any length would end in every
 * row and every log line. */
#define CONTROL_AOR_MAX  255u
#define CONTROL_NAME_MAX 255u
/* Longer ones are no passwords but files given by mistake. */
#define CONTROL_PASSWORD_MAX 1024u

struct control_put {
    struct store_request request;
    struct daemon *daemon;
    struct buf aor, name, extra;
    bool existed;
    char why[192]; /* after a refusal */
    void (*done)(struct control_put *p);
};

struct control_wish {
    struct slice account; /* "sip:alice@example.com" or "alice@example.com" */
    struct slice password;
    struct slice name;   /* absent: what it was */
    struct slice digest; /* "sha-256,md5"; absent: what it was; empty: the listener's */
};

/* Writes the canonical address-of-record of an account that may be ours. ERR_MALFORMED with a sentence in `why`. */
int control_put_aor(const struct daemon *d, struct slice account, struct buf *out, char *why, size_t why_size);
/* Checks the wish and computes the credentials. ERR_MALFORMED: p->why says what is wrong. Call deinit in both cases. */
int control_put_init(struct control_put *p, struct daemon *d, const struct control_wish *wish);
/* p->done is called on the main thread, once the account works; else p->request.result and p->why say why not. */
void control_put_submit(struct control_put *p);
void control_put_deinit(struct control_put *p);

#endif
