/* REGISTER: RFC 3261 §10, RFC 3327 (Path), +sip.instance (RFC 5626). Runs at the account's home. */
#ifndef SERVER_REGISTRAR_H
#define SERVER_REGISTRAR_H

#include "server/server_private.h"

/* A REGISTER that was authenticated on its arrival worker: hands it to the home of To's account, which checks it,
 * commits the change and answers; then schedules the device's drain. `txn` was made by the caller. RFC 3261 §10.3 steps
 * 4-8. */
void registrar_receive(struct server *arrival, const struct incoming *in, struct txn_id txn, int64_t account,
                       struct slice aor);

#endif
