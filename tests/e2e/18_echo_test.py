"""echo@ our domain answers anyone who is authenticated with what they wrote."""


def test_it_answers_with_the_same_words(person):
    alice = person("alice").online().take_all()
    assert alice.message("sip:echo@example.test", "can you hear me? grüße").status in (200, 202)
    assert alice.wait_texts(1) == ["can you hear me? grüße"]
    got = alice.requests[0]
    assert "sip:echo@example.test" in got.get("From")
    assert alice.aor in got.get("To")
    assert got.get("Content-Type") == "text/plain"


def test_each_answer_has_its_own_call_id(person):
    """Linphone would not show one that carries the Call-ID of a message it sent itself."""
    alice = person("alice").online().take_all()
    for text in ("one", "two"):
        alice.message("sip:echo@example.test", text, call_id=f"mine-{text}-{alice.port}")
    assert alice.wait_texts(2) == ["one", "two"]
    calls = {message.get("Call-ID") for message in alice.requests}
    assert len(calls) == 2
    assert not any(call.startswith("mine-") for call in calls)


def test_the_answer_waits_for_who_is_away(person):
    alice = person("alice")
    assert alice.message("sip:echo@example.test", "later").status in (200, 202)
    assert alice.online().take().text == "later"


def test_not_without_a_password(person):
    alice = person("alice").online().take_all()
    assert alice.message("sip:echo@example.test", "no", auth=False).status == 407
    alice.wire.run(0.3)
    assert not alice.requests


def test_two_echoes_do_not_talk_to_each_other(person):
    """A typing notice or a receipt is not echoed: nothing could run in circles."""
    alice = person("alice").online().take_all()
    alice.message("sip:echo@example.test", "<imdn/>", content_type="message/imdn+xml")
    alice.message("sip:echo@example.test", "text")
    assert "text" in alice.wait_texts(1)
    alice.wire.run(0.3)
    assert len(alice.texts()) <= 2
