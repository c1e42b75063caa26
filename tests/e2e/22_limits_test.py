"""Limits per user: answered 480 or 403, never a 503 that would make clients leave the server (contract C11)."""

import pytest


@pytest.fixture(scope="module")
def small_mailboxes(start_server):
    return start_server({"limits": {"mailbox_messages": 5}})


@pytest.fixture(scope="module")
def slow_senders(start_server):
    return start_server({"limits": {"sender_per_minute": 6, "sender_burst": 6}})


def test_a_full_mailbox(small_mailboxes, wire):
    server = small_mailboxes
    alice, bob = (server.peer(wire, server.account(name)) for name in ("alice", "bob"))
    assert [alice.message(bob.aor, str(number)).status for number in range(5)] == [202] * 5
    response = alice.message(bob.aor, "too much")
    assert response.status == 480
    assert int(response.get("Retry-After").split()[0]) > 0
    bob.take_all().online()
    assert bob.wait_texts(5) == ["0", "1", "2", "3", "4"]
    # 202 where it comes before the mark of the last one and waits behind it (C6).
    assert alice.message(bob.aor, "room again").status in (200, 202)
    assert bob.wait_texts(6)[-1] == "room again"


def test_a_full_mailbox_does_not_stop_what_a_device_takes(small_mailboxes, wire):
    server = small_mailboxes
    account = server.account("bob")
    alice = server.peer(wire, server.account("alice"))
    away = server.peer(wire, account, instance="urn:uuid:00000000-0000-4000-b000-000000000001").online()
    away.register(expires=0)
    here = server.peer(wire, account, instance="urn:uuid:00000000-0000-4000-b000-000000000002").online().take_all()
    assert [alice.message(account.aor, str(number)).status for number in range(8)] == [200] * 8
    assert len(here.texts()) == 8


def test_one_full_mailbox_is_nobody_else_s(small_mailboxes, wire):
    server = small_mailboxes
    alice, bob, carol = (server.peer(wire, server.account(name)) for name in ("alice", "bob", "carol"))
    assert [alice.message(bob.aor, str(number)).status for number in range(6)][-1] == 480
    assert alice.message(carol.aor, "hello").status == 202


def test_a_sender_over_its_rate(slow_senders, wire):
    server = slow_senders
    alice, carol = (server.peer(wire, server.account(name)) for name in ("alice", "carol"))
    bob = server.peer(wire, server.account("bob")).online().take_all()
    statuses = [alice.message(bob.aor, str(number)).status for number in range(8)]
    assert statuses[:6] == [200] * 6
    assert statuses[7] == 403
    assert carol.message(bob.aor, "not my fault").status == 200
    assert len(bob.requests) == statuses.count(200) + 1


def test_retransmissions_do_not_count(slow_senders, wire):
    server = slow_senders
    alice = server.peer(wire, server.account("alice")).learn_challenge()
    bob = server.peer(wire, server.account("bob")).online().take_all()
    exchange = alice.begin_message(bob.aor, "once")
    assert exchange.wait().status == 200
    for _ in range(10):
        alice.send_raw(exchange.raw)
    assert alice.message(bob.aor, "twice").status == 200
