#include "support/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_TURNS 500 /* of 10 ms */

static struct slice no_answer;

static uint64_t skewed_ms(struct clock *c)
{
    const struct bench *b = CONTAINER_OF(c, struct bench, clock);
    return clock_mono_ms(clock_system()) + b->skew_ms;
}

static void misbehave(struct bench *b, const struct flow *flow, struct slice bytes)
{
    struct hop back = hop_flow(flow);
    if (b->close_on_receive)
        net_close_flow(b->net, flow);
    if (b->overflow_on_receive)
        assert_int_equal(bench_send(b, &back, bytes, 0), LINK_FAILED);
}

static void received(void *context, const struct flow *flow, struct packet *packet)
{
    struct bench *b = context;
    struct packet **place = &b->packets[b->received++ % BENCH_KEPT];
    struct slice bytes = packet_slice(packet);
    packet_unref(place);
    *place = packet_ref(packet);
    b->flow = *flow;
    if (b->echo) {
        struct hop back = hop_flow(flow);
        assert_int_equal(link_send(net_link(b->net), &back, &bytes, 1, 0), LINK_DONE);
    }
    misbehave(b, flow, bytes);
}

static void malformed(void *context, const struct flow *flow, struct slice head, const struct message_fault *fault)
{
    struct bench *b = context;
    assert_true(head.len > 0);
    b->malformed++;
    b->flow = *flow;
    b->fault = *fault;
    if (slice_is_set(b->malformed_answer)) {
        struct hop back = hop_flow(flow);
        assert_int_equal(bench_send(b, &back, b->malformed_answer, 0), LINK_DONE);
    }
}

static void link_failed(void *context, uint64_t token)
{
    struct bench *b = context;
    b->failed++;
    b->token = token;
}

static void flow_closed(void *context, const struct flow *flow)
{
    struct bench *b = context;
    b->closed++;
    b->flow = *flow;
}

static void heard(void *context, const struct flow *flow)
{
    struct bench *b = context;
    b->heard++;
    b->flow = *flow;
}

static const struct net_user user = {received, malformed, link_failed, flow_closed, heard};

void bench_init(struct bench *b)
{
    *b = (struct bench){.clock = {.mono_ms = skewed_ms}, .limits = net_limits_default(), .malformed_answer = no_answer};
    b->dns_servers = "127.0.0.1:9"; /* no test asks the world */
    assert_int_equal(loop_new(&b->clock, &b->loop), ERR_NONE);
}

static struct address parse(const char *text)
{
    struct address a;
    assert_int_equal(address_parse(slice_str(text), &a), ERR_NONE);
    return a;
}

void bench_open(struct bench *b, enum transport t, const char *address, ...)
{
    struct net_listener listeners[8];
    size_t count = 0, bad;
    va_list args;
    va_start(args, address);
    for (const char *at = address; at;) {
        listeners[count++] = (struct net_listener){.transport = t, .address = parse(at)};
        t = (enum transport)va_arg(args, int);
        at = t == TRANSPORT_COUNT ? NULL : va_arg(args, const char *);
    }
    va_end(args);
    const struct net_config config = {
        .loop = b->loop,
        .random = random_system(),
        .listeners = listeners,
        .listener_count = count,
        .exempt = &b->exempt,
        .exempt_count = b->exempt_count,
        .limits = &b->limits,
        .dns_servers = b->dns_servers,
        .user = &user,
        .context = b,
    };
    assert_int_equal(net_new(&config, &b->net, &bad), ERR_NONE);
}

void bench_deinit(struct bench *b)
{
    net_free(b->net);
    loop_free(b->loop);
    for (size_t i = 0; i < BENCH_KEPT; i++)
        packet_unref(&b->packets[i]);
}

void bench_until(struct bench *b, const unsigned *counter, unsigned value)
{
    for (int i = 0; i < PATIENCE_TURNS && *counter < value; i++)
        loop_turn(b->loop, 10);
    assert_int_equal(*counter, value);
}

void bench_settle(struct bench *b)
{
    for (int i = 0; i < 5; i++)
        loop_turn(b->loop, 1);
}

void bench_pass(struct bench *b, uint64_t ms)
{
    b->skew_ms += ms;
    bench_settle(b);
}

struct slice bench_packet(const struct bench *b, unsigned number)
{
    return packet_slice(b->packets[number % BENCH_KEPT]);
}

struct target bench_target(const struct bench *b, enum transport t, const char *host, uint16_t port)
{
    (void)b;
    return (struct target){.host = slice_str(host), .port = port, .has_transport = true, .transport = t};
}

enum link_result bench_send(struct bench *b, const struct hop *to, struct slice bytes, uint64_t token)
{
    struct slice parts[2] = {slice_head(bytes, bytes.len / 2), slice_skip(bytes, bytes.len / 2)};
    return link_send(net_link(b->net), to, parts, 2, token);
}

static socklen_t to_sockaddr(const struct address *a, struct sockaddr_storage *s)
{
    *s = (struct sockaddr_storage){0};
    if (a->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)s;
        in->sin_family = AF_INET;
        in->sin_port = htons(a->port);
        memcpy(&in->sin_addr, a->ip, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)s;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(a->port);
    memcpy(&in6->sin6_addr, a->ip, 16);
    return sizeof *in6;
}

int bench_socket(int type, const char *bind_ip)
{
    struct address a;
    struct sockaddr_storage s;
    assert_int_equal(address_parse_ip(slice_str(bind_ip), &a), ERR_NONE);
    socklen_t len = to_sockaddr(&a, &s);
    int fd = socket(s.ss_family, type | SOCK_NONBLOCK, 0);
    const int on = 1;
    assert_true(fd >= 0);
    if (type == SOCK_STREAM) /* a split must arrive as it was cut, not when the kernel finds it worth sending */
        assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&s, len), 0);
    return fd;
}

uint16_t bench_port(int fd)
{
    struct sockaddr_in6 name = {0}; /* both families have the port at the same place */
    socklen_t len = sizeof name;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    return ntohs(name.sin6_port);
}

int bench_connect(struct bench *b, size_t listener)
{
    struct address to = *net_bound(b->net, listener);
    struct sockaddr_storage s;
    if (address_is_any(&to))
        to = to.family == 4 ? parse("127.0.0.1:1") : parse("[::1]:1");
    to.port = net_bound(b->net, listener)->port;
    socklen_t len = to_sockaddr(&to, &s);
    int fd = bench_socket(SOCK_STREAM, to.family == 4 ? "127.0.0.1" : "::1");
    assert_true(connect(fd, (struct sockaddr *)&s, len) == 0 || errno == EINPROGRESS);
    return fd;
}

int bench_listen(const char *ip)
{
    int fd = bench_socket(SOCK_STREAM, ip);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

void bench_write(int fd, struct slice bytes)
{
    assert_int_equal(send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL), bytes.len);
}

void bench_expect(struct bench *b, int fd, struct slice expect)
{
    char *got = malloc(expect.len);
    size_t len = 0;
    for (int i = 0; i < PATIENCE_TURNS && len < expect.len; i++) {
        loop_turn(b->loop, 1);
        ssize_t n = recv(fd, got + len, expect.len - len, 0);
        if (n > 0)
            len += (size_t)n;
    }
    assert_int_equal(len, expect.len);
    assert_memory_equal(got, expect.ptr, len);
    free(got);
}

void bench_expect_end(struct bench *b, int fd)
{
    char rest[65536];
    ssize_t n = -1;
    for (int i = 0; i < PATIENCE_TURNS; i++) {
        loop_turn(b->loop, 1);
        n = recv(fd, rest, sizeof rest, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return;
    }
    assert_int_equal(n, 0);
}

int bench_accept(struct bench *b, int listening)
{
    int fd = -1;
    for (int i = 0; i < PATIENCE_TURNS && fd < 0; i++) {
        loop_turn(b->loop, 1);
        fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
    }
    assert_true(fd >= 0);
    return fd;
}
