/* telexctl mailbox list, show, purge. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/slice.h"
#include "cmd/telexctl_commands.h"
#include "cmd/telexctl_print.h"

static enum telexctl_exit ask(const struct telexctl_command *command, const struct telexctl_options *o,
                              struct client *client, void (*item)(void *context, json_t *item), void *context,
                              json_t **ret_answer)
{
    char name[32];
    uint64_t number = 0;
    if (o->rest_count > 1 && slice_to_u64(slice_str(o->rest[1]), INT64_MAX, &number) != ERR_NONE)
        return telexctl_commands_wrong(command, "expected a message's number as in mailbox list, not \"%s\"",
                                       o->rest[1]);
    (void)snprintf(name, sizeof name, "mailbox %s", command->verb);
    json_t *request = json_pack("{s:s,s:s*,s:I}", "command", name, "account", o->rest_count ? o->rest[0] : NULL,
                                "number", (json_int_t)number);
    if (!request)
        return telexctl_commands_wrong(command, "expected an account in UTF-8");
    return telexctl_client_ask(client, request, item, context, ret_answer);
}

enum telexctl_exit telexctl_mailbox_list(const struct telexctl_command *command, const struct telexctl_options *o,
                                         struct client *client)
{
    static const struct print_column accounts[] = {
        {"account", "ACCOUNT"}, {"messages", "MESSAGES"}, {"bytes", "BYTES"}};
    static const struct print_column messages[] = {{"number", "NUMBER"},   {"accepted", "ACCEPTED"},
                                                   {"expires", "EXPIRES"}, {"from", "FROM"},
                                                   {"bytes", "BYTES"},     {"waits_for", "WAITS FOR"}};
    struct print_list list;
    json_t *answer = NULL;
    if (o->rest_count)
        telexctl_print_list_init(&list, messages, sizeof messages / sizeof messages[0], o->json);
    else
        telexctl_print_list_init(&list, accounts, sizeof accounts / sizeof accounts[0], o->json);
    enum telexctl_exit code = ask(command, o, client, telexctl_print_list_add, &list, &answer);
    if (code == TELEXCTL_EXIT_OK)
        telexctl_print_list_end(&list, "Nothing waits.");
    else
        json_decref(list.items);
    json_decref(answer);
    return code;
}

static void print_lines(const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\r\n");
        char line[1024];
        (void)snprintf(line, sizeof line, "%.*s", (int)len, text);
        telexctl_print_safe(line);
        putchar('\n');
        text += len;
        text += *text == '\r';
        text += *text == '\n';
    }
}

enum telexctl_exit telexctl_mailbox_show(const struct telexctl_command *command, const struct telexctl_options *o,
                                         struct client *client)
{
    json_t *answer = NULL;
    enum telexctl_exit code = ask(command, o, client, NULL, NULL, &answer);
    if (code != TELEXCTL_EXIT_OK)
        return code;
    if (o->json) {
        telexctl_print_json(answer);
    } else {
        const char *headers = json_string_value(json_object_get(answer, "headers"));
        const char *body = json_string_value(json_object_get(answer, "body"));
        print_lines(headers ? headers : "");
        putchar('\n');
        if (body)
            print_lines(body);
        else
            printf("(a body of %lld octets that is no text: see --json)\n",
                   (long long)json_integer_value(json_object_get(answer, "body_bytes")));
    }
    json_decref(answer);
    return TELEXCTL_EXIT_OK;
}

enum telexctl_exit telexctl_mailbox_purge(const struct telexctl_command *command, const struct telexctl_options *o,
                                          struct client *client)
{
    json_t *answer = NULL;
    enum telexctl_exit code = ask(command, o, client, NULL, NULL, &answer);
    if (code != TELEXCTL_EXIT_OK)
        return code;
    if (o->json)
        telexctl_print_json(answer);
    else
        printf("messages removed: %lld\n", (long long)json_integer_value(json_object_get(answer, "removed")));
    json_decref(answer);
    return TELEXCTL_EXIT_OK;
}
