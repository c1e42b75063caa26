"""SIP over TCP: any split of the bytes, several messages at once, keep-alive, peers that misbehave."""

import pytest

from support.sipwire import Exchange, Message


def signed(alice, uri, body=b"hello", **options):
    headers = [("Content-Type", "text/plain"),
               ("Proxy-Authorization", alice.digest.answer(alice.challenge, "MESSAGE", uri))]
    return alice.build("MESSAGE", uri, headers, body, **options)


def expect_answer(alice, raw):
    """For bytes that were sent in pieces: the exchange without the sending."""
    request = Message.parse(raw)
    exchange = Exchange(alice, raw, request, False, 0.0)
    alice.exchanges[request.branch] = exchange
    return exchange


@pytest.mark.parametrize("size", [1, 7, 100])
def test_in_pieces(person, wire, size):
    alice, bob = person("alice", transport="tcp").learn_challenge(), person("bob").online().take_all()
    raw = signed(alice, bob.aor)
    exchange = expect_answer(alice, raw)
    for start in range(0, len(raw), size):
        alice.send_raw(raw[start:start + size])
        wire.turn(0)
    assert exchange.wait().status == 200
    assert bob.texts() == ["hello"]


def test_several_in_one_piece(person):
    alice, bob = person("alice", transport="tcp").learn_challenge(), person("bob").online().take_all()
    raws = [signed(alice, bob.aor, str(number).encode()) for number in range(10)]
    exchanges = [expect_answer(alice, raw) for raw in raws]
    alice.send_raw(b"\r\n" + b"".join(raws))
    assert [exchange.wait().status for exchange in exchanges] == [200] * 10
    assert sorted(bob.texts()) == [str(number) for number in range(10)]


def test_ping_gets_pong(person, wire):
    """RFC 5626 §4.4.1."""
    alice = person("alice", transport="tcp").online()
    alice.send_raw(b"\r\n\r\n")
    wire.until(lambda: alice.connections[0].pongs, 3, "the pong")
    wire.run(0.1)
    assert alice.connections[0].pongs == 1


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
                                     b"A" * 70000, b"\xff" * 5000 + b"\r\n\r\n"])
def test_garbage_costs_its_sender_the_connection_and_nobody_else(person, wire, garbage):
    mallory, alice = person("mallory", transport="tcp"), person("alice", transport="tcp").online()
    try:
        mallory.send_raw(garbage)
    except OSError:
        pass
    assert alice.register().status == 200
    assert alice.connections[0].open


@pytest.mark.parametrize("length", ["-1", "99999999999", "4294967297", "x", "1 2"])
def test_an_impossible_length(person, wire, length):
    mallory, alice = person("mallory", transport="tcp"), person("alice")
    raw = mallory.build("OPTIONS", "sip:example.test").replace(b"Content-Length: 0", f"Content-Length: {length}".encode())
    mallory.send_raw(raw)
    wire.until(lambda: not mallory.connections[0].open or mallory.strays, 5, "the refusal")
    assert all(response.status == 400 or response.status == 413 for response in mallory.strays)
    assert alice.request("OPTIONS", "sip:example.test", auth=False).status == 200


def test_no_length_on_a_stream(person, wire):
    """RFC 3261 §20.14: needed on a stream, where nothing else says what comes next: refused, then closed."""
    mallory, alice = person("mallory", transport="tcp"), person("alice", transport="tcp")
    raw = mallory.build("OPTIONS", "sip:example.test").replace(b"Content-Length: 0\r\n", b"")
    assert mallory.start(raw).wait().status == 400
    wire.until(lambda: not mallory.connections[0].open, 5, "the end of the connection")
    assert alice.request("OPTIONS", "sip:example.test", auth=False).status == 200


def test_no_length_in_a_datagram(person):
    """RFC 3261 §18.3: the body goes to its end. Linphone leaves the header out of requests without a body."""
    alice = person("alice")
    raw = alice.build("OPTIONS", "sip:example.test").replace(b"Content-Length: 0\r\n", b"")
    assert alice.start(raw).wait().status == 200


def test_the_answer_comes_on_the_same_connection(person, wire):
    alice = person("alice", transport="tcp", sent_by="192.0.2.3:5060")
    assert alice.request("OPTIONS", "sip:example.test", auth=False).status == 200


def test_a_device_is_reached_on_its_own_connection_though_it_has_several(server, wire):
    account = server.account("bob")
    bob = server.peer(wire, account, transport="tcp").take_all().online()
    bob.connect()
    alice = server.peer(wire, server.account("alice"))
    assert alice.message(account.aor, "which one?").status == 200
    assert bob.requests[0].connection is bob.connections[0]


def test_a_closed_connection_makes_its_device_away_at_once(server, wire):
    account = server.account("bob")
    bob = server.peer(wire, account, transport="tcp", instance="urn:uuid:00000000-0000-4000-d000-000000000001").online()
    bob.close()
    alice = server.peer(wire, server.account("alice")).learn_challenge()
    response = alice.begin_message(account.aor, "gone?").wait(timeout=2)
    assert response.status == 202
