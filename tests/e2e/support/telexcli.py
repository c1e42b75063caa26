"""`telex send` and `telex listen --json`: our own program at a terminal."""

import json

from .phone import Phone, Received
from .process import Process, run
from .telexd import assert_clean, environment, program


class Telex(Phone):
    kind = "telex"
    transports = ("udp", "tcp")

    @property
    def server_uri(self) -> str:
        return f"sip:{self.server[0]}:{self.server[1]};transport={self.transport}"

    def _environment(self):
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return environment(HOME=str(home), XDG_CONFIG_HOME=str(home / ".config"),
                           TELEX_PASSWORD=self.account.password)

    def start(self) -> "Telex":
        argv = [program("telex"), "listen", "--json", "--from", self.aor, "--server", self.server_uri]
        self.process = Process("telex-listen", argv, self.folder, env=self._environment())
        return self

    def events(self) -> list[dict]:
        return [json.loads(line) for line in list(self.process.out) if line.startswith("{")]

    def wait_registered(self, timeout: float = 15.0) -> "Telex":
        def registered(_):
            return any(event.get("event") == "registered" for event in self.events())

        self.process.wait_for(registered, timeout, f"{self.aor} registers")
        return self

    def _send_argv(self, to: str, text: str, flags=()):
        return [program("telex"), "send", "--from", self.aor, "--server", self.server_uri, *flags, to, text]

    def begin_send(self, to: str, text: str) -> Process:
        """For a receiver that needs this test's attention while the program runs."""
        return Process("telex-send", self._send_argv(to, text), self.folder, env=self._environment())

    def run_send(self, to: str, text: str, *flags: str, stdin: str = "", timeout: float = 15.0):
        """The finished process: returncode, stdout, stderr."""
        done = run(self._send_argv(to, text, flags), self.folder, stdin, self._environment(), timeout)
        assert_clean(done.stderr, "telex send")
        return done

    def send(self, to: str, text: str):
        done = self.run_send(to, text)
        assert done.returncode == 0, f"telex send: {done.returncode}\n{done.stdout}\n{done.stderr}"

    def received(self) -> list[Received]:
        """Texts only: a Linphone also sends receipts, which come in base64. sipp ends bodies with a line end."""
        return [Received(event["from"], event["text"].rstrip("\r\n")) for event in self.events()
                if event.get("event") == "message" and event.get("content_type", "").startswith("text/plain")]

    def stop(self):
        self.process.end()
        assert_clean("\n".join(self.process.err), "telex listen")
