/* telexd: the arguments, then the daemon. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/data_folder.h"

struct options {
    const char *config, *data;
    enum log_level level;
    enum log_format format;
    bool check, print;
};

static void help(void)
{
    char folder[4096];
    data_folder_default(folder, sizeof folder);
    printf("Usage: telexd [OPTIONS]\n\n"
           "A SIP server for messages (RFC 3428): registrar, proxy and mailbox in one process.\n\n"
           "  -c, --config FILE        YAML; without it: domain localhost, UDP and TCP port 5060 everywhere\n"
           "  -d, --data DIR           where accounts and mail are kept; default: the file's, else %s\n"
           "      --check              read the configuration, say what is wrong, and end\n"
           "      --print-config       print the whole configuration with its defaults, and end\n"
           "      --log-level LEVEL    error, warn, info (default) or debug\n"
           "      --log-format FORMAT  text (default) or json, one line for each event, on standard error\n"
           "  -V, --version\n"
           "  -h, --help\n\n"
           "Signals: SIGTERM and SIGINT finish what is in flight and stop; SIGHUP reads the configuration anew.\n"
           "Exit codes: 0 stopped as asked, 1 could not go on, 2 wrong arguments, 3 wrong configuration,\n"
           "4 another telexd holds the data folder, 5 cannot listen at an address.\n\n"
           "Example:\n"
           "  telexd --config /etc/telex/telexd.yaml --check\n"
           "  telexd --config /etc/telex/telexd.yaml\n",
           folder);
}

static int wrong(const char *expected, const char *given)
{
    fprintf(stderr, "telexd: expected %s, not \"%s\"\nSee telexd --help\n", expected, given);
    return DAEMON_EXIT_USAGE;
}

/* Index of `given` among `count` names, or -1. */
static int choose(const char *const *names, int count, const char *given)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], given) == 0)
            return i;
    return -1;
}

enum { OPTION_CHECK = 256, OPTION_PRINT, OPTION_LEVEL, OPTION_FORMAT };

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"data", required_argument, NULL, 'd'},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"print-config", no_argument, NULL, OPTION_PRINT},
    {"log-level", required_argument, NULL, OPTION_LEVEL},
    {"log-format", required_argument, NULL, OPTION_FORMAT},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int set_level(struct options *o, const char *given)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    int i = choose(names, 4, given);
    o->level = (enum log_level)i;
    return i < 0 ? wrong("--log-level error, warn, info or debug", given) : 0;
}

static int set_format(struct options *o, const char *given)
{
    static const char *const names[] = {"text", "json"};
    int i = choose(names, 2, given);
    o->format = (enum log_format)i;
    return i < 0 ? wrong("--log-format text or json", given) : 0;
}

/* 0: go on; -1: done; else the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
    int letter, code = 0;
    while (code == 0 && (letter = getopt_long(argc, argv, "c:d:Vh", long_options, NULL)) >= 0) {
        switch (letter) {
        case 'c':
            o->config = optarg;
            break;
        case 'd':
            o->data = optarg;
            break;
        case OPTION_CHECK:
            o->check = true;
            break;
        case OPTION_PRINT:
            o->print = true;
            break;
        case OPTION_LEVEL:
            code = set_level(o, optarg);
            break;
        case OPTION_FORMAT:
            code = set_format(o, optarg);
            break;
        case 'V':
            printf("telexd %s\n", TELEX_VERSION);
            return -1;
        case 'h':
            help();
            return -1;
        default:
            fprintf(stderr, "See telexd --help\n");
            return DAEMON_EXIT_USAGE;
        }
    }
    return code == 0 && optind < argc ? wrong("options only", argv[optind]) : code;
}

static int print_config(struct config *c)
{
    struct buf out;
    buf_init(&out, 16u * 1024 * 1024);
    config_print(c, &out);
    bool ok = buf_ok(&out) && fwrite(out.ptr, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_deinit(&out);
    config_free(c);
    return ok ? DAEMON_EXIT_OK : DAEMON_EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct options o = {.level = LOG_INFO};
    struct config *config;
    char *message = NULL;
    int code = read_options(argc, argv, &o);
    if (code != 0)
        return code < 0 ? 0 : code;
    log_configure(o.level, o.format);
    if (config_load(o.config, o.data, &config, &message) != ERR_NONE) {
        fprintf(stderr, "telexd: %s\n", message ? message : "out of memory");
        free(message);
        return DAEMON_EXIT_CONFIG;
    }
    if (o.print)
        return print_config(config);
    if (o.check) {
        printf("%s is good\n", o.config ? o.config : "the built-in configuration");
        config_free(config);
        return DAEMON_EXIT_OK;
    }
    return (int)daemon_run(config, o.data);
}
