/* CSeq and Call-ID. */
#include "sip/cseq.h"

#include "sip/call_id.h"
#include "support/check.h"

static void test_cseq(void **state)
{
    static const struct {
        const char *text, *method; /* NULL: malformed */
        uint32_t number;
    } rows[] = {
        {"1 MESSAGE", "MESSAGE", 1},
        {"0009\t INVITE", "INVITE", 9},
        {"2147483647 ACK", "ACK", 2147483647},
        {"1\r\n  x", "x", 1},
        {"2147483648 ACK", NULL, 0},
        {"4294967297 ACK", NULL, 0}, /* kam@24030e5: 1 in 32 bits */
        {"18446744073709551617 ACK", NULL, 0},
        {"36893488147419103232 REGISTER", NULL, 0},
        {"1", NULL, 0},
        {"1 ", NULL, 0},
        {"MESSAGE", NULL, 0},
        {"1MESSAGE", NULL, 0},
        {"1 MESSAGE x", NULL, 0},
        {"-1 MESSAGE", NULL, 0},
        {"+1 MESSAGE", NULL, 0},
        {"1 MES/SAGE", NULL, 0},
        {"", NULL, 0},
    };
    char large[200];
    uint32_t number = 7;
    struct slice method = SLICE("kept");
    size_t fault;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct guard guard = guard_copy(slice_str(rows[i].text));
        number = 7;
        int err = cseq_parse(guard.in, &number, &method, &fault);
        check_row(err == (rows[i].method != NULL ? ERR_NONE : ERR_MALFORMED), rows[i].text);
        check_row(number == (err == ERR_NONE ? rows[i].number : 7), rows[i].text);
        if (err == ERR_NONE)
            check_slice(method, rows[i].method);
        guard_free(&guard);
    }
    memset(large, 'A', sizeof(large));
    large[0] = '1';
    large[1] = ' ';
    assert_int_equal(cseq_parse(slice_make(large, CSEQ_LEN_MAX), &number, &method, &fault), ERR_NONE);
    assert_int_equal(cseq_parse(slice_make(large, CSEQ_LEN_MAX + 1), &number, &method, &fault), ERR_MALFORMED);
}

static void test_call_id(void **state)
{
    static const struct {
        const char *text;
        bool good;
        size_t fault;
    } rows[] = {
        {"a", true, 0},
        {"a@b", true, 0},
        {"0ha0isndaksdj@10.2.3.4", true, 0},
        {"a(b)<c>:\\\"/[]?{}@d", true, 0},
        {"", false, 0},
        {"@", false, 0},
        {"@b", false, 0},
        {"a@", false, 2},
        {"a@b@c", false, 3},
        {"a b", false, 1},
        {"a,b", false, 1},
        {"a;b", false, 1},
        {"a=b", false, 1},
        {"a\x01", false, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct guard guard = guard_copy(slice_str(rows[i].text));
        size_t fault = 0;
        check_row(call_id_check(guard.in, &fault) == rows[i].good, rows[i].text);
        check_row(rows[i].good || fault == rows[i].fault, rows[i].text);
        guard_free(&guard);
    }
    size_t fault;
    assert_false(call_id_check(slice_make("a\0b", 3), &fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cseq), cmocka_unit_test(test_call_id)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
