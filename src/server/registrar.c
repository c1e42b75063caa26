/* A REGISTER's way: arrival worker -> home -> store -> memory -> 200. One per account at a time is being committed, so
 * that each is decided against what the one before it left. */
#include "server/registrar.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "server/drain.h"
#include "server/home.h"
#include "server/keepalive.h"
#include "server/location.h"
#include "server/mailbox.h"
#include "server/register_answer.h"
#include "server/register_change.h"
#include "sip/build.h"

/* What one REGISTER may need: copies of its texts and rows for an account's bindings. */
#define ARENA_MAX (256u * 1024)

struct registration {
    struct mesh_post post;
    struct registration *next; /* of the same account */
    struct server *home;
    struct account *account; /* NULL once it is gone */
    int64_t account_id;
    struct packet *packet;
    struct flow flow;
    struct txn_id txn;
    bool is_submitted, is_answered;
    struct timer deadline; /* C13 */
    struct arena arena;
    struct register_request request;
    struct register_change change;
    struct store_request store;
    size_t aor_len;
    char aor[];
};

bool registrar_is_busy(const struct account *a)
{
    return a->registers != NULL;
}

static void registration_free(struct registration *r)
{
    if (timer_is_set(&r->deadline)) /* after registrar_stop `home` may be gone */
        timer_wheel_cancel(r->home->wheel, &r->deadline);
    packet_unref(&r->packet);
    arena_deinit(&r->arena);
    free(r);
}

static void answer(struct registration *r, uint16_t status, const char *reason, struct slice headers)
{
    const struct answer a = {.status = status, .reason = slice_str(reason), .headers = headers};
    if (r->is_answered)
        return;
    r->is_answered = true;
    server_answer(r->home, r->txn, &a);
}

/* C13: the store is slow or refused. */
static void answer_unavailable(struct registration *r)
{
    struct buf b;
    buf_init(&b, 64);
    build_header_number(&b, HEADER_RETRY_AFTER, LIMIT_RETRY_AFTER_S);
    answer(r, 503, NULL, buf_ok(&b) ? buf_slice(&b) : SLICE_NONE);
    buf_deinit(&b);
}

static void answer_ok(struct registration *r)
{
    struct buf b;
    buf_init(&b, REGISTER_ANSWER_MAX);
    register_answer_ok(&b, r->account, &r->request);
    if (buf_ok(&b))
        answer(r, 200, NULL, buf_slice(&b));
    else
        answer(r, 500, NULL, SLICE_NONE);
    buf_deinit(&b);
}

static void answer_refusal(struct registration *r, const struct register_fault *fault)
{
    struct buf b;
    if (fault->status == 403)
        LOG(LOG_INFO, "register-refused", LOG_FIELD("account", slice_make(r->aor, r->aor_len)),
            LOG_FIELD("reason", slice_str(fault->reason)), LOG_FIELD("call_id", r->request.call_id));
    buf_init(&b, 64);
    register_answer_refusal(&b, r->home->config, fault->status);
    answer(r, fault->status, fault->reason, buf_ok(&b) ? buf_slice(&b) : SLICE_NONE);
    buf_deinit(&b);
}

/* --- what was committed becomes true in memory --- */

static void apply_ends(struct account *a, const struct register_change *c)
{
    for (size_t i = 0; i < c->removed_count; i++) {
        struct binding *b = location_find_binding(a, c->removed[i].contact, c->removed[i].call_id);
        if (b)
            location_remove_binding(b);
    }
    for (size_t i = 1; i < STORE_DEVICES_MAX; i++) {
        struct device *d = a->devices[i];
        if (!d || !(c->leaving & 1u << i))
            continue;
        mailbox_device_leaves(d);
        location_remove_device(d);
    }
}

static bool apply_device(struct account *a, const struct register_change *c, const struct store_device *row)
{
    uint32_t bit = 1u << row->number;
    struct device *d = a->devices[row->number];
    if (c->joining & bit) {
        d = location_add_device(a, row);
        if (!d)
            return false;
        mailbox_device_joined(d);
        return true;
    }
    if (d && c->anew & bit) {
        d->reads_no_messages = false;
        free((void *)(uintptr_t)d->features.ptr);
        d->features = SLICE_NONE;
    }
    if (d)
        location_seen(d, row->seen_ms);
    return true;
}

/* The texts of `removed` live in the bindings that this frees, so each is looked up before its own goes. */
static bool apply(struct account *a, const struct register_change *c)
{
    bool ok = true;
    apply_ends(a, c);
    for (size_t i = 0; i < c->device_count; i++)
        ok = apply_device(a, c, &c->devices[i]) && ok;
    for (size_t i = 0; i < c->binding_count; i++) {
        struct device *d = a->devices[c->bindings[i].device];
        struct binding *b = d ? location_add_binding(d, &c->bindings[i]) : NULL;
        if (b)
            keepalive_start(b);
        ok = b && ok;
    }
    return ok;
}

static void tell_drains(struct account *a, uint32_t registered)
{
    for (size_t i = 1; i < STORE_DEVICES_MAX; i++)
        if (a->devices[i] && registered & 1u << i)
            drain_registered(a->devices[i]);
}

/* --- the account's queue --- */

static void stored(struct store_request *request);

/* True when it waits for the store; false when it was answered. */
static bool begin(struct registration *r)
{
    struct message m;
    struct message_fault message_fault;
    struct register_fault fault;
    struct server *s = r->home;
    bool path_is_believed = auth_is_trusted(s->config, &r->flow.remote) || auth_is_relay(s->config, &r->flow.remote);
    int result = message_parse(packet_slice(r->packet), &m, &message_fault);
    if (result == ERR_NONE)
        result = register_request_parse(s->config, &m, &r->flow, path_is_believed, &r->arena, &r->request, &fault);
    else
        fault = (struct register_fault){message_fault.status, message_fault.reason};
    if (result == ERR_NONE)
        result = register_change_make(r->account, &r->request, &r->arena, &r->change, &fault);
    if (result == ERR_MALFORMED)
        answer_refusal(r, &fault);
    else if (result != ERR_NONE)
        answer_unavailable(r);
    else if (register_change_is_empty(&r->change))
        answer_ok(r);
    if (r->is_answered)
        return false;
    r->store = (struct store_request){.op = STORE_REGISTER, .worker = s->worker, .account = r->account_id};
    r->store.done = stored;
    r->store.reg.devices = r->change.devices;
    r->store.reg.device_count = r->change.device_count;
    r->store.reg.forgotten = r->change.forgotten;
    r->store.reg.forgotten_count = r->change.forgotten_count;
    r->store.reg.bindings = r->change.bindings;
    r->store.reg.binding_count = r->change.binding_count;
    r->store.reg.removed = r->change.removed;
    r->store.reg.removed_count = r->change.removed_count;
    r->is_submitted = true;
    store_submit(s->store, &r->store);
    return true;
}

/* Begins those at the head of the queue until one waits for the store. */
static void run_queue(struct account *a)
{
    while (a->registers && !a->registers->is_submitted) {
        struct registration *r = a->registers;
        if (begin(r))
            return;
        a->registers = r->next;
        registration_free(r);
    }
    if (!a->registers)
        location_schedule_expiry(a);
}

static void stored(struct store_request *request)
{
    struct registration *r = CONTAINER_OF(request, struct registration, store);
    struct account *a = r->account;
    if (!a) {
        registration_free(r); /* deleted meanwhile; already answered */
        return;
    }
    a->registers = r->next;
    /* C9: one given up on that was committed anyway counts. */
    if (request->result == ERR_NONE) {
        bool was_answered = r->is_answered;
        if (apply(a, &r->change)) {
            answer_ok(r);
        } else {
            answer_unavailable(r);
        }
        if (!was_answered)
            tell_drains(a, r->change.registered);
    } else {
        if (!r->is_answered)
            LOG(LOG_WARN, "register-not-stored", LOG_FIELD("account", slice_make(r->aor, r->aor_len)),
                LOG_FIELD("error", slice_str(err_text(request->result))));
        answer_unavailable(r);
    }
    registration_free(r);
    run_queue(a);
}

static void too_late(struct timer *t)
{
    struct registration *r = CONTAINER_OF(t, struct registration, deadline);
    answer_unavailable(r);
    if (r->is_submitted) {
        store_withdraw(r->home->store, &r->store);
        return;
    }
    struct registration **at = &r->account->registers;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    registration_free(r);
}

static void enqueue(struct registration *r)
{
    struct registration **at = &r->account->registers;
    unsigned waiting = 0;
    for (; *at; at = &(*at)->next)
        waiting++;
    if (waiting > REGISTRAR_WAITING_MAX) {
        answer_unavailable(r);
        registration_free(r);
        return;
    }
    *at = r;
    timer_wheel_set_in(r->home->wheel, &r->deadline, LIMIT_DECIDE_MS);
    run_queue(r->account);
}

static void arrived_home(struct mesh_post *post, struct server *there)
{
    struct registration *r = CONTAINER_OF(post, struct registration, post);
    r->home = there;
    r->account = home_account(there, r->account_id, slice_make(r->aor, r->aor_len));
    if (r->account) {
        enqueue(r);
        return;
    }
    answer_unavailable(r);
    registration_free(r);
}

void registrar_receive(struct server *arrival, const struct incoming *in, struct txn_id txn, int64_t account,
                       struct slice aor)
{
    struct registration *r = calloc(1, sizeof *r + aor.len);
    if (!r) {
        server_answer(arrival, txn, &(struct answer){.status = 503});
        return;
    }
    r->home = arrival;
    r->account_id = account;
    r->packet = packet_ref(in->packet);
    r->flow = *in->flow;
    r->txn = txn;
    r->aor_len = aor.len;
    memcpy(r->aor, aor.ptr, aor.len);
    timer_init(&r->deadline, too_late);
    arena_init(&r->arena, ARENA_MAX);
    r->post.run = arrived_home;
    unsigned home = server_home_worker(arrival->shared, aor);
    if (home == arrival->worker)
        arrived_home(&r->post, arrival);
    else
        mesh_post(arrival->mesh, home, &r->post);
}

void registrar_stop(struct account *a, uint16_t status)
{
    struct registration *r;
    while ((r = a->registers)) {
        a->registers = r->next;
        if (status)
            answer(r, status, NULL, SLICE_NONE);
        r->account = NULL;
        timer_wheel_cancel(r->home->wheel, &r->deadline);
        if (!r->is_submitted)
            registration_free(r);
    }
}
