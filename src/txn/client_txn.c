/* Client transactions. RFC 3261 §17.1, by the rows of client_table.c. A branch names its slot, so responses are found
 * without a search. One timer serves E and F: it is set to the earlier. A finished one keeps its place for Timer K
 * with its bytes released, and yields it when places run short. */
#include "base/err.h"
#include "txn/branch.h"
#include "txn/client_table.h"
#include "txn/txn_private.h"

struct client_txn {
    struct slab_head slab;
    struct endpoint *endpoint;
    const struct client_user *user;
    void *context;
    struct timer timer;
    struct list_node link; /* one of flow_clients while it runs over a connection; completed_order afterwards */
    struct hop hop;        /* a target's text lies behind the head in `head` */
    struct packet *head;   /* request line, our Via, head fields, the target's host and TLS name */
    struct packet *tail;   /* NULL over reliable transports: nothing is sent twice */
    uint64_t random, loop_hash;
    uint64_t resend_ms, resend_at_ms; /* Timer E and when it fires; UINT64_MAX: never */
    uint64_t ends_ms;                 /* Timer F, in Completed Timer K */
    uint32_t head_len;
    uint32_t cseq;
    uint16_t method;
    uint8_t machine, state;
    bool reliable;
};

static void on_timer(struct timer *timer);
static void on_completed_timer(struct timer *timer);

int client_txn_init(struct endpoint *e)
{
    for (size_t i = 0; i < TXN_FLOW_LISTS; i++)
        list_init(&e->flow_clients[i]);
    list_init(&e->completed_order);
    timer_init(&e->completed_timer, on_completed_timer);
    return slab_init(&e->clients, sizeof(struct client_txn), e->config.client_txns_max);
}

static struct client_txn *oldest_completed(const struct endpoint *e)
{
    struct list_node *n = list_first(&e->completed_order);
    return n ? CONTAINER_OF(n, struct client_txn, link) : NULL;
}

/* Out of all lists and timers, its bytes let go; the record stays in use. */
static void quiet(struct client_txn *t)
{
    timer_wheel_cancel(t->endpoint->config.wheel, &t->timer);
    list_remove(&t->link);
    packet_unref(&t->head);
    packet_unref(&t->tail);
}

static void forget_completed(struct client_txn *t)
{
    struct endpoint *e = t->endpoint;
    list_remove(&t->link);
    e->completed_count--;
    slab_give(&e->clients, t);
}

void client_txn_deinit(struct endpoint *e)
{
    timer_wheel_cancel(e->config.wheel, &e->completed_timer);
    for (uint32_t slot = 0; slot < e->clients.made; slot++) {
        struct client_txn *t = slab_at(&e->clients, slot);
        if (t)
            quiet(t);
    }
    slab_deinit(&e->clients);
}

/* --- sending --- */

static struct list *list_of_flow(struct endpoint *e, const struct flow *f)
{
    return &e->flow_clients[f->slot % TXN_FLOW_LISTS];
}

/* Never 0, and not of the slot's next owner. */
static uint64_t token_of(const struct client_txn *t)
{
    return (uint64_t)t->slab.generation << 32 | t->slab.slot;
}

static enum link_result transmit(const struct client_txn *t, const struct packet *tail)
{
    struct slice parts[] = {slice_make(t->head->data, t->head_len), packet_slice(tail)};
    return link_send(t->endpoint->config.link, &t->hop, parts, sizeof parts / sizeof parts[0], token_of(t));
}

static void arm(struct client_txn *t)
{
    timer_wheel_set(t->endpoint->config.wheel, &t->timer, t->resend_at_ms < t->ends_ms ? t->resend_at_ms : t->ends_ms);
}

/* --- the machine --- */

struct step {
    enum client_event event;
    const struct incoming *in; /* a response's, else NULL */
};

static void provision(struct client_txn *t, const struct step *s)
{
    if (t->user->provisional)
        t->user->provisional(t->context, t, s->in->message);
}

/* It joins the completed ones after the callback only, or a transaction started there could take its place. */
static void finish(struct client_txn *t, const struct step *s)
{
    struct endpoint *e = t->endpoint;
    quiet(t);
    e->completed_count++;
    t->user->final(t->context, t, s->in->message, s->in->flow, s->in->packet);
    if (t->reliable) { /* Timer K is 0 */
        forget_completed(t);
        return;
    }
    t->ends_ms = e->config.wheel->now_ms + TXN_T4_MS;
    list_push_back(&e->completed_order, &t->link);
    if (!timer_is_set(&e->completed_timer))
        timer_wheel_set(e->config.wheel, &e->completed_timer, t->ends_ms);
}

static void absorb(struct client_txn *t, const struct step *s)
{
    (void)s;
    t->endpoint->counters.retransmissions++;
}

static void report(struct client_txn *t, enum client_failure why)
{
    quiet(t);
    t->user->failed(t->context, t, why);
    slab_give(&t->endpoint->clients, t);
}

static void report_timeout(struct client_txn *t, const struct step *s)
{
    (void)s;
    t->endpoint->counters.timeouts++;
    report(t, CLIENT_TIMEOUT);
}

static void report_transport(struct client_txn *t, const struct step *s)
{
    (void)s;
    t->endpoint->counters.send_failures++;
    report(t, CLIENT_TRANSPORT);
}

static void end(struct client_txn *t, const struct step *s)
{
    (void)s;
    forget_completed(t);
}

static bool step(struct client_txn *t, const struct step *s);

static void resend(struct client_txn *t, uint64_t interval_ms)
{
    t->resend_ms = interval_ms;
    t->resend_at_ms = t->endpoint->config.wheel->now_ms + interval_ms;
    arm(t);
    if (transmit(t, t->tail) == LINK_FAILED)
        step(t, &(struct step){.event = CLIENT_TRANSPORT_ERROR});
}

static void resend_double(struct client_txn *t, const struct step *s)
{
    (void)s;
    resend(t, t->resend_ms * 2 < TXN_T2_MS ? t->resend_ms * 2 : TXN_T2_MS);
}

static void resend_t2(struct client_txn *t, const struct step *s)
{
    (void)s;
    resend(t, TXN_T2_MS);
}

static void (*const actions[])(struct client_txn *, const struct step *) = {
    [CLIENT_RESEND_DOUBLE] = resend_double,
    [CLIENT_RESEND_T2] = resend_t2,
    [CLIENT_PROVISION] = provision,
    [CLIENT_FINISH] = finish,
    [CLIENT_ABSORB] = absorb,
    [CLIENT_REPORT_TIMEOUT] = report_timeout,
    [CLIENT_REPORT_TRANSPORT] = report_transport,
    [CLIENT_END] = end,
};

/* False: the machine has no such event. The record may be gone afterwards. */
static bool step(struct client_txn *t, const struct step *s)
{
    const struct client_row *row = client_table_find(t->machine, t->state, s->event);
    if (!row)
        return false;
    t->state = row->next;
    actions[row->action](t, s);
    return true;
}

static void on_timer(struct timer *timer)
{
    struct client_txn *t = CONTAINER_OF(timer, struct client_txn, timer);
    bool over = t->ends_ms <= t->endpoint->config.wheel->now_ms;
    step(t, &(struct step){.event = over ? CLIENT_TIMER_F : CLIENT_TIMER_E});
}

static void on_completed_timer(struct timer *timer)
{
    struct endpoint *e = CONTAINER_OF(timer, struct endpoint, completed_timer);
    struct client_txn *t;
    while ((t = oldest_completed(e)) && t->ends_ms <= e->config.wheel->now_ms)
        step(t, &(struct step){.event = CLIENT_TIMER_K});
    if (t)
        timer_wheel_set(e->config.wheel, &e->completed_timer, t->ends_ms);
}

/* --- starting --- */

static char *put(char *at, struct slice s)
{
    if (s.len)
        memcpy(at, s.ptr, s.len);
    return at + s.len;
}

/* "Via: SIP/2.0/UDP host:port;rport;branch=..." with RFC 3581 §3's rport on every transport: it costs nothing, and the
 * other side's log shows where we were seen from. */
static bool build_head(struct client_txn *t, const struct client_request *r, enum transport transport,
                       struct slice sent_by)
{
    const struct slice before = SLICE("Via: SIP/2.0/"), behind = SLICE(";rport;branch="), crlf = SLICE("\r\n");
    struct slice name = transport_name(transport);
    struct slice host = t->hop.is_flow ? SLICE_NONE : t->hop.target.host;
    struct slice tls_name = t->hop.is_flow ? SLICE_NONE : t->hop.target.tls_name;
    size_t head_len = r->request_line.len + before.len + name.len + 1 + sent_by.len + behind.len + BRANCH_LEN +
                      crlf.len + r->head_fields.len;
    t->head = head_len > UINT32_MAX ? NULL : packet_new(head_len + host.len + tls_name.len);
    if (!t->head)
        return false;
    t->head_len = (uint32_t)head_len;
    char *at = put(t->head->data, r->request_line);
    at = put(at, before);
    at = put(at, name);
    at = put(at, SLICE(" "));
    at = put(at, sent_by);
    at = put(at, behind);
    branch_write(&(struct branch){(uint8_t)t->endpoint->config.worker, t->slab.slot, t->random, t->loop_hash}, at);
    at = put(at + BRANCH_LEN, crlf);
    at = put(at, r->head_fields);
    if (host.len)
        t->hop.target.host.ptr = at;
    at = put(at, host);
    if (tls_name.len)
        t->hop.target.tls_name.ptr = at;
    put(at, tls_name);
    return true;
}

static struct client_txn *take_record(struct endpoint *e)
{
    struct client_txn *t = slab_take(&e->clients);
    if (t || !oldest_completed(e))
        return t;
    forget_completed(oldest_completed(e));
    return slab_take(&e->clients);
}

static void start_timers(struct client_txn *t, uint64_t timeout_ms)
{
    uint64_t now = t->endpoint->config.wheel->now_ms;
    t->ends_ms = now + (timeout_ms != 0 && timeout_ms < TXN_LIFE_MS ? timeout_ms : TXN_LIFE_MS);
    t->resend_ms = TXN_T1_MS;
    t->resend_at_ms = t->reliable ? UINT64_MAX : now + TXN_T1_MS; /* §17.1.2.2: no Timer E over reliable ones */
}

static void start(struct client_txn *t, const struct client_request *r)
{
    start_timers(t, r->timeout_ms);
    if (transmit(t, r->tail) == LINK_FAILED) {
        t->state = CLIENT_FAILING;
        t->ends_ms = t->endpoint->config.wheel->now_ms;
    } else if (!t->reliable) {
        t->tail = packet_ref(r->tail);
    }
    if (t->reliable && t->hop.is_flow)
        list_push_back(list_of_flow(t->endpoint, &t->hop.flow), &t->link);
    arm(t);
}

int client_txn_new(struct endpoint *e, const struct hop *to, const struct client_request *r,
                   const struct client_user *user, void *context, struct client_txn **ret)
{
    enum transport transport = TRANSPORT_UDP;
    struct slice sent_by;
    int err = link_sent_by(e->config.link, to, &transport, &sent_by);
    if (err != ERR_NONE)
        return err;
    struct client_txn *t = take_record(e);
    if (!t)
        return slab_is_full(&e->clients) ? ERR_FULL : ERR_NO_MEMORY;
    t->endpoint = e;
    t->user = user;
    t->context = context;
    timer_init(&t->timer, on_timer);
    t->hop = *to;
    t->random = random_u64(e->config.random);
    t->loop_hash = r->loop_hash;
    t->cseq = r->cseq;
    t->method = (uint16_t)r->method;
    t->machine = CLIENT_NON_INVITE;
    t->state = CLIENT_TRYING;
    t->reliable = transport_is_reliable(transport);
    if (!build_head(t, r, transport, sent_by)) {
        slab_give(&e->clients, t);
        return ERR_NO_MEMORY;
    }
    start(t, r);
    *ret = t;
    return ERR_NONE;
}

void client_txn_drop(struct client_txn *t)
{
    /* Inside its last callback it is on its way out already. */
    if (!t->slab.used || t->state == CLIENT_COMPLETED || t->state == CLIENT_TERMINATED)
        return;
    quiet(t);
    slab_give(&t->endpoint->clients, t);
}

/* --- what comes back --- */

/* RFC 3261 §17.1.3: the method in CSeq; the number as well (torture p-stray-200-branch-guess). */
static bool cseq_matches(const struct client_txn *t, const struct message *response)
{
    uint32_t number = 0;
    struct slice method;
    if (message_cseq(response, &number, &method) != ERR_NONE || number != t->cseq)
        return false;
    if (t->method != METHOD_OTHER)
        return slice_eq(method, method_name((enum method)t->method));
    if (!t->head)
        return false; /* completed, and its name gone with its bytes */
    return method.len < t->head_len && t->head->data[method.len] == ' ' &&
           memcmp(t->head->data, method.ptr, method.len) == 0;
}

bool client_txn_receive(struct endpoint *e, const struct branch *branch, const struct incoming *in)
{
    struct client_txn *t = slab_at(&e->clients, branch->slot);
    if (!t || t->random != branch->random || t->loop_hash != branch->loop_hash || !cseq_matches(t, in->message))
        return false;
    bool final = in->message->status >= 200;
    return step(t, &(struct step){.event = final ? CLIENT_RECEIVED_FINAL : CLIENT_RECEIVED_1XX, .in = in});
}

void client_txn_link_failed(struct endpoint *e, uint64_t token)
{
    struct client_txn *t = slab_at(&e->clients, (uint32_t)token);
    if (t && t->slab.generation == token >> 32)
        step(t, &(struct step){.event = CLIENT_TRANSPORT_ERROR});
}

/* The ones of this connection are set apart first: callbacks may start others on it. */
void client_txn_flow_closed(struct endpoint *e, const struct flow *flow)
{
    struct list closing;
    list_init(&closing);
    LIST_EACH (n, list_of_flow(e, flow)) {
        if (!flow_eq(&CONTAINER_OF(n, struct client_txn, link)->hop.flow, flow))
            continue;
        list_remove(n);
        list_push_back(&closing, n);
    }
    struct list_node *n;
    while ((n = list_pop_front(&closing)))
        step(CONTAINER_OF(n, struct client_txn, link), &(struct step){.event = CLIENT_TRANSPORT_ERROR});
}
