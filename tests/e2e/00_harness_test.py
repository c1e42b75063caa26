"""The phones and the raw peer against Kamailio: what fails here is the harness or a phone, never telexd."""

import pytest

from support import fleet
from support.phone import Account

DOMAIN = "example.test"
SECRET = "secret"


@pytest.fixture(scope="module")
def kamailio(start_kamailio):
    return start_kamailio("baseline", DOMAIN, secret=SECRET)


@pytest.fixture(scope="module")
def phones(kamailio, tmp_path_factory):
    started = fleet.start_all(fleet.FOREIGN, tmp_path_factory.mktemp("phones"),
                              lambda name: Account(name, DOMAIN, SECRET), kamailio.address)
    yield started
    fleet.stop_all(started)


@pytest.mark.parametrize("receiver", fleet.FOREIGN)
def test_each_phone_sends_to_the_next_kind(phones, receiver):
    senders = {"baresip": "linphone", "linphone": "sipp", "sipp": "baresip"}
    kind, transport = receiver.split("-")
    sender = phones[f"{senders[kind]}-{transport}"]
    text = f"from {sender.kind} to {receiver}, grüße"
    sender.send(phones[receiver].aor, text)
    assert phones[receiver].wait_text(text).sender == sender.aor


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_raw_peer_registers_sends_and_receives(kamailio, wire, transport):
    account = {"password": SECRET, "transport": transport}
    alice = wire.peer(kamailio.address, user=f"alice-{transport}", **account)
    bob = wire.peer(kamailio.address, user=f"bob-{transport}", **account).online().take_all()
    assert alice.message(bob.aor, "one").status == 200
    assert bob.texts() == ["one"]
    assert alice.message("sip:nobody@example.test").status == 404


def test_the_raw_peer_with_a_wrong_password_is_refused(kamailio, wire):
    assert wire.peer(kamailio.address, user="eve", password="guess").register().status == 401


def test_a_retransmission_is_absorbed_and_answered_again(kamailio, wire):
    account = {"password": SECRET}
    alice = wire.peer(kamailio.address, user="alice", **account).learn_challenge()
    bob = wire.peer(kamailio.address, user="bob", **account).online()
    exchange = alice.begin_message(bob.aor, "slow")
    message = bob.expect()
    wire.until(lambda: bob.repeats, 3, "Kamailio sends again")
    assert not bob.inbox
    bob.answer(message, 200)
    assert exchange.wait().status == 200
