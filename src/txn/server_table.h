/* The server transaction machines as data. RFC 3261 §17.2.2 with the corrections of RFC 4320. The INVITE machine
 * (§17.2.1) will be a second table with states and events of its own beside these. */
#ifndef TXN_SERVER_TABLE_H
#define TXN_SERVER_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum server_machine { SERVER_NON_INVITE, SERVER_MACHINES };

enum server_state { SERVER_TRYING, SERVER_PROCEEDING, SERVER_COMPLETED, SERVER_TERMINATED };

enum server_event {
    SERVER_RETRANSMISSION, /* the request came again */
    SERVER_ANSWER_100,     /* the user's answers, by what RFC 4320 tells apart */
    SERVER_ANSWER_1XX,
    SERVER_ANSWER_408,
    SERVER_ANSWER_FINAL,
    SERVER_TIMER_J,
};

enum server_action {
    SERVER_ABSORB,        /* nothing */
    SERVER_SEND,          /* send the provisional answer and keep it for retransmissions */
    SERVER_RESEND,        /* the answer once more */
    SERVER_FINISH,        /* send the final answer, shrink, start Timer J */
    SERVER_FINISH_SILENT, /* shrink without an answer, start Timer J */
    SERVER_END,           /* forget it */
};

struct server_row {
    uint8_t state, event, action, next;
    const char *why; /* where it is written */
};

const struct server_row *server_table_rows(enum server_machine machine, size_t *ret_count);
/* NULL: the machine has no such event in that state. */
const struct server_row *server_table_find(enum server_machine machine, enum server_state state,
                                           enum server_event event);
/* The event that an answer of the user is. */
enum server_event server_table_answer_event(uint16_t status);

#endif
