/* Where a MESSAGE goes: own accounts, routes, preloaded Routes, and nowhere. RFC 3261 §16.4-16.6; contract.md, last
 * wire rules. */
#include "server/router.h"

#include <stdio.h>
#include <string.h>

#include "support/post.h"

#define HOP_2 "192.0.2.96:5070"

/* A lab with a second route: numbers that begin with +49, the longer +4930 by the hop of example.net. */
struct fixture {
    struct lab *lab;
    struct server_route routes[3];
};

static void init(struct fixture *f)
{
    static char host[] = "192.0.2.96";
    f->lab = lab_new(2);
    f->routes[0] = f->lab->route;
    f->routes[1] = (struct server_route){
        .prefix = SLICE("+49"), .next_hop = {.host = slice_str(host), .port = 5070}, .next_hop_host = slice_str(host)};
    f->routes[2] = f->lab->route;
    f->routes[2].domain = SLICE_NONE;
    f->routes[2].prefix = SLICE("+4930");
    f->lab->config.routes = f->routes;
    f->lab->config.route_count = 3;
}

struct place {
    const char *what;
    struct post_message message;
    int status;         /* 202: kept for bob. 0: with the hop */
    const char *hop;    /* NULL: none */
    const char *routes; /* what is left of Route; "" for none */
};

#define US "Route: <sip:" LAB_SERVER ";lr>\r\n"

static const struct place places[] = {
    {"an account", {.uri = BOB}, 202, NULL, NULL},
    {"by alias", {.uri = "sip:bob@old.example.com"}, 202, NULL, NULL},
    {"by address", {.uri = "sip:bob@" LAB_SERVER}, 202, NULL, NULL},
    {"by address without a port", {.uri = "sip:bob@192.0.2.1"}, 202, NULL, NULL},
    {"parameters and case of the host do not matter", {.uri = "sip:bob@EXAMPLE.com;transport=udp"}, 202, NULL, NULL},
    {"an escaped user", {.uri = "sip:%62ob@example.com"}, 202, NULL, NULL},
    {"case of the user matters", {.uri = "sip:Bob@example.com"}, 404, NULL, NULL},
    {"a port that is not ours", {.uri = "sip:bob@example.com:5099"}, 404, NULL, NULL},
    {"unknown user", {.uri = "sip:nobody@example.com"}, 404, NULL, NULL},
    {"the account of the other domain", {.uri = "sip:bob@example.org"}, 404, NULL, NULL},
    {"no user", {.uri = "sip:example.com"}, 404, NULL, NULL},
    {"another domain", {.uri = "sip:x@example.net"}, 0, LAB_HOP, ""},
    {"another domain, case and port", {.uri = "sip:x@Example.NET:5099"}, 0, LAB_HOP, ""},
    {"no route", {.uri = "sip:x@elsewhere.example"}, 404, NULL, NULL},
    {"a part of a domain is another domain", {.uri = "sip:x@sub.example.net"}, 404, NULL, NULL},
    {"a prefix", {.uri = "sip:+4989123@example.com"}, 0, HOP_2, ""},
    {"the longest prefix", {.uri = "sip:+4930123@example.com"}, 0, LAB_HOP, ""},
    {"no prefix", {.uri = "sip:+43123@example.com"}, 404, NULL, NULL},
    {"a prefix is for our domains only", {.uri = "sip:+4989123@elsewhere.example"}, 404, NULL, NULL},
    {"our Route goes", {.uri = BOB, .extra = US}, 202, NULL, NULL},
    {"all of ours go",
     {.uri = BOB, .extra = US "Route: <sip:example.com;lr>, <sip:old.example.com>\r\n"},
     202,
     NULL,
     NULL},
    {"our Route before another domain", {.uri = "sip:x@example.net", .extra = US}, 0, LAB_HOP, ""},
    {"on to a configured hop",
     {.uri = "sip:x@example.net", .extra = US "Route: <sip:192.0.2.97;lr>\r\n"},
     0,
     LAB_HOP,
     "Route: <sip:192.0.2.97;lr>\r\n"},
    {"on to a configured hop, and further",
     {.uri = "sip:x@y", .extra = "Route: <sip:192.0.2.97:5060;lr>, <sip:far.example;lr>\r\n"},
     0,
     LAB_HOP,
     "Route: <sip:192.0.2.97:5060;lr>\r\nRoute: <sip:far.example;lr>\r\n"},
    {"on to nobody's hop", {.uri = BOB, .extra = "Route: <sip:evil.example;lr>\r\n"}, 403, NULL, NULL},
    {"on to another port of a hop", {.uri = BOB, .extra = "Route: <sip:192.0.2.97:22;lr>\r\n"}, 403, NULL, NULL},
    {"ours behind a stranger", {.uri = BOB, .extra = "Route: <sip:evil.example;lr>\r\n" US}, 403, NULL, NULL},
    {"a broken Route", {.uri = BOB, .extra = "Route: <<>>\r\n"}, 400, NULL, NULL},
};

static void run_place(const struct place *p)
{
    struct fixture f;
    init(&f);
    struct post_message m = p->message;
    m.to = BOB;
    const char *branch = post_send(f.lab, &m);
    const struct lab_sent *r = p->hop ? post_request(f.lab, p->hop, 0) : NULL;
    int status = post_status(f.lab, branch);
    if (status != p->status || (p->hop && !r))
        fail_msg("%s: %d", p->what, status);
    if (r && p->routes[0] ? !strstr(r->text, p->routes) : r && strstr(r->text, "Route: "))
        fail_msg("%s: %s", p->what, r->text);
    lab_free(f.lab);
}

static void test_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        run_place(&places[i]);
}

/* The edge in front of a device, as its Path says, is a hop that may be named for that device's account alone. */
static void test_on_to_a_binding_s_path(void **state)
{
    static const struct {
        const char *to, *route;
        int status;
    } rows[] = {
        {BOB, "Route: <sip:192.0.2.98;lr>\r\n", 0},
        {BOB, US "Route: <sip:192.0.2.98;lr>\r\n", 0},
        {BOB, "Route: <sip:192.0.2.98:5066;lr>\r\n", 403},
        {BOB, "Route: <sip:192.0.2.55;lr>\r\n", 403},
        {"sip:carol@example.com", "Route: <sip:192.0.2.98;lr>\r\n", 403},
        {"sip:echo@example.com", "Route: <sip:192.0.2.98;lr>\r\n", 403},
        {"sip:x@example.net", "Route: <sip:192.0.2.98;lr>\r\n", 403},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lab *lab = lab_new(2);
        post_register(lab, &(struct post_phone){.source = LAB_RELAY,
                                                .extra = "Path: <sip:192.0.2.98;lr>\r\nSupported: path\r\n"});
        lab_clear(lab);
        const char *branch = post_send(lab, &(struct post_message){.to = rows[i].to, .extra = rows[i].route});
        const struct lab_sent *r = post_request(lab, LAB_RELAY, 0);
        if (post_status(lab, branch) != rows[i].status || (r != NULL) != (rows[i].status == 0))
            fail_msg("row %zu: %d", i, post_status(lab, branch));
        if (r) /* once, from the Path */
            assert_null(strstr(strstr(r->text, "Route: ") + 1, "Route: "));
        lab_free(lab);
    }
}

/* --- who may --- */

struct who {
    const char *what, *source, *from, *uri;
    int status; /* 0: with the hop */
};

static const struct who whos[] = {
    {"a trusted peer to us", LAB_TRUSTED, ALICE, BOB, 202},
    {"a trusted peer with a foreign From to us", LAB_TRUSTED, "sip:x@example.net", BOB, 202},
    {"a trusted peer further", LAB_TRUSTED, ALICE, "sip:x@example.net", 0},
    {"a stranger with our From", PHONE_A, ALICE, BOB, 407},
    {"a stranger with a foreign From", PHONE_A, "sip:x@example.net", BOB, 403},
    {"a hop with a foreign From to us", LAB_HOP, "sip:x@example.net", BOB, 202},
    {"a hop with our From", LAB_HOP, ALICE, BOB, 407},
    {"a hop further: we are no open relay", LAB_HOP, "sip:x@example.net", "sip:x@example.net", 404},
    {"a hop to another hop", LAB_HOP, "sip:x@example.net", "sip:+49@example.com", 404},
    {"a relay with our From", LAB_RELAY, ALICE, BOB, 407},
    {"a relay with a foreign From", LAB_RELAY, "sip:x@example.net", BOB, 407},
};

static void test_who_may(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof whos / sizeof whos[0]; i++) {
        struct fixture f;
        init(&f);
        const char *branch = post_send(
            f.lab, &(struct post_message){.source = whos[i].source, .from = whos[i].from, .uri = whos[i].uri});
        int status = post_status(f.lab, branch);
        if (status != whos[i].status || (status == 0 && post_count(f.lab, LAB_HOP) != 1))
            fail_msg("%s: %d", whos[i].what, status);
        lab_free(f.lab);
    }
}

/* A message never returns to the peer it came from, by whatever port it came. */
static void test_never_back_to_the_peer(void **state)
{
    static const char *const sources[] = {LAB_HOP, "192.0.2.97:40000"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture f;
        init(&f);
        assert_int_equal(address_parse_ip(SLICE("192.0.2.97"), &f.lab->trusted.base), ERR_NONE);
        struct flow flow = lab_flow(f.lab, 0, i ? TRANSPORT_TCP : TRANSPORT_UDP, sources[i]);
        lab_receive(f.lab, &flow,
                    post_text(&(struct post_message){
                        .source = LAB_HOP, .branch = "z9hG4bKback", .uri = "sip:x@example.net", .to = BOB}));
        assert_int_equal(post_status(f.lab, "z9hG4bKback"), 404);
        lab_free(f.lab);
    }
}

/* --- content and rate --- */

struct content {
    const char *what;
    struct post_message message;
    int status;
    const char *has;
};

static const struct content contents[] = {
    {"no type, no body", {.type = "", .body = ""}, 202, NULL},
    {"a body without a type", {.type = ""}, 400, NULL},
    {"a broken type", {.type = "text"}, 400, NULL},
    {"any type", {.type = "x/y;a=\"b\""}, 202, NULL},
    {"deflate", {.extra = "Content-Encoding: deflate\r\n"}, 202, NULL},
    {"identity", {.extra = "Content-Encoding: Identity\r\n"}, 202, NULL},
    {"an unknown coding", {.extra = "Content-Encoding: lzma\r\n"}, 415, "\r\nAccept-Encoding: "},
};

static void test_content(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        struct lab *lab = lab_new(1);
        const char *branch = post_send(lab, &contents[i].message);
        if (post_status(lab, branch) != contents[i].status ||
            (contents[i].has && !strstr(post_response(lab, branch, 200, 699)->text, contents[i].has)))
            fail_msg("%s: %d", contents[i].what, post_status(lab, branch));
        lab_free(lab);
    }
}

static void test_413(void **state)
{
    struct lab *lab = lab_new(1);
    (void)state;
    lab->config.limits.message_bytes = 5;
    const char *branch = post_send(lab, &(struct post_message){.body = "12345"});
    assert_int_equal(post_status(lab, branch), 202);
    branch = post_send(lab, &(struct post_message){.body = "123456"});
    assert_int_equal(post_status(lab, branch), 413);
    lab_free(lab);
}

static int send_as_alice(struct lab *lab, const char *source)
{
    struct flow flow = lab_flow(lab, 0, TRANSPORT_UDP, source);
    const struct post_message m = {.source = source};
    char text[LAB_TEXT_MAX];
    (void)snprintf(text, sizeof text, "%s", post_text(&m));
    return lab_authenticated(lab, &flow, text, "alice", "secret");
}

static void test_c11_a_sender_over_its_rate_is_403(void **state)
{
    struct lab *lab = lab_new(1);
    (void)state;
    lab->config.limits.sender_burst = 3;
    lab->config.limits.sender_per_minute = 60;
    server_set_config(lab->workers[0].server, &lab->config);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(send_as_alice(lab, PHONE_A), 202);
    assert_int_equal(send_as_alice(lab, PHONE_A), 403);
    for (unsigned i = 0; i < 10; i++) { /* trusted peers have no rate */
        const char *branch = post_send(lab, &(struct post_message){0});
        assert_int_equal(post_status(lab, branch), 202);
    }
    lab_advance(lab, 1000);
    assert_int_equal(send_as_alice(lab, PHONE_A), 202);
    lab_free(lab);
}

/* --- loops: RFC 3261 §16.3 step 4, RFC 5393 §4.2 --- */

/* What the hop got comes back from it, with its own Via on top and maybe another Request-URI. */
static int send_back(const char *uri)
{
    struct lab *lab = lab_new(2);
    char text[LAB_TEXT_MAX];
    (void)post_send(lab, &(struct post_message){.to = "sip:x@example.net"});
    const struct lab_sent *r = post_request(lab, LAB_HOP, 0);
    assert_non_null(r);
    (void)snprintf(text, sizeof text, "MESSAGE %s SIP/2.0\r\nVia: SIP/2.0/UDP " LAB_TRUSTED ";branch=z9hG4bKloop%s",
                   uri, strstr(r->text, "\r\n"));
    lab_clear(lab);
    struct flow flow = lab_flow(lab, 1, TRANSPORT_UDP, LAB_TRUSTED);
    lab_receive(lab, &flow, text);
    int status = post_status(lab, "z9hG4bKloop");
    lab_free(lab);
    return status;
}

static void test_loop_and_spiral(void **state)
{
    (void)state;
    assert_int_equal(send_back("sip:x@example.net"), 482);
    assert_int_equal(send_back(BOB), 202);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_on_to_a_binding_s_path),
        cmocka_unit_test(test_who_may),
        cmocka_unit_test(test_never_back_to_the_peer),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_413),
        cmocka_unit_test(test_c11_a_sender_over_its_rate_is_403),
        cmocka_unit_test(test_loop_and_spiral),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
