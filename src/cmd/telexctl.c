/* telexctl: reads the arguments, finds the command, connects to telexd. */
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/telexctl_commands.h"
#include "daemon/data_folder.h"

static const struct telexctl_command commands[] = {
    {"user", "add", "URI", "a new account, or a new password for one that is there", "nPD", 1, 1,
     "telexctl user add sip:alice@example.com --name 'Alice Ames' --password-stdin < alice.password", telexctl_user_add,
     NULL},
    {"user", "import", "FILE", "accounts from lines of uri,password[,name]; - is standard input", "", 1, 1,
     "telexctl user import accounts.csv", telexctl_user_import,
     "Wrong lines are named and left out, the others are taken. Empty lines and those that begin with # are skipped.\n"
     "An account that is there already gets the new password, and the name if the line has one."},
    {"user", "list", "", "all accounts", "", 0, 0, "telexctl user list", telexctl_user_list, NULL},
    {"user", "del", "URI", "an account, its registrations and its mail", "", 1, 1,
     "telexctl user del sip:alice@example.com", telexctl_user_del, NULL},
    {"mailbox", "list", "[URI]", "messages that wait for an account; without URI: accounts that are owed some", "", 0,
     1, "telexctl mailbox list sip:alice@example.com", telexctl_mailbox_list, NULL},
    {"mailbox", "show", "URI NUMBER", "one message as it will be delivered", "", 2, 2,
     "telexctl mailbox show sip:alice@example.com 17", telexctl_mailbox_show,
     "NUMBER is the one that mailbox list shows."},
    {"mailbox", "purge", "URI [NUMBER]", "removes all messages that wait for an account, or one", "", 1, 2,
     "telexctl mailbox purge sip:alice@example.com", telexctl_mailbox_purge,
     "They are gone for good. NUMBER is the one that mailbox list shows."},
    {"mailbox", "replay", "URI NUMBER", "(comes in a later release)", "", 0, INT_MAX,
     "telexctl mailbox replay sip:alice@example.com 17", NULL, NULL},
    {"trace", NULL, "MESSAGE-ID", "(comes in a later release)", "", 0, INT_MAX, "telexctl trace a84b4c76e66710", NULL,
     NULL},
    {"registrations", NULL, "[URI]", "which phones are registered", "", 0, 1, "telexctl registrations",
     telexctl_state_registrations, NULL},
    {"status", NULL, "", "what telexd does: counters, queues, uptime", "", 0, 0, "telexctl --json status",
     telexctl_state_status, NULL},
    {"reload", NULL, "", "reads the configuration anew", "", 0, 0, "telexctl reload", telexctl_state_reload, NULL},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

struct option_row {
    char letter;
    const char *value, *text;
    struct option option;
};

static const struct option_row rows[] = {
    {'d', "DIR", "the data folder of the telexd to talk to", {"data", required_argument, NULL, 'd'}},
    {'j', NULL, "JSON instead of text for people", {"json", no_argument, NULL, 'j'}},
    {'n', "NAME", "display name", {"name", required_argument, NULL, 'n'}},
    {'D', "LIST", "digest algorithms of this account, as in sha-256,md5", {"digest", required_argument, NULL, 'D'}},
    {'P',
     NULL,
     "one line of standard input is the password, without its newline; else it is asked for",
     {"password-stdin", no_argument, NULL, 'P'}},
    {'h', NULL, "this text", {"help", no_argument, NULL, 'h'}},
    {'V', NULL, "the version", {"version", no_argument, NULL, 'V'}},
};
#define ROWS (sizeof rows / sizeof rows[0])
/* Options that every command takes. */
#define COMMON "djhV"

/* --- help --- */

static const char exit_codes[] = "Exit codes: 0 done, 1 refused, 2 wrong arguments, 3 telexd is not running.\n";

static void print_command_line(FILE *out, const struct telexctl_command *c)
{
    char left[64];
    (void)snprintf(left, sizeof left, "%s%s%s %s", c->group, c->verb ? " " : "", c->verb ? c->verb : "", c->arguments);
    fprintf(out, "  %-30s %s\n", left, c->summary);
}

static void print_options(FILE *out, const char *letters)
{
    for (size_t i = 0; i < ROWS; i++) {
        char left[40];
        if (!strchr(letters, rows[i].letter))
            continue;
        (void)snprintf(left, sizeof left, "--%s%s%s", rows[i].option.name, rows[i].value ? " " : "",
                       rows[i].value ? rows[i].value : "");
        fprintf(out, "  -%c, %-22s %s\n", rows[i].letter, left, rows[i].text);
    }
}

/* `group` NULL: everything. */
static void help(FILE *out, const char *group)
{
    char folder[PATH_MAX];
    data_folder_default(folder, sizeof folder);
    fprintf(out, "Usage: telexctl [OPTIONS] COMMAND [ARGUMENTS]\n\nAsks the running telexd.\n\nCommands:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        if (!group || strcmp(group, commands[i].group) == 0)
            print_command_line(out, &commands[i]);
    fprintf(out, "\nOptions:\n");
    print_options(out, group ? "djh" : "djhV");
    fprintf(out,
            "\nThe data folder is %s unless --data says otherwise. telexctl COMMAND --help says more.\n"
            "%s\nExamples:\n",
            folder, exit_codes);
    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].run && (!group || strcmp(group, commands[i].group) == 0))
            fprintf(out, "  %s\n", commands[i].example);
}

static void help_command(const struct telexctl_command *c)
{
    char letters[32];
    printf("Usage: telexctl %s%s%s [OPTIONS]%s%s\n\n%s\n", c->group, c->verb ? " " : "", c->verb ? c->verb : "",
           *c->arguments ? " " : "", c->arguments, c->summary);
    if (c->more)
        printf("\n%s\n", c->more);
    printf("\nOptions:\n");
    (void)snprintf(letters, sizeof letters, "djh%s", c->options);
    print_options(stdout, letters);
    printf("\n%s\nExample:\n  %s\n", exit_codes, c->example);
}

enum telexctl_exit telexctl_commands_wrong(const struct telexctl_command *command, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "telexctl %s%s%s: ", command->group, command->verb ? " " : "", command->verb ? command->verb : "");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nExample: %s\n", command->example);
    return TELEXCTL_EXIT_USAGE;
}

/* --- arguments --- */

struct parsed {
    struct telexctl_options options;
    char letters[64]; /* options that were given */
    char **words;
    int word_count;
};

/* Options may stand anywhere. -1: go on. */
static int read_options(int argc, char **argv, struct parsed *p)
{
    struct option longs[ROWS + 1] = {0};
    int letter;
    size_t given = 0;
    for (size_t i = 0; i < ROWS; i++)
        longs[i] = rows[i].option;
    while ((letter = getopt_long(argc, argv, "d:jn:D:PhV", longs, NULL)) >= 0) {
        if (letter == '?') {
            fprintf(stderr, "See telexctl --help\n");
            return TELEXCTL_EXIT_USAGE;
        }
        if (given + 1 < sizeof p->letters)
            p->letters[given++] = (char)letter;
        if (letter == 'd')
            p->options.data = optarg;
        else if (letter == 'n')
            p->options.name = optarg;
        else if (letter == 'D')
            p->options.digest = optarg;
    }
    p->options.json = strchr(p->letters, 'j') != NULL;
    p->options.help = strchr(p->letters, 'h') != NULL;
    p->options.password_stdin = strchr(p->letters, 'P') != NULL;
    p->words = argv + optind;
    p->word_count = argc - optind;
    if (strchr(p->letters, 'V')) {
        printf("telexctl %s\n", TELEX_VERSION);
        return TELEXCTL_EXIT_OK;
    }
    return -1;
}

static const struct telexctl_command *find(const struct parsed *p)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct telexctl_command *c = &commands[i];
        if (strcmp(c->group, p->words[0]) != 0)
            continue;
        if (!c->verb || (p->word_count > 1 && strcmp(c->verb, p->words[1]) == 0))
            return c;
    }
    return NULL;
}

/* Names what could have stood there: verbs of a group, or all groups. */
static int unknown(const struct parsed *p)
{
    bool is_group = false;
    const char *last = "";
    for (size_t i = 0; i < COMMANDS; i++)
        is_group = is_group || strcmp(commands[i].group, p->words[0]) == 0;
    fprintf(stderr, "telexctl: expected ");
    for (size_t i = 0; i < COMMANDS; i++) {
        const char *name = is_group ? commands[i].verb : commands[i].group;
        if ((is_group && strcmp(commands[i].group, p->words[0]) != 0) || strcmp(name, last) == 0)
            continue;
        fprintf(stderr, "%s%s%s", *last ? ", " : "", is_group && !*last ? p->words[0] : "",
                is_group && !*last ? " " : "");
        fprintf(stderr, "%s", name);
        last = name;
    }
    const char *given = p->words[is_group && p->word_count > 1 ? 1 : 0];
    if (is_group && p->word_count == 1)
        fprintf(stderr, "\nSee telexctl %s --help\n", p->words[0]);
    else
        fprintf(stderr, ", not \"%s\"\nSee telexctl --help\n", given);
    return TELEXCTL_EXIT_USAGE;
}

static int check_arguments(const struct telexctl_command *c, struct parsed *p)
{
    int verb_words = c->verb ? 2 : 1;
    p->options.rest = p->words + verb_words;
    p->options.rest_count = p->word_count - verb_words;
    for (const char *letter = p->letters; *letter; letter++) {
        if (strchr(COMMON, *letter) || strchr(c->options, *letter))
            continue;
        for (size_t i = 0; i < ROWS; i++)
            if (rows[i].letter == *letter)
                return (int)telexctl_commands_wrong(c, "takes no --%s", rows[i].option.name);
    }
    if (p->options.rest_count < c->least || p->options.rest_count > c->most)
        return (int)telexctl_commands_wrong(c, "expected %s", *c->arguments ? c->arguments : "no further argument");
    if (strstr(c->arguments, "URI") && p->options.rest_count > 0 && !strchr(p->options.rest[0], '@'))
        return (int)telexctl_commands_wrong(c, "expected an account as in sip:alice@example.com, not \"%s\"",
                                            p->options.rest[0]);
    return -1;
}

int main(int argc, char **argv)
{
    static char folder[PATH_MAX];
    struct parsed p = {0};
    struct client *client;
    int code = read_options(argc, argv, &p);
    if (code >= 0)
        return code;
    if (p.word_count == 0) {
        help(p.options.help ? stdout : stderr, NULL);
        return p.options.help ? (int)TELEXCTL_EXIT_OK : (int)TELEXCTL_EXIT_USAGE;
    }
    const struct telexctl_command *command = find(&p);
    if (!command && p.options.help && p.word_count == 1) {
        help(stdout, p.words[0]);
        return TELEXCTL_EXIT_OK;
    }
    if (!command)
        return unknown(&p);
    if (p.options.help) {
        help_command(command);
        return TELEXCTL_EXIT_OK;
    }
    if (!command->run)
        return (int)telexctl_commands_wrong(command, "comes in a later release of Telex");
    code = check_arguments(command, &p);
    if (code >= 0)
        return code;
    if (!p.options.data) {
        data_folder_default(folder, sizeof folder);
        p.options.data = folder;
    }
    enum telexctl_exit opened = telexctl_client_open(p.options.data, &client);
    if (opened != TELEXCTL_EXIT_OK)
        return (int)opened;
    enum telexctl_exit result = command->run(command, &p.options, client);
    telexctl_client_close(client);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "telexctl: cannot write to standard output\n");
        return TELEXCTL_EXIT_REFUSED;
    }
    return (int)result;
}
