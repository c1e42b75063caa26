/* Which messages were seen, and how they ended: a hit gets the same answer and stores nothing (contract C5). Outcomes
 * of stored messages are kept until they have ended for everybody, at least 24 h, across restarts; those of messages
 * that every device took at once are kept in memory alone, the oldest giving way. One per home worker. */
#ifndef SERVER_DUPLICATES_H
#define SERVER_DUPLICATES_H

#include "base/list.h"
#include "base/table.h"

struct delivery;
struct duplicates;

struct duplicate {
    struct table_node node;
    struct list_node age; /* in the queue of its kind, oldest first */
    uint8_t key[16];
    struct delivery *deciding; /* not NULL: its outcome is not known yet */
    uint16_t status;           /* what the sender was told: 200 or 202 */
    int64_t account;           /* whose journal keeps it */
    uint64_t seq;              /* its entry; 0: not stored */
    uint64_t forget_mono_ms;   /* a stored one that is still owed outlives this */
};

/* `is_owed` says whether a stored message still waits for somebody. ERR_NO_MEMORY. */
int duplicates_new(uint32_t live_max, bool (*is_owed)(void *context, int64_t account, uint64_t seq), void *context,
                   struct duplicates **ret);
void duplicates_free(struct duplicates *d);
/* NULL when it was never seen, or is forgotten. */
struct duplicate *duplicates_find(struct duplicates *d, const uint8_t key[16]);
/* Notes a message that is being decided. NULL without memory. */
struct duplicate *duplicates_begin(struct duplicates *d, const uint8_t key[16], struct delivery *deciding);
/* Its outcome: kept until `forget_mono_ms`; a stored one also as long as it is owed to somebody, one that was not (seq
 * 0) only while there is room. */
void duplicates_end(struct duplicates *d, struct duplicate *entry, uint16_t status, int64_t account, uint64_t seq,
                    uint64_t forget_mono_ms);
/* It was refused or failed: a repeat is tried anew. */
void duplicates_drop(struct duplicates *d, struct duplicate *entry);
/* Forgets what is past its time; a few at each call, so call it often. */
void duplicates_sweep(struct duplicates *d, uint64_t now_mono_ms);

#endif
