/* Listeners once they are bound, and over a reload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "support/config_file.h"

static struct config *take(const char *listen)
{
    struct config *c;
    char *message, yaml[512];
    (void)snprintf(yaml, sizeof yaml, "domains: [a]\nlisten: [%s]\n", listen);
    if (config_file_load(yaml, NULL, &c, &message) != ERR_NONE)
        fail_msg("%s", message);
    return c;
}

static struct address at(const char *text)
{
    struct address a;
    assert_int_equal(address_parse(slice_str(text), &a), ERR_NONE);
    return a;
}

static void a_picked_port_is_ours(void **state)
{
    struct config *c = take("udp:127.0.0.1:0");
    struct address bound = at("127.0.0.1:32001");
    (void)state;
    assert_int_equal(config_set_bound(c, 0, &bound), ERR_NONE);
    assert_int_equal(c->server.listeners[0].address.port, 32001);
    assert_int_equal(c->server.listener_count, 1);
    config_free(c);
}

static void bound_to_any_means_all_addresses_of_this_machine(void **state)
{
    struct config *c = take("udp:0.0.0.0:5999");
    struct address bound = at("0.0.0.0:5999"), loopback = at("127.0.0.1:5999");
    bool found = false;
    (void)state;
    assert_int_equal(config_set_bound(c, 0, &bound), ERR_NONE);
    for (size_t i = 1; i < c->server.listener_count; i++)
        found = found || address_eq(&c->server.listeners[i].address, &loopback);
    assert_true(found);
    assert_int_equal(c->listener_count, 1);
    config_free(c);
}

/* What a reload asks for, next to what runs. */
static void listeners_over_a_reload(void **state)
{
    static const struct {
        const char *asked;
        bool differs;
    } rows[] = {
        {"udp:127.0.0.1:0, tcp:127.0.0.1:5061", false},
        {"udp:127.0.0.1:32001, tcp:127.0.0.1:5061", false},
        {"udp:127.0.0.1:0, {at: tcp:127.0.0.1:5061, digest: [sha-256]}", false},
        {"udp:127.0.0.1:0", true},
        {"tcp:127.0.0.1:5061, udp:127.0.0.1:0", true},
        {"udp:127.0.0.1:0, tcp:127.0.0.1:5062", true},
        {"udp:127.0.0.1:0, tcp:127.0.0.2:5061", true},
        {"udp:127.0.0.1:0, {at: tcp:127.0.0.1:5061, public: x}", true},
        {"udp:127.0.0.1:0, tcp:127.0.0.1:5061, tcp:127.0.0.1:5062", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config *running = take("udp:127.0.0.1:0, tcp:127.0.0.1:5061");
        struct config *c = take(rows[i].asked);
        struct address bound = at("127.0.0.1:32001");
        bool differs = !rows[i].differs;
        assert_int_equal(config_set_bound(running, 0, &bound), ERR_NONE);
        assert_int_equal(config_keep_listeners(c, running, &differs), ERR_NONE);
        assert_int_equal(differs, rows[i].differs);
        config_free(running); /* nothing borrows from it */
        assert_int_equal(c->listener_count, 2);
        assert_int_equal(c->server.listener_count, 2);
        assert_true(address_eq(&c->server.listeners[0].address, &bound));
        assert_int_equal(c->server.listeners[1].address.port, 5061);
        config_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picked_port_is_ours),
        cmocka_unit_test(bound_to_any_means_all_addresses_of_this_machine),
        cmocka_unit_test(listeners_over_a_reload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
