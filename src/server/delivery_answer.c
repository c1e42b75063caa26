/* What the sender of a delivery is told. */
#include "server/delivery_private.h"

void delivery_answer_letter(struct server *s, const struct letter *l, uint16_t status, struct slice headers)
{
    const struct answer a = {.status = status, .headers = headers};
    if (l->has_txn)
        server_answer(s, l->txn, &a);
}

void delivery_count_answer(struct server *s, uint16_t status)
{
    if (status == 200)
        s->counters.delivered++;
    else if (status == 202)
        s->counters.stored++;
    else
        s->counters.refused++;
}

static void answer_waiters(struct delivery *d, uint16_t status, struct slice headers)
{
    const struct answer a = {.status = status, .headers = headers};
    for (unsigned i = 0; i < d->waiter_count; i++)
        server_answer(d->home, d->waiters[i], &a);
}

void delivery_answer(struct delivery *d, uint16_t status, struct slice headers)
{
    if (d->answered)
        return;
    d->answered = status;
    delivery_count_answer(d->home, status);
    delivery_answer_letter(d->home, d->letter, status, headers);
    answer_waiters(d, status, headers);
}

void delivery_answer_best(struct delivery *d)
{
    if (!d->best_response || d->answered) {
        delivery_answer(d, d->best_refusal ? d->best_refusal : 480, SLICE_NONE);
        return;
    }
    d->answered = d->best_refusal;
    delivery_count_answer(d->home, d->best_refusal);
    if (d->letter->has_txn)
        server_forward(d->home, d->letter->txn, d->best_response);
    answer_waiters(d, d->best_refusal, SLICE_NONE); /* the response carries the Vias of the first request only */
}

void delivery_provision(struct delivery *d)
{
    if (d->provisional_sent)
        return;
    d->provisional_sent = true;
    delivery_answer_letter(d->home, d->letter, 100, SLICE_NONE); /* RFC 4320 §4.1 */
    answer_waiters(d, 100, SLICE_NONE);
}
