/* Relays to other domains: see relay.h. */
#include "server/relay.h"

#include <stdlib.h>

#include "base/err.h"
#include "server/attempt.h"
#include "sip/build.h"

#define RELAY_HEAD_MAX 65536u

struct relay {
    struct list_node node; /* in its server */
    struct server *server;
    struct letter *letter;
    struct timer timer;
    bool provisional_sent;
    struct attempt *attempt; /* NULL: it has ended */
};

static void relay_free(struct relay *r)
{
    timer_wheel_cancel(r->server->wheel, &r->timer);
    list_remove(&r->node);
    server_end_deciding(r->server, r->letter->tail->len);
    letter_free(r->letter);
    free(r);
}

static void answer(struct relay *r, uint16_t status)
{
    const struct answer a = {.status = status, .headers = status == 503 ? server_retry_later : SLICE_NONE};
    server_answer(r->server, r->letter->txn, &a);
}

static void on_attempt_done(void *context, const struct attempt_result *result)
{
    struct relay *r = context;
    if (result->status == 503)
        answer(r, 500); /* RFC 3261 §16.7 step 6: it would make the sender leave us, and it is they who are busy */
    else if (result->status && result->status != 408) /* RFC 4320 §4.2: that one goes no further */
        server_forward(r->server, r->letter->txn, result->response);
    else
        answer(r, 504); /* C15; one that cannot be reached is no fault of ours either */
    relay_free(r);
}

static void on_timer(struct timer *t)
{
    struct relay *r = CONTAINER_OF(t, struct relay, timer);
    if (!r->provisional_sent) {
        r->provisional_sent = true;
        answer(r, 100); /* RFC 4320 §4.1 */
        timer_wheel_set_in(r->server->wheel, t, LIMIT_FOREIGN_MS - LIMIT_PROVISIONAL_MS);
        return;
    }
    attempt_detach(r->attempt);
    answer(r, 504); /* C15: never 408 (RFC 4320 §4.2) */
    relay_free(r);
}

static bool is_trusted_hop(const struct server_config *c, const struct target *hop)
{
    struct address ip;
    return address_parse_ip(hop->host, &ip) == ERR_NONE && auth_is_trusted(c, &ip);
}

static void append_head(struct relay *r, const struct target *hop, struct buf *out)
{
    const struct letter *l = r->letter;
    buf_append(out, l->vias);
    build_header_number(out, HEADER_MAX_FORWARDS, l->max_forwards);
    build_header_number(out, HEADER_MAX_BREADTH, l->max_breadth);
    buf_append(out, l->routes);
    if (is_trusted_hop(r->server->config, hop)) { /* RFC 3325 §5 */
        buf_append_str(out, "P-Asserted-Identity: <");
        buf_append(out, l->sender);
        buf_append_str(out, ">\r\n");
    }
}

static int try_hop(struct relay *r, const struct target *hop)
{
    struct buf line, head;
    buf_init(&line, RELAY_HEAD_MAX);
    buf_init(&head, RELAY_HEAD_MAX);
    build_request_line(&line, SLICE("MESSAGE"), r->letter->uri);
    append_head(r, hop, &head);
    const struct attempt_request request = {
        .hop = hop_target(hop),
        .method = METHOD_MESSAGE,
        .cseq = r->letter->cseq,
        .request_line = buf_slice(&line),
        .head_fields = buf_slice(&head),
        .tail = r->letter->tail,
        .loop_hash = r->letter->loop_hash,
    };
    int err = ERR_TOO_LARGE;
    if (buf_ok(&line) && buf_ok(&head))
        err = attempt_new(r->server, &request, on_attempt_done, r, &r->attempt);
    buf_deinit(&line);
    buf_deinit(&head);
    return err;
}

void relay_free_all(struct server *s)
{
    LIST_EACH (node, &s->relays)
        relay_free(CONTAINER_OF(node, struct relay, node));
}

void relay_start(struct server *s, struct letter *letter, const struct target *next_hop)
{
    bool admitted = server_begin_deciding(s, letter->tail->len);
    struct relay *r = admitted ? calloc(1, sizeof *r) : NULL;
    if (!r) {
        if (admitted)
            server_end_deciding(s, letter->tail->len);
        const struct answer busy = {.status = 503, .headers = server_retry_later};
        server_answer(s, letter->txn, &busy);
        letter_free(letter);
        return;
    }
    r->server = s;
    r->letter = letter;
    timer_init(&r->timer, on_timer);
    list_push_back(&s->relays, &r->node);
    timer_wheel_set_in(s->wheel, &r->timer, LIMIT_PROVISIONAL_MS);
    if (try_hop(r, next_hop) != ERR_NONE) {
        answer(r, 503);
        relay_free(r);
    }
}
