/* Building messages: into a bounded buf, lines in the order given. RFC 3261 §7, §8.2.6. A builder that overflows leaves
 * buf_ok false. */
#ifndef SIP_BUILD_H
#define SIP_BUILD_H

#include "sip/message.h"

/* The reason phrase we send for a status ("Accepted"); never empty. */
struct slice build_reason(uint16_t status);

void build_request_line(struct buf *out, struct slice method, struct slice uri);
void build_status_line(struct buf *out, uint16_t status, struct slice reason);
/* "Name: value\r\n". A CR, LF or NUL in value makes the buffer fail. */
void build_header(struct buf *out, enum header name, struct slice value);
void build_header_number(struct buf *out, enum header name, uint64_t value);
void build_other(struct buf *out, struct slice name, struct slice value);
/* A line of a received message, byte for byte, with its CRLF. */
void build_line(struct buf *out, const struct header_line *h);
/* Content-Length, the empty line and the body. */
void build_end(struct buf *out, struct slice body);

/* Start of a response to `request` as §8.2.6.2 says: status line, all Vias, From, To (with `to_tag` when the request's
 * To has none and to_tag is present), Call-ID, CSeq; Timestamp for 100. `received_top_via` replaces the value of the
 * top Via when present. `reason` absent: the default. The caller adds fields and build_end. */
void build_response(struct buf *out, const struct message *request, uint16_t status, struct slice reason,
                    struct slice to_tag, struct slice received_top_via);

#endif
