/* user add, user list, user del. */
#include "daemon/control_user.h"

#include <stdlib.h>

#include "base/err.h"
#include "daemon/control_put.h"
#include "daemon/control_walk.h"
#include "server/admin.h"

/* --- add --- */

struct addition {
    struct control_put put;
    struct control_call *call;
};

static void on_added(struct control_put *p)
{
    struct addition *a = CONTAINER_OF(p, struct addition, put);
    if (p->request.result == ERR_NONE)
        control_ok(a->call, json_pack("{s:o,s:s}", "account", control_json_text(buf_slice(&p->aor)), "change",
                                      p->existed ? "changed" : "added"));
    else
        control_refuse(a->call, "%s", p->why);
    control_put_deinit(p);
    free(a);
}

void control_user_add(struct control_call *call)
{
    const struct control_wish wish = {
        .account = control_text(call, "account"),
        .password = control_text(call, "password"),
        .name = control_text(call, "name"),
        .digest = control_text(call, "digest"),
    };
    struct addition *a = calloc(1, sizeof *a);
    if (!a) {
        control_refuse(call, "out of memory");
        return;
    }
    a->call = call;
    if (control_put_init(&a->put, call->daemon, &wish) != ERR_NONE) {
        control_refuse(call, "%s", a->put.why);
        control_put_deinit(&a->put);
        free(a);
        return;
    }
    a->put.done = on_added;
    control_put_submit(&a->put);
}

/* --- list --- */

void control_user_list(struct control_call *call)
{
    struct control_accounts all;
    if (control_walk_accounts(call->daemon, &all) != ERR_NONE) {
        control_refuse(call, "out of memory");
        return;
    }
    for (size_t i = 0; i < all.count; i++)
        control_item(call, json_pack("{s:o,s:o}", "account", control_json_text(all.rows[i].aor), "name",
                                     control_json_text(all.rows[i].name)));
    control_walk_free(&all);
    control_ok(call, NULL);
}

/* --- del --- */

/* The home could not forget yet: a REGISTER is on its way to the store. */
#define FORGET_AGAIN_MS 20u

struct deletion {
    struct store_request request;
    struct control_call *call;
    struct buf aor;
    struct timer again;
    bool forgotten;
};

static void forget(void *context, unsigned worker, struct server *server, struct net *net)
{
    struct deletion *x = context;
    (void)worker;
    (void)net;
    x->forgotten = admin_forget(server, x->request.account);
}

static void end_deletion(struct deletion *x)
{
    if (x->request.result == ERR_NONE)
        control_ok(x->call, json_pack("{s:o}", "account", control_json_text(buf_slice(&x->aor))));
    else
        control_refuse(x->call, "%s", err_text(x->request.result));
    buf_deinit(&x->aor);
    free(x);
}

static void forget_at_home(struct timer *t)
{
    struct deletion *x = CONTAINER_OF(t, struct deletion, again);
    struct daemon *d = x->call->daemon;
    /* Memory ends with the process; the store has forgotten it. */
    if (!control_is_stopping(x->call)) {
        unsigned home = server_home_worker(&d->shared, buf_slice(&x->aor));
        workers_visit_one(d->workers, home, forget, x);
        if (!x->forgotten) {
            timer_wheel_set_in(loop_wheel(d->loop), t, FORGET_AGAIN_MS);
            return;
        }
    }
    end_deletion(x);
}

static void on_deleted(struct store_request *r)
{
    struct deletion *x = CONTAINER_OF(r, struct deletion, request);
    if (r->result != ERR_NONE) {
        end_deletion(x);
        return;
    }
    accounts_remove(x->call->daemon->shared.accounts, buf_slice(&x->aor));
    forget_at_home(&x->again);
}

void control_user_del(struct control_call *call)
{
    struct deletion *x = calloc(1, sizeof *x);
    if (!x) {
        control_refuse(call, "out of memory");
        return;
    }
    x->call = call;
    timer_init(&x->again, forget_at_home);
    buf_init(&x->aor, CONTROL_AOR_MAX);
    int named = control_walk_named(call, &x->aor, &x->request.account);
    if (named == ERR_NOT_FOUND)
        control_refuse(call, "expected an account");
    if (named != ERR_NONE) {
        buf_deinit(&x->aor);
        free(x);
        return;
    }
    x->request.op = STORE_ACCOUNT_DELETE;
    x->request.worker = workers_count(call->daemon->workers);
    x->request.done = on_deleted;
    store_submit(call->daemon->shared.store, &x->request);
}
