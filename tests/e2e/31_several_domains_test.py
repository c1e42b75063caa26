"""Several domains and aliases on one server: each account lives in one domain, its realm is that domain."""

import pytest

from support.sipwire import challenge_parameters


@pytest.fixture(scope="module")
def server(start_server):
    return start_server({"domains": ["example.test", "second.test"], "aliases": {"alias.test": "second.test"}})


@pytest.fixture
def second(server, wire):
    return lambda name, **options: server.peer(wire, server.account(name, "second.test"), **options)


def test_the_realm_is_the_account_s_domain(second, person):
    for phone in (person("alice"), second("bob")):
        response = phone.register(auth=False)
        assert challenge_parameters(response.get("WWW-Authenticate"))["realm"] == phone.domain
        assert phone.register().status == 200


def test_a_message_crosses_domains_within_the_server(second, person):
    alice, bob = person("alice"), second("bob").online().take_all()
    assert alice.message(bob.aor, "next door").status == 200
    assert bob.texts() == ["next door"]


def test_the_same_name_in_both_domains_is_two_people(server, wire):
    server.ctl("user", "add", "sip:twin@example.test", "--password-stdin", stdin="one\n")
    server.ctl("user", "add", "sip:twin@second.test", "--password-stdin", stdin="two\n")
    first = server.peer(wire, user="twin", domain="example.test", password="one").online().take_all()
    other = server.peer(wire, user="twin", domain="second.test", password="two").online().take_all()
    assert first.message(other.aor, "brother").status == 200
    assert (first.texts(), other.texts()) == ([], ["brother"])
    crossed = server.peer(wire, user="twin", domain="second.test", password="one")
    assert crossed.register().status == 401


def test_an_alias_is_the_domain_it_stands_for(second, person):
    bob = second("bob").online().take_all()
    assert person("alice").message(f"sip:{bob.user}@alias.test", "by another name", to=f"<{bob.aor}>").status == 200
    assert bob.texts() == ["by another name"]


def test_a_phone_may_register_under_the_alias(server, wire, second, person):
    bob = second("bob").take_all()
    response = bob.request("REGISTER", "sip:alias.test", [("Contact", f"<{bob.contact}>"), ("Expires", "300")],
                           to=f"<sip:{bob.user}@alias.test>", from_=f"<sip:{bob.user}@alias.test>;tag=1")
    assert response.status == 200
    assert person("alice").message(bob.aor, "found").status == 200
    assert bob.texts() == ["found"]


def test_from_may_name_the_alias_and_stays_as_written(second, person):
    bob, alice = person("bob").online().take_all(), second("alice").learn_challenge()
    from_ = f"<sip:{alice.user}@alias.test>;tag=1"
    assert alice.begin_message(bob.aor, "hello", from_=from_).wait().status == 200
    assert bob.requests[0].get("From") == from_
