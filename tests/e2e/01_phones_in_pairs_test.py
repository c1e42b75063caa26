"""Every phone reaches every phone through telexd, over UDP and TCP: text whole, sender right."""

import pytest

from support import fleet


@pytest.fixture(scope="module")
def phones(server, tmp_path_factory):
    started = fleet.start_all(fleet.ALL, tmp_path_factory.mktemp("phones"),
                              lambda name: server.account(name.replace("-", "")), server.address)
    yield started
    fleet.stop_all(started)


# A Linphone does not show what carries the Call-ID of a message it sent itself: not to itself.
PAIRS = [(sender, receiver) for sender in fleet.ALL for receiver in fleet.ALL
         if sender != receiver or not sender.startswith("linphone")]


@pytest.mark.parametrize(("sender", "receiver"), PAIRS)
def test_a_text_arrives(phones, sender, receiver):
    text = f"{sender} to {receiver}: grüße, 50% <off> & more"
    phones[sender].send(phones[receiver].aor, text)
    assert phones[receiver].wait_text(text).sender == phones[sender].aor
    assert phones[receiver].texts().count(text) == 1
