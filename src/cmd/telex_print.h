/* What `telex` writes: text from peers made harmless for a terminal, and JSON, one object a line. */
#ifndef TELEX_PRINT_H
#define TELEX_PRINT_H

#include <jansson.h>
#include <stdio.h>

#include "base/slice.h"

/* Writes UTF-8 text for a terminal: C0 and C1 controls, DEL, what is not UTF-8, and the marks that turn the writing
 * direction are shown as \xNN or \u{NNNN}; a tab stays; a line end becomes "\n" and `indent`, so that no peer can write
 * a line that looks like ours. `indent` NULL: a line end is shown as \n. */
void telex_print_text(FILE *out, struct slice text, const char *indent);
/* One line on standard output, flushed. Takes `event`. False: it could not be written (or there was no memory). */
bool telex_print_json(json_t *event);
/* A JSON string of network text; what is not UTF-8 is shown as \xNN. NULL gives null. */
json_t *telex_print_string(const char *text);
/* Sets "text" when the octets are UTF-8, else "base64". */
void telex_print_body(json_t *event, const void *body, size_t len);

#endif
