"""What all phones share, whoever made them: a name, a folder, texts received in order, the same verbs.

start() → wait_registered() → send(to, text) / wait_texts(n) → stop() (says goodbye) or die() (kill -9).
"""

from dataclasses import dataclass
from pathlib import Path

from .process import Process


@dataclass
class Account:
    user: str
    domain: str
    password: str

    @property
    def aor(self) -> str:
        return f"sip:{self.user}@{self.domain}"


@dataclass(frozen=True)
class Received:
    sender: str
    text: str


class Phone:
    kind = "phone"
    transports = ("udp",)

    def __init__(self, folder: Path, account: Account, server, transport: str = "udp"):
        assert transport in self.transports, f"{self.kind} speaks {self.transports}"
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.account = account
        self.server = server
        self.transport = transport
        self.process: Process | None = None

    @property
    def aor(self) -> str:
        return self.account.aor

    def start(self) -> "Phone":
        raise NotImplementedError

    def wait_registered(self, timeout: float = 15.0) -> "Phone":
        raise NotImplementedError

    def send(self, to: str, text: str):
        """Hands the text to the program; what came of it is the receiver's to say."""
        raise NotImplementedError

    def received(self) -> list[Received]:
        """All texts since the last start, in order, as the program showed them."""
        raise NotImplementedError

    def texts(self) -> list[str]:
        return [message.text for message in self.received()]

    def wait_texts(self, count: int, timeout: float = 15.0) -> list[str]:
        self.process.wait_for(lambda _: len(self.texts()) >= count, timeout,
                              f"{self.aor} waits for {count} texts")
        return self.texts()

    def wait_text(self, text: str, timeout: float = 15.0) -> Received:
        def shown(_):
            return next((message for message in self.received() if message.text == text), None)

        return self.process.wait_for(shown, timeout, f"{self.aor} waits for {text!r}")

    def stop(self):
        """Ends as its user would end it (unregisters where the program does)."""
        self.process.end()

    def die(self):
        """Battery out."""
        self.process.kill()
