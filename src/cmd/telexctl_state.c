/* telexctl registrations, status, reload. */
#include <stdio.h>
#include <string.h>

#include "cmd/telexctl_commands.h"
#include "cmd/telexctl_print.h"

enum telexctl_exit telexctl_state_registrations(const struct telexctl_command *command,
                                                const struct telexctl_options *o, struct client *client)
{
    static const struct print_column columns[] = {
        {"account", "ACCOUNT"},   {"contact", "CONTACT"},      {"via", "VIA"}, {"from", "FROM"}, {"state", "STATE"},
        {"expires_s", "EXPIRES"}, {"user_agent", "USER AGENT"}};
    struct print_list list;
    json_t *answer = NULL;
    json_t *request = json_pack("{s:s,s:s*}", "command", "registrations", "account", o->rest_count ? o->rest[0] : NULL);
    if (!request)
        return telexctl_commands_wrong(command, "expected an account in UTF-8");
    telexctl_print_list_init(&list, columns, sizeof columns / sizeof columns[0], o->json);
    enum telexctl_exit code = telexctl_client_ask(client, request, telexctl_print_list_add, &list, &answer);
    if (code == TELEXCTL_EXIT_OK)
        telexctl_print_list_end(&list, "Nobody is registered.");
    else
        json_decref(list.items);
    json_decref(answer);
    return code;
}

static void print_value(const char *name, json_t *value)
{
    if (json_is_string(value))
        printf("%-28s %s\n", name, json_string_value(value));
    else if (json_is_integer(value))
        printf("%-28s %lld\n", name, (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        printf("%-28s %s\n", name, json_is_true(value) ? "yes" : "no");
    for (size_t i = 0; i < json_array_size(value); i++)
        printf("%-28s %s\n", i ? "" : name, json_string_value(json_array_get(value, i)));
}

/* All but the groups of an object, with underscores as spaces. */
static void print_values(json_t *object, const char *prefix)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        char name[64];
        (void)snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? " " : "", key);
        for (char *p = name; *p; p++)
            if (*p == '_')
                *p = ' ';
        print_value(name, value);
    }
}

/* {"a": {"b": 1}} is shown as "a b  1". */
static void print_status(json_t *status)
{
    const char *key;
    json_t *value;
    print_values(status, "");
    json_object_foreach(status, key, value)
    {
        if (json_is_object(value))
            print_values(value, key);
    }
}

enum telexctl_exit telexctl_state_status(const struct telexctl_command *command, const struct telexctl_options *o,
                                         struct client *client)
{
    json_t *answer = NULL;
    (void)command;
    enum telexctl_exit code = telexctl_client_ask(client, json_pack("{s:s}", "command", "status"), NULL, NULL, &answer);
    if (code == TELEXCTL_EXIT_OK && o->json)
        telexctl_print_json(answer);
    else if (code == TELEXCTL_EXIT_OK)
        print_status(answer);
    json_decref(answer);
    return code;
}

enum telexctl_exit telexctl_state_reload(const struct telexctl_command *command, const struct telexctl_options *o,
                                         struct client *client)
{
    json_t *answer = NULL;
    (void)command;
    enum telexctl_exit code = telexctl_client_ask(client, json_pack("{s:s}", "command", "reload"), NULL, NULL, &answer);
    if (code != TELEXCTL_EXIT_OK)
        return code;
    const char *left_out = json_string_value(json_object_get(answer, "needs_restart"));
    if (o->json)
        telexctl_print_json(answer);
    else if (left_out && *left_out)
        printf("reloaded; what changed in %s waits for a restart of telexd\n", left_out);
    else
        printf("reloaded\n");
    json_decref(answer);
    return TELEXCTL_EXIT_OK;
}
