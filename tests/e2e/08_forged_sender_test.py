"""The sender is who the password says: a forged From is refused, a forged P-Asserted-Identity removed."""

import pytest


@pytest.mark.parametrize("forged", [
    "<sip:{victim}@example.test>;tag=1",
    '"{victim}" <sip:{victim}@example.test;x=y>;tag=1',
    "sip:{victim}@example.test;tag=1",
    "<sip:someone@foreign.test>;tag=1",
    "<sip:{user}@foreign.test>;tag=1",
    "<sip:example.test>;tag=1",
    "<tel:+4930123456>;tag=1",
    '"sip:{user}@example.test" <sip:{victim}@example.test>;tag=1',
    "<sip:{user}%40example.test@foreign.test>;tag=1",
])
def test_from_must_be_the_account(person, forged):
    victim, bob, eve = person("victim"), person("bob").online().take_all(), person("eve").learn_challenge()
    from_ = forged.replace("{victim}", victim.user).replace("{user}", eve.user)
    assert eve.begin_message(bob.aor, "forged", from_=from_).wait().status == 403
    assert not bob.requests


@pytest.mark.parametrize("own", [
    '"Eve, the \\"great\\"" <sip:{user}@example.test>;tag=1',
    "sip:{user}@example.test;tag=1",
    "<sip:{user}@EXAMPLE.test>;tag=1",
    "<sip:{user}@example.test;transport=tcp>;tag=1",
    "<sip:{user}@{host}:{port}>;tag=1",
    "<sip:%{hex}{rest}@example.test>;tag=1",
])
def test_other_spellings_of_the_account_are_the_account(server, person, own):
    bob, eve = person("bob").online().take_all(), person("eve").learn_challenge()
    values = {"user": eve.user, "host": server.host, "port": str(server.port), "hex": f"{ord(eve.user[0]):02X}",
              "rest": eve.user[1:]}
    for key, value in values.items():
        own = own.replace("{" + key + "}", value)
    assert eve.begin_message(bob.aor, "mine", from_=own).wait().status == 200
    assert bob.requests[0].get("From") == own  # the wire keeps what was written


def test_registering_another_account_is_refused(person):
    victim, eve = person("victim"), person("eve")
    response = eve.register(to=f"<{victim.aor}>")
    assert response.status == 403
    assert not victim.register(expires=None, contact="").all("Contact")


def test_an_asserted_identity_of_a_stranger_is_removed(person):
    bob, eve = person("bob").online().take_all(), person("eve")
    headers = [("P-Asserted-Identity", "<sip:boss@example.test>"), ("P-Asserted-Identity", "<tel:+491>")]
    assert eve.message(bob.aor, "trust me", headers=headers).status == 200
    assert not bob.requests[0].all("P-Asserted-Identity")


def test_an_asserted_identity_is_removed_before_storing(person):
    bob, eve = person("bob"), person("eve")
    response = eve.message(bob.aor, "later", headers=[("P-Asserted-Identity", "<sip:boss@example.test>")])
    assert response.status == 202
    assert not bob.online().take().all("P-Asserted-Identity")


def test_a_foreign_sender_without_any_standing(server, person, wire):
    bob = person("bob").online().take_all()
    stranger = wire.peer(server.address, user="someone", domain="foreign.test")
    assert stranger.message(bob.aor, "hi").status in (401, 403, 407)
    assert not bob.requests
