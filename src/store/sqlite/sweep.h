/* Retention: deletes rows that nobody needs any more, a bounded step at a time.
 *
 * An entry goes when it was accepted over STORE_RETENTION_MS ago (its duplicate key is needed that long, C5) and is
 * ended for every device and the heir, or expired STORE_EXPIRED_GRACE_MS ago; also when its account is gone. What is
 * owed and unexpired is never deleted. Exceptions go with their entries, free pages back to the file system.
 *
 * The sweep's clock (C12) follows the wall clock, but never runs faster than twice the monotonic one, and it lasts:
 * after a restart it goes on from where it was. So a jump of the wall clock, also one across a restart, deletes nothing
 * that an equal time of running would not; time switched off is caught up with in as much time switched on. */
#ifndef STORE_SQLITE_SWEEP_H
#define STORE_SQLITE_SWEEP_H

#include "store/sqlite/connection.h"

enum sweep_phase { SWEEP_ENTRIES, SWEEP_EXCEPTIONS, SWEEP_PAGES, SWEEP_RESTS };

struct sweep {
    enum sweep_phase phase;
    int64_t clock_ms;      /* what the sweep takes for the wall time */
    uint64_t clock_set_ms; /* monotonic */
    uint64_t due_ms;       /* monotonic: when the next round begins, while it rests */
    uint64_t step_ms;      /* monotonic: the last step */
    int64_t after[3];      /* where the phase has come to: id, or account, device, seq */
};

/* Reads the lasting clock, or starts it. Returns SQLITE_OK or SQLite's error. */
int sweep_init(struct sweep *s, struct connection *c, int64_t wall_ms, uint64_t mono_ms);
/* Monotonic milliseconds until a step is due; 0: now. A busy store waits longer between steps. */
uint64_t sweep_wait_ms(const struct sweep *s, uint64_t mono_ms, bool is_idle);
/* One step, one transaction. Returns SQLITE_OK or SQLite's error; then nothing happened and the step comes again. */
int sweep_step(struct sweep *s, struct connection *c, int64_t wall_ms, uint64_t mono_ms);

#endif
