/* Every bound of the network room, with its reason. The defaults of struct net_limits; tests give smaller ones. */
#ifndef NET_NET_LIMITS_H
#define NET_NET_LIMITS_H

#include <stddef.h>
#include <stdint.h>

struct net_limits {
    uint32_t connections;            /* per worker */
    uint32_t connections_per_source; /* per worker and address (IPv6: per /64) */
    uint32_t fresh_per_source;       /* of those, without a first request yet */
    size_t head_bytes, body_bytes;   /* of one message on a stream */
    size_t output_bytes;             /* waiting on one connection (C14) */
    uint32_t connect_ms, head_ms, body_ms, idle_ms, write_ms, linger_ms;
    uint32_t resolver_timeout_ms;
};

/* 20 000 phones on one worker; some 2 KB each when idle. */
#define NET_CONNECTIONS 20000
/* A company behind one NAT: 500 phones with two accounts each, twice over while old connections die. */
#define NET_CONNECTIONS_PER_SOURCE 2000
/* After a power cut 500 phones connect in the same second and one worker may get them all; each is fresh for
 * milliseconds. Who only connects holds this many for NET_HEAD_MS (defects.md row 43). */
#define NET_FRESH_PER_SOURCE 600
/* Largest head taken from a stream: no phone's is over 4 KB, a message over ten proxies with Via and Record-Route
 * neither; a peer that never sends the empty line costs no more (torture f-no-crlfcrlf). */
#define NET_HEAD_BYTES 16384
/* Largest body taken from a stream: what a datagram could carry at most. */
#define NET_BODY_BYTES 65535
/* Some 300 messages of 900 octets: a burst of backlog fits; a peer that reads nothing costs no more (C14). */
#define NET_OUTPUT_BYTES ((size_t)256 * 1024)
/* An unreachable first address leaves time for the next within C15's five seconds. */
#define NET_CONNECT_MS 2000
/* Slow-loris: 10 s to a full head, 30 s per body (defects.md, attack classes). */
#define NET_HEAD_MS 10000
#define NET_BODY_MS 30000
/* Over the usual registration of one hour: a phone without keep-alives is not cut off between two refreshes. */
#define NET_IDLE_MS 3900000
/* Output that does not drain within Timer F's 32 s carries transactions that have ended. */
#define NET_WRITE_MS 30000
/* For the peer to read a last answer before its connection is reset. */
#define NET_LINGER_MS 2000

/* Octets read from one connection at once, and how often in one turn: others wait for at most this. */
#define NET_READ_BYTES     65536
#define NET_READS_PER_TURN 4
/* Connections taken from one listener per turn. */
#define NET_ACCEPTS_PER_TURN 64
/* Out of descriptors: the listener rests this long, or the loop would spin. */
#define NET_ACCEPT_PAUSE_MS 100
/* The kernel's queue of connections: 500 phones at once (net.core.somaxconn may lower it). */
#define NET_BACKLOG 1024

/* Datagrams per recvmmsg and sendmmsg: past 64 the call's own cost no longer matters. */
#define NET_UDP_BATCH 64
/* Largest payload of UDP over IPv4. */
#define NET_DATAGRAM_BYTES 65507
/* "M s SIP/2.0" CRLF CRLF has 15 octets: what is shorter is a keep-alive or a stray. */
#define NET_DATAGRAM_MIN 15
/* Octets waiting for sendmmsg on one listener; a full batch is sent at once. */
#define NET_UDP_BATCH_BYTES ((size_t)512 * 1024)
/* Asked of the kernel: 1 s of 10 000 messages of 600 octets; net.core.rmem_max may lower it. */
#define NET_UDP_SOCKET_BYTES (8 * 1024 * 1024)

/* Messages that wait for a name or a connection, and their octets together: 16 MB for some 20 000 messages. */
#define NET_OUTGOING_MAX   20000
#define NET_OUTGOING_BYTES ((size_t)16 * 1024 * 1024)
/* Addresses tried for one message. */
#define NET_CANDIDATES 8

/* Names remembered per worker, and asked for at the same time; what is over fails at once. */
#define NET_NAMES         2048
#define NET_NAMES_PENDING 256
/* Octets of a name (RFC 1035 §2.3.4) and a NUL. */
#define NET_NAME_BYTES 256
/* Records kept of one answer. */
#define NET_RECORDS 8
/* A TTL of 0 must not mean a query per message; one of a year must not outlive a renumbering. */
#define NET_TTL_MIN_MS 5000
#define NET_TTL_MAX_MS 3600000
/* No such name: remembered shortly (RFC 2308 §5 allows up to three hours, phones expect a fix to work at once). */
#define NET_TTL_NEGATIVE_MS 15000
/* Servers asked did not answer. */
#define NET_TTL_FAILURE_MS      5000
#define NET_RESOLVER_TIMEOUT_MS 1500
#define NET_RESOLVER_TRIES      2

static inline struct net_limits net_limits_default(void)
{
    return (struct net_limits){
        .connections = NET_CONNECTIONS,
        .connections_per_source = NET_CONNECTIONS_PER_SOURCE,
        .fresh_per_source = NET_FRESH_PER_SOURCE,
        .head_bytes = NET_HEAD_BYTES,
        .body_bytes = NET_BODY_BYTES,
        .output_bytes = NET_OUTPUT_BYTES,
        .connect_ms = NET_CONNECT_MS,
        .head_ms = NET_HEAD_MS,
        .body_ms = NET_BODY_MS,
        .idle_ms = NET_IDLE_MS,
        .write_ms = NET_WRITE_MS,
        .linger_ms = NET_LINGER_MS,
        .resolver_timeout_ms = NET_RESOLVER_TIMEOUT_MS,
    };
}

#endif
