/* All commands by name. */
#include <string.h>

#include "daemon/control_import.h"
#include "daemon/control_private.h"
#include "daemon/control_user.h"

static const struct control_command commands[] = {
    {"user add", control_user_add},
    {"user import", control_import},
};

const struct control_command *control_table_find(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}
