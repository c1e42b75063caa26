#include "auth_rig.h"

#include <stdio.h>

#include "base/log.h"

static void take_log(void *context, struct slice line)
{
    struct auth_rig *r = context;
    r->log_lines++;
    (void)slice_to_cstr(line, r->log, sizeof r->log);
}

struct auth *auth_rig_make(struct auth_rig *r)
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

int auth_rig_setup(void **state)
{
    static struct auth_rig rig;
    rig = (struct auth_rig){.lab = lab_new(1)};
    rig.auth = auth_rig_make(&rig);
    log_set_sink(take_log, &rig);
    *state = &rig;
    return 0;
}

int auth_rig_teardown(void **state)
{
    struct auth_rig *r = *state;
    log_set_sink(NULL, NULL);
    auth_free(r->auth);
    lab_free(r->lab);
    return 0;
}

enum auth_kind auth_rig_ask(struct auth_rig *r, const struct auth_rig_request *q)
{
    struct message m;
    struct message_fault fault;
    struct via via;
    struct flow flow = lab_flow(r->lab, 0, TRANSPORT_UDP, q->source ? q->source : LAB_PHONE);
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

void auth_rig_nonce(const struct auth_rig *r, char out[128])
{
    const char *at = strstr(r->result.headers, "nonce=\"");
    assert_non_null(at);
    at += strlen("nonce=\"");
    struct slice rest;
    assert_int_equal(slice_to_cstr(slice_cut(slice_str(at), '"', &rest), out, 128), ERR_NONE);
}

const char *auth_rig_credentials(const struct auth_rig_answer *t)
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

enum auth_kind auth_rig_prove(struct auth_rig *r, struct auth_rig_request q, struct auth_rig_answer t)
{
    char nonce[128];
    q.lines = NULL;
    assert_int_equal(auth_rig_ask(r, &q), AUTH_CHALLENGE);
    if (!t.nonce) {
        auth_rig_nonce(r, nonce);
        t.nonce = nonce;
    }
    q.lines = auth_rig_credentials(&t);
    return auth_rig_ask(r, &q);
}
