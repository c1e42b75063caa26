/* Sending to targets: connections made, reused, refused, late; and names asked of a small server in this test. */
#include "support/bench.h"
#include "support/dns_server.h"

#include <sys/socket.h>
#include <unistd.h>

static struct bench bench;
static struct dns_server dns;

static int set_up(void **state)
{
    (void)state;
    bench_init(&bench);
    dns_server_start(&dns, bench.loop);
    bench.dns_servers = dns.address_text;
    bench.limits.resolver_timeout_ms = 50; /* c-ares measures by its own clock, not by the skewed one */
    bench_open(&bench, TRANSPORT_TCP, "127.0.0.1:0", TRANSPORT_UDP, "127.0.0.1:0", TRANSPORT_COUNT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    net_free(bench.net);
    bench.net = NULL;
    dns_server_stop(&dns);
    bench_deinit(&bench);
    return 0;
}

static enum link_result send_to(enum transport t, const char *host, uint16_t port, struct slice bytes, uint64_t token)
{
    struct target target = bench_target(&bench, t, host, port);
    struct hop hop = hop_target(&target);
    return bench_send(&bench, &hop, bytes, token);
}

static void connects_once_and_reuses(void **state)
{
    (void)state;
    int listening = bench_listen("127.0.0.1");
    uint16_t port = bench_port(listening);
    assert_int_equal(send_to(TRANSPORT_TCP, "127.0.0.1", port, SLICE("first "), 1), LINK_PENDING);
    assert_int_equal(send_to(TRANSPORT_TCP, "127.0.0.1", port, SLICE("second "), 2), LINK_PENDING);
    int fd = bench_accept(&bench, listening);
    bench_expect(&bench, fd, SLICE("first second "));
    assert_int_equal(send_to(TRANSPORT_TCP, "127.0.0.1", port, SLICE("third"), 3), LINK_DONE);
    bench_expect(&bench, fd, SLICE("third"));
    bench_write(fd, SLICE("OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n")); /* both ways over one */
    bench_until(&bench, &bench.received, 1);
    assert_int_equal(bench.flow.listener, UINT16_MAX);
    assert_int_equal(bench.flow.remote.port, port);
    struct hop back = hop_flow(&bench.flow);
    enum transport transport;
    struct slice sent_by;
    char text[ADDRESS_TEXT_MAX];
    assert_int_equal(link_sent_by(net_link(bench.net), &back, &transport, &sent_by), ERR_NONE);
    assert_true(slice_eq(sent_by, slice_str(address_text(net_bound(bench.net, 0), text))));
    assert_int_equal(bench_send(&bench, &back, SLICE("answer"), 4), LINK_DONE);
    bench_expect(&bench, fd, SLICE("answer"));
    assert_int_equal(net_counters(bench.net)->opened, 1);
    assert_int_equal(bench.failed, 0);
    close(fd);
    bench_until(&bench, &bench.closed, 1);
    assert_int_equal(send_to(TRANSPORT_TCP, "127.0.0.1", port, SLICE("again"), 5), LINK_PENDING);
    fd = bench_accept(&bench, listening);
    bench_expect(&bench, fd, SLICE("again"));
    close(fd);
    close(listening);
}

static void reuses_an_accepted_connection(void **state)
{
    (void)state;
    int fd = bench_connect(&bench, 0);
    bench_settle(&bench);
    assert_int_equal(send_to(TRANSPORT_TCP, "127.0.0.1", bench_port(fd), SLICE("back"), 1), LINK_DONE);
    bench_expect(&bench, fd, SLICE("back"));
    close(fd);
}

static void tells_of_refusal(void **state)
{
    (void)state;
    int fd = bench_socket(SOCK_STREAM, "127.0.0.1"); /* bound, not listening */
    assert_int_equal(send_to(TRANSPORT_TCP, "127.0.0.1", bench_port(fd), SLICE("x"), 77), LINK_PENDING);
    assert_int_equal(bench.failed, 0);
    bench_until(&bench, &bench.failed, 1);
    assert_int_equal(bench.token, 77);
    assert_int_equal(bench.closed, 0); /* nobody knew its flow */
    assert_int_equal(send_to(TRANSPORT_TCP, "127.0.0.1", bench_port(fd), SLICE("x"), 0), LINK_PENDING);
    bench_settle(&bench);
    assert_int_equal(bench.failed, 1); /* token 0: nobody wants to know */
    close(fd);
}

static void gives_up_connecting(void **state)
{
    (void)state;
    /* A full backlog: the kernel leaves further connections without an answer. */
    int listening = bench_socket(SOCK_STREAM, "127.0.0.1"), fillers[4];
    assert_int_equal(listen(listening, 0), 0);
    uint16_t port = bench_port(listening);
    struct sockaddr_storage to;
    socklen_t len = sizeof to;
    assert_int_equal(getsockname(listening, (struct sockaddr *)&to, &len), 0);
    for (int i = 0; i < 4; i++) {
        fillers[i] = bench_socket(SOCK_STREAM, "127.0.0.1");
        (void)connect(fillers[i], (struct sockaddr *)&to, len);
    }
    assert_int_equal(send_to(TRANSPORT_TCP, "127.0.0.1", port, SLICE("x"), 5), LINK_PENDING);
    struct target impatient = bench_target(&bench, TRANSPORT_TCP, "127.0.0.1", port);
    impatient.connect_ms = 500;
    struct hop hop = hop_target(&impatient);
    assert_int_equal(bench_send(&bench, &hop, SLICE("y"), 6), LINK_PENDING);
    bench_settle(&bench);
    bench_pass(&bench, 400);
    assert_int_equal(bench.failed, 0);
    bench_pass(&bench, 200); /* one waits no longer, the other does */
    bench_until(&bench, &bench.failed, 1);
    bench_pass(&bench, NET_CONNECT_MS - 700);
    assert_int_equal(bench.failed, 1);
    bench_pass(&bench, 1000);
    bench_until(&bench, &bench.failed, 2);
    for (int i = 0; i < 4; i++)
        close(fillers[i]);
    close(listening);
}

static void asks_names_and_remembers(void **state)
{
    (void)state;
    int fd = bench_socket(SOCK_DGRAM, "127.0.0.1");
    dns_server_add_a(&dns, "phone.example.com", 20, "127.0.0.1");
    assert_int_equal(send_to(TRANSPORT_UDP, "phone.example.com", bench_port(fd), SLICE("one"), 1), LINK_PENDING);
    bench_expect(&bench, fd, SLICE("one"));
    unsigned asked = dns.asked;
    assert_true(asked > 0);
    assert_int_equal(send_to(TRANSPORT_UDP, "PHONE.example.com", bench_port(fd), SLICE("two"), 1), LINK_PENDING);
    bench_expect(&bench, fd, SLICE("two"));
    assert_int_equal(dns.asked, asked);
    bench_pass(&bench, 19000);
    assert_int_equal(send_to(TRANSPORT_UDP, "phone.example.com", bench_port(fd), SLICE("three"), 1), LINK_PENDING);
    bench_expect(&bench, fd, SLICE("three"));
    assert_int_equal(dns.asked, asked);
    bench_pass(&bench, 2000); /* its TTL is over */
    assert_int_equal(send_to(TRANSPORT_UDP, "phone.example.com", bench_port(fd), SLICE("four"), 1), LINK_PENDING);
    bench_expect(&bench, fd, SLICE("four"));
    assert_true(dns.asked > asked);
    assert_int_equal(bench.failed, 0);
    close(fd);
}

static void tells_of_names_that_do_not_exist(void **state)
{
    (void)state;
    assert_int_equal(send_to(TRANSPORT_UDP, "nowhere.example.com", 5060, SLICE("x"), 3), LINK_PENDING);
    bench_until(&bench, &bench.failed, 1);
    assert_int_equal(bench.token, 3);
    unsigned asked = dns.asked;
    assert_int_equal(send_to(TRANSPORT_UDP, "nowhere.example.com", 5060, SLICE("x"), 4), LINK_FAILED);
    assert_int_equal(dns.asked, asked);
    assert_int_equal(bench.failed, 1);
    assert_int_equal(send_to(TRANSPORT_UDP, "", 5060, SLICE("x"), 4), LINK_FAILED);
    char longest[300];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(send_to(TRANSPORT_UDP, longest, 5060, SLICE("x"), 4), LINK_FAILED);
    longest[100] = '\0'; /* a label of over 63 octets */
    (void)send_to(TRANSPORT_UDP, longest, 5060, SLICE("x"), 0);
    bench_settle(&bench);
}

static void a_dead_server_fails_in_time(void **state)
{
    (void)state;
    dns.silent = true;
    assert_int_equal(send_to(TRANSPORT_UDP, "slow.example.com", 5060, SLICE("x"), 9), LINK_PENDING);
    bench_settle(&bench);
    bench_until(&bench, &bench.failed, 1);
    assert_int_equal(bench.token, 9);
}

static void follows_services_by_priority(void **state)
{
    (void)state;
    int refusing = bench_socket(SOCK_STREAM, "127.0.0.1"), listening = bench_listen("127.0.0.1");
    dns_server_add_srv(&dns, "_sip._tcp.example.com", 60, 20, 9, bench_port(listening), "b.example.com");
    dns_server_add_srv(&dns, "_sip._tcp.example.com", 60, 10, 0, bench_port(refusing), "a.example.com");
    /* The same in the other order, and more than are likely to be drawn right by chance. */
    dns_server_add_srv(&dns, "_sip._tcp.example.net", 60, 10, 0, bench_port(refusing), "a.example.com");
    for (int i = 0; i < 7; i++)
        dns_server_add_srv(&dns, "_sip._tcp.example.net", 60, 20, 9, bench_port(listening), "b.example.com");
    dns_server_add_a(&dns, "a.example.com", 60, "127.0.0.1");
    dns_server_add_a(&dns, "b.example.com", 60, "127.0.0.1");
    assert_int_equal(send_to(TRANSPORT_TCP, "example.com", 0, SLICE("found"), 1), LINK_PENDING);
    int fd = bench_accept(&bench, listening);
    bench_expect(&bench, fd, SLICE("found"));
    assert_int_equal(bench.failed, 0);
    assert_int_equal(net_counters(bench.net)->opened, 2); /* the first by priority refused */
    close(fd);
    bench_until(&bench, &bench.closed, 1);
    assert_int_equal(send_to(TRANSPORT_TCP, "example.net", 0, SLICE("found"), 1), LINK_PENDING);
    fd = bench_accept(&bench, listening);
    bench_expect(&bench, fd, SLICE("found"));
    assert_int_equal(net_counters(bench.net)->opened, 4);
    close(fd);
    close(listening);
    close(refusing);
}

/* RFC 2782: three to one, give or take six standard deviations. */
static void draws_services_by_weight(void **state)
{
    enum { DRAWS = 1000 };
    int heavy = bench_socket(SOCK_DGRAM, "127.0.0.1"), light = bench_socket(SOCK_DGRAM, "127.0.0.1");
    unsigned drawn = 0;
    char got[8];
    (void)state;
    dns_server_add_srv(&dns, "_sip._udp.example.com", 60, 1, 10, bench_port(light), "a.example.com");
    dns_server_add_srv(&dns, "_sip._udp.example.com", 60, 1, 30, bench_port(heavy), "a.example.com");
    dns_server_add_a(&dns, "a.example.com", 60, "127.0.0.1");
    for (int i = 0; i < DRAWS; i++) {
        assert_int_equal(send_to(TRANSPORT_UDP, "example.com", 0, SLICE("x"), 1), LINK_PENDING);
        loop_turn(bench.loop, 0);
        while (recv(heavy, got, sizeof got, 0) > 0)
            drawn++;
        while (recv(light, got, sizeof got, 0) > 0)
            ;
    }
    assert_in_range(drawn, DRAWS * 3 / 4 - 82, DRAWS * 3 / 4 + 82);
    close(heavy);
    close(light);
}

static void without_services_the_host(void **state)
{
    (void)state;
    int fd = bench_socket(SOCK_DGRAM, "127.0.0.1");
    dns_server_add_srv(&dns, "_sip._udp.example.org", 60, 0, 0, bench_port(fd), "x.example.org");
    dns_server_add_a(&dns, "x.example.org", 60, "127.0.0.1");
    dns_server_add_a(&dns, "lonely.example.org", 60, "127.0.0.1");
    assert_int_equal(send_to(TRANSPORT_UDP, "example.org", 0, SLICE("by srv"), 1), LINK_PENDING);
    bench_expect(&bench, fd, SLICE("by srv"));
    assert_int_equal(send_to(TRANSPORT_UDP, "lonely.example.org", 0, SLICE("to 5060"), 1), LINK_PENDING);
    bench_settle(&bench);
    assert_int_equal(bench.failed, 0);
    assert_int_equal(net_counters(bench.net)->datagrams_out, 2);
    close(fd);
}

static void the_hosts_file_counts(void **state)
{
    (void)state;
    int fd = bench_socket(SOCK_DGRAM, "127.0.0.1");
    assert_int_equal(send_to(TRANSPORT_UDP, "localhost", bench_port(fd), SLICE("home"), 1), LINK_PENDING);
    bench_expect(&bench, fd, SLICE("home"));
    close(fd);
}

static void what_waits_is_freed_with_the_net(void **state)
{
    (void)state;
    int listening = bench_listen("127.0.0.1");
    dns.silent = true;
    assert_int_equal(send_to(TRANSPORT_UDP, "slow.example.com", 5060, SLICE("x"), 9), LINK_PENDING);
    assert_int_equal(send_to(TRANSPORT_TCP, "slow.example.com", 0, SLICE("x"), 9), LINK_PENDING);
    assert_int_equal(send_to(TRANSPORT_TCP, "127.0.0.1", bench_port(listening), SLICE("x"), 9), LINK_PENDING);
    close(listening);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(connects_once_and_reuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reuses_an_accepted_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_of_refusal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_up_connecting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asks_names_and_remembers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_of_names_that_do_not_exist, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_dead_server_fails_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(follows_services_by_priority, set_up, tear_down),
        cmocka_unit_test_setup_teardown(draws_services_by_weight, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_services_the_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_hosts_file_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_waits_is_freed_with_the_net, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
