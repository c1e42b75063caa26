"""Every torture file over the wire: the outcome of the table, and the server lives (tests/data/torture)."""

import csv
import re

import pytest

from support.telexd import ROOT

FOLDER = ROOT / "tests" / "data" / "torture"


def rows():
    """(file, transport, expected): a row for `any` transport is sent over both."""
    lines = [line for line in (FOLDER / "outcomes.tsv").read_text().splitlines() if line and line[0] != "#"]
    for row in csv.reader(lines[1:], delimiter="\t", quoting=csv.QUOTE_NONE):
        name, transport, _, expected = row[:4]
        if transport == "ws" or expected in ("", "-"):
            continue
        for one in (("udp", "tcp") if transport == "any" else (transport,)):
            yield name, one, expected


@pytest.fixture(scope="module")
def server(start_server):
    """The files speak of example.com and, some, of atlanta.com and biloxi.com as RFC 4475 does."""
    made = start_server({"domains": ["example.com"]})
    made.account("user", "example.com")
    return made


def alternatives(expected):
    """The words of a wire outcome: statuses, `drop`, `close`, `accept` (no syntax error, whatever else)."""
    return set(re.findall(r"\d{3}|drop|close|accept", expected.lower()))


def outcome(peer):
    """What came back: the first answer's status, else `close`, else `drop`."""
    if peer.strays:
        return str(peer.strays[0].status)
    if peer.transport == "tcp" and not peer.connections[0].open:
        return "close"
    return "drop"


@pytest.mark.parametrize(("name", "transport", "expected"), list(rows()))
def test_outcome(server, wire, name, transport, expected):
    peer = server.peer(wire, user="torture", domain="example.com", transport=transport)
    raw = (FOLDER / name).read_bytes()
    try:
        peer.send_raw(raw)
    except OSError:  # longer than a datagram may be, or the connection was closed meanwhile
        pass
    wanted = alternatives(expected)
    if transport == "tcp":
        if wanted != {"drop"}:
            wire.until(lambda: peer.strays or not peer.connections[0].open, 3, f"an outcome of {wanted}")
    else:
        # Same addresses, same worker, same queue: when this is answered, that one was too.
        assert peer.request("OPTIONS", "sip:example.com", auth=False, timeout=3).status == 200
    got = outcome(peer)
    accepted = got.isdigit() and got not in ("400", "505", "416", "413")
    assert got in wanted or ("accept" in wanted and accepted), f"{got}, expected {expected}\n{peer.strays[:1]}"


def test_it_lives(server, wire):
    alice = server.peer(wire, server.account("alice", "example.com"))
    bob = server.peer(wire, server.account("bob", "example.com")).online().take_all()
    assert alice.message(bob.aor, "still here", timeout=1).status == 200
    assert bob.texts() == ["still here"]
