/* libre in the parse benchmark. Its buffer is made once and points at the text; what it allocates per message counts.
 */
/* re.h needs these before itself. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <re.h>

#include "parse_bench.h"

/* Its sent-by is "host:port"; the port it has in binary. */
static size_t host_length(const struct pl *sent_by)
{
    const char *colon = pl_strchr(sent_by, ':');
    return colon == NULL ? sent_by->l : (size_t)(colon - sent_by->p);
}

int contender_libre(const char *text, size_t len, struct extract *ret)
{
    static struct mbuf *mb;
    struct sip_msg *msg = NULL;
    if (mb == NULL)
        mb = mbuf_alloc(0);
    if (mb == NULL)
        return -1;
    mb->buf = (uint8_t *)(uintptr_t)text;
    mb->size = mb->end = len;
    mb->pos = 0;
    int err = sip_msg_decode(&msg, mb);
    if (err == 0) {
        ret->uri_user_len = msg->uri.user.l;
        ret->uri_host_len = msg->uri.host.l;
        ret->via_host_len = host_length(&msg->via.sentby);
        ret->via_port = sa_port(&msg->via.addr);
        ret->via_branch_len = msg->via.branch.l;
        ret->from_host_len = msg->from.uri.host.l;
        ret->from_tag_len = msg->from.tag.l;
        ret->to_host_len = msg->to.uri.host.l;
        ret->call_id_len = msg->callid.l;
        ret->cseq = msg->cseq.num;
        ret->max_forwards = pl_u32(&msg->maxfwd);
        ret->content_length = pl_u32(&msg->clen);
        ret->type_len = msg->ctyp.type.l + msg->ctyp.subtype.l;
    }
    mem_deref(msg);
    mb->buf = NULL;
    return err;
}
