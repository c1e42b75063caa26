"""sipsak, what administrators ping with: OPTIONS, and REGISTER with a password. It writes no port of five digits."""

import pytest

from support.ports import free_port
from support.process import run


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(port=free_port(span=1, lowest=2000, highest=9999))


def sipsak(server, *words):
    port = free_port(span=1, lowest=2000, highest=9999)
    return run(["sipsak", "-vv", "-l", str(port), "-p", f"{server.host}:{server.port}", *words], server.folder)


def test_options(server):
    done = sipsak(server, "-s", f"sip:{server.host}:{server.port}")
    assert (done.returncode, "SIP/2.0 200" in done.stdout) == (0, True), done.stdout


def test_it_registers(server):
    account = server.account("bob")
    done = sipsak(server, "-U", "-C", f"sip:{account.user}@127.0.0.1:2000", "-x", "300", "-u", account.user,
                  "-a", account.password, "-s", account.aor)
    assert done.returncode == 0, done.stdout
    assert account.aor in server.ctl("registrations")


def test_a_wrong_password(server):
    account = server.account("bob")
    done = sipsak(server, "-U", "-C", f"sip:{account.user}@127.0.0.1:2000", "-x", "300", "-u", account.user,
                  "-a", "wrong", "-s", account.aor)
    assert done.returncode != 0
    assert account.aor not in server.ctl("registrations")
