/* echo@ every own domain: sends back what it is sent, so that one person alone sees messages move. */
#ifndef SERVER_ECHO_H
#define SERVER_ECHO_H

#include "server/letter.h"

bool echo_is_user(const struct uri *u);
/* On the arrival worker, for an authenticated sender. `aor` is the echo's own address. Answers 200 (the echo is the
 * device that took it) and writes back; a notification or a typing notice is taken and not echoed. */
void echo_receive(struct server *s, const struct incoming *in, struct txn_id txn, const struct auth_result *sender,
                  struct slice aor);

#endif
