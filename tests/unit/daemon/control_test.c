/* The control socket's lines: what is answered, what is refused, who is let in. One loop, no workers: only commands
 * that need none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/control.h"
#include "daemon/control_path.h"
#include "support/config_file.h"

struct fixture {
    struct daemon daemon;
    char folder[512], socket[600];
};

static int setup_at(void **state, const char *below)
{
    struct fixture *f = calloc(1, sizeof *f);
    char *message;
    char base[] = "/tmp/telex-control-XXXXXX";
    assert_non_null(mkdtemp(base));
    (void)snprintf(f->folder, sizeof f->folder, "%s%s", base, below);
    if (*below)
        assert_int_equal(mkdir(f->folder, 0700), 0);
    (void)snprintf(f->socket, sizeof f->socket, "%s/" CONTROL_PATH_NAME, f->folder);
    assert_int_equal(config_file_load("domains: [example.com]\naliases: {pbx.lan: example.com}\n"
                                      "listen: [udp:127.0.0.1:0]\n",
                                      f->folder, &f->daemon.config, &message),
                     ERR_NONE);
    assert_int_equal(loop_new(clock_system(), &f->daemon.loop), ERR_NONE);
    assert_int_equal(accounts_new(&f->daemon.shared.hash_key, &f->daemon.shared.accounts), ERR_NONE);
    assert_int_equal(control_new(&f->daemon, &f->daemon.control), ERR_NONE);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_at(state, "");
}

/* A path that is longer than a socket's name may be. */
static int setup_deep(void **state)
{
    char below[200];
    memset(below, 'd', sizeof below - 1);
    below[0] = '/';
    below[sizeof below - 1] = 0;
    return setup_at(state, below);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    control_free(f->daemon.control);
    assert_int_not_equal(stat(f->socket, &info), 0); /* it took its socket along */
    accounts_free(f->daemon.shared.accounts);
    loop_free(f->daemon.loop);
    config_free(f->daemon.config);
    (void)rmdir(f->folder);
    if (strchr(f->folder + 5, '/')) {
        *strrchr(f->folder, '/') = 0;
        (void)rmdir(f->folder);
    }
    free(f);
    return 0;
}

static void run(struct fixture *f)
{
    for (int i = 0; i < 8; i++)
        loop_turn(f->daemon.loop, 0);
}

static int join(struct fixture *f)
{
    struct sockaddr_un name;
    int folder, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(control_path_make(f->folder, &name, &folder), ERR_NONE);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
    if (folder >= 0)
        close(folder);
    run(f);
    return fd;
}

static void say(struct fixture *f, int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    run(f);
}

/* All that was answered. */
static void hear(int fd, char *out, size_t size)
{
    ssize_t n = recv(fd, out, size - 1, 0);
    out[n > 0 ? n : 0] = 0;
}

static bool is_closed(int fd)
{
    char c;
    return recv(fd, &c, 1, 0) == 0;
}

#define UNKNOWN(name) "{\"ok\":false,\"error\":\"unknown command \\\"" name "\\\"\"}\n"

static void lines_and_answers(void **state)
{
    static const struct {
        const char *line, *answer;
    } rows[] = {
        {"{\"command\":\"user list\"}", "{\"ok\":true}\n"},
        {"{\"command\":\"fly\"}", UNKNOWN("fly")},
        {"{\"command\":7}", UNKNOWN("")},
        {"{}", UNKNOWN("")},
        {"", UNKNOWN("")},
        {"not JSON", UNKNOWN("")},
        {"[\"user list\"]", UNKNOWN("")},
        {"{\"command\":\"user list\"} trailing", UNKNOWN("")},
        {"{\"command\":\"\xFF\"}", UNKNOWN("")},
        {"{\"command\":\"trace\"}", UNKNOWN("trace")},
        {"{\"command\":\"user import\"}",
         "{\"ok\":false,\"error\":\"expected lines, a list of at most 10000 texts\"}\n"},
        {"{\"command\":\"user del\"}", "{\"ok\":false,\"error\":\"expected an account\"}\n"},
        {"{\"command\":\"mailbox show\"}", "{\"ok\":false,\"error\":\"expected an account\"}\n"},
        {"{\"command\":\"mailbox purge\",\"account\":\"sip:bob@example.com\"}",
         "{\"ok\":false,\"error\":\"there is no account sip:bob@example.com\"}\n"},
    };
    struct fixture *f = *state;
    int fd = join(f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char heard[1024];
        say(f, fd, rows[i].line);
        say(f, fd, "\n");
        hear(fd, heard, sizeof heard);
        if (strcmp(heard, rows[i].answer) != 0)
            fail_msg("row %zu: %s", i, heard);
    }
    close(fd);
    run(f);
}

/* Accounts that are refused before any store is asked. */
static void accounts_that_are_none(void **state)
{
    static const struct {
        const char *fields, *error;
    } rows[] = {
        {"\"account\":\"sip:example.com\"", "expected sip:user@domain, not 'sip:example.com'"},
        {"\"account\":\"\"", "expected sip:user@domain, not ''"},
        {"\"account\":\"bob\"", "expected sip:user@domain, not 'bob'"},
        {"\"account\":\"tel:+49301234\"", "expected sip:user@domain, not 'tel:+49301234'"},
        {"\"account\":\"sip:bob@@example.com\"", "expected sip:user@domain, not 'sip:bob@@example.com'"},
        {"\"account\":\"sip:bob@example.com:5060\"",
         "an account is sip:user@domain, without password, port or parameters"},
        {"\"account\":\"sip:bob@example.com;transport=tcp\"",
         "an account is sip:user@domain, without password, port or parameters"},
        {"\"account\":\"sip:bob:secret@example.com\"",
         "an account is sip:user@domain, without password, port or parameters"},
        {"\"account\":\"sip:bob@pbx.lan\"", "pbx.lan is an alias: name the account in example.com"},
        {"\"account\":\"sip:bob@example.org\"",
         "example.org is not one of our domains (domains: in the configuration)"},
        {"\"account\":\"bob@example.com\"", "expected a password of 1 to 1024 octets"},
        {"\"account\":\"bob@example.com\",\"password\":\"\"", "expected a password of 1 to 1024 octets"},
        {"\"account\":\"echo@example.com\",\"password\":\"x\"", "echo@ is telexd's own"},
        {"\"account\":\"bob@example.com\",\"password\":\"x\",\"name\":\"a\\nb\"",
         "expected a name of at most 255 octets in one line"},
        {"\"account\":\"bob@example.com\",\"password\":\"x\",\"digest\":\"md5,sha1\"",
         "'sha1' is no algorithm; md5, sha-256 and sha-512-256 are"},
    };
    struct fixture *f = *state;
    int fd = join(f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[512], wanted[512], heard[1024];
        (void)snprintf(line, sizeof line, "{\"command\":\"user add\",%s}\n", rows[i].fields);
        (void)snprintf(wanted, sizeof wanted, "{\"ok\":false,\"error\":\"%s\"}\n", rows[i].error);
        say(f, fd, line);
        hear(fd, heard, sizeof heard);
        if (strcmp(heard, wanted) != 0)
            fail_msg("row %zu: %s", i, heard);
    }
    close(fd);
    run(f);
}

static void bad_lines_of_an_import_are_named(void **state)
{
    struct fixture *f = *state;
    char heard[2048];
    int fd = join(f);
    say(f, fd,
        "{\"command\":\"user import\",\"first\":41,\"lines\":[\"# "
        "who\",\"\",\"bob\",\"x@y,pw\",\"a@example.com,\",7]}\n");
    hear(fd, heard, sizeof heard);
    assert_string_equal(
        heard, "{\"item\":{\"line\":43,\"error\":\"expected uri,password or uri,password,name\"}}\n"
               "{\"item\":{\"line\":44,\"error\":\"y is not one of our domains (domains: in the configuration)\"}}\n"
               "{\"item\":{\"line\":45,\"error\":\"expected a password of 1 to 1024 octets\"}}\n"
               "{\"added\":0,\"changed\":0,\"failed\":3,\"ok\":true}\n");
    close(fd);
    run(f);
}

static void requests_may_come_in_any_pieces(void **state)
{
    struct fixture *f = *state;
    const char *line = "{\"command\":\"user list\"}\n";
    char heard[1024], piece[2] = {0};
    int fd = join(f);
    for (const char *p = line; *p; p++) {
        piece[0] = *p;
        hear(fd, heard, sizeof heard);
        assert_string_equal(heard, "");
        say(f, fd, piece);
    }
    hear(fd, heard, sizeof heard);
    assert_string_equal(heard, "{\"ok\":true}\n");
    say(f, fd, "{\"command\":\"user list\"}\n{\"command\":\"user list\"}\n{\"command\":\"user list\"}\n");
    hear(fd, heard, sizeof heard);
    assert_string_equal(heard, "{\"ok\":true}\n{\"ok\":true}\n{\"ok\":true}\n");
    close(fd);
    run(f);
}

static void who_has_finished_talking_is_answered_and_closed(void **state)
{
    struct fixture *f = *state;
    char heard[1024];
    int fd = join(f);
    assert_true(send(fd, "{\"command\":\"user list\"}\nhalf a li", 33, MSG_NOSIGNAL) == 33);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    run(f);
    hear(fd, heard, sizeof heard);
    assert_string_equal(heard, "{\"ok\":true}\n");
    assert_true(is_closed(fd));
    close(fd);
}

static void a_line_without_end_is_cut_off(void **state)
{
    struct fixture *f = *state;
    static char much[65536];
    size_t sent = 0;
    int fd = join(f);
    memset(much, 'x', sizeof much);
    while (sent <= CONTROL_REQUEST_MAX) {
        ssize_t n = send(fd, much, sizeof much, MSG_NOSIGNAL);
        if (n < 0)
            break;
        sent += (size_t)n;
        run(f);
    }
    assert_true(sent <= CONTROL_REQUEST_MAX + 1024u * 1024);
    close(fd);
    run(f);
}

static void more_than_it_serves_are_turned_away(void **state)
{
    struct fixture *f = *state;
    int fds[CONTROL_SESSIONS_MAX + 1];
    char heard[1024];
    for (size_t i = 0; i < CONTROL_SESSIONS_MAX + 1; i++)
        fds[i] = join(f);
    hear(fds[CONTROL_SESSIONS_MAX], heard, sizeof heard);
    assert_non_null(strstr(heard, "\"ok\":false"));
    assert_true(is_closed(fds[CONTROL_SESSIONS_MAX]));
    close(fds[0]);
    run(f);
    int fd = join(f);
    say(f, fd, "{\"command\":\"user list\"}\n");
    hear(fd, heard, sizeof heard);
    assert_string_equal(heard, "{\"ok\":true}\n");
    close(fd);
    for (size_t i = 1; i < CONTROL_SESSIONS_MAX + 1; i++)
        close(fds[i]);
    run(f);
}

static void nothing_begins_once_it_stops(void **state)
{
    struct fixture *f = *state;
    char heard[1024];
    int fd = join(f);
    control_stop(f->daemon.control);
    say(f, fd, "{\"command\":\"user list\"}\n");
    hear(fd, heard, sizeof heard);
    assert_string_equal(heard, "{\"ok\":false,\"error\":\"telexd is stopping\"}\n");
    assert_int_equal(control_running(f->daemon.control), 0);
    struct stat info;
    assert_int_not_equal(stat(f->socket, &info), 0);
    close(fd);
    run(f);
}

static void only_its_owner_may_join(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    assert_int_equal(stat(f->socket, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void a_stale_socket_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct control *second;
    assert_int_equal(control_new(&f->daemon, &second), ERR_NONE); /* as after a kill -9 */
    close(join(f));
    control_free(second);
    run(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_and_answers),
        TEST(accounts_that_are_none),
        TEST(bad_lines_of_an_import_are_named),
        TEST(requests_may_come_in_any_pieces),
        TEST(who_has_finished_talking_is_answered_and_closed),
        TEST(a_line_without_end_is_cut_off),
        TEST(more_than_it_serves_are_turned_away),
        TEST(nothing_begins_once_it_stops),
        TEST(only_its_owner_may_join),
        TEST(a_stale_socket_is_replaced),
        cmocka_unit_test_setup_teardown(requests_may_come_in_any_pieces, setup_deep, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
