/* SIP, SIPS and TEL URIs: parse, compare, build. RFC 3261 §19.1, §25.1, RFC 3966. Owns nothing. */
#ifndef SIP_URI_H
#define SIP_URI_H

#include "base/buf.h"

enum uri_scheme { URI_SIP, URI_SIPS, URI_TEL, URI_OTHER };

struct uri {
    enum uri_scheme scheme;
    struct slice text; /* the whole URI as written */
    struct slice user; /* as written, escapes kept; absent: no "@". For TEL the number. URI_OTHER: what follows ":" */
    struct slice password; /* absent: no ":" */
    struct slice host;     /* IPv6 with its brackets */
    uint16_t port;         /* 0: absent */
    struct slice params;   /* from the first ";", or absent */
    struct slice headers;  /* behind "?", or absent */
};

/* Parses `in` whole. Any scheme is accepted (URI_OTHER); an absent scheme is not. ERR_MALFORMED with the fault's
 * offset; *ret is untouched on failure. */
int uri_parse(struct slice in, struct uri *ret, size_t *ret_fault);
/* A URI parameter by name, without case; false when absent. *ret_value is absent for a flag. */
bool uri_param(const struct uri *u, struct slice name, struct slice *ret_value);
/* The comparison rules of RFC 3261 §19.1.4 (TEL: RFC 3966 §4). */
bool uri_eq(const struct uri *a, const struct uri *b);
/* The canonical address-of-record: scheme "sip:", user unescaped where the grammar allows it bare and escaped
 * otherwise, host lower-case; no password, port, parameters or headers (RFC 3261 §10.3 step 5). Writes to `out`.
 * ERR_MALFORMED for a scheme other than sip/sips. A URI without user gives "sip:host". */
int uri_append_aor(struct buf *out, const struct uri *u);
/* As above with the host replaced (for addresses and aliases that mean one of our domains). */
int uri_append_aor_at(struct buf *out, const struct uri *u, struct slice host);

#endif
