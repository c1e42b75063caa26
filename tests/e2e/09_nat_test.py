"""Phones behind a simulated NAT: what they write about themselves is not where they are. They are answered and
reached where they come from, through the listener they registered at (RFC 3581)."""

import pytest

from support.sipwire import parameter

INSIDE = "192.0.2.7:5060"


@pytest.fixture
def behind_nat(server, wire):
    def make(account, **options):
        return server.peer(wire, account, sent_by=INSIDE, contact_host=INSIDE, **options)

    return make


def test_the_answer_says_where_it_came_from(server, behind_nat):
    bob = behind_nat(server.account("bob"))
    via = bob.register().vias[0]
    assert parameter(via, "received") == "127.0.0.1"
    assert parameter(via, "rport") == str(bob.port)


def test_without_rport_it_is_answered_at_its_source_all_the_same(server, behind_nat):
    assert behind_nat(server.account("bob"), rport=False).register().status == 200


def test_messages_reach_its_source(server, person, behind_nat):
    bob = behind_nat(server.account("bob")).online().take_all()
    assert person("alice").message(bob.aor, "inside").status == 200
    got = bob.requests[0]
    assert got.uri == bob.contact  # its own words, though they name no reachable place
    assert got.source == server.address  # only this source passes its NAT


def test_the_contact_is_kept_as_it_was_written(server, behind_nat):
    bob = behind_nat(server.account("bob")).online()
    assert INSIDE in bob.register(expires=None, contact="").get("Contact")


def test_a_new_mapping_is_followed_after_a_register(server, person, behind_nat):
    account = server.account("bob")
    old = behind_nat(account, instance="urn:uuid:00000000-0000-4000-8000-00000000aaaa").online().take_all()
    new = behind_nat(account, instance="urn:uuid:00000000-0000-4000-8000-00000000aaaa").take_all()
    new.online()
    assert person("alice").message(account.aor, "moved").status == 200
    assert new.texts() == ["moved"]
    assert not old.texts()


def test_two_phones_with_the_same_inner_address(server, person, behind_nat):
    """192.168.1.10 exists in every home."""
    bob, carol = (behind_nat(server.account(name)).online().take_all() for name in ("bob", "carol"))
    alice = person("alice")
    assert alice.message(bob.aor, "for bob").status == 200
    assert alice.message(carol.aor, "for carol").status == 200
    assert (bob.texts(), carol.texts()) == (["for bob"], ["for carol"])


def test_mail_waits_and_comes_to_the_source(server, person, behind_nat):
    account = server.account("bob")
    assert person("alice").message(account.aor, "waiting").status == 202
    bob = behind_nat(account).online()
    got = bob.take()
    assert got.text == "waiting"
    assert got.source == server.address


def test_over_tcp_the_connection_is_the_way(server, person, behind_nat):
    bob = behind_nat(server.account("bob"), transport="tcp").online().take_all()
    assert person("alice").message(bob.aor, "through the wire").status == 200
    assert bob.texts() == ["through the wire"]


@pytest.mark.parametrize("nothing", [b"\r\n\r\n", b"\r\n", b"\0", b"\0\0\0\0"])
def test_keep_alive_datagrams_are_dropped_silently(server, person, wire, nothing):
    phone = person("bob")
    phone.socket.sendto(nothing, server.address)
    heard = []
    phone.received = lambda raw, *_: heard.append(raw)
    wire.run(0.2)
    assert not heard
