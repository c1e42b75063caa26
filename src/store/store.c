/* What all drivers share of store.h. */
#include "store/store.h"

void store_complete(struct list *completed)
{
    struct list_node *n;
    /* `done` may free its request or submit it again, so the node is off the list first. */
    while ((n = list_pop_front(completed))) {
        struct store_request *r = CONTAINER_OF(n, struct store_request, node);
        r->done(r);
    }
}
