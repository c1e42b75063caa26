/* Rows of the client machines. */
#include "txn/client_table.h"

static const struct client_row non_invite[] = {
    {CLIENT_TRYING, CLIENT_RECEIVED_FINAL, CLIENT_FINISH, CLIENT_COMPLETED, "RFC 3261 §17.1.2.2"},
    {CLIENT_TRYING, CLIENT_RECEIVED_1XX, CLIENT_PROVISION, CLIENT_PROCEEDING, "RFC 3261 §17.1.2.2"},
    {CLIENT_TRYING, CLIENT_TIMER_E, CLIENT_RESEND_DOUBLE, CLIENT_TRYING, "RFC 3261 §17.1.2.2: MIN(2*E, T2)"},
    {CLIENT_TRYING, CLIENT_TIMER_F, CLIENT_REPORT_TIMEOUT, CLIENT_TERMINATED, "RFC 3261 §17.1.2.2: F is 64*T1"},
    {CLIENT_TRYING, CLIENT_TRANSPORT_ERROR, CLIENT_REPORT_TRANSPORT, CLIENT_TERMINATED, "RFC 3261 §17.1.4"},

    {CLIENT_PROCEEDING, CLIENT_RECEIVED_FINAL, CLIENT_FINISH, CLIENT_COMPLETED, "RFC 3261 §17.1.2.2"},
    {CLIENT_PROCEEDING, CLIENT_RECEIVED_1XX, CLIENT_PROVISION, CLIENT_PROCEEDING, "RFC 3261 §17.1.2.2"},
    {CLIENT_PROCEEDING, CLIENT_TIMER_E, CLIENT_RESEND_T2, CLIENT_PROCEEDING, "RFC 3261 §17.1.2.2: E is T2"},
    {CLIENT_PROCEEDING, CLIENT_TIMER_F, CLIENT_REPORT_TIMEOUT, CLIENT_TERMINATED, "RFC 3261 §17.1.2.2"},
    {CLIENT_PROCEEDING, CLIENT_TRANSPORT_ERROR, CLIENT_REPORT_TRANSPORT, CLIENT_TERMINATED, "RFC 3261 §17.1.4"},

    {CLIENT_FAILING, CLIENT_TIMER_F, CLIENT_REPORT_TRANSPORT, CLIENT_TERMINATED, "RFC 3261 §17.1.4, from the wheel"},

    {CLIENT_COMPLETED, CLIENT_RECEIVED_FINAL, CLIENT_ABSORB, CLIENT_COMPLETED, "RFC 3261 §17.1.2.2: buffers responses"},
    {CLIENT_COMPLETED, CLIENT_RECEIVED_1XX, CLIENT_ABSORB, CLIENT_COMPLETED, "RFC 3261 §17.1.2.2"},
    {CLIENT_COMPLETED, CLIENT_TIMER_K, CLIENT_END, CLIENT_TERMINATED, "RFC 3261 §17.1.2.2: K is T4, 0 if reliable"},
};

static const struct {
    const struct client_row *rows;
    size_t count;
} machines[CLIENT_MACHINES] = {
    [CLIENT_NON_INVITE] = {non_invite, sizeof non_invite / sizeof non_invite[0]},
};

const struct client_row *client_table_rows(enum client_machine machine, size_t *ret_count)
{
    *ret_count = machines[machine].count;
    return machines[machine].rows;
}

const struct client_row *client_table_find(enum client_machine machine, enum client_state state,
                                           enum client_event event)
{
    const struct client_row *rows = machines[machine].rows;
    for (size_t i = 0; i < machines[machine].count; i++) {
        if (rows[i].state == state && rows[i].event == event)
            return &rows[i];
    }
    return NULL;
}
