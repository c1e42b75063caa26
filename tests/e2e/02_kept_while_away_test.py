"""Phones go away, 100 messages each are answered 202, telexd is killed with -9 and restarted; each phone returns
and shows all of them, in order, once (contract C1, C4, C6, C7)."""

import time

import pytest

from support import fleet
from support.sipwire import Wire

COUNT = 100
PHONES = ["baresip-udp", "baresip-tcp", "linphone-udp", "linphone-tcp", "telex-udp", "telex-tcp"]
EXPECTED = [f"message {number:03}" for number in range(COUNT)]


@pytest.fixture(scope="module")
def server(start_server):
    """One sender writes to all of them: more than a person may in a minute."""
    return start_server({"limits": {"sender_per_minute": 100000, "sender_burst": 1000}})


@pytest.fixture(scope="module")
def after_the_kill(server, tmp_path_factory):
    """Phones by name, back again after the kill and the restart; the raw peer is "raw"."""
    folder = tmp_path_factory.mktemp("phones")
    wire = Wire()
    alice = server.peer(wire, server.account("alice"), transport="tcp")
    phones = fleet.start_all(PHONES, folder, lambda name: server.account(name.replace("-", "")), server.address)
    raw = server.peer(wire, server.account("raw"), instance="urn:uuid:00000000-0000-4000-8000-000000000002").online()
    raw.register(expires=0)
    fleet.stop_all(phones)
    try:
        for text in EXPECTED:
            for receiver in [*phones.values(), raw]:
                response = alice.message(receiver.aor, text)
                assert response.status == 202, f"{receiver.aor} {text}: {response.start}"
        server.kill()
        server.restart()
        for phone in phones.values():
            phone.start()
        raw.take_all().online()
        raw.wait_texts(COUNT, timeout=40)  # here: nobody answers for it while a test waits for a phone
        yield {**phones, "raw": raw}
    finally:
        fleet.stop_all(phones)
        wire.close()


@pytest.mark.parametrize("name", [*PHONES, "raw"])
def test_it_shows_all_in_order_once(after_the_kill, name):
    phone = after_the_kill[name]
    phone.wait_texts(COUNT, timeout=40)
    assert phone.texts() == EXPECTED


def test_nothing_is_delivered_twice_on_a_second_return(after_the_kill):
    raw = after_the_kill["raw"]
    raw.online()
    raw.wire.run(1.0)
    assert raw.texts() == EXPECTED
    assert raw.repeats == 0


def test_the_restart_was_quick(server):
    server.kill()
    begun = time.monotonic()
    server.restart()
    assert time.monotonic() - begun < (5 if server.sanitized() else 1.5)
