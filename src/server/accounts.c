/* All accounts in one hash table of liburcu: readers take no lock and write nothing shared. The bulletproof flavour, so
 * that no thread needs to register itself. */
#include "server/accounts.h"

#include <stdlib.h>
#include <urcu/urcu-bp.h>

#include <urcu/rculfhash.h>

#include "base/err.h"
#include "sip/uri.h"

/* ThreadSanitizer sees neither liburcu's grace periods nor its publishing: tell it. Nothing in other builds. */
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
static char rcu_order;
#define ORDER_AFTER()  __tsan_acquire(&rcu_order)
#define ORDER_BEFORE() __tsan_release(&rcu_order)
#else
#define ORDER_AFTER()  ((void)0)
#define ORDER_BEFORE() ((void)0)
#endif

struct account_record {
    struct cds_lfht_node node;
    struct rcu_head freeing;
    struct account_identity identity;
    size_t aor_len, name_len;
    char texts[]; /* address-of-record, then the whole display name */
};

struct accounts {
    struct hash_key key;
    struct cds_lfht *table;
    long count; /* the writer's; read by anybody */
};

int accounts_new(const struct hash_key *key, struct accounts **ret)
{
    struct accounts *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NO_MEMORY;
    a->key = *key;
    a->table = cds_lfht_new_flavor(64, 64, 0, CDS_LFHT_AUTO_RESIZE, &urcu_bp_flavor, NULL);
    if (!a->table) {
        free(a);
        return ERR_NO_MEMORY;
    }
    *ret = a;
    return ERR_NONE;
}

static void read_begin(void)
{
    urcu_bp_read_lock();
    ORDER_AFTER();
}

static void read_end(void)
{
    ORDER_BEFORE();
    urcu_bp_read_unlock();
}

static struct account_record *record_of(struct cds_lfht_node *n)
{
    return n ? CONTAINER_OF(n, struct account_record, node) : NULL;
}

static void record_free(struct rcu_head *head)
{
    struct account_record *r = CONTAINER_OF(head, struct account_record, freeing);
    ORDER_AFTER();
    explicit_bzero(&r->identity.credentials, sizeof r->identity.credentials);
    free(r);
}

static struct slice record_aor(const struct account_record *r)
{
    return slice_make(r->texts, r->aor_len);
}

static int record_matches(struct cds_lfht_node *node, const void *key)
{
    ORDER_AFTER();
    return slice_eq(record_aor(record_of(node)), *(const struct slice *)key);
}

void accounts_free(struct accounts *a)
{
    struct cds_lfht_iter at;
    struct cds_lfht_node *node;
    if (!a)
        return;
    read_begin();
    cds_lfht_for_each(a->table, &at, node)
    {
        struct account_record *r = record_of(node);
        if (cds_lfht_del(a->table, node) == 0)
            urcu_bp_call_rcu(&r->freeing, record_free);
    }
    read_end();
    urcu_bp_barrier();
    cds_lfht_destroy(a->table, NULL);
    free(a);
}

/* Inside a read-side section. */
static struct account_record *find(struct accounts *a, struct slice aor)
{
    struct cds_lfht_iter at;
    cds_lfht_lookup(a->table, (unsigned long)hash_slice(&a->key, aor), record_matches, &aor, &at);
    return record_of(cds_lfht_iter_get_node(&at));
}

bool accounts_find(struct accounts *a, struct slice aor, struct account_identity *ret)
{
    read_begin();
    struct account_record *r = find(a, aor);
    if (r)
        *ret = r->identity;
    read_end();
    return r != NULL;
}

bool accounts_id(struct accounts *a, struct slice aor, int64_t *ret)
{
    read_begin();
    struct account_record *r = find(a, aor);
    if (r)
        *ret = r->identity.id;
    read_end();
    return r != NULL;
}

void accounts_append_name(struct accounts *a, struct slice aor, struct buf *out)
{
    urcu_bp_read_lock();
    const struct account_record *r = find(a, aor);
    if (r)
        buf_append(out, slice_make(r->texts + r->aor_len, r->name_len));
    urcu_bp_read_unlock();
}

/* extra = [ setting *( SP setting ) ] ; setting = name "=" value. digest's value is a comma list of algorithms in the
 * order offered. A name that we don't know was written by a later version: it is left alone. */
static int read_digest_list(struct slice list, struct account_identity *ret)
{
    while (slice_is_set(list)) {
        struct slice name = slice_cut(list, ',', &list);
        enum digest_algorithm algorithm;
        if (ret->digest_count == DIGEST_ALGORITHMS || digest_algorithm_parse(name, &algorithm) != ERR_NONE)
            return ERR_MALFORMED;
        ret->digest[ret->digest_count++] = algorithm;
    }
    return ERR_NONE;
}

static int read_extra(struct slice extra, struct account_identity *ret)
{
    while (slice_is_set(extra)) {
        struct slice value, setting = slice_cut(extra, ' ', &extra);
        struct slice name = slice_cut(setting, '=', &value);
        if (setting.len == 0)
            continue;
        if (!slice_is_set(value))
            return ERR_MALFORMED;
        if (slice_eq(name, SLICE("digest")) && read_digest_list(value, ret) != ERR_NONE)
            return ERR_MALFORMED;
    }
    return ERR_NONE;
}

/* At most `max` octets of `s`, and no part of a character: continuation octets are 10xxxxxx (RFC 3629 §3). */
static struct slice cut_utf8(struct slice s, size_t max)
{
    if (s.len <= max)
        return s;
    while (max > 0 && ((unsigned char)s.ptr[max] & 0xC0) == 0x80)
        max--;
    return slice_head(s, max);
}

int accounts_put(struct accounts *a, const struct store_account *account)
{
    struct account_identity identity = {.id = account->id, .credentials = account->credentials};
    if (read_extra(account->extra, &identity) != ERR_NONE)
        return ERR_MALFORMED;
    struct account_record *r = calloc(1, sizeof *r + account->aor.len + account->name.len);
    if (!r)
        return ERR_NO_MEMORY;
    (void)slice_to_cstr(cut_utf8(account->name, sizeof identity.name - 1), identity.name, sizeof identity.name);
    r->identity = identity;
    r->aor_len = account->aor.len;
    r->name_len = account->name.len;
    if (r->aor_len)
        memcpy(r->texts, account->aor.ptr, r->aor_len);
    if (r->name_len)
        memcpy(r->texts + r->aor_len, account->name.ptr, r->name_len);
    struct slice aor = record_aor(r);
    cds_lfht_node_init(&r->node);
    ORDER_BEFORE();
    read_begin();
    struct account_record *old = record_of(
        cds_lfht_add_replace(a->table, (unsigned long)hash_slice(&a->key, aor), record_matches, &aor, &r->node));
    read_end();
    if (old)
        urcu_bp_call_rcu(&old->freeing, record_free);
    else
        uatomic_set(&a->count, a->count + 1);
    return ERR_NONE;
}

void accounts_remove(struct accounts *a, struct slice aor)
{
    read_begin();
    struct account_record *r = find(a, aor);
    if (r && cds_lfht_del(a->table, &r->node) == 0) {
        urcu_bp_call_rcu(&r->freeing, record_free);
        uatomic_set(&a->count, a->count - 1);
    }
    read_end();
}

size_t accounts_count(struct accounts *a)
{
    return (size_t)uatomic_read(&a->count);
}

void accounts_each(struct accounts *a, void (*visit)(void *context, int64_t id, struct slice aor, struct slice name),
                   void *context)
{
    struct cds_lfht_iter at;
    struct cds_lfht_node *node;
    read_begin();
    cds_lfht_for_each(a->table, &at, node)
    {
        const struct account_record *r = record_of(node);
        ORDER_AFTER();
        visit(context, r->identity.id, record_aor(r), slice_make(r->texts + r->aor_len, r->name_len));
    }
    read_end();
}

static int make_pair(enum digest_algorithm algorithm, const struct slice username[2], struct slice realm,
                     struct slice password, char *bare, char *full, size_t size)
{
    char *const out[2] = {bare, full};
    for (int i = 0; i < 2; i++) {
        struct digest_hash hash;
        if (digest_ha1(algorithm, username[i], realm, password, &hash) != ERR_NONE)
            return ERR_IO;
        if (slice_to_cstr(slice_make(hash.hex, hash.len), out[i], size) != ERR_NONE)
            return ERR_IO;
    }
    return ERR_NONE;
}

/* A digest username is the user as it is spoken, without the URI's escapes. */
static int unescape_user(struct slice user, struct buf *out)
{
    while (user.len) {
        size_t used = 1;
        char c = user.ptr[0];
        if (c == '%') {
            unsigned value = 0;
            if (user.len < 3)
                return ERR_MALFORMED;
            for (int i = 1; i <= 2; i++) {
                ptrdiff_t digit = slice_find(SLICE("0123456789abcdef"), (char)(user.ptr[i] | 0x20));
                if (digit < 0)
                    return ERR_MALFORMED;
                value = value * 16 + (unsigned)digit;
            }
            c = (char)value;
            used = 3;
        }
        buf_append_char(out, c);
        user = slice_skip(user, used);
    }
    return buf_ok(out) ? ERR_NONE : ERR_MALFORMED;
}

int accounts_make_credentials(struct slice aor, struct slice password, struct store_credentials *ret)
{
    struct store_credentials c = {0};
    struct uri uri;
    size_t fault;
    struct buf user, full;
    int result = ERR_MALFORMED;
    if (uri_parse(aor, &uri, &fault) != ERR_NONE || uri.scheme != URI_SIP || uri.user.len == 0)
        return ERR_MALFORMED;
    buf_init(&user, aor.len);
    buf_init(&full, aor.len + 1);
    if (unescape_user(uri.user, &user) == ERR_NONE) {
        buf_append(&full, buf_slice(&user));
        buf_append_char(&full, '@');
        buf_append(&full, uri.host);
        const struct slice names[2] = {buf_slice(&user), buf_slice(&full)};
        result = make_pair(DIGEST_MD5, names, uri.host, password, c.md5[0], c.md5[1], sizeof c.md5[0]);
        if (result == ERR_NONE)
            result = make_pair(DIGEST_SHA256, names, uri.host, password, c.sha256[0], c.sha256[1], sizeof c.sha256[0]);
        if (result == ERR_NONE)
            result = make_pair(DIGEST_SHA512_256, names, uri.host, password, c.sha512_256[0], c.sha512_256[1],
                               sizeof c.sha512_256[0]);
    }
    buf_deinit(&user);
    buf_deinit(&full);
    if (result == ERR_NONE)
        *ret = c;
    return result;
}
