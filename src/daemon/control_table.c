/* All commands by name. */
#include <string.h>

#include "daemon/control_import.h"
#include "daemon/control_mailbox.h"
#include "daemon/control_private.h"
#include "daemon/control_state.h"
#include "daemon/control_user.h"

static const struct control_command commands[] = {
    {"user add", control_user_add},           {"user import", control_import},
    {"user list", control_user_list},         {"user del", control_user_del},
    {"mailbox list", control_mailbox_list},   {"mailbox show", control_mailbox_show},
    {"mailbox purge", control_mailbox_purge}, {"registrations", control_state_registrations},
    {"status", control_state_status},         {"reload", control_state_reload},
};

const struct control_command *control_table_find(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}
