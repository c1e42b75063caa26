/* Branches: see branch.h. contract.md, wire rules: size, NAT, several bindings of one device. */
#include "server/branch.h"

#include <stdlib.h>

#include "base/err.h"
#include "server/attempt.h"
#include "server/location.h"
#include "sip/build.h"

/* Request line and fields of one branch: a Contact and a Path are bounded by the REGISTER that brought them. */
#define BRANCH_HEAD_MAX 65536u
/* What a branch adds without its Contact: the rest of the request line, our Via, Max-Forwards, Max-Breadth. */
#define BRANCH_OWN_LINES 200u

enum branch_end branch_classify(uint16_t status)
{
    if (status >= 200 && status < 300)
        return BRANCH_TAKEN;
    switch (status) {
    case 0:
    case 404:
    case 408:
    case 410:
    case 430:
    case 480:
    case 481:
    case 486:
        return BRANCH_GONE;
    case 501:
    case 505:
    case 513:
        return BRANCH_REFUSED;
    default:
        return status >= 500 && status < 600 ? BRANCH_GONE : BRANCH_REFUSED;
    }
}

/* RFC 3261 §16.7 step 6: any 6xx, else the lowest class; within 4xx those that tell how to repeat the request. */
static int rank(uint16_t status)
{
    if (status >= 600)
        return 0;
    switch (status) {
    case 401:
    case 407:
    case 415:
    case 420:
    case 484:
        return 400 * 10 + 1;
    default:
        return status / 100 * 100 * 10 + 2;
    }
}

bool branch_is_better(uint16_t status, uint16_t best)
{
    return best == 0 || rank(status) < rank(best);
}

static void unlink_from_device(struct branch *b)
{
    if (!b->device)
        return;
    struct branch **at = &b->device->branches;
    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    if (b->is_current)
        b->device->in_flight--;
    b->device = NULL;
}

static void branch_free(struct branch *b)
{
    list_remove(&b->node);
    packet_unref(&b->message.tail);
    free(b);
}

static bool is_literal(struct slice host)
{
    struct address ignored;
    return address_parse_ip(host, &ignored) == ERR_NONE;
}

static int target_of(const struct uri *u, struct target *ret)
{
    struct slice name;
    enum transport transport;
    if (u->scheme != URI_SIP)
        return ERR_UNSUPPORTED;
    *ret = (struct target){.host = u->host, .port = u->port};
    if (uri_param(u, SLICE("transport"), &name) && transport_parse(name, &transport) == ERR_NONE) {
        ret->has_transport = true;
        ret->transport = transport;
    } else if (is_literal(u->host)) {
        ret->has_transport = true; /* RFC 3263 §4.1: a numeric host means UDP */
        ret->transport = TRANSPORT_UDP;
    }
    return ERR_NONE;
}

/* The first Path value, the device's edge proxy (RFC 3327 §5.1). */
static int path_target(struct slice path, struct target *ret)
{
    struct addr first;
    size_t fault;
    if (addr_parse(path, &first, &fault) < 0)
        return ERR_MALFORMED;
    return target_of(&first.uri, ret);
}

/* Over 1300 bytes a datagram may be cut or lost on the way: TCP to the Contact, when it can be reached (RFC 3428 §8).
 */
static bool wants_tcp(const struct binding *b, const struct branch_message *m)
{
    return m->tail->len + m->fields.len + b->contact.len + BRANCH_OWN_LINES > LIMIT_UDP_BYTES &&
           b->flow.transport == TRANSPORT_UDP && !b->behind_nat && !b->tcp_failed;
}

static int choose_hop(const struct binding *b, const struct branch_message *m, struct hop *ret, bool *ret_by_tcp)
{
    struct uri contact;
    struct target target;
    size_t fault;
    *ret_by_tcp = false;
    if (b->path.len) {
        if (path_target(b->path, &target) != ERR_NONE)
            return ERR_MALFORMED;
        *ret = hop_target(&target);
        return ERR_NONE;
    }
    if (transport_is_reliable(b->flow.transport) || b->behind_nat) {
        *ret = hop_flow(&b->flow);
        return ERR_NONE;
    }
    if (uri_parse(b->contact, &contact, &fault) != ERR_NONE || target_of(&contact, &target) != ERR_NONE)
        return ERR_MALFORMED;
    if (wants_tcp(b, m) && (!target.has_transport || target.transport == TRANSPORT_UDP)) {
        target.has_transport = true;
        target.transport = TRANSPORT_TCP;
        target.connect_ms = LIMIT_TCP_TRY_MS;
        *ret_by_tcp = true;
    }
    *ret = hop_target(&target);
    return ERR_NONE;
}

bool branch_can_carry(const struct device *d, const struct branch_message *m)
{
    const struct binding *b = location_binding(d, clock_mono_ms(d->account->home->clock));
    struct hop hop;
    bool by_tcp;
    if (!b || choose_hop(b, m, &hop, &by_tcp) != ERR_NONE)
        return true; /* nothing of that is the message's fault */
    enum transport transport = hop.is_flow                ? (enum transport)hop.flow.transport
                               : hop.target.has_transport ? hop.target.transport
                                                          : TRANSPORT_UDP;
    size_t size = m->tail->len + m->fields.len + b->contact.len + b->path.len + BRANCH_OWN_LINES;
    return transport_is_reliable(transport) || size <= LIMIT_DATAGRAM_BYTES;
}

static void append_head(struct buf *out, const struct binding *b, const struct branch_message *m)
{
    buf_append(out, m->fields);
    build_header_number(out, HEADER_MAX_FORWARDS, m->max_forwards);
    if (m->max_breadth)
        build_header_number(out, HEADER_MAX_BREADTH, m->max_breadth);
    if (b->path.len)
        build_header(out, HEADER_ROUTE, b->path);
}

static void on_attempt_done(void *context, const struct attempt_result *r);

/* Starts the attempt over one binding. */
static int try_binding(struct branch *b, const struct binding *to)
{
    struct hop hop;
    struct buf line, head;
    int err = choose_hop(to, &b->message, &hop, &b->by_tcp);
    if (err != ERR_NONE)
        return err;
    buf_init(&line, BRANCH_HEAD_MAX);
    buf_init(&head, BRANCH_HEAD_MAX);
    build_request_line(&line, SLICE("MESSAGE"), location_request_uri(to));
    append_head(&head, to, &b->message);
    b->flow = to->flow;
    const struct attempt_request r = {
        .hop = hop,
        .method = METHOD_MESSAGE,
        .cseq = b->message.cseq,
        .request_line = buf_slice(&line),
        .head_fields = buf_slice(&head),
        .tail = b->message.tail,
        .loop_hash = b->message.loop_hash,
    };
    err = buf_ok(&line) && buf_ok(&head) ? attempt_new(b->server, &r, on_attempt_done, b, &b->attempt) : ERR_TOO_LARGE;
    buf_deinit(&line);
    buf_deinit(&head);
    return err;
}

/* Tries bindings, newest first, until an attempt runs. False: none could be tried. */
static bool try_any(struct branch *b)
{
    struct binding *to;
    while ((to = location_binding(b->device, clock_mono_ms(b->server->clock)))) {
        int err = try_binding(b, to);
        if (err == ERR_NONE || err == ERR_NO_MEMORY || err == ERR_TOO_LARGE)
            return err == ERR_NONE; /* the fault is not the binding's */
        to->live = false;
    }
    return false;
}

static struct binding *find_binding(const struct branch *b)
{
    LIST_EACH (node, &b->device->bindings) {
        struct binding *binding = CONTAINER_OF(node, struct binding, node);
        if (flow_eq(&binding->flow, &b->flow))
            return binding;
    }
    return NULL;
}

/* No answer and no time-out: the way itself is broken. A dead connection stays dead; a large message may still go by
 * UDP. */
static bool try_again(struct branch *b, const struct attempt_result *r)
{
    struct binding *to = b->device && b->is_current ? find_binding(b) : NULL;
    if (!to || r->status != 0 || r->not_tried || (r->timed_out && !b->by_tcp))
        return false;
    if (b->by_tcp)
        to->tcp_failed = true;
    else if (transport_is_reliable(to->flow.transport))
        to->live = false;
    else
        return false;
    return try_any(b);
}

static void learn(struct device *d, const struct branch *b, uint16_t status)
{
    if (b->is_current && (status == 405 || status == 501))
        d->reads_no_messages = true; /* until it registers anew */
    if (status >= 200 && status < 300)
        d->backoff_ms = 0;
}

static void on_attempt_done(void *context, const struct attempt_result *r)
{
    struct branch *b = context;
    b->attempt = NULL;
    if (try_again(b, r))
        return;
    const struct branch_result result = {
        .end = branch_classify(r->status), .status = r->status, .response = r->response};
    struct device *device = b->device;
    unlink_from_device(b);
    b->device = device;
    if (device)
        learn(device, b, r->status);
    b->done(b->context, b, &result);
    branch_free(b);
}

struct branch *branch_new(struct device *d, const struct branch_message *m, branch_done *done, void *context)
{
    struct branch *b = calloc(1, sizeof *b + m->fields.len);
    if (!b)
        return NULL;
    memcpy(b->fields, m->fields.ptr, m->fields.len);
    b->device = d;
    b->server = d->account->home;
    list_push_back(&b->server->branches, &b->node);
    b->done = done;
    b->context = context;
    b->number = d->number;
    b->is_current = true;
    b->message = *m;
    b->message.fields = slice_make(b->fields, m->fields.len);
    b->message.tail = packet_ref(m->tail);
    if (!try_any(b)) {
        branch_free(b);
        return NULL;
    }
    b->next = d->branches;
    d->branches = b;
    d->in_flight++;
    return b;
}

void branch_free_all(struct server *s)
{
    LIST_EACH (node, &s->branches) {
        struct branch *b = CONTAINER_OF(node, struct branch, node);
        unlink_from_device(b);
        branch_free(b);
    }
}

void branch_device_left(struct device *d)
{
    while (d->branches)
        unlink_from_device(d->branches);
}

void branch_device_moved(struct device *d)
{
    const struct binding *newest = location_binding(d, clock_mono_ms(d->account->home->clock));
    for (struct branch *b = d->branches; b; b = b->next) {
        if (b->is_current && (!newest || !flow_eq(&newest->flow, &b->flow))) {
            b->is_current = false;
            d->in_flight--;
        }
    }
}
