/* Finds message borders in a byte stream (RFC 3261 §18.3, §20.14). Fed any split of the bytes it finds the same
 * messages. It remembers how far it has looked, so a slow sender costs no rescans. Holds no bytes. */
#ifndef SIP_FRAMER_H
#define SIP_FRAMER_H

#include "sip/message.h"

struct framer {
    size_t scanned;
    size_t head_len; /* 0: the empty line has not been seen */
    size_t body_len;
};

enum frame_kind {
    FRAME_MESSAGE,   /* *ret_len octets are one message */
    FRAME_CRLF,      /* *ret_len octets of CRLF between messages: to be skipped */
    FRAME_KEEPALIVE, /* CRLF CRLF: to be skipped and answered by one CRLF (RFC 5626 §4.4.1) */
};

void framer_init(struct framer *f);
/* Looks at `in`, which begins at a message border and holds all bytes received since. Returns an enum frame_kind with
 * *ret_len, ERR_NEED_MORE, ERR_TOO_LARGE (head over max_head: 513/400 then close; body over max_body: 413 then close)
 * or ERR_MALFORMED (no or bad Content-Length, bare CR or LF ...: 400 then close) with *ret_fault. After a frame the
 * caller drops *ret_len octets, and the framer has begun anew. */
int framer_next(struct framer *f, struct slice in, size_t max_head, size_t max_body, size_t *ret_len,
                struct message_fault *ret_fault);

#endif
