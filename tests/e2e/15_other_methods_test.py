"""Methods that we don't serve, and requests that must not pass (RFC 3261 §8.2, §16.3)."""

import pytest


@pytest.mark.parametrize("method", ["INVITE", "SUBSCRIBE", "NOTIFY", "INFO", "REFER", "PUBLISH", "UPDATE", "BYE",
                                    "PRACK", "FOO"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_405_with_allow_and_a_to_tag(person, method, transport):
    alice = person("alice", transport=transport)
    response = alice.request(method, "sip:example.test", auth=False)
    assert response.status == 405
    allowed = {name.strip() for value in response.all("Allow") for name in value.split(",")}
    assert {"MESSAGE", "REGISTER", "OPTIONS"} <= allowed
    assert method not in allowed
    assert ";tag=" in response.get("To")
    if method == "INVITE":
        alice.send_raw(alice.build("ACK", "sip:example.test", cseq="1 ACK"))


def test_the_405_is_stateless_and_the_same_each_time(person):
    alice = person("alice")
    exchange = alice.begin("INVITE", "sip:example.test", auth=False, retransmit=False)
    exchange.wait()
    alice.send_raw(exchange.raw)
    alice.wire.until(lambda: len(exchange.responses) == 2, 2, "the answer to the retransmission")
    assert exchange.responses[0].get("To") == exchange.responses[1].get("To")
    alice.wire.run(0.7)
    assert len(exchange.responses) == 2  # never sent again by itself


def test_cancel_is_481(person):
    assert person("alice").request("CANCEL", "sip:example.test", auth=False).status == 481


def test_ack_is_never_answered(person):
    alice = person("alice")
    exchange = alice.begin("ACK", "sip:example.test", auth=False, retransmit=False)
    assert exchange.silent(0.4)


@pytest.mark.parametrize("uri", ["sip:example.test", "sip:{address}", "sip:EXAMPLE.test;transport=udp"])
def test_options_to_us_is_200_without_credentials(server, person, uri):
    response = person("alice").request("OPTIONS", uri.replace("{address}", f"{server.host}:{server.port}"), auth=False)
    assert response.status == 200
    assert response.all("Allow")
    assert ";tag=" in response.get("To")


def test_max_forwards_ends_at_zero(person):
    alice, bob = person("alice").learn_challenge(), person("bob").online().take_all()
    assert alice.begin_message(bob.aor, "one hop", max_forwards="1").wait().status == 200
    assert alice.begin_message(bob.aor, "no hop", max_forwards="0").wait().status == 483
    assert bob.texts() == ["one hop"]


@pytest.mark.parametrize("value", ["-1", "256000000000", "x", ""])
def test_a_max_forwards_that_is_no_number(person, value):
    alice, bob = person("alice").learn_challenge(), person("bob").online().take_all()
    assert alice.begin_message(bob.aor, "x", max_forwards=value).wait().status in (400, 483)
    assert not bob.requests


def test_an_extension_the_proxy_must_know(person):
    alice, bob = person("alice"), person("bob").online().take_all()
    response = alice.message(bob.aor, "x", headers=[("Proxy-Require", "sec-agree, never-heard")])
    assert response.status == 420
    assert "never-heard" in response.get("Unsupported")
    assert not bob.requests


def test_an_extension_the_registrar_must_know(person):
    response = person("alice").register(headers=[("Require", "never-heard")])
    assert response.status == 420
    assert response.get("Unsupported") == "never-heard"


def test_an_extension_only_the_device_must_know_passes(person):
    """Require is the far end's business, not the proxy's (RFC 3261 §16.3)."""
    alice, bob = person("alice"), person("bob").online().take_all()
    assert alice.message(bob.aor, "x", headers=[("Require", "never-heard")]).status == 200


def test_a_loop_is_noticed(server, person):
    """A device whose Contact is our own address (RFC 5393)."""
    alice, bob = person("alice"), person("bob")
    bob.register(contact=f"<{bob.aor}>")
    assert alice.message(bob.aor, "round and round").status in (202, 403, 404, 482, 483, 480)
    assert alice.request("OPTIONS", "sip:example.test", auth=False).status == 200


@pytest.mark.parametrize(("missing", "field"), [("From", "from_"), ("To", "to"), ("Call-ID", "call_id"), ("CSeq", "cseq")])
def test_a_missing_header_is_400_or_dropped(person, missing, field):
    alice, bob = person("alice").learn_challenge(), person("bob").online().take_all()
    raw = alice.build("MESSAGE", bob.aor, **{field: None})
    exchange = alice.start(raw, retransmit=False)
    alice.wire.run(0.3)
    assert all(response.status == 400 for response in exchange.responses)
    assert not bob.requests


def test_another_version_is_505_or_400(person):
    alice = person("alice")
    raw = alice.build("OPTIONS", "sip:example.test").replace(b" SIP/2.0\r\n", b" SIP/3.0\r\n", 1)
    assert alice.start(raw).wait().status in (400, 505)


def test_a_stray_response_is_dropped(server, person):
    alice = person("alice")
    alice.send_raw(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKnobody\r\nFrom: <sip:a@b>;tag=1\r\n"
                   b"To: <sip:a@b>;tag=2\r\nCall-ID: none\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n")
    assert alice.request("OPTIONS", "sip:example.test", auth=False).status == 200
