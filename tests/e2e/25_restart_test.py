"""What survives: bindings, accounts, nonces, mail; what a start refuses."""

import pytest

from support.process import run
from support.sipwire import Wire
from support.telexd import Telexd, environment, program


@pytest.fixture
def own(start_server):
    return start_server()


def test_bindings_survive_a_kill(own, wire):
    bob = own.peer(wire, own.account("bob")).online().take_all()
    alice = own.peer(wire, own.account("alice"))
    own.kill()
    own.restart()
    assert alice.message(bob.aor, "still there?").status == 200
    assert bob.texts() == ["still there?"]


def test_a_phone_on_a_dead_connection_is_away(own, wire):
    """After a restart a binding over a connection is a known device, away (DESIGN §2)."""
    account = own.account("bob")
    instance = "urn:uuid:00000000-0000-4000-c000-000000000001"
    own.peer(wire, account, transport="tcp", instance=instance).online()
    alice = own.peer(wire, own.account("alice"))
    own.kill()
    own.restart()
    assert alice.message(account.aor, "for the next connection").status == 202
    assert own.peer(wire, account, transport="tcp", instance=instance).online().take().text == "for the next connection"


def test_a_nonce_survives(own, wire):
    alice = own.peer(wire, own.account("alice")).learn_challenge()
    own.kill()
    own.restart()
    response = alice.begin_message(alice.aor, "same nonce").wait()
    assert response.status == 202 or "stale=true" in response.get("Proxy-Authenticate").lower()


def test_sigterm_is_quick_and_clean(own, wire):
    bob = own.peer(wire, own.account("bob"), transport="tcp").online()
    alice = own.peer(wire, own.account("alice")).learn_challenge()
    alice.begin_message(bob.aor, "in flight", retransmit=False)
    bob.expect()
    assert own.stop() == 0
    own.restart()
    assert own.peer(wire, own.account("carol")).register().status == 200


def test_what_was_in_flight_at_sigterm_is_answered_or_never_accepted(own, wire):
    bob = own.peer(wire, own.account("bob")).online()
    alice = own.peer(wire, own.account("alice")).learn_challenge()
    exchange = alice.begin_message(bob.aor, "in flight")
    bob.expect()
    own.process.signal(15)
    wire.until(lambda: exchange.final or not own.process.alive(), 8, "an answer or the end")
    wire.run(0.3)
    own.stop()
    answer = exchange.final
    assert answer and answer.status in (202, 503)  # kept, or said to be refused: never left open (DESIGN §4)
    own.restart()
    if answer.status == 202:
        bob.online()
        assert bob.take().text == "in flight"


def test_a_delivery_of_kept_mail_in_flight_at_sigterm_is_finished(own, wire):
    """DESIGN §4: the answer that comes in time is marked; only what did not go out yet goes out after the start."""
    account, instance = own.account("bob"), "urn:uuid:00000000-0000-4000-c000-000000000003"
    alice = own.peer(wire, own.account("alice"))
    for text in ("one", "two"):
        assert alice.message(account.aor, text).status == 202
    bob = own.peer(wire, account, instance=instance).online()
    message = bob.expect()
    assert message.text == "one"
    own.process.signal(15)
    wire.run(0.3)
    bob.answer(message, 200)
    assert own.stop() == 0
    own.restart()
    bob.take_all().online()
    assert bob.wait_texts(2) == ["one", "two"]


def test_one_data_folder_one_server(own):
    second = Telexd(own.folder / "second")
    second.data = own.data
    process = second.launch()
    code = process.wait(10)
    assert code != 0
    assert str(own.data) in "\n".join(process.lines)
    wire = Wire()
    try:
        assert own.peer(wire).request("OPTIONS", "sip:example.test", auth=False).status == 200
    finally:
        wire.close()


def test_a_busy_port_is_named(own, tmp_path):
    second = Telexd(tmp_path / "second")
    second.config["listen"] = own.config["listen"]
    process = second.launch()
    assert process.wait(10) != 0
    assert str(own.port) in "\n".join(process.lines)


@pytest.mark.parametrize(("broken", "named"), [
    ("domains: [example.test]\nlisten: [udp:127.0.0.1:70000]\n", "listen"),
    ("domains: [example.test]\nlisten: [smoke:127.0.0.1:5060]\n", "listen"),
    ("domains: [example.test]\nlimits: {mailbox_mesages: 5}\n", "mailbox_mesages"),
    ("domains: [example.test]\nworkers: many\n", "workers"),
    ("domains: [example.test\n", "2|1|line"),
    ("domain: [example.test]\n", "domain"),
    ("auth: {trusted: [127.0.0.1/99]}\ndomains: [example.test]\n", "trusted"),
])
def test_a_wrong_configuration_is_named(tmp_path, broken, named):
    server = Telexd(tmp_path / "telexd")
    config = server.folder / "telexd.yaml"
    config.write_text(broken)
    done = run([program("telexd"), "--config", config, "--data", server.data, "--check"], server.folder, "",
               environment())
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert any(word in said for word in named.split("|")), said


def test_a_right_configuration_is_said_to_be_right(own):
    done = run([program("telexd"), "--config", own.folder / "telexd.yaml", "--data", own.folder / "elsewhere", "--check"],
               own.folder, "", environment())
    assert done.returncode == 0, done.stderr
