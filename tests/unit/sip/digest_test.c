/* Digest: the vectors of the RFCs, header values both ways. */
#include "sip/digest.h"

#include "support/check.h"

struct vector {
    enum digest_algorithm algorithm;
    const char *username, *realm, *password, *method, *body, *value, *response;
};

#define RFC7616                                                                                                        \
    "realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "                                                       \
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "                                            \
    "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"x\""

static const struct vector vectors[] = {
    /* RFC 2617 §3.5 */
    {DIGEST_MD5, "Mufasa", "testrealm@host.com", "Circle Of Life", "GET", "",
     "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
     "uri=\"/dir/index.html\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", response=\"x\", "
     "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
     "6629fae49393a05397450978507c4ef1"},
    /* RFC 2069 §2.4 with its erratum: no qop */
    {DIGEST_MD5, "Mufasa", "testrealm@host.com", "CircleOfLife", "GET", "",
     "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
     "uri=\"/dir/index.html\", response=\"x\"",
     "1949323746fe6a43ef61f9606e7febea"},
    /* RFC 7616 §3.9.1 */
    {DIGEST_MD5, "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "",
     "Digest username=\"Mufasa\", algorithm=MD5, " RFC7616, "8ca523f5e9506fed4657c9700eebdbec"},
    {DIGEST_SHA256, "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "",
     "Digest username=\"Mufasa\", algorithm=SHA-256, " RFC7616,
     "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
    /* RFC 8760 §2.1 names the third; its value is Python's hashlib's, for the one printed in RFC 7616 §3.9.2 is a
     * truncated SHA-512 (erratum 4897) */
    {DIGEST_SHA512_256, "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "",
     "Digest username=\"Mufasa\", algorithm=SHA-512-256, " RFC7616,
     "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0"},
    /* auth-int, computed likewise */
    {DIGEST_MD5, "bob", "example.com", "s", "MESSAGE", "hello",
     "Digest username=\"bob\",realm=\"example.com\",nonce=\"n1\",uri=\"sip:a@example.com\",qop=auth-int,nc=0000000a,"
     "cnonce=\"c1\",response=\"x\"",
     "3362b93efa582d14dc092e263663f465"},
    {DIGEST_SHA512_256, "bob", "example.com", "s", "MESSAGE", "hello",
     "Digest username=\"bob\",realm=\"example.com\",nonce=\"n1\",uri=\"sip:a@example.com\",qop=\"auth-int\","
     "nc=0000000a,cnonce=\"c1\",response=\"x\",algorithm=\"sha-512-256\"",
     "71d74fdc556f2ee2d4970024036d8081d3e445ea3e2bcff09d9f5cd1c4c27256"},
};

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct guard guard = guard_copy(slice_str(v->value));
        struct digest_credentials c;
        struct digest_hash ha1, response;
        check_row(digest_parse_credentials(guard.in, &c) == ERR_NONE, v->value);
        check_row(c.algorithm == v->algorithm, v->value);
        check_row(digest_ha1(v->algorithm, slice_str(v->username), slice_str(v->realm), slice_str(v->password), &ha1) ==
                      ERR_NONE,
                  v->value);
        check_row(digest_response(&ha1, &c, slice_str(v->method), slice_str(v->body), &response) == ERR_NONE, v->value);
        check_slice(slice_make(response.hex, response.len), v->response);
        check_row(digest_hash_eq(&response, slice_str(v->response)), v->value);
        /* another method, another response */
        check_row(digest_response(&ha1, &c, SLICE("PUT"), slice_str(v->body), &response) == ERR_NONE, v->value);
        check_row(!digest_hash_eq(&response, slice_str(v->response)), v->value);
        guard_free(&guard);
    }
}

static void test_compare(void **state)
{
    struct digest_hash h;
    (void)state;
    assert_int_equal(digest_ha1(DIGEST_MD5, SLICE("a"), SLICE("b"), SLICE("c"), &h), ERR_NONE);
    assert_true(digest_hash_eq(&h, slice_make(h.hex, h.len)));
    assert_false(digest_hash_eq(&h, slice_make(h.hex, h.len - 1U)));
    assert_false(digest_hash_eq(&h, SLICE("")));
    assert_false(digest_hash_eq(&h, SLICE_NONE));
    assert_false(digest_hash_eq(&(struct digest_hash){.len = 0}, SLICE("")));
    assert_int_equal(digest_ha1(DIGEST_ALGORITHMS, SLICE("a"), SLICE("b"), SLICE("c"), &h), ERR_IO);
}

#define BASE "username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"0\""

static void test_credentials(void **state)
{
    static const struct {
        const char *text;
        int err;
    } rows[] = {
        {"Digest " BASE, 0},
        {"DIGEST\r\n " BASE " , x=\"y,z\"", 0},
        {"Digest username=u,realm=r,nonce=a/b==,uri=sip:h,response=0", 0}, /* without quotes */
        {"Digest " BASE ", qop=auth, nc=00000000, cnonce=\"\"", 0},
        {"Digest " BASE ", qop=auth, nc=FFFFFFFF, cnonce=\"\"", 0},
        {"Digest " BASE ", cnonce=\"c\"", 0},
        {"Basic YWxpY2U6c2VjcmV0", ERR_UNSUPPORTED},
        {"Digest " BASE ", algorithm=MD5-sess", ERR_UNSUPPORTED},
        {"Digest " BASE ", algorithm=FOO", ERR_UNSUPPORTED},
        {"Digest " BASE ", qop=foo, nc=00000001, cnonce=\"c\"", ERR_UNSUPPORTED},
        {"Digest " BASE ", userhash=true", ERR_UNSUPPORTED},
        {"", ERR_MALFORMED},
        {"Digest", ERR_MALFORMED},
        {"Digest ", ERR_MALFORMED},
        {"Digest," BASE, ERR_MALFORMED},
        {"Digest realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"0\"", ERR_MALFORMED},
        {"Digest username=\"u\", nonce=\"n\", uri=\"sip:h\", response=\"0\"", ERR_MALFORMED},
        {"Digest username=\"u\", realm=\"r\", uri=\"sip:h\", response=\"0\"", ERR_MALFORMED},
        {"Digest username=\"u\", realm=\"r\", nonce=\"n\", response=\"0\"", ERR_MALFORMED},
        {"Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:h\"", ERR_MALFORMED},
        {"Digest " BASE ", username=\"bob\"", ERR_MALFORMED},
        {"Digest " BASE ", Username=\"bob\"", ERR_MALFORMED},
        {"Digest " BASE ", nc=00000001", ERR_MALFORMED},
        {"Digest " BASE ", qop=auth", ERR_MALFORMED},
        {"Digest " BASE ", qop=auth, nc=00000001", ERR_MALFORMED},
        {"Digest " BASE ", qop=auth, cnonce=\"c\"", ERR_MALFORMED},
        {"Digest " BASE ", qop=auth, nc=1, cnonce=\"c\"", ERR_MALFORMED},
        {"Digest " BASE ", qop=auth, nc=0000000g, cnonce=\"c\"", ERR_MALFORMED},
        {"Digest " BASE ", qop=auth, nc=000000001, cnonce=\"c\"", ERR_MALFORMED},
        {"Digest " BASE ",", ERR_MALFORMED},
        {"Digest " BASE ", x", ERR_MALFORMED},
        {"Digest " BASE ", x=", ERR_MALFORMED},
        {"Digest " BASE ", x=\"open", ERR_MALFORMED},
        {"Digest " BASE ", x=\"open\\\"", ERR_MALFORMED},
        {"Digest " BASE " x=y", ERR_MALFORMED},
        {"Digest , " BASE, ERR_MALFORMED},
        {"Digest username=\"u\"x, " BASE, ERR_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice text = slice_str(rows[i].text);
        struct guard guard = guard_copy(text);
        struct digest_credentials c = {.nc = 77};
        check_row(digest_parse_credentials(guard.in, &c) == rows[i].err, rows[i].text);
        check_row(rows[i].err == 0 || c.nc == 77, rows[i].text);
        for (size_t len = 0; len <= text.len; len++) {
            struct digest_challenge challenge;
            (void)digest_parse_credentials(guard_prefix(&guard, text, len), &c);
            (void)digest_parse_challenge(guard_prefix(&guard, text, len), &challenge);
        }
        guard_free(&guard);
    }
}

static void test_challenge(void **state)
{
    static const struct {
        const char *text;
        int err;
        bool stale, auth, auth_int;
    } rows[] = {
        {"Digest realm=\"r\", nonce=\"n\"", 0, false, false, false},
        {"Digest realm=\"r\", nonce=\"n\", stale=TRUE, qop=\"auth\"", 0, true, true, false},
        {"Digest realm=\"r\", nonce=\"n\", stale=\"false\", qop=\"foo , auth-int,auth\"", 0, false, true, true},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256, qop=auth", 0, false, true, false},
        {"Digest realm=\"r\", nonce=\"n\", qop=\"foo\"", ERR_UNSUPPORTED, false, false, false},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=\"X\"", ERR_UNSUPPORTED, false, false, false},
        {"Bearer realm=\"r\"", ERR_UNSUPPORTED, false, false, false},
        {"Digest realm=\"r\"", ERR_MALFORMED, false, false, false},
        {"Digest nonce=\"r\"", ERR_MALFORMED, false, false, false},
        {"Digest realm=\"r\", nonce=\"n\", nonce=\"m\"", ERR_MALFORMED, false, false, false},
        {"Digest realm=\"r, nonce=\"n\"", ERR_MALFORMED, false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct digest_challenge c = {0};
        check_row(digest_parse_challenge(slice_str(rows[i].text), &c) == rows[i].err, rows[i].text);
        check_row(c.stale == rows[i].stale && c.qop_auth == rows[i].auth && c.qop_auth_int == rows[i].auth_int,
                  rows[i].text);
    }
}

static void test_round_trip(void **state)
{
    struct buf out;
    struct digest_challenge back;
    struct digest_credentials c, again;
    (void)state;
    buf_init(&out, 1000);
    /* A realm that tries to end its string and to add a parameter. */
    struct digest_challenge challenge = {.realm = SLICE("a\"b, stale=true, x=\"\\"),
                                         .nonce = SLICE("n"),
                                         .opaque = SLICE("o"),
                                         .algorithm = DIGEST_SHA256,
                                         .qop_auth = true};
    digest_append_challenge(&out, &challenge);
    assert_int_equal(digest_parse_challenge(buf_slice(&out), &back), ERR_NONE);
    check_slice(back.realm, "a\\\"b, stale=true, x=\\\"\\\\");
    assert_true(!back.stale && back.qop_auth && !back.qop_auth_int && back.algorithm == DIGEST_SHA256);
    check_slice(back.opaque, "o");

    for (size_t i = 0; i < COUNT(vectors); i++) {
        buf_reset(&out);
        assert_int_equal(digest_parse_credentials(slice_str(vectors[i].value), &c), ERR_NONE);
        digest_append_credentials(&out, &c);
        assert_int_equal(digest_parse_credentials(buf_slice(&out), &again), ERR_NONE);
        assert_true(slice_eq(c.username, again.username) && slice_eq(c.realm, again.realm) &&
                    slice_eq(c.nonce, again.nonce) && slice_eq(c.uri, again.uri) &&
                    slice_eq(c.response, again.response) && slice_eq(c.cnonce, again.cnonce) &&
                    slice_eq(c.opaque, again.opaque) && slice_eq(c.nc_text, again.nc_text));
        assert_true(c.nc == again.nc && c.qop == again.qop && c.algorithm == again.algorithm);
    }
    buf_reset(&out);
    challenge.realm = SLICE("a\r\nX: y");
    digest_append_challenge(&out, &challenge);
    assert_false(buf_ok(&out));
    buf_deinit(&out);
}

static void test_algorithms(void **state)
{
    enum digest_algorithm a = DIGEST_SHA256;
    (void)state;
    for (unsigned i = 0; i < DIGEST_ALGORITHMS; i++) {
        assert_int_equal(digest_algorithm_parse(digest_algorithm_name((enum digest_algorithm)i), &a), ERR_NONE);
        assert_int_equal(a, i);
    }
    assert_int_equal(digest_algorithm_parse(SLICE("md5"), &a), ERR_NONE);
    assert_int_equal(digest_algorithm_parse(SLICE("SHA"), &a), ERR_NOT_FOUND);
    assert_int_equal(digest_algorithm_parse(SLICE(""), &a), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),   cmocka_unit_test(test_compare),    cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_challenge), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_algorithms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
