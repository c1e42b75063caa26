/* TCP on loopback: framing in every split, keep-alives, ends, deadlines, bounds, caps. */
#include "support/bench.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE                                                                                                        \
    "MESSAGE sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nContent-Length: 7\r\n\r\n1\r\n\r\n67"

static struct bench bench;

static int set_up(void **state)
{
    (void)state;
    bench_init(&bench);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bench_deinit(&bench);
    return 0;
}

static void open_one(void)
{
    bench_open(&bench, TRANSPORT_TCP, "127.0.0.1:0", TRANSPORT_COUNT);
}

static void frames_in_every_split(void **state)
{
    struct slice whole = SLICE(MESSAGE "\r\n\r\n" MESSAGE);
    (void)state;
    open_one();
    int fd = bench_connect(&bench, 0);
    for (size_t cut = 0; cut <= whole.len; cut++) {
        bench_write(fd, slice_head(whole, cut));
        loop_turn(bench.loop, 0);
        loop_turn(bench.loop, 0);
        bench_write(fd, slice_skip(whole, cut));
        bench_until(&bench, &bench.received, (unsigned)cut * 2 + 2);
        for (unsigned i = 0; i < 2; i++)
            assert_true(slice_eq(bench_packet(&bench, (unsigned)cut * 2 + i), SLICE(MESSAGE)));
        bench_expect(&bench, fd, SLICE("\r\n")); /* the pong between them */
    }
    assert_int_equal(bench.flow.transport, TRANSPORT_TCP);
    assert_int_equal(bench.flow.remote.port, bench_port(fd));
    assert_true(address_eq(&bench.flow.local, net_bound(bench.net, 0)));
    assert_int_equal(bench.malformed + bench.closed, 0);
    close(fd);
    bench_until(&bench, &bench.closed, 1);
}

static void frames_octet_by_octet_and_in_bulk(void **state)
{
    struct slice whole = SLICE(MESSAGE MESSAGE);
    struct buf many;
    (void)state;
    bench_open(&bench, TRANSPORT_TCP, "[::1]:0", TRANSPORT_COUNT);
    int fd = bench_connect(&bench, 0);
    for (size_t i = 0; i < whole.len; i++) {
        bench_write(fd, slice_make(whole.ptr + i, 1));
        loop_turn(bench.loop, 1);
    }
    bench_until(&bench, &bench.received, 2);
    buf_init(&many, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_append(&many, SLICE(MESSAGE));
    bench_write(fd, buf_slice(&many));
    bench_until(&bench, &bench.received, 1002);
    assert_true(slice_eq(bench_packet(&bench, 1001), SLICE(MESSAGE)));
    buf_deinit(&many);
    close(fd);
}

static void answers_what_cannot_be_framed_then_closes(void **state)
{
    static const struct {
        struct slice in;
        unsigned status;
    } cases[] = {
        {SLICE_INIT("MESSAGE sip:a@b SIP/2.0\r\nContent-Length: x\r\n\r\n"), 400},
        {SLICE_INIT("MESSAGE sip:a@b SIP/2.0\r\nVia: x\r\n\r\n"), 400},
        {SLICE_INIT("MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 99999999\r\n\r\n"), 413},
        {SLICE_INIT("MESSAGE sip:a@b SIP/2.0\nContent-Length: 0\n\n"), 400},
        {SLICE_INIT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400}, /* TLS to the wrong port */
    };
    (void)state;
    bench.malformed_answer = SLICE("SIP/2.0 400 Bad\r\n\r\n");
    open_one();
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = bench_connect(&bench, 0);
        bench_write(fd, cases[i].in);
        bench_expect(&bench, fd, bench.malformed_answer);
        assert_int_equal(bench.fault.status, cases[i].status);
        bench_write(fd, SLICE(MESSAGE)); /* read and dropped, so that our answer is not reset away */
        bench_expect_end(&bench, fd);
        close(fd);
        bench_until(&bench, &bench.closed, i + 1);
    }
    assert_int_equal(bench.received, 0);
    int fd = bench_connect(&bench, 0); /* a peer that never closes is closed */
    bench_write(fd, cases[0].in);
    bench_expect(&bench, fd, bench.malformed_answer);
    bench_pass(&bench, NET_LINGER_MS + 1);
    bench_until(&bench, &bench.closed, 6);
    close(fd);
}

static void write_head(int fd, size_t len)
{
    struct buf head;
    buf_init(&head, len);
    buf_append(&head, SLICE("A sip:b SIP/2.0\r\nContent-Length: 0\r\nX: "));
    while (head.len < len - 4)
        buf_append(&head, SLICE("x"));
    buf_append(&head, SLICE("\r\n\r\n"));
    assert_true(buf_ok(&head) && head.len == len);
    bench_write(fd, buf_slice(&head));
    buf_deinit(&head);
}

static void bounds_heads(void **state)
{
    (void)state;
    bench.malformed_answer = SLICE("SIP/2.0 513 Too Large\r\n\r\n");
    open_one();
    int fd = bench_connect(&bench, 0);
    write_head(fd, NET_HEAD_BYTES);
    bench_until(&bench, &bench.received, 1);
    write_head(fd, NET_HEAD_BYTES + 1);
    bench_expect(&bench, fd, bench.malformed_answer);
    assert_int_equal(bench.fault.status, 513);
    bench_expect_end(&bench, fd);
    assert_int_equal(bench.received, 1);
    close(fd);
}

static void closes_late_readers(void **state)
{
    static const struct {
        const char *what;
        struct slice first, later;
        uint64_t stays_ms, closed_ms;
    } cases[] = {
        {"nothing at all", SLICE_INIT(""), SLICE_INIT(""), NET_HEAD_MS - 500, 1000},
        {"keep-alives only", SLICE_INIT("\r\n\r\n"), SLICE_INIT("\r\n\r\n"), NET_HEAD_MS - 500, 1000},
        {"half a head, then more", SLICE_INIT("MESSAGE"), SLICE_INIT(" sip:a"), NET_HEAD_MS - 500, 1000},
        {"half a second head", SLICE_INIT(MESSAGE "MESSAGE"), SLICE_INIT(" sip:a"), NET_HEAD_MS - 500, 1000},
        {"half a body", SLICE_INIT("A sip:b SIP/2.0\r\nContent-Length: 9\r\n\r\n"), SLICE_INIT("123"),
         NET_BODY_MS - 500, 1000},
        {"idle", SLICE_INIT(MESSAGE), SLICE_INIT(""), NET_IDLE_MS - 500, 1000},
        {"a lone CRLF as keep-alive", SLICE_INIT(MESSAGE "\r\n"), SLICE_INIT(""), NET_IDLE_MS - 500, 1000},
    };
    (void)state;
    open_one();
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = bench_connect(&bench, 0);
        bench_settle(&bench);
        bench_write(fd, cases[i].first);
        bench_settle(&bench);
        bench_pass(&bench, cases[i].stays_ms);
        assert_int_equal(bench.closed, i);
        bench_write(fd, cases[i].later); /* moves no deadline */
        bench_settle(&bench);
        bench_pass(&bench, cases[i].closed_ms);
        assert_int_equal(bench.closed, i + 1);
        bench_expect_end(&bench, fd);
        close(fd);
    }
    assert_int_equal(net_counters(bench.net)->deadlines, sizeof cases / sizeof cases[0]);
    assert_int_equal(net_counters(bench.net)->connections, 0);
}

static void idleness_is_broken_by_keepalives(void **state)
{
    (void)state;
    open_one();
    int fd = bench_connect(&bench, 0);
    bench_write(fd, SLICE(MESSAGE));
    bench_until(&bench, &bench.received, 1);
    for (int i = 0; i < 4; i++) {
        bench_pass(&bench, NET_IDLE_MS - 500);
        bench_write(fd, SLICE("\r\n\r\n"));
        bench_expect(&bench, fd, SLICE("\r\n"));
    }
    assert_int_equal(bench.heard, 4);
    assert_int_equal(bench.flow.remote.port, bench_port(fd));
    assert_int_equal(bench.closed, 0);
    close(fd);
}

static struct hop accepted(int *ret_fd)
{
    unsigned before = bench.received;
    *ret_fd = bench_connect(&bench, 0);
    bench_write(*ret_fd, SLICE(MESSAGE));
    bench_until(&bench, &bench.received, before + 1);
    return hop_flow(&bench.flow);
}

static void bounds_output(void **state)
{
    struct slice large = slice_make(calloc(1, 50000), 50000);
    enum link_result result = LINK_DONE;
    unsigned sent = 0;
    int fd;
    (void)state;
    bench.limits.output_bytes = 200000;
    open_one();
    struct hop hop = accepted(&fd);
    while (result == LINK_DONE && sent < 2000) { /* the peer reads nothing: the kernel's buffers fill, then ours */
        result = bench_send(&bench, &hop, large, ++sent);
        loop_turn(bench.loop, 0);
    }
    assert_int_equal(result, LINK_FAILED);
    assert_in_range(sent, 4, 1999);
    bench_until(&bench, &bench.closed, 1);
    assert_true(flow_eq(&bench.flow, &hop.flow));
    assert_in_range(bench.failed, 3, sent - 1); /* those that had not left */
    assert_int_equal(bench_send(&bench, &hop, large, 1), LINK_FAILED);
    free((char *)(uintptr_t)large.ptr);
    close(fd);
}

static void closes_late_writers(void **state)
{
    struct slice large = slice_make(calloc(1, 8 << 20), 8 << 20);
    int fd;
    (void)state;
    bench.limits.output_bytes = 16 << 20;
    open_one();
    struct hop hop = accepted(&fd);
    assert_int_equal(bench_send(&bench, &hop, large, 7), LINK_DONE);
    bench_settle(&bench);
    bench_pass(&bench, NET_WRITE_MS - 500);
    assert_int_equal(bench.closed, 0);
    bench_pass(&bench, 1000);
    assert_int_equal(bench.closed, 1);
    assert_int_equal(bench.failed, 1);
    assert_int_equal(bench.token, 7);
    free((char *)(uintptr_t)large.ptr);
    close(fd);
}

static void sends_all_to_a_reader(void **state)
{
    size_t len = 4 << 20;
    char *bytes = malloc(len);
    int fd;
    (void)state;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 7 + i / 997);
    bench.limits.output_bytes = 8 << 20;
    open_one();
    struct hop hop = accepted(&fd);
    assert_int_equal(bench_send(&bench, &hop, slice_make(bytes, len), 7), LINK_DONE);
    bench_expect(&bench, fd, slice_make(bytes, len));
    assert_int_equal(bench_send(&bench, &hop, SLICE("more"), 8), LINK_DONE);
    bench_expect(&bench, fd, SLICE("more"));
    bench_pass(&bench, NET_WRITE_MS + 1);
    assert_int_equal(bench.failed + bench.closed, 0);
    free(bytes);
    close(fd);
}

static void a_stale_flow_fails(void **state)
{
    int first, second;
    (void)state;
    open_one();
    struct hop old = accepted(&first);
    close(first);
    bench_until(&bench, &bench.closed, 1);
    assert_int_equal(bench_send(&bench, &old, SLICE("x"), 1), LINK_FAILED);
    struct hop new = accepted(&second); /* takes the same slot */
    assert_int_equal(new.flow.slot, old.flow.slot);
    assert_int_equal(bench_send(&bench, &old, SLICE("x"), 1), LINK_FAILED);
    struct hop elsewhere = new;
    elsewhere.flow.worker = 3;
    assert_int_equal(bench_send(&bench, &elsewhere, SLICE("x"), 1), LINK_FAILED);
    elsewhere = new;
    elsewhere.flow.slot = UINT32_MAX;
    assert_int_equal(bench_send(&bench, &elsewhere, SLICE("x"), 1), LINK_FAILED);
    net_close_flow(bench.net, &old.flow);
    net_close_flow(bench.net, &elsewhere.flow);
    assert_int_equal(bench_send(&bench, &new, SLICE("last words"), 1), LINK_DONE);
    net_close_flow(bench.net, &new.flow);
    bench_expect(&bench, second, SLICE("last words"));
    bench_expect_end(&bench, second);
    close(second);
    bench_until(&bench, &bench.closed, 2);
}

static void caps_sources(void **state)
{
    int fds[8], fd;
    (void)state;
    bench.limits.fresh_per_source = 3;
    bench.limits.connections_per_source = 5;
    open_one();
    for (int i = 0; i < 3; i++)
        fds[i] = bench_connect(&bench, 0);
    bench_settle(&bench);
    fd = bench_connect(&bench, 0); /* a fourth that has said nothing */
    bench_expect_end(&bench, fd);
    close(fd);
    assert_int_equal(net_counters(bench.net)->refused, 1);
    close(fds[0]); /* leaves its place while still silent */
    bench_until(&bench, &bench.closed, 1);
    fds[0] = bench_connect(&bench, 0);
    bench_settle(&bench);
    for (int i = 0; i < 3; i++)
        bench_write(fds[i], SLICE(MESSAGE));
    bench_until(&bench, &bench.received, 3);
    fds[3] = bench_connect(&bench, 0);
    fds[4] = bench_connect(&bench, 0);
    bench_settle(&bench);
    fd = bench_connect(&bench, 0); /* a sixth */
    bench_expect_end(&bench, fd);
    close(fd);
    assert_int_equal(net_counters(bench.net)->refused, 2);
    close(fds[0]);
    bench_until(&bench, &bench.closed, 2);
    fds[0] = bench_connect(&bench, 0);
    bench_write(fds[0], SLICE(MESSAGE));
    bench_until(&bench, &bench.received, 4);
    assert_int_equal(net_counters(bench.net)->connections, 5);
    for (int i = 0; i < 5; i++)
        close(fds[i]);
}

static void caps_the_total_but_not_the_exempt(void **state)
{
    int fds[3], fd;
    (void)state;
    bench.limits.fresh_per_source = 0;
    bench.limits.connections = 3;
    bench.exempt = (struct network){{4, 0, {127, 0, 0, 1}}, 32};
    bench.exempt_count = 1;
    open_one();
    for (int i = 0; i < 3; i++)
        fds[i] = bench_connect(&bench, 0);
    bench_settle(&bench);
    assert_int_equal(net_counters(bench.net)->connections, 3);
    fd = bench_connect(&bench, 0);
    bench_expect_end(&bench, fd);
    close(fd);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static void survives_running_out_of_descriptors(void **state)
{
    struct rlimit usual, none;
    (void)state;
    open_one();
    int fd = bench_connect(&bench, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none = usual;
    none.rlim_cur = (rlim_t)fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    bench_settle(&bench);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    bench_settle(&bench);
    assert_int_equal(net_counters(bench.net)->accepted, 0); /* the listener rests, or the loop would spin */
    bench_pass(&bench, NET_ACCEPT_PAUSE_MS);
    assert_int_equal(net_counters(bench.net)->accepted, 1);
    close(fd);
}

static void the_user_may_close_while_it_is_called(void **state)
{
    int fd;
    (void)state;
    bench.close_on_receive = true;
    open_one();
    struct hop hop = accepted(&fd);
    bench_write(fd, SLICE(MESSAGE MESSAGE));
    bench_expect_end(&bench, fd);
    close(fd);
    bench_until(&bench, &bench.closed, 1);
    assert_true(flow_eq(&bench.flow, &hop.flow));
    assert_int_equal(bench.received, 1);
    bench.limits.output_bytes = 10; /* an answer too large closes at once, inside the callback too */
    bench.close_on_receive = false;
    net_free(bench.net);
    open_one();
    bench.overflow_on_receive = true;
    fd = bench_connect(&bench, 0);
    bench_write(fd, SLICE(MESSAGE MESSAGE));
    bench_expect_end(&bench, fd);
    close(fd);
    assert_int_equal(bench.received, 2);
    bench_until(&bench, &bench.closed, 2);
}

/* A power cut behind one address: all must get in at once, not only within 30 s. */
static void five_hundred_phones_register(void **state)
{
    enum { PHONES = 500 };
    int fds[PHONES];
    (void)state;
    bench.echo = true;
    open_one();
    for (int i = 0; i < PHONES; i++) {
        fds[i] = bench_connect(&bench, 0);
        bench_write(fds[i], SLICE(MESSAGE));
    }
    bench_until(&bench, &bench.received, PHONES);
    for (int i = 0; i < PHONES; i++) {
        bench_expect(&bench, fds[i], SLICE(MESSAGE));
        close(fds[i]);
    }
    bench_until(&bench, &bench.closed, PHONES);
    assert_int_equal(net_counters(bench.net)->refused, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frames_in_every_split, set_up, tear_down),
        cmocka_unit_test_setup_teardown(frames_octet_by_octet_and_in_bulk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_what_cannot_be_framed_then_closes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_heads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closes_late_readers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(idleness_is_broken_by_keepalives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_output, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closes_late_writers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sends_all_to_a_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stale_flow_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(caps_sources, set_up, tear_down),
        cmocka_unit_test_setup_teardown(caps_the_total_but_not_the_exempt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_running_out_of_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_user_may_close_while_it_is_called, set_up, tear_down),
        cmocka_unit_test_setup_teardown(five_hundred_phones_register, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
