/* What was promised and what happened: holds a run against the invariants of contract.md. */
#ifndef SIM_CHECKER_H
#define SIM_CHECKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define CHECKER_MESSAGES 128
#define CHECKER_DEVICES  8

struct checked {
    unsigned sender, number; /* its place among the sender's messages */
    unsigned account;        /* recipient */
    uint16_t answer;         /* final 2xx the sender got; 0: none yet */
    unsigned deliveries[CHECKER_DEVICES];
    uint64_t first_at[CHECKER_DEVICES]; /* count of deliveries at that device before it, plus one; 0: never */
};

struct checker {
    struct checked messages[CHECKER_MESSAGES];
    unsigned count;
    unsigned device_account[CHECKER_DEVICES]; /* which account a device belongs to */
    unsigned devices;
    uint64_t received[CHECKER_DEVICES];
    bool may_repeat; /* datagrams were lost or the server killed */
    bool tells_story;
    bool failed;
    char why[256];
};

/* Notes a message about to be sent; returns its handle, which also is its body. */
unsigned checker_sent(struct checker *c, unsigned sender, unsigned number, unsigned account);
void checker_answered(struct checker *c, unsigned message, uint16_t status);
/* A device answers 200 to it. `body` is what came. */
void checker_delivered(struct checker *c, unsigned device, struct slice body);
/* All is quiet: every accepted message was delivered to every device of its account, in each sender's order, once where
 * nothing broke. */
void checker_finish(struct checker *c);
/* What a message says. */
size_t checker_body(unsigned message, char out[64]);

#endif
