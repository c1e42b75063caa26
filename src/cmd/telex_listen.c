/* telex listen: a message is answered 200 only after its line is flushed, or after --exec has taken it; else 500, and
 * the server keeps it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"
#include "cmd/telex_commands.h"
#include "cmd/telex_exec.h"
#include "cmd/telex_print.h"
#include "cmd/telex_session.h"

/* A message that waits for its command. The texts lie behind the struct. */
struct waiting {
    struct list_node node;
    struct telex_incoming m;
    char texts[];
};

struct listening {
    const struct telex_options *options;
    struct list queue;
    struct waiting *current; /* its command runs */
    int child;               /* pidfd, or -1 */
    unsigned taken;
    int code;
    bool over;
};

/* --- what is shown --- */

static bool show_json(const struct telex_incoming *m)
{
    json_t *event = json_object();
    json_object_set_new(event, "event", json_string("message"));
    json_object_set_new(event, "from", telex_print_string(m->from));
    json_object_set_new(event, "from_name", telex_print_string(m->from_name));
    json_object_set_new(event, "to", telex_print_string(m->to));
    json_object_set_new(event, "call_id", telex_print_string(m->call_id));
    json_object_set_new(event, "message_id", telex_print_string(m->message_id));
    json_object_set_new(event, "subject", telex_print_string(m->subject));
    json_object_set_new(event, "content_type", telex_print_string(m->content_type));
    json_object_set_new(event, "content_encoding", telex_print_string(m->content_encoding));
    json_object_set_new(event, "date", m->date ? json_integer(m->date) : json_null());
    json_object_set_new(event, "cpim", json_boolean(m->cpim));
    telex_print_body(event, m->body, m->body_len);
    return telex_print_json(event);
}

static bool show_text(const struct telex_incoming *m)
{
    char clock[16] = "";
    time_t now = m->date ? (time_t)m->date : time(NULL);
    struct tm tm;
    if (localtime_r(&now, &tm))
        strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    printf("%s ", clock);
    telex_print_text(stdout, slice_str(m->from), NULL);
    fputs(": ", stdout);
    telex_print_text(stdout, slice_make(m->body, m->body_len), "         | ");
    putchar('\n');
    return fflush(stdout) == 0 && !ferror(stdout);
}

static bool show(const struct listening *l, const struct telex_incoming *m)
{
    return l->options->json ? show_json(m) : show_text(m);
}

/* Shows it and gives the server its answer. */
static void take(struct telex_session *s, const struct telex_incoming *m)
{
    struct listening *l = s->context;
    bool ok = show(l, m);
    telex_ua_answer(s->ua, m->handle, ok ? 200 : 500);
    if (!ok) {
        l->code = TELEX_EXIT_TROUBLE; /* standard output is gone: nobody reads us */
        l->over = true;
    } else if (++l->taken == l->options->count) {
        l->over = true;
    }
}

/* --- --exec --- */

static const char *keep(char **at, const char *text)
{
    if (!text)
        return NULL;
    size_t len = strlen(text) + 1;
    char *copy = *at;
    memcpy(copy, text, len);
    *at += len;
    return copy;
}

static size_t size_of(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static struct waiting *waiting_new(const struct telex_incoming *m)
{
    size_t size = size_of(m->from) + size_of(m->from_name) + size_of(m->to) + size_of(m->call_id) +
                  size_of(m->message_id) + size_of(m->subject) + size_of(m->content_type) +
                  size_of(m->content_encoding) + m->body_len;
    struct waiting *w = calloc(1, sizeof *w + size);
    if (!w)
        return NULL;
    char *at = w->texts;
    w->m = *m;
    w->m.from = keep(&at, m->from);
    w->m.from_name = keep(&at, m->from_name);
    w->m.to = keep(&at, m->to);
    w->m.call_id = keep(&at, m->call_id);
    w->m.message_id = keep(&at, m->message_id);
    w->m.subject = keep(&at, m->subject);
    w->m.content_type = keep(&at, m->content_type);
    w->m.content_encoding = keep(&at, m->content_encoding);
    w->m.receipts = NULL;
    w->m.raw = NULL;
    memcpy(at, m->body, m->body_len);
    w->m.body = at;
    return w;
}

static void start_next(struct telex_session *s)
{
    struct listening *l = s->context;
    while (!l->current && !l->over && !list_is_empty(&l->queue)) {
        l->current = CONTAINER_OF(list_pop_front(&l->queue), struct waiting, node);
        l->child = telex_exec_start(l->options->exec, &l->current->m);
        if (l->child >= 0)
            return;
        fprintf(stderr, "telex listen: the command cannot be started\n");
        telex_ua_answer(s->ua, l->current->m.handle, 500);
        free(l->current);
        l->current = NULL;
    }
}

static void child_ended(struct telex_session *s)
{
    struct listening *l = s->context;
    struct waiting *w = l->current;
    l->current = NULL;
    if (telex_exec_finish(l->child)) {
        take(s, &w->m);
    } else {
        fprintf(stderr, "telex listen: the command did not take the message; the server keeps it\n");
        telex_ua_answer(s->ua, w->m.handle, 500);
    }
    l->child = -1;
    free(w);
    start_next(s);
}

/* --- what the agent tells --- */

static void on_message(void *context, const struct telex_incoming *m)
{
    struct telex_session *s = context;
    struct listening *l = s->context;
    if (l->over) {
        telex_ua_answer(s->ua, m->handle, 500);
    } else if (!l->options->exec) {
        take(s, m);
    } else {
        struct waiting *w = waiting_new(m);
        if (!w) {
            telex_ua_answer(s->ua, m->handle, 500);
            return;
        }
        list_push_back(&l->queue, &w->node);
        start_next(s);
    }
}

static void on_registration(void *context, const struct telex_registration *r)
{
    static const char *const names[] = {[TELEX_REGISTERED] = "registered",
                                        [TELEX_UNREGISTERED] = "unregistered",
                                        [TELEX_REGISTER_REFUSED] = "refused",
                                        [TELEX_REGISTER_WAITING] = "waiting"};
    struct telex_session *s = context;
    struct listening *l = s->context;
    if (r->state == TELEX_REGISTER_REFUSED) {
        l->code = TELEX_EXIT_REFUSED;
        l->over = true;
    }
    if (l->options->json) {
        json_t *event = json_object();
        json_object_set_new(event, "event", json_string(names[r->state]));
        json_object_set_new(event, "account", telex_print_string(s->account.uri));
        json_object_set_new(event, "status", json_integer(r->status));
        json_object_set_new(event, "reason", telex_print_string(r->status ? r->reason : s->host.trouble));
        json_object_set_new(event, "seconds", json_integer(r->seconds));
        if (!telex_print_json(event))
            l->over = true;
        return;
    }
    fprintf(stderr, "%s: %s", s->account.uri, names[r->state]);
    if (r->state == TELEX_REGISTER_REFUSED || r->state == TELEX_REGISTER_WAITING) {
        fprintf(stderr, " (%u ", r->status);
        telex_print_text(stderr, slice_str(r->status ? r->reason : s->host.trouble), NULL);
        fprintf(stderr, ")");
    }
    fprintf(stderr, "\n");
}

static void leave(struct telex_session *s)
{
    struct listening *l = s->context;
    if (l->child >= 0)
        close(l->child); /* it goes on; its message stays with the server */
    free(l->current);
    for (struct list_node *n; (n = list_pop_front(&l->queue));)
        free(CONTAINER_OF(n, struct waiting, node));
}

static int run(const struct telex_options *options)
{
    static const struct telex_ua_callbacks hears = {.registration = on_registration, .message = on_message};
    static const struct telex_session_wants wants = {.instance = true};
    static struct telex_session session;
    struct listening l = {.options = options, .child = -1};
    list_init(&l.queue);
    if (options->rest_count > 0)
        return telex_options_wrong("listen", "expected no argument, not \"%s\"", options->rest[0]);
    int code = telex_session_open(&session, "listen", options, &wants, &hears, &l);
    if (code != TELEX_EXIT_OK)
        return code;
    telex_host_catch_signals();
    telex_ua_register(session.ua, options->expires_s);
    while (!l.over && !telex_host_interrupted()) {
        struct pollfd child = {.fd = l.child, .events = POLLIN};
        telex_host_turn(&session.host, &child, 1, -1);
        if (child.revents && child.fd == l.child)
            child_ended(&session);
    }
    l.over = true;
    if (l.code != TELEX_EXIT_REFUSED)
        telex_session_sign_off(&session); /* the last answers leave with it */
    leave(&session);
    telex_session_close(&session);
    return l.code;
}

const struct telex_command telex_listen_command = {
    .name = "listen",
    .options = "fsTpjenx",
    .synopsis = "[OPTIONS]",
    .summary = "registers and prints what arrives",
    .details =
        "\nA message is answered 200 only after its line was written, or after the --exec command ended with 0; "
        "else\nthe server keeps it and tries again. The command sees TELEX_FROM, TELEX_TO, TELEX_MESSAGE_ID and\n"
        "TELEX_CONTENT_TYPE; it runs for one message at a time.\n"
        "\nWith --json each line is one object; \"event\" is message, registered, waiting or refused. A message's\n"
        "body is \"text\", or \"base64\" where it is not UTF-8.\n"
        "\nExit codes: 0 ended by you or after --count messages, 1 trouble at this end, 4 the server refuses the "
        "account.\n",
    .example = "  telex listen --json | jq -r 'select(.event==\"message\") | .from + \": \" + .text'\n"
               "  telex listen --exec 'tee -a inbox.txt'\n",
    .run = run,
};
