/* An account at home: its devices, their bindings, and what is owed to them. Made, changed and read by the home worker
 * only (hash of the address-of-record), so without locks. The store holds the same, durably. */
#ifndef SERVER_ACCOUNT_H
#define SERVER_ACCOUNT_H

#include "base/table.h"
#include "base/timer_wheel.h"
#include "store/store.h"

struct server;
struct attempt;
struct branch;
struct drain;
struct registration;
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
    struct timer ping;            /* NAT keep-alive, keepalive.c */
    struct attempt *ping_attempt; /* in flight; NULL otherwise */
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
    uint64_t forget_mono_ms; /* with +sip.instance and without bindings: not forgotten before this (C12) */
    uint64_t position;       /* as stored */

    /* Delivery: branch.c, drain.c, mailbox.c */
    struct branch *branches; /* those that run, live and stored ones */
    uint32_t owed;           /* entries owed to it */
    uint32_t appending;      /* entries owed to it whose append has not completed */
    uint32_t in_flight;      /* branches that still forbid another attempt (C4) */
    uint32_t backoff_ms;     /* 0: the next hold begins with the shortest */
    uint64_t failing_seq;    /* the entry that it answered 5xx (or 482) last, */
    uint8_t failures_5xx;    /* how often (C6), */
    uint16_t failing_status; /* and with what */
    uint64_t deaf_until_ms;  /* after a 482: no packet wakes it before this (C4) */
    bool held;               /* gone: nothing is tried before `wake` fires or a packet comes */
    struct timer wake;
    struct drain *drain; /* while draining; NULL otherwise */
};

/* A journal entry that somebody is owed. Bits are device numbers; bit 0 is the heir: set while no device has taken it.
 */
struct entry {
    uint64_t seq;
    uint64_t expires_mono_ms; /* it ends when both clocks say so: a jump of one deletes no mail (C12) */
    int64_t expires_ms;
    uint32_t owed;
    uint32_t size;
};

struct account {
    struct table_node node; /* in its home, by id */
    int64_t id;
    struct slice aor; /* aor_text */
    struct server *home;
    struct device *devices[STORE_DEVICES_MAX]; /* by number; [0] is always NULL */
    struct registration *registers;     /* REGISTERs, registrar.c: the first is being committed, the others wait */
    struct list deliveries;             /* that are being decided or committed */
    uint64_t last_seq;                  /* the greatest number the store gave */
    uint64_t heir_position;             /* as stored */
    uint64_t heir_ended_seq;            /* the greatest number that ended for the heir: taken, or its time was over */
    struct store_mark *load_exceptions; /* while loading only */
    size_t load_exception_count;
    bool load_exceptions_sorted;

    struct entry *entries; /* a queue by seq; ended ones (owed == 0) leave when they reach the front */
    uint32_t entry_first, entry_count, entry_cap;
    uint32_t reserved; /* entries whose append is under way: they have room at the end */
    uint32_t untaken;  /* entries owed to the heir: what the quota counts, with those being appended */
    uint32_t copies;   /* entries owed only to devices, another having taken them */
    uint64_t untaken_bytes;
    uint64_t entry_expiry_ms; /* not later than the earliest expiry of an entry; UINT64_MAX: none */
    struct timer expiry;      /* the next binding, device or entry to end */
    char aor_text[];
};

#endif
