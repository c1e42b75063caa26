/* The lab's bodies. */
#include "support/lab.h"

#include <stdio.h>
#include <stdlib.h>

#include "sip/build.h"
#include "sip/digest.h"

/* --- the host --- */

static int on_send(void *context, enum telex_transport transport, const void *bytes, size_t len)
{
    struct lab *l = context;
    if (l->send_fails)
        return -1;
    assert_true(l->sent_count < LAB_SENT);
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    l->sent[l->sent_count].transport = transport;
    l->sent[l->sent_count].bytes = copy;
    l->sent[l->sent_count++].len = len;
    return 0;
}

static void on_connect(void *context, enum telex_transport transport)
{
    ((struct lab *)context)->connects[transport]++;
}

static void on_hang_up(void *context, enum telex_transport transport)
{
    (void)transport;
    ((struct lab *)context)->hang_ups++;
}

static void on_registration(void *context, const struct telex_registration *r)
{
    struct lab *l = context;
    assert_true(l->registration_count < LAB_EVENTS);
    l->registrations[l->registration_count++] = *r;
}

static void on_outcome(void *context, const struct telex_result *r)
{
    struct lab *l = context;
    assert_true(l->outcome_count < LAB_EVENTS);
    struct lab_outcome *o = &l->outcomes[l->outcome_count++];
    o->result = *r;
    snprintf(o->message_id, sizeof o->message_id, "%s", r->message_id);
}

static void on_message(void *context, const struct telex_incoming *m)
{
    struct lab *l = context;
    assert_true(l->incoming_count < LAB_EVENTS);
    struct lab_incoming *i = &l->incoming[l->incoming_count++];
    i->handle = m->handle;
    snprintf(i->from, sizeof i->from, "%s", m->from);
    snprintf(i->from_name, sizeof i->from_name, "%s", m->from_name ? m->from_name : "");
    snprintf(i->message_id, sizeof i->message_id, "%s", m->message_id ? m->message_id : "");
    snprintf(i->content_type, sizeof i->content_type, "%s", m->content_type ? m->content_type : "");
    snprintf(i->receipts, sizeof i->receipts, "%s", m->receipts ? m->receipts : "");
    i->body_len = m->body_len < sizeof i->body ? m->body_len : sizeof i->body;
    memcpy(i->body, m->body, i->body_len);
    i->cpim = m->cpim;
    i->date = m->date;
    if (l->answer_at_once)
        assert_int_equal(telex_ua_answer(l->ua, m->handle, l->answer_at_once), 0);
}

static void on_random(void *context, void *out, size_t len)
{
    struct lab *l = context;
    for (size_t i = 0; i < len; i++) {
        l->random_state = l->random_state * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)out)[i] = (uint8_t)(l->random_state >> 56);
    }
}

static const struct telex_ua_callbacks callbacks = {.send = on_send,
                                                    .connect = on_connect,
                                                    .hang_up = on_hang_up,
                                                    .registration = on_registration,
                                                    .outcome = on_outcome,
                                                    .message = on_message};

struct lab *lab_new(void (*change)(struct telex_ua_config *))
{
    struct lab *l = calloc(1, sizeof *l);
    assert_non_null(l);
    l->now_ms = 1000000;
    l->random_state = 42;
    l->config = (struct telex_ua_config){.aor = "sip:alice@example.com",
                                         .password = "secret",
                                         .instance_id = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
                                         .random = on_random,
                                         .callbacks = &callbacks,
                                         .context = l};
    if (change)
        change(&l->config);
    assert_int_equal(telex_ua_new(&l->config, l->now_ms, &l->ua), 0);
    if (l->config.transport == TELEX_UDP)
        assert_int_equal(telex_ua_connected(l->ua, TELEX_UDP, LAB_LOCAL, LAB_SERVER), 0);
    return l;
}

void lab_forget(struct lab *l)
{
    for (size_t i = 0; i < l->sent_count; i++)
        free(l->sent[i].bytes);
    l->sent_count = l->sent_next = 0;
}

void lab_free(struct lab *l)
{
    telex_ua_free(l->ua);
    lab_forget(l);
    free(l);
}

void lab_turn(struct lab *l)
{
    for (int i = 0; i < 100 && telex_ua_timeout(l->ua, l->now_ms) == 0; i++)
        telex_ua_advance(l->ua, l->now_ms);
    assert_int_not_equal(telex_ua_timeout(l->ua, l->now_ms), 0);
}

void lab_pass(struct lab *l, uint64_t ms)
{
    uint64_t end = l->now_ms + ms;
    while (true) {
        lab_turn(l);
        int wait = telex_ua_timeout(l->ua, l->now_ms);
        if (wait < 0 || l->now_ms + (uint64_t)wait > end)
            break;
        l->now_ms += (uint64_t)wait;
        telex_ua_advance(l->ua, l->now_ms);
    }
    l->now_ms = end;
    telex_ua_advance(l->ua, l->now_ms);
    lab_turn(l);
}

/* --- the server --- */

static bool take(struct lab *l)
{
    struct message_fault fault;
    if (l->sent_next == l->sent_count)
        return false;
    l->request_transport = l->sent[l->sent_next].transport;
    l->request_bytes = l->sent[l->sent_next].bytes;
    size_t len = l->sent[l->sent_next++].len;
    assert_int_equal(message_parse(slice_make(l->request_bytes, len), &l->request, &fault), 0);
    assert_int_equal(message_check(&l->request, &fault), 0); /* whatever we send is well-formed */
    return true;
}

void lab_expect_request(struct lab *l, const char *method)
{
    lab_turn(l);
    do {
        if (!take(l))
            fail_msg("expected a %s, nothing was sent", method);
    } while (!message_is_request(&l->request));
    if (!slice_eq(l->request.method_name, slice_str(method)))
        fail_msg("expected a %s, got %.*s", method, SLICE_ARG(l->request.method_name));
}

void lab_expect_no_request(struct lab *l)
{
    lab_turn(l);
    while (take(l)) {
        if (message_is_request(&l->request))
            fail_msg("unexpected %.*s", SLICE_ARG(l->request.raw));
    }
}

void lab_expect_answer(struct lab *l, unsigned status)
{
    lab_turn(l);
    if (!take(l))
        fail_msg("expected an answer %u, nothing was sent", status);
    assert_false(message_is_request(&l->request));
    assert_int_equal(l->request.status, status);
}

void lab_expect_silence(struct lab *l)
{
    lab_turn(l);
    if (take(l))
        fail_msg("unexpected %.*s", SLICE_ARG(l->request.raw));
}

void lab_feed(struct lab *l, enum telex_transport transport, const char *bytes, size_t len)
{
    char *exact = malloc(len ? len : 1); /* so that the sanitizer sees every octet read too far */
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    telex_ua_receive(l->ua, transport, exact, len, l->now_ms);
    free(exact);
}

void lab_answer(struct lab *l, unsigned status, const char *headers)
{
    struct buf out;
    buf_init(&out, 65536);
    build_response(&out, &l->request, (uint16_t)status, SLICE_NONE, SLICE("srv"), SLICE_NONE);
    buf_append_str(&out, headers ? headers : "");
    build_end(&out, SLICE(""));
    assert_true(buf_ok(&out));
    lab_feed(l, l->request_transport, out.ptr, out.len);
    buf_deinit(&out);
}

void lab_challenge_with(struct lab *l, unsigned status, const char *realm, const char *algorithm, const char *more)
{
    char headers[512];
    static unsigned number;
    snprintf(l->nonce_text, sizeof l->nonce_text, "nonce-%u", ++number);
    snprintf(headers, sizeof headers,
             "%s-Authenticate: Digest realm=\"%s\", nonce=\"%s\", algorithm=%s, qop=\"auth\"%s\r\n",
             status == 401 ? "WWW" : "Proxy", realm, l->nonce_text, algorithm, more ? more : "");
    lab_answer(l, status, headers);
}

void lab_challenge(struct lab *l, unsigned status, const char *realm, const char *more)
{
    lab_challenge_with(l, status, realm, "MD5", more);
}

bool lab_proves(struct lab *l, const char *password, unsigned nc)
{
    struct digest_credentials c;
    struct digest_hash ha1, response;
    struct slice value = message_value(&l->request, HEADER_PROXY_AUTHORIZATION);
    if (!slice_is_set(value))
        value = message_value(&l->request, HEADER_AUTHORIZATION);
    if (!slice_is_set(value))
        return false;
    assert_int_equal(digest_parse_credentials(value, &c), 0);
    assert_int_equal(digest_ha1(c.algorithm, c.username, c.realm, slice_str(password), &ha1), 0);
    assert_int_equal(digest_response(&ha1, &c, l->request.method_name, l->request.body, &response), 0);
    return digest_hash_eq(&response, c.response) && slice_eq(c.nonce, slice_str(l->nonce_text)) && c.nc == nc &&
           slice_eq(c.uri, l->request.uri_text);
}

void lab_deliver(struct lab *l, const char *branch, const char *call_id, const char *body)
{
    char text[1024];
    int len = snprintf(text, sizeof text,
                       "MESSAGE sip:alice@192.0.2.10:5062 SIP/2.0\r\n"
                       "Via: SIP/2.0/UDP 198.51.100.1:5060;rport;branch=z9hG4bK%s\r\n"
                       "Max-Forwards: 70\r\n"
                       "From: \"Bob \\\"B\\\"\" <sip:bob@example.com>;tag=bt\r\n"
                       "To: <sip:alice@example.com>\r\n"
                       "Call-ID: %s\r\n"
                       "CSeq: 7 MESSAGE\r\n"
                       "X-Telex-ID: id-of-%s\r\n"
                       "Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"
                       "Content-Type: text/plain\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       branch, call_id, call_id, strlen(body), body);
    assert_true(len > 0 && (size_t)len < sizeof text);
    lab_feed(l, l->config.transport, text, (size_t)len);
}

const char *lab_header(struct lab *l, const char *name)
{
    static char text[1024];
    for (uint8_t i = 0; i < l->request.header_count; i++) {
        if (slice_eq_nocase(l->request.headers[i].name, slice_str(name))) {
            assert_int_equal(slice_to_cstr(l->request.headers[i].value, text, sizeof text), 0);
            return text;
        }
    }
    return "";
}

uint64_t lab_send(struct lab *l, const char *to, const char *text)
{
    uint64_t id = 0;
    const struct telex_outgoing m = {.to = to, .body = text, .body_len = strlen(text)};
    assert_int_equal(telex_ua_send(l->ua, &m, &id), 0);
    return id;
}
