"""Two workers share the work, whoever writes to whom; what the server took while it was busy it gives back."""

from pathlib import Path

import pytest

from support.process import eventually

PEOPLE = 12


def turns(server):
    """How often each thread of the server has run so far."""
    tasks = Path(f"/proc/{server.process.pid}/task")
    return {task.name: int((task / "schedstat").read_text().split()[2]) for task in tasks.iterdir()}


def descriptors(server):
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def crowd(server, wire):
    """Half of them on UDP, half on TCP, all registered."""
    accounts = server.accounts("person", PEOPLE)
    people = [server.peer(wire, account, transport=("udp", "tcp")[index % 2])
              for index, account in enumerate(accounts)]
    for one in people:
        one.take_all().online()
    return people


@pytest.mark.parametrize(("workers", "busy"), [(1, 1), (2, 2), (3, 3)])
def test_everybody_writes_to_everybody(start_server, wire, workers, busy):
    server = start_server({"workers": workers})
    people = crowd(server, wire)
    before = turns(server)
    exchanges = [(sender, receiver, sender.begin_message(receiver.aor, f"{sender.user} to {receiver.user}"))
                 for sender in people for receiver in people if sender is not receiver]
    for sender, receiver, exchange in exchanges:
        assert exchange.wait().status == 200, f"{sender.user} to {receiver.user}"
    for receiver in people:
        assert sorted(receiver.texts()) == sorted(f"{sender.user} to {receiver.user}"
                                                  for sender in people if sender is not receiver)
    # Live messages touch no disk: only workers ran.
    ran = sorted((now - before.get(thread, 0) for thread, now in turns(server).items()), reverse=True)
    assert [count > 3 for count in ran[:busy]] == [True] * busy, ran
    assert all(count <= 3 for count in ran[busy:]), ran


def test_descriptors_and_threads_return_to_where_they_were(start_server, wire):
    server = start_server()
    alice = server.peer(wire, server.account("alice")).learn_challenge()
    assert alice.message(server.account("warm").aor, "first of all").status == 202
    threads, opened = len(turns(server)), descriptors(server)
    people = crowd(server, wire)
    for one in people:
        assert alice.message(one.aor, "hello").status == 200
    strangers = [server.peer(wire, user="stranger", transport="tcp") for _ in range(100)]
    assert descriptors(server) > opened
    for one in [*people, *strangers]:
        one.close()
    eventually(lambda: descriptors(server) == opened, 10, f"{opened} descriptors")
    assert len(turns(server)) == threads
