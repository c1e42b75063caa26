"""First accepted, first delivered, for a sender that awaits each answer (contract C6)."""


def test_live(person):
    alice, bob = person("alice"), person("bob").online().take_all()
    for number in range(50):
        assert alice.message(bob.aor, str(number)).status == 200
    assert bob.texts() == [str(number) for number in range(50)]


def test_new_mail_queues_behind_the_backlog(person):
    alice, bob = person("alice").learn_challenge(), person("bob")
    for number in range(3):
        assert alice.message(bob.aor, str(number)).status == 202
    bob.online()
    first = bob.expect()
    late = alice.begin_message(bob.aor, "3")
    bob.expect_none(within=0.5)  # one in flight, the rest waits
    assert late.wait().status == 202
    bob.answer(first, 200)
    assert [first.text] + [bob.take().text for _ in range(3)] == ["0", "1", "2", "3"]
    assert alice.begin_message(bob.aor, "4").raw
    assert bob.take().text == "4"


def test_the_next_goes_out_on_the_2xx(person):
    alice, bob = person("alice"), person("bob")
    for number in range(3):
        assert alice.message(bob.aor, str(number)).status == 202
    bob.online()
    for number in range(3):
        message = bob.expect()
        assert message.text == str(number)
        bob.expect_none(within=0.2)
        bob.answer(message, 200)


def test_senders_on_two_transports(person):
    """Each sender's own order holds; between senders there is none."""
    bob = person("bob")
    senders = [person("alice"), person("carol", transport="tcp")]
    for number in range(10):
        for sender in senders:
            assert sender.message(bob.aor, f"{sender.user} {number}").status == 202
    bob.take_all().online()
    bob.wait_texts(20)
    for sender in senders:
        mine = [text for text in bob.texts() if text.startswith(sender.user)]
        assert mine == [f"{sender.user} {number}" for number in range(10)]


def test_the_drain_starts_after_the_200_not_before(person):
    """Desk phones refuse a MESSAGE that comes before their 200: half a second later."""
    alice, bob = person("alice"), person("bob").learn_challenge()
    assert alice.message(bob.aor, "wait for it").status == 202
    response = bob.register()
    assert response.status == 200
    message = bob.take()
    assert 0.35 < message.at - response.at < 2.0
