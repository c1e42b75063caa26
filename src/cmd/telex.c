/* telex: messages at a terminal, on libtelex. This file knows the sub-commands and nothing of what they do. */
#include <stdio.h>
#include <string.h>

#include "cmd/telex_commands.h"

static const struct telex_command *const commands[] = {&telex_send_command, &telex_listen_command, &telex_chat_command,
                                                       &telex_register_command, &telex_accounts_command};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void help(FILE *out)
{
    fprintf(out,
            "Usage: telex COMMAND [OPTIONS] [ARGUMENTS]\n\nSends and receives SIP messages (RFC 3428).\n\nCommands:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out,
            "\n  telex COMMAND --help says more; telex --version names the version.\n\n"
            "A bare name like 1001 means a user of your own domain.\n\n"
            "Exit codes: 0 delivered, 1 trouble at this end, 2 wrong arguments, 3 stored by the server for later,\n"
            "4 refused, 5 unreachable.\n\n"
            "Example:\n"
            "  telex register sip:alice@example.com\n"
            "  telex send bob \"I am on my way\"\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return TELEX_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return TELEX_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("telex %s\n", TELEX_VERSION);
        return TELEX_EXIT_OK;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        struct telex_options options;
        if (strcmp(argv[1], commands[i]->name) != 0)
            continue;
        int code = telex_options_read(commands[i], argc - 1, argv + 1, &options);
        return code < 0 ? TELEX_EXIT_OK : code > 0 ? code : commands[i]->run(&options);
    }
    fprintf(stderr,
            "telex: expected a command (send, listen, chat, register, accounts), not \"%s\"\nSee telex --help\n",
            argv[1]);
    return TELEX_EXIT_USAGE;
}
