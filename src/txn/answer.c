/* Answers of our own: built from the request (RFC 3261 §8.2.6), sent where its top Via says (§18.2.2). */
#include "base/err.h"
#include "sip/build.h"
#include "txn/response_path.h"
#include "txn/txn_private.h"

/* The longest Via value that we let into an answer: a header block's. */
#define VIA_MAX 65536

void answer_init(struct endpoint *e)
{
    buf_init(&e->answer, TXN_ANSWER_MAX);
    buf_init(&e->via, VIA_MAX);
}

void answer_deinit(struct endpoint *e)
{
    buf_deinit(&e->answer);
    buf_deinit(&e->via);
}

/* The To tag is a function of the request, so that every answer to it and to its retransmissions has the same one
 * without anything kept (§8.2.7). A hash of its own, for what is sent must not tell where in the table a key lies. */
static struct slice own_tag(const struct endpoint *e, const struct match *match, char *out)
{
    uint64_t hash = hash_slice(&e->tag_key, slice_make((const char *)match, sizeof *match));
    for (size_t i = TXN_OWN_TAG_LEN; i-- > 0; hash >>= 4)
        out[i] = "0123456789abcdef"[hash & 15];
    return slice_make(out, TXN_OWN_TAG_LEN);
}

bool answer_build(struct endpoint *e, const struct arrival *r, const struct answer *a, struct slice tag)
{
    char own[TXN_OWN_TAG_LEN];
    bool ours = !slice_is_set(tag);
    if (a->status == 100)
        tag = SLICE_NONE; /* §8.2.6.2: a 100 needs none */
    else if (ours)
        tag = own_tag(e, &r->match, own);
    struct slice received = SLICE_NONE;
    buf_reset(&e->via);
    if (r->in.via) {
        via_append_received(&e->via, r->in.via, r->via_text, &r->in.flow->remote);
        received = buf_slice(&e->via);
    }
    buf_reset(&e->answer);
    build_response(&e->answer, r->in.message, a->status, a->reason, tag, received);
    if (ours && slice_is_set(e->config.server_name))
        build_header(&e->answer, HEADER_SERVER, e->config.server_name);
    buf_append(&e->answer, a->headers);
    build_end(&e->answer, a->body);
    return buf_ok(&e->via) && buf_ok(&e->answer);
}

/* §18.2.2: a new connection to the source at the sent-by port. */
static bool reopen(struct endpoint *e, const struct flow *path, struct slice request, const struct slice *parts,
                   size_t count)
{
    struct message m;
    struct message_fault fault;
    struct via via;
    char text[ADDRESS_TEXT_MAX];
    struct hop hop;
    if (path->transport == TRANSPORT_UDP || message_parse(request, &m, &fault) != ERR_NONE ||
        message_top_via(&m, &via) != ERR_NONE || !response_path_reopen(&via, path, text, &hop))
        return false;
    return link_send(e->config.link, &hop, parts, count, 0) != LINK_FAILED;
}

void answer_transmit(struct endpoint *e, const struct flow *path, struct slice request, const struct slice *parts,
                     size_t count)
{
    struct hop hop = hop_flow(path);
    if (link_send(e->config.link, &hop, parts, count, 0) == LINK_FAILED && !reopen(e, path, request, parts, count))
        e->counters.send_failures++;
}

void answer_send_bytes(struct endpoint *e, const struct arrival *r, struct slice bytes)
{
    struct flow path;
    if (response_path_make(r->in.via, r->in.flow, &path))
        answer_transmit(e, &path, r->in.message->raw, &bytes, 1);
}

void answer_send(struct endpoint *e, const struct arrival *r, const struct answer *a, struct slice tag)
{
    if (answer_build(e, r, a, tag))
        answer_send_bytes(e, r, buf_slice(&e->answer));
    else
        e->counters.send_failures++;
}
