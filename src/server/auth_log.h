/* The line for a failed login, stable for fail2ban: "auth-failed source=192.0.2.7:5060 user=alice
 * reason=wrong-password". Bounded: a flood of failures must not fill the disk. Ten lines a second after a burst of a
 * hundred; the next line that is written says how many were left out. Who floods is in the first lines, and that is
 * what bans it. */
#ifndef SERVER_AUTH_LOG_H
#define SERVER_AUTH_LOG_H

#include "base/clock.h"
#include "base/flow.h"

#define AUTH_LOG_BURST      100u
#define AUTH_LOG_PER_SECOND 10u

struct auth_log {
    struct clock *clock;
    uint64_t filled_ms;
    uint64_t tokens; /* thousandths */
    uint64_t left_out;
};

void auth_log_init(struct auth_log *l, struct clock *clock);
/* `user` as the client wrote it. */
void auth_log_failed(struct auth_log *l, const struct flow *flow, struct slice user, const char *reason,
                     struct slice call_id);
/* A REGISTER for a domain that is not ours: the line to add to the configuration. */
void auth_log_unknown_domain(struct auth_log *l, const struct flow *flow, struct slice host);

#endif
