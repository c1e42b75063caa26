"""Linphone's daemon: commands on stdin, events on stdout."""

import os
import re

from .phone import Phone, Received
from .ports import free_port
from .process import Process, eventually

_RC = """[sip]
sip_port={port}
sip_tcp_port={port}
default_proxy=0
register_only_when_network_is_up=0
guess_hostname=0
store_ha1_passwd=0
verify_server_certs=0
verify_server_cn=0
[auth_info_0]
username={user}
passwd={password}
realm={domain}
domain={domain}
[proxy_0]
reg_proxy=<sip:{host}:{server_port};transport={transport}>
reg_identity=sip:{user}@{domain}
reg_route=<sip:{host}:{server_port};transport={transport}>
reg_expires=300
reg_sendregister=1
publish=0
"""


class Linphone(Phone):
    kind = "linphone"
    transports = ("udp", "tcp")

    def start(self) -> "Linphone":
        home = self.folder / "home"
        # Without this folder its message database fails and sending breaks.
        (home / ".local/share/linphone").mkdir(parents=True, exist_ok=True)
        config = self.folder / "linphonerc"  # it rewrites this file: fresh each time
        config.write_text(
            _RC.format(port=free_port(), user=self.account.user, password=self.account.password,
                       domain=self.account.domain, host=self.server[0], server_port=self.server[1],
                       transport=self.transport)
        )
        self.process = Process("linphone", ["linphone-daemon", "--config", config], self.folder,
                               env={**os.environ, "HOME": str(home)})
        return self

    def wait_registered(self, timeout: float = 15.0) -> "Linphone":
        def registered():
            # It has no event for this: ask, and look at what was answered so far.
            self.process.write("register-status ALL\n")
            states = [line for line in self.process.out if line.startswith("State: LinphoneRegistration")]
            return states and states[-1].endswith("Ok")

        eventually(registered, timeout, f"{self.aor} registers\n{self.process.tail()}", every=0.1)
        return self

    def send(self, to: str, text: str):
        self.process.write(f"message {to} {text}\n")

    def received(self) -> list[Received]:
        found = []
        event = None
        for line in list(self.process.out):
            if line.startswith("Event-type: "):
                event = {} if line.endswith("message-received") else None
            elif event is not None:
                name, gap, value = line.partition(": ")
                if gap and name in ("From", "Content"):
                    event[name] = value
                if "Content" in event:
                    sender = re.search(r"sips?:[^>;\s]+", event.get("From", ""))
                    found.append(Received(sender.group(0) if sender else "", event["Content"].strip('"')))
                    event = None
        return found

    def stop(self):
        """Unregisters, then goes."""
        if self.process.alive():
            self.process.write("quit\n")
            self.process.wait(10)
