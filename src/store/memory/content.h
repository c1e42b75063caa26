/* What the memory driver holds: plain arrays, searched from the front or by bisection. For the simulator and tests, so
 * it is small rather than fast. One thread. Every operation either takes effect whole or not at all. */
#ifndef STORE_MEMORY_CONTENT_H
#define STORE_MEMORY_CONTENT_H

#include "store/store.h"

struct content;

/* NULL without memory. */
struct content *content_new(void);
void content_free(struct content *c);
/* Carries out one request. Returns its result: ERR_NONE, ERR_NOT_FOUND, ERR_NO_MEMORY. */
int content_apply(struct content *c, struct store_request *r);
/* In the order that struct store_loader documents. */
void content_load(const struct content *c, const struct store_loader *loader, void *context);

#endif
