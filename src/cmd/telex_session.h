/* One account at work: who we are (options, stored accounts, environment), the agent, its host. */
#ifndef TELEX_SESSION_H
#define TELEX_SESSION_H

#include "cmd/telex_account.h"
#include "cmd/telex_host.h"
#include "cmd/telex_options.h"

struct telex_session {
    struct telex_ua *ua;
    struct telex_host host;
    struct telex_account account;
    struct telex_ua_callbacks callbacks;
    const char *command; /* name of the sub-command, for messages */
    char domain[256], server_host[256];
    char password[512];
    bool has_password, asked, signed_off;
    void *context; /* the command's */
};

struct telex_session_wants {
    bool instance;         /* the account's lasting +sip.instance: for commands that register */
    unsigned attempts_max; /* for one message */
};

/* Finds account, server and password, and makes the agent. Returns an exit code, with a message on standard error where
 * it is not TELEX_EXIT_OK; then there is nothing to close. The session must not move. Of `hears` only registration,
 * outcome and message are read; their first argument is the session. */
int telex_session_open(struct telex_session *s, const char *command, const struct telex_options *options,
                       const struct telex_session_wants *wants, const struct telex_ua_callbacks *hears, void *context);
void telex_session_close(struct telex_session *s);
/* "1001" is sip:1001@ours, "bob@example.com" gets its scheme; anything else is taken as it is. False: not a URI. */
bool telex_session_uri(const struct telex_session *s, const char *text, char *out, size_t size);
/* Takes the registration back and waits at most two seconds for it. */
void telex_session_sign_off(struct telex_session *s);
/* Milliseconds left until `deadline_ms` for telex_host_turn; 0 when it is over. */
int telex_session_left_ms(uint64_t deadline_ms);

#endif
