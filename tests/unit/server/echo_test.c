/* echo@ every own domain: what it sends back, and to whom. */
#include "server/echo.h"

#include <stdio.h>
#include <string.h>

#include "support/post.h"

struct echo {
    const char *what;
    struct post_message message;
    const char *back; /* NULL: nothing */
    const char *type;
};

#define ECHO       "sip:echo@example.com"
#define CPIM(type) "From: <sip:a@b>\r\nTo: <sip:b@b>\r\n\r\nContent-Type: " type "\r\n\r\ninner"

static const struct echo echoes[] = {
    {"text", {.to = ECHO, .body = "what I wrote"}, "what I wrote", "text/plain"},
    {"any type", {.to = ECHO, .type = "x/y;a=b", .body = "1"}, "1", "x/y;a=b"},
    {"the other domain's", {.to = "sip:echo@example.org"}, "hello", "text/plain"},
    {"by alias and case", {.to = "sip:ECHO@old.example.com"}, "hello", "text/plain"},
    {"the inner part of CPIM", {.to = ECHO, .type = "message/cpim", .body = CPIM("text/html")}, "inner", "text/html"},
    {"nothing", {.to = ECHO, .type = "", .body = ""}, "", NULL},
    {"a receipt", {.to = ECHO, .type = "message/imdn+xml"}, NULL, NULL},
    {"a receipt in CPIM", {.to = ECHO, .type = "message/cpim", .body = CPIM("message/imdn+xml")}, NULL, NULL},
    {"typing", {.to = ECHO, .type = "application/im-iscomposing+xml"}, NULL, NULL},
    {"what it cannot read", {.to = ECHO, .extra = "Content-Encoding: deflate\r\n"}, NULL, NULL},
    {"a sender that is none of ours", {.to = ECHO, .from = "sip:x@example.net"}, NULL, NULL},
};

static void test_echoes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof echoes / sizeof echoes[0]; i++) {
        const struct echo *e = &echoes[i];
        struct lab *lab = lab_new((unsigned)(1 + i % 3));
        post_register(lab, &(struct post_phone){.user = "alice"});
        const char *branch = post_send(lab, &e->message);
        assert_int_equal(post_status(lab, branch), 200);
        const struct lab_sent *r = post_request(lab, PHONE_A, 0);
        if (!r != !e->back || (r && strcmp(post_body(r), e->back) != 0))
            fail_msg("%s: %s", e->what, r ? r->text : "nothing");
        if (r && e->type) {
            char line[64];
            (void)snprintf(line, sizeof line, "\r\nContent-Type: %s\r\n", e->type);
            assert_non_null(strstr(r->text, line));
        }
        lab_free(lab);
    }
}

static void test_it_is_a_message_of_its_own(void **state)
{
    struct lab *lab = lab_new(2);
    (void)state;
    post_register(lab, &(struct post_phone){.user = "alice"});
    (void)post_send(lab, &(struct post_message){.to = ECHO, .call_id = "mine"});
    const struct lab_sent *r = post_request(lab, PHONE_A, 0);
    assert_non_null(strstr(r->text, "\r\nFrom: <" ECHO ">;tag="));
    assert_non_null(strstr(r->text, "\r\nTo: <" ALICE ">\r\n"));
    assert_non_null(strstr(r->text, "\r\nDate: "));
    assert_non_null(strstr(r->text, "\r\nMax-Forwards: 70\r\n"));
    assert_null(strstr(r->text, "mine"));
    post_answer(lab, r, 200);
    lab_free(lab);
}

static void test_it_waits_for_who_is_away(void **state)
{
    struct lab *lab = lab_new(2);
    (void)state;
    const char *branch = post_send(lab, &(struct post_message){.to = ECHO});
    assert_int_equal(post_status(lab, branch), 200);
    assert_int_equal(lab_account(lab, ALICE)->entry_count, 1);
    post_register(lab, &(struct post_phone){.user = "alice"});
    lab_advance(lab, LIMIT_DRAIN_AFTER_REGISTER_MS);
    post_answer(lab, post_request(lab, PHONE_A, 0), 200);
    assert_int_equal(lab_account(lab, ALICE)->entry_count, 0);
    lab_free(lab);
}

static void test_an_account_of_that_name_comes_first(void **state)
{
    struct lab *lab = lab_new(2);
    (void)state;
    (void)lab_add_account(lab, ECHO, "secret", NULL);
    const char *branch = post_send(lab, &(struct post_message){.to = ECHO});
    assert_int_equal(post_status(lab, branch), 202);
    lab_free(lab);
}

static void test_not_without_credentials(void **state)
{
    struct lab *lab = lab_new(2);
    (void)state;
    const char *branch = post_send(lab, &(struct post_message){.to = ECHO, .source = PHONE_A});
    assert_int_equal(post_status(lab, branch), 407);
    lab_free(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echoes),
        cmocka_unit_test(test_it_is_a_message_of_its_own),
        cmocka_unit_test(test_it_waits_for_who_is_away),
        cmocka_unit_test(test_an_account_of_that_name_comes_first),
        cmocka_unit_test(test_not_without_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
