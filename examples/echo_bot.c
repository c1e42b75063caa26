/* A bot that answers every text message with the same text. All of it: one UDP socket, one poll() loop, libtelex.
 *
 *     TELEX_PASSWORD=secret echo_bot sip:echo@example.com 192.0.2.1 5060 */
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <telex/ua.h>
#include <time.h>
#include <unistd.h>

struct bot {
    struct telex_ua *ua;
    int fd;
};

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int on_send(void *context, enum telex_transport transport, const void *bytes, size_t len)
{
    struct bot *bot = context;
    return transport == TELEX_UDP && send(bot->fd, bytes, len, 0) == (ssize_t)len ? 0 : -1;
}

/* The UDP socket is open all the time; there is no other way. */
static void on_connect(void *context, enum telex_transport transport)
{
    telex_ua_disconnected(((struct bot *)context)->ua, transport);
}

static void on_registration(void *context, const struct telex_registration *r)
{
    (void)context;
    printf("registration: state %d, status %u, %u s\n", (int)r->state, r->status, (unsigned)r->seconds);
}

static void on_message(void *context, const struct telex_incoming *m)
{
    struct bot *bot = context;
    bool is_text = m->content_type && strncmp(m->content_type, "text/plain", 10) == 0 && !m->content_encoding;
    const struct telex_outgoing reply = {.to = m->from, .body = m->body, .body_len = m->body_len};
    if (!is_text)
        telex_ua_answer(bot->ua, m->handle, 415);
    else /* 500: the server keeps it and tries again later */
        telex_ua_answer(bot->ua, m->handle, telex_ua_send(bot->ua, &reply, NULL) == 0 ? 200 : 500);
}

/* Writes "ip:port" of one end of the socket. */
static void name_of(int fd, int (*which)(int, struct sockaddr *, socklen_t *), char *out, size_t size)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof a;
    char host[64] = "", port[8] = "";
    which(fd, (struct sockaddr *)&a, &len);
    getnameinfo((struct sockaddr *)&a, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(out, size, a.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

int main(int argc, char **argv)
{
    static const struct telex_ua_callbacks callbacks = {
        .send = on_send, .connect = on_connect, .registration = on_registration, .message = on_message};
    struct bot bot = {.fd = -1};
    struct addrinfo *server = NULL, hints = {.ai_socktype = SOCK_DGRAM};
    if (argc != 4 || getaddrinfo(argv[2], argv[3], &hints, &server) != 0) {
        fprintf(stderr, "usage: TELEX_PASSWORD=... echo_bot sip:USER@DOMAIN SERVER PORT\n");
        return 2;
    }
    bot.fd = socket(server->ai_family, SOCK_DGRAM, 0);
    if (bot.fd < 0 || connect(bot.fd, server->ai_addr, server->ai_addrlen) < 0)
        return perror(argv[2]), 1;
    freeaddrinfo(server);
    const struct telex_ua_config config = {
        .aor = argv[1], .password = getenv("TELEX_PASSWORD"), .callbacks = &callbacks, .context = &bot};
    if (telex_ua_new(&config, now_ms(), &bot.ua) != 0)
        return fprintf(stderr, "%s is not an account\n", argv[1]), 2;
    char local[80], remote[80];
    name_of(bot.fd, getsockname, local, sizeof local);
    name_of(bot.fd, getpeername, remote, sizeof remote);
    telex_ua_connected(bot.ua, TELEX_UDP, local, remote);
    telex_ua_register(bot.ua, 300);
    for (;;) {
        static char datagram[65536];
        struct pollfd p = {.fd = bot.fd, .events = POLLIN};
        telex_ua_advance(bot.ua, now_ms());
        if (poll(&p, 1, telex_ua_timeout(bot.ua, now_ms())) <= 0)
            continue;
        ssize_t n = recv(bot.fd, datagram, sizeof datagram, 0);
        if (n >= 0)
            telex_ua_receive(bot.ua, TELEX_UDP, datagram, (size_t)n, now_ms());
    }
}
