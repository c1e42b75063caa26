/* Inside of a delivery: what delivery.c, delivery_answer.c and delivery_commit.c share. */
#ifndef SERVER_DELIVERY_PRIVATE_H
#define SERVER_DELIVERY_PRIVATE_H

#include "server/delivery.h"

#include "server/branch.h"
#include "server/duplicates.h"

/* Bit 0 stands for the account's heir, as in struct entry. */
#define DELIVERY_HEIR_BIT 1u

enum delivery_phase { DELIVERY_BRANCHING, DELIVERY_COMMITTING, DELIVERY_DECIDED };

struct delivery {
    struct list_node node; /* in its account */
    struct server *home;
    struct account *account;
    struct letter *letter;
    struct duplicate *duplicate; /* NULL: live only, or its outcome is remembered */
    enum delivery_phase phase;
    uint64_t started_ms;
    struct timer timer;
    bool provisional_sent;
    uint16_t answered; /* the status that was told; 0: none yet */
    /* One bit per device number. `taken` has the heir's too, so it says that somebody took it when that device left. */
    uint32_t running, taken, refused;
    uint32_t owed, marked; /* from the commit on */
    unsigned branches;
    uint64_t seq; /* once committed */
    uint16_t taken_status;
    uint16_t best_refusal;
    uint16_t refusals[STORE_DEVICES_MAX];
    struct packet *best_response;
    struct txn_id waiters[LIMIT_WAITERS]; /* duplicates that came meanwhile (C5) */
    unsigned waiter_count;
    struct store_request request;
    struct store_mark marks[STORE_DEVICES_MAX];
};

static inline uint32_t delivery_bit(uint8_t number)
{
    return 1u << number;
}

/* delivery_answer.c */
void delivery_answer_letter(struct server *s, const struct letter *l, uint16_t status, struct slice headers);
void delivery_count_answer(struct server *s, uint16_t status);
/* The sender and those who wait with it; the first final answer counts. */
void delivery_answer(struct delivery *d, uint16_t status, struct slice headers);
/* The best refusal of a device, with its fields; 480 when there is none. */
void delivery_answer_best(struct delivery *d);
/* 100, once. */
void delivery_provision(struct delivery *d);

/* delivery_commit.c */
/* Asks the store to keep it for the devices in `owed`, and for the heir if nobody took it; answers when that is done.
 */
void delivery_commit(struct delivery *d, uint32_t owed);
/* What a branch said of a message that is stored. */
void delivery_late_end(struct delivery *d, struct device *device, enum branch_end end, uint16_t status);

/* delivery.c */
/* The outcome that a repeat will be told (C5). */
/* Nothing more is to be decided; what still runs goes on. */
void delivery_decided(struct delivery *d);
void delivery_remember(struct delivery *d, uint16_t status);
void delivery_free_if_done(struct delivery *d);

#endif
