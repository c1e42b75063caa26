/* Digest: challenges, proofs, stale nonces, replays, the log of failures. */
#include "server/auth.h"

#include <stdio.h>

#include "support/auth_rig.h"

static void assert_sender(const struct auth_rig *r, const char *aor)
{
    assert_int_equal(r->result.sender_len, strlen(aor));
    assert_string_equal(r->result.sender, aor);
}

struct proof_row {
    const char *what;
    struct auth_rig_request q;
    struct auth_rig_answer t;
    enum auth_kind kind;
    uint16_t status;
    const char *reason; /* in the log; NULL: no line */
};

static const struct proof_row proofs[] = {
    {"plain", {0}, {0}, AUTH_ACCOUNT, 0, NULL},
    {"user@domain", {0}, {.username = "alice@example.com"}, AUTH_ACCOUNT, 0, NULL},
    {"WWW header on a MESSAGE", {0}, {.field = "Authorization"}, AUTH_ACCOUNT, 0, NULL},
    {"From at an alias", {.from = "<sip:alice@old.example.com>"}, {0}, AUTH_ACCOUNT, 0, NULL},
    {"From at our address", {.from = "\"A\" <sip:alice@192.0.2.1:5060>"}, {0}, AUTH_ACCOUNT, 0, NULL},
    {"From escaped", {.from = "<sip:%61lice@example.com>"}, {0}, AUTH_ACCOUNT, 0, NULL},
    {"REGISTER",
     {.method = "REGISTER", .to = "<sip:alice@example.com>"},
     {.method = "REGISTER", .field = "Authorization"},
     AUTH_ACCOUNT,
     0,
     NULL},
    {"REGISTER, proxy header",
     {.method = "REGISTER", .to = "<sip:alice@example.com>"},
     {.method = "REGISTER"},
     AUTH_ACCOUNT,
     0,
     NULL},
    {"wrong password", {0}, {.password = "Secret"}, AUTH_CHALLENGE, 407, "wrong-password"},
    {"empty password", {0}, {.password = ""}, AUTH_CHALLENGE, 407, "wrong-password"},
    {"unknown user", {0}, {.username = "mallory"}, AUTH_CHALLENGE, 407, "unknown-user"},
    {"user in other case", {0}, {.username = "Alice"}, AUTH_CHALLENGE, 407, "unknown-user"},
    {"user of another domain", {0}, {.username = "alice@example.org"}, AUTH_CHALLENGE, 407, "unknown-user"},
    {"no user", {0}, {.username = ""}, AUTH_CHALLENGE, 407, "unknown-user"},
    {"only a domain", {0}, {.username = "@example.com"}, AUTH_CHALLENGE, 407, "unknown-user"},
    {"user with a quote", {0}, {.username = "ali\\\"ce"}, AUTH_CHALLENGE, 407, "unknown-user"},
    {"foreign realm", {0}, {.realm = "example.net"}, AUTH_CHALLENGE, 407, NULL},
    {"method of another request", {0}, {.method = "REGISTER"}, AUTH_CHALLENGE, 407, "wrong-password"},
    {"nc zero", {0}, {.nc = "00000000"}, AUTH_CHALLENGE, 407, "nonce-count-zero"},
    {"nc not hex", {0}, {.nc = "0000000g"}, AUTH_CHALLENGE, 407, "malformed-credentials"},
    {"nc short", {0}, {.nc = "1"}, AUTH_CHALLENGE, 407, "malformed-credentials"},
    {"username twice", {0}, {.extra = ",username=\"bob\""}, AUTH_CHALLENGE, 407, "malformed-credentials"},
    {"short response", {0}, {.response = "00"}, AUTH_CHALLENGE, 407, "wrong-password"},
    {"empty response", {0}, {.response = ""}, AUTH_CHALLENGE, 407, NULL},
    {"auth-int with the hash of auth", {0}, {.qop = "auth-int"}, AUTH_CHALLENGE, 407, "wrong-password"},
    {"forged From", {.from = "<sip:bob@example.com>"}, {0}, AUTH_REFUSED, 403, "other-identity"},
    {"forged From, the display name is no identity",
     {.from = "\"alice@example.com\" <sip:carol@example.com>"},
     {0},
     AUTH_REFUSED,
     403,
     "other-identity"},
    {"forged To of REGISTER",
     {.method = "REGISTER", .to = "<sip:bob@example.com>"},
     {.method = "REGISTER"},
     AUTH_REFUSED,
     403,
     "other-identity"},
    {"forged From of REGISTER",
     {.method = "REGISTER", .from = "<sip:bob@example.com>", .to = "<sip:alice@example.com>"},
     {.method = "REGISTER"},
     AUTH_REFUSED,
     403,
     "other-identity"},
    {"foreign From through a relay",
     {.source = LAB_RELAY, .from = "<sip:x@example.net>"},
     {0},
     AUTH_REFUSED,
     403,
     "other-identity"},
    {"one of ours from a route's hop", {.source = LAB_HOP}, {0}, AUTH_ACCOUNT, 0, NULL},
    {"through a relay", {.source = LAB_RELAY}, {0}, AUTH_ACCOUNT, 0, NULL},
};

static void test_challenge(void **state)
{
    struct auth_rig *r = *state;
    assert_int_equal(auth_rig_ask(r, &(struct auth_rig_request){0}), AUTH_CHALLENGE);
    assert_int_equal(r->result.status, 407);
    assert_non_null(strstr(r->result.headers, "Proxy-Authenticate: Digest "));
    assert_non_null(strstr(r->result.headers, "realm=\"example.com\""));
    assert_non_null(strstr(r->result.headers, "qop=\"auth\""));
    assert_null(strstr(r->result.headers, "stale"));
    assert_null(strstr(r->result.headers, "SHA"));
    assert_int_equal(auth_rig_ask(r, &(struct auth_rig_request){.method = "REGISTER", .to = "<sip:alice@example.org>"}),
                     AUTH_CHALLENGE);
    assert_int_equal(r->result.status, 401);
    assert_non_null(strstr(r->result.headers, "WWW-Authenticate: Digest "));
    assert_non_null(strstr(r->result.headers, "realm=\"example.org\"")); /* To's domain, not From's */
    assert_false(r->result.failed);
    assert_int_equal(r->log_lines, 0); /* nobody failed yet */
}

static void test_lists(void **state)
{
    struct auth_rig *r = *state;
    static const struct {
        enum digest_algorithm list[2];
        uint8_t count;
        const char *first, *second;
    } rows[] = {
        {{DIGEST_SHA256, DIGEST_MD5}, 2, "algorithm=SHA-256", "algorithm=MD5"},
        {{DIGEST_MD5, DIGEST_SHA512_256}, 2, "algorithm=MD5", "algorithm=SHA-512-256"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct server_listener *l = &r->lab->listeners[0];
        memcpy(l->digest, rows[i].list, sizeof rows[i].list);
        l->digest_count = rows[i].count;
        assert_int_equal(auth_rig_ask(r, &(struct auth_rig_request){0}), AUTH_CHALLENGE);
        const char *first = strstr(r->result.headers, rows[i].first);
        const char *line = strstr(r->result.headers, "\r\nProxy-Authenticate: Digest ");
        const char *second = strstr(r->result.headers, rows[i].second);
        assert_true(first && line && second && first < line && line < second);
        struct auth_rig_answer t = {.algorithm = rows[i].list[0]};
        assert_int_equal(auth_rig_prove(r, (struct auth_rig_request){0}, t), AUTH_ACCOUNT);
        t.algorithm = rows[i].list[1];
        assert_int_equal(auth_rig_prove(r, (struct auth_rig_request){0}, t), AUTH_ACCOUNT);
        t.algorithm = i ? DIGEST_SHA256 : DIGEST_SHA512_256; /* right, but not offered: no downgrade */
        assert_int_equal(auth_rig_prove(r, (struct auth_rig_request){0}, t), AUTH_CHALLENGE);
        assert_true(r->result.failed);
    }
    /* An account's own list is stronger than the listener's. */
    (void)lab_add_account(r->lab, "sip:dora@example.com", "secret", "digest=sha-256");
    struct auth_rig_request q = {.from = "<sip:dora@example.com>"};
    assert_int_equal(auth_rig_ask(r, &q), AUTH_CHALLENGE);
    assert_null(strstr(r->result.headers, "MD5"));
    assert_int_equal(auth_rig_prove(r, q, (struct auth_rig_answer){.username = "dora", .algorithm = DIGEST_SHA256}),
                     AUTH_ACCOUNT);
    assert_int_equal(auth_rig_prove(r, q, (struct auth_rig_answer){.username = "dora", .algorithm = DIGEST_MD5}),
                     AUTH_CHALLENGE);
}

static void test_proofs(void **state)
{
    struct auth_rig *r = *state;
    for (size_t i = 0; i < sizeof proofs / sizeof proofs[0]; i++) {
        const struct proof_row *p = &proofs[i];
        r->log_lines = 0;
        r->log[0] = '\0';
        enum auth_kind kind = auth_rig_prove(r, p->q, p->t);
        bool logged = p->reason ? r->log_lines == 1 && strstr(r->log, p->reason) : true;
        if (kind != p->kind || r->result.status != p->status || !logged)
            fail_msg("%s: kind %d status %d log %s", p->what, kind, r->result.status, r->log);
        if (kind == AUTH_ACCOUNT)
            assert_sender(r, "sip:alice@example.com");
        if (kind == AUTH_CHALLENGE)
            assert_null(strstr(r->result.headers, "stale=true"));
        r->lab->mono_ms += 1000; /* lets the log's bucket fill */
    }
}

/* defects.md, scan and enumeration: known and unknown users get the same bytes but for the nonce. */
static void test_no_enumeration(void **state)
{
    struct auth_rig *r = *state;
    struct auth_rig_request known = {.from = "<sip:alice@example.com>"}, unknown = {.from = "<sip:alicf@example.com>"};
    struct auth_result first;
    char nonce[128];
    assert_int_equal(auth_rig_ask(r, &known), AUTH_CHALLENGE);
    first = r->result;
    assert_int_equal(auth_rig_ask(r, &unknown), AUTH_CHALLENGE);
    assert_int_equal(first.status, r->result.status);
    assert_int_equal(first.headers_len, r->result.headers_len);
    auth_rig_nonce(r, nonce);
    const char *at = strstr(r->result.headers, nonce);
    size_t before = (size_t)(at - r->result.headers);
    assert_memory_equal(first.headers, r->result.headers, before);
    assert_string_equal(first.headers + before + strlen(nonce), at + strlen(nonce));
    assert_int_equal(auth_rig_prove(r, known, (struct auth_rig_answer){.password = "x"}), AUTH_CHALLENGE);
    first = r->result;
    assert_int_equal(auth_rig_prove(r, unknown, (struct auth_rig_answer){.username = "alicf", .password = "x"}),
                     AUTH_CHALLENGE);
    assert_int_equal(first.status, r->result.status);
    assert_int_equal(first.headers_len, r->result.headers_len);
}

/* stale=true only after a correct digest (RFC 7616 §3.3). */
static void test_stale(void **state)
{
    struct auth_rig *r = *state;
    struct auth_rig_answer t = {.nonce = "00"};
    char old[128];
    assert_int_equal(auth_rig_prove(r, (struct auth_rig_request){0}, t), AUTH_CHALLENGE);
    assert_non_null(strstr(r->result.headers, "stale=true"));
    assert_false(r->result.failed);
    t.password = "wrong";
    assert_int_equal(auth_rig_prove(r, (struct auth_rig_request){0}, t), AUTH_CHALLENGE);
    assert_null(strstr(r->result.headers, "stale=true"));
    assert_true(r->result.failed);

    assert_int_equal(auth_rig_ask(r, &(struct auth_rig_request){0}), AUTH_CHALLENGE);
    auth_rig_nonce(r, old);
    r->lab->wall_ms += 5 * 60 * 1000 + 1;
    assert_int_equal(auth_rig_prove(r, (struct auth_rig_request){0}, (struct auth_rig_answer){.nonce = old}),
                     AUTH_CHALLENGE);
    assert_non_null(strstr(r->result.headers, "stale=true"));
}

/* Digest replay: another request with the same count is challenged, the same request is a retransmission. */
static void test_replay(void **state)
{
    struct auth_rig *r = *state;
    char nonce[128], lines[2048];
    assert_int_equal(auth_rig_ask(r, &(struct auth_rig_request){0}), AUTH_CHALLENGE);
    auth_rig_nonce(r, nonce);
    (void)snprintf(lines, sizeof lines, "%s", auth_rig_credentials(&(struct auth_rig_answer){.nonce = nonce}));
    struct auth_rig_request q = {.lines = lines};
    assert_int_equal(auth_rig_ask(r, &q), AUTH_ACCOUNT);
    assert_int_equal(auth_rig_ask(r, &q), AUTH_ACCOUNT);
    q.body = "pay 1000 to mallory";
    assert_int_equal(auth_rig_ask(r, &q), AUTH_CHALLENGE);
    assert_non_null(strstr(r->result.headers, "stale=true"));
    q.body = NULL;
    q.cseq = 2;
    assert_int_equal(auth_rig_ask(r, &q), AUTH_CHALLENGE);
    q.lines = auth_rig_credentials(&(struct auth_rig_answer){.nonce = nonce, .nc = "00000002"});
    assert_int_equal(auth_rig_ask(r, &q), AUTH_ACCOUNT);
    /* A restart challenges nobody anew. */
    auth_free(r->auth);
    r->lab->wall_ms += 1000;
    r->auth = auth_rig_make(r);
    q.cseq = 3;
    q.lines = auth_rig_credentials(&(struct auth_rig_answer){.nonce = nonce, .nc = "00000003"});
    assert_int_equal(auth_rig_ask(r, &q), AUTH_ACCOUNT);
}

/* Of several credentials the ones for our realm count; a few, not any number. */
static void test_several_credentials(void **state)
{
    struct auth_rig *r = *state;
    char nonce[128], lines[6000] = "";
    assert_int_equal(auth_rig_ask(r, &(struct auth_rig_request){0}), AUTH_CHALLENGE);
    auth_rig_nonce(r, nonce);
    (void)snprintf(lines, sizeof lines, "%s",
                   auth_rig_credentials(&(struct auth_rig_answer){.nonce = nonce, .realm = "other"}));
    (void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s",
                   auth_rig_credentials(&(struct auth_rig_answer){.nonce = nonce}));
    assert_int_equal(auth_rig_ask(r, &(struct auth_rig_request){.lines = lines}), AUTH_ACCOUNT);
    lines[0] = '\0';
    for (int i = 0; i < 3; i++)
        (void)snprintf(
            lines + strlen(lines), sizeof lines - strlen(lines), "%s",
            auth_rig_credentials(&(struct auth_rig_answer){.nonce = nonce, .password = i == 2 ? NULL : "wrong"}));
    assert_int_equal(auth_rig_ask(r, &(struct auth_rig_request){.lines = lines}), AUTH_CHALLENGE);
    assert_int_equal(
        auth_rig_ask(r, &(struct auth_rig_request){.lines = "Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n"}),
        AUTH_CHALLENGE);
}

/* The log line is stable, escaped, and bounded under a flood. */
static void test_log(void **state)
{
    struct auth_rig *r = *state;
    assert_int_equal(auth_rig_prove(r, (struct auth_rig_request){.source = STRANGER},
                                    (struct auth_rig_answer){.username = "a\tb=c", .password = "x"}),
                     AUTH_CHALLENGE);
    assert_non_null(strstr(r->log, " auth-failed source=203.0.113.5:5060 user=\"a\\u0009b=c\" reason=unknown-user"));
    assert_null(strstr(r->log, "response"));
    r->log_lines = 0;
    for (int i = 0; i < 1000; i++)
        (void)auth_rig_prove(r, (struct auth_rig_request){.source = STRANGER},
                             (struct auth_rig_answer){.password = "x"});
    assert_in_range(r->log_lines, 90, 100);
    r->lab->mono_ms += 1000;
    r->log_lines = 0;
    (void)auth_rig_prove(r, (struct auth_rig_request){.source = STRANGER}, (struct auth_rig_answer){.password = "x"});
    assert_int_equal(r->log_lines, 1);
    assert_non_null(strstr(r->log, "left_out=90"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_challenge, auth_rig_setup, auth_rig_teardown),
        cmocka_unit_test_setup_teardown(test_lists, auth_rig_setup, auth_rig_teardown),
        cmocka_unit_test_setup_teardown(test_proofs, auth_rig_setup, auth_rig_teardown),
        cmocka_unit_test_setup_teardown(test_no_enumeration, auth_rig_setup, auth_rig_teardown),
        cmocka_unit_test_setup_teardown(test_stale, auth_rig_setup, auth_rig_teardown),
        cmocka_unit_test_setup_teardown(test_replay, auth_rig_setup, auth_rig_teardown),
        cmocka_unit_test_setup_teardown(test_several_credentials, auth_rig_setup, auth_rig_teardown),
        cmocka_unit_test_setup_teardown(test_log, auth_rig_setup, auth_rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
