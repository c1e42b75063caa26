"""What the sender hears when devices refuse: the table of the contract ("the answer to a MESSAGE")."""

import itertools

import pytest

_instances = itertools.count(1)
REFUSED = [400, 403, 413, 415, 420, 488, 493, 501, 505, 513]
GONE = [404, 408, 410, 430, 480, 481, 486, 500, 502, 503, 504]


@pytest.fixture
def device(server, wire):
    """A device that answers every MESSAGE with one status."""

    def make(account, status, headers=()):
        one = server.peer(wire, account, instance=f"urn:uuid:00000000-0000-4000-a000-{next(_instances):012}").online()
        one.on_request = lambda request: one.answer(request, status, headers=headers)
        return one

    return make


@pytest.mark.parametrize("status", REFUSED)
def test_the_only_device_refuses(server, person, device, status):
    account = server.account("bob")
    bob = device(account, status, [("Accept", "text/plain")] if status == 415 else [])
    response = person("alice").message(account.aor, "opaque", content_type="application/x-unknown")
    assert response.status == status
    if status == 415:
        assert response.all("Accept")
    bob.take_all()
    bob.register(call_id="anew" + str(status))
    bob.wire.run(0.8)
    assert len(bob.requests) == 1  # nothing was stored


@pytest.mark.parametrize("status", GONE)
def test_the_only_device_is_gone_so_it_is_kept(server, person, device, status):
    account = server.account("bob")
    bob = device(account, status)
    assert person("alice").message(account.aor, "kept").status == 202
    first = bob.requests[0]
    bob.take_all()
    bob.online()
    bob.wait_texts(2)
    assert bob.requests[1].identity == first.identity


@pytest.mark.parametrize(("statuses", "expected"), [
    ((200, 415), 200),
    ((200, 603), 200),
    ((200, 486), 200),
    ((486, 415), 202),
    ((415, 603), 603),
    ((600, 486), 600),
    ((403, 415), 415),  # RFC 3261 §16.7 step 6: 415 tells the sender what to change
    ((488, 501), 488),  # the lowest class
])
def test_two_devices(server, person, device, statuses, expected):
    account = server.account("bob")
    for status in statuses:
        device(account, status)
    assert person("alice").message(account.aor, "opaque", content_type="application/x-unknown").status == expected


def test_after_a_6xx_nothing_is_stored(server, person, device):
    account = server.account("bob")
    device(account, 603)
    away = device(account, 200)
    away.register(expires=0)
    assert person("alice").message(account.aor, "declined").status == 603
    away.online()
    away.wire.run(0.8)
    assert not away.requests


def test_busy_does_not_use_a_message_up(server, person, device):
    """Gone only holds the device: it comes again, by backoff, with nothing else happening (C6)."""
    account = server.account("bob")
    bob = device(account, 486)
    assert person("alice").message(account.aor, "patience").status == 202
    bob.take_all()
    assert bob.wait_texts(2, timeout=9) == ["patience", "patience"]
    assert bob.requests[0].identity == bob.requests[1].identity
    bob.wire.run(0.5)
    assert len(bob.texts()) == 2
