"""Kamailio in front of telexd as a relay of the domain (`relays`): phones know only it, telexd finds them by Path
and still asks them for their passwords."""

import pytest

from support import fleet
from support.sipwire import parameter

RELAY = "127.0.0.2"
PHONES = ["baresip-tcp", "linphone-udp", "sipp-udp", "telex-tcp"]


@pytest.fixture(scope="module")
def server(start_server):
    return start_server({"relays": [f"{RELAY}/32"]})


@pytest.fixture(scope="module", params=["udp", "tcp"])
def relay(request, server, start_kamailio):
    return start_kamailio("relay", "example.test", host=RELAY, next_hop=server.address,
                          next_transport=request.param)


@pytest.fixture
def behind(server, relay, wire):
    """A raw peer that knows only the relay."""

    def make(name, account=None, **options):
        account = account or server.account(name)
        return wire.peer(relay.address, user=account.user, password=account.password, **options)

    return make


def test_phones_reach_each_other(server, relay, tmp_path):
    phones = fleet.start_all(PHONES, tmp_path, lambda name: server.account(name.replace("-", "")), relay.address)
    try:
        for sender in PHONES:
            receiver = PHONES[(PHONES.index(sender) + 1) % len(PHONES)]
            text = f"{sender} to {receiver} through the relay"
            phones[sender].send(phones[receiver].aor, text)
            assert phones[receiver].wait_text(text).sender == phones[sender].aor
    finally:
        fleet.stop_all(phones)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_way_back_is_the_path(behind, relay, transport):
    alice, bob = behind("alice"), behind("bob", transport=transport).online().take_all()
    assert alice.message(bob.aor, "hello").status == 200
    got = bob.requests[0]
    assert got.uri == bob.contact
    assert f"{RELAY}:{relay.port}" in got.vias[0]
    assert len(got.vias) == 4  # relay, telexd, relay, alice


def test_a_phone_beside_the_relay_reaches_one_behind_it(server, behind, wire):
    carol, bob = server.peer(wire, server.account("carol")), behind("bob").online().take_all()
    assert carol.message(bob.aor, "from beside").status == 200
    assert bob.texts() == ["from beside"]


def test_away_means_kept_and_the_path_is_used_on_return(server, behind):
    account = server.account("bob")
    alice, bob = behind("alice"), behind("bob", account).online()
    assert bob.register(expires=0).status == 200
    assert alice.message(bob.aor, "later").status == 202
    assert behind("bob", account).online().take().text == "later"


def test_users_of_a_relay_still_answer_digest(server, behind):
    account = server.account("bob")
    bob = behind("bob", account)
    assert bob.register(auth=False).status == 401
    bob.digest.password = "wrong"
    assert bob.register().status == 401
    assert bob.message(bob.aor, "no").status == 407


def test_a_path_from_a_stranger_is_not_followed(server, person, wire):
    """Path is believed from relays only: the message goes to the phone itself."""
    trap = wire.peer(server.address, user="trap")
    bob, alice = person("bob").take_all(), person("alice")
    bob.register(headers=[("Path", f"<sip:127.0.0.1:{trap.port};lr>"), ("Supported", "path")])
    alice.message(bob.aor, "to bob alone")
    assert not trap.requests


def test_the_relay_is_named_in_the_answer_to_register(behind, relay):
    bob = behind("bob")
    response = bob.register(headers=[("Supported", "path")])
    assert response.status == 200
    assert f"{RELAY}:{relay.port}" in (response.get("Path") or "")
    assert parameter(response.get("To").rpartition(">")[2], "tag")
