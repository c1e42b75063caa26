/* Attempts: see attempt.h. The record travels: home -> worker of the flow -> home, by one mesh post used for both ways,
 * so at any time one worker owns all but `done` and `context`, which stay home's. */
#include "server/attempt.h"

#include <stdlib.h>

#include "base/err.h"

struct attempt {
    struct mesh_post post;
    struct list_node node; /* in home's list */
    struct server *home;   /* who asked */
    struct server *where;  /* who tries */
    void (*done)(void *context, const struct attempt_result *result);
    void *context;
    struct attempt_request request;
    struct attempt_result result;
    char texts[]; /* what request's slices point to */
};

static void attempt_free(struct attempt *a)
{
    list_remove(&a->node);
    packet_unref(&a->request.tail);
    packet_unref(&a->result.response);
    free(a);
}

static void came_home(struct mesh_post *post, struct server *there)
{
    struct attempt *a = CONTAINER_OF(post, struct attempt, post);
    (void)there;
    if (a->done)
        a->done(a->context, &a->result);
    attempt_free(a);
}

static void go_home(struct attempt *a)
{
    a->post.run = came_home;
    mesh_post(a->where->mesh, a->home->worker, &a->post);
}

static void on_final(void *context, struct client_txn *t, const struct message *response, const struct flow *from,
                     struct packet *packet)
{
    struct attempt *a = context;
    (void)t;
    (void)from;
    a->result.status = response->status;
    a->result.response = packet_ref(packet);
    go_home(a);
}

static void on_failed(void *context, struct client_txn *t, enum client_failure why)
{
    struct attempt *a = context;
    (void)t;
    a->result.timed_out = why == CLIENT_TIMEOUT;
    go_home(a);
}

static const struct client_user attempt_client = {.final = on_final, .failed = on_failed};

static void start(struct mesh_post *post, struct server *there)
{
    struct attempt *a = CONTAINER_OF(post, struct attempt, post);
    const struct client_request r = {
        .method = a->request.method,
        .cseq = a->request.cseq,
        .request_line = a->request.request_line,
        .head_fields = a->request.head_fields,
        .tail = a->request.tail,
        .loop_hash = a->request.loop_hash,
        .timeout_ms = a->request.timeout_ms,
    };
    struct client_txn *txn;
    a->where = there;
    int err = client_txn_new(there->endpoint, &a->request.hop, &r, &attempt_client, a, &txn);
    if (err == ERR_NONE)
        return;
    a->result.not_tried = err == ERR_FULL || err == ERR_NO_MEMORY;
    go_home(a);
}

static struct slice keep(char **at, struct slice s)
{
    if (!slice_is_set(s))
        return s;
    if (s.len)
        memcpy(*at, s.ptr, s.len);
    struct slice kept = slice_make(*at, s.len);
    *at += s.len;
    return kept;
}

int attempt_new(struct server *s, const struct attempt_request *r,
                void (*done)(void *context, const struct attempt_result *result), void *context, struct attempt **ret)
{
    size_t size = r->request_line.len + r->head_fields.len;
    if (!r->hop.is_flow)
        size += r->hop.target.host.len + r->hop.target.tls_name.len;
    struct attempt *a = calloc(1, sizeof *a + size);
    if (!a)
        return ERR_NO_MEMORY;
    char *at = a->texts;
    a->home = s;
    list_push_back(&s->attempts, &a->node);
    a->where = s;
    a->done = done;
    a->context = context;
    a->request = *r;
    a->request.tail = packet_ref(r->tail);
    a->request.request_line = keep(&at, r->request_line);
    a->request.head_fields = keep(&at, r->head_fields);
    if (!r->hop.is_flow) {
        a->request.hop.target.host = keep(&at, r->hop.target.host);
        a->request.hop.target.tls_name = keep(&at, r->hop.target.tls_name);
    }
    *ret = a;
    unsigned worker = r->hop.is_flow ? r->hop.flow.worker : s->worker;
    if (worker == s->worker) {
        start(&a->post, s);
    } else {
        a->post.run = start;
        mesh_post(s->mesh, worker, &a->post);
    }
    return ERR_NONE;
}

void attempt_free_all(struct server *s)
{
    LIST_EACH (node, &s->attempts)
        attempt_free(CONTAINER_OF(node, struct attempt, node));
}

void attempt_detach(struct attempt *a)
{
    a->done = NULL;
}
