/* A SIP message, parsed in place: slices into bytes that somebody else owns, an index by header field, nothing
 * allocated. Structure only (RFC 3261 §7, §25); values are parsed when asked for, by the files of their fields. To fold
 * a long header line is legal; a value that was folded keeps its CR LF SP and every value parser takes LWS. */
#ifndef SIP_MESSAGE_H
#define SIP_MESSAGE_H

#include "sip/addr.h"
#include "sip/header.h"
#include "sip/method.h"
#include "sip/via.h"

#define MESSAGE_HEADERS_MAX 128 /* lines; the longest message of RFC 4475 has 67 */
#define MESSAGE_NO_HEADER   0xFF

struct header_line {
    struct slice line;  /* from the name through the last octet before its CRLF */
    struct slice name;  /* as written */
    struct slice value; /* without white space around it; folds kept */
    uint8_t id;         /* enum header */
    uint8_t next;       /* next line of the same id, or MESSAGE_NO_HEADER */
};

struct message {
    struct slice raw; /* start line through the end of the body */
    struct slice body;
    struct slice method_name; /* request; absent in a response */
    struct slice uri_text;    /* request */
    struct slice reason;      /* response */
    enum method method;
    uint16_t status; /* response; 0: a request */
    uint8_t header_count;
    uint8_t first[HEADER_COUNT]; /* index into headers, or MESSAGE_NO_HEADER */
    struct header_line headers[MESSAGE_HEADERS_MAX];
};

/* What is wrong with a message and how a server answers it. */
struct message_fault {
    uint16_t status;     /* 400, 413, 416, 420, 505 ...; 0: drop without an answer */
    const char *reason;  /* static: the reason phrase to answer with ("Bad Via") */
    size_t offset;       /* of the first octet at fault */
    struct slice detail; /* 420: the option tags not understood; borrows from the message */
};

/* Parses the structure of a whole datagram or one framed message. The body is Content-Length octets if that field is
 * there, else the rest (RFC 3261 §18.3). On ERR_MALFORMED *ret holds what was read so far, enough for
 * message_can_answer to decide, and *ret_fault says why. */
int message_parse(struct slice in, struct message *ret, struct message_fault *ret_fault);

/* Checks what every element needs to handle the message: one each of From, To, Call-ID, CSeq; at least one Via; their
 * syntax; CSeq's method; Max-Forwards, Content-Length, Expires in range; single fields once; no control characters (RFC
 * 3261 §8.1.1, §16.3 step 1, contract.md; defects.md rows 2, 13, 41, 44). */
int message_check(const struct message *m, struct message_fault *ret_fault);

/* True for a request, not ACK, that build_response can answer: it has a Via, and what is there of Via, From, To,
 * Call-ID and CSeq can be copied. The top Via may be unreadable (message_top_via fails): then answer to where the bytes
 * came from. */
bool message_can_answer(const struct message *m);

static inline bool message_is_request(const struct message *m)
{
    return m->status == 0;
}
/* First line of that field, or NULL. */
const struct header_line *message_header(const struct message *m, enum header id);
const struct header_line *message_next_header(const struct message *m, const struct header_line *h);
/* Value of the first line, absent when there is none. */
struct slice message_value(const struct message *m, enum header id);
/* First line with that name among HEADER_OTHER, without case. */
const struct header_line *message_other(const struct message *m, struct slice name);

/* Typed access. Each returns ERR_NONE, ERR_NOT_FOUND when the field is absent, or ERR_MALFORMED. */
int message_uri(const struct message *m, struct uri *ret);
int message_top_via(const struct message *m, struct via *ret);
int message_from(const struct message *m, struct addr *ret);
int message_to(const struct message *m, struct addr *ret);
/* CSeq number and method (RFC 3261 §20.16). */
int message_cseq(const struct message *m, uint32_t *ret_number, struct slice *ret_method);
/* A field that is one number: Max-Forwards (0..255), Max-Breadth, Expires, Min-Expires, Content-Length, Retry-After's
 * first part. ERR_TOO_LARGE over `max`. */
int message_number(const struct message *m, enum header id, uint32_t max, uint32_t *ret);

/* Walks the values of a comma-list field over all its lines, in order. Start with *state = 0-initialised. */
struct message_values {
    uint8_t line; /* index + 1; 0: not begun */
    size_t offset;
};
/* The next addr of a Contact/Route/Path/... field: true and *ret, or false at the end; ERR_MALFORMED in *ret_err. */
bool message_next_addr(const struct message *m, enum header id, struct message_values *state, struct addr *ret,
                       int *ret_err);
/* As above for Via; *ret_text (may be NULL) is the value's text. */
bool message_next_via(const struct message *m, struct message_values *state, struct via *ret, struct slice *ret_text,
                      int *ret_err);
/* The next token of Allow, Supported, Require, Accept ... (parameters kept with it). */
bool message_next_token(const struct message *m, enum header id, struct message_values *state, struct slice *ret);
/* True when the list field holds `token`, without case. */
bool message_has_token(const struct message *m, enum header id, struct slice token);

#endif
