/* Every limit and time of libtelex, each with its reason. */
#ifndef UA_LIMITS_H
#define UA_LIMITS_H

/* The outbox: more than a person writes while away, and at 64 KB each still a bounded 64 MB. */
#define UA_OUTGOING_MAX 1024
/* Messages in flight at once, to different recipients: one slow recipient does not hold the others, and one agent never
 * floods its server. */
#define UA_IN_FLIGHT_MAX 16
/* Client transactions: those in flight, the registration, and room for dropped ones. */
#define UA_CLIENT_TXNS_MAX 64
/* Incoming messages that wait for the host; past it the server hears 503 and keeps them. */
#define UA_UNANSWERED_MAX 256
/* Answered incoming messages whose repeats are known. A repeat follows within minutes (contract C4), so this is far
 * more than a server sends in that time. */
#define UA_ANSWERED_MAX 4096
/* Server transactions that may wait for one message: a server repeats after its Timer F, one at a time. */
#define UA_REPEATS_MAX 4
/* Running and finished server transactions of the endpoint. */
#define UA_SERVER_TXNS_MAX (UA_UNANSWERED_MAX * UA_REPEATS_MAX)
#define UA_FINISHED_MAX    4096
/* RFC 3261 §17.1.2.2, Timer F = 64*T1: after it nobody waits for our answer, or for a way to the server. */
#define UA_TIMER_F_MS 32000
/* Stream input: one message with a body of the largest size that we would send ourselves, and its head. */
#define UA_HEAD_MAX 16384
#define UA_BODY_MAX 131072
/* RFC 3261 §18.1.1: over 1300 octets a request goes over a stream. The rest of Via and credentials is at most this. */
#define UA_DATAGRAM_MAX 1300
#define UA_HEAD_RESERVE 400
/* How long a large message waits for a stream: a server at the far end of the world opens one in less. */
#define UA_TCP_TRIAL_MS 3000
/* After the server refused TCP for a large message, UDP is used without asking again for ten minutes. */
#define UA_TCP_REFUSED_MS 600000
/* RFC 5626 §4.4.1: a ping on a stream after 95 to 120 s, and its pong within 10 s. */
#define UA_PING_MIN_MS 95000
#define UA_PING_MAX_MS 120000
#define UA_PONG_MS     10000
/* Waiting between tries: doubling, and never longer than this (as the server's own, contract C6). */
#define UA_BACKOFF_FIRST_MS 1000
#define UA_BACKOFF_MAX_MS   300000
#define UA_ATTEMPTS_DEFAULT 8
/* Defects row 32: a server with a new nonce each time must not keep us busy. */
#define UA_CHALLENGES_MAX 2
/* A registration is asked anew with the server's Min-Expires (RFC 3261 §10.2.8), once, and up to a day. */
#define UA_EXPIRES_MAX 86400
/* Text that the host configures or that comes in a challenge. */
#define UA_TEXT_MAX 1024

#endif
