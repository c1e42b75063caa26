/* One header line: where it ends, its name and its value. RFC 3261 §7.3.1. The one tokenizer of headers: the framer and
 * the parser read the same lines the same way (defects.md row 13). */
#ifndef SIP_LINE_H
#define SIP_LINE_H

#include "sip/header.h"

struct line {
    struct slice text;  /* without its CRLF */
    struct slice name;  /* absent: no name and colon; then only `text` is set */
    struct slice value; /* without white space around it; folds kept */
    enum header id;
    const char *illegal; /* the first octet that may not stand in a line, or NULL */
};

/* Reads the line at `p` with its folds. Behind its CRLF, or NULL when no CRLF comes before the end. */
const char *line_read(const char *p, const char *end, struct line *ret);
/* The same for a start line, which has no folds: only `text` and `illegal` are set. */
const char *line_read_first(const char *p, const char *end, struct line *ret);

#endif
