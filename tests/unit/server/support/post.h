/* Phones and messages for the tests of delivery: a phone registers at a lab's server, a trusted peer writes in the name
 * of users, phones answer what was sent to them. */
#ifndef SUPPORT_POST_H
#define SUPPORT_POST_H

#include "support/lab.h"

#define ALICE "sip:alice@example.com"
#define BOB   "sip:bob@example.com"

/* Addresses of phones. */
#define PHONE_A "192.0.2.10:5060"
#define PHONE_B "192.0.2.11:5060"
#define PHONE_C "192.0.2.12:5060"

/* 0 and NULL mean: bob, PHONE_A, no +sip.instance, worker 0, UDP. */
struct post_phone {
    const char *user, *address, *instance;
    const char *contact; /* other than the address: behind NAT */
    const char *extra;   /* whole lines */
    const char *call_id; /* other than made of the address */
    const char *source;  /* where it comes from, other than the address */
    unsigned worker, connection;
    enum transport transport;
};
struct flow post_flow(const struct lab *lab, const struct post_phone *p);
/* Fails the test unless it is answered 200. Its 200 and all before it are cleared. */
void post_register(struct lab *lab, const struct post_phone *p);

/* 0 and NULL mean: from alice to bob, text/plain "hello", a new Call-ID and branch, from LAB_TRUSTED to worker 0. */
struct post_message {
    const char *from, *to, *uri, *call_id, *branch, *tag;
    unsigned cseq;
    const char *extra; /* whole lines, in front of Content-Type */
    const char *type, *body;
    const char *source;
    const char *max_forwards;
    unsigned worker;
};
/* It becomes a known device that is away, if it has +sip.instance. */
void post_unregister(struct lab *lab, const struct post_phone *p);
/* bob's device with that instance; fails the test when there is none. */
struct device *post_device(struct lab *lab, const char *instance);
/* How many entries bob's mailbox holds. */
uint32_t post_stored(struct lab *lab);
/* The text, good until the next call. */
const char *post_text(const struct post_message *m);
/* It arrives. Returns its branch, by which post_status finds its answer; good for the next 64 calls. */
const char *post_send(struct lab *lab, const struct post_message *m);

/* The final status that was sent for that branch since lab_clear, 0: none. */
int post_status(const struct lab *lab, const char *branch);
/* The last answer with that branch and a status from..to, or NULL. */
const struct lab_sent *post_response(const struct lab *lab, const char *branch, int from, int to);

/* The n-th different MESSAGE, from 0, that was sent to that address since lab_clear: NULL when there are fewer. */
const struct lab_sent *post_request(const struct lab *lab, const char *address, size_t n);
size_t post_count(const struct lab *lab, const char *address);
/* A device answers it, from where it was sent to, at `worker`. `extra`: whole lines, or NULL. */
void post_answer_at(struct lab *lab, const struct lab_sent *request, int status, const char *extra, unsigned worker);
void post_answer(struct lab *lab, const struct lab_sent *request, int status);
/* Bytes from that address that mean nothing but that it is there. */
void post_noise(struct lab *lab, const struct post_phone *p);
/* The body of a request that was sent; the text is the request's. */
const char *post_body(const struct lab_sent *request);
/* How many requests the store has not carried out yet. */
size_t post_waiting(struct lab *lab);

#endif
