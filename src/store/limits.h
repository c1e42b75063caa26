/* Every limit of the store, with its reason. */
#ifndef STORE_LIMITS_H
#define STORE_LIMITS_H

/* Requests in one transaction and one sync. Beyond it a row costs no less, and a completion only waits longer. */
#define STORE_LIMIT_BATCH 256

/* A read stops once it has gathered this much: what one drain keeps in memory stays small next to a mailbox. */
#define STORE_LIMIT_READ_BYTES (256ul * 1024)

/* The write-ahead log is carried over at this many pages when nobody waits, at the second number when somebody does:
 * measured, the wait of one commit in a hundred stays below 33 ms; at 16 000 pages it is over 100 ms. */
#define STORE_LIMIT_LOG_PAGES_IDLE 1000
#define STORE_LIMIT_LOG_PAGES_BUSY 2000

/* Pages kept in memory, in KiB: the end of the journal, the owners and the devices in use. */
#define STORE_LIMIT_CACHE_KIB 16384

/* C10: appends stop while less than the smaller of these is free; marks and draining live on the rest. */
#define STORE_LIMIT_RESERVE_BYTES   (64ull * 1024 * 1024)
#define STORE_LIMIT_RESERVE_PERCENT 5
/* How long "disk full" is believed before it is looked at again: soon enough for people, rare enough for the disk. */
#define STORE_LIMIT_FULL_RECHECK_MS 1000

/* C9: the file is opened again at once after a failed sync, then after pauses that double up to the second number,
 * which is how long a healed disk may go unnoticed. */
#define STORE_LIMIT_REOPEN_FIRST_MS 100
#define STORE_LIMIT_REOPEN_MAX_MS   5000

/* C5: a duplicate key is kept for the message's life and at least 24 h, so its row is too. */
#define STORE_RETENTION_MS (24ll * 3600 * 1000)
/* C3: the server ends an expired entry with a mark. Only what it did not get to in this time is deleted without. */
#define STORE_EXPIRED_GRACE_MS (3600ll * 1000)

/* Rows that one step of the sweep looks at, each step one commit: a request that comes meanwhile waits a few ms. */
#define STORE_LIMIT_SWEEP_ROWS 1000
/* Pages that one step hands back to the file system, and how many free ones stay for new rows to reuse. */
#define STORE_LIMIT_VACUUM_PAGES 256
#define STORE_LIMIT_FREE_PAGES   1024
/* The sweep begins after the start's rush and then once an hour: what it does is counted in days. */
#define STORE_SWEEP_FIRST_MS    (60ull * 1000)
#define STORE_SWEEP_INTERVAL_MS (3600ull * 1000)
/* A store that is never idle still takes one step in this time, or the journal would only grow. */
#define STORE_SWEEP_BUSY_MS 5000ull

#endif
