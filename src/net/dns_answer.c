/* Walks the sections of a DNS message by their lengths alone; names are skipped, never followed, so a loop of
 * compression pointers means nothing here (defects.md row 53). */
#include "net/dns_answer.h"

#include "base/err.h"

#define HEADER_BYTES 12
#define LABEL_MAX    63

struct cursor {
    struct slice rest;
    bool bad;
};

static uint32_t take_number(struct cursor *c, size_t octets)
{
    uint32_t n = 0;
    if (c->bad || c->rest.len < octets) {
        c->bad = true;
        return 0;
    }
    for (size_t i = 0; i < octets; i++)
        n = n << 8 | (unsigned char)c->rest.ptr[i];
    c->rest = slice_skip(c->rest, octets);
    return n;
}

static void skip(struct cursor *c, size_t octets)
{
    if (c->bad || c->rest.len < octets)
        c->bad = true;
    else
        c->rest = slice_skip(c->rest, octets);
}

/* RFC 1035 §4.1.4: labels end with an empty one or with a pointer of two octets. */
static void skip_name(struct cursor *c)
{
    while (!c->bad) {
        uint32_t len = take_number(c, 1);
        if (c->bad || len == 0)
            return;
        if (len >= 0xC0) {
            skip(c, 1);
            return;
        }
        if (len > LABEL_MAX)
            c->bad = true;
        skip(c, len);
    }
}

int dns_answer_ttl(struct slice message, uint32_t *ret_ttl_s)
{
    struct cursor c = {message, false};
    uint32_t smallest = UINT32_MAX;
    skip(&c, 4);
    uint32_t questions = take_number(&c, 2), answers = take_number(&c, 2);
    skip(&c, HEADER_BYTES - 8);
    for (uint32_t i = 0; i < questions && !c.bad; i++) {
        skip_name(&c);
        skip(&c, 4);
    }
    for (uint32_t i = 0; i < answers && !c.bad; i++) {
        skip_name(&c);
        skip(&c, 4);
        uint32_t ttl = take_number(&c, 4);
        skip(&c, take_number(&c, 2));
        if (ttl < smallest)
            smallest = ttl;
    }
    if (c.bad)
        return ERR_MALFORMED;
    if (answers == 0)
        return ERR_NOT_FOUND;
    *ret_ttl_s = smallest;
    return ERR_NONE;
}
