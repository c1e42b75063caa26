"""Typing notices, `Expires: 0` and messages inside a dialog are relayed to who is there, never kept: 480 otherwise."""

import time

import pytest

COMPOSING = ('<?xml version="1.0" encoding="UTF-8"?>\n<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing">'
             "<state>active</state></isComposing>")
FLEETING = {
    "typing notice": {"body": COMPOSING, "content_type": "application/im-iscomposing+xml"},
    "typing notice with parameters": {"body": COMPOSING, "content_type": "Application/IM-isComposing+XML;charset=utf-8"},
    "expires now": {"headers": [("Expires", "0")]},
    "inside a dialog": {"dialog": True},
}


def options(kind, bob):
    chosen = dict(FLEETING[kind])
    if chosen.pop("dialog", False):
        chosen["to"] = f"<{bob.aor}>;tag=of-a-dialog"
    return chosen


@pytest.mark.parametrize("kind", FLEETING)
def test_relayed_to_who_is_there(person, kind):
    alice, bob = person("alice"), person("bob").online().take_all()
    assert alice.message(bob.aor, **options(kind, bob)).status == 200
    assert len(bob.requests) == 1


@pytest.mark.parametrize("kind", FLEETING)
def test_not_kept_for_who_is_away(person, kind):
    alice, bob = person("alice"), person("bob")
    assert alice.message(bob.aor, **options(kind, bob)).status == 480
    assert alice.message(bob.aor, "this one is kept").status == 202
    bob.take_all().online()
    bob.wait_texts(1)
    bob.wire.run(0.5)
    assert bob.texts() == ["this one is kept"]


def test_not_kept_for_a_silent_device_and_answered_in_time(person):
    alice, bob = person("alice").learn_challenge(), person("bob").online()
    begun = time.monotonic()
    exchange = alice.begin_message(bob.aor, **options("expires now", bob))
    first = bob.expect()
    assert exchange.wait().status == 480
    assert time.monotonic() - begun < 5.5
    assert first.text == "hello"


def test_what_expired_while_away_is_not_delivered(person):
    alice, bob = person("alice"), person("bob")
    assert alice.message(bob.aor, "gone in a second", headers=[("Expires", "1")]).status == 202
    assert alice.message(bob.aor, "stays", headers=[("Expires", "600")]).status == 202
    bob.wire.run(1.6)
    bob.take_all().online()
    bob.wait_texts(1)
    bob.wire.run(0.5)
    assert bob.texts() == ["stays"]
