"""Phones preload a Route to their server (RFC 3261 §16.4): ours is removed, any other is refused."""

import pytest

OURS = ["<sip:{host}:{port};lr>", "<sip:example.test;lr>", "<sip:{host}:{port};transport=udp;lr>",
        "<sip:EXAMPLE.test;lr;x=y>", "<sip:{host}:{port};lr>, <sip:example.test;lr>", "Server <sip:{host}:{port};lr>"]
FOREIGN = ["<sip:192.0.2.1;lr>", "<sip:{host}:{port};lr>, <sip:192.0.2.1;lr>", "<sip:127.0.0.1:9;lr>",
           "<sip:evil.test;lr>", "<sip:example.test.evil.test;lr>"]


def written(route, server):
    return route.replace("{host}", server.host).replace("{port}", str(server.port))


@pytest.mark.parametrize("route", OURS)
def test_a_route_that_names_us_is_removed(server, person, route):
    alice, bob = person("alice"), person("bob").online().take_all()
    assert alice.message(bob.aor, "on its way", headers=[("Route", written(route, server))]).status == 200
    assert not bob.requests[0].all("Route")


@pytest.mark.parametrize("route", OURS)
def test_register_may_carry_one_too(server, person, route):
    assert person("bob").register(headers=[("Route", written(route, server))]).status == 200


@pytest.mark.parametrize("route", FOREIGN)
def test_any_other_route_is_refused(server, person, route):
    alice, bob = person("alice"), person("bob").online().take_all()
    assert alice.message(bob.aor, "elsewhere", headers=[("Route", written(route, server))]).status == 403
    assert not bob.requests


def test_a_route_is_not_stored(server, person):
    alice, bob = person("alice"), person("bob")
    route = written(OURS[0], server)
    assert alice.message(bob.aor, "later", headers=[("Route", route)]).status == 202
    assert not bob.online().take().all("Route")


@pytest.mark.parametrize("route", ["<sip:", "<>", "nonsense", "<sip:a@b;lr", ",,,"])
def test_a_broken_route(person, route):
    alice, bob = person("alice"), person("bob").online().take_all()
    assert alice.message(bob.aor, "x", headers=[("Route", route)]).status in (400, 403)
    assert not bob.requests
