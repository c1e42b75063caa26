/* Which challenges are answered, and which are not. */
#include "support/lab.h"

#include <stdio.h>

#include "sip/digest.h"

static void each_hash_is_answered(void **state)
{
    (void)state;
    static const char *const algorithms[] = {"MD5", "SHA-256", "SHA-512-256"};
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        struct lab *l = lab_new(NULL);
        telex_ua_register(l->ua, 600);
        lab_expect_request(l, "REGISTER");
        assert_string_equal(lab_header(l, "Authorization"), "");
        lab_challenge_with(l, 401, "example.com", algorithms[i], ", opaque=\"o\"");
        lab_expect_request(l, "REGISTER");
        assert_true(lab_proves(l, "secret", 1));
        assert_false(lab_proves(l, "other", 1));
        assert_string_equal(lab_header(l, "CSeq"), "2 REGISTER");
        assert_non_null(strstr(lab_header(l, "Authorization"), "opaque=\"o\""));
        lab_answer(l, 200, "");
        assert_int_equal(l->registrations[0].state, TELEX_REGISTERED);
        lab_free(l);
    }
}

static void unknown_hash_first_is_passed_over(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    lab_send(l, "sip:bob@example.com", "hi");
    lab_expect_request(l, "MESSAGE");
    snprintf(l->nonce_text, sizeof l->nonce_text, "n2");
    lab_answer(l, 407,
               "Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA3-256, qop=\"auth\"\r\n"
               "Proxy-Authenticate: Basic realm=\"example.com\"\r\n"
               "Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"n2\", algorithm=SHA-256, qop=\"auth\"\r\n"
               "Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"n3\", algorithm=MD5, qop=\"auth\"\r\n");
    lab_expect_request(l, "MESSAGE");
    assert_true(lab_proves(l, "secret", 1));
    lab_free(l);
}

static void wrong_password_stops(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    telex_ua_register(l->ua, 600);
    lab_expect_request(l, "REGISTER");
    lab_challenge(l, 401, "example.com", NULL);
    lab_expect_request(l, "REGISTER");
    lab_challenge(l, 401, "example.com", NULL); /* not stale: rejected */
    assert_int_equal(l->registration_count, 1);
    assert_int_equal(l->registrations[0].state, TELEX_REGISTER_REFUSED);
    assert_int_equal(l->registrations[0].status, 401);
    lab_pass(l, 3600 * 1000);
    lab_expect_silence(l);
    lab_free(l);
}

static void stale_nonces_are_followed_twice_at_most(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    lab_send(l, "sip:bob@example.com", "hi");
    lab_expect_request(l, "MESSAGE");
    lab_challenge(l, 407, "example.com", NULL);
    lab_expect_request(l, "MESSAGE");
    lab_challenge(l, 407, "example.com", ", stale=true");
    lab_expect_request(l, "MESSAGE");
    assert_true(lab_proves(l, "secret", 1)); /* the new nonce counts anew */
    lab_challenge(l, 407, "example.com", ", stale=true");
    lab_expect_silence(l);
    assert_int_equal(l->outcome_count, 1);
    assert_int_equal(l->outcomes[0].result.outcome, TELEX_REFUSED);
    assert_int_equal(l->outcomes[0].result.status, 407);
    lab_free(l);
}

static void known_nonce_is_used_ahead_and_counted(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    lab_send(l, "sip:bob@example.com", "1");
    lab_send(l, "sip:bob@example.com", "2");
    lab_send(l, "sip:bob@example.com", "3");
    lab_expect_request(l, "MESSAGE");
    lab_challenge(l, 407, "example.com", NULL);
    lab_expect_request(l, "MESSAGE");
    lab_answer(l, 200, "");
    lab_expect_request(l, "MESSAGE");
    assert_true(lab_proves(l, "secret", 2));
    lab_answer(l, 200, "");
    lab_expect_request(l, "MESSAGE");
    assert_true(lab_proves(l, "secret", 3));
    /* A nonce from before this request may have died without the word stale. */
    lab_challenge(l, 407, "example.com", NULL);
    lab_expect_request(l, "MESSAGE");
    assert_true(lab_proves(l, "secret", 1));
    lab_answer(l, 200, "");
    assert_int_equal(l->outcome_count, 3);
    lab_free(l);
}

static void no_qop_is_answered_the_old_way(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    lab_send(l, "sip:bob@example.com", "1");
    lab_expect_request(l, "MESSAGE");
    snprintf(l->nonce_text, sizeof l->nonce_text, "n");
    lab_answer(l, 407, "Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"n\"\r\n");
    lab_expect_request(l, "MESSAGE");
    assert_true(lab_proves(l, "secret", 0));
    assert_null(strstr(lab_header(l, "Proxy-Authorization"), "cnonce"));
    lab_free(l);
}

/* Defects row 4 (CVE-2021-41158): a peer on the way asks for the proof of our password. */
static void foreign_realms_get_nothing(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *realm;
    } cases[] = {{407, "evil.example"}, {401, "evil.example"}, {407, ""}, {407, "example.com.evil.example"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab *l = lab_new(NULL);
        lab_send(l, "sip:bob@evil.example", "hi");
        lab_expect_request(l, "MESSAGE");
        lab_challenge(l, cases[i].status, cases[i].realm, NULL);
        lab_expect_silence(l);
        assert_int_equal(l->outcome_count, 1);
        assert_int_equal(l->outcomes[0].result.outcome, TELEX_REFUSED);
        assert_int_equal(l->outcomes[0].result.status, cases[i].status);
        lab_free(l);
    }
}

/* A registrar may call its realm as it likes, and says so in answer to a REGISTER; then only that one counts. */
static void realm_of_the_registrar_is_learned_once(void **state)
{
    (void)state;
    struct lab *l = lab_new(NULL);
    telex_ua_register(l->ua, 600);
    lab_expect_request(l, "REGISTER");
    lab_challenge(l, 401, "asterisk", NULL);
    lab_expect_request(l, "REGISTER");
    assert_true(lab_proves(l, "secret", 1));
    lab_answer(l, 200, "");
    lab_send(l, "sip:bob@example.com", "hi");
    lab_expect_request(l, "MESSAGE");
    assert_string_equal(lab_header(l, "Authorization"), ""); /* a MESSAGE has its own nonces */
    lab_challenge(l, 401, "asterisk", NULL);
    lab_expect_request(l, "MESSAGE");
    assert_true(lab_proves(l, "secret", 1));
    lab_answer(l, 200, "");
    telex_ua_register(l->ua, 600);
    lab_expect_request(l, "REGISTER");
    lab_challenge(l, 401, "another", NULL);
    lab_expect_silence(l);
    lab_free(l);
}

static void set_realm(struct telex_ua_config *c)
{
    c->realm = "fixed";
}

static void configured_realm_is_the_only_one(void **state)
{
    (void)state;
    static const struct {
        const char *realm;
        bool answered;
    } cases[] = {{"fixed", true}, {"Fixed", false}, {"example.com", false}, {"asterisk", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab *l = lab_new(set_realm);
        telex_ua_register(l->ua, 600);
        lab_expect_request(l, "REGISTER");
        lab_challenge(l, 401, cases[i].realm, NULL);
        if (cases[i].answered)
            lab_expect_request(l, "REGISTER");
        else
            lab_expect_silence(l);
        lab_free(l);
    }
}

static void drop_password(struct telex_ua_config *c)
{
    c->password = NULL;
}

static void without_a_password_the_answer_stands(void **state)
{
    (void)state;
    struct lab *l = lab_new(drop_password);
    telex_ua_register(l->ua, 600);
    lab_expect_request(l, "REGISTER");
    lab_challenge(l, 401, "example.com", NULL);
    lab_expect_silence(l);
    assert_int_equal(l->registrations[0].state, TELEX_REGISTER_REFUSED);
    lab_free(l);
}

static void escape_user(struct telex_ua_config *c)
{
    c->aor = "sip:j%40n@example.com";
}

static void user_is_bare_in_credentials(void **state)
{
    (void)state;
    struct lab *l = lab_new(escape_user);
    telex_ua_register(l->ua, 600);
    lab_expect_request(l, "REGISTER");
    lab_challenge(l, 401, "example.com", NULL);
    lab_expect_request(l, "REGISTER");
    assert_non_null(strstr(lab_header(l, "Authorization"), "username=\"j@n\""));
    assert_true(lab_proves(l, "secret", 1));
    lab_free(l);
}

static void broken_challenges_get_nothing(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "",
        "Proxy-Authenticate: Digest\r\n",
        "Proxy-Authenticate: Digest realm=\"example.com\"\r\n",
        "Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"a\", nonce=\"b\"\r\n",
        "Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"a\r\n",
        "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"a\"\r\n", /* belongs to 401 */
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct lab *l = lab_new(NULL);
        lab_send(l, "sip:bob@example.com", "hi");
        lab_expect_request(l, "MESSAGE");
        lab_answer(l, 407, headers[i]);
        lab_expect_silence(l);
        assert_int_equal(l->outcomes[0].result.status, 407);
        lab_free(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_hash_is_answered),
        cmocka_unit_test(unknown_hash_first_is_passed_over),
        cmocka_unit_test(wrong_password_stops),
        cmocka_unit_test(stale_nonces_are_followed_twice_at_most),
        cmocka_unit_test(known_nonce_is_used_ahead_and_counted),
        cmocka_unit_test(no_qop_is_answered_the_old_way),
        cmocka_unit_test(foreign_realms_get_nothing),
        cmocka_unit_test(realm_of_the_registrar_is_learned_once),
        cmocka_unit_test(configured_realm_is_the_only_one),
        cmocka_unit_test(without_a_password_the_answer_stands),
        cmocka_unit_test(user_is_bare_in_credentials),
        cmocka_unit_test(broken_challenges_get_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
