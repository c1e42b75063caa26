/* One auth over the lab's accounts, requests for it to judge, and credentials that answer its challenges. */
#ifndef SUPPORT_AUTH_RIG_H
#define SUPPORT_AUTH_RIG_H

#include "lab.h"
#include "server/auth.h"

#define STRANGER "203.0.113.5:5060"

struct auth_rig {
    struct lab *lab;
    struct auth *auth;
    struct auth_result result;
    char text[LAB_TEXT_MAX];
    char log[4096];
    size_t log_lines;
};

/* A request as it is authenticated. */
struct auth_rig_request {
    const char *source; /* LAB_PHONE */
    const char *method; /* MESSAGE */
    const char *from;   /* <sip:alice@example.com> */
    const char *to;     /* <sip:bob@example.com> */
    const char *lines;
    unsigned cseq;
    const char *body;
};

/* Credentials for a challenge; what is NULL or 0 is as it should be. */
struct auth_rig_answer {
    const char *username, *password, *realm, *nonce, *method, *nc, *qop, *field, *response, *extra;
    enum digest_algorithm algorithm;
};

/* cmocka's setup and teardown: *state becomes the rig. */
int auth_rig_setup(void **state);
int auth_rig_teardown(void **state);
/* Another auth over the same accounts and secrets. */
struct auth *auth_rig_make(struct auth_rig *r);
/* What auth says of the request; the rest is in r->result. */
enum auth_kind auth_rig_ask(struct auth_rig *r, const struct auth_rig_request *q);
/* The nonce of the challenge in r->result. */
void auth_rig_nonce(const struct auth_rig *r, char out[128]);
/* The header line, good until the next call. `t->nonce` must be set. */
const char *auth_rig_credentials(const struct auth_rig_answer *t);
/* Challenged first, then with these credentials. */
enum auth_kind auth_rig_prove(struct auth_rig *r, struct auth_rig_request q, struct auth_rig_answer t);

#endif
