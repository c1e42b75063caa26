"""500 phones behind one address come back at once after a power cut: all registered within 30 s, and in use."""

import json
import time

import pytest

PHONES = 500


def begin_register(phone):
    phone.register_cseq += 1
    return phone.begin("REGISTER", f"sip:{phone.domain}", [("Contact", f"<{phone.contact}>"), ("Expires", "300")],
                       to=f"<{phone.aor}>", call_id=phone.register_call_id, number=phone.register_cseq)


def register_all(wire, phones, timeout):
    """All at once; whoever is challenged answers at once. Returns the seconds until the last 200."""
    begun = time.monotonic()
    open_ones = [(phone, begin_register(phone)) for phone in phones]

    def done():
        for index in range(len(open_ones) - 1, -1, -1):
            phone, exchange = open_ones[index]
            final = exchange.final
            if final is None:
                continue
            if final.status == 401 and phone.challenge is None:
                phone.challenge = final.get("WWW-Authenticate")
                open_ones[index] = (phone, begin_register(phone))
            else:
                assert final.status == 200, final.raw
                open_ones.pop(index)
        return not open_ones

    wire.until(done, timeout, "the last registration")
    return time.monotonic() - begun


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_they_register_after_a_restart(start_server, wire, transport):
    server = start_server()
    phones = [server.peer(wire, account, transport=transport) for account in server.accounts("phone", PHONES)]
    register_all(wire, phones, 30)
    server.kill()
    server.restart()
    for phone in phones:  # they had no power either: no connection, no nonce, a new Call-ID
        phone.challenge = None
        phone.register_call_id += "-again"
        if transport == "tcp":
            phone.connections.pop().close()
            phone.connect()
            phone.contact = f"sip:{phone.user}@{phone.host}:{phone.port};transport=tcp"
    assert register_all(wire, phones, 30) < (30 if server.sanitized() else 5)
    here = {one["contact"] for one in json.loads(server.ctl("--json", "registrations"))
            if one["state"] == "registered"}
    assert here == {phone.contact for phone in phones}
    alice = server.peer(wire, server.account("alice")).learn_challenge()
    for phone in phones[::50]:
        phone.take_all()
        assert alice.message(phone.aor, f"for {phone.user}").status == 200
        assert phone.texts() == [f"for {phone.user}"]
