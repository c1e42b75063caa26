/* name-addr / addr-spec with header parameters: From, To, Contact, Route, Record-Route, Path, Service-Route,
 * P-Asserted-Identity, Reply-To, Refer-To. RFC 3261 §20, §25.1. */
#ifndef SIP_ADDR_H
#define SIP_ADDR_H

#include "sip/uri.h"

struct addr {
    struct slice display; /* as written, quotes kept; absent when there is none */
    struct uri uri;
    struct slice params; /* header parameters, from the first ";", or absent */
    bool bracketed;      /* <uri>: without brackets parameters belong to the header (§20.10) */
    bool star;           /* Contact: * (then uri is empty) */
};

/* Parses one value at the start of `in` and stops before "," or at the end. Returns octets consumed, or ERR_MALFORMED
 * with the fault's offset. */
int addr_parse(struct slice in, struct addr *ret, size_t *ret_fault);
/* The tag parameter of From or To; absent when there is none. */
struct slice addr_tag(const struct addr *a);
bool addr_param(const struct addr *a, struct slice name, struct slice *ret_value);

#endif
