/* See control_walk.h. A home is asked for a few hundred accounts at a time, so that its other work never waits long. */
#include "daemon/control_walk.h"

#include <stdlib.h>

#include "base/err.h"
#include "daemon/control_put.h"

#define CHUNK 256u
/* Names of accounts: as much as an answer may hold. */
#define TEXTS_MAX CONTROL_ANSWER_MAX

/* --- the accounts --- */

struct copying {
    struct control_accounts *all;
    size_t room;
    bool failed;
};

/* While copying, a slice holds an offset: the buffer moves. */
static void copy_account(void *context, int64_t id, struct slice aor, struct slice name)
{
    struct copying *c = context;
    struct control_accounts *all = c->all;
    if (all->count == c->room) {
        size_t room = c->room ? c->room * 2 : 1024;
        struct control_account *grown = realloc(all->rows, room * sizeof *grown);
        if (!grown) {
            c->failed = true;
            return;
        }
        all->rows = grown;
        c->room = room;
    }
    struct control_account *row = &all->rows[all->count++];
    row->id = id;
    row->aor.len = aor.len;
    row->name.len = name.len;
    buf_append(&all->texts, aor);
    buf_append(&all->texts, name);
}

static int compare(const void *a, const void *b)
{
    return slice_compare(((const struct control_account *)a)->aor, ((const struct control_account *)b)->aor);
}

int control_walk_accounts(struct daemon *d, struct control_accounts *ret)
{
    struct copying c = {.all = ret};
    *ret = (struct control_accounts){0};
    buf_init(&ret->texts, TEXTS_MAX);
    accounts_each(d->shared.accounts, copy_account, &c);
    if (c.failed || !buf_ok(&ret->texts)) {
        control_walk_free(ret);
        return ERR_NO_MEMORY;
    }
    const char *at = ret->texts.ptr;
    for (size_t i = 0; i < ret->count; i++) {
        ret->rows[i].aor.ptr = at;
        at += ret->rows[i].aor.len;
        ret->rows[i].name.ptr = at;
        at += ret->rows[i].name.len;
    }
    if (ret->count)
        qsort(ret->rows, ret->count, sizeof *ret->rows, compare);
    return ERR_NONE;
}

void control_walk_free(struct control_accounts *all)
{
    free(all->rows);
    buf_deinit(&all->texts);
    *all = (struct control_accounts){0};
}

int control_walk_named(struct control_call *call, struct buf *aor, int64_t *ret_id)
{
    struct slice account = control_text(call, "account");
    char why[192];
    if (!slice_is_set(account))
        return ERR_NOT_FOUND;
    if (control_put_aor(call->daemon, account, aor, why, sizeof why) != ERR_NONE) {
        control_refuse(call, "%s", why);
        return ERR_MALFORMED;
    }
    if (!accounts_id(call->daemon->shared.accounts, buf_slice(aor), ret_id)) {
        control_refuse(call, "there is no account %.*s", SLICE_ARG(buf_slice(aor)));
        return ERR_MALFORMED;
    }
    return ERR_NONE;
}

/* --- their homes --- */

struct chunk {
    struct server_shared *shared;
    json_t *(*visit)(struct server *home, const struct control_account *account);
    const struct control_account *rows;
    size_t count;
    json_t *found[CHUNK];
};

static void visit_chunk(void *context, unsigned worker, struct server *server, struct net *net)
{
    struct chunk *c = context;
    (void)net;
    for (size_t i = 0; i < c->count; i++)
        if (server_home_worker(c->shared, c->rows[i].aor) == worker)
            c->found[i] = c->visit(server, &c->rows[i]);
}

static void walk(struct control_call *call, const struct control_account *rows, size_t count,
                 json_t *(*visit)(struct server *home, const struct control_account *account))
{
    for (size_t at = 0; at < count; at += CHUNK) {
        struct chunk c = {.shared = &call->daemon->shared, .visit = visit, .rows = rows + at};
        c.count = count - at < CHUNK ? count - at : CHUNK;
        workers_visit(call->daemon->workers, visit_chunk, &c);
        for (size_t i = 0; i < c.count; i++) {
            for (size_t k = 0; k < json_array_size(c.found[i]); k++)
                control_item(call, json_incref(json_array_get(c.found[i], k)));
            json_decref(c.found[i]);
        }
    }
}

void control_walk(struct control_call *call,
                  json_t *(*visit)(struct server *home, const struct control_account *account))
{
    struct control_account one = {0};
    struct control_accounts all = {0};
    struct buf aor;
    buf_init(&aor, CONTROL_AOR_MAX);
    int named = control_walk_named(call, &aor, &one.id);
    if (named == ERR_NONE) {
        one.aor = buf_slice(&aor);
        walk(call, &one, 1, visit);
        control_ok(call, NULL);
    } else if (named == ERR_NOT_FOUND && control_walk_accounts(call->daemon, &all) == ERR_NONE) {
        walk(call, all.rows, all.count, visit);
        control_ok(call, NULL);
    } else if (named == ERR_NOT_FOUND) {
        control_refuse(call, "out of memory");
    }
    control_walk_free(&all);
    buf_deinit(&aor);
}
