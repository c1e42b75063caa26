"""Who does not exist, and who is not ours, is answered 404; nothing is kept for them."""

import pytest


@pytest.mark.parametrize("uri", [
    "sip:nobody@example.test",
    "sip:someone@unrouted.test",
    "sip:someone@192.0.2.1",
    "sip:someone@example.test.evil.test",
    "sip:example.test",
])
def test_404(person, uri):
    assert person("alice").message(uri, "anybody?").status == 404


@pytest.mark.parametrize("uri", ["tel:+4930123456", "mailto:bob@example.test", "http://example.test/"])
def test_schemes_that_are_not_ours(person, uri):
    assert person("alice").message(uri, "anybody?").status in (404, 416)


@pytest.mark.parametrize("spelling", [
    "sip:{user}@EXAMPLE.TEST", "sip:{user}@example.test;transport=udp", "sip:%{hex}{rest}@example.test",
    "sip:{user}@{host}:{port}", "sip:{user}@example.test:{port}",
])
def test_other_spellings_reach_the_account(server, person, spelling):
    """The host is one of our domains or addresses; the port is absent or a listener's (DESIGN §4)."""
    bob = person("bob").online().take_all()
    values = {"user": bob.user, "host": server.host, "port": str(server.port), "hex": f"{ord(bob.user[0]):02x}",
              "rest": bob.user[1:]}
    for key, value in values.items():
        spelling = spelling.replace("{" + key + "}", value)
    assert person("alice").message(spelling, "found", to=f"<{bob.aor}>").status == 200


def test_headers_in_a_request_uri_are_refused(person):
    """RFC 3261 §19.1.5: not allowed there, and never turned into headers."""
    bob = person("bob").online().take_all()
    assert person("alice").message(f"{bob.aor}?Subject=x", "?", to=f"<{bob.aor}>").status == 400
    assert not bob.requests


def test_the_user_part_is_compared_with_its_case(person):
    """RFC 3261 §19.1.4."""
    bob = person("bob")
    assert person("alice").message(f"sip:{bob.user.upper()}@example.test", "BOB?").status == 404


def test_a_port_that_is_not_ours_is_another_place(server, person):
    bob = person("bob").online().take_all()
    other = server.port + 1
    assert person("alice").message(f"sip:{bob.user}@example.test:{other}", "?").status == 404
    assert not bob.requests


def test_nothing_was_kept(server, person):
    alice = person("alice")
    assert alice.message("sip:latecomer@example.test", "for one who comes later").status == 404
    server.ctl("user", "add", "sip:latecomer@example.test", "--password-stdin", stdin="pw\n")
    late = server.peer(alice.wire, user="latecomer", password="pw").online()
    late.expect_none(within=1.0)
