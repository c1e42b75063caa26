/* The accounts whose home is this worker. */
#ifndef SERVER_HOME_H
#define SERVER_HOME_H

#include "server/server_private.h"

/* The account's state at its home; made when it is first needed. NULL without memory. */
struct account *home_account(struct server *home, int64_t id, struct slice aor);
/* NULL when there is none yet. */
struct account *home_find(struct server *home, int64_t id);
/* As server_load. */
int home_load(struct server **servers, struct server_shared *shared);
/* Frees all of them; nothing runs any more. */
void home_free(struct server *home);

#endif
