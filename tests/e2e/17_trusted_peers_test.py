"""Gateways and PBXs under `auth.trusted` are believed without digest; identities are asserted toward them only
(RFC 3325)."""

import pytest

from support.ports import free_port

GATEWAY = "127.0.0.9"
STRANGER = "127.0.0.8"
PSTN = "pstn.test"


@pytest.fixture(scope="module")
def server(start_server):
    port = free_port(GATEWAY)
    made = start_server({"auth": {"trusted": [f"{GATEWAY}/32"]}, "routes": {PSTN: f"udp:{GATEWAY}:{port}"}})
    made.gateway_port = port
    return made


@pytest.fixture
def gateway(server, wire):
    return wire.peer(server.address, user="gw", domain=PSTN, host=GATEWAY, port=server.gateway_port)


def test_it_writes_without_a_password(gateway, person):
    bob = person("bob").online().take_all()
    assert gateway.message(bob.aor, "from the world").status == 200
    assert bob.requests[0].get("From").startswith(f"<{gateway.aor}>")


def test_it_may_name_any_sender(gateway, person):
    alice, bob = person("alice"), person("bob").online().take_all()
    for sender in (f"<{alice.aor}>;tag=1", "<tel:+4930123456>;tag=2", '"X" <sip:x@anywhere.test>;tag=3'):
        assert gateway.message(bob.aor, "believed", from_=sender).status == 200
    assert len(bob.requests) == 3


def test_it_registers_any_account_without_a_password(server, gateway, person):
    bob = server.account("bob")
    phone = server.peer(gateway.wire, bob, host=GATEWAY).take_all()
    assert phone.register(auth=False).status == 200
    assert person("alice").message(bob.aor, "at the PBX").status == 200
    assert phone.texts() == ["at the PBX"]


def test_another_address_is_not_believed(server, wire, person):
    bob = person("bob").online().take_all()
    stranger = wire.peer(server.address, user="gw", domain=PSTN, host=STRANGER)
    assert stranger.message(bob.aor, "me too").status in (401, 403, 407)
    registering = stranger.request("REGISTER", "sip:example.test", [("Contact", f"<{stranger.contact}>")],
                                   to=f"<{bob.aor}>", from_=f"<{bob.aor}>;tag=1")
    assert registering.status in (401, 403)
    assert not bob.requests


def test_a_via_that_names_the_gateway_is_not_the_gateway(server, wire, person):
    bob = person("bob").online().take_all()
    forger = wire.peer(server.address, user="gw", domain=PSTN, host=STRANGER,
                       sent_by=f"{GATEWAY}:{server.gateway_port}")
    assert forger.message(bob.aor, "me too").status in (401, 403, 407)
    assert not bob.requests


def test_its_asserted_identity_is_the_sender(gateway, person):
    """Two messages with one Message-ID, one asserted sender, other From: one message (C5 knows the sender)."""
    bob = person("bob").online().take_all()
    asserted = [("P-Asserted-Identity", "<sip:office@pstn.test>"), ("X-Telex-ID", "asserted-1")]
    for display in ("Anonymous", "Other"):
        response = gateway.message(bob.aor, "who is it", headers=asserted,
                                   from_=f'"{display}" <sip:{display.lower()}@anonymous.invalid>;tag=1')
        assert response.status == 200
    bob.wire.run(0.3)
    assert len(bob.requests) == 1


def test_an_identity_is_asserted_toward_it(gateway, person):
    alice = person("alice")
    gateway.take_all()
    assert alice.message(f"sip:+491@{PSTN}", "out", headers=[("P-Asserted-Identity", "<sip:boss@x>")]).status == 200
    assert [value for value in gateway.requests[0].all("P-Asserted-Identity") if "boss" in value] == []
    assert alice.aor in gateway.requests[0].get("P-Asserted-Identity")


def test_an_identity_is_not_asserted_toward_a_phone(gateway, person):
    bob = person("bob").online().take_all()
    assert gateway.message(bob.aor, "x", headers=[("P-Asserted-Identity", f"<{gateway.aor}>")]).status == 200
    assert person("alice").message(bob.aor, "y").status == 200
    assert [message.get("P-Asserted-Identity") for message in bob.requests] == [None, None]


def test_it_gets_404_like_everybody(gateway):
    assert gateway.message("sip:nobody@example.test", "?").status == 404


def test_it_has_no_rate(start_server, wire):
    server = start_server({"auth": {"trusted": [f"{GATEWAY}/32"]},
                           "limits": {"sender_per_minute": 5, "sender_burst": 5}})
    bob = server.peer(wire, server.account("bob")).online().take_all()
    gateway = wire.peer(server.address, user="gw", domain=PSTN, host=GATEWAY)
    assert [gateway.message(bob.aor, str(number)).status for number in range(12)] == [200] * 12
