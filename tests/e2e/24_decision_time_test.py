"""When devices are silent: 100 at 3.5 s, stored from 4 s, answered by 5 s (contract C15, RFC 4320)."""

import time


def test_a_silent_device(person):
    alice, bob = person("alice").learn_challenge(), person("bob").online()
    begun = time.monotonic()
    exchange = alice.begin_message(bob.aor, "anybody?")
    message = bob.expect()
    answer = exchange.wait()
    took = time.monotonic() - begun
    assert answer.status == 202
    assert 3.9 < took < 5.3
    provisional = exchange.provisional(100)
    assert provisional is not None
    assert 3.3 < provisional.at - begun < 4.0
    bob.answer(message, 200)  # late: it counts
    alice.wire.run(0.3)
    bob.online()
    bob.expect_none(within=1.0)
    assert len([response for response in exchange.responses if response.status >= 200]) == 1


def test_no_100_before_its_time(person):
    """RFC 4320: over UDP a 100 before 3.5 s only adds traffic."""
    alice, bob = person("alice").learn_challenge(), person("bob").online()
    exchange = alice.begin_message(bob.aor, "quick")
    message = bob.expect()
    alice.wire.run(1.0)
    assert not exchange.responses
    bob.answer(message, 200)
    assert exchange.wait().status == 200


def test_mail_after_a_silent_device_is_stored_at_once(person):
    alice, bob = person("alice").learn_challenge(), person("bob").online()
    assert alice.begin_message(bob.aor, "one").wait().status == 202
    begun = time.monotonic()
    assert alice.begin_message(bob.aor, "two").wait().status == 202
    assert time.monotonic() - begun < 1.0


def test_never_a_408(person):
    alice, bob = person("alice").learn_challenge(), person("bob").online()
    bob.on_request = lambda request: bob.answer(request, 408)
    assert alice.begin_message(bob.aor, "x").wait().status == 202
