"""Over 1300 bytes: the device's connection, else TCP to its Contact, else UDP; never refused for its size alone."""

import time

import pytest

BIG = "0123456789abcdef" * 500  # 8 000 bytes: over any path's MTU, under the server's limit


@pytest.mark.parametrize("sender", ["udp", "tcp"])
def test_to_a_device_on_tcp(person, sender):
    bob = person("bob", transport="tcp").online().take_all()
    assert person("alice", transport=sender).message(bob.aor, BIG).status == 200
    assert bob.texts() == [BIG]


def test_to_a_device_on_udp_that_listens_on_tcp_too(person):
    bob = person("bob", listen=True).online().take_all()
    assert person("alice").message(bob.aor, BIG).status == 200
    assert bob.texts() == [BIG]
    assert bob.requests[0].connection is not None
    assert bob.requests[0].vias[0].startswith("SIP/2.0/TCP ")


def test_a_small_one_goes_by_udp_all_the_same(person):
    bob = person("bob", listen=True).online().take_all()
    assert person("alice").message(bob.aor, "small").status == 200
    assert bob.requests[0].connection is None


def test_to_a_device_on_udp_alone(person):
    bob = person("bob").online().take_all()
    alice = person("alice").learn_challenge()
    begun = time.monotonic()
    assert alice.begin_message(bob.aor, BIG).wait().status == 200
    assert time.monotonic() - begun < 2.5
    assert bob.texts() == [BIG]


def test_the_failure_is_remembered(person):
    bob = person("bob").online().take_all()
    alice = person("alice")
    alice.message(bob.aor, BIG)
    begun = time.monotonic()
    assert alice.message(bob.aor, BIG + "2").status == 200
    assert time.monotonic() - begun < 0.8


def test_behind_nat_it_goes_to_the_source_by_udp(server, person, wire):
    inside = "192.0.2.7:5060"
    bob = server.peer(wire, server.account("bob"), sent_by=inside, contact_host=inside).online().take_all()
    assert person("alice").message(bob.aor, BIG).status == 200
    assert bob.texts() == [BIG]


def test_stored_and_delivered_whole(person):
    alice, bob = person("alice"), person("bob", transport="tcp")
    assert alice.message(bob.aor, BIG).status == 202
    assert bob.online().take().text == BIG


def test_beyond_the_limit_is_413(start_server, wire):
    server = start_server({"limits": {"message_bytes": 4000}})
    alice = server.peer(wire, server.account("alice"), transport="tcp")
    bob = server.peer(wire, server.account("bob"), transport="tcp").online().take_all()
    assert alice.message(bob.aor, "x" * 4000).status == 200
    assert alice.message(bob.aor, "x" * 4001).status == 413
    assert len(bob.requests) == 1


@pytest.mark.parametrize("length", [1200, 1299, 1300, 1301, 1500, 65000 - 1500])
def test_every_size_arrives(person, length):
    bob = person("bob", transport="tcp").online().take_all()
    assert person("alice", transport="tcp").message(bob.aor, "y" * length).status == 200
    assert len(bob.requests[0].body) == length
