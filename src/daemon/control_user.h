/* Commands about single accounts. Each answers its call. */
#ifndef DAEMON_CONTROL_USER_H
#define DAEMON_CONTROL_USER_H

#include "daemon/control_private.h"

/* account, password [, name] [, digest]: a new account, or a new password for one that is there. */
void control_user_add(struct control_call *call);
/* An item for each account, in order. */
void control_user_list(struct control_call *call);
/* account: with its registrations and its mail. */
void control_user_del(struct control_call *call);

#endif
