/* Each allocation failed once: no crash, no leak, and the agent works once memory is back. malloc and its kin are
 * replaced here; with the address sanitizer they hand on to its own. */
#include "support/lab.h"

#include <stdio.h>
#include <stdlib.h>

#include "sip/build.h"

extern void *__interceptor_malloc(size_t size) __attribute__((weak));
extern void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
extern void *__interceptor_realloc(void *old, size_t size) __attribute__((weak));
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static long fail_at = -1; /* counts down while `armed`; 0 fails */
static bool armed;

static bool fails(void)
{
    return armed && fail_at >= 0 && fail_at-- == 0;
}

void *malloc(size_t size)
{
    if (fails())
        return NULL;
    return __interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    if (fails())
        return NULL;
    return __interceptor_calloc ? __interceptor_calloc(nmemb, size) : __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    if (fails())
        return NULL;
    return __interceptor_realloc ? __interceptor_realloc(ptr, size) : __libc_realloc(ptr, size);
}

/* A host that allocates nothing; the server answers each request at once: first a challenge, then 200. */
struct host {
    struct telex_ua *ua;
    uint64_t now_ms;
    struct {
        char bytes[2048];
        size_t len;
    } sent[16]; /* not served yet */
    size_t sent_count;
    enum telex_registration_state state; /* the last one told */
    unsigned outcomes, messages;
};

static int on_send(void *context, enum telex_transport transport, const void *bytes, size_t len)
{
    struct host *h = context;
    (void)transport;
    if (len > sizeof h->sent[0].bytes || h->sent_count == 16)
        return -1;
    memcpy(h->sent[h->sent_count].bytes, bytes, len);
    h->sent[h->sent_count++].len = len;
    return 0;
}

static void on_connect(void *context, enum telex_transport transport)
{
    telex_ua_disconnected(((struct host *)context)->ua, transport);
}

static void on_registration(void *context, const struct telex_registration *r)
{
    ((struct host *)context)->state = r->state;
}

static void on_outcome(void *context, const struct telex_result *r)
{
    (void)r;
    ((struct host *)context)->outcomes++;
}

static void on_message(void *context, const struct telex_incoming *m)
{
    struct host *h = context;
    h->messages++;
    telex_ua_answer(h->ua, m->handle, 200);
}

static const struct telex_ua_callbacks callbacks = {.send = on_send,
                                                    .connect = on_connect,
                                                    .registration = on_registration,
                                                    .outcome = on_outcome,
                                                    .message = on_message};

static void advance(struct host *h, uint64_t ms)
{
    h->now_ms += ms;
    armed = true;
    telex_ua_advance(h->ua, h->now_ms);
    armed = false;
}

static void feed(struct host *h, struct slice bytes)
{
    armed = true;
    telex_ua_receive(h->ua, TELEX_UDP, bytes.ptr, bytes.len, h->now_ms);
    armed = false;
}

/* The server's part of the script; its own memory never fails. */
static void serve_one(struct host *h, struct slice request)
{
    struct message m;
    struct message_fault fault;
    struct buf out;
    if (message_parse(request, &m, &fault) != 0 || !message_is_request(&m))
        return;
    bool proven = message_header(&m, HEADER_AUTHORIZATION) || message_header(&m, HEADER_PROXY_AUTHORIZATION);
    bool is_register = m.method == METHOD_REGISTER;
    buf_init(&out, 65536);
    build_response(&out, &m, proven ? 200 : is_register ? 401 : 407, SLICE_NONE, SLICE("srv"), SLICE_NONE);
    if (!proven)
        buf_printf(&out, "%s-Authenticate: Digest realm=\"example.com\", nonce=\"n\", qop=\"auth\"\r\n",
                   is_register ? "WWW" : "Proxy");
    build_end(&out, SLICE(""));
    feed(h, buf_slice(&out));
    buf_deinit(&out);
}

static void serve(struct host *h)
{
    for (size_t i = 0; i < h->sent_count; i++)
        serve_one(h, slice_make(h->sent[i].bytes, h->sent[i].len));
    h->sent_count = 0;
}

static void serve_for(struct host *h, unsigned seconds)
{
    static const char incoming[] =
        "MESSAGE sip:alice@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK%u\r\nMax-Forwards: 70\r\n"
        "From: \"B\" <sip:bob@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n"
        "Content-Type: message/cpim\r\nContent-Length: 54\r\n\r\n"
        "From: <sip:bob@x.com>\r\n\r\nContent-Type: text/plain\r\n\r\nxy";
    for (unsigned i = 0; i < seconds; i++) {
        char text[1024];
        advance(h, 1000);
        serve(h);
        if (i % 10 != 0)
            continue;
        int len = snprintf(text, sizeof text, incoming, i);
        feed(h, slice_make(text, (size_t)len));
    }
}

static void run(struct host *h, long failing)
{
    const struct telex_outgoing m = {
        .to = "sip:bob@example.com", .body = "hello", .body_len = 5, .date = 1, .receipts = "display"};
    armed = true;
    while (telex_ua_connected(h->ua, TELEX_UDP, LAB_LOCAL, LAB_SERVER) != 0) {
    }
    telex_ua_register(h->ua, 600);
    unsigned queued = telex_ua_send(h->ua, &m, NULL) == 0 ? 1 : 0;
    armed = false;
    serve_for(h, 80);                         /* far longer than the backing off after one failure */
    if (h->state == TELEX_REGISTER_REFUSED) { /* it could not compute its proof, and the host asks again */
        telex_ua_register(h->ua, 600);
        serve_for(h, 10);
    }
    if (h->outcomes != queued || h->state != TELEX_REGISTERED || h->messages != 1)
        fail_msg("allocation %ld: %u outcomes, state %d, %u messages", failing, h->outcomes, (int)h->state,
                 h->messages);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static struct host h;
    bool failed = true;
    for (long at = 0; failed; at++) {
        const struct telex_ua_config config = {
            .aor = "sip:alice@example.com", .password = "secret", .callbacks = &callbacks, .context = &h};
        h = (struct host){.now_ms = 1000};
        fail_at = at;
        armed = true;
        int err = telex_ua_new(&config, h.now_ms, &h.ua);
        armed = false;
        if (err == 0)
            run(&h, at);
        else
            assert_int_equal(err, TELEX_ERR_NO_MEMORY);
        failed = fail_at < 0;
        telex_ua_free(h.ua);
        assert_true(at < 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
