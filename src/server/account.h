/* An account at home: its devices, their bindings, and what is owed to them. Made, changed and read by the home worker
 * only (hash of the address-of-record), so without locks. The store holds the same, durably. */
#ifndef SERVER_ACCOUNT_H
#define SERVER_ACCOUNT_H

#include "base/table.h"
#include "base/timer_wheel.h"
#include "store/store.h"

struct server;
struct attempt;
struct account;

/* One contact of one device. Its texts live in one block. */
struct binding {
    struct list_node node;                                          /* in its device, newest registration first */
    struct slice contact, params, path, call_id, user_agent, allow; /* as in struct store_binding */
    uint32_t cseq;
    uint16_t q;
    bool behind_nat;
    bool live;       /* false: came over a connection that is gone (after a restart, or a failed send) */
    bool tcp_failed; /* a try over TCP for a large message failed: don't try again */
    uint8_t misses;  /* NAT pings unanswered in a row */
    int64_t registered_ms, expires_ms; /* wall, as stored */
    uint64_t expires_mono_ms;          /* the same on the monotonic clock: this decides (C12) */
    struct flow flow;
    struct timer ping; /* NAT keep-alive */
    struct device *device;
};

struct device {
    struct account *account;
    uint8_t number; /* 1.. */
    bool has_instance;
    bool reads_no_messages;     /* answered 405 or 501 to MESSAGE; until it registers anew */
    struct slice key, features; /* owned */
    struct list bindings;
    int64_t seen_ms;
    uint64_t position; /* as stored */

    /* Delivery, src/server/drain.c */
    uint32_t owed;        /* entries owed to it */
    uint32_t appending;   /* entries owed to it whose append has not completed */
    uint32_t in_flight;   /* attempts of any kind that have not ended */
    uint32_t backoff_ms;  /* 0: not held */
    uint8_t failures_5xx; /* in a row for the entry at the head */
    bool held;            /* gone: nothing is tried before `wake` fires or a packet comes */
    struct timer wake;
    struct drain *drain; /* while draining; NULL otherwise */
};

/* A journal entry that somebody is owed. Bits of the masks are device numbers; bit 0 is the heir: set while no device
 * has taken it. */
struct entry {
    uint64_t seq;
    uint32_t owed, in_flight;
    uint32_t size;
    uint64_t expires_mono_ms;
};

struct account {
    struct table_node node; /* in its home, by id */
    int64_t id;
    struct slice aor; /* owned */
    struct server *home;
    struct device *devices[STORE_DEVICES_MAX]; /* by number; [0] is always NULL */
    uint64_t last_seq;                         /* the greatest number the store gave */
    uint64_t heir_position;

    struct entry
        *entries; /* by seq; first..first+count-1 in use; ended ones have owed == 0 until they reach the front */
    uint32_t entry_first, entry_count, entry_cap;
    uint32_t untaken; /* entries owed to the heir: what the quota counts */
    uint64_t untaken_bytes;
    uint32_t untaken_appending;
    struct timer expiry; /* the next binding or entry to expire */
};

#endif
