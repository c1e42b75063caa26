/* REGISTER: RFC 3261 §10, RFC 3327 (Path), +sip.instance (RFC 5626). Runs at the account's home. */
#ifndef SERVER_REGISTRAR_H
#define SERVER_REGISTRAR_H

#include "server/server_private.h"

/* REGISTERs of one account that wait while one is committed; a further one gets 503. */
#define REGISTRAR_WAITING_MAX 16u

/* A REGISTER that was authenticated on its arrival worker: hands it to the home of To's account, which checks it,
 * commits the change and answers; then schedules the device's drain. `txn` was made by the caller. RFC 3261 §10.3 steps
 * 4-8. */
void registrar_receive(struct server *arrival, const struct incoming *in, struct txn_id txn, int64_t account,
                       struct slice aor);
/* A REGISTER of the account is being committed: its devices and bindings are about to change. */
bool registrar_is_busy(const struct account *a);
/* The account is being deleted (404), or the server ends (0: no answer): forgets its REGISTERs. Before its devices are
 * freed. One that is being committed stays until its completion came. */
void registrar_stop(struct account *a, uint16_t status);

#endif
