/* UDP on loopback: both families, batches, what is dropped, and the address that answers come from. */
#include "support/bench.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE "OPTIONS sip:a@example.com SIP/2.0\r\n\r\n"

static struct bench bench;

static void send_to(int fd, const char *ip, uint16_t port, struct slice bytes)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, ip, &in.sin_addr), 1);
    assert_int_equal(sendto(fd, bytes.ptr, bytes.len, 0, (struct sockaddr *)&in, sizeof in), bytes.len);
}

static void echoes_in_both_families(void **state)
{
    static const char *const ips[] = {"127.0.0.1", "::1"};
    (void)state;
    bench_init(&bench);
    bench.echo = true;
    bench_open(&bench, TRANSPORT_UDP, "127.0.0.1:0", TRANSPORT_UDP, "[::1]:0", TRANSPORT_COUNT);
    for (unsigned i = 0; i < 2; i++) {
        struct address local = *net_bound(bench.net, i);
        int fd = bench_socket(SOCK_DGRAM, ips[i]);
        struct sockaddr_in6 in6 = {
            .sin6_family = AF_INET6, .sin6_port = htons(local.port), .sin6_addr = in6addr_loopback};
        if (i == 0)
            send_to(fd, ips[0], local.port, SLICE(MESSAGE));
        else
            assert_int_equal(sendto(fd, MESSAGE, sizeof MESSAGE - 1, 0, (struct sockaddr *)&in6, sizeof in6),
                             sizeof MESSAGE - 1);
        bench_until(&bench, &bench.received, i + 1);
        assert_true(slice_eq(bench_packet(&bench, i), SLICE(MESSAGE)));
        assert_int_equal(bench.flow.transport, TRANSPORT_UDP);
        assert_int_equal(bench.flow.listener, i);
        assert_true(address_eq(&bench.flow.local, &local));
        assert_int_equal(bench.flow.remote.port, bench_port(fd));
        bench_expect(&bench, fd, SLICE(MESSAGE));
        close(fd);
    }
    bench_deinit(&bench);
}

static void drops_noise_silently(void **state)
{
    static const struct slice noise[] = {
        SLICE_INIT("\r\n"),
        SLICE_INIT("\r\n\r\n"),
        SLICE_INIT("\0\0\0\0"),
        SLICE_INIT(""),
        SLICE_INIT("hello"),
        SLICE_INIT("\r\n\0\r\n\0\r\n\0\r\n\0\r\n\0\r\n\0\r\n\0\r\n\0\r\n\0\r\n\0\r\n\0\r\n\0\r\n\0"),
    };
    (void)state;
    bench_init(&bench);
    bench_open(&bench, TRANSPORT_UDP, "127.0.0.1:0", TRANSPORT_COUNT);
    int fd = bench_socket(SOCK_DGRAM, "127.0.0.1");
    for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++)
        send_to(fd, "127.0.0.1", net_bound(bench.net, 0)->port, noise[i]);
    send_to(fd, "127.0.0.1", net_bound(bench.net, 0)->port, SLICE("\r\n\r\n" MESSAGE));
    bench_until(&bench, &bench.received, 1);
    assert_int_equal(net_counters(bench.net)->datagrams_dropped, 6);
    assert_int_equal(net_counters(bench.net)->datagrams_in, 7);
    assert_int_equal(bench.heard, 6); /* somebody is there */
    assert_int_equal(bench.flow.remote.port, bench_port(fd));
    close(fd);
    bench_deinit(&bench);
}

static void answers_from_the_address_written_to(void **state)
{
    (void)state;
    bench_init(&bench);
    bench.echo = true;
    bench_open(&bench, TRANSPORT_UDP, "0.0.0.0:0", TRANSPORT_COUNT);
    uint16_t port = net_bound(bench.net, 0)->port;
    int fd = bench_socket(SOCK_DGRAM, "127.0.0.1");
    send_to(fd, "127.0.0.77", port, SLICE(MESSAGE));
    bench_until(&bench, &bench.received, 1);
    struct address expect = {.family = 4, .port = port, .ip = {127, 0, 0, 77}};
    assert_true(address_eq(&bench.flow.local, &expect));
    bench_settle(&bench);
    char got[100];
    struct sockaddr_in from = {0};
    socklen_t len = sizeof from;
    assert_int_equal(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len), sizeof MESSAGE - 1);
    assert_memory_equal(&from.sin_addr, expect.ip, 4);
    assert_int_equal(ntohs(from.sin_port), port);
    close(fd);
    bench_deinit(&bench);
}

static void any_address_of_ipv6_takes_no_ipv4(void **state)
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    const struct address home = {.family = 6, .ip = {[15] = 1}};
    (void)state;
    bench_init(&bench);
    bench.echo = true;
    bench_open(&bench, TRANSPORT_UDP, "[::]:0", TRANSPORT_COUNT);
    uint16_t port = net_bound(bench.net, 0)->port;
    int fd4 = bench_socket(SOCK_DGRAM, "127.0.0.1"), fd6 = bench_socket(SOCK_DGRAM, "::1");
    send_to(fd4, "127.0.0.1", port, SLICE(MESSAGE));
    to.sin6_port = htons(port);
    assert_int_equal(sendto(fd6, MESSAGE, sizeof MESSAGE - 1, 0, (struct sockaddr *)&to, sizeof to),
                     sizeof MESSAGE - 1);
    bench_expect(&bench, fd6, SLICE(MESSAGE));
    assert_true(address_eq_ip(&bench.flow.local, &home));
    assert_int_equal(bench.flow.remote.family, 6);
    assert_int_equal(bench.received, 1);
    close(fd4);
    close(fd6);
    bench_deinit(&bench);
}

static void sends_more_than_one_batch(void **state)
{
    enum { COUNT = 3 * NET_UDP_BATCH + 5 };
    (void)state;
    bench_init(&bench);
    bench_open(&bench, TRANSPORT_UDP, "127.0.0.1:0", TRANSPORT_COUNT);
    int fd = bench_socket(SOCK_DGRAM, "127.0.0.1");
    struct target target = bench_target(&bench, TRANSPORT_UDP, "127.0.0.1", bench_port(fd));
    struct hop hop = hop_target(&target);
    for (int i = 0; i < COUNT; i++) {
        char number[5] = {'n', (char)i, (char)(i >> 8), 'x', 'y'};
        assert_int_equal(bench_send(&bench, &hop, slice_make(number, sizeof number), 0), LINK_DONE);
    }
    loop_turn(bench.loop, 0);
    for (int i = 0; i < COUNT; i++) {
        char number[5] = {'n', (char)i, (char)(i >> 8), 'x', 'y'};
        bench_expect(&bench, fd, slice_make(number, sizeof number));
    }
    assert_int_equal(net_counters(bench.net)->datagrams_out, COUNT);
    close(fd);
    bench_deinit(&bench);
}

static void carries_the_largest_and_refuses_more(void **state)
{
    struct slice large = slice_make(calloc(1, NET_DATAGRAM_BYTES + 1), NET_DATAGRAM_BYTES);
    (void)state;
    memset((char *)(uintptr_t)large.ptr, 'x', large.len);
    bench_init(&bench);
    bench_open(&bench, TRANSPORT_UDP, "127.0.0.1:0", TRANSPORT_COUNT);
    struct target self = bench_target(&bench, TRANSPORT_UDP, "127.0.0.1", net_bound(bench.net, 0)->port);
    struct hop hop = hop_target(&self);
    assert_int_equal(bench_send(&bench, &hop, large, 1), LINK_DONE);
    bench_until(&bench, &bench.received, 1);
    assert_int_equal(bench_packet(&bench, 0).len, NET_DATAGRAM_BYTES);
    large.len++;
    assert_int_equal(bench_send(&bench, &hop, large, 1), LINK_FAILED);
    assert_int_equal(bench.failed, 0);
    free((char *)(uintptr_t)large.ptr);
    bench_deinit(&bench);
}

static void refuses_what_has_no_way(void **state)
{
    struct flow flow = {.transport = TRANSPORT_UDP, .remote = {.family = 4, .port = 9, .ip = {127, 0, 0, 1}}};
    enum transport transport;
    struct slice sent_by;
    (void)state;
    bench_init(&bench);
    bench_open(&bench, TRANSPORT_UDP, "127.0.0.1:0", TRANSPORT_TCP, "127.0.0.1:0", TRANSPORT_COUNT);
    struct hop hop = hop_flow(&flow);
    assert_int_equal(bench_send(&bench, &hop, SLICE(MESSAGE), 1), LINK_DONE);
    hop.flow.listener = 1; /* that one is TCP */
    assert_int_equal(bench_send(&bench, &hop, SLICE(MESSAGE), 1), LINK_FAILED);
    hop.flow.listener = 9;
    assert_int_equal(bench_send(&bench, &hop, SLICE(MESSAGE), 1), LINK_FAILED);
    hop.flow.listener = 0;
    hop.flow.remote.family = 6;
    assert_int_equal(bench_send(&bench, &hop, SLICE(MESSAGE), 1), LINK_FAILED);
    static const struct {
        enum transport transport;
        const char *host;
    } none[] = {{TRANSPORT_UDP, "::1"},
                {TRANSPORT_UDP, "192.0.2.1"},
                {TRANSPORT_TLS, "127.0.0.1"},
                {TRANSPORT_WS, "a.example"}};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        struct target target = bench_target(&bench, none[i].transport, none[i].host, 5060);
        hop = hop_target(&target);
        assert_int_equal(bench_send(&bench, &hop, SLICE(MESSAGE), 1), LINK_FAILED);
        assert_int_equal(link_sent_by(net_link(bench.net), &hop, &transport, &sent_by), ERR_NOT_FOUND);
    }
    struct target plain = {.host = SLICE("example.com")};
    hop = hop_target(&plain);
    assert_int_equal(link_sent_by(net_link(bench.net), &hop, &transport, &sent_by), ERR_NONE);
    assert_int_equal(transport, TRANSPORT_UDP);
    char text[ADDRESS_TEXT_MAX];
    assert_true(slice_eq(sent_by, slice_str(address_text(net_bound(bench.net, 0), text))));
    bench_settle(&bench);
    bench_deinit(&bench);
}

static int try_listener(unsigned worker, struct net_listener listener, struct net **ret, size_t *ret_bad)
{
    static const struct net_user nobody;
    const struct net_config config = {
        .loop = bench.loop,
        .random = random_system(),
        .worker = worker,
        .listeners = (const struct net_listener[]){{TRANSPORT_UDP, {4, 0, {127, 0, 0, 1}}, SLICE_NONE}, listener},
        .listener_count = 2,
        .user = &nobody,
    };
    return net_new(&config, ret, ret_bad);
}

static void workers_share_and_strangers_do_not(void **state)
{
    static const enum transport transports[] = {TRANSPORT_UDP, TRANSPORT_TCP};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct net *other = NULL;
        size_t bad = 99;
        bench_init(&bench);
        bench_open(&bench, transports[i], "127.0.0.1:0", TRANSPORT_COUNT);
        struct net_listener same = {transports[i], *net_bound(bench.net, 0), SLICE("sip.example.com")};
        assert_int_equal(try_listener(0, same, &other, &bad), ERR_EXISTS);
        assert_int_equal(bad, 1);
        assert_int_equal(try_listener(1, same, &other, &bad), ERR_NONE);
        assert_true(address_eq(net_bound(other, 1), net_bound(bench.net, 0)));
        struct hop hop = hop_flow(&(struct flow){.transport = (uint8_t)transports[i], .listener = 1});
        enum transport transport;
        struct slice sent_by;
        assert_int_equal(link_sent_by(net_link(other), &hop, &transport, &sent_by), ERR_NONE);
        assert_true(slice_eq(sent_by, SLICE("sip.example.com")));
        net_free(other);
        same.transport = TRANSPORT_TLS;
        assert_int_equal(try_listener(1, same, &other, &bad), ERR_UNSUPPORTED);
        same.transport = transports[i];
        same.address.ip[0] = 192; /* not an address of this machine */
        assert_int_equal(try_listener(0, same, &other, &bad), ERR_IO);
        bench_deinit(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes_in_both_families),
        cmocka_unit_test(drops_noise_silently),
        cmocka_unit_test(answers_from_the_address_written_to),
        cmocka_unit_test(any_address_of_ipv6_takes_no_ipv4),
        cmocka_unit_test(sends_more_than_one_batch),
        cmocka_unit_test(carries_the_largest_and_refuses_more),
        cmocka_unit_test(refuses_what_has_no_way),
        cmocka_unit_test(workers_share_and_strangers_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
