"""baresip: configured by files, driven over a UDP port of its own (cons.so); texts come back there."""

import os
import re
import socket
import subprocess
import threading
from pathlib import Path

from .phone import Phone, Received
from .ports import free_port
from .process import Process, eventually

_CONFIG = """module_path {modules}
sip_listen 127.0.0.1:{port}
module cons.so
module_app account.so
module_app contact.so
module_app menu.so
cons_listen 127.0.0.1:{console}
"""
_TEXT = re.compile(r'^(sips?:[^:"]+@[^:"]+(?::\d+)?): "(.*)"$', re.DOTALL)


def module_folder() -> str:
    listed = subprocess.run(["dpkg", "-L", "baresip-core"], text=True, capture_output=True, check=True).stdout
    return str(Path(next(line for line in listed.splitlines() if line.endswith("/account.so"))).parent)


class Baresip(Phone):
    kind = "baresip"
    transports = ("udp", "tcp")

    def __init__(self, folder, account, server, transport="udp"):
        super().__init__(folder, account, server, transport)
        self.contacts: list[str] = []
        self.console_lines: list[str] = []
        self.console: socket.socket | None = None
        self.console_port = 0

    def knows(self, *aors: str) -> "Baresip":
        """It can only write to its contacts: name them before start()."""
        self.contacts = list(aors)
        return self

    def start(self) -> "Baresip":
        self.console_port = free_port()
        folder = self.folder / "baresip"
        folder.mkdir(exist_ok=True)
        (folder / "config").write_text(
            _CONFIG.format(modules=module_folder(), port=free_port(), console=self.console_port))
        suffix = f";transport={self.transport}"
        (folder / "accounts").write_text(
            f"<{self.aor}{suffix}>;auth_user={self.account.user};auth_pass={self.account.password};"
            f'outbound="sip:{self.server[0]}:{self.server[1]}{suffix}";regint=300\n')
        (folder / "contacts").write_text("".join(f'"{aor}" <{aor}>\n' for aor in self.contacts))
        self.console_lines = []
        self.process = Process("baresip", ["baresip", "-f", folder, "-v"], self.folder, env=dict(os.environ))
        self.process.close_stdin()
        self.process.wait_line(r"baresip is ready", 10)
        self.console = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.console.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.console.connect(("127.0.0.1", self.console_port))
        threading.Thread(target=self._listen, args=(self.console,), daemon=True).start()
        self._ask("/contacts", "Contacts")  # from now on it knows where to write what it receives
        return self

    def _listen(self, console: socket.socket):
        while True:
            try:
                data = console.recv(65536)
            except OSError:
                return
            if not data:
                return
            self.console_lines.append(data.decode("utf-8", "replace"))

    def _command(self, text: str):
        self.console.send(text.encode() + b"\n")

    def wait_registered(self, timeout: float = 15.0) -> "Baresip":
        self.process.wait_line(r"200 OK|registered successfully|All 1 useragent registered", timeout)
        return self

    def send(self, to: str, text: str):
        """To its current contact, so that one is chosen first. The list does not wrap around."""
        contacts, current = self._contacts()
        steps = contacts.index(to) - current
        for _ in range(abs(steps)):
            self._ask("/contact_next" if steps > 0 else "/contact_prev", r"Current contact: .*\n")
        self._command(f"/message {text}")

    def _contacts(self) -> tuple[list[str], int]:
        shown = self._ask("/contacts", r"--- Contacts \(\d+\) ---\n(?:.+\n)+")
        marked = re.findall(r"^(>?) .*<([^>]+)>$", shown, re.MULTILINE)
        return [aor for _, aor in marked], next(index for index, (mark, _) in enumerate(marked) if mark)

    def _ask(self, command: str, pattern: str) -> str:
        before = len(self.console_lines)
        self._command(command)

        def answered():
            return re.search(pattern, "".join(self.console_lines[before:]))

        return eventually(answered, 5, f"baresip answers {command}", every=0.005).group(0)

    def received(self) -> list[Received]:
        found = []
        for text in list(self.console_lines):
            match = _TEXT.match(text.strip("\r\n"))
            if match:
                found.append(Received(match.group(1), match.group(2).rstrip("\r\n")))  # sipp ends bodies so
        return found

    def wait_texts(self, count: int, timeout: float = 15.0) -> list[str]:
        eventually(lambda: len(self.texts()) >= count, timeout, f"{self.aor} waits for {count} texts")
        return self.texts()

    def wait_text(self, text: str, timeout: float = 15.0) -> Received:
        def shown():
            return next((message for message in self.received() if message.text == text), None)

        return eventually(shown, timeout, f"{self.aor} waits for {text!r}")

    def stop(self):
        super().stop()
        self.console.close()

    def die(self):
        super().die()
        self.console.close()
