/* The memory of answers and the questions under way. What c-ares needs of the loop is resolver_io.c. */
#include "net/resolver.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/err.h"
#include "net/dns_answer.h"
#include "net/resolver_io.h"

struct entry {
    struct table_node node;
    struct list_node in_list; /* r->known (oldest first) or r->asked */
    struct resolver *resolver;
    enum resolver_kind kind;
    bool known;
    uint64_t expires_ms;
    struct list waiting;
    struct resolver_record *records;
    size_t count;
    char name[NET_NAME_BYTES];
};

struct resolver {
    struct net *net;
    struct resolver_io *io;
    struct table entries;
    struct list known, asked;
    size_t asked_count;
    bool closing;
};

struct key {
    enum resolver_kind kind;
    struct slice name;
};

static bool same_question(const struct table_node *node, const void *key)
{
    const struct entry *e = CONTAINER_OF(node, const struct entry, node);
    const struct key *k = key;
    return e->kind == k->kind && slice_eq_nocase(slice_str(e->name), k->name);
}

static void entry_free(struct entry *e)
{
    table_remove(&e->resolver->entries, &e->node);
    list_remove(&e->in_list);
    free(e->records);
    free(e);
}

/* --- answers --- */

static uint64_t ttl_ms(uint32_t ttl_s)
{
    uint64_t ms = (uint64_t)ttl_s * 1000;
    return ms < NET_TTL_MIN_MS ? NET_TTL_MIN_MS : ms > NET_TTL_MAX_MS ? NET_TTL_MAX_MS : ms;
}

/* Takes `records`. Who waited asks again and finds the answer. */
static void settle(struct entry *e, struct resolver_record *records, size_t count, uint64_t keep_ms)
{
    struct resolver *r = e->resolver;
    struct list waiting;
    struct list_node *node;
    e->records = records;
    e->count = count;
    e->known = true;
    e->expires_ms = r->net->wheel->now_ms + keep_ms;
    list_remove(&e->in_list);
    list_push_back(&r->known, &e->in_list);
    r->asked_count--;
    list_init(&waiting);
    list_splice(&waiting, &e->waiting);
    while ((node = list_pop_front(&waiting))) {
        struct resolver_wait *w = CONTAINER_OF(node, struct resolver_wait, node);
        w->ready(w);
    }
}

static void settle_without(struct entry *e, int status)
{
    bool none = status == ARES_ENOTFOUND || status == ARES_ENODATA;
    settle(e, NULL, 0, none ? NET_TTL_NEGATIVE_MS : NET_TTL_FAILURE_MS);
}

static bool address_of_node(const struct ares_addrinfo_node *node, struct address *ret)
{
    struct sockaddr_storage s = {0};
    if (!node->ai_addr || node->ai_addrlen > sizeof s)
        return false;
    memcpy(&s, node->ai_addr, node->ai_addrlen);
    *ret = sockaddr_to_address(&s);
    ret->port = 0;
    return ret->family != 0;
}

static void host_answered(void *context, int status, int timeouts, struct ares_addrinfo *info)
{
    struct entry *e = context;
    size_t count = 0;
    uint32_t ttl_s = UINT32_MAX;
    (void)timeouts;
    if (e->resolver->closing) {
        ares_freeaddrinfo(info);
        return;
    }
    struct resolver_record *records = status == ARES_SUCCESS ? calloc(NET_RECORDS, sizeof *records) : NULL;
    for (struct ares_addrinfo_node *n = records ? info->nodes : NULL; n && count < NET_RECORDS; n = n->ai_next) {
        if (!address_of_node(n, &records[count].address))
            continue;
        count++;
        if (n->ai_ttl >= 0 && (uint32_t)n->ai_ttl < ttl_s)
            ttl_s = (uint32_t)n->ai_ttl;
    }
    if (info)
        ares_freeaddrinfo(info);
    if (count == 0) {
        free(records);
        settle_without(e, status == ARES_SUCCESS ? ARES_ENODATA : status);
    } else {
        settle(e, records, count, ttl_ms(ttl_s));
    }
}

static size_t copy_srv(const struct ares_srv_reply *replies, struct resolver_record *records)
{
    size_t count = 0;
    for (; replies && count < NET_RECORDS; replies = replies->next) {
        struct resolver_record *r = &records[count];
        /* RFC 2782: a target of "." says that the service is not offered. */
        if (!replies->host || replies->host[0] == '\0' || slice_eq(slice_str(replies->host), SLICE(".")) ||
            slice_to_cstr(slice_str(replies->host), r->host, sizeof r->host) != ERR_NONE)
            continue;
        r->port = replies->port;
        r->priority = replies->priority;
        r->weight = replies->weight;
        count++;
    }
    return count;
}

static void srv_answered(void *context, int status, int timeouts, unsigned char *bytes, int len)
{
    struct entry *e = context;
    struct ares_srv_reply *replies = NULL;
    uint32_t ttl_s = 0;
    size_t count = 0;
    (void)timeouts;
    if (e->resolver->closing)
        return;
    if (status == ARES_SUCCESS)
        status = ares_parse_srv_reply(bytes, len, &replies);
    struct resolver_record *records = status == ARES_SUCCESS ? calloc(NET_RECORDS, sizeof *records) : NULL;
    if (records) {
        count = copy_srv(replies, records);
        (void)dns_answer_ttl(slice_make((const char *)bytes, (size_t)len), &ttl_s);
    }
    if (replies)
        ares_free_data(replies);
    if (count == 0) {
        free(records);
        settle_without(e, status == ARES_SUCCESS ? ARES_ENODATA : status);
    } else {
        settle(e, records, count, ttl_ms(ttl_s));
    }
}

/* --- questions --- */

static void put(struct entry *e)
{
    ares_channel channel = resolver_io_channel(e->resolver->io);
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_flags = ARES_AI_NOSORT};
    if (e->kind == RESOLVER_HOST)
        ares_getaddrinfo(channel, e->name, NULL, &hints, host_answered, e);
    else
        ares_query(channel, e->name, C_IN, T_SRV, srv_answered, e);
    resolver_io_rearm(e->resolver->io);
}

static int make_entry(struct resolver *r, const struct key *key, uint64_t hash, struct entry **ret)
{
    if (r->asked_count >= NET_NAMES_PENDING)
        return ERR_FULL;
    if (r->entries.count >= r->entries.max)
        entry_free(CONTAINER_OF(list_first(&r->known), struct entry, in_list));
    struct entry *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NO_MEMORY;
    e->resolver = r;
    e->kind = key->kind;
    list_init(&e->waiting);
    int err = slice_to_cstr(key->name, e->name, sizeof e->name);
    if (!err)
        err = table_insert(&r->entries, &e->node, hash);
    if (err) {
        free(e);
        return err;
    }
    list_push_back(&r->asked, &e->in_list);
    r->asked_count++;
    *ret = e;
    return ERR_NONE;
}

int resolver_ask(struct resolver *r, enum resolver_kind kind, struct slice name, struct resolver_wait *wait,
                 const struct resolver_record **ret_records, size_t *ret_count)
{
    const struct key key = {kind, name};
    if (name.len == 0 || name.len >= NET_NAME_BYTES || slice_find(name, '\0') >= 0)
        return ERR_MALFORMED;
    uint64_t hash = hash_mix(hash_slice_nocase(&r->net->key, name), (uint64_t)kind);
    struct table_node *node = table_find(&r->entries, hash, same_question, &key);
    struct entry *e = node ? CONTAINER_OF(node, struct entry, node) : NULL;
    if (e && e->known && e->expires_ms <= r->net->wheel->now_ms) {
        entry_free(e);
        e = NULL;
    }
    if (!e) {
        int err = make_entry(r, &key, hash, &e);
        if (err)
            return err;
        put(e); /* may answer at once, from the hosts file */
    }
    if (!e->known) {
        list_push_back(&e->waiting, &wait->node);
        return ERR_NEED_MORE;
    }
    *ret_records = e->records;
    *ret_count = e->count;
    return ERR_NONE;
}

int resolver_new(struct net *n, const char *servers, struct resolver **ret)
{
    struct resolver *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NO_MEMORY;
    r->net = n;
    list_init(&r->known);
    list_init(&r->asked);
    int err = table_init(&r->entries, NET_NAMES);
    if (!err)
        err = resolver_io_new(n, servers, &r->io);
    if (err) {
        resolver_free(r);
        return err;
    }
    *ret = r;
    return ERR_NONE;
}

void resolver_free(struct resolver *r)
{
    if (!r)
        return;
    r->closing = true;
    resolver_io_free(r->io);
    list_splice(&r->known, &r->asked);
    LIST_EACH (node, &r->known) {
        entry_free(CONTAINER_OF(node, struct entry, in_list));
    }
    table_deinit(&r->entries);
    free(r);
}
