/* Who is believed without proof, and what name he gets. */
#include "server/auth_identity.h"

#include <stdio.h>

#include "support/auth_rig.h"

/* Without credentials, by address alone. */
struct trust_row {
    const char *what;
    struct auth_rig_request q;
    enum auth_kind kind;
    uint16_t status;
    const char *sender;
    bool has_account;
};

static const struct trust_row trusts[] = {
    {"trusted, one of ours", {.source = LAB_TRUSTED}, AUTH_TRUSTED, 0, "sip:alice@example.com", true},
    {"trusted, another port", {.source = "192.0.2.99:40000"}, AUTH_TRUSTED, 0, "sip:alice@example.com", true},
    {"trusted, not an account",
     {.source = LAB_TRUSTED, .from = "<sip:100@example.com>"},
     AUTH_TRUSTED,
     0,
     "sip:100@example.com",
     false},
    {"trusted, foreign",
     {.source = LAB_TRUSTED, .from = "<sip:x@Example.NET:5070;a=b>"},
     AUTH_TRUSTED,
     0,
     "sip:x@example.net",
     false},
    {"trusted, tel", {.source = LAB_TRUSTED, .from = "<tel:+4930123456>"}, AUTH_TRUSTED, 0, "tel:+4930123456", false},
    {"trusted, asserted",
     {.source = LAB_TRUSTED, .lines = "P-Asserted-Identity: \"B\" <sip:bob@example.com>\r\n"},
     AUTH_TRUSTED,
     0,
     "sip:bob@example.com",
     true},
    {"trusted, asserted sip before tel",
     {.source = LAB_TRUSTED, .lines = "P-Asserted-Identity: <tel:+1>, <sip:bob@example.com>\r\n"},
     AUTH_TRUSTED,
     0,
     "sip:bob@example.com",
     true},
    {"trusted, asserted tel alone",
     {.source = LAB_TRUSTED, .lines = "P-Asserted-Identity: <tel:+1>\r\n"},
     AUTH_TRUSTED,
     0,
     "tel:+1",
     false},
    {"trusted, preferred is ignored",
     {.source = LAB_TRUSTED, .lines = "P-Preferred-Identity: <sip:bob@example.com>\r\n"},
     AUTH_TRUSTED,
     0,
     "sip:alice@example.com",
     true},
    {"trusted REGISTER",
     {.source = LAB_TRUSTED, .method = "REGISTER", .from = "<sip:pbx@example.net>"},
     AUTH_TRUSTED,
     0,
     "sip:bob@example.com",
     true},
    {"trusted REGISTER of nobody",
     {.source = LAB_TRUSTED, .method = "REGISTER", .to = "<sip:x@example.com>"},
     AUTH_REFUSED,
     404,
     NULL,
     false},
    {"hop, foreign", {.source = LAB_HOP, .from = "<sip:x@example.net>"}, AUTH_HOP, 0, "sip:x@example.net", false},
    {"hop, of whatever domain",
     {.source = LAB_HOP, .from = "<sip:x@example.edu>"},
     AUTH_HOP,
     0,
     "sip:x@example.edu",
     false},
    {"hop, one of ours is challenged", {.source = LAB_HOP}, AUTH_CHALLENGE, 407, NULL, false},
    {"hop, REGISTER is challenged", {.source = LAB_HOP, .method = "REGISTER"}, AUTH_CHALLENGE, 401, NULL, false},
    {"relay is challenged", {.source = LAB_RELAY}, AUTH_CHALLENGE, 407, NULL, false},
    {"relay, foreign, is challenged",
     {.source = LAB_RELAY, .from = "<sip:x@example.net>"},
     AUTH_CHALLENGE,
     407,
     NULL,
     false},
    {"stranger, foreign", {.source = STRANGER, .from = "<sip:x@example.net>"}, AUTH_REFUSED, 403, NULL, false},
    {"stranger, tel", {.source = STRANGER, .from = "<tel:+1>"}, AUTH_REFUSED, 403, NULL, false},
    {"stranger asserts",
     {.source = STRANGER, .lines = "P-Asserted-Identity: <sip:alice@example.com>\r\n"},
     AUTH_CHALLENGE,
     407,
     NULL,
     false},
    {"stranger, our address in v6 clothes", {.source = "[2001:db8::99]:5060"}, AUTH_CHALLENGE, 407, NULL, false},
    {"REGISTER at a foreign domain",
     {.method = "REGISTER", .to = "<sip:alice@example.net>"},
     AUTH_REFUSED,
     404,
     NULL,
     false},
    {"REGISTER of a number", {.method = "REGISTER", .to = "<tel:+1>"}, AUTH_REFUSED, 400, NULL, false},
};

static void test_trust(void **state)
{
    struct auth_rig *r = *state;
    for (size_t i = 0; i < sizeof trusts / sizeof trusts[0]; i++) {
        const struct trust_row *t = &trusts[i];
        if (auth_rig_ask(r, &t->q) != t->kind || r->result.status != t->status)
            fail_msg("%s: kind %d status %d", t->what, r->result.kind, r->result.status);
        if (t->sender && (strcmp(r->result.sender, t->sender) != 0 || r->result.sender_len != strlen(t->sender)))
            fail_msg("%s: %s", t->what, r->result.sender);
        if (t->has_account != (r->result.account != 0))
            fail_msg("%s: account %lld", t->what, (long long)r->result.account);
    }
}

static void test_sender_too_long(void **state)
{
    struct auth_rig *r = *state;
    char from[400];
    (void)snprintf(from, sizeof from, "<sip:%0300d@example.net>", 7);
    assert_int_equal(auth_rig_ask(r, &(struct auth_rig_request){.source = LAB_TRUSTED, .from = from}), AUTH_REFUSED);
    assert_int_equal(r->result.status, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_trust, auth_rig_setup, auth_rig_teardown),
        cmocka_unit_test_setup_teardown(test_sender_too_long, auth_rig_setup, auth_rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
