"""kill -9 while messages fly: what was answered 2xx arrives, nothing arrives that was not sent, order holds
(contract C4, C6, C7)."""

import pytest

ROUNDS = 4


@pytest.mark.parametrize("device", ["away", "slow"])
def test_what_was_answered_2xx_arrives(start_server, wire, device):
    server = start_server()
    senders = [server.peer(wire, server.account(name)).learn_challenge() for name in ("alice", "carol")]
    account = server.account("bob")
    instance = "urn:uuid:00000000-0000-4000-e000-000000000001"
    bob = server.peer(wire, account, instance=instance)
    if device == "slow":
        bob.take_all()
    bob.online()
    if device == "away":
        bob.register(expires=0)
    promised = {sender.user: [] for sender in senders}
    sent = set()
    number = 0
    for _ in range(ROUNDS):
        for _ in range(15):
            for sender in senders:
                text = f"{sender.user} {number:04}"
                number += 1
                sent.add(text)
                if sender.message(account.aor, text).status in (200, 202):
                    promised[sender.user].append(text)
        flying = []
        for sender in senders:  # these are in the middle of something when it dies
            text = f"{sender.user} {number:04}"
            number += 1
            sent.add(text)
            flying.append((sender, text, sender.begin_message(account.aor, text, retransmit=False)))
        server.kill()
        wire.run(0.05)
        for sender, text, exchange in flying:
            if exchange.final and exchange.final.status in (200, 202):
                promised[sender.user].append(text)
        server.restart()
        for sender in senders:
            sender.learn_challenge()
    bob.take_all()
    bob.online()
    everything = {text for texts in promised.values() for text in texts}
    wire.until(lambda: everything <= set(bob.texts()), 20, "all that was promised")
    wire.run(0.5)
    assert set(bob.texts()) <= sent
    first_seen = list(dict.fromkeys(bob.texts()))
    for user, texts in promised.items():
        assert [text for text in first_seen if text in set(texts)] == texts, user
