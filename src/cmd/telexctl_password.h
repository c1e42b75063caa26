/* Where telexctl gets a password: standard input or a prompt, never an argument, which every user of the machine sees.
 */
#ifndef TELEXCTL_PASSWORD_H
#define TELEXCTL_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

/* One line, without its newline, NUL-terminated. False after a message on standard error. */
bool telexctl_password_read(bool from_stdin, char *out, size_t out_size);

#endif
