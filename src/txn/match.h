/* Which server transaction a request belongs to. RFC 3261 §17.2.3; RFC 2543 requests by the fields that that section
 * lists. The key is two hashes with a secret key instead of the text, so a finished transaction stays small. */
#ifndef TXN_MATCH_H
#define TXN_MATCH_H

#include "base/hash.h"
#include "sip/message.h"

struct match {
    uint64_t hash;     /* place in the table */
    uint64_t identity; /* compared beside it */
};

/* `method` is the method of the transaction: INVITE for an ACK (§17.2.3), otherwise the message's. `via` is the top
 * Via and `via_text` its text; both may be absent (a malformed request, which is only answered). */
struct match match_make(const struct hash_key *key, const struct message *m, const struct via *via,
                        struct slice via_text, enum method method);

#endif
