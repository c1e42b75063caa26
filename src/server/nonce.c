/* Nonces: see nonce.h. The table holds only nonces that this worker issued and somebody used; of one that it doesn't
 * hold it must be able to say that it was never used, or it is stale. */
#include "server/nonce.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/list.h"
#include "base/table.h"

#define TIME_LEN   6
#define UNIQUE_LEN 5
#define HEAD_LEN   (TIME_LEN + 1 + UNIQUE_LEN)
#define MAC_LEN    16
#define MAC_FULL   32
#define SEEN_OTHER UINT32_MAX /* a count that may have been used before we watched */

/* A clock that was set back a little must not make the nonces of a minute ago look forged. */
#define FUTURE_MS 2000

struct history {
    struct table_node node;
    struct list_node used; /* first used first */
    uint8_t head[HEAD_LEN];
    int64_t issued_ms;
    uint32_t highest;
    uint32_t requests[NONCE_WINDOW]; /* by nc % NONCE_WINDOW: what was asked with it; 0: nothing */
};

struct nonces {
    struct nonces_config config;
    EVP_MAC *mac;
    EVP_MAC_CTX *mac_context;
    struct table table;
    struct list used;
    int64_t started_ms;
    int64_t forgotten_ms; /* a living nonce issued then was dropped from the table: none up to then counts as unused */
};

static bool set_mac(struct nonces *n)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
    n->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    n->mac_context = n->mac ? EVP_MAC_CTX_new(n->mac) : NULL;
    return n->mac_context && EVP_MAC_init(n->mac_context, n->config.key, sizeof n->config.key, params) == 1;
}

int nonces_new(const struct nonces_config *c, struct nonces **ret)
{
    struct nonces *n = calloc(1, sizeof *n);
    if (!n)
        return ERR_NO_MEMORY;
    n->config = *c;
    if (n->config.workers == 0)
        n->config.workers = 1;
    n->started_ms = clock_wall_ms(c->clock);
    n->forgotten_ms = INT64_MIN;
    list_init(&n->used);
    int result = table_init(&n->table, c->max ? c->max : 1);
    if (result == ERR_NONE && !set_mac(n))
        result = ERR_IO;
    if (result != ERR_NONE) {
        nonces_free(n);
        return result;
    }
    *ret = n;
    return ERR_NONE;
}

void nonces_free(struct nonces *n)
{
    struct list_node *at;
    if (!n)
        return;
    while ((at = list_pop_front(&n->used)))
        free(CONTAINER_OF(at, struct history, used));
    table_deinit(&n->table);
    EVP_MAC_CTX_free(n->mac_context);
    EVP_MAC_free(n->mac);
    explicit_bzero(n->config.key, sizeof n->config.key);
    free(n);
}

static bool sign(struct nonces *n, const uint8_t head[HEAD_LEN], struct slice realm, uint8_t out[MAC_FULL])
{
    size_t len;
    /* A NULL key keeps the one that set_mac gave. */
    return EVP_MAC_init(n->mac_context, NULL, 0, NULL) == 1 && EVP_MAC_update(n->mac_context, head, HEAD_LEN) == 1 &&
           EVP_MAC_update(n->mac_context, (const uint8_t *)realm.ptr, realm.len) == 1 &&
           EVP_MAC_final(n->mac_context, out, &len, MAC_FULL) == 1;
}

static void put_hex(char *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

bool nonces_make(struct nonces *n, struct slice realm, char out[NONCE_TEXT_LEN])
{
    uint8_t head[HEAD_LEN], mac[MAC_FULL];
    uint64_t now = (uint64_t)clock_wall_ms(n->config.clock);
    for (int i = 0; i < TIME_LEN; i++)
        head[i] = (uint8_t)(now >> (8 * (TIME_LEN - 1 - i)));
    head[TIME_LEN] = (uint8_t)n->config.worker;
    random_fill(n->config.random, head + TIME_LEN + 1, UNIQUE_LEN);
    if (!sign(n, head, realm, mac))
        return false;
    put_hex(out, head, HEAD_LEN);
    put_hex(out + HEAD_LEN * 2, mac, MAC_LEN);
    return true;
}

static bool get_hex(struct slice text, uint8_t *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        uint8_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint8_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint8_t)(c - 'a' + 10);
        else
            return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] << 4 | digit : digit);
    }
    return true;
}

/* True when we made it for this realm and it is still alive. */
static bool check(struct nonces *n, struct slice realm, struct slice text, uint8_t head[HEAD_LEN], int64_t *ret_issued)
{
    uint8_t bytes[HEAD_LEN + MAC_LEN], mac[MAC_FULL];
    uint64_t issued = 0;
    if (text.len != NONCE_TEXT_LEN || !get_hex(text, bytes) || !sign(n, bytes, realm, mac) ||
        CRYPTO_memcmp(mac, bytes + HEAD_LEN, MAC_LEN) != 0)
        return false;
    for (int i = 0; i < TIME_LEN; i++)
        issued = issued << 8 | bytes[i];
    int64_t age_ms = clock_wall_ms(n->config.clock) - (int64_t)issued;
    if (age_ms < -FUTURE_MS || age_ms > NONCE_LIFE_MS)
        return false;
    memcpy(head, bytes, HEAD_LEN);
    *ret_issued = (int64_t)issued;
    return true;
}

static bool same_head(const struct table_node *node, const void *head)
{
    return memcmp(CONTAINER_OF(node, struct history, node)->head, head, HEAD_LEN) == 0;
}

static void drop(struct nonces *n, struct history *h)
{
    table_remove(&n->table, &h->node);
    list_remove(&h->used);
    free(h);
}

static void make_room(struct nonces *n)
{
    struct list_node *at;
    int64_t oldest_alive_ms = clock_wall_ms(n->config.clock) - NONCE_LIFE_MS;
    while ((at = list_first(&n->used))) {
        struct history *h = CONTAINER_OF(at, struct history, used);
        bool alive = h->issued_ms >= oldest_alive_ms;
        if (alive && n->table.count < n->table.max)
            return;
        if (alive && h->issued_ms > n->forgotten_ms)
            n->forgotten_ms = h->issued_ms;
        drop(n, h);
    }
}

/* The nonce is in nobody's table: true when that means that nobody used it, so that its history may begin here. A nonce
 * of another worker has its history there. One from before our start has lost it, and is believed once: a restart
 * challenges nobody anew (contract.md). */
static bool may_begin(const struct nonces *n, uint8_t worker, int64_t issued_ms)
{
    return worker % n->config.workers == n->config.worker && issued_ms > n->forgotten_ms;
}

static struct history *history_new(struct nonces *n, const uint8_t head[HEAD_LEN], int64_t issued_ms, uint32_t nc,
                                   uint64_t hash)
{
    make_room(n);
    struct history *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    memcpy(h->head, head, HEAD_LEN);
    h->issued_ms = issued_ms;
    h->highest = nc;
    if (issued_ms <= n->started_ms)
        memset(h->requests, 0xFF, sizeof h->requests);
    h->requests[nc % NONCE_WINDOW] = 0;
    if (table_insert(&n->table, &h->node, hash) != ERR_NONE) {
        free(h);
        return NULL;
    }
    list_push_back(&n->used, &h->used);
    return h;
}

/* Moves the window up to `nc` and forgets what its slots said of older counts. */
static void advance(struct history *h, uint32_t nc)
{
    uint32_t steps = nc - h->highest < NONCE_WINDOW ? nc - h->highest : NONCE_WINDOW;
    for (uint32_t i = 0; i < steps; i++)
        h->requests[(nc - i) % NONCE_WINDOW] = 0;
    h->highest = nc;
}

bool nonces_use(struct nonces *n, struct slice realm, struct slice nonce, uint32_t nc, uint64_t request)
{
    uint8_t head[HEAD_LEN];
    int64_t issued_ms;
    if (!check(n, realm, nonce, head, &issued_ms))
        return false;
    if (nc == 0)
        nc = 1;
    uint64_t hash = hash_slice(n->config.hash_key, slice_make((const char *)head, HEAD_LEN));
    struct table_node *node = table_find(&n->table, hash, same_head, head);
    struct history *h = node ? CONTAINER_OF(node, struct history, node) : NULL;
    if (!h && may_begin(n, head[TIME_LEN], issued_ms))
        h = history_new(n, head, issued_ms, nc, hash);
    if (!h)
        return false;
    uint32_t mark = (uint32_t)(request ^ request >> 32);
    if (mark == 0 || mark == SEEN_OTHER)
        mark = 1;
    if (nc > h->highest)
        advance(h, nc);
    else if (h->highest - nc >= NONCE_WINDOW)
        return false;
    uint32_t *slot = &h->requests[nc % NONCE_WINDOW];
    if (*slot == 0)
        *slot = mark;
    return *slot == mark;
}
