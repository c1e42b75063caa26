/* The echo service: see echo.h. */
#include "server/echo.h"

#include "base/err.h"
#include "server/delivery.h"
#include "sip/content_type.h"
#include "sip/cpim.h"

bool echo_is_user(const struct uri *u)
{
    return slice_eq_nocase(u->user, SLICE("echo"));
}

static void deliver(struct mesh_post *post, struct server *there)
{
    delivery_start(there, CONTAINER_OF(post, struct letter, post));
}

/* What to write back; false: nothing (typing notices, receipts). A CPIM message is answered with its inner part. */
static bool choose_text(const struct message *m, struct slice *ret_type, struct slice *ret_body)
{
    struct content_type type;
    struct cpim cpim;
    size_t fault;
    *ret_type = message_value(m, HEADER_CONTENT_TYPE);
    *ret_body = m->body;
    if (!ret_type->len)
        return true;
    if (content_type_parse(*ret_type, &type, &fault) < 0 || slice_is_set(message_value(m, HEADER_CONTENT_ENCODING)))
        return false;
    if (content_type_is(&type, SLICE("message"), SLICE("cpim")) && cpim_parse(m->body, &cpim, &fault) == ERR_NONE) {
        *ret_type = cpim.content_type;
        *ret_body = cpim.body;
        if (content_type_parse(*ret_type, &type, &fault) < 0)
            return false;
    }
    return !content_type_is(&type, SLICE("message"), SLICE("imdn+xml")) &&
           !content_type_is(&type, SLICE("application"), SLICE("im-iscomposing+xml"));
}

void echo_receive(struct server *s, const struct incoming *in, struct txn_id txn, const struct auth_result *sender,
                  struct slice aor)
{
    const struct answer ok = {.status = 200};
    struct letter_own own = {
        .from = aor, .to = slice_make(sender->sender, sender->sender_len), .account = sender->account};
    s->counters.delivered++;
    server_answer(s, txn, &ok);
    if (!sender->account || !choose_text(in->message, &own.content_type, &own.body))
        return;
    struct letter *l = letter_new_own(s, &own);
    if (!l)
        return;
    l->post.run = deliver;
    mesh_post(s->mesh, server_home_worker(s->shared, l->recipient), &l->post);
}
