"""The log: nothing for a message that goes well, one stable line for a failed login, never a body, a credential or
a raw control character."""

import json

import pytest


@pytest.fixture
def own(start_server, request):
    return start_server(flags=getattr(request, "param", []))


def log(server):
    return list(server.process.lines)


def test_a_message_that_goes_well_writes_nothing(own, wire):
    alice = own.peer(wire, own.account("alice")).learn_challenge()
    bob = own.peer(wire, own.account("bob")).online().take_all()
    away = own.account("away")
    before = len(log(own))
    assert alice.message(bob.aor, "well").status == 200
    assert alice.message(away.aor, "well kept").status == 202
    assert log(own)[before:] == []


@pytest.mark.parametrize("own", [[], ["--log-format", "json"]], indirect=True)
def test_a_failed_login_is_one_line_with_its_source(own, wire):
    eve = own.peer(wire, own.account("alice"), host="127.0.0.7")
    eve.digest.password = "guessed-secret"
    before = len(log(own))
    assert eve.register().status == 401
    own.process.wait_for(lambda process: len(process.lines) > before, 3, "the line")
    wire.run(0.1)
    lines = log(own)[before:]
    assert len(lines) == 1
    assert "127.0.0.7" in lines[0]
    assert eve.register_call_id in lines[0]
    assert "guessed-secret" not in lines[0]
    if own.flags:
        assert isinstance(json.loads(lines[0]), dict)


def test_no_body_and_no_credential_ever(own, wire):
    alice, bob = own.peer(wire, own.account("alice")), own.peer(wire, own.account("bob")).online()
    bob.on_request = lambda request: bob.answer(request, 415)
    alice.message(bob.aor, "SECRET-BODY", content_type="application/x-odd")
    alice.message("sip:nobody@example.test", "SECRET-BODY")
    alice.begin_message(bob.aor, "SECRET-BODY", from_="<sip:eve@example.test>;tag=1").wait()
    alice.digest.password = "SECRET-PASSWORD"
    alice.message(bob.aor, "SECRET-BODY")
    own.stop()
    text = "\n".join(log(own))
    assert "SECRET" not in text
    assert "pw-alice" not in text
    assert "response=" not in text


def test_what_a_stranger_writes_is_escaped(own, wire):
    eve = own.peer(wire, own.account("alice"))
    eve.digest.password = "wrong"
    eve.register(call_id="call\x1b[31mred", from_=f'"name \x1b]0;title" <{eve.aor}>;tag=1')
    own.stop()
    assert "\x1b" not in "\n".join(log(own))
