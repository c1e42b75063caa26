/* The sockets under one agent: a UDP socket and a TCP connection to its server, names resolved by getaddrinfo, one
 * ppoll() a turn. */
#ifndef TELEX_HOST_H
#define TELEX_HOST_H

#include <poll.h>

#include "base/buf.h"
#include "telex/ua.h"

/* One way to the server. */
struct telex_way {
    int fd; /* -1: closed */
    bool connecting;
    struct addrinfo *addresses, *next;
    struct buf output; /* TELEX_TCP */
};

struct telex_host {
    struct telex_ua *ua;
    const char *server_host; /* name or address without brackets; borrowed */
    char server_port[8];
    struct telex_way ways[TELEX_TRANSPORTS];
    char trouble[256]; /* why the last try to open or use a way failed; "" */
};

void telex_host_init(struct telex_host *h, const char *server_host, uint16_t port);
void telex_host_deinit(struct telex_host *h);

/* For struct telex_ua_callbacks. */
int telex_host_send(struct telex_host *h, enum telex_transport transport, const void *bytes, size_t len);
void telex_host_connect(struct telex_host *h, enum telex_transport transport);
void telex_host_hang_up(struct telex_host *h, enum telex_transport transport);

/* One turn: sleeps until something happens or is due, `max_wait_ms` (-1: any time) is over or a signal comes, passes on
 * what has arrived and lets the agent act. `others` are polled along; their revents are set. */
void telex_host_turn(struct telex_host *h, struct pollfd *others, size_t count, int max_wait_ms);

/* Milliseconds of a clock that never goes back. */
uint64_t telex_host_now_ms(void);

/* From now on SIGINT and SIGTERM are noted, and SIGPIPE is ignored. */
void telex_host_catch_signals(void);
/* True after SIGINT or SIGTERM. */
bool telex_host_interrupted(void);

#endif
