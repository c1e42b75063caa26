"""`telex` at a terminal: outcomes as exit codes and JSON, texts whole, nothing lost that was shown to nobody."""

import json

import pytest

from support.phone import Account
from support.ports import free_port
from support.process import Process, eventually, run
from support.telexcli import Telex
from support.telexd import environment, program

STORED, REFUSED, UNREACHABLE = 3, 4, 5


@pytest.fixture
def telex(server, tmp_path, phones):
    def make(account, transport="udp", address=None):
        made = Telex(tmp_path / account.user, account, address or server.address, transport)
        return made

    return make


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_delivered_is_exit_code_0(server, person, telex, transport):
    bob = person("bob").online().take_all()
    sender = telex(server.account("alice"), transport)
    sending = sender.begin_send(bob.aor, "hello from a terminal")
    bob.wire.until(lambda: not sending.alive(), 10, "telex send ends")
    assert sending.wait(2) == 0
    assert bob.texts() == ["hello from a terminal"]


def test_stored_refused_and_unreachable_have_codes_of_their_own(server, telex):
    alice = telex(server.account("alice"))
    assert alice.run_send(server.account("away").aor, "later").returncode == STORED
    refused = alice.run_send("sip:nobody@example.test", "?")
    assert refused.returncode == REFUSED
    assert "404" in refused.stdout + refused.stderr
    nowhere = telex(alice.account, address=("127.0.0.1", free_port()))
    assert nowhere.run_send("sip:x@example.test", "?", "--timeout", "3").returncode == UNREACHABLE


def test_of_several_recipients_the_highest_code_counts(server, person, telex):
    alice, bob = telex(server.account("alice")), person("bob")
    done = alice.run_send(bob.aor, "to both", "--to", "sip:nobody@example.test")
    assert done.returncode == REFUSED
    assert bob.online().take().text == "to both"


def test_a_wrong_password_is_refused_and_never_shown(server, telex):
    account = server.account("alice")
    done = telex(Account(account.user, account.domain, "not-my-password")).run_send(account.aor, "x")
    assert done.returncode == REFUSED
    assert "not-my-password" not in done.stdout + done.stderr


def test_listen_prints_one_json_object_per_event(server, person, telex, phones):
    bob = telex(server.account("bob"))
    phones.append(bob.start())
    bob.wait_registered()
    alice = person("alice")
    text = 'quotes " and \\ and\nline ends and \x1b[31m and grüße 🙂'
    assert alice.message(bob.aor, text).status == 200
    got = bob.wait_text(text)
    assert got.sender == alice.aor
    for line in bob.process.out:
        assert isinstance(json.loads(line), dict)
    assert "\x1b" not in "".join(bob.process.out)


def test_listen_exec_answers_by_its_exit_code(server, person, telex, tmp_path):
    """Exit code not 0: 5xx, so the message stays; later it comes again."""
    bob = telex(server.account("bob"))
    script = tmp_path / "take.sh"
    script.write_text('#!/bin/sh\ncat >> "$0.log"\ntest -e "$0.ready"\n')
    script.chmod(0o755)
    argv = [program("telex"), "listen", "--json", "--from", bob.aor, "--server", bob.server_uri, "--exec", script]
    listener = Process("telex-exec", argv, tmp_path, env=bob._environment())
    try:
        bob.process = listener
        bob.wait_registered()
        alice = person("alice")
        assert alice.message(bob.aor, "first refused").status == 202
        (tmp_path / "take.sh.ready").touch()
        assert alice.message(bob.aor, "second").status in (200, 202)
        log = tmp_path / "take.sh.log"
        eventually(lambda: log.read_text().count("first refused") >= 2 and "second" in log.read_text(), 12,
                   "both messages reach the command")
    finally:
        listener.end()


def test_a_command_that_cannot_run_leaves_the_message(server, person, telex, tmp_path):
    bob = telex(server.account("bob"))
    argv = [program("telex"), "listen", "--json", "--from", bob.aor, "--server", bob.server_uri, "--exec", "/nowhere/x"]
    bob.process = Process("telex-exec", argv, tmp_path, env=bob._environment())
    try:
        bob.wait_registered()
        assert person("alice").message(bob.aor, "nobody there to take it").status == 202
    finally:
        bob.process.end()
    bob.start()
    try:
        bob.wait_text("nobody there to take it")
    finally:
        bob.stop()


def test_a_hundred_in_a_row_are_shown_in_order_once(server, person, telex, phones):
    bob = telex(server.account("bob"), "tcp")
    phones.append(bob.start())
    bob.wait_registered()
    alice = person("alice")
    texts = [f"number {number:03}" for number in range(100)]
    assert {alice.message(bob.aor, text).status for text in texts} == {200}
    assert bob.wait_texts(100) == texts


def test_a_bare_name_means_the_own_domain(server, telex):
    alice, bob = telex(server.account("alice")), server.account("bob")
    assert alice.run_send(bob.user, "short name").returncode == STORED


def test_text_from_standard_input(server, person, telex):
    alice, bob = telex(server.account("alice")), person("bob")
    alice.run_send(bob.aor, "-", stdin="line one\nline two\n")
    assert bob.online().take().text.rstrip("\n") == "line one\nline two"


@pytest.mark.parametrize("command", [["telex"], ["telexctl"], ["telexd"], ["telex", "send"], ["telex", "listen"],
                                     ["telex", "chat"], ["telex", "register"], ["telexctl", "user"],
                                     ["telexctl", "mailbox"]])
def test_help_has_an_example(tmp_path, command):
    done = run([program(command[0]), *command[1:], "--help"], tmp_path, "", environment(HOME=str(tmp_path)))
    assert done.returncode == 0
    assert "example" in done.stdout.lower()


@pytest.mark.parametrize("command", [["telex", "--nonsense"], ["telex", "sned"], ["telex", "send"],
                                     ["telex", "send", "not a uri", "x"], ["telexctl", "user", "add", "nonsense"],
                                     ["telexd", "--config", "/nowhere/telexd.yaml"], ["telexctl", "--data", "/nowhere", "status"]])
def test_a_wrong_argument_says_what_was_expected(tmp_path, command):
    done = run([program(command[0]), *command[1:]], tmp_path, "", environment(HOME=str(tmp_path)))
    assert done.returncode != 0
    assert done.stderr.strip()
