/* Where the answer to a request goes. RFC 3261 §18.2.2, RFC 3581 §4, and contract.md: a request without rport whose
 * sent-by differs from the source is answered to the source. maddr is not obeyed: it would let anyone aim our answers
 * at a third party. */
#ifndef TXN_RESPONSE_PATH_H
#define TXN_RESPONSE_PATH_H

#include "sip/via.h"
#include "txn/link.h"

/* The way back of what came from `source` with the top Via `via` (NULL: it could not be read). False: there is none,
 * nothing may be sent (a forged multicast or broadcast source). */
bool response_path_make(const struct via *via, const struct flow *source, struct flow *ret);
/* The second choice when the connection `path` is gone (§18.2.2, first item): a new one to where it came from, at the
 * sent-by port. False when there is none. `text` of ADDRESS_TEXT_MAX octets is what *ret points into. */
bool response_path_reopen(const struct via *via, const struct flow *path, char *text, struct hop *ret);

#endif
