/* HTTP digest as SIP uses it: challenges, credentials, the response. RFC 3261 §22, RFC 7616, RFC 8760. No state, no
 * clock. */
#ifndef SIP_DIGEST_H
#define SIP_DIGEST_H

#include "base/buf.h"

enum digest_algorithm { DIGEST_MD5, DIGEST_SHA256, DIGEST_SHA512_256, DIGEST_ALGORITHMS };

#define DIGEST_HEX_MAX 64 /* octets of the longest hash in hexadecimal */

struct digest_hash {
    char hex[DIGEST_HEX_MAX];
    uint8_t len; /* 32 or 64 */
};

/* WWW-Authenticate / Proxy-Authenticate. Slices are unquoted views (escapes kept). */
struct digest_challenge {
    struct slice realm, nonce, opaque, domain;
    enum digest_algorithm algorithm;
    bool stale, qop_auth, qop_auth_int;
};

/* Authorization / Proxy-Authorization. */
struct digest_credentials {
    struct slice username, realm, nonce, uri, response, cnonce, opaque;
    struct slice nc_text; /* 8 hexadecimal digits */
    uint32_t nc;          /* 0: absent (no qop) */
    enum digest_algorithm algorithm;
    enum { DIGEST_QOP_NONE, DIGEST_QOP_AUTH, DIGEST_QOP_AUTH_INT } qop;
};

/* Parse one header value. ERR_MALFORMED (bad syntax, a parameter twice, one missing, nc not 8
 * hexadecimal digits), ERR_UNSUPPORTED (not Digest, or
 * an algorithm or qop we don't know). */
int digest_parse_challenge(struct slice value, struct digest_challenge *ret);
int digest_parse_credentials(struct slice value, struct digest_credentials *ret);

/* HA1 = H(username ":" realm ":" password). ERR_IO if the crypto library refuses the algorithm. */
int digest_ha1(enum digest_algorithm a, struct slice username, struct slice realm, struct slice password,
               struct digest_hash *ret);
/* The response of `c` for `method` and `body` (body only used with auth-int), from HA1. */
int digest_response(const struct digest_hash *ha1, const struct digest_credentials *c, struct slice method,
                    struct slice body, struct digest_hash *ret);
/* Constant time. */
bool digest_hash_eq(const struct digest_hash *hash, struct slice hex);

/* "MD5", "SHA-256", "SHA-512-256" */
struct slice digest_algorithm_name(enum digest_algorithm a);
/* Without case; ERR_NOT_FOUND. */
int digest_algorithm_parse(struct slice name, enum digest_algorithm *ret);

/* Appends the value of a challenge / credentials header ("Digest realm=..., ..."); strings are quoted and escaped. */
void digest_append_challenge(struct buf *out, const struct digest_challenge *c);
void digest_append_credentials(struct buf *out, const struct digest_credentials *c);

#endif
