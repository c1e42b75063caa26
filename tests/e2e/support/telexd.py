"""The server under test: writes its configuration, starts it, adds accounts, kills and restarts it on the
same ports. Whatever way it ended, no sanitizer may have spoken.

TELEX_BIN_DIR names the folder of the programs (default: build/bin of this tree).
"""

import itertools
import json
import os
import re
import socket
from pathlib import Path

from .phone import Account
from .ports import free_port
from .process import Late, Process, eventually, run
from .sipwire import Wire

ROOT = Path(__file__).resolve().parents[3]
DOMAIN = "example.test"
BATCH = 20
SANITIZER_SIGNS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer",
                   "WARNING: MemorySanitizer", "SUMMARY: ")
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "abort_on_error=0:exitcode=99:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=0",
    "TSAN_OPTIONS": f"exitcode=99:suppressions={ROOT / 'tools' / 'tsan.supp'}",
}


def program(name: str) -> Path:
    folder = Path(os.environ.get("TELEX_BIN_DIR", ROOT / "build" / "bin"))
    return folder.absolute() / name


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, **SANITIZER_OPTIONS, **more}


def assert_clean(text: str, where: str):
    spoken = [line for line in text.splitlines() if any(sign in line for sign in SANITIZER_SIGNS)]
    assert not spoken, f"{where}: sanitizer report\n{text[-6000:]}"


def yaml(value, indent: int = 0) -> str:
    """The few shapes our configuration has: maps, lists of scalars, scalars."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(
            f"{pad}{json.dumps(key) if ':' in str(key) or str(key).isdigit() else key}:"
            + (f"\n{yaml(item, indent + 1)}" if isinstance(item, dict) and item else f" {yaml(item).strip()}\n")
            for key, item in value.items())
    return f"{pad}{json.dumps(value)}\n"  # JSON is YAML


class Telexd:
    """Listens with UDP and TCP on one port of `host`; `more` is merged over the default configuration."""

    def __init__(self, folder: Path, more: dict | None = None, host: str = "127.0.0.1", flags=(),
                 port: int | None = None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.data.mkdir(exist_ok=True)
        self.host = host
        self.port = port or free_port(host)
        self.flags = list(flags)
        self.config = {
            "domains": [DOMAIN],
            "listen": [f"udp:{host}:{self.port}", f"tcp:{host}:{self.port}"],
            "auth": {"digest": ["md5"]},
            "workers": 2,
        }
        for key, value in (more or {}).items():
            if isinstance(value, dict) and isinstance(self.config.get(key), dict):
                self.config[key].update(value)
            else:
                self.config[key] = value
        self.process: Process | None = None
        self.runs: list[Process] = []
        self._numbers = itertools.count(1)
        self._pools: dict[tuple[str, str], list[Account]] = {}

    @property
    def address(self):
        return (self.host, self.port)

    @property
    def control(self) -> Path:
        return self.data / "telexd.sock"

    # -- life and death ----------------------------------------------------------------------------

    def launch(self) -> Process:
        """Starts the program without waiting for it."""
        config = self.folder / "telexd.yaml"
        config.write_text(yaml(self.config))
        argv = [program("telexd"), "--config", config, "--data", self.data, *self.flags]
        self.process = Process("telexd", argv, self.folder, env=environment())
        self.runs.append(self.process)
        return self.process

    def start(self, timeout: float = 20.0) -> "Telexd":
        self.launch()
        self.wait_ready(timeout)
        return self

    def wait_ready(self, timeout: float = 20.0):
        """The control socket takes a connection and SIP answers OPTIONS with 200."""

        def controlled():
            assert self.process.alive(), f"telexd ended\n{self.process.tail()}"
            with socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(str(self.control)) == 0

        eventually(controlled, timeout, f"telexd opens {self.control}\n{self.process.tail()}")
        wire = Wire()
        try:
            peer = wire.peer(self.address, host=self.host)

            def answers():
                assert self.process.alive(), f"telexd ended\n{self.process.tail()}"
                return peer.probe(f"sip:{self.host}:{self.port}").count(200) > 0

            try:
                eventually(answers, timeout, "telexd answers OPTIONS with 200")
            except Late as late:
                raise Late(f"{late}\n{self.process.tail()}") from None
        finally:
            wire.close()

    def kill(self):
        """kill -9."""
        self.process.kill()
        self._check(self.process)

    def restart(self) -> "Telexd":
        """Same ports, same data."""
        return self.start()

    def stop(self, timeout: float = 5.0) -> int:
        """SIGTERM: it must be gone within 5 s (DESIGN §4) with exit code 0."""
        code = self.process.terminate(timeout * (3 if self.sanitized() else 1))
        self._check(self.process)
        return code

    def sanitized(self) -> bool:
        return re.search(b"__(asan|tsan)_init", program("telexd").read_bytes()) is not None

    def end(self):
        """Teardown: stops if it still runs; the exit must be clean."""
        if self.process is None:
            return
        if self.process.child.returncode is None and self.process.alive():
            code = self.stop()
            assert code == 0, f"telexd ended with {code} after SIGTERM\n{self.process.tail()}"
        for one in self.runs:
            self._check(one)

    @staticmethod
    def _check(process: Process):
        assert_clean("\n".join(process.err), "telexd")

    # -- accounts ----------------------------------------------------------------------------------

    def ctl(self, *words: str, stdin: str = "") -> str:
        done = run([program("telexctl"), "--data", self.data, *words], self.folder, stdin, environment())
        assert_clean(done.stderr, "telexctl")
        assert done.returncode == 0, f"telexctl {words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def account(self, name: str = "user", domain: str = DOMAIN) -> Account:
        """A new account; the name gets a number, so tests that share a server do not meet. Made a batch at a time:
        one program start each would cost more than the tests."""
        pool = self._pools.setdefault((name, domain), [])
        if not pool:
            pool += self.accounts(name, BATCH, domain)
        return pool.pop(0)

    def accounts(self, name: str, count: int, domain: str = DOMAIN) -> list[Account]:
        made = [Account(f"{name}{next(self._numbers)}", domain, f"pw-{name}") for _ in range(count)]
        self.ctl("user", "import", "-", stdin="".join(f"{account.aor},{account.password}\n" for account in made))
        return made

    # -- raw peers ---------------------------------------------------------------------------------

    def peer(self, wire: Wire, account: Account | None = None, **options):
        """A raw peer of this server, with the account's credentials where one is given."""
        if account:
            options = {"user": account.user, "domain": account.domain, "password": account.password, **options}
        return wire.peer(self.address, **options)
