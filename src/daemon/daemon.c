/* The start, the signals and the end of telexd. See daemon.h. */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/control.h"
#include "daemon/notify.h"
#include "daemon/reload.h"
#include "store/sqlite/sqlite_store.h"

/* DESIGN §4: stopped within 5 s. What is in flight gets most of it: what came just before and finds a silent device is
 * stored after 4 s (C15) and then answered. What is cut off was not answered, so its sender repeats it. */
#define STOP_PATIENCE_MS 4300u
#define STOP_LOOK_MS     20u

static void fail(const char *what, const char *subject, const char *why)
{
    LOG(LOG_ERROR, "start-failed", LOG_FIELD("step", slice_str(what)), LOG_FIELD("at", slice_str(subject)),
        LOG_FIELD("error", slice_str(why)));
}

/* --- the store --- */

/* The built-in place is made with the folders around it; a place that somebody wrote down may be mistyped. */
static void make_parents(const struct config *c)
{
    char path[4096];
    if (!c->data_is_builtin || slice_to_cstr(slice_str(c->data), path, sizeof path) != ERR_NONE)
        return;
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        (void)mkdir(path, 0700);
        *p = '/';
    }
}

static enum daemon_exit open_store(struct daemon *d)
{
    const struct store_poster poster = workers_poster(d->workers);
    make_parents(d->config);
    int err = sqlite_store_open(d->config->data, &poster, &d->shared.store);
    switch (err) {
    case ERR_NONE:
        break;
    case ERR_EXISTS:
        fail("data", d->config->data, "another telexd holds this data folder");
        return DAEMON_EXIT_DATA_IN_USE;
    case ERR_NOT_FOUND:
        fail("data", d->config->data, "the folder around it is missing; make it, or name another one by --data");
        return DAEMON_EXIT_FAILED;
    case ERR_UNSUPPORTED:
        fail("data", d->config->data, "telex.db there was written by a later Telex, or is no file of Telex");
        return DAEMON_EXIT_FAILED;
    default:
        fail("data", d->config->data, err_text(err));
        return DAEMON_EXIT_FAILED;
    }
    err = store_secret(d->shared.store, SLICE("nonce"), d->shared.nonce_key);
    if (err == ERR_NONE)
        err = store_secret(d->shared.store, SLICE("duplicate"), d->shared.duplicate_secret);
    if (err != ERR_NONE)
        fail("data", d->config->data, err_text(err));
    return err == ERR_NONE ? DAEMON_EXIT_OK : DAEMON_EXIT_FAILED;
}

/* --- listening --- */

static enum daemon_exit listen_all(struct daemon *d)
{
    size_t listener = 0;
    int err = workers_listen(d->workers, &listener);
    if (err == ERR_NONE)
        return DAEMON_EXIT_OK;
    const char *why = err == ERR_EXISTS ? "another program listens there already"
                      : err == ERR_IO   ? strerror(errno)
                                        : err_text(err);
    struct buf text;
    buf_init(&text, 256);
    config_print_listener(d->config, listener, &text);
    buf_append_char(&text, '\0');
    fail("listen", buf_ok(&text) ? text.ptr : "", why);
    buf_deinit(&text);
    return DAEMON_EXIT_LISTEN;
}

static void log_ready(const struct daemon *d)
{
    struct buf listeners;
    buf_init(&listeners, 8192);
    for (size_t i = 0; i < d->config->listener_count; i++) {
        buf_append_str(&listeners, i ? " " : "");
        config_print_listener(d->config, i, &listeners);
    }
    LOG(LOG_INFO, "ready", LOG_FIELD("version", SLICE(TELEX_VERSION)), LOG_FIELD("listen", buf_slice(&listeners)),
        LOG_FIELD("data", slice_str(d->config->data)),
        LOG_FIELD("config", slice_str(d->config->file ? d->config->file : "built-in")));
    buf_deinit(&listeners);
}

/* --- signals --- */

static void look_whether_done(struct timer *t)
{
    struct daemon *d = CONTAINER_OF(t, struct daemon, stop_timer);
    bool over = loop_now_ms(d->loop) >= d->stop_deadline_ms;
    if (over || (workers_running(d->workers) == 0 && control_running(d->control) == 0))
        loop_stop(d->loop);
    else
        timer_wheel_set_in(loop_wheel(d->loop), t, STOP_LOOK_MS);
}

static void stop(struct daemon *d)
{
    if (d->stopping)
        return;
    d->stopping = true;
    notify_state("STOPPING=1");
    control_stop(d->control);
    workers_drain(d->workers);
    d->stop_deadline_ms = loop_now_ms(d->loop) + STOP_PATIENCE_MS;
    look_whether_done(&d->stop_timer);
}

static void on_signal(struct loop_io *io, uint32_t events)
{
    struct daemon *d = CONTAINER_OF(io, struct daemon, signals);
    struct signalfd_siginfo info;
    (void)events;
    while (read(io->fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP)
            reload_from_signal(d);
        else
            stop(d);
    }
}

/* Blocked before any thread starts, so that all of them leave signals to this descriptor. */
static int take_signals(struct daemon *d)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    int err = loop_io_add(d->loop, &d->signals, fd, EPOLLIN, on_signal);
    if (err != ERR_NONE)
        close(fd);
    return err;
}

/* A connection is a descriptor: as many as the system lets us have. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* --- start and end --- */

static int prepare(struct daemon *d)
{
    raise_descriptor_limit();
    (void)umask(077);
    d->shared.workers = d->config->server.workers;
    random_fill(random_system(), &d->shared.hash_key, sizeof d->shared.hash_key);
    int err = loop_new(clock_system(), &d->loop);
    if (err == ERR_NONE)
        err = take_signals(d);
    if (err == ERR_NONE)
        err = accounts_new(&d->shared.hash_key, &d->shared.accounts);
    if (err == ERR_NONE)
        err = workers_new(d->config, &d->shared, d->loop, &d->workers);
    if (err != ERR_NONE)
        fail("start", "threads and memory", err == ERR_IO ? strerror(errno) : err_text(err));
    return err;
}

/* The order of DESIGN §4. */
static enum daemon_exit start(struct daemon *d)
{
    if (prepare(d) != ERR_NONE)
        return DAEMON_EXIT_FAILED;
    enum daemon_exit code = open_store(d);
    if (code != DAEMON_EXIT_OK)
        return code;
    if (control_new(d, &d->control) != ERR_NONE) {
        fail("control socket", d->config->data, strerror(errno));
        return DAEMON_EXIT_FAILED;
    }
    code = listen_all(d);
    if (code != DAEMON_EXIT_OK)
        return code;
    int err = workers_load(d->workers);
    if (err == ERR_NONE)
        err = workers_start(d->workers);
    if (err != ERR_NONE) {
        fail("load", d->config->data, err_text(err));
        return DAEMON_EXIT_FAILED;
    }
    return DAEMON_EXIT_OK;
}

/* The store completes what is queued; its completions, and what they post, run here: no worker's thread does. */
static void settle(struct daemon *d)
{
    do {
        workers_settle(d->workers);
        loop_turn(d->loop, 0);
    } while (d->control && control_running(d->control));
    workers_settle(d->workers);
}

static void end(struct daemon *d)
{
    if (d->control)
        control_stop(d->control);
    if (d->workers)
        workers_stop(d->workers);
    if (d->shared.store)
        store_close(d->shared.store);
    if (d->workers)
        settle(d);
    control_free(d->control);
    workers_free(d->workers);
    accounts_free(d->shared.accounts);
    if (d->loop) {
        int fd = d->signals.fd;
        loop_io_del(d->loop, &d->signals);
        if (fd >= 0)
            close(fd);
        loop_free(d->loop);
    }
    config_free(d->config);
    explicit_bzero(&d->shared, sizeof d->shared);
}

enum daemon_exit daemon_run(struct config *config, const char *data)
{
    struct daemon d = {.config = config, .data = data};
    loop_io_init(&d.signals);
    timer_init(&d.stop_timer, look_whether_done);
    enum daemon_exit code = start(&d);
    if (code == DAEMON_EXIT_OK) {
        d.started_ms = loop_now_ms(d.loop);
        log_ready(&d);
        notify_state("READY=1");
        loop_run(d.loop);
    }
    end(&d);
    return code;
}
