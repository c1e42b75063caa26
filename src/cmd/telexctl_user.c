/* telexctl user add, import, list, del. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/telexctl_commands.h"
#include "cmd/telexctl_password.h"
#include "cmd/telexctl_print.h"

enum telexctl_exit telexctl_user_add(const struct telexctl_command *command, const struct telexctl_options *o,
                                     struct client *client)
{
    char password[2048];
    json_t *answer;
    if (!telexctl_password_read(o->password_stdin, password, sizeof password))
        return TELEXCTL_EXIT_USAGE;
    json_t *request = json_pack("{s:s,s:s,s:s,s:s*,s:s*}", "command", "user add", "account", o->rest[0], "password",
                                password, "name", o->name, "digest", o->digest);
    explicit_bzero(password, sizeof password);
    if (!request)
        return telexctl_commands_wrong(command, "expected texts in UTF-8");
    enum telexctl_exit code = telexctl_client_ask(client, request, NULL, NULL, &answer);
    if (code != TELEXCTL_EXIT_OK)
        return code;
    if (o->json)
        telexctl_print_json(answer);
    else
        printf("%s %s\n", json_string_value(json_object_get(answer, "change")),
               json_string_value(json_object_get(answer, "account")));
    json_decref(answer);
    return TELEXCTL_EXIT_OK;
}

/* --- import --- */

/* Lines in one request: the store commits them in its largest groups, and nothing waits for a round trip. */
#define IMPORT_LINES 5000u
#define IMPORT_BYTES (1024u * 1024)

struct import {
    struct client *client;
    bool json;
    json_t *lines, *errors;
    size_t bytes;
    json_int_t first, next;            /* line numbers */
    json_int_t added, changed, failed; /* lines */
};

static void note_error(struct import *m, json_int_t line, const char *why)
{
    m->failed++;
    if (m->json)
        (void)json_array_append_new(m->errors, json_pack("{s:I,s:s}", "line", line, "error", why));
    else
        fprintf(stderr, "line %lld: %s\n", (long long)line, why);
}

static void on_bad_line(void *context, json_t *item)
{
    const char *why = json_string_value(json_object_get(item, "error"));
    note_error(context, json_integer_value(json_object_get(item, "line")), why ? why : "");
}

static enum telexctl_exit send_lines(struct import *m)
{
    json_t *answer;
    if (json_array_size(m->lines) == 0)
        return TELEXCTL_EXIT_OK;
    json_t *request = json_pack("{s:s,s:I,s:o}", "command", "user import", "first", m->first, "lines", m->lines);
    m->lines = json_array();
    m->bytes = 0;
    m->first = m->next;
    enum telexctl_exit code = telexctl_client_ask(m->client, request, on_bad_line, m, &answer);
    if (code != TELEXCTL_EXIT_OK) {
        fprintf(stderr, "telexctl: lines before %lld were taken\n", (long long)m->first);
        return code;
    }
    m->added += json_integer_value(json_object_get(answer, "added"));
    m->changed += json_integer_value(json_object_get(answer, "changed"));
    json_decref(answer);
    return TELEXCTL_EXIT_OK;
}

static enum telexctl_exit take_line(struct import *m, char *line, size_t len)
{
    while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    json_t *text = json_stringn(line, len);
    if (!text || memchr(line, 0, len)) {
        note_error(m, m->next, "expected text in UTF-8");
        json_decref(text);
        text = json_string(""); /* keeps the numbers right; an empty line is passed over */
    }
    (void)json_array_append_new(m->lines, text);
    m->bytes += len;
    m->next++;
    return json_array_size(m->lines) < IMPORT_LINES && m->bytes < IMPORT_BYTES ? TELEXCTL_EXIT_OK : send_lines(m);
}

static enum telexctl_exit import_all(struct import *m, FILE *in)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    enum telexctl_exit code = TELEXCTL_EXIT_OK;
    while (code == TELEXCTL_EXIT_OK && (len = getline(&line, &size, in)) > 0) {
        code = take_line(m, line, (size_t)len);
        explicit_bzero(line, size);
    }
    free(line);
    if (code == TELEXCTL_EXIT_OK)
        code = send_lines(m);
    if (code == TELEXCTL_EXIT_OK && ferror(in)) {
        fprintf(stderr, "telexctl: cannot read on: %s\n", strerror(errno));
        code = TELEXCTL_EXIT_REFUSED;
    }
    return code;
}

enum telexctl_exit telexctl_user_import(const struct telexctl_command *command, const struct telexctl_options *o,
                                        struct client *client)
{
    bool from_stdin = strcmp(o->rest[0], "-") == 0;
    FILE *in = from_stdin ? stdin : fopen(o->rest[0], "re");
    struct import m = {.client = client, .json = o->json, .first = 1, .next = 1};
    if (!in)
        return telexctl_commands_wrong(command, "expected a file that can be read: %s: %s", o->rest[0],
                                       strerror(errno));
    m.lines = json_array();
    m.errors = json_array();
    enum telexctl_exit code = import_all(&m, in);
    if (!from_stdin)
        (void)fclose(in);
    if (o->json) {
        json_t *sum = json_pack("{s:I,s:I,s:I,s:O}", "added", m.added, "changed", m.changed, "failed", m.failed,
                                "errors", m.errors);
        telexctl_print_json(sum);
        json_decref(sum);
    } else {
        printf("%lld added, %lld changed, %lld refused\n", (long long)m.added, (long long)m.changed,
               (long long)m.failed);
    }
    json_decref(m.lines);
    json_decref(m.errors);
    return code == TELEXCTL_EXIT_OK && m.failed ? TELEXCTL_EXIT_REFUSED : code;
}

/* --- list, del --- */

enum telexctl_exit telexctl_user_list(const struct telexctl_command *command, const struct telexctl_options *o,
                                      struct client *client)
{
    static const struct print_column columns[] = {{"account", "ACCOUNT"}, {"name", "NAME"}};
    struct print_list list;
    json_t *answer = NULL;
    (void)command;
    telexctl_print_list_init(&list, columns, 2, o->json);
    enum telexctl_exit code = telexctl_client_ask(client, json_pack("{s:s}", "command", "user list"),
                                                  telexctl_print_list_add, &list, &answer);
    if (code == TELEXCTL_EXIT_OK)
        telexctl_print_list_end(&list, "There are no accounts yet: telexctl user add sip:alice@example.com");
    else
        json_decref(list.items);
    json_decref(answer);
    return code;
}

enum telexctl_exit telexctl_user_del(const struct telexctl_command *command, const struct telexctl_options *o,
                                     struct client *client)
{
    json_t *answer = NULL;
    json_t *request = json_pack("{s:s,s:s}", "command", "user del", "account", o->rest[0]);
    if (!request)
        return telexctl_commands_wrong(command, "expected an account in UTF-8");
    enum telexctl_exit code = telexctl_client_ask(client, request, NULL, NULL, &answer);
    if (code != TELEXCTL_EXIT_OK)
        return code;
    if (o->json)
        telexctl_print_json(answer);
    else
        printf("deleted %s\n", json_string_value(json_object_get(answer, "account")));
    json_decref(answer);
    return TELEXCTL_EXIT_OK;
}
