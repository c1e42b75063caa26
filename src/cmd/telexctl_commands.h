/* The sub-commands of telexctl: one table; the program's main and its help are made of it. */
#ifndef TELEXCTL_COMMANDS_H
#define TELEXCTL_COMMANDS_H

#include <stdbool.h>

#include "cmd/telexctl_client.h"

struct telexctl_options {
    const char *data, *name, *digest;
    bool json, password_stdin, help;
    char **rest; /* what is no option, behind the verb */
    int rest_count;
};

struct telexctl_command {
    const char *group, *verb; /* verb NULL: the group is the whole command */
    const char *arguments, *summary;
    const char *options; /* letters of the options that it takes beside --data, --json and --help */
    int least, most;     /* arguments */
    const char *example;
    enum telexctl_exit (*run)(const struct telexctl_command *command, const struct telexctl_options *o,
                              struct client *client);
    const char *more; /* of its --help; NULL: nothing */
};

/* Message "telexctl user add: expected ..." on standard error; returns TELEXCTL_EXIT_USAGE. */
enum telexctl_exit telexctl_commands_wrong(const struct telexctl_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

enum telexctl_exit telexctl_user_add(const struct telexctl_command *command, const struct telexctl_options *o,
                                     struct client *client);
enum telexctl_exit telexctl_user_import(const struct telexctl_command *command, const struct telexctl_options *o,
                                        struct client *client);
enum telexctl_exit telexctl_user_list(const struct telexctl_command *command, const struct telexctl_options *o,
                                      struct client *client);
enum telexctl_exit telexctl_user_del(const struct telexctl_command *command, const struct telexctl_options *o,
                                     struct client *client);
enum telexctl_exit telexctl_mailbox_list(const struct telexctl_command *command, const struct telexctl_options *o,
                                         struct client *client);
enum telexctl_exit telexctl_mailbox_show(const struct telexctl_command *command, const struct telexctl_options *o,
                                         struct client *client);
enum telexctl_exit telexctl_mailbox_purge(const struct telexctl_command *command, const struct telexctl_options *o,
                                          struct client *client);
enum telexctl_exit telexctl_state_registrations(const struct telexctl_command *command,
                                                const struct telexctl_options *o, struct client *client);
enum telexctl_exit telexctl_state_status(const struct telexctl_command *command, const struct telexctl_options *o,
                                         struct client *client);
enum telexctl_exit telexctl_state_reload(const struct telexctl_command *command, const struct telexctl_options *o,
                                         struct client *client);

#endif
