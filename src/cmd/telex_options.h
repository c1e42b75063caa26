/* The options that all sub-commands of `telex` share, and how each command's arguments are read. */
#ifndef TELEX_OPTIONS_H
#define TELEX_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes. Of several recipients the highest counts. */
enum telex_exit {
    TELEX_EXIT_OK = 0,
    TELEX_EXIT_TROUBLE = 1,     /* something at this end: a file, a command, memory */
    TELEX_EXIT_USAGE = 2,       /* wrong arguments */
    TELEX_EXIT_STORED = 3,      /* 202: the server keeps the message */
    TELEX_EXIT_REFUSED = 4,     /* a final no: wrong password, no such user ... */
    TELEX_EXIT_UNREACHABLE = 5, /* no answer */
};

#define TELEX_RECIPIENTS_MAX 64

struct telex_options {
    const char *from, *server, *transport, *password_file;
    const char *content_type, *exec;
    const char *recipients[TELEX_RECIPIENTS_MAX];
    size_t recipient_count;
    unsigned timeout_s, expires_s, count;
    bool json, check, make_default, remove;
    /* What is no option: argv[first] .. argv[argc - 1]. */
    char **rest;
    size_t rest_count;
    size_t before_dashes; /* of rest: how many stood before "--"; rest_count without it */
};

/* One sub-command. The table of them in telex.c also writes the help. */
struct telex_command {
    const char *name;
    const char *options; /* short options that it takes, out of telex_options.c's table */
    const char *synopsis, *summary, *details, *example;
    int (*run)(const struct telex_options *options);
};

/* Reads argv behind the command's name. Returns TELEX_EXIT_OK; TELEX_EXIT_USAGE after a message on standard error; or
 * -1 when --help was asked and printed. */
int telex_options_read(const struct telex_command *command, int argc, char **argv, struct telex_options *ret);
void telex_options_help(const struct telex_command *command);
/* "telex send: expected ..." and a hint at --help, on standard error; returns TELEX_EXIT_USAGE. */
int telex_options_wrong(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
