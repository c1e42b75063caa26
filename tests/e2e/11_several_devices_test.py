"""One account, several devices: each gets its copy; 200 when one took it, the others get theirs later
(contract C2, C4 and "Devices")."""

import itertools
import time

import pytest

_instances = itertools.count(1)


@pytest.fixture
def device(server, wire):
    def make(account, instance=None, **options):
        number = instance or next(_instances)
        return server.peer(wire, account, instance=f"urn:uuid:00000000-0000-4000-9000-{number:012}", **options)

    return make


def test_all_devices_get_it(server, person, device):
    account = server.account("bob")
    devices = [device(account).online().take_all() for _ in range(3)]
    assert person("alice").message(account.aor, "to all").status == 200
    for one in devices:
        assert one.wait_texts(1) == ["to all"]
    assert len({one.requests[0].identity for one in devices}) == 1


def test_taken_by_one_and_kept_for_the_one_that_is_away(server, person, device):
    account = server.account("bob")
    desk = device(account).online().take_all()
    pocket = device(account, instance=900).online()
    pocket.register(expires=0)
    assert person("alice").message(account.aor, "both").status == 200
    assert desk.texts() == ["both"]
    back = device(account, instance=900).online()
    assert back.take().identity == desk.requests[0].identity
    desk.wire.run(0.7)
    assert desk.texts() == ["both"]


def test_the_answer_does_not_wait_for_a_silent_device(server, person, device):
    account = server.account("bob")
    alice = person("alice").learn_challenge()
    desk = device(account).online().take_all()
    silent = device(account, instance=901).online()
    begun = time.monotonic()
    assert alice.begin_message(account.aor, "quick").wait().status == 200
    assert time.monotonic() - begun < 1.0
    first = silent.expect()
    silent.close()
    back = device(account, instance=901).online()
    assert back.take(timeout=12).identity == first.identity
    assert desk.texts() == ["quick"]


def test_a_late_answer_counts(server, person, device):
    """The second device answers after the sender had its 200: it has it, nothing comes again."""
    account = server.account("bob")
    alice = person("alice").learn_challenge()
    device(account).online().take_all()
    slow = device(account).online()
    exchange = alice.begin_message(account.aor, "slow but sure")
    message = slow.expect()
    assert exchange.wait().status == 200
    slow.answer(message, 200)
    slow.online()
    slow.expect_none(within=1.2)


def test_a_device_seen_for_the_first_time_gets_what_nobody_has_taken(server, person, device):
    account = server.account("bob")
    alice = person("alice")
    first = device(account).online().take_all()
    assert alice.message(account.aor, "taken").status == 200
    assert first.register(expires=0).status == 200
    assert alice.message(account.aor, "waiting 1").status == 202
    assert alice.message(account.aor, "waiting 2").status == 202
    second = device(account).take_all().online()
    assert second.wait_texts(2) == ["waiting 1", "waiting 2"]
    second.wire.run(0.7)
    assert second.texts() == ["waiting 1", "waiting 2"]


def test_two_bindings_of_one_device_are_one_branch(server, person, device):
    """Newest first: a phone that changed its connection shows the message once."""
    account = server.account("bob")
    old = device(account, instance=902).online().take_all()
    new = device(account, instance=902, transport="tcp").online().take_all()
    assert person("alice").message(account.aor, "one branch").status == 200
    assert new.texts() == ["one branch"]
    old.wire.run(0.3)
    assert old.texts() == []


def test_devices_without_instance_are_told_apart(server, person, wire):
    account = server.account("bob")
    devices = [server.peer(wire, account).online().take_all() for _ in range(2)]
    assert person("alice").message(account.aor, "both").status == 200
    for one in devices:
        assert one.wait_texts(1) == ["both"]


def test_the_sender_s_other_device_is_no_recipient(server, person, device):
    account = server.account("bob")
    mine, other = person("alice").online().take_all(), device(account).online().take_all()
    assert mine.message(account.aor, "for bob").status == 200
    assert other.texts() == ["for bob"]
    assert mine.texts() == []
