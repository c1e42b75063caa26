/* The header lines of a registrar's answers. RFC 3261 §10.3 step 8, RFC 3327 §5.3. */
#ifndef SERVER_REGISTER_ANSWER_H
#define SERVER_REGISTER_ANSWER_H

#include "server/account.h"
#include "server/register_request.h"

/* A full 200 must fit a datagram. */
#define REGISTER_ANSWER_MAX 60000u

/* Appends what a 200 lists: every binding with what is left of it, the Path that was stored (when the phone reads it),
 * and Date. */
void register_answer_ok(struct buf *out, const struct account *a, const struct register_request *q);
/* Min-Expires for 423; nothing for another status. */
void register_answer_refusal(struct buf *out, const struct server_config *c, uint16_t status);

#endif
