/* Every limit of the server core, with its default and its reason. docs/limits.md is the reader's copy. */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include <stdint.h>

struct server_limits {
    uint32_t mailbox_messages;     /* messages that no device of the account has taken: 20 000, a year of heavy use */
    uint64_t mailbox_bytes;        /* their bytes: 256 MB, what a small disk bears for a few such users */
    uint32_t copy_messages;        /* messages kept only for absent devices while another took them: 20 000 */
    uint32_t bindings_per_account; /* 10: more is an attack or a broken phone (defects.md, registration hijack) */
    uint32_t message_bytes;        /* a body over this is answered 413: 64 000, one UDP datagram */
    uint32_t message_life_s;       /* a stored message without Expires: 30 days */
    uint32_t message_life_max_s;   /* the most that Expires may ask for: 90 days */
    uint32_t register_min_s;       /* less is answered 423: 10 s (phones on TCP use 60 and more; 1 s is churn) */
    uint32_t register_default_s;   /* no Expires at all: 3600 (RFC 3261 §10.2.1.1) */
    uint32_t register_max_s;       /* more is cut to this: 7200, so that a lost phone is noticed the same day */
    uint32_t device_days;          /* a device with +sip.instance stays known after it was last seen: 30 */
    uint32_t sender_per_minute;    /* MESSAGEs of one sender: 600; trusted peers have none. Over it: 403 (C11) */
    uint32_t sender_burst;         /* taken at once: 200 */
    uint32_t source_per_second;    /* unauthenticated requests of one address: 200, for 500 phones behind one address */
    uint32_t source_burst;         /* 2 000: each of them tries twice at once after a power cut */
    uint32_t deciding_max;         /* messages in decision per worker: 20 000; over it 503 */
    uint32_t duplicates_max;       /* outcomes of live deliveries remembered per worker: 200 000 */
};

/* Times of the contract, in milliseconds. */
#define LIMIT_AFTER_FIRST_2XX_MS      100u    /* C2 */
#define LIMIT_PROVISIONAL_MS          3500u   /* C15, RFC 4320 §4.1 */
#define LIMIT_STORE_MS                4000u   /* C15 */
#define LIMIT_DECIDE_MS               5000u   /* C15, C13 */
#define LIMIT_FOREIGN_MS              30000u  /* C15: another domain's answer, else 504 */
#define LIMIT_DRAIN_AFTER_REGISTER_MS 500u    /* desk phones refuse a MESSAGE that comes before their 200 */
#define LIMIT_DRAIN_AFTER_START_MS    5000u   /* after a start drains begin spread over this, not all at once */
#define LIMIT_BACKOFF_MIN_MS          1000u   /* C6 */
#define LIMIT_BACKOFF_MAX_MS          300000u /* C6 */
#define LIMIT_REPEAT_AFTER_482_MS     32000u  /* C4: 64*T1, when the phone has forgotten the first try */
#define LIMIT_5XX_BEFORE_FAILED       10u     /* C6 */
#define LIMIT_TCP_TRY_MS              1000u   /* wire rules: over 1300 bytes try TCP for 1 s */
#define LIMIT_UDP_BYTES               1300u   /* RFC 3428 §8 */
#define LIMIT_DATAGRAM_BYTES          65507u  /* the most that UDP carries over IPv4 */
#define LIMIT_NAT_PING_MS             25000u  /* under the 30 s after which common NATs forget UDP */
#define LIMIT_NAT_MISSES              3u
#define LIMIT_MAX_FORWARDS            70u                 /* RFC 3261 §8.1.1.6 */
#define LIMIT_MAX_BREADTH             60u                 /* RFC 5393 §5.3.3 */
#define LIMIT_RETRY_AFTER_S           30u                 /* in a 503 or 480 of ours */
#define LIMIT_DECIDING_BYTES          (64u * 1024 * 1024) /* per worker: 20 000 messages of 3 kB */
#define LIMIT_WAITERS                 16u /* duplicates that wait for one decision; a further one gets 503 */
#define LIMIT_DUPLICATE_KEEP_MS       (24u * 3600u * 1000u) /* C5 */

void server_limits_default(struct server_limits *limits);

#endif
