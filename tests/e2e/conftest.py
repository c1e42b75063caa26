"""Fixtures: one wire of raw peers per test, one telexd per file unless a test asks for its own."""

import pytest

pytest.register_assert_rewrite("support")

from support.sipwire import Wire  # noqa: E402
from support.telexd import Telexd  # noqa: E402


@pytest.fixture
def wire():
    made = Wire()
    yield made
    made.close()


@pytest.fixture(scope="module")
def start_server(tmp_path_factory):
    """start_server(config) → a running Telexd of its own, ended after the file's last test."""
    started = []

    def start(more=None, **options) -> Telexd:
        server = Telexd(tmp_path_factory.mktemp("telexd"), more, **options)
        started.append(server)
        return server.start()

    yield start
    failures = []
    for server in started:
        try:
            server.end()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)


@pytest.fixture(scope="module")
def server(start_server):
    return start_server()


@pytest.fixture
def person(server, wire):
    """person("alice", transport="tcp") → a raw peer with a new account at the file's server."""

    def make(name: str, **options):
        return server.peer(wire, server.account(name), **options)

    return make


@pytest.fixture
def phones(tmp_path):
    """Phones that a test starts itself: appended here, they end with it."""
    started = []
    yield started
    for phone in started:
        phone.stop()


@pytest.fixture(scope="module")
def start_kamailio(tmp_path_factory):
    from support.kamailio import Kamailio

    started = []

    def start(role: str, domain: str, **options) -> Kamailio:
        one = Kamailio(tmp_path_factory.mktemp("kamailio"), role, domain, **options)
        started.append(one)
        return one.start()

    yield start
    for one in started:
        one.stop()
