/* Rows of the server machines. */
#include "txn/server_table.h"

static const struct server_row non_invite[] = {
    /* state            event                  action                next */
    {SERVER_TRYING, SERVER_RETRANSMISSION, SERVER_ABSORB, SERVER_TRYING, "RFC 3261 §17.2.2: discarded while Trying"},
    {SERVER_TRYING, SERVER_ANSWER_100, SERVER_SEND, SERVER_PROCEEDING, "RFC 3261 §17.2.2"},
    {SERVER_TRYING, SERVER_ANSWER_1XX, SERVER_ABSORB, SERVER_TRYING, "RFC 4320 §4.1: no provisional but 100"},
    {SERVER_TRYING, SERVER_ANSWER_408, SERVER_FINISH_SILENT, SERVER_COMPLETED, "RFC 4320 §4.2: no 408"},
    {SERVER_TRYING, SERVER_ANSWER_FINAL, SERVER_FINISH, SERVER_COMPLETED, "RFC 3261 §17.2.2"},

    {SERVER_PROCEEDING, SERVER_RETRANSMISSION, SERVER_RESEND, SERVER_PROCEEDING, "RFC 3261 §17.2.2: the last one sent"},
    {SERVER_PROCEEDING, SERVER_ANSWER_100, SERVER_SEND, SERVER_PROCEEDING, "RFC 3261 §17.2.2"},
    {SERVER_PROCEEDING, SERVER_ANSWER_1XX, SERVER_ABSORB, SERVER_PROCEEDING, "RFC 4320 §4.1: no provisional but 100"},
    {SERVER_PROCEEDING, SERVER_ANSWER_408, SERVER_FINISH_SILENT, SERVER_COMPLETED, "RFC 4320 §4.2: no 408"},
    {SERVER_PROCEEDING, SERVER_ANSWER_FINAL, SERVER_FINISH, SERVER_COMPLETED, "RFC 3261 §17.2.2"},

    {SERVER_COMPLETED, SERVER_RETRANSMISSION, SERVER_RESEND, SERVER_COMPLETED, "RFC 3261 §17.2.2"},
    {SERVER_COMPLETED, SERVER_TIMER_J, SERVER_END, SERVER_TERMINATED, "RFC 3261 §17.2.2: J is 64*T1, 0 if reliable"},
};

static const struct {
    const struct server_row *rows;
    size_t count;
} machines[SERVER_MACHINES] = {
    [SERVER_NON_INVITE] = {non_invite, sizeof non_invite / sizeof non_invite[0]},
};

const struct server_row *server_table_rows(enum server_machine machine, size_t *ret_count)
{
    *ret_count = machines[machine].count;
    return machines[machine].rows;
}

const struct server_row *server_table_find(enum server_machine machine, enum server_state state,
                                           enum server_event event)
{
    const struct server_row *rows = machines[machine].rows;
    for (size_t i = 0; i < machines[machine].count; i++) {
        if (rows[i].state == state && rows[i].event == event)
            return &rows[i];
    }
    return NULL;
}

enum server_event server_table_answer_event(uint16_t status)
{
    if (status == 100)
        return SERVER_ANSWER_100;
    if (status < 200)
        return SERVER_ANSWER_1XX;
    return status == 408 ? SERVER_ANSWER_408 : SERVER_ANSWER_FINAL;
}
