/* Each allocation failed once: no crash, no leak, no half-made transaction. malloc and calloc are replaced here; with
 * the address sanitizer they hand on to its own. */
#include "support/rig.h"

#include <stdlib.h>

extern void *__interceptor_malloc(size_t size) __attribute__((weak));
extern void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
extern void *__interceptor_realloc(void *old, size_t size) __attribute__((weak));
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);

static long fail_at = -1; /* counts down; 0 fails */

static bool fails(void)
{
    return fail_at >= 0 && fail_at-- == 0;
}

void *malloc(size_t size)
{
    if (fails())
        return NULL;
    return __interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (fails())
        return NULL;
    return __interceptor_calloc ? __interceptor_calloc(count, size) : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (fails())
        return NULL;
    return __interceptor_realloc ? __interceptor_realloc(old, size) : __libc_realloc(old, size);
}

static const char request[] =
    "MESSAGE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bKabc\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a1\r\n"
    "To: <sip:bob@example.com>\r\nCall-ID: c1\r\nCSeq: 5 MESSAGE\r\nContent-Length: 0\r\n\r\n";

/* Receive, answer 100, start a client transaction, answer with bytes that are kept, receive again. */
static void script(struct rig *r, struct packet *in, struct packet *tail)
{
    struct flow flow = rig_flow(TRANSPORT_UDP, "192.0.2.1:40000");
    struct hop hop = hop_flow(&flow);
    endpoint_receive(r->e, &flow, in);
    if (r->server) {
        server_txn_answer(r->server, &(struct answer){.status = 100});
        endpoint_receive(r->e, &flow, in);
    }
    struct client_request message = {
        .method = METHOD_MESSAGE, .cseq = 5, .request_line = SLICE("MESSAGE sip:b SIP/2.0\r\n"), .tail = tail};
    struct client_txn *t = NULL;
    int err = client_txn_new(r->e, &hop, &message, &rig_client_user, r, &t);
    assert_true(err == ERR_NONE ? t != NULL : err == ERR_NO_MEMORY && t == NULL);
    if (r->server)
        server_txn_answer(r->server, &(struct answer){.status = 503, .headers = SLICE("Retry-After: 1\r\n")});
    endpoint_receive(r->e, &flow, in);
}

static void test_each_allocation_fails_once(void **state)
{
    (void)state;
    long n = 0;
    for (bool failed = true; failed; n++) {
        struct rig r = {0};
        struct endpoint_config config = rig_config(&r);
        struct packet *in = packet_copy(SLICE(request)), *tail = packet_copy(SLICE("CSeq: 5 MESSAGE\r\n\r\n"));
        rig_init_with(&r, &config);
        fail_at = n;
        script(&r, in, tail);
        failed = fail_at < 0;
        fail_at = -1;
        /* afterwards it works as if nothing had been */
        if (r.server && server_txn_find(r.e, r.server_id))
            server_txn_answer(r.server, &(struct answer){.status = 200});
        script(&r, in, tail);
        assert_true(r.sent_count > 0);
        packet_unref(&in);
        packet_unref(&tail);
        rig_deinit(&r);
    }
    assert_true(n > 5);
}

static void test_endpoint_new(void **state)
{
    (void)state;
    struct rig r = {0};
    struct endpoint_config config = rig_config(&r);
    rig_init_with(&r, &config);
    struct endpoint *e = NULL;
    long n = 0;
    for (int err = ERR_NO_MEMORY; err != ERR_NONE; n++) {
        fail_at = n;
        err = endpoint_new(&config, &e);
        fail_at = -1;
        assert_true(err == ERR_NONE ? e != NULL : err == ERR_NO_MEMORY && e == NULL);
    }
    assert_true(n > 4);
    endpoint_free(e);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_fails_once),
        cmocka_unit_test(test_endpoint_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
