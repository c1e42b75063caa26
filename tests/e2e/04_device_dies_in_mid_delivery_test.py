"""A device receives, does not answer and dies: delivered again on its return, same identity (contract C4)."""

import itertools
import socket
import struct

import pytest

_instances = itertools.count(1)


@pytest.fixture
def device(server, wire):
    """device(account, transport, instance) → a new incarnation of one phone."""

    def make(account, transport, instance):
        return server.peer(wire, account, transport=transport, instance=instance)

    return make


def new_instance():
    return f"urn:uuid:00000000-0000-4000-8000-{next(_instances):012}"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_live_message_comes_again_with_the_same_identity(server, person, device, transport):
    alice = person("alice").learn_challenge()
    account, instance = server.account("bob"), new_instance()
    bob = device(account, transport, instance).online()
    exchange = alice.begin_message(bob.aor, "important")
    first = bob.expect()
    bob.close()
    assert exchange.wait().status == 202
    back = device(account, transport, instance).online()
    again = back.take()
    assert again.identity == first.identity
    assert again.body == first.body
    assert again.branch != first.branch
    back.expect_none(within=1.0)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_drain_goes_on_where_it_was(server, person, device, transport):
    alice = person("alice")
    account, instance = server.account("bob"), new_instance()
    for number in range(4):
        assert alice.message(account.aor, f"{number}").status == 202
    bob = device(account, transport, instance).online()
    assert bob.take().text == "0"
    lost = bob.expect()
    assert lost.text == "1"
    bob.close()
    back = device(account, transport, instance).online().take_all()
    assert back.wait_texts(3) == ["1", "2", "3"]
    assert back.requests[0].identity == lost.identity
    wire = back.wire
    wire.run(0.7)
    assert back.texts() == ["1", "2", "3"]


@pytest.mark.parametrize("how", ["closed", "reset", "half an answer", "half closed"])
def test_a_connection_dies_in_mid_delivery(server, person, device, how):
    """Away at once: no wait for Timer F; it comes again on the next connection, with the same identity."""
    alice = person("alice").learn_challenge()
    account, instance = server.account("bob"), new_instance()
    bob = device(account, "tcp", instance).online()
    exchange = alice.begin_message(bob.aor, "important")
    first = bob.expect()
    sock = bob.connections[0].sock
    if how == "half an answer":
        bob.connections[0].send(f"SIP/2.0 200 OK\r\nVia: {first.vias[0]}\r\n".encode())
    if how == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if how == "half closed":
        sock.shutdown(socket.SHUT_WR)
    else:
        bob.close()
    assert exchange.wait(timeout=2).status == 202
    back = device(account, "tcp", instance).online().take_all()
    assert back.wait_texts(1) == ["important"]
    assert back.requests[0].identity == first.identity


def test_one_without_instance_passes_its_mail_to_the_next_device(server, person, wire):
    alice = person("alice").learn_challenge()
    account = server.account("bob")
    bob = server.peer(wire, account, transport="tcp").online()
    exchange = alice.begin_message(bob.aor, "for whoever comes")
    first = bob.expect()
    bob.close()
    assert exchange.wait().status == 202
    other = server.peer(wire, account).online()
    assert other.take().identity == first.identity


def test_only_one_attempt_is_in_flight(server, person, device):
    """While the device is silent but there, no second copy is sent to it beside the first."""
    alice = person("alice").learn_challenge()
    account, instance = server.account("bob"), new_instance()
    bob = device(account, "udp", instance).online()
    exchange = alice.begin_message(bob.aor, "slow")
    message = bob.expect()
    assert bob.register().status == 200  # a refresh from the same address starts no second attempt
    bob.wire.until(lambda: bob.repeats, 3, "the retransmission")
    bob.expect_none(within=1.0)
    bob.answer(message, 200)
    assert exchange.wait().status == 200
    bob.expect_none(within=0.8)
