/* user add, user list, user del. */
#include "daemon/control_user.h"

#include <stdlib.h>

#include "base/err.h"
#include "daemon/control_put.h"

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
