/* A worker's net on loopback with everything that it reports written down, and plain blocking-free sockets as peers.
 * The clock is the real one plus a skew, so deadlines pass without waiting. */
#ifndef SUPPORT_BENCH_H
#define SUPPORT_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "net/net.h"

#define BENCH_KEPT 64

struct bench {
    struct clock clock;
    uint64_t skew_ms;
    struct loop *loop;
    struct net *net;
    struct net_limits limits;
    struct network exempt;
    size_t exempt_count;
    const char *dns_servers;
    bool echo; /* every packet goes back on its flow */
    bool close_on_receive, overflow_on_receive;
    unsigned received, malformed, failed, closed, heard;
    struct packet *packets[BENCH_KEPT]; /* the last ones, by number modulo BENCH_KEPT */
    struct flow flow;                   /* of the last packet, malformed head or closing */
    struct message_fault fault;
    struct slice malformed_answer;
    uint64_t token; /* the last that failed */
};

void bench_init(struct bench *b);
/* Opens the net with one listener each, "127.0.0.1:0" and the like; NULL ends the list. */
void bench_open(struct bench *b, enum transport t, const char *address, ...);
void bench_deinit(struct bench *b);
/* Turns the loop until *counter reaches `value`, at most five seconds. */
void bench_until(struct bench *b, const unsigned *counter, unsigned value);
/* As many turns as there is something to do at once. */
void bench_settle(struct bench *b);
/* Lets `ms` pass at once. */
void bench_pass(struct bench *b, uint64_t ms);
struct slice bench_packet(const struct bench *b, unsigned number);
struct target bench_target(const struct bench *b, enum transport t, const char *host, uint16_t port);
enum link_result bench_send(struct bench *b, const struct hop *to, struct slice bytes, uint64_t token);

/* Peers: sockets that do not block. */
int bench_socket(int type, const char *bind_ip);
uint16_t bench_port(int fd);
int bench_connect(struct bench *b, size_t listener);
int bench_listen(const char *ip);
void bench_write(int fd, struct slice bytes);
/* Turns the loop until `expect` has been read from fd. */
void bench_expect(struct bench *b, int fd, struct slice expect);
/* Turns the loop until fd is at its end (or reset). */
void bench_expect_end(struct bench *b, int fd);
int bench_accept(struct bench *b, int listening);

#endif
