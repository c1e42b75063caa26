/* A host for one agent with virtual time, and the scripted server at its other end: what the agent sends is queued and
 * parsed, the test answers it in its own words. */
#ifndef LAB_H
#define LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sip/message.h"
#include "telex/ua.h"

#define LAB_EVENTS 64
#define LAB_SENT   256
#define LAB_LOCAL  "192.0.2.10:5062"
#define LAB_SERVER "198.51.100.1:5060"

struct lab_outcome {
    struct telex_result result;
    char message_id[80];
};
struct lab_incoming {
    uint64_t handle;
    char from[128], from_name[64], message_id[80], content_type[80], receipts[64];
    char body[256];
    size_t body_len;
    bool cpim;
    int64_t date;
};

struct lab {
    struct telex_ua *ua;
    struct telex_ua_config config;
    uint64_t now_ms;
    /* what the agent sent, oldest first */
    struct {
        enum telex_transport transport;
        char *bytes;
        size_t len;
    } sent[LAB_SENT];
    size_t sent_count, sent_next;
    bool send_fails;
    unsigned connects[TELEX_TRANSPORTS], hang_ups;
    struct telex_registration registrations[LAB_EVENTS];
    size_t registration_count;
    struct lab_outcome outcomes[LAB_EVENTS];
    size_t outcome_count;
    struct lab_incoming incoming[LAB_EVENTS];
    size_t incoming_count;
    unsigned answer_at_once; /* status; 0: the test answers */
    uint64_t random_state;
    /* the request that the server looks at */
    char *request_bytes;
    struct message request;
    enum telex_transport request_transport;
    char nonce_text[64];
};

/* An agent of sip:alice@example.com with password "secret", connected by UDP. `change` may alter the configuration. */
struct lab *lab_new(void (*change)(struct telex_ua_config *));
void lab_free(struct lab *l);
/* Time passes in steps to whatever timer the agent names. */
void lab_pass(struct lab *l, uint64_t ms);
/* Lets the agent do what is due now. */
void lab_turn(struct lab *l);

/* The next request that the agent sent, into l->request; fails the test when there is none. Answers are skipped. */
void lab_expect_request(struct lab *l, const char *method);
/* Fails the test when there is a request. */
void lab_expect_no_request(struct lab *l);
/* The next answer that the agent sent has this status. Requests in front of it fail the test. */
void lab_expect_answer(struct lab *l, unsigned status);
void lab_expect_silence(struct lab *l);
/* Drops what was sent so far. */
void lab_forget(struct lab *l);
/* Answers l->request; `headers` are whole lines. */
void lab_answer(struct lab *l, unsigned status, const char *headers);
/* 401 or 407 with a new nonce; `more` are further parameters (", stale=true"). */
void lab_challenge(struct lab *l, unsigned status, const char *realm, const char *more);
/* Like lab_challenge with an algorithm. */
void lab_challenge_with(struct lab *l, unsigned status, const char *realm, const char *algorithm, const char *more);
/* True when l->request holds credentials for the last challenge that prove `password`, with this nc. */
bool lab_proves(struct lab *l, const char *password, unsigned nc);
/* Sends bytes from the server. */
void lab_feed(struct lab *l, enum telex_transport transport, const char *bytes, size_t len);
/* A MESSAGE from sip:bob@example.com with that branch, Call-ID and body (text/plain). */
void lab_deliver(struct lab *l, const char *branch, const char *call_id, const char *body);
/* The value of a header of l->request as text, valid until the next call; "" when absent. */
const char *lab_header(struct lab *l, const char *name);
/* telex_ua_send of a text. */
uint64_t lab_send(struct lab *l, const char *to, const char *text);

#endif
