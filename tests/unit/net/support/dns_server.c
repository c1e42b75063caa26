#include "support/dns_server.h"

#include "support/bench.h"

#include <sys/socket.h>
#include <unistd.h>

#define TYPE_A   1
#define TYPE_SRV 33

static void append_u16(struct buf *b, unsigned n)
{
    buf_append_char(b, (char)(n >> 8));
    buf_append_char(b, (char)n);
}

static void append_u32(struct buf *b, uint32_t n)
{
    append_u16(b, n >> 16);
    append_u16(b, n & 0xFFFF);
}

static void append_name(struct buf *b, const char *name)
{
    struct slice rest = slice_str(name);
    while (slice_is_set(rest)) {
        struct slice label = slice_cut(rest, '.', &rest);
        buf_append_char(b, (char)label.len);
        buf_append(b, label);
    }
    buf_append_char(b, '\0');
}

/* Reads the question's name as dotted text; returns the length of the question section's one entry. */
static size_t read_question(struct slice in, struct buf *name, unsigned *ret_type)
{
    size_t at = 12;
    while (at < in.len && in.ptr[at]) {
        size_t len = (unsigned char)in.ptr[at];
        assert_true(len < 64 && at + len < in.len);
        if (name->len)
            buf_append_char(name, '.');
        buf_append(name, slice_make(in.ptr + at + 1, len));
        at += len + 1;
    }
    assert_true(at + 5 <= in.len);
    *ret_type = (unsigned)(unsigned char)in.ptr[at + 1] << 8 | (unsigned char)in.ptr[at + 2];
    return at + 5 - 12;
}

static void answer(const struct dns_server *s, struct slice in, struct buf *out)
{
    struct buf name, records;
    unsigned type, found = 0, known = 0;
    buf_init(&name, 300);
    buf_init(&records, 4096);
    size_t question_len = read_question(in, &name, &type);
    for (size_t i = 0; i < s->count; i++) {
        const struct dns_record *r = &s->records[i];
        if (!slice_eq_nocase(slice_str(r->name), buf_slice(&name)))
            continue;
        known++;
        if (r->type != type)
            continue;
        found++;
        append_u16(&records, 0xC00C); /* the question's name */
        append_u16(&records, type);
        append_u16(&records, 1);
        append_u32(&records, r->ttl_s);
        append_u16(&records, (unsigned)r->data_len);
        buf_append(&records, slice_make(r->data, r->data_len));
    }
    buf_append(out, slice_head(in, 2));
    append_u16(out, known ? 0x8580 : 0x8583);
    append_u16(out, 1);
    append_u16(out, found);
    append_u32(out, 0);
    buf_append(out, slice_make(in.ptr + 12, question_len));
    buf_append(out, buf_slice(&records));
    buf_deinit(&name);
    buf_deinit(&records);
}

static void ready(struct loop_io *io, uint32_t events)
{
    struct dns_server *s = CONTAINER_OF(io, struct dns_server, io);
    struct sockaddr_storage from;
    socklen_t from_len = sizeof from;
    char in[512];
    struct buf out;
    (void)events;
    ssize_t len = recvfrom(io->fd, in, sizeof in, 0, (struct sockaddr *)&from, &from_len);
    if (len < 12)
        return;
    s->asked++;
    if (s->silent)
        return;
    buf_init(&out, 4096);
    answer(s, slice_make(in, (size_t)len), &out);
    (void)sendto(io->fd, out.ptr, out.len, 0, (struct sockaddr *)&from, from_len);
    buf_deinit(&out);
}

void dns_server_start(struct dns_server *s, struct loop *l)
{
    *s = (struct dns_server){.loop = l};
    int fd = bench_socket(SOCK_DGRAM, "127.0.0.1");
    struct address a = {.family = 4, .port = bench_port(fd), .ip = {127, 0, 0, 1}};
    address_text(&a, s->address_text);
    assert_int_equal(loop_io_add(l, &s->io, fd, EPOLLIN, ready), ERR_NONE);
}

void dns_server_stop(struct dns_server *s)
{
    int fd = s->io.fd;
    loop_io_del(s->loop, &s->io);
    close(fd);
}

static void add(struct dns_server *s, const char *name, uint16_t type, uint32_t ttl_s, struct slice data)
{
    assert_true(s->count < DNS_RECORDS_MAX);
    struct dns_record *r = &s->records[s->count++];
    *r = (struct dns_record){.name = name, .type = type, .ttl_s = ttl_s, .data_len = data.len};
    memcpy(r->data, data.ptr, data.len);
}

void dns_server_add_a(struct dns_server *s, const char *name, uint32_t ttl_s, const char *ip)
{
    struct address a;
    assert_int_equal(address_parse_ip(slice_str(ip), &a), ERR_NONE);
    add(s, name, TYPE_A, ttl_s, slice_make((const char *)a.ip, 4));
}

void dns_server_add_srv(struct dns_server *s, const char *name, uint32_t ttl_s, uint16_t priority, uint16_t weight,
                        uint16_t port, const char *host)
{
    struct buf data;
    buf_init(&data, 300);
    append_u16(&data, priority);
    append_u16(&data, weight);
    append_u16(&data, port);
    append_name(&data, host);
    add(s, name, TYPE_SRV, ttl_s, buf_slice(&data));
    buf_deinit(&data);
}
