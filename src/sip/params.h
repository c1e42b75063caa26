/* generic-param lists: ;name=value;flag (RFC 3261 §25.1). Iterates over a slice that starts at the first ";". */
#ifndef SIP_PARAMS_H
#define SIP_PARAMS_H

#include "base/slice.h"

struct param {
    struct slice name, value; /* value.ptr == NULL: no "="; quoted values keep their quotes */
};

/* Parses one ";name[=value]" at the start of `in` (LWS allowed where the grammar has it). Returns octets consumed,
 * 0 when `in` does not begin with ";", or ERR_MALFORMED. */
int params_next(struct slice in, struct param *ret);
/* Length of the whole list at the start of `in`, ending before "," or the end; ERR_MALFORMED with the fault's offset.
 */
int params_span(struct slice in, size_t *ret_len, size_t *ret_fault);
/* First parameter called `name`, without case. False when there is none. `params` must have passed params_span. */
bool params_find(struct slice params, struct slice name, struct param *ret);
/* A quoted-string without its quotes and backslashes into `out` (token copied as it is). Returns the length or
 * ERR_TOO_LARGE, ERR_MALFORMED. */
int params_unquote(struct slice value, char *out, size_t out_size);

#endif
