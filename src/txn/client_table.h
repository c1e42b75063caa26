/* The client transaction machines as data. RFC 3261 §17.1.2.2. The INVITE machine (§17.1.1.2) will be a second table
 * beside this one. */
#ifndef TXN_CLIENT_TABLE_H
#define TXN_CLIENT_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum client_machine { CLIENT_NON_INVITE, CLIENT_MACHINES };

enum client_state {
    CLIENT_TRYING,
    CLIENT_PROCEEDING,
    CLIENT_FAILING, /* the first send failed inside client_txn_new: reported from the wheel, never from the call */
    CLIENT_COMPLETED,
    CLIENT_TERMINATED
};

enum client_event {
    CLIENT_RECEIVED_1XX,
    CLIENT_RECEIVED_FINAL,
    CLIENT_TIMER_E,
    CLIENT_TIMER_F,
    CLIENT_TIMER_K,
    CLIENT_TRANSPORT_ERROR,
};

enum client_action {
    CLIENT_RESEND_DOUBLE, /* send again; E doubles up to T2 */
    CLIENT_RESEND_T2,     /* send again; E is T2 from now on */
    CLIENT_PROVISION,     /* give the provisional response to the user */
    CLIENT_FINISH,        /* give the final response to the user, start Timer K */
    CLIENT_ABSORB,        /* a response that came again */
    CLIENT_REPORT_TIMEOUT,
    CLIENT_REPORT_TRANSPORT,
    CLIENT_END, /* forget it */
};

struct client_row {
    uint8_t state, event, action, next;
    const char *why; /* where it is written */
};

const struct client_row *client_table_rows(enum client_machine machine, size_t *ret_count);
/* NULL: the machine has no such event in that state. */
const struct client_row *client_table_find(enum client_machine machine, enum client_state state,
                                           enum client_event event);

#endif
