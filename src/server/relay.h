/* A MESSAGE for another domain: one attempt to the next hop, its answer passed back, nothing stored. contract.md C15;
 * RFC 3261 §16. */
#ifndef SERVER_RELAY_H
#define SERVER_RELAY_H

#include "server/letter.h"

/* Takes the letter; answers its transaction: the next hop's answer, 504 after 30 s or when it can't be reached. On
 * the arrival worker. */
void relay_start(struct server *s, struct letter *letter, const struct target *next_hop);
/* The server ends; no worker runs any more. */
void relay_free_all(struct server *s);

#endif
