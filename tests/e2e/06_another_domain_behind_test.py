"""Another domain behind a static route (`routes`), served by Kamailio: what it answers is the answer; its users
reach ours; nobody else may speak for it."""

import pytest

from support.ports import free_port
from support.sipwire import challenge_parameters

OTHER = "other.test"
HOST = "127.0.0.3"
GATEWAY = "127.0.0.4"


@pytest.fixture(scope="module")
def pair(start_server, start_kamailio):
    """telexd and Kamailio, each the other's next hop."""
    port, gateway = free_port(HOST), free_port(GATEWAY)
    server = start_server({"routes": {OTHER: f"udp:{HOST}:{port}", "+49": f"udp:{GATEWAY}:{gateway}"}})
    neighbour = start_kamailio("neighbour", OTHER, host=HOST, port=port, next_hop=server.address)
    server.gateway_port = gateway
    return server, neighbour


@pytest.fixture
def server(pair):
    return pair[0]


@pytest.fixture
def carol(pair, wire):
    return wire.peer(pair[1].address, user="carol", domain=OTHER).online().take_all()


def test_ours_writes_to_theirs(person, carol):
    alice = person("alice")
    response = alice.message(carol.aor, "over the fence")
    assert response.status == 200
    got = carol.requests[0]
    assert got.text == "over the fence"
    assert alice.aor in got.get("From")
    assert not got.all("Proxy-Authorization")


def test_theirs_writes_to_ours(person, carol):
    bob = person("bob").online().take_all()
    assert carol.message(bob.aor, "hello over there").status == 200
    assert bob.texts() == ["hello over there"]
    assert carol.aor in bob.requests[0].get("From")


def test_theirs_writes_to_one_of_ours_who_is_away(person, carol):
    bob = person("bob")
    assert carol.message(bob.aor, "later").status == 202
    assert bob.online().take().text == "later"


def test_their_refusal_is_the_answer(person):
    assert person("alice").message(f"sip:nobody@{OTHER}", "?").status == 404


def test_a_stranger_cannot_speak_for_them(person, wire, server):
    bob = person("bob").online().take_all()
    eve = wire.peer(server.address, user="carol", domain=OTHER)
    assert eve.message(bob.aor, "I am carol").status in (401, 403, 407)
    assert not bob.requests


def test_ours_without_credentials_goes_nowhere(person, carol):
    alice = person("alice")
    response = alice.message(carol.aor, "free ride", auth=False)
    assert response.status == 407
    assert challenge_parameters(response.get("Proxy-Authenticate"))["realm"] == "example.test"
    assert not carol.requests


def test_a_message_never_returns_to_the_peer_it_came_from(pair, wire):
    """A gateway that sends us what we would send to it gets a refusal, not its own message."""
    server, neighbour = pair
    mirror = wire.peer(server.address, user="mirror", domain=OTHER, host=HOST)
    response = mirror.message(f"sip:carol@{OTHER}", "round and round")
    assert response.status >= 400
    assert not mirror.requests
    assert neighbour.process.alive()


def test_a_user_prefix_leads_to_its_hop(person, server, wire):
    gateway = wire.peer(server.address, user="gateway", host=GATEWAY, port=server.gateway_port).take_all()
    alice = person("alice")
    assert alice.message("sip:+4930123456@example.test", "to the gateway").status == 200
    assert gateway.texts() == ["to the gateway"]
    assert alice.message("sip:+4330123456@example.test", "no such prefix").status == 404
    assert len(gateway.requests) == 1
