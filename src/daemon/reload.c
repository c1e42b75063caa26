/* See reload.h. */
#include "daemon/reload.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/notify.h"

/* What cannot change while it runs stays as it is. */
static int keep_what_runs(struct config *c, const struct config *running, unsigned *ret_left_out)
{
    bool listeners_differ;
    int err = config_keep_listeners(c, running, &listeners_differ);
    if (err != ERR_NONE)
        return err;
    *ret_left_out = listeners_differ ? RELOAD_LISTEN : 0;
    if (c->server.workers != running->server.workers)
        *ret_left_out |= RELOAD_WORKERS;
    c->server.workers = running->server.workers;
    if (!slice_eq(slice_str(c->data), slice_str(running->data))) {
        *ret_left_out |= RELOAD_DATA;
        c->data = arena_copy(&c->arena, slice_make(running->data, strlen(running->data) + 1)).ptr;
    }
    return c->data ? ERR_NONE : ERR_NO_MEMORY;
}

int reload_run(struct daemon *d, unsigned *ret_left_out, char **ret_message)
{
    struct config *c;
    int err = config_load(d->config->file, d->data, &c, ret_message);
    if (err != ERR_NONE)
        return err;
    err = keep_what_runs(c, d->config, ret_left_out);
    if (err != ERR_NONE) {
        config_free(c);
        *ret_message = strdup(err_text(err));
        return err;
    }
    struct config *old = d->config;
    d->config = c;
    workers_set_config(d->workers, c);
    config_free(old);
    return ERR_NONE;
}

void reload_append_left_out(struct buf *out, unsigned left_out)
{
    static const char *const names[] = {"listen", "workers", "data"};
    const char *separator = "";
    for (unsigned i = 0; i < 3; i++) {
        if (!(left_out & (1u << i)))
            continue;
        buf_printf(out, "%s%s", separator, names[i]);
        separator = ", ";
    }
}

void reload_from_signal(struct daemon *d)
{
    unsigned left_out = 0;
    char *message = NULL;
    struct buf text;
    notify_reloading();
    buf_init(&text, 64);
    if (reload_run(d, &left_out, &message) == ERR_NONE) {
        reload_append_left_out(&text, left_out);
        LOG(LOG_INFO, "reloaded", LOG_FIELD("needs_restart", text.len ? buf_slice(&text) : SLICE_NONE));
    } else {
        for (char *p = message; p && *p; p++) /* an event is one line */
            *p = *p == '\n' ? ' ' : *p;
        LOG(LOG_ERROR, "reload-failed", LOG_FIELD("error", slice_str(message)));
    }
    free(message);
    buf_deinit(&text);
    notify_state("READY=1");
}
