/* mailbox list, show, purge. */
#ifndef DAEMON_CONTROL_MAILBOX_H
#define DAEMON_CONTROL_MAILBOX_H

#include "daemon/control_private.h"

/* [account]: an item for each message that waits; without: one for each account that is owed some. */
void control_mailbox_list(struct control_call *call);
/* account, number: headers and body of one message. */
void control_mailbox_show(struct control_call *call);
/* account [, number]: ends all that waits, or one message, as removed. */
void control_mailbox_purge(struct control_call *call);

#endif
