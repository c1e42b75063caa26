/* Counted bytes, one allocation each. */
#include "base/packet.h"

#include <stdlib.h>

struct packet *packet_new(size_t len)
{
    if (len > INT32_MAX)
        return NULL;
    struct packet *p = malloc(sizeof *p + len);
    if (!p)
        return NULL;
    atomic_init(&p->refs, 1);
    p->len = (uint32_t)len;
    return p;
}

struct packet *packet_copy(struct slice s)
{
    struct packet *p = packet_new(s.len);
    if (p && s.len)
        memcpy(p->data, s.ptr, s.len);
    return p;
}

struct packet *packet_ref(struct packet *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void packet_unref(struct packet **p)
{
    struct packet *gone = *p;
    *p = NULL;
    /* Release, then acquire by the last one: whoever frees has seen every other holder finish. */
    if (gone && atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) == 1)
        free(gone);
}
