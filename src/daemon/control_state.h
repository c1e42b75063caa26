/* registrations, status, reload. */
#ifndef DAEMON_CONTROL_STATE_H
#define DAEMON_CONTROL_STATE_H

#include "daemon/control_private.h"

/* [account]: an item for each contact. */
void control_state_registrations(struct control_call *call);
/* Counters summed over the workers, version, uptime. */
void control_state_status(struct control_call *call);
/* The file anew; needs_restart names what had changed and could not be taken. */
void control_state_reload(struct control_call *call);

#endif
