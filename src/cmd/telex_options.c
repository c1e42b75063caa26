/* One table of options; each command names the ones that it takes. */
#include "cmd/telex_options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"

struct option_row {
    char letter;
    const char *name, *value, *text; /* value NULL: a flag */
};

static const struct option_row rows[] = {
    {'f', "from", "URI", "your account; default: the one `telex register` stored as default"},
    {'s', "server", "URI",
     "its server, such as sip:192.0.2.1:5060;transport=tcp; default: the stored one, or the domain"},
    {'T', "transport", "udp|tcp", "default: the stored one, or udp with tcp for what is over 1300 bytes"},
    {'p', "password-file", "FILE",
     "its first line is the password; default: $TELEX_PASSWORD, the stored one, or a prompt"},
    {'j', "json", NULL, "one JSON object a line"},
    {'t', "to", "URI", "one more recipient; may be repeated"},
    {'c', "content-type", "TYPE", "of the text; default: text/plain"},
    {'w', "timeout", "SECONDS", "how long to wait for outcomes; default: 40"},
    {'e', "expires", "SECONDS", "registration interval; default: 300"},
    {'n', "count", "N", "end after N messages were taken"},
    {'x', "exec", "COMMAND", "run by sh for each message, its text on standard input; exit code 0 takes the message"},
    {'k', "check", NULL, "only verify the password; store nothing"},
    {'d', "default", NULL, "make it the default account"},
    {'r', "remove", NULL, "forget the account"},
};
#define ROWS (sizeof rows / sizeof rows[0])

int telex_options_wrong(const char *command, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "telex %s: ", command);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nSee telex %s --help\n", command);
    return TELEX_EXIT_USAGE;
}

void telex_options_help(const struct telex_command *command)
{
    printf("Usage: telex %s %s\n\n%s\n%s\nOptions:\n", command->name, command->synopsis, command->summary,
           command->details);
    for (size_t i = 0; i < ROWS; i++) {
        char left[40];
        if (!strchr(command->options, rows[i].letter))
            continue;
        snprintf(left, sizeof left, "--%s%s%s", rows[i].name, rows[i].value ? " " : "",
                 rows[i].value ? rows[i].value : "");
        printf("  -%c, %-24s %s\n", rows[i].letter, left, rows[i].text);
    }
    printf("  -h, %-24s %s\n\nExample:\n%s", "--help", "this text", command->example);
}

static bool read_number(const char *command, const char *name, const char *text, unsigned max, unsigned *ret)
{
    uint32_t value;
    if (slice_to_u32(slice_str(text), max, &value) == 0 && value > 0) {
        *ret = value;
        return true;
    }
    telex_options_wrong(command, "--%s: expected a number from 1 to %u, not \"%s\"", name, max, text);
    return false;
}

static bool take(const struct telex_command *command, int letter, struct telex_options *o)
{
    switch (letter) {
    case 'f':
        o->from = optarg;
        return true;
    case 's':
        o->server = optarg;
        return true;
    case 'T':
        o->transport = optarg;
        if (strcmp(optarg, "udp") == 0 || strcmp(optarg, "tcp") == 0)
            return true;
        telex_options_wrong(command->name, "--transport: expected udp or tcp, not \"%s\"", optarg);
        return false;
    case 'p':
        o->password_file = optarg;
        return true;
    case 'j':
        return o->json = true;
    case 't':
        if (o->recipient_count < TELEX_RECIPIENTS_MAX) {
            o->recipients[o->recipient_count++] = optarg;
            return true;
        }
        telex_options_wrong(command->name, "expected at most %d recipients", TELEX_RECIPIENTS_MAX);
        return false;
    case 'c':
        o->content_type = optarg;
        return true;
    case 'w':
        return read_number(command->name, "timeout", optarg, 86400, &o->timeout_s);
    case 'e':
        return read_number(command->name, "expires", optarg, 86400, &o->expires_s);
    case 'n':
        return read_number(command->name, "count", optarg, 1000000000, &o->count);
    case 'x':
        o->exec = optarg;
        return true;
    case 'k':
        return o->check = true;
    case 'd':
        return o->make_default = true;
    case 'r':
        return o->remove = true;
    default:
        return false;
    }
}

/* How many arguments stand behind the first "--"; SIZE_MAX without one. getopt_long moves arguments, this does not. */
static size_t behind_dashes(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            return (size_t)(argc - i - 1);
    }
    return SIZE_MAX;
}

int telex_options_read(const struct telex_command *command, int argc, char **argv, struct telex_options *ret)
{
    struct option longs[ROWS + 2] = {0};
    char shorts[2 * ROWS + 4] = ":";
    size_t count = 0, length = 1;
    for (size_t i = 0; i < ROWS; i++) {
        if (!strchr(command->options, rows[i].letter))
            continue;
        longs[count++] = (struct option){rows[i].name, rows[i].value ? required_argument : no_argument, NULL,
                                         rows[i].letter};
        shorts[length++] = rows[i].letter;
        if (rows[i].value)
            shorts[length++] = ':';
    }
    longs[count] = (struct option){"help", no_argument, NULL, 'h'};
    shorts[length] = 'h';
    *ret = (struct telex_options){.timeout_s = 40, .expires_s = 300};
    size_t behind = behind_dashes(argc, argv);
    optind = 0;
    opterr = 0;
    for (int letter; (letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (letter == 'h') {
            telex_options_help(command);
            return -1;
        }
        if (letter == '?')
            return telex_options_wrong(command->name, "there is no option \"%s\"", argv[optind - 1]);
        if (letter == ':')
            return telex_options_wrong(command->name, "%s: expected a value behind it", argv[optind - 1]);
        if (!take(command, letter, ret))
            return TELEX_EXIT_USAGE;
    }
    ret->rest = argv + optind;
    ret->rest_count = (size_t)(argc - optind);
    ret->before_dashes = behind <= ret->rest_count ? ret->rest_count - behind : ret->rest_count;
    return TELEX_EXIT_OK;
}
