/* Who sent a request: digest, trust, identity, challenges. */
#include "server/auth.h"

#include <stdio.h>

#include "base/log.h"
#include "support/lab.h"

#define PHONE    "192.0.2.10:5060"
#define STRANGER "203.0.113.5:5060"

/* One auth over the lab's accounts, and what it is asked. */
struct rig {
    struct lab *lab;
    struct auth *auth;
    struct auth_result result;
    char text[LAB_TEXT_MAX];
    char log[4096];
    size_t log_lines;
};

static void take_log(void *context, struct slice line)
{
    struct rig *r = context;
    r->log_lines++;
    (void)slice_to_cstr(line, r->log, sizeof r->log);
}

static struct auth *make_auth(struct rig *r)
{
    struct auth_config c = {
        .config = &r->lab->config,
        .accounts = r->lab->shared.accounts,
        .clock = &r->lab->clock,
        .random = &r->lab->random.base,
        .hash_key = &r->lab->shared.hash_key,
        .nonces_max = 100,
        .workers = 1,
    };
    struct auth *auth;
    memcpy(c.nonce_key, r->lab->shared.nonce_key, sizeof c.nonce_key);
    assert_int_equal(auth_new(&c, &auth), ERR_NONE);
    return auth;
}

static int setup(void **state)
{
    static struct rig rig;
    rig = (struct rig){.lab = lab_new(1)};
    rig.auth = make_auth(&rig);
    log_set_sink(take_log, &rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    log_set_sink(NULL, NULL);
    auth_free(r->auth);
    lab_free(r->lab);
    return 0;
}

/* A request as it is authenticated. */
struct request {
    const char *source; /* PHONE */
    const char *method; /* MESSAGE */
    const char *from;   /* <sip:alice@example.com> */
    const char *to;     /* <sip:bob@example.com> */
    const char *lines;
    unsigned cseq;
    const char *body;
};

static enum auth_kind ask(struct rig *r, const struct request *q)
{
    struct message m;
    struct message_fault fault;
    struct via via;
    struct flow flow = lab_flow(r->lab, 0, TRANSPORT_UDP, q->source ? q->source : PHONE);
    const char *method = q->method ? q->method : "MESSAGE";
    const char *body = q->body ? q->body : "hi";
    int len = snprintf(r->text, sizeof r->text,
                       "%s sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\r\n"
                       "From: %s;tag=1\r\nTo: %s\r\nCall-ID: c1\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\n%s"
                       "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
                       method, q->from ? q->from : "<sip:alice@example.com>", q->to ? q->to : "<sip:bob@example.com>",
                       q->cseq ? q->cseq : 1, method, q->lines ? q->lines : "", strlen(body), body);
    assert_true(len > 0 && (size_t)len < sizeof r->text);
    struct packet *packet = packet_copy(slice_make(r->text, (size_t)len));
    assert_int_equal(message_parse(packet_slice(packet), &m, &fault), ERR_NONE);
    assert_int_equal(message_top_via(&m, &via), ERR_NONE);
    const struct incoming in = {&m, &via, &flow, packet};
    memset(&r->result, 0xA5, sizeof r->result);
    auth_request(r->auth, &in, &r->result);
    packet_unref(&packet);
    if (r->result.kind == AUTH_CHALLENGE || r->result.kind == AUTH_REFUSED)
        r->result.headers[r->result.headers_len] = '\0';
    return r->result.kind;
}

/* Credentials for a challenge; what is NULL or 0 is as it should be. */
struct answer_to {
    const char *username, *password, *realm, *nonce, *method, *nc, *qop, *field, *response, *extra;
    enum digest_algorithm algorithm;
};

static void nonce_of(const struct rig *r, char out[128])
{
    const char *at = strstr(r->result.headers, "nonce=\"");
    assert_non_null(at);
    at += strlen("nonce=\"");
    struct slice rest;
    assert_int_equal(slice_to_cstr(slice_cut(slice_str(at), '"', &rest), out, 128), ERR_NONE);
}

static const char *credentials(const struct answer_to *t)
{
    static char line[2048];
    const char *user = t->username ? t->username : "alice", *realm = t->realm ? t->realm : "example.com";
    const char *nc = t->nc ? t->nc : "00000001", *qop = t->qop ? t->qop : "auth";
    struct digest_hash ha1, response;
    struct digest_credentials d = {
        .username = slice_str(user),
        .realm = slice_str(realm),
        .nonce = slice_str(t->nonce),
        .uri = SLICE("sip:elsewhere"), /* need not equal the Request-URI */
        .cnonce = SLICE("c"),
        .nc_text = slice_str(nc),
        .algorithm = t->algorithm,
        .qop = DIGEST_QOP_AUTH,
    };
    assert_int_equal(
        digest_ha1(t->algorithm, d.username, d.realm, slice_str(t->password ? t->password : "secret"), &ha1), ERR_NONE);
    assert_int_equal(digest_response(&ha1, &d, slice_str(t->method ? t->method : "MESSAGE"), SLICE("hi"), &response),
                     ERR_NONE);
    int len = snprintf(line, sizeof line,
                       "%s: Digest username=\"%s\",realm=\"%s\",nonce=\"%s\",uri=\"sip:elsewhere\",cnonce=\"c\",nc=%s,"
                       "qop=%s,algorithm=%.*s,response=\"%.*s\"%s\r\n",
                       t->field ? t->field : "Proxy-Authorization", user, realm, t->nonce, nc, qop,
                       SLICE_ARG(digest_algorithm_name(t->algorithm)),
                       t->response ? (int)strlen(t->response) : (int)response.len,
                       t->response ? t->response : response.hex, t->extra ? t->extra : "");
    assert_true(len > 0 && (size_t)len < sizeof line);
    return line;
}

/* Challenged first, then with these credentials. */
static enum auth_kind prove(struct rig *r, struct request q, struct answer_to t)
{
    char nonce[128];
    q.lines = NULL;
    assert_int_equal(ask(r, &q), AUTH_CHALLENGE);
    if (!t.nonce) {
        nonce_of(r, nonce);
        t.nonce = nonce;
    }
    q.lines = credentials(&t);
    return ask(r, &q);
}

static void assert_sender(const struct rig *r, const char *aor)
{
    assert_int_equal(r->result.sender_len, strlen(aor));
    assert_string_equal(r->result.sender, aor);
}

static void test_challenge(void **state)
{
    struct rig *r = *state;
    assert_int_equal(ask(r, &(struct request){0}), AUTH_CHALLENGE);
    assert_int_equal(r->result.status, 407);
    assert_non_null(strstr(r->result.headers, "Proxy-Authenticate: Digest "));
    assert_non_null(strstr(r->result.headers, "realm=\"example.com\""));
    assert_non_null(strstr(r->result.headers, "qop=\"auth\""));
    assert_null(strstr(r->result.headers, "stale"));
    assert_null(strstr(r->result.headers, "SHA"));
    assert_int_equal(ask(r, &(struct request){.method = "REGISTER", .to = "<sip:alice@example.org>"}), AUTH_CHALLENGE);
    assert_int_equal(r->result.status, 401);
    assert_non_null(strstr(r->result.headers, "WWW-Authenticate: Digest "));
    assert_non_null(strstr(r->result.headers, "realm=\"example.org\"")); /* To's domain, not From's */
    assert_false(r->result.failed);
    assert_int_equal(r->log_lines, 0); /* nobody failed yet */
}

static void test_lists(void **state)
{
    struct rig *r = *state;
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
        assert_int_equal(ask(r, &(struct request){0}), AUTH_CHALLENGE);
        const char *first = strstr(r->result.headers, rows[i].first);
        const char *line = strstr(r->result.headers, "\r\nProxy-Authenticate: Digest ");
        const char *second = strstr(r->result.headers, rows[i].second);
        assert_true(first && line && second && first < line && line < second);
        struct answer_to t = {.algorithm = rows[i].list[0]};
        assert_int_equal(prove(r, (struct request){0}, t), AUTH_ACCOUNT);
        t.algorithm = rows[i].list[1];
        assert_int_equal(prove(r, (struct request){0}, t), AUTH_ACCOUNT);
        t.algorithm = i ? DIGEST_SHA256 : DIGEST_SHA512_256; /* right, but not offered: no downgrade */
        assert_int_equal(prove(r, (struct request){0}, t), AUTH_CHALLENGE);
        assert_true(r->result.failed);
    }
    /* An account's own list is stronger than the listener's. */
    (void)lab_add_account(r->lab, "sip:dora@example.com", "secret", "digest=sha-256");
    struct request q = {.from = "<sip:dora@example.com>"};
    assert_int_equal(ask(r, &q), AUTH_CHALLENGE);
    assert_null(strstr(r->result.headers, "MD5"));
    assert_int_equal(prove(r, q, (struct answer_to){.username = "dora", .algorithm = DIGEST_SHA256}), AUTH_ACCOUNT);
    assert_int_equal(prove(r, q, (struct answer_to){.username = "dora", .algorithm = DIGEST_MD5}), AUTH_CHALLENGE);
}

struct proof_row {
    const char *what;
    struct request q;
    struct answer_to t;
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

static void test_proofs(void **state)
{
    struct rig *r = *state;
    for (size_t i = 0; i < sizeof proofs / sizeof proofs[0]; i++) {
        const struct proof_row *p = &proofs[i];
        r->log_lines = 0;
        r->log[0] = '\0';
        enum auth_kind kind = prove(r, p->q, p->t);
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

/* Without credentials, by address alone. */
struct trust_row {
    const char *what;
    struct request q;
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
    struct rig *r = *state;
    for (size_t i = 0; i < sizeof trusts / sizeof trusts[0]; i++) {
        const struct trust_row *t = &trusts[i];
        if (ask(r, &t->q) != t->kind || r->result.status != t->status)
            fail_msg("%s: kind %d status %d", t->what, r->result.kind, r->result.status);
        if (t->sender && (strcmp(r->result.sender, t->sender) != 0 || r->result.sender_len != strlen(t->sender)))
            fail_msg("%s: %s", t->what, r->result.sender);
        if (t->has_account != (r->result.account != 0))
            fail_msg("%s: account %lld", t->what, (long long)r->result.account);
    }
}

static void test_sender_too_long(void **state)
{
    struct rig *r = *state;
    char from[400];
    (void)snprintf(from, sizeof from, "<sip:%0300d@example.net>", 7);
    assert_int_equal(ask(r, &(struct request){.source = LAB_TRUSTED, .from = from}), AUTH_REFUSED);
    assert_int_equal(r->result.status, 400);
}

/* defects.md, scan and enumeration: known and unknown users get the same bytes but for the nonce. */
static void test_no_enumeration(void **state)
{
    struct rig *r = *state;
    struct request known = {.from = "<sip:alice@example.com>"}, unknown = {.from = "<sip:alicf@example.com>"};
    struct auth_result first;
    char nonce[128];
    assert_int_equal(ask(r, &known), AUTH_CHALLENGE);
    first = r->result;
    assert_int_equal(ask(r, &unknown), AUTH_CHALLENGE);
    assert_int_equal(first.status, r->result.status);
    assert_int_equal(first.headers_len, r->result.headers_len);
    nonce_of(r, nonce);
    const char *at = strstr(r->result.headers, nonce);
    size_t before = (size_t)(at - r->result.headers);
    assert_memory_equal(first.headers, r->result.headers, before);
    assert_string_equal(first.headers + before + strlen(nonce), at + strlen(nonce));
    assert_int_equal(prove(r, known, (struct answer_to){.password = "x"}), AUTH_CHALLENGE);
    first = r->result;
    assert_int_equal(prove(r, unknown, (struct answer_to){.username = "alicf", .password = "x"}), AUTH_CHALLENGE);
    assert_int_equal(first.status, r->result.status);
    assert_int_equal(first.headers_len, r->result.headers_len);
}

/* stale=true only after a correct digest (RFC 7616 §3.3). */
static void test_stale(void **state)
{
    struct rig *r = *state;
    struct answer_to t = {.nonce = "00"};
    char old[128];
    assert_int_equal(prove(r, (struct request){0}, t), AUTH_CHALLENGE);
    assert_non_null(strstr(r->result.headers, "stale=true"));
    assert_false(r->result.failed);
    t.password = "wrong";
    assert_int_equal(prove(r, (struct request){0}, t), AUTH_CHALLENGE);
    assert_null(strstr(r->result.headers, "stale=true"));
    assert_true(r->result.failed);

    assert_int_equal(ask(r, &(struct request){0}), AUTH_CHALLENGE);
    nonce_of(r, old);
    r->lab->wall_ms += 5 * 60 * 1000 + 1;
    assert_int_equal(prove(r, (struct request){0}, (struct answer_to){.nonce = old}), AUTH_CHALLENGE);
    assert_non_null(strstr(r->result.headers, "stale=true"));
}

/* Digest replay: another request with the same count is challenged, the same request is a retransmission. */
static void test_replay(void **state)
{
    struct rig *r = *state;
    char nonce[128], lines[2048];
    assert_int_equal(ask(r, &(struct request){0}), AUTH_CHALLENGE);
    nonce_of(r, nonce);
    (void)snprintf(lines, sizeof lines, "%s", credentials(&(struct answer_to){.nonce = nonce}));
    struct request q = {.lines = lines};
    assert_int_equal(ask(r, &q), AUTH_ACCOUNT);
    assert_int_equal(ask(r, &q), AUTH_ACCOUNT);
    q.body = "pay 1000 to mallory";
    assert_int_equal(ask(r, &q), AUTH_CHALLENGE);
    assert_non_null(strstr(r->result.headers, "stale=true"));
    q.body = NULL;
    q.cseq = 2;
    assert_int_equal(ask(r, &q), AUTH_CHALLENGE);
    q.lines = credentials(&(struct answer_to){.nonce = nonce, .nc = "00000002"});
    assert_int_equal(ask(r, &q), AUTH_ACCOUNT);
    /* A restart challenges nobody anew. */
    auth_free(r->auth);
    r->lab->wall_ms += 1000;
    r->auth = make_auth(r);
    q.cseq = 3;
    q.lines = credentials(&(struct answer_to){.nonce = nonce, .nc = "00000003"});
    assert_int_equal(ask(r, &q), AUTH_ACCOUNT);
}

/* Of several credentials the ones for our realm count; a few, not any number. */
static void test_several_credentials(void **state)
{
    struct rig *r = *state;
    char nonce[128], lines[6000] = "";
    assert_int_equal(ask(r, &(struct request){0}), AUTH_CHALLENGE);
    nonce_of(r, nonce);
    (void)snprintf(lines, sizeof lines, "%s", credentials(&(struct answer_to){.nonce = nonce, .realm = "other"}));
    (void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s",
                   credentials(&(struct answer_to){.nonce = nonce}));
    assert_int_equal(ask(r, &(struct request){.lines = lines}), AUTH_ACCOUNT);
    lines[0] = '\0';
    for (int i = 0; i < 3; i++)
        (void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s",
                       credentials(&(struct answer_to){.nonce = nonce, .password = i == 2 ? NULL : "wrong"}));
    assert_int_equal(ask(r, &(struct request){.lines = lines}), AUTH_CHALLENGE);
    assert_int_equal(ask(r, &(struct request){.lines = "Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n"}),
                     AUTH_CHALLENGE);
}

/* The log line is stable, escaped, and bounded under a flood. */
static void test_log(void **state)
{
    struct rig *r = *state;
    assert_int_equal(
        prove(r, (struct request){.source = STRANGER}, (struct answer_to){.username = "a\tb=c", .password = "x"}),
        AUTH_CHALLENGE);
    assert_non_null(strstr(r->log, " auth-failed source=203.0.113.5:5060 user=\"a\\u0009b=c\" reason=unknown-user"));
    assert_null(strstr(r->log, "response"));
    r->log_lines = 0;
    for (int i = 0; i < 1000; i++)
        (void)prove(r, (struct request){.source = STRANGER}, (struct answer_to){.password = "x"});
    assert_in_range(r->log_lines, 90, 100);
    r->lab->mono_ms += 1000;
    r->log_lines = 0;
    (void)prove(r, (struct request){.source = STRANGER}, (struct answer_to){.password = "x"});
    assert_int_equal(r->log_lines, 1);
    assert_non_null(strstr(r->log, "left_out=90"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_challenge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(test_proofs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_trust, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sender_too_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_enumeration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_several_credentials, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
