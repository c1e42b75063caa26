/* The air between addresses: loses, repeats, delays and so reorders datagrams, as a seed decides. */
#ifndef SIM_AIR_H
#define SIM_AIR_H

#include "base/address.h"
#include "base/list.h"
#include "base/packet.h"
#include "base/random.h"

struct air {
    struct list flying;
    struct random *random;
    unsigned loss_percent, repeat_percent, delay_max_ms;
};

void air_init(struct air *a, struct random *r);
void air_deinit(struct air *a);
/* Sends the concatenation of `parts`. */
void air_send(struct air *a, uint64_t now_ms, const struct address *from, const struct address *to,
              const struct slice *parts, size_t count);
/* When the next datagram arrives, or UINT64_MAX. */
uint64_t air_next(const struct air *a);
/* Takes one that is due; NULL: none is. The reference is the caller's. */
struct packet *air_take(struct air *a, uint64_t now_ms, struct address *ret_from, struct address *ret_to);

#endif
