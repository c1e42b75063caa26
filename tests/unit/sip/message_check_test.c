/* What makes a well-formed message wrong: one fault in a good message each. */
#include "sip/message.h"

#include "support/check.h"

/* The fields of a good REGISTER or MESSAGE; a row replaces the one of its name, or adds to them. */
static const char *const fields[][2] = {
    {"Via", "SIP/2.0/UDP h;branch=z9hG4bK1"},
    {"From", "<sip:a@h>;tag=1"},
    {"To", "<sip:a@h>"},
    {"Call-ID", "c"},
    {"CSeq", "1 MESSAGE"},
    {"Max-Forwards", "70"},
};

static void build(struct buf *out, const char *line, const char *name, const char *value)
{
    bool replaced = false;
    buf_reset(out);
    buf_printf(out, "%s\r\n", line);
    for (size_t i = 0; i < COUNT(fields); i++) {
        bool same = strcmp(fields[i][0], name) == 0;
        replaced = replaced || same;
        if (!same || value != NULL)
            buf_printf(out, "%s: %s\r\n", fields[i][0], same ? value : fields[i][1]);
    }
    if (!replaced)
        buf_printf(out, "%s: %s\r\n", name, value);
    buf_append_str(out, "\r\n");
}

static int check(struct buf *text, struct message_fault *ret_fault)
{
    struct message m;
    struct guard guard = guard_copy(buf_slice(text));
    int err = message_parse(guard.in, &m, ret_fault);
    if (err == ERR_NONE)
        err = message_check(&m, ret_fault);
    guard_free(&guard);
    return err;
}

static const struct {
    const char *name, *value; /* NULL: left out */
    const char *reason;       /* NULL: good */
} rows[] = {
    {"X", "y", NULL},
    {"Via", NULL, "Missing Via"},
    {"From", NULL, "Missing From"},
    {"To", NULL, "Missing To"},
    {"Call-ID", NULL, "Missing Call-ID"},
    {"CSeq", NULL, "Missing CSeq"},
    {"Max-Forwards", NULL, NULL}, /* a proxy adds it, §16.6 step 3 */
    {"Via", "SIP/2.0/UDP h;branch=z9hG4bK1, SIP/2.0/TCP [::1]", NULL},
    {"Via", "SIP/2.0/UDP h;branch=z9hG4bK1,", "Bad Via"},
    {"Via", "SIP/2.0/UDP h;branch=z9hG4bK1, x", "Bad Via"},
    {"Via", "", "Bad Via"},
    {"Via", "SIP/2.0/UDP h", "Missing Via Branch"},
    {"From", "<sip:a@h>", NULL}, /* RFC 2543 */
    {"From", "*", "Bad From"},
    {"From", "<sip:a@h>, <sip:b@h>", "Bad From"},
    {"From", "<sip:a@h>;tag=1;tag=2", "Bad From"},
    {"From", "", "Bad From"},
    {"To", "\"open <sip:a@h>", "Bad To"},
    {"Call-ID", "a b", "Bad Call-ID"},
    {"Call-ID", "", "Bad Call-ID"},
    {"CSeq", "1 REGISTER", "Bad CSeq"},
    {"CSeq", "1 message", "Bad CSeq"},
    {"CSeq", "2147483648 MESSAGE", "Bad CSeq"},
    {"f", "<sip:a@h>", "Field Repeated"},
    {"i", "other", "Field Repeated"},
    {"CSEQ", "1 MESSAGE", "Field Repeated"},
    {"Max-Forwards", "0", NULL},
    {"Max-Forwards", "255", NULL},
    {"Max-Forwards", "256", "Bad Max-Forwards"},
    {"Max-Forwards", "4294967297", "Bad Max-Forwards"},
    {"Max-Forwards", "-1", "Bad Max-Forwards"},
    {"Max-Forwards", "", "Bad Max-Forwards"},
    {"Expires", "4294967296000", NULL},
    {"Expires", "-1", "Bad Expires"},
    {"Expires", "", "Bad Expires"},
    {"Max-Breadth", "60", NULL},
    {"Max-Breadth", "x", "Bad Max-Breadth"},
    {"Contact", "*", NULL},
    {"Contact", "<sip:a@h>;expires=x", NULL}, /* §10.2.1.1: the registrar's default */
    {"Contact", "*, <sip:a@h>", "Bad Contact"},
    {"Contact", "<sip:a@h>, *", "Bad Contact"},
    {"Contact", "", "Bad Contact"},
    {"Contact", "sip:a@h?x=y", "Bad Contact"},
    {"Contact: *\r\nContact", "<sip:a@h>", "Bad Contact"},
    {"Route", "<sip:h;lr>,<sip:h2>", NULL},
    {"Route", "sip:h;lr", "Bad Route"},
    {"Path", "<sip:h", "Bad Path"},
    {"Record-Route", "x", "Bad Record-Route"},
    {"P-Asserted-Identity", "\"A\" <sip:a@h>, tel:+1", NULL},
    {"P-Asserted-Identity", "a@h", "Bad P-Asserted-Identity"},
    {"P-Preferred-Identity", "<>", "Bad P-Preferred-Identity"},
    {"Require", "a, b", NULL},
    {"Require", "", "Bad Require"},
    {"Require", "a,,b", "Bad Require"},
    {"Proxy-Require", "a b", "Bad Proxy-Require"},
    {"Content-Type", "text", "Bad Content-Type"},
    {"Content-Type", "text/plain, text/html", "Bad Content-Type"},
    {"Content-Length", "0", NULL},
    {"Content-Length: 0\r\nl", "0", "Field Repeated"},
    {"Date", "yesterday", NULL},               /* ignored */
    {"Authorization", "Digest rubbish", NULL}, /* judged where it is read */
    {"Subject: a\r\ns", "b", NULL},
};

static void test_requests(void **state)
{
    struct buf text;
    (void)state;
    buf_init(&text, 4000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct message_fault fault = {0};
        build(&text, "MESSAGE sip:b@h SIP/2.0", rows[i].name, rows[i].value);
        int err = check(&text, &fault);
        if (rows[i].reason == NULL) {
            check_row(err == ERR_NONE, rows[i].name);
        } else {
            check_row(err == ERR_MALFORMED && fault.status == 400, rows[i].name);
            check_row(strcmp(fault.reason, rows[i].reason) == 0, rows[i].name);
            check_row(fault.offset <= text.len, rows[i].name);
        }
        /* As ACK the same is dropped without a word; of a response only the core matters. */
        build(&text, "ACK sip:b@h SIP/2.0", rows[i].name, rows[i].value);
        if (check(&text, &fault) != ERR_NONE)
            check_row(fault.status == 0, rows[i].name);
        build(&text, "SIP/2.0 200 OK", rows[i].name, rows[i].value);
        if (check(&text, &fault) != ERR_NONE)
            check_row(fault.status == 0, rows[i].name);
    }
    buf_deinit(&text);
}

static void test_lines(void **state)
{
    static const struct {
        const char *line, *name, *value;
        bool good;
    } cases[] = {
        {"MESSAGE sip:b@h SIP/2.0", "X", "y", true},
        {"MESSAGE urn:x SIP/2.0", "X", "y", true}, /* 416 is the server's */
        {"MESSAGE <sip:b@h> SIP/2.0", "X", "y", false},
        {"MESSAGE sip: SIP/2.0", "X", "y", false},
        {"MESSAGE sip:b@h?Route=x SIP/2.0", "X", "y", false},
        {"MESSAGE sip:b\x01@h SIP/2.0", "X", "y", false},
        {"MESSAGE b SIP/2.0", "X", "y", false},
        {"REGISTER sip:h SIP/2.0", "CSeq", "1 REGISTER", true},
        {"SIP/2.0 200 OK", "X", "y", true},
        {"SIP/2.0 200 OK", "Contact", "rubbish", true},
        {"SIP/2.0 200 OK", "Max-Forwards", "x", true},
        {"SIP/2.0 200 OK", "CSeq", "1 OTHER", true},
        {"SIP/2.0 200 OK", "Via", "x", false},
        {"SIP/2.0 200 OK", "Call-ID", NULL, false},
        {"SIP/2.0 200 OK", "CSeq", "9292394834772304023312 OPTIONS", false}, /* RFC 4475 scalarlg */
    };
    struct buf text;
    (void)state;
    buf_init(&text, 4000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct message_fault fault;
        build(&text, cases[i].line, cases[i].name, cases[i].value);
        check_row((check(&text, &fault) == ERR_NONE) == cases[i].good, cases[i].line);
    }
    /* §20.15, and a branch is asked for only where RFC 2543 did not define the method */
    struct message_fault fault;
    build(&text, "MESSAGE sip:b@h SIP/2.0", "X", "y");
    buf_append_str(&text, "body");
    assert_int_equal(check(&text, &fault), ERR_MALFORMED);
    assert_string_equal(fault.reason, "Missing Content-Type");
    build(&text, "MESSAGE sip:b@h SIP/2.0", "Content-Type", "text/plain");
    buf_append_str(&text, "body");
    assert_int_equal(check(&text, &fault), ERR_NONE);
    buf_reset(&text);
    buf_append_str(&text, "OPTIONS sip:b@h SIP/2.0\r\nv: SIP/2.0/UDP h\r\nf: sip:a@h\r\nt: sip:b@h\r\ni: c\r\n"
                          "CSeq: 1 OPTIONS\r\n\r\n");
    assert_int_equal(check(&text, &fault), ERR_NONE);
    buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_requests), cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
