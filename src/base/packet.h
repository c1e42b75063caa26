/* Counted, immutable bytes: one received message, or one message that waits to be sent. Shared between workers, so the
 * count is atomic; the bytes never change after packet_new returned and the maker filled them. */
#ifndef BASE_PACKET_H
#define BASE_PACKET_H

#include <stdatomic.h>

#include "base/slice.h"

struct packet {
    atomic_uint refs;
    uint32_t len;
    char data[];
};

/* A packet of exactly `len` octets with one reference, not filled; NULL without memory or over 2^31. */
struct packet *packet_new(size_t len);
/* A packet filled with a copy of `s`. */
struct packet *packet_copy(struct slice s);
struct packet *packet_ref(struct packet *p);
/* Drops *p's reference and sets *p to NULL; NULL inside is legal. */
void packet_unref(struct packet **p);
static inline struct slice packet_slice(const struct packet *p)
{
    return slice_make(p->data, p->len);
}

#endif
