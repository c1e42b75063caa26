"""The phones and the raw peer against Kamailio: what fails here is the harness or a phone, never telexd."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support import fleet
from support.phone import Account
from support.process import eventually

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


RUN_THAT_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from support.process import Process
one = Process("one", ["/bin/sh", "-c", "sleep 600 & sleep 600"], Path(sys.argv[1]), forks=True)
print(one.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def group_is_alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_run_leaves_no_process_behind(tmp_path):
    done = subprocess.run([sys.executable, "-c", RUN_THAT_IS_KILLED, tmp_path], cwd=Path(__file__).parent,
                          stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    group = int(done.stdout)
    eventually(lambda: not group_is_alive(group), 5, f"process group {group} is gone")
