/* The machines as data: every (state, event) pair of both tables, those that must not exist included. */
#include "support/rig.h"
#include "txn/client_table.h"
#include "txn/server_table.h"

#define NONE (-1)

struct want {
    int state, event, action, next; /* action NONE: no row */
};

static const struct want server_want[] = {
    {SERVER_TRYING, SERVER_RETRANSMISSION, SERVER_ABSORB, SERVER_TRYING},
    {SERVER_TRYING, SERVER_ANSWER_100, SERVER_SEND, SERVER_PROCEEDING},
    {SERVER_TRYING, SERVER_ANSWER_1XX, SERVER_ABSORB, SERVER_TRYING},
    {SERVER_TRYING, SERVER_ANSWER_408, SERVER_FINISH_SILENT, SERVER_COMPLETED},
    {SERVER_TRYING, SERVER_ANSWER_FINAL, SERVER_FINISH, SERVER_COMPLETED},
    {SERVER_TRYING, SERVER_TIMER_J, NONE, 0},
    {SERVER_PROCEEDING, SERVER_RETRANSMISSION, SERVER_RESEND, SERVER_PROCEEDING},
    {SERVER_PROCEEDING, SERVER_ANSWER_100, SERVER_SEND, SERVER_PROCEEDING},
    {SERVER_PROCEEDING, SERVER_ANSWER_1XX, SERVER_ABSORB, SERVER_PROCEEDING},
    {SERVER_PROCEEDING, SERVER_ANSWER_408, SERVER_FINISH_SILENT, SERVER_COMPLETED},
    {SERVER_PROCEEDING, SERVER_ANSWER_FINAL, SERVER_FINISH, SERVER_COMPLETED},
    {SERVER_PROCEEDING, SERVER_TIMER_J, NONE, 0},
    {SERVER_COMPLETED, SERVER_RETRANSMISSION, SERVER_RESEND, SERVER_COMPLETED},
    {SERVER_COMPLETED, SERVER_ANSWER_100, NONE, 0},
    {SERVER_COMPLETED, SERVER_ANSWER_1XX, NONE, 0},
    {SERVER_COMPLETED, SERVER_ANSWER_408, NONE, 0},
    {SERVER_COMPLETED, SERVER_ANSWER_FINAL, NONE, 0},
    {SERVER_COMPLETED, SERVER_TIMER_J, SERVER_END, SERVER_TERMINATED},
    {SERVER_TERMINATED, SERVER_RETRANSMISSION, NONE, 0},
    {SERVER_TERMINATED, SERVER_ANSWER_FINAL, NONE, 0},
    {SERVER_TERMINATED, SERVER_TIMER_J, NONE, 0},
};

static const struct want client_want[] = {
    {CLIENT_TRYING, CLIENT_RECEIVED_1XX, CLIENT_PROVISION, CLIENT_PROCEEDING},
    {CLIENT_TRYING, CLIENT_RECEIVED_FINAL, CLIENT_FINISH, CLIENT_COMPLETED},
    {CLIENT_TRYING, CLIENT_TIMER_E, CLIENT_RESEND_DOUBLE, CLIENT_TRYING},
    {CLIENT_TRYING, CLIENT_TIMER_F, CLIENT_REPORT_TIMEOUT, CLIENT_TERMINATED},
    {CLIENT_TRYING, CLIENT_TIMER_K, NONE, 0},
    {CLIENT_TRYING, CLIENT_TRANSPORT_ERROR, CLIENT_REPORT_TRANSPORT, CLIENT_TERMINATED},
    {CLIENT_PROCEEDING, CLIENT_RECEIVED_1XX, CLIENT_PROVISION, CLIENT_PROCEEDING},
    {CLIENT_PROCEEDING, CLIENT_RECEIVED_FINAL, CLIENT_FINISH, CLIENT_COMPLETED},
    {CLIENT_PROCEEDING, CLIENT_TIMER_E, CLIENT_RESEND_T2, CLIENT_PROCEEDING},
    {CLIENT_PROCEEDING, CLIENT_TIMER_F, CLIENT_REPORT_TIMEOUT, CLIENT_TERMINATED},
    {CLIENT_PROCEEDING, CLIENT_TIMER_K, NONE, 0},
    {CLIENT_PROCEEDING, CLIENT_TRANSPORT_ERROR, CLIENT_REPORT_TRANSPORT, CLIENT_TERMINATED},
    {CLIENT_FAILING, CLIENT_RECEIVED_1XX, NONE, 0},
    {CLIENT_FAILING, CLIENT_RECEIVED_FINAL, NONE, 0},
    {CLIENT_FAILING, CLIENT_TIMER_E, NONE, 0},
    {CLIENT_FAILING, CLIENT_TIMER_F, CLIENT_REPORT_TRANSPORT, CLIENT_TERMINATED},
    {CLIENT_FAILING, CLIENT_TRANSPORT_ERROR, NONE, 0},
    {CLIENT_COMPLETED, CLIENT_RECEIVED_1XX, CLIENT_ABSORB, CLIENT_COMPLETED},
    {CLIENT_COMPLETED, CLIENT_RECEIVED_FINAL, CLIENT_ABSORB, CLIENT_COMPLETED},
    {CLIENT_COMPLETED, CLIENT_TIMER_E, NONE, 0},
    {CLIENT_COMPLETED, CLIENT_TIMER_F, NONE, 0},
    {CLIENT_COMPLETED, CLIENT_TIMER_K, CLIENT_END, CLIENT_TERMINATED},
    {CLIENT_COMPLETED, CLIENT_TRANSPORT_ERROR, NONE, 0},
    {CLIENT_TERMINATED, CLIENT_RECEIVED_FINAL, NONE, 0},
    {CLIENT_TERMINATED, CLIENT_TIMER_F, NONE, 0},
    {CLIENT_TERMINATED, CLIENT_TRANSPORT_ERROR, NONE, 0},
};

static size_t rows_wanted(const struct want *want, size_t count)
{
    size_t rows = 0;
    for (size_t i = 0; i < count; i++)
        rows += want[i].action != NONE;
    return rows;
}

static void test_server(void **state)
{
    (void)state;
    size_t count = sizeof server_want / sizeof server_want[0], rows;
    for (size_t i = 0; i < count; i++) {
        const struct want *w = &server_want[i];
        const struct server_row *row = server_table_find(SERVER_NON_INVITE, (enum server_state)w->state,
                                                         (enum server_event)w->event);
        assert_int_equal(row ? row->action : NONE, w->action);
        if (row)
            assert_int_equal(row->next, w->next);
    }
    const struct server_row *all = server_table_rows(SERVER_NON_INVITE, &rows);
    assert_int_equal(rows, rows_wanted(server_want, count));
    for (size_t i = 0; i < rows; i++)
        assert_non_null(strstr(all[i].why, "RFC "));
}

static void test_client(void **state)
{
    (void)state;
    size_t count = sizeof client_want / sizeof client_want[0], rows;
    for (size_t i = 0; i < count; i++) {
        const struct want *w = &client_want[i];
        const struct client_row *row = client_table_find(CLIENT_NON_INVITE, (enum client_state)w->state,
                                                         (enum client_event)w->event);
        assert_int_equal(row ? row->action : NONE, w->action);
        if (row)
            assert_int_equal(row->next, w->next);
    }
    const struct client_row *all = client_table_rows(CLIENT_NON_INVITE, &rows);
    assert_int_equal(rows, rows_wanted(client_want, count));
    for (size_t i = 0; i < rows; i++)
        assert_non_null(strstr(all[i].why, "RFC "));
}

static void test_answer_events(void **state)
{
    (void)state;
    static const struct {
        uint16_t status;
        enum server_event event;
    } table[] = {
        {100, SERVER_ANSWER_100},   {101, SERVER_ANSWER_1XX},   {180, SERVER_ANSWER_1XX},   {199, SERVER_ANSWER_1XX},
        {200, SERVER_ANSWER_FINAL}, {202, SERVER_ANSWER_FINAL}, {407, SERVER_ANSWER_FINAL}, {408, SERVER_ANSWER_408},
        {409, SERVER_ANSWER_FINAL}, {699, SERVER_ANSWER_FINAL},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_int_equal(server_table_answer_event(table[i].status), table[i].event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server),
        cmocka_unit_test(test_client),
        cmocka_unit_test(test_answer_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
