/* telex chat: what is typed goes to one person, line by line; what arrives is printed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/telex_commands.h"
#include "cmd/telex_print.h"
#include "cmd/telex_session.h"

#define LINE_SIZE 65536

struct chat {
    char to[600];
    char line[LINE_SIZE];
    size_t len;
    bool over, input_ended;
    int code;
};

static void note(const char *before, const char *text, unsigned status, const char *reason)
{
    printf("  (%s ", before);
    telex_print_text(stdout, slice_str(text), NULL);
    if (status) {
        printf(": %u ", status);
        telex_print_text(stdout, slice_str(reason), NULL);
    }
    printf(")\n");
    fflush(stdout);
}

static void on_outcome(void *context, const struct telex_result *r)
{
    struct telex_session *s = context;
    struct chat *c = s->context;
    if (r->outcome == TELEX_STORED)
        note("kept by the server for", c->to, 0, "");
    else if (r->outcome == TELEX_REFUSED)
        note("refused for", c->to, r->status, r->reason);
    else if (r->outcome == TELEX_UNREACHABLE)
        note("no answer:", s->host.trouble, 0, "");
}

static void on_message(void *context, const struct telex_incoming *m)
{
    struct telex_session *s = context;
    struct chat *c = s->context;
    telex_print_text(stdout, slice_str(m->from), NULL);
    fputs(": ", stdout);
    telex_print_text(stdout, slice_make(m->body, m->body_len), "    | ");
    putchar('\n');
    bool ok = fflush(stdout) == 0 && !ferror(stdout);
    telex_ua_answer(s->ua, m->handle, ok ? 200 : 500);
    c->over |= !ok;
}

static void on_registration(void *context, const struct telex_registration *r)
{
    struct telex_session *s = context;
    struct chat *c = s->context;
    if (r->state == TELEX_REGISTER_REFUSED) {
        note("the server refuses", s->account.uri, r->status, r->reason);
        c->code = TELEX_EXIT_REFUSED;
        c->over = true;
    } else if (r->state == TELEX_REGISTER_WAITING) {
        note("not connected:", r->status ? r->reason : s->host.trouble, 0, "");
    }
}

static void send_line(struct telex_session *s, const char *text, size_t len)
{
    struct chat *c = s->context;
    const struct telex_outgoing m = {.to = c->to, .body = text, .body_len = len, .date = time(NULL)};
    int err = len > 0 ? telex_ua_send(s->ua, &m, NULL) : TELEX_OK;
    if (err)
        note("not sent:", telex_error_text(err), 0, "");
}

/* Takes what can be read and sends each whole line. */
static void read_input(struct telex_session *s)
{
    struct chat *c = s->context;
    ssize_t n = read(STDIN_FILENO, c->line + c->len, sizeof c->line - c->len);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        send_line(s, c->line, c->len);
        c->len = 0;
        c->input_ended = true;
        return;
    }
    c->len += (size_t)n;
    for (char *end; (end = memchr(c->line, '\n', c->len));) {
        size_t line = (size_t)(end - c->line);
        send_line(s, c->line, line);
        c->len -= line + 1;
        memmove(c->line, end + 1, c->len);
    }
    if (c->len == sizeof c->line) { /* a line without end goes in pieces */
        send_line(s, c->line, c->len);
        c->len = 0;
    }
}

static void converse(struct telex_session *s, const struct telex_options *o)
{
    struct chat *c = s->context;
    uint64_t deadline = UINT64_MAX;
    while (!c->over && !telex_host_interrupted()) {
        struct pollfd input = {.fd = c->input_ended ? -1 : STDIN_FILENO, .events = POLLIN};
        telex_host_turn(&s->host, &input, 1, deadline == UINT64_MAX ? -1 : telex_session_left_ms(deadline));
        if (input.revents)
            read_input(s);
        if (!c->input_ended)
            continue;
        if (deadline == UINT64_MAX)
            deadline = telex_host_now_ms() + (uint64_t)o->timeout_s * 1000;
        if (telex_ua_outgoing_count(s->ua) == 0 || telex_session_left_ms(deadline) == 0)
            return;
    }
}

static int run(const struct telex_options *options)
{
    static const struct telex_ua_callbacks hears = {
        .registration = on_registration, .outcome = on_outcome, .message = on_message};
    static const struct telex_session_wants wants = {.instance = true};
    static struct telex_session session;
    static struct chat chat;
    if (options->rest_count != 1)
        return telex_options_wrong("chat", "expected one person like 1001 or sip:bob@example.com");
    int code = telex_session_open(&session, "chat", options, &wants, &hears, &chat);
    if (code != TELEX_EXIT_OK)
        return code;
    if (!telex_session_uri(&session, options->rest[0], chat.to, sizeof chat.to)) {
        telex_session_close(&session);
        return telex_options_wrong("chat", "expected a person like 1001 or sip:bob@example.com, not \"%s\"",
                                   options->rest[0]);
    }
    telex_host_catch_signals();
    if (isatty(STDIN_FILENO))
        printf("Writing to %s; Ctrl-D ends.\n", chat.to);
    telex_ua_register(session.ua, options->expires_s);
    converse(&session, options);
    if (chat.code == TELEX_EXIT_OK)
        telex_session_sign_off(&session);
    telex_session_close(&session);
    return chat.code;
}

const struct telex_command telex_chat_command = {
    .name = "chat",
    .options = "fsTpew",
    .synopsis = "[OPTIONS] TO",
    .summary = "writes to one person line by line and prints what arrives",
    .details =
        "\nEnds at the end of input (Ctrl-D), after the outcomes of what was sent. What was not delivered at once is\n"
        "said in brackets.\n"
        "\nExit codes: 0 ended by you, 1 trouble at this end, 4 the server refuses the account.\n",
    .example = "  telex chat bob\n  telex chat sip:ops@example.com --from sip:alice@example.com\n",
    .run = run,
};
