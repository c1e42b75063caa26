/* Sessions of the control socket: lines in, calls, lines out. See control.h. */
#include "daemon/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/control_path.h"
#include "daemon/control_private.h"

/* One read; what does not fit is read in the next turn. */
#define READ_BYTES 65536u

struct control {
    struct daemon *daemon;
    struct loop_io listener;
    struct sockaddr_un name;
    int folder;
    struct list sessions, calls;
    size_t session_count, call_count;
    bool stopping;
};

struct control_session {
    struct list_node node;
    struct loop_dead dead;
    struct control *control;
    struct loop_io io;
    struct buf in, out;
    size_t sent; /* of out */
    struct control_call *call;
    bool ended; /* the peer sends no more */
};

/* --- sessions --- */

static void free_session(struct loop_dead *dead)
{
    free(CONTAINER_OF(dead, struct control_session, dead));
}

static void close_session(struct control_session *s)
{
    struct loop *loop = s->control->daemon->loop;
    int fd = s->io.fd;
    if (s->call)
        s->call->session = NULL;
    loop_io_del(loop, &s->io);
    close(fd);
    list_remove(&s->node);
    s->control->session_count--;
    buf_deinit(&s->in);
    buf_deinit(&s->out);
    loop_bury(loop, &s->dead, free_session);
}

/* Reads while no call runs, writes while something waits; what comes meanwhile stays in the socket. A request that was
 * read already, or the end, is taken up in the next turn: then the socket is ready to be written. */
static void choose_events(struct control_session *s)
{
    uint32_t events = 0;
    if (s->sent < s->out.len)
        events = EPOLLOUT;
    else if (!s->call)
        events = s->ended || slice_find(buf_slice(&s->in), '\n') >= 0 ? EPOLLOUT : EPOLLIN;
    (void)loop_io_set(s->control->daemon->loop, &s->io, events);
}

/* False: the session was closed. */
static bool flush(struct control_session *s)
{
    while (s->sent < s->out.len) {
        ssize_t n = send(s->io.fd, s->out.ptr + s->sent, s->out.len - s->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n < 0) {
            close_session(s);
            return false;
        }
        s->sent += (size_t)n;
    }
    buf_deinit(&s->out); /* an answer may have been large */
    s->sent = 0;
    return true;
}

static void begin(struct control_session *s, json_t *request)
{
    struct control_call *call = calloc(1, sizeof *call);
    if (!call) {
        json_decref(request);
        close_session(s);
        return;
    }
    call->control = s->control;
    call->daemon = s->control->daemon;
    call->session = s;
    call->request = request;
    s->call = call;
    list_push_back(&s->control->calls, &call->node);
    s->control->call_count++;
    const char *name = json_string_value(json_object_get(request, "command"));
    const struct control_command *command = name ? control_table_find(name) : NULL;
    if (s->control->stopping)
        control_refuse(call, "telexd is stopping");
    else if (!command)
        control_refuse(call, "unknown command \"%s\"", name ? name : "");
    else
        command->run(call);
}

/* The next whole line, if there is one, becomes a call. */
static void next_request(struct control_session *s)
{
    ptrdiff_t end = slice_find(buf_slice(&s->in), '\n');
    if (end < 0) {
        if (s->ended || s->in.len >= CONTROL_REQUEST_MAX)
            close_session(s);
        else
            choose_events(s);
        return;
    }
    json_error_t fault;
    json_t *request = json_loadb(s->in.ptr, (size_t)end, 0, &fault);
    /* A line may carry a password. */
    explicit_bzero(s->in.ptr, (size_t)end);
    buf_consume(&s->in, (size_t)end + 1);
    begin(s, request); /* not JSON: a call without a command */
}

static void ready(struct loop_io *io, uint32_t events)
{
    struct control_session *s = CONTAINER_OF(io, struct control_session, io);
    if (events & (EPOLLERR | EPOLLHUP)) {
        close_session(s);
        return;
    }
    if (events & EPOLLOUT && !flush(s))
        return;
    if (events & EPOLLIN && !s->call) {
        size_t room = CONTROL_REQUEST_MAX - s->in.len;
        size_t before = s->in.len;
        char *into = buf_extend(&s->in, room < READ_BYTES ? room : READ_BYTES);
        ssize_t n = into ? recv(io->fd, into, s->in.len - before, MSG_DONTWAIT) : 0;
        s->in.len = before + (n > 0 ? (size_t)n : 0);
        if (n == 0)
            s->ended = true;
    }
    if (!s->call && s->sent == s->out.len)
        next_request(s);
    else
        choose_events(s);
}

static void accept_session(struct loop_io *io, uint32_t events)
{
    struct control *c = CONTAINER_OF(io, struct control, listener);
    (void)events;
    int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct control_session *s = c->session_count < CONTROL_SESSIONS_MAX ? calloc(1, sizeof *s) : NULL;
    if (s) {
        loop_io_init(&s->io);
        if (loop_io_add(c->daemon->loop, &s->io, fd, EPOLLIN, ready) != ERR_NONE) {
            free(s);
            s = NULL;
        }
    }
    if (!s) {
        static const char busy[] = "{\"ok\":false,\"error\":\"telexd serves as many telexctl as it can; try again\"}\n";
        (void)send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        close(fd);
        return;
    }
    s->control = c;
    buf_init(&s->in, CONTROL_REQUEST_MAX);
    buf_init(&s->out, CONTROL_ANSWER_MAX);
    list_push_back(&c->sessions, &s->node);
    c->session_count++;
}

/* --- calls --- */

bool control_is_stopping(const struct control_call *call)
{
    return call->control->stopping;
}

static int append_json(const char *text, size_t len, void *into)
{
    buf_append(into, slice_make(text, len));
    return 0;
}

static void append_line(struct control_call *call, json_t *line)
{
    if (call->session && line) {
        (void)json_dump_callback(line, append_json, &call->session->out, JSON_COMPACT);
        buf_append_char(&call->session->out, '\n');
    } else if (call->session) {
        call->session->out.failed = true;
    }
    json_decref(line);
}

void control_item(struct control_call *call, json_t *item)
{
    append_line(call, item ? json_pack("{s:o}", "item", item) : NULL);
}

static void finish(struct control_call *call, json_t *line)
{
    struct control_session *s = call->session;
    append_line(call, line);
    list_remove(&call->node);
    call->control->call_count--;
    json_decref(call->request);
    free(call);
    if (!s)
        return;
    s->call = NULL;
    if (!buf_ok(&s->out)) {
        buf_deinit(&s->out);
        buf_append_str(&s->out, "{\"ok\":false,\"error\":\"the answer is too large, or there is no memory for it\"}\n");
    }
    if (flush(s))
        choose_events(s);
}

void control_ok(struct control_call *call, json_t *fields)
{
    json_t *line = fields ? fields : json_object();
    if (line && json_object_set_new(line, "ok", json_true()) != 0) {
        json_decref(line);
        line = NULL;
    }
    finish(call, line);
}

void control_refuse(struct control_call *call, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    finish(call, json_pack("{s:b,s:o}", "ok", 0, "error", control_json_text(slice_str(text))));
}

struct slice control_text(const struct control_call *call, const char *key)
{
    const json_t *value = json_object_get(call->request, key);
    return slice_make(json_string_value(value), json_string_length(value));
}

uint64_t control_number(const struct control_call *call, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(call->request, key));
    return n > 0 ? (uint64_t)n : 0;
}

json_t *control_json_text(struct slice s)
{
    json_t *text = json_stringn(s.ptr ? s.ptr : "", s.len);
    if (text)
        return text;
    struct buf b;
    buf_init(&b, s.len * 3 + 1);
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < 0x80)
            buf_append_char(&b, s.ptr[i]);
        else
            buf_append_str(&b, "\xEF\xBF\xBD");
    }
    text = json_stringn(b.ptr ? b.ptr : "", b.len);
    buf_deinit(&b);
    return text;
}

/* --- the socket --- */

static int listen_at(struct control *c)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ERR_IO;
    /* What is there is stale: whoever would listen there holds the folder's lock. */
    (void)unlink(c->name.sun_path);
    if (bind(fd, (struct sockaddr *)&c->name, sizeof c->name) != 0 || chmod(c->name.sun_path, 0600) != 0 ||
        listen(fd, (int)CONTROL_SESSIONS_MAX) != 0 ||
        loop_io_add(c->daemon->loop, &c->listener, fd, EPOLLIN, accept_session) != ERR_NONE) {
        int saved = errno;
        close(fd);
        errno = saved;
        return ERR_IO;
    }
    return ERR_NONE;
}

int control_new(struct daemon *daemon, struct control **ret)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NO_MEMORY;
    c->daemon = daemon;
    c->folder = -1;
    loop_io_init(&c->listener);
    list_init(&c->sessions);
    list_init(&c->calls);
    int err = control_path_make(daemon->config->data, &c->name, &c->folder);
    if (err == ERR_NONE)
        err = listen_at(c);
    if (err != ERR_NONE) {
        if (c->folder >= 0)
            close(c->folder);
        free(c);
        return err == ERR_NOT_FOUND ? ERR_IO : err;
    }
    *ret = c;
    return ERR_NONE;
}

void control_stop(struct control *c)
{
    int fd = c->listener.fd;
    c->stopping = true;
    if (fd < 0)
        return;
    loop_io_del(c->daemon->loop, &c->listener);
    close(fd);
    (void)unlink(c->name.sun_path);
}

size_t control_running(const struct control *c)
{
    return c->call_count;
}

void control_free(struct control *c)
{
    if (!c)
        return;
    LIST_EACH (n, &c->sessions)
        close_session(CONTAINER_OF(n, struct control_session, node));
    control_stop(c);
    if (c->folder >= 0)
        close(c->folder);
    free(c);
}
