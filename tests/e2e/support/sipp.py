"""sipp: scenarios written here. Registers first; then waits for calls (the out-of-call scenario) or sends.

It keeps its own message log; what it received is read from there.
"""

import re

from .phone import Phone, Received
from .ports import free_port
from .process import Process, eventually, run

_HEADERS = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      Max-Forwards: 70
      From: <{aor}>;tag=[pid]x[call_number]
      To: <{to}>
      Call-ID: [call_id]
      CSeq: {number} {method}
"""

_REQUEST = """
  <send retrans="500"><![CDATA[

      {method} {uri} SIP/2.0
      {headers}{more}      {auth}Content-Length: [len]
{body}
  ]]></send>
"""

_STAY = """
  <label id="stay"/>
  <pause milliseconds="600000"/>
"""

# What arrives outside the registration's own call: a text, answered and nothing more.
_ANSWER = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="answer">
  <recv request="MESSAGE"/>
  <send><![CDATA[

      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]y[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

  ]]></send>
</scenario>
"""


def request(method: str, uri: str, aor: str, to: str, number: int, more: str = "", auth: bool = False,
            body: str = "") -> str:
    headers = _HEADERS.format(aor=aor, to=to, number=number, method=method)
    return _REQUEST.format(method=method, uri=uri, headers=headers, more=f"      {more}\n" if more else "",
                           auth="[authentication username={user} password={password}]\n      " if auth else "",
                           body=f"\n      {body}\n" if body else "")


class Sipp(Phone):
    kind = "sipp"
    transports = ("udp", "tcp")

    def _scenario(self, method: str, uri: str, to: str, more: str, body: str, challenge: int, stay: bool) -> str:
        account = self.account
        first = request(method, uri, account.aor, to, 1, more, body=body)
        again = request(method, uri, account.aor, to, 2, more, auth=True, body=body)
        again = again.replace("{user}", account.user).replace("{password}", account.password)
        ends = '  <recv response="202" optional="true" next="end"/>\n  <recv response="200"/>\n  <label id="end"/>\n'
        return ('<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="client">\n' + first
                + f'  <recv response="{challenge}" auth="true"/>\n' + again
                + '  <recv response="100" optional="true"/>\n' + ends + (_STAY if stay else "") + "</scenario>\n")

    def _argv(self, scenario, port: int):
        transport = {"udp": "u1", "tcp": "t1"}[self.transport]
        return ["sipp", "-sf", scenario, "-m", "1", "-i", "127.0.0.1", "-p", port, "-t", transport, "-nostdin",
                "-trace_msg", "-message_file", self.log, "-trace_err", f"{self.server[0]}:{self.server[1]}"]

    def start(self) -> "Sipp":
        self.port = free_port()
        self.log = self.folder / "messages.log"
        self.log.unlink(missing_ok=True)
        contact = f"Contact: <sip:{self.account.user}@[local_ip]:[local_port];transport=[transport]>;expires=300"
        scenario = self.folder / "register.xml"
        scenario.write_text(self._scenario("REGISTER", f"sip:{self.account.domain}", self.aor, contact, "", 401, True))
        answer = self.folder / "answer.xml"
        answer.write_text(_ANSWER)
        self.process = Process("sipp", [*self._argv(scenario, self.port), "-oocsf", answer], self.folder)
        return self

    def _log(self) -> str:
        return self.log.read_text("utf-8", "replace").replace("\r\n", "\n") if self.log.exists() else ""

    def wait_registered(self, timeout: float = 15.0) -> "Sipp":
        def registered():
            assert self.process.alive(), self.process.tail()
            return re.search(r"message received.*\n\nSIP/2\.0 200 ", self._log())

        eventually(registered, timeout, f"{self.aor} registers with sipp")
        return self

    def send(self, to: str, text: str):
        """A process of its own, as sipp's scenarios are; its exit code is checked."""
        folder = self.folder / f"send-{free_port()}"
        folder.mkdir()
        scenario = folder / "send.xml"
        scenario.write_text(
            self._scenario("MESSAGE", to, to, "Content-Type: text/plain", text, 407, False))
        port = free_port()
        argv = self._argv(scenario, port) + ["-timeout", "15"]
        argv[argv.index(self.log)] = folder / "messages.log"
        done = run(argv, folder, timeout=20)
        assert done.returncode == 0, f"sipp ended with {done.returncode}\n{done.stdout[-600:]}\n{done.stderr[-600:]}"

    def received(self) -> list[Received]:
        found = []
        for part in re.split(r"^-{10,} .*$", self._log(), flags=re.MULTILINE):
            head, _, message = part.partition("message received")
            match = re.search(r"^MESSAGE .*?^From: .*?<(sip:[^>]+)>.*?\n\n(.*)", message, re.MULTILINE | re.DOTALL)
            if match and not head.strip("\nUDPTCP "):
                found.append(Received(match.group(1), match.group(2).strip("\n")))
        return found

    def wait_texts(self, count: int, timeout: float = 15.0) -> list[str]:
        eventually(lambda: len(self.texts()) >= count, timeout, f"{self.aor} waits for {count} texts")
        return self.texts()

    def wait_text(self, text: str, timeout: float = 15.0) -> Received:
        def shown():
            return next((message for message in self.received() if message.text == text), None)

        return eventually(shown, timeout, f"{self.aor} waits for {text!r}")

    def stop(self):
        """It knows no goodbye."""
        self.process.kill()
