/* message/cpim: headers, then MIME headers, then the inner body. RFC 3862. Reads in place; linear; no recursion into
 * nested CPIM. Unknown headers are kept because nothing is rewritten. */
#ifndef SIP_CPIM_H
#define SIP_CPIM_H

#include "base/buf.h"

struct cpim {
    struct slice from, to, date_time; /* values as written; absent: ptr == NULL */
    struct slice message_id;          /* imdn.Message-ID (RFC 5438 §6.3), whatever prefix its NS gives imdn */
    struct slice disposition;         /* imdn.Disposition-Notification */
    struct slice content_type;        /* inner MIME Content-Type, absent if missing */
    struct slice content_encoding;
    struct slice body; /* inner body */
};

/* ERR_MALFORMED with the fault's offset: then the body is opaque to us. */
int cpim_parse(struct slice in, struct cpim *ret, size_t *ret_fault);

struct cpim_out {
    struct slice from, to; /* URIs without brackets */
    int64_t date_seconds;
    struct slice message_id, disposition; /* absent: not written */
    struct slice content_type, body;
};
/* Values are escaped as RFC 3862 §2.3 asks; none can add a header. */
void cpim_append(struct buf *out, const struct cpim_out *c);

#endif
