/* telex send: one text to one or several recipients, and the outcome of each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/telex_commands.h"
#include "cmd/telex_print.h"
#include "cmd/telex_session.h"

/* Bounded by --timeout as well; a server that restarts is back within them. */
#define ATTEMPTS 4

struct recipient {
    char uri[600];
    uint64_t id;
    bool ended;
};

struct sending {
    const struct telex_options *options;
    struct recipient recipients[TELEX_RECIPIENTS_MAX + 1];
    size_t count, open;
    char text[TELEX_BODY_MAX + 1];
    size_t text_len;
    int code;
};

static const struct {
    const char *name, *sentence;
    int code;
} outcomes[] = {
    [TELEX_DELIVERED] = {"delivered", "delivered to", TELEX_EXIT_OK},
    [TELEX_STORED] = {"stored", "kept by the server until they are back:", TELEX_EXIT_STORED},
    [TELEX_REFUSED] = {"refused", "refused for", TELEX_EXIT_REFUSED},
    [TELEX_UNREACHABLE] = {"unreachable", "no answer for", TELEX_EXIT_UNREACHABLE},
};

static void report_json(const struct recipient *to, const struct telex_result *r)
{
    json_t *event = json_object();
    json_object_set_new(event, "event", json_string("outcome"));
    json_object_set_new(event, "to", telex_print_string(to->uri));
    json_object_set_new(event, "outcome", json_string(outcomes[r->outcome].name));
    json_object_set_new(event, "status", json_integer(r->status));
    json_object_set_new(event, "reason", telex_print_string(r->reason));
    json_object_set_new(event, "message_id", telex_print_string(r->message_id));
    json_object_set_new(event, "attempts", json_integer(r->attempts));
    telex_print_json(event);
}

static void report(struct telex_session *s, const struct recipient *to, const struct telex_result *r)
{
    struct sending *sending = s->context;
    if (outcomes[r->outcome].code > sending->code)
        sending->code = outcomes[r->outcome].code;
    if (sending->options->json) {
        report_json(to, r);
        return;
    }
    FILE *out = r->outcome == TELEX_DELIVERED || r->outcome == TELEX_STORED ? stdout : stderr;
    fprintf(out, "%s ", outcomes[r->outcome].sentence);
    telex_print_text(out, slice_str(to->uri), NULL);
    if (r->status) {
        fprintf(out, " (%u ", r->status);
        telex_print_text(out, slice_str(r->reason), NULL);
        fprintf(out, ")");
    } else if (s->host.trouble[0]) {
        fprintf(out, " (%s)", s->host.trouble);
    }
    fprintf(out, "\n");
    fflush(out);
}

static void on_outcome(void *context, const struct telex_result *r)
{
    struct telex_session *s = context;
    struct sending *sending = s->context;
    for (size_t i = 0; i < sending->count; i++) {
        struct recipient *to = &sending->recipients[i];
        if (to->id == r->id && !to->ended) {
            to->ended = true;
            sending->open--;
            report(s, to, r);
            return;
        }
    }
}

/* Octet for octet, but for one line end at the very end: what `echo` and editors add. */
static bool read_text(struct sending *sending, const char *text)
{
    if (strcmp(text, "-") == 0) {
        sending->text_len = fread(sending->text, 1, sizeof sending->text, stdin);
        if (ferror(stdin)) {
            fprintf(stderr, "telex send: standard input: %s\n", strerror(errno));
            return false;
        }
        if (sending->text_len > 0 && sending->text_len < sizeof sending->text &&
            sending->text[sending->text_len - 1] == '\n')
            sending->text_len--;
    } else {
        sending->text_len = strnlen(text, sizeof sending->text);
        memcpy(sending->text, text, sending->text_len);
    }
    if (sending->text_len <= TELEX_BODY_MAX)
        return true;
    fprintf(stderr, "telex send: the text is over %d octets\n", TELEX_BODY_MAX);
    return false;
}

/* TO TEXT, or TO... -- TEXT; each --to adds a recipient. Returns what was given as text, or NULL after a message. */
static const char *read_recipients(const struct telex_session *s, struct sending *sending)
{
    const struct telex_options *o = sending->options;
    size_t plain = o->before_dashes;
    if (plain == o->rest_count) /* no "--" */
        plain = o->rest_count == 1 && o->recipient_count > 0 ? 0 : 1;
    if (o->rest_count != plain + 1 || plain + o->recipient_count == 0) {
        telex_options_wrong("send", "expected TO and TEXT (quote a text of several words; further recipients go "
                                    "into --to, or all of them in front of --)");
        return NULL;
    }
    if (plain + o->recipient_count > TELEX_RECIPIENTS_MAX) {
        telex_options_wrong("send", "expected at most %d recipients", TELEX_RECIPIENTS_MAX);
        return NULL;
    }
    for (size_t i = 0; i < plain + o->recipient_count; i++) {
        const char *text = i < plain ? o->rest[i] : o->recipients[i - plain];
        struct recipient *to = &sending->recipients[sending->count++];
        if (!telex_session_uri(s, text, to->uri, sizeof to->uri)) {
            telex_options_wrong("send", "expected a recipient like 1001 or sip:bob@example.com, not \"%s\"", text);
            return NULL;
        }
    }
    return o->rest[plain];
}

static int queue(struct telex_session *s, struct sending *sending)
{
    for (size_t i = 0; i < sending->count; i++) {
        const struct telex_outgoing m = {.to = sending->recipients[i].uri,
                                         .content_type = sending->options->content_type,
                                         .body = sending->text,
                                         .body_len = sending->text_len,
                                         .date = time(NULL)};
        int err = telex_ua_send(s->ua, &m, &sending->recipients[i].id);
        if (err) {
            fprintf(stderr, "telex send: %s: %s\n", sending->recipients[i].uri, telex_error_text(err));
            return err == TELEX_ERR_ARGUMENT ? TELEX_EXIT_USAGE : TELEX_EXIT_TROUBLE;
        }
        sending->open++;
    }
    return TELEX_EXIT_OK;
}

static int wait_for_outcomes(struct telex_session *s, struct sending *sending)
{
    uint64_t deadline = telex_host_now_ms() + (uint64_t)sending->options->timeout_s * 1000;
    for (int left; sending->open > 0 && !telex_host_interrupted() && (left = telex_session_left_ms(deadline)) > 0;)
        telex_host_turn(&s->host, NULL, 0, left);
    if (sending->open > 0 && !s->host.trouble[0])
        snprintf(s->host.trouble, sizeof s->host.trouble, "no final answer in %u s", sending->options->timeout_s);
    for (size_t i = 0; i < sending->count; i++) {
        const struct telex_result r = {.outcome = TELEX_UNREACHABLE, .reason = "", .message_id = NULL};
        if (!sending->recipients[i].ended)
            report(s, &sending->recipients[i], &r);
    }
    return sending->code;
}

static int run(const struct telex_options *options)
{
    static const struct telex_ua_callbacks hears = {.outcome = on_outcome};
    static const struct telex_session_wants wants = {.attempts_max = ATTEMPTS};
    static struct telex_session session;
    static struct sending sending;
    sending.options = options;
    int code = telex_session_open(&session, "send", options, &wants, &hears, &sending);
    if (code != TELEX_EXIT_OK)
        return code;
    telex_host_catch_signals();
    const char *text = read_recipients(&session, &sending);
    if (!text)
        code = TELEX_EXIT_USAGE;
    else if (!read_text(&sending, text))
        code = TELEX_EXIT_TROUBLE;
    else
        code = queue(&session, &sending);
    if (code == TELEX_EXIT_OK)
        code = wait_for_outcomes(&session, &sending);
    telex_session_close(&session);
    return code;
}

const struct telex_command telex_send_command = {
    .name = "send",
    .options = "fsTptjcw",
    .synopsis = "[OPTIONS] TO TEXT\n       telex send [OPTIONS] TO... -- TEXT",
    .summary = "sends a text and says what became of it",
    .details = "\nTEXT - is read from standard input. A bare TO like 1001 means a user of your own domain.\n"
               "\nExit codes (of several recipients the highest): 0 delivered, 3 stored by the server for later,\n"
               "4 refused, 5 unreachable (it may have arrived).\n",
    .example = "  telex send 1001 \"lunch?\"\n"
               "  uptime | telex send --from sip:host7@example.com -p /etc/telex.pw sip:ops@example.com -\n"
               "  telex send bob carol sip:dave@example.net -- \"the meeting is at 9\"\n",
    .run = run,
};
