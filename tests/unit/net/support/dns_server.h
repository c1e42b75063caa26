/* A name server for tests: UDP on loopback, on the test's own loop, with the records that it was given. */
#ifndef SUPPORT_DNS_SERVER_H
#define SUPPORT_DNS_SERVER_H

#include "base/address.h"
#include "loop/loop.h"

#define DNS_RECORDS_MAX 16

struct dns_record {
    const char *name;
    uint16_t type;
    uint32_t ttl_s;
    char data[300];
    size_t data_len;
};

struct dns_server {
    struct loop *loop;
    struct loop_io io;
    char address_text[ADDRESS_TEXT_MAX];
    unsigned asked;
    bool silent;
    struct dns_record records[DNS_RECORDS_MAX];
    size_t count;
};

void dns_server_start(struct dns_server *s, struct loop *l);
void dns_server_stop(struct dns_server *s);
void dns_server_add_a(struct dns_server *s, const char *name, uint32_t ttl_s, const char *ip);
void dns_server_add_srv(struct dns_server *s, const char *name, uint32_t ttl_s, uint16_t priority, uint16_t weight,
                        uint16_t port, const char *host);

#endif
