/* Via header field: parse and build. RFC 3261 §20.42, RFC 3581 (rport).
 * Owns nothing: every slice borrows from the message buffer. Resolves no names. */
#ifndef SIP_VIA_H
#define SIP_VIA_H

#include "base/address.h"
#include "base/buf.h"

struct via {
    struct slice transport, host, branch; /* branch.ptr == NULL: absent. IPv6 host with its brackets */
    struct slice received, maddr;         /* absent: ptr == NULL */
    struct slice params;                  /* all of them, from the first ";" */
    uint16_t port;                        /* 0: absent */
    uint16_t rport;                       /* 0: absent or without a value */
    bool has_rport;
};

/* Parses one Via value at the start of `in` and stops before "," or at the end. Returns the octets consumed, or
 * ERR_MALFORMED with the offset of the fault in *ret_fault. *ret is untouched on failure. */
int via_parse(struct slice in, struct via *ret, size_t *ret_fault);
/* Appends the value `v` as received with received= and rport= set from the source, as RFC 3261 §18.2.1 and RFC 3581 §4
 * ask: received when the sent-by host differs from the source or rport is asked for; rport's value when it is asked
 * for. */
void via_append_received(struct buf *out, const struct via *v, struct slice text, const struct address *source);

/* The RFC 3261 branch cookie "z9hG4bK" (§8.1.1.7). */
bool via_has_magic_branch(const struct via *v);

#endif
