"""The example of the library, examples/echo_bot.c, at telexd: it registers, receives, answers, sends."""

import pytest

from support.process import Process
from support.telexd import assert_clean, environment, program


@pytest.fixture
def bot(server, tmp_path):
    if not program("echo_bot").exists():
        pytest.skip("examples are built together with the unit tests")
    account = server.account("bot")
    argv = [program("echo_bot"), account.aor, server.host, server.port]
    process = Process("echo-bot", argv, tmp_path, env=environment(TELEX_PASSWORD=account.password))
    yield account
    assert process.alive(), process.tail()
    process.end()
    assert_clean("\n".join(process.err), "echo_bot")


def test_it_answers_every_text(bot, person):
    alice = person("alice").take_all().online()
    texts = [f"number {number}, grüße" for number in range(20)]
    for text in texts:  # 202 until it has registered
        assert alice.message(bot.aor, text).status in (200, 202)
    assert alice.wait_texts(len(texts)) == texts
    assert bot.aor in alice.requests[0].get("From")


def test_what_it_cannot_read_is_refused(bot, person):
    alice = person("alice").take_all().online()
    alice.message(bot.aor, "wake up")
    alice.wait_texts(1)
    assert alice.message(bot.aor, b"\0\1", content_type="application/octet-stream").status == 415
