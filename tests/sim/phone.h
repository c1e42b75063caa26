/* A phone: one device of an account. Registers, sends one message after the other and repeats each until it is
 * accepted, answers what it gets, goes away and comes back. Built on our own transactions, so it retransmits and
 * absorbs as RFC 3261 asks. */
#ifndef SIM_PHONE_H
#define SIM_PHONE_H

#include "world.h"

struct phone *phone_new(struct world *w, unsigned number, unsigned account);
void phone_free(struct phone *p);
const struct address *phone_address(const struct phone *p);
void phone_receive(struct phone *p, const struct address *from, struct packet *packet);
void phone_register(struct phone *p);
/* Away: it neither hears nor says anything. */
void phone_set_away(struct phone *p, bool away);
/* Queues a message to an account. */
void phone_send(struct phone *p, unsigned account);
bool phone_is_quiet(const struct phone *p);

#endif
