/* The configuration: what is read, and what each mistake is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "support/config_file.h"

#define HEAD "domains: [example.com]\nlisten: [udp:127.0.0.1:5060]\n"

struct wrong {
    const char *yaml, *message;
};

static void refuse(const struct wrong *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct config *c = NULL;
        char *message;
        int err = config_file_load(rows[i].yaml, NULL, &c, &message);
        if (err == ERR_NONE)
            fail_msg("row %zu was taken: %s", i, rows[i].yaml);
        assert_null(c);
        assert_non_null(message);
        if (strcmp(message, rows[i].message) != 0)
            fail_msg("row %zu: \"%s\" instead of \"%s\"", i, message, rows[i].message);
        free(message);
    }
}
#define REFUSE(rows) refuse(rows, sizeof(rows) / sizeof((rows)[0]))

static struct config *take(const char *yaml)
{
    struct config *c;
    char *message;
    if (config_file_load(yaml, NULL, &c, &message) != ERR_NONE)
        fail_msg("%s", message);
    return c;
}

static bool text_is(struct slice s, const char *text)
{
    return slice_eq(s, slice_str(text));
}

/* --- mistakes --- */

static void whole_files(void **state)
{
    static const struct wrong rows[] = {
        {"", "FILE: the file is empty"},
        {"# nothing\n", "FILE: the file is empty"},
        {"just text\n", "FILE:1: expected a map (key: value)"},
        {"- a\n- b\n", "FILE:1: expected a map (key: value)"},
        {"domains: [\n", "FILE:2: did not find expected node content"},
        {"domains: [a]\n\tlisten: [b]\n", "FILE:2: found character that cannot start any token"},
        {"listen: [udp:127.0.0.1:5060]\n", "FILE:1: domains: is missing, as in domains: [example.com]"},
        {"domains: [a]\n", "FILE:1: listen: is missing, as in listen: [udp:0.0.0.0:5060]"},
        {HEAD "domain: [a]\n", "FILE:3: domain: unknown key; there are domains, data, listen, auth, relays, aliases, "
                               "routes, limits, workers"},
        {HEAD "domains: [b]\n", "FILE:3: domains: stands twice"},
        {HEAD "[a]: b\n", "FILE:3: ?: a key must be a plain word"},
        {HEAD "workers: two\nlimits: {message_bytes: 0}\nrelays: [x, 192.0.2.1, y]\n",
         "FILE:3: workers: expected a whole number\n"
         "FILE:4: limits.message_bytes: 0 is out of range (1 to 2147483647)\n"
         "FILE:5: relays[0]: 'x' is not a network, as in 192.0.2.0/24 or 192.0.2.7\n"
         "FILE:5: relays[2]: 'y' is not a network, as in 192.0.2.0/24 or 192.0.2.7"},
    };
    (void)state;
    REFUSE(rows);
}

static void domains_and_aliases(void **state)
{
    static const struct wrong rows[] = {
        {"domains: example.com\n", "FILE:1: domains: expected a list ([a, b] or lines with -)"},
        {"domains: []\n", "FILE:1: domains: expected at least one domain"},
        {"domains: [\"\"]\n", "FILE:1: domains[0]: '' is not a domain name"},
        {"domains: [a, \"b c\"]\n", "FILE:1: domains[1]: 'b c' is not a domain name"},
        {"domains:\n  - a\n  - sip:b\n", "FILE:3: domains[1]: 'sip:b' is not a domain name"},
        {"domains: [[a]]\n", "FILE:1: domains[0]: expected a word or a text"},
        {HEAD "aliases: [a]\n", "FILE:3: aliases: expected a map (key: value)"},
        {HEAD "aliases: {pbx.lan: example.org}\n", "FILE:1: aliases.pbx.lan: 'example.org' is not one of domains"},
        {HEAD "aliases: {pbx lan: example.com}\n", "FILE:3: aliases.pbx lan: 'pbx lan' is not a host name"},
        {HEAD "aliases: {pbx.lan: }\n", "FILE:3: aliases.pbx.lan: '' is not a domain name"},
    };
    (void)state;
    REFUSE(rows);
}

static void listeners(void **state)
{
#define LISTEN(text) "domains: [a]\nlisten:\n  - udp:127.0.0.1:5060\n  - " text "\n"
    static const struct wrong rows[] = {
        {"domains: [a]\nlisten: []\n", "FILE:2: listen: expected at least one listener"},
        {"domains: [a]\nlisten: udp:127.0.0.1:5060\n", "FILE:2: listen: expected a list ([a, b] or lines with -)"},
        {LISTEN("5060"), "FILE:4: listen[1]: '5060' is not transport:address:port, as in udp:127.0.0.1:5060"},
        {LISTEN("sctp:127.0.0.1:5060"), "FILE:4: listen[1]: 'sctp' is no transport; udp and tcp are"},
        {LISTEN("tls:127.0.0.1:5061"), "FILE:4: listen[1]: tls is not offered yet; udp and tcp are"},
        {LISTEN("http:127.0.0.1:8080"), "FILE:4: listen[1]: http is not offered yet"},
        {LISTEN("udp:127.0.0.1:99999"),
         "FILE:4: listen[1]: port in 'udp:127.0.0.1:99999' is out of range (0 to 65535)"},
        {LISTEN("udp:127.0.0.1"),
         "FILE:4: listen[1]: '127.0.0.1' is not an IP address and port, as in 127.0.0.1:5060 or [::]:5060"},
        {LISTEN("udp:sip.example.com:5060"),
         "FILE:4: listen[1]: 'sip.example.com:5060' is not an IP address and port, as in 127.0.0.1:5060 or [::]:5060"},
        {LISTEN("{at: udp:127.0.0.1:1, port: 3}"), "FILE:4: listen[1].port: unknown key; there are at, public, digest"},
        {LISTEN("udp:127.0.0.1:5060"), "FILE:4: listen[1]: stands twice"},
        {LISTEN("{at: udp:127.0.0.1:5060}"), "FILE:4: listen[1]: stands twice"},
        {LISTEN("{public: sip.example.com}"), "FILE:4: listen[1]: expected at: transport:address:port"},
        {LISTEN("{at: udp:127.0.0.1:1, public: a/b}"), "FILE:4: listen[1].public: 'a/b' is not a domain name"},
        {LISTEN("{at: udp:127.0.0.1:1, digest: [sha1]}"),
         "FILE:4: listen[1].digest[0]: 'sha1' is no algorithm; md5, sha-256 and sha-512-256 are"},
    };
    (void)state;
    REFUSE(rows);
}

static void who_is_believed(void **state)
{
    static const struct wrong rows[] = {
        {HEAD "auth: md5\n", "FILE:3: auth: expected a map (key: value)"},
        {HEAD "auth: {trust: []}\n", "FILE:3: auth.trust: unknown key; there are trusted, digest"},
        {HEAD "auth: {trusted: [pbx]}\n",
         "FILE:3: auth.trusted[0]: 'pbx' is not a network, as in 192.0.2.0/24 or 192.0.2.7"},
        {HEAD "auth:\n  trusted:\n    - 192.0.2.1/24\n",
         "FILE:5: auth.trusted[0]: '192.0.2.1/24' is not a network, as in 192.0.2.0/24 or 192.0.2.7"},
        {HEAD "auth: {digest: []}\n", "FILE:3: auth.digest: expected at least one of md5, sha-256, sha-512-256"},
        {HEAD "auth: {digest: [md5, md5]}\n", "FILE:3: auth.digest[1]: 'md5' stands twice"},
        {HEAD "auth: {digest: [plain]}\n",
         "FILE:3: auth.digest[0]: 'plain' is no algorithm; md5, sha-256 and sha-512-256 are"},
        {HEAD "relays: [192.0.2.0/33]\n",
         "FILE:3: relays[0]: '192.0.2.0/33' is not a network, as in 192.0.2.0/24 or 192.0.2.7"},
    };
    (void)state;
    REFUSE(rows);
}

static void routes_and_numbers(void **state)
{
    static const struct wrong rows[] = {
        {HEAD "routes: [a]\n", "FILE:3: routes: expected a map (key: value)"},
        {HEAD "routes: {\"\": a}\n", "FILE:3: routes.: '' is no domain, and no prefix as in +49"},
        {HEAD "routes: {a b: c}\n", "FILE:3: routes.a b: 'a b' is no domain, and no prefix as in +49"},
        {HEAD "routes: {b.example: \"udp:192.0.2.1:0\"}\n",
         "FILE:3: routes.b.example: port '0' is out of range (1 to 65535)"},
        {HEAD "routes: {b.example: \"ws:192.0.2.1:80\"}\n",
         "FILE:3: routes.b.example: ws is not offered yet; udp and tcp are"},
        {HEAD "routes: {b.example: \"a b\"}\n", "FILE:3: routes.b.example: 'a b' is not a host"},
        {HEAD "limits: {mailbox_messages: many}\n", "FILE:3: limits.mailbox_messages: expected a whole number"},
        {HEAD "limits: {mailbox_messages: -1}\n", "FILE:3: limits.mailbox_messages: expected a whole number"},
        {HEAD "limits: {mailbox_messages: 0}\n",
         "FILE:3: limits.mailbox_messages: 0 is out of range (1 to 2147483647)"},
        {HEAD "limits: {mailbox_messages: 2147483648}\n",
         "FILE:3: limits.mailbox_messages: 2147483648 is out of range (1 to 2147483647)"},
        {HEAD "limits: {mailbox_message: 1}\n",
         "FILE:3: limits.mailbox_message: unknown limit; telexd --print-config shows all"},
        {HEAD "limits: {register_min_s: 60, register_max_s: 30}\n",
         "FILE:1: limits.register_min_s is over limits.register_max_s"},
        {HEAD "workers: 65\n", "FILE:3: workers: 65 is out of range (0 to 64)"},
        {HEAD "workers: two\n", "FILE:3: workers: expected a whole number"},
        {HEAD "data: \"\"\n", "FILE:3: data: expected a folder"},
        {HEAD "data: [a]\n", "FILE:3: data: expected a word or a text"},
    };
    (void)state;
    REFUSE(rows);
}

static void a_file_that_is_not_there(void **state)
{
    struct config *c = NULL;
    char *message = NULL;
    (void)state;
    assert_int_equal(config_load("/nowhere/telexd.yaml", NULL, &c, &message), ERR_IO);
    assert_string_equal(message, "/nowhere/telexd.yaml: No such file or directory");
    free(message);
}

/* --- what is read --- */

static void everything(void **state)
{
    struct config *c = take("domains: [Example.COM, b.example]\n"
                            "data: /srv/telex\n"
                            "listen:\n"
                            "  - udp:192.0.2.1:5060\n"
                            "  - {at: \"tcp:[::1]:5070\", public: sip.example.com, digest: [sha-256, md5]}\n"
                            "auth: {trusted: [192.0.2.9, \"2001:db8::/32\"], digest: [sha-512-256]}\n"
                            "relays: [198.51.100.0/24]\n"
                            "aliases: {pbx.lan: example.com}\n"
                            "routes:\n"
                            "  c.example: tcp:192.0.2.3:5080\n"
                            "  d.example: proxy.d.example\n"
                            "  +49: 192.0.2.4\n"
                            "  \"00\": \"[2001:db8::1]:5061\"\n"
                            "limits: {mailbox_messages: 7, mailbox_bytes: 5000000000}\n"
                            "workers: 3\n");
    const struct server_config *s = &c->server;
    (void)state;
    assert_int_equal(s->domain_count, 2);
    assert_true(text_is(s->domains[0], "example.com"));
    assert_string_equal(c->data, "/srv/telex");
    assert_false(c->data_is_builtin);
    assert_int_equal(c->listener_count, 2);
    assert_int_equal(c->listeners[1].transport, TRANSPORT_TCP);
    assert_int_equal(c->listeners[1].address.port, 5070);
    assert_true(text_is(c->listeners[1].advertised, "sip.example.com"));
    assert_int_equal(s->listeners[1].digest_count, 2);
    assert_int_equal(s->listeners[1].digest[0], DIGEST_SHA256);
    assert_int_equal(s->listeners[0].digest_count, 0);
    assert_int_equal(s->digest_count, 1);
    assert_int_equal(s->digest[0], DIGEST_SHA512_256);
    assert_int_equal(s->trusted_count, 2);
    assert_int_equal(s->relay_count, 1);
    assert_int_equal(c->exempt_count, 3);
    assert_true(text_is(s->aliases[0].name, "pbx.lan"));
    assert_int_equal(s->route_count, 4);
    assert_true(text_is(s->routes[0].domain, "c.example"));
    assert_true(s->routes[0].next_hop.has_transport);
    assert_int_equal(s->routes[0].next_hop.port, 5080);
    assert_true(text_is(s->routes[1].next_hop.host, "proxy.d.example"));
    assert_int_equal(s->routes[1].next_hop.port, 0);
    assert_true(text_is(s->routes[2].prefix, "+49"));
    assert_true(text_is(s->routes[3].prefix, "00"));
    assert_int_equal(s->routes[3].next_hop.port, 5061);
    assert_int_equal(s->limits.mailbox_messages, 7);
    assert_true(s->limits.mailbox_bytes == 5000000000u);
    assert_int_equal(s->workers, 3);
    config_free(c);
}

static void defaults(void **state)
{
    struct config *c = take(HEAD "auth:\nrelays: ~\naliases: {}\nroutes: null\nlimits:\n");
    struct server_limits limits;
    (void)state;
    server_limits_default(&limits);
    assert_int_equal(c->server.limits.mailbox_messages, limits.mailbox_messages);
    assert_int_equal(c->server.limits.duplicates_max, limits.duplicates_max);
    assert_int_equal(c->server.digest_count, 1);
    assert_int_equal(c->server.digest[0], DIGEST_MD5);
    assert_true(c->server.workers >= 1 && c->server.workers <= 64);
    assert_true(c->data_is_builtin);
    config_free(c);
}

static void the_command_line_names_the_data_folder(void **state)
{
    struct config *c;
    char *message;
    (void)state;
    assert_int_equal(config_file_load(HEAD "data: /srv/a\n", "/srv/b", &c, &message), ERR_NONE);
    assert_string_equal(c->data, "/srv/b");
    config_free(c);
}

static void without_a_file(void **state)
{
    struct config *c;
    char *message = NULL;
    (void)state;
    assert_int_equal(config_load(NULL, NULL, &c, &message), ERR_NONE);
    assert_null(c->file);
    assert_true(c->listener_count >= 2);
    config_free(c);
}

/* What is printed is read back as the same. */
static void printed(void **state)
{
    struct buf first, second;
    (void)state;
    struct config *c = take(HEAD "data: \"/srv/a: b #c\\\"\\\\\"\nauth: {trusted: [\"::1\"], digest: [sha-256, md5]}\n"
                                 "aliases: {pbx.lan: example.com}\nroutes: {+49: \"tcp:192.0.2.4:5070\", \"00\": "
                                 "\"[2001:db8::1]:5061\", x.example: y.example}\nworkers: 2\n");
    buf_init(&first, 65536);
    buf_init(&second, 65536);
    config_print(c, &first);
    config_free(c);
    buf_append_char(&first, '\0');
    c = take(first.ptr);
    config_print(c, &second);
    buf_append_char(&second, '\0');
    assert_string_equal(first.ptr, second.ptr);
    assert_string_equal(c->data, "/srv/a: b #c\"\\");
    config_free(c);
    buf_deinit(&first);
    buf_deinit(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_files),
        cmocka_unit_test(domains_and_aliases),
        cmocka_unit_test(listeners),
        cmocka_unit_test(who_is_believed),
        cmocka_unit_test(routes_and_numbers),
        cmocka_unit_test(a_file_that_is_not_there),
        cmocka_unit_test(everything),
        cmocka_unit_test(defaults),
        cmocka_unit_test(the_command_line_names_the_data_folder),
        cmocka_unit_test(without_a_file),
        cmocka_unit_test(printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
