"""One message, one delivery, however often it is sent (contract C5)."""

import re

from support.sipwire import COOKIE, token

CPIM = ("From: <{sender}>\r\nTo: <{to}>\r\nDateTime: 2026-11-22T19:00:00Z\r\nNS: imdn <urn:ietf:params:imdn>\r\n"
        "imdn.Message-ID: {id}\r\nimdn.Disposition-Notification: positive-delivery\r\n\r\n"
        "Content-Type: text/plain\r\n\r\n{text}")


def again(raw: bytes) -> bytes:
    """The same request as a new transaction: only the branch differs."""
    return re.sub(rb"branch=[^;\r]+", b"branch=" + (COOKIE + token(16)).encode(), raw, count=1)


def cpim(sender, to, identity, text):
    return {"body": CPIM.format(sender=sender.aor, to=to, id=identity, text=text), "content_type": "message/cpim"}


def test_the_same_request_twice_to_a_device_that_takes_it(person):
    alice, bob = person("alice").learn_challenge(), person("bob").online().take_all()
    first = alice.begin_message(bob.aor, "once")
    assert first.wait().status == 200
    assert alice.start(again(first.raw)).wait().status == 200
    bob.wire.run(0.3)
    assert bob.texts() == ["once"]


def test_the_same_request_twice_to_one_who_is_away(person):
    alice, bob = person("alice").learn_challenge(), person("bob")
    first = alice.begin_message(bob.aor, "once")
    assert first.wait().status == 202
    assert alice.start(again(first.raw)).wait().status == 202
    bob.take_all().online()
    assert bob.wait_texts(1) == ["once"]
    bob.wire.run(0.5)
    assert bob.texts() == ["once"]


def test_a_stored_one_is_known_again_after_a_kill(start_server, wire):
    server = start_server()
    alice = server.peer(wire, server.account("alice")).learn_challenge()
    bob = server.peer(wire, server.account("bob"))
    first = alice.begin_message(bob.aor, "once")
    assert first.wait().status == 202
    server.kill()
    server.restart()
    response = alice.start(again(first.raw)).wait()
    if response.status == 407:  # its nonce was for one use: the same message with fresh credentials
        alice.learn_challenge()
        raw = re.sub(rb"Proxy-Authorization: [^\r]+",
                     b"Proxy-Authorization: " + alice.digest.answer(alice.challenge, "MESSAGE", bob.aor).encode(),
                     again(first.raw))
        response = alice.start(raw).wait()
    assert response.status == 202
    bob.take_all().online()
    bob.wait_texts(1)
    wire.run(0.5)
    assert bob.texts() == ["once"]


def test_a_duplicate_waits_for_the_decision(person):
    alice, bob = person("alice").learn_challenge(), person("bob").online()
    first = alice.begin_message(bob.aor, "being decided")
    message = bob.expect()
    second = alice.start(again(first.raw))
    assert second.silent(0.5)
    bob.answer(message, 200)
    assert first.wait().status == 200
    assert second.wait().status == 200
    bob.expect_none()


def test_a_retransmission_is_absorbed(person):
    alice, bob = person("alice").learn_challenge(), person("bob").online().take_all()
    exchange = alice.begin_message(bob.aor, "once")
    answer = exchange.wait()
    alice.send_raw(exchange.raw)
    alice.wire.until(lambda: len(exchange.responses) > 1, 3, "the answer again")
    assert exchange.responses[-1].raw == answer.raw
    assert bob.texts() == ["once"]


def test_one_message_id_under_a_new_call_id(person):
    """As Linphone sends again after a broken connection."""
    alice, bob = person("alice"), person("bob").online().take_all()
    assert alice.message(bob.aor, **cpim(alice, bob.aor, "abc123def456", "once")).status == 200
    assert alice.message(bob.aor, **cpim(alice, bob.aor, "abc123def456", "once")).status == 200
    bob.wire.run(0.3)
    assert len(bob.texts()) == 1


def test_one_message_id_stored_under_a_new_call_id(person):
    alice, bob = person("alice"), person("bob")
    assert alice.message(bob.aor, **cpim(alice, bob.aor, "stored-1", "once")).status == 202
    assert alice.message(bob.aor, **cpim(alice, bob.aor, "stored-1", "once")).status == 202
    bob.take_all().online()
    bob.wait_texts(1)
    bob.wire.run(0.5)
    assert len(bob.texts()) == 1


def test_our_own_id_under_a_new_call_id(person):
    alice, bob = person("alice"), person("bob").online().take_all()
    for _ in range(2):
        assert alice.message(bob.aor, "once", headers=[("X-Telex-ID", "7c5a")]).status == 200
    bob.wire.run(0.3)
    assert bob.texts() == ["once"]


def test_what_is_not_a_duplicate(person):
    alice, carol = person("alice").learn_challenge(), person("carol").learn_challenge()
    bob, dave = person("bob").online().take_all(), person("dave").online().take_all()
    same = {"call_id": token(), "from_": f"<{alice.aor}>;tag=1"}
    assert alice.begin_message(bob.aor, "cseq 1", number=1, **same).wait().status == 200
    assert alice.begin_message(bob.aor, "cseq 2", number=2, **same).wait().status == 200
    assert alice.begin_message(bob.aor, "other tag", number=2, call_id=same["call_id"],
                               from_=f"<{alice.aor}>;tag=2").wait().status == 200
    assert carol.begin_message(bob.aor, "other sender", number=1, call_id=same["call_id"],
                               from_=f"<{carol.aor}>;tag=1").wait().status == 200
    assert alice.begin_message(dave.aor, "other recipient", number=1, **same).wait().status == 200
    assert bob.texts() == ["cseq 1", "cseq 2", "other tag", "other sender"]
    assert dave.texts() == ["other recipient"]


def test_one_message_id_of_two_senders_are_two_messages(person):
    bob = person("bob").online().take_all()
    for name in ("alice", "carol"):
        sender = person(name)
        assert sender.message(bob.aor, **cpim(sender, bob.aor, "same-id", name)).status == 200
    assert len(bob.texts()) == 2


def test_bodies_are_never_compared(person):
    """The same words twice are two messages."""
    alice, bob = person("alice"), person("bob").online().take_all()
    for _ in range(2):
        assert alice.message(bob.aor, "ok").status == 200
    assert bob.texts() == ["ok", "ok"]
