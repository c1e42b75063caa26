/* Deciding what becomes of one MESSAGE for one account of ours: branches to its devices, the journal, the answer.
 * contract.md: C1, C2, C5, C6, C10, C11, C13, C15 and the answer table. */
#ifndef SERVER_DELIVERY_H
#define SERVER_DELIVERY_H

#include "server/letter.h"

/* At the recipient's home; takes the letter. Answers its transaction in every case. */
void delivery_start(struct server *home, struct letter *letter);
/* Called by the mailbox: a device of the account joined or leaves while deliveries run. */
void delivery_device_joined(struct device *device);
void delivery_device_left(struct account *a, uint8_t number);
/* The account ends with its server; no worker runs any more. */
void delivery_free_all(struct account *a);

#endif
