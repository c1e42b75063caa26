/* The sub-commands of `telex`; telex.c holds their table. */
#ifndef TELEX_COMMANDS_H
#define TELEX_COMMANDS_H

#include "cmd/telex_options.h"

extern const struct telex_command telex_send_command;
extern const struct telex_command telex_listen_command;
extern const struct telex_command telex_chat_command;
extern const struct telex_command telex_register_command;
extern const struct telex_command telex_accounts_command;

#endif
