/* telex register: signs in once and stores the account. telex accounts: shows what is stored. */
#include <stdio.h>
#include <string.h>

#include "cmd/telex_commands.h"
#include "cmd/telex_print.h"
#include "cmd/telex_session.h"

struct sign_in {
    bool ended;
    struct telex_registration result;
    char reason[128];
};

static void on_registration(void *context, const struct telex_registration *r)
{
    struct sign_in *w = ((struct telex_session *)context)->context;
    w->result = *r;
    snprintf(w->reason, sizeof w->reason, "%s", r->reason);
    w->result.reason = w->reason;
    w->ended = r->state == TELEX_REGISTERED || r->state == TELEX_REGISTER_REFUSED;
}

static int tell(struct telex_session *s, const struct sign_in *w, const struct telex_options *o)
{
    bool ok = w->ended && w->result.state == TELEX_REGISTERED;
    int code = ok ? TELEX_EXIT_OK : w->ended ? TELEX_EXIT_REFUSED : TELEX_EXIT_UNREACHABLE;
    if (o->json) {
        json_t *event = json_object();
        json_object_set_new(event, "event", json_string(ok ? "registered" : w->ended ? "refused" : "unreachable"));
        json_object_set_new(event, "account", telex_print_string(s->account.uri));
        json_object_set_new(event, "status", json_integer(w->result.status));
        json_object_set_new(event, "reason", telex_print_string(w->reason));
        telex_print_json(event);
    } else if (ok) {
        printf("%s: the server knows you%s\n", s->account.uri, o->check ? "" : "; the account is stored");
    } else if (w->ended) {
        fprintf(stderr, "%s: refused (%u ", s->account.uri, w->result.status);
        telex_print_text(stderr, slice_str(w->reason), NULL);
        bool is_doubted = s->has_password && (w->result.status == 401 || w->result.status == 407);
        fprintf(stderr, ")%s\n", is_doubted ? ": wrong password?" : "");
    } else {
        fprintf(stderr, "%s: no answer from %s%s%s\n", s->account.uri, s->server_host, s->host.trouble[0] ? ": " : "",
                s->host.trouble);
    }
    return code;
}

static bool store(struct telex_session *s, const struct telex_options *o)
{
    if (s->has_password)
        memcpy(s->account.password, s->password, sizeof s->account.password);
    return telex_account_store(&s->account, o->make_default);
}

static int sign_in(struct telex_options *o)
{
    static const struct telex_ua_callbacks hears = {.registration = on_registration};
    static struct telex_session session;
    struct sign_in waiting = {.reason = ""};
    /* A check leaves no device behind: one with a lasting instance would be owed messages (contract.md, Devices). */
    const struct telex_session_wants wants = {.instance = !o->check};
    int code = telex_session_open(&session, "register", o, &wants, &hears, &waiting);
    if (code != TELEX_EXIT_OK)
        return code;
    telex_host_catch_signals();
    uint64_t deadline = telex_host_now_ms() + (uint64_t)o->timeout_s * 1000;
    telex_ua_register(session.ua, o->expires_s);
    for (int left; !waiting.ended && !telex_host_interrupted() && (left = telex_session_left_ms(deadline)) > 0;)
        telex_host_turn(&session.host, NULL, 0, left);
    bool ok = waiting.ended && waiting.result.state == TELEX_REGISTERED;
    if (ok)
        telex_session_sign_off(&session); /* nobody listens here until telex listen does */
    if (ok && !o->check && !store(&session, o))
        code = TELEX_EXIT_TROUBLE;
    else
        code = tell(&session, &waiting, o);
    telex_session_close(&session);
    return code;
}

static int run_register(const struct telex_options *options)
{
    struct telex_options o = *options;
    if (o.rest_count == 1 && !o.from)
        o.from = o.rest[0];
    else if (o.rest_count > 0 || !o.from)
        return telex_options_wrong("register", "expected one account like sip:alice@example.com");
    return sign_in(&o);
}

const struct telex_command telex_register_command = {
    .name = "register",
    .options = "fsTpwekdj",
    .synopsis = "[OPTIONS] URI",
    .summary = "signs in once and stores the account",
    .details = "\nThe account, its server and password go to ~/.config/telex/accounts.json, which only you can read.\n"
               "The first one stored is the default of all commands.\n"
               "\nExit codes: 0 signed in, 4 refused, 5 unreachable.\n",
    .example = "  telex register sip:alice@example.com --server sip:192.0.2.1:5060\n"
               "  telex register --check --password-file pw sip:alice@example.com\n",
    .run = run_register,
};

/* --- accounts --- */

static void show(const json_t *all)
{
    const char *chosen = json_string_value(json_object_get(all, "default")), *uri;
    json_t *entry;
    json_object_foreach(json_object_get(all, "accounts"), uri, entry)
    {
        const char *server = json_string_value(json_object_get(entry, "server"));
        printf("%s %s%s%s%s\n", chosen && strcmp(chosen, uri) == 0 ? "*" : " ", uri, server ? "  at " : "",
               server ? server : "", json_object_get(entry, "password") ? "" : "  (no password stored)");
    }
}

static int run_accounts(const struct telex_options *o)
{
    if (o->remove) {
        if (o->rest_count != 1)
            return telex_options_wrong("accounts", "--remove: expected one account like sip:alice@example.com");
        if (telex_account_remove(o->rest[0]))
            return TELEX_EXIT_OK;
        fprintf(stderr, "telex accounts: there is no %s\n", o->rest[0]);
        return TELEX_EXIT_TROUBLE;
    }
    if (o->rest_count > 0)
        return telex_options_wrong("accounts", "expected no argument without --remove");
    json_t *all = telex_account_all(), *entry;
    const char *uri;
    json_object_foreach(json_object_get(all, "accounts"), uri, entry)
    {
        if (o->json && json_object_del(entry, "password") == 0) /* a list must not spread them */
            json_object_set_new(entry, "has_password", json_true());
    }
    if (o->json)
        return telex_print_json(all) ? TELEX_EXIT_OK : TELEX_EXIT_TROUBLE;
    show(all);
    json_decref(all);
    return TELEX_EXIT_OK;
}

const struct telex_command telex_accounts_command = {
    .name = "accounts",
    .options = "jr",
    .synopsis = "[OPTIONS] [URI]",
    .summary = "lists the stored accounts, or forgets one",
    .details = "\nThe default account has a star.\n",
    .example = "  telex accounts\n  telex accounts --remove sip:alice@example.com\n",
    .run = run_accounts,
};
