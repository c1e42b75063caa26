/* The hashes of digest. RFC 7616 §3.4.1 to §3.4.3 (RFC 2617 without qop), RFC 8760 §2. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <threads.h>

#include "base/err.h"
#include "sip/digest.h"

/* Fetched once per process: a fetch by name costs more than the hash itself. */
static EVP_MD *algorithms[DIGEST_ALGORITHMS];
static once_flag algorithms_once = ONCE_FLAG_INIT;

static void fetch_algorithms(void)
{
    algorithms[DIGEST_MD5] = EVP_MD_fetch(NULL, "MD5", NULL);
    algorithms[DIGEST_SHA256] = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    algorithms[DIGEST_SHA512_256] = EVP_MD_fetch(NULL, "SHA2-512/256", NULL);
}

/* The hexadecimal hash of the parts, joined. */
static int hash_parts(enum digest_algorithm a, const struct slice *parts, size_t count, struct digest_hash *ret)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    call_once(&algorithms_once, fetch_algorithms);
    if ((unsigned)a >= DIGEST_ALGORITHMS || algorithms[a] == NULL)
        return ERR_IO;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestInit_ex2(context, algorithms[a], NULL) == 1;
    for (size_t i = 0; good && i < count; i++)
        good = parts[i].len == 0 || EVP_DigestUpdate(context, parts[i].ptr, parts[i].len) == 1;
    good = good && EVP_DigestFinal_ex(context, raw, &len) == 1 && len * 2 <= DIGEST_HEX_MAX;
    EVP_MD_CTX_free(context);
    if (!good)
        return ERR_IO;
    for (unsigned i = 0; i < len; i++) {
        ret->hex[2 * i] = hex[raw[i] >> 4];
        ret->hex[2 * i + 1] = hex[raw[i] & 15];
    }
    ret->len = (uint8_t)(2 * len);
    return ERR_NONE;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define COLON        SLICE(":")

static struct slice hash_text(const struct digest_hash *h)
{
    return slice_make(h->hex, h->len);
}

int digest_ha1(enum digest_algorithm a, struct slice username, struct slice realm, struct slice password,
               struct digest_hash *ret)
{
    const struct slice parts[] = {username, COLON, realm, COLON, password};
    return hash_parts(a, parts, COUNT(parts), ret);
}

/* HA2 = H(method ":" uri), with auth-int H(method ":" uri ":" H(body)) */
static int hash_request(const struct digest_credentials *c, struct slice method, struct slice body,
                        struct digest_hash *ret)
{
    struct digest_hash body_hash = {.len = 0};
    bool with_body = c->qop == DIGEST_QOP_AUTH_INT;
    int err = with_body ? hash_parts(c->algorithm, &body, 1, &body_hash) : ERR_NONE;
    if (err != ERR_NONE)
        return err;
    const struct slice parts[] = {method, COLON, c->uri, COLON, hash_text(&body_hash)};
    return hash_parts(c->algorithm, parts, with_body ? COUNT(parts) : 3, ret);
}

int digest_response(const struct digest_hash *ha1, const struct digest_credentials *c, struct slice method,
                    struct slice body, struct digest_hash *ret)
{
    struct digest_hash ha2;
    int err = hash_request(c, method, body, &ha2);
    if (err != ERR_NONE)
        return err;
    if (c->qop == DIGEST_QOP_NONE) {
        const struct slice parts[] = {hash_text(ha1), COLON, c->nonce, COLON, hash_text(&ha2)};
        return hash_parts(c->algorithm, parts, COUNT(parts), ret);
    }
    const struct slice qop = c->qop == DIGEST_QOP_AUTH ? SLICE("auth") : SLICE("auth-int");
    const struct slice parts[] = {hash_text(ha1), COLON, c->nonce, COLON, c->nc_text,     COLON,
                                  c->cnonce,      COLON, qop,      COLON, hash_text(&ha2)};
    return hash_parts(c->algorithm, parts, COUNT(parts), ret);
}

bool digest_hash_eq(const struct digest_hash *hash, struct slice hex)
{
    return hash->len == hex.len && hex.len > 0 && CRYPTO_memcmp(hash->hex, hex.ptr, hex.len) == 0;
}
