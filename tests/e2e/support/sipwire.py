"""A small raw SIP peer over UDP and TCP: it says exactly what a test tells it to say.

All peers of a test share one Wire: whoever waits, the sockets of all are read, so a device that answers
by itself (`peer.on_request`) does so while the sender waits. No threads. Deliberately independent of the
project's own SIP code: these tests must not believe what they test.
"""

import hashlib
import os
import selectors
import socket
import time
from dataclasses import dataclass, field

from .ports import free_port
from .process import Late

T1 = 0.5
T2 = 4.0
COOKIE = "z9hG4bK"
COMPACT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
    "c": "content-type", "e": "content-encoding", "k": "supported", "s": "subject", "o": "event",
    "u": "allow-events", "r": "refer-to", "b": "referred-by", "x": "session-expires", "j": "reject-contact",
    "a": "accept-contact", "d": "request-disposition", "y": "identity",
}
REASONS = {
    100: "Trying", 180: "Ringing", 200: "OK", 202: "Accepted", 400: "Bad Request", 404: "Not Found",
    405: "Method Not Allowed", 415: "Unsupported Media Type", 480: "Temporarily Unavailable",
    482: "Loop Detected", 486: "Busy Here", 488: "Not Acceptable Here", 500: "Server Internal Error",
    501: "Not Implemented", 503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}


def token(length: int = 12) -> str:
    return os.urandom(length).hex()[:length]


@dataclass
class Message:
    """One message as it was on the wire: header values keep their bytes (surrogateescape)."""

    raw: bytes
    start: str
    headers: list[tuple[str, str]]
    body: bytes
    peer: "Peer" = None
    source: tuple = None
    connection: "Connection" = None
    at: float = 0.0

    @classmethod
    def parse(cls, raw: bytes) -> "Message":
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        headers: list[tuple[str, str]] = []
        for line in lines[1:]:
            if line[:1] in " \t" and headers:
                name, value = headers[-1]
                headers[-1] = (name, value + " " + line.strip())
                continue
            name, _, value = line.partition(":")
            headers.append((name.strip(), value.strip()))
        return cls(raw, lines[0], headers, body)

    def all(self, name: str) -> list[str]:
        wanted = name.lower()
        return [value for key, value in self.headers if COMPACT.get(key.lower(), key.lower()) == wanted]

    def get(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None

    @property
    def is_response(self) -> bool:
        return self.start.startswith("SIP/2.0 ")

    @property
    def status(self) -> int:
        return int(self.start.split(" ", 2)[1])

    @property
    def method(self) -> str:
        return self.get("CSeq").split()[1] if self.is_response else self.start.split(" ", 1)[0]

    @property
    def uri(self) -> str:
        return self.start.split(" ")[1]

    @property
    def vias(self) -> list[str]:
        return [part.strip() for value in self.all("Via") for part in value.split(",")]

    @property
    def branch(self) -> str:
        return parameter(self.vias[0], "branch")

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "surrogateescape")

    @property
    def identity(self) -> tuple:
        """What must stay byte for byte on every relay, stored delivery and repeat (contract C4)."""
        return tuple(self.get(name) for name in ("From", "To", "Call-ID", "CSeq"))


def parameter(value: str, name: str) -> str | None:
    for piece in value.split(";")[1:]:
        key, _, data = piece.partition("=")
        if key.strip().lower() == name.lower():
            return data.strip()
    return None


def challenge_parameters(value: str) -> dict[str, str]:
    scheme, _, rest = value.partition(" ")
    found = {"scheme": scheme}
    while rest:
        key, _, rest = rest.lstrip(" ,").partition("=")
        if rest.startswith('"'):
            data, _, rest = rest[1:].partition('"')
        else:
            data, _, rest = rest.partition(",")
        if key:
            found[key.strip().lower()] = data.strip()
    return found


class Digest:
    """Credentials for one account; counts nc per nonce (RFC 7616)."""

    HASHES = {"md5": hashlib.md5, "sha-256": hashlib.sha256}

    def __init__(self, user: str, password: str):
        self.user = user
        self.password = password
        self.count: dict[str, int] = {}

    def answer(self, challenge: str, method: str, uri: str, nc: int | None = None) -> str:
        asked = challenge_parameters(challenge)
        algorithm = asked.get("algorithm", "MD5")
        digest = self.HASHES[algorithm.lower()]

        def sum_of(*parts):
            return digest(":".join(parts).encode()).hexdigest()

        ha1 = sum_of(self.user, asked["realm"], self.password)
        ha2 = sum_of(method, uri)
        nonce = asked["nonce"]
        words = [f'username="{self.user}"', f'realm="{asked["realm"]}"', f'nonce="{nonce}"', f'uri="{uri}"',
                 f"algorithm={algorithm}"]
        if "qop" in asked:
            self.count[nonce] = nc or self.count.get(nonce, 0) + 1
            count, cnonce = f"{self.count[nonce]:08x}", token(16)
            words += [f"nc={count}", f'cnonce="{cnonce}"', "qop=auth",
                      f'response="{sum_of(ha1, nonce, count, cnonce, "auth", ha2)}"']
        else:
            words.append(f'response="{sum_of(ha1, nonce, ha2)}"')
        if "opaque" in asked:
            words.append(f'opaque="{asked["opaque"]}"')
        return "Digest " + ", ".join(words)


class Connection:
    """One TCP connection of a peer: buffers, frames, answers keep-alive."""

    def __init__(self, peer: "Peer", sock: socket.socket):
        self.peer = peer
        self.sock = sock
        self.buffer = b""
        self.open = True
        self.pongs = 0
        sock.setblocking(True)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.wire.selector.register(sock, selectors.EVENT_READ, self.readable)

    def send(self, raw: bytes):
        self.sock.sendall(raw)

    def readable(self):
        try:
            data = self.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self.buffer += data
        for raw in self.frames():
            self.peer.received(raw, self.sock_peer(), self)

    def sock_peer(self):
        try:
            return self.sock.getpeername()
        except OSError:
            return None

    def frames(self):
        while True:
            while self.buffer.startswith(b"\r\n"):
                self.buffer = self.buffer[2:]
                self.pongs += 1
            head, gap, rest = self.buffer.partition(b"\r\n\r\n")
            if not gap:
                return
            length = int(Message.parse(head + gap).get("Content-Length") or 0)
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            yield head + gap + rest[:length]

    def close(self):
        if self.open:
            self.open = False
            self.peer.wire.selector.unregister(self.sock)
            self.sock.close()


@dataclass
class Exchange:
    """One client transaction: what was asked, what came back."""

    peer: "Peer"
    raw: bytes
    request: Message
    retransmit: bool
    sent: float
    interval: float = T1
    next_send: float = 0.0
    responses: list[Message] = field(default_factory=list)

    @property
    def final(self) -> Message | None:
        return next((response for response in self.responses if response.status >= 200), None)

    def provisional(self, status: int) -> Message | None:
        return next((response for response in self.responses if response.status == status), None)

    def wait(self, timeout: float = 8.0) -> Message:
        """The final response."""
        what = f"final response to {self.request.start}"
        return self.peer.wire.until(lambda: self.final, timeout, what)

    def silent(self, within: float) -> bool:
        self.peer.wire.run(within)
        return not self.responses


class Wire:
    """All raw peers of one test and the one place where they wait."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.peers: list[Peer] = []

    def peer(self, server, **options) -> "Peer":
        made = Peer(self, server, **options)
        self.peers.append(made)
        return made

    def turn(self, timeout: float):
        """One look at all sockets; sends what is due again."""
        now = time.monotonic()
        for peer in self.peers:
            due = peer.resend(now)
            if due is not None:
                timeout = min(timeout, max(0.0, due - now))
        if not self.selector.get_map():
            time.sleep(timeout)
            return
        for key, _ in self.selector.select(timeout):
            if key.fileobj.fileno() >= 0:
                key.data()

    def until(self, probe, timeout: float, what: str):
        deadline = time.monotonic() + timeout
        while True:
            value = probe()
            if value:
                return value
            left = deadline - time.monotonic()
            if left <= 0:
                raise Late(f"{what}: not within {timeout} s")
            self.turn(min(left, 0.25))

    def run(self, seconds: float):
        """Lets time pass with the sockets served: for what must not come."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.turn(left)

    def close(self):
        for peer in self.peers:
            peer.close()
        self.selector.close()


class Peer:
    """A phone, a gateway or an attacker. Everything it sends can be overridden header by header."""

    def __init__(self, wire: Wire, server, transport="udp", user="anon", domain="example.test", password=None,
                 host="127.0.0.1", port=None, sent_by=None, contact_host=None, listen=False, rport=True,
                 instance=None):
        self.wire = wire
        self.server = server
        self.transport = transport
        self.user = user
        self.domain = domain
        self.aor = f"sip:{user}@{domain}"
        self.digest = Digest(user, password) if password is not None else None
        self.challenge: str | None = None
        self.host = host
        self.rport = rport
        self.instance = instance
        self.register_call_id = f"r{token()}@{host}"
        self.register_cseq = 0
        self.exchanges: dict[str, Exchange] = {}
        self.inbox: list[Message] = []  # new requests nobody has taken yet
        self.requests: list[Message] = []  # every new request ever
        self.seen: dict[tuple, Message] = {}
        self.answers: dict[tuple, bytes] = {}
        self.repeats = 0  # retransmissions that were received
        self.strays: list[Message] = []
        self.on_request = None  # callable(Message): for devices that answer by themselves
        self.connections: list[Connection] = []
        self.socket = None
        self.listener = None
        self.port = port or free_port(host)
        if transport == "udp":
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self.socket.bind((host, self.port))
            wire.selector.register(self.socket, selectors.EVENT_READ, self._datagram)
        else:
            self.connect()
        if listen:
            self.listen()
        self.sent_by = sent_by or f"{host}:{self.port}"
        suffix = ";transport=tcp" if transport == "tcp" else ""
        self.contact = f"sip:{user}@{contact_host or self.sent_by}{suffix}"

    # -- sockets -----------------------------------------------------------------------------------

    def connect(self) -> Connection:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.bind((self.host, 0))
        sock.settimeout(5)
        sock.connect(self.server)
        self.port = sock.getsockname()[1]
        made = Connection(self, sock)
        self.connections.append(made)
        return made

    def listen(self):
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.host, self.port))
        self.listener.listen(8)
        self.wire.selector.register(self.listener, selectors.EVENT_READ, self._accept)

    def _accept(self):
        sock, _ = self.listener.accept()
        self.connections.append(Connection(self, sock))

    def _datagram(self):
        try:
            raw, source = self.socket.recvfrom(65536)
        except OSError:  # ICMP: nobody there
            return
        if raw.strip(b"\r\n\0"):
            self.received(raw, source, None)

    def close(self):
        """Dies without a word: sockets shut, nothing unregistered."""
        for connection in self.connections:
            connection.close()
        for sock in (self.socket, self.listener):
            if sock is not None and sock.fileno() >= 0:
                self.wire.selector.unregister(sock)
                sock.close()
        self.socket = self.listener = None
        self.exchanges.clear()

    def send_raw(self, raw: bytes, to=None):
        if self.transport == "udp":
            self.socket.sendto(raw, to or self.server)
        else:
            self.connections[-1].send(raw)

    # -- as a client -------------------------------------------------------------------------------

    def build(self, method: str, uri: str, headers=(), body: bytes = b"", **replaced) -> bytes:
        """A request. `replaced` gives or (with None) leaves out a default header: call_id=..., from_=..."""
        via = f"SIP/2.0/{self.transport.upper()} {self.sent_by};branch={COOKIE}{token(16)}"
        default = {
            "via": via + (";rport" if self.rport else ""),
            "max_forwards": "70",
            "from_": f"<{self.aor}>;tag={token(8)}",
            "to": f"<{uri}>",
            "call_id": f"{token(16)}@{self.host}",
            "cseq": f"{replaced.pop('number', 1)} {method}",
        }
        unknown = set(replaced) - set(default)
        assert not unknown, f"not a default header: {unknown}"
        default.update(replaced)
        names = {"via": "Via", "max_forwards": "Max-Forwards", "from_": "From", "to": "To", "call_id": "Call-ID",
                 "cseq": "CSeq"}
        lines = [f"{method} {uri} SIP/2.0"]
        lines += [f"{names[key]}: {value}" for key, value in default.items() if value is not None]
        lines += [f"{name}: {value}" for name, value in headers]
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body

    def start(self, raw: bytes, retransmit: bool = True) -> Exchange:
        """Sends a built request; the answer is waited for with the Exchange."""
        request = Message.parse(raw)
        now = time.monotonic()
        exchange = Exchange(self, raw, request, retransmit and self.transport == "udp", now, next_send=now + T1)
        self.exchanges[request.branch] = exchange
        self.send_raw(raw)
        return exchange

    def resend(self, now: float) -> float | None:
        """Timer E of all open exchanges; returns when the next is due."""
        soonest = None
        for exchange in self.exchanges.values():
            if not exchange.retransmit or exchange.final or now - exchange.sent > 64 * T1:
                continue
            if now >= exchange.next_send:
                exchange.interval = T2 if exchange.responses else min(2 * exchange.interval, T2)
                exchange.next_send = now + exchange.interval
                self.send_raw(exchange.raw)
            soonest = min(soonest or exchange.next_send, exchange.next_send)
        return soonest

    def begin(self, method: str, uri: str, headers=(), body: bytes = b"", auth: bool = True,
              retransmit: bool = True, **replaced) -> Exchange:
        """Sends a request, with credentials where a challenge is already known; does not wait."""
        headers = list(headers)
        if auth and self.digest and self.challenge:
            name = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
            headers.append((name, self.digest.answer(self.challenge, method, uri)))
        return self.start(self.build(method, uri, headers, body, **replaced), retransmit)

    def request(self, method: str, uri: str, headers=(), body: bytes = b"", timeout: float = 8.0, auth: bool = True,
                **replaced) -> Message:
        """Final response; answers one challenge where credentials are known."""
        number = replaced.pop("number", 1)
        replaced.setdefault("call_id", f"{token(16)}@{self.host}")
        replaced.setdefault("from_", f"<{self.aor}>;tag={token(8)}")
        response = self.begin(method, uri, headers, body, auth, number=number, **replaced).wait(timeout)
        if response.status in (401, 407) and auth and self.digest:
            self.challenge = response.get("WWW-Authenticate") or response.get("Proxy-Authenticate")
            replaced.pop("via", None)
            response = self.begin(method, uri, headers, body, auth, number=number + 1, **replaced).wait(timeout)
        return response

    def probe(self, uri: str) -> list[int]:
        """Sends one OPTIONS more to a server that may not be up yet; what any of them was answered so far."""
        self.start(self.build("OPTIONS", uri), retransmit=False)
        self.wire.turn(0.05)
        return [exchange.final.status for exchange in self.exchanges.values() if exchange.final]

    def register(self, expires: int | None = 300, contact: str | None = None, headers=(), timeout: float = 8.0,
                 **replaced) -> Message:
        """REGISTER under this peer's lasting Call-ID with rising CSeq. contact="": a query."""
        if contact is None:
            contact = f"<{self.contact}>"
            if self.instance:
                contact += f';+sip.instance="<{self.instance}>"'
        headers = list(headers)
        if contact:
            headers.append(("Contact", contact))
        if expires is not None:
            headers.append(("Expires", str(expires)))
        self.register_cseq += 2  # room for the repeat with credentials
        replaced.setdefault("call_id", self.register_call_id)
        replaced.setdefault("number", self.register_cseq)
        replaced.setdefault("to", f"<{self.aor}>")
        return self.request("REGISTER", f"sip:{self.domain}", headers, timeout=timeout, **replaced)

    def online(self, **options) -> "Peer":
        """Registers and insists on 200."""
        response = self.register(**options)
        assert response.status == 200, response.raw
        return self

    @staticmethod
    def message_headers(content_type, headers):
        return ([("Content-Type", content_type)] if content_type else []) + list(headers)

    def message(self, uri: str, body="hello", content_type="text/plain", headers=(), timeout: float = 8.0,
                **options) -> Message:
        """MESSAGE and its final response."""
        data = body.encode() if isinstance(body, str) else body
        return self.request("MESSAGE", uri, self.message_headers(content_type, headers), data, timeout, **options)

    def begin_message(self, uri: str, body="hello", content_type="text/plain", headers=(), **options) -> Exchange:
        """MESSAGE without waiting; `learn_challenge` first, or it meets a 407."""
        data = body.encode() if isinstance(body, str) else body
        return self.begin("MESSAGE", uri, self.message_headers(content_type, headers), data, **options)

    def learn_challenge(self) -> "Peer":
        """Fetches a nonce with a query REGISTER, so that the next request carries credentials at once."""
        response = self.register(expires=None, contact="")
        assert response.status == 200, response.raw
        return self

    # -- as a server -------------------------------------------------------------------------------

    def received(self, raw: bytes, source, connection):
        message = Message.parse(raw)
        message.peer, message.source, message.connection = self, source, connection
        message.at = time.monotonic()
        if message.is_response:
            exchange = self.exchanges.get(message.branch)
            (exchange.responses if exchange else self.strays).append(message)
            return
        key = (message.branch, message.method)
        if key in self.seen:
            self.repeats += 1
            if key in self.answers:
                self._reply(message, self.answers[key])
            return
        self.seen[key] = message
        self.requests.append(message)
        if self.on_request:
            self.on_request(message)
        else:
            self.inbox.append(message)

    def expect(self, method: str = "MESSAGE", timeout: float = 6.0) -> Message:
        """The next new request of this method (retransmissions are absorbed, others stay waiting)."""

        def take():
            for index, message in enumerate(self.inbox):
                if message.method == method:
                    return self.inbox.pop(index)
            return None

        return self.wire.until(take, timeout, f"{self.aor} waits for {method}")

    def expect_none(self, method: str = "MESSAGE", within: float = 0.4):
        self.wire.run(within)
        found = [message.raw for message in self.inbox if message.method == method]
        assert not found, f"{self.aor} received {found}"

    def answer(self, request: Message, status: int, reason: str | None = None, headers=(), body: bytes = b""):
        lines = [f"SIP/2.0 {status} {reason or REASONS.get(status, 'Because')}"]
        to_tag = parameter(request.get("To").rpartition(">")[2] or request.get("To"), "tag")
        for name, value in request.headers:
            full = COMPACT.get(name.lower(), name.lower())
            if full == "to" and not to_tag and status > 100:
                value += f";tag={token(8)}"
            if full in ("via", "from", "to", "call-id", "cseq"):
                lines.append(f"{name}: {value}")
        lines += [f"{name}: {value}" for name, value in headers]
        lines.append(f"Content-Length: {len(body)}")
        raw = "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body
        self.answers[(request.branch, request.method)] = raw
        self._reply(request, raw)

    def _reply(self, request: Message, raw: bytes):
        if request.connection is not None:
            if request.connection.open:
                request.connection.send(raw)
        else:
            self.socket.sendto(raw, request.source)

    def take(self, timeout: float = 6.0, status: int = 200) -> Message:
        """Receives one MESSAGE and answers it."""
        message = self.expect("MESSAGE", timeout)
        self.answer(message, status)
        return message

    def take_all(self) -> "Peer":
        """From now on answers every MESSAGE (and OPTIONS) 200 by itself; `requests` keeps them."""
        self.on_request = lambda request: self.answer(request, 200)
        return self

    def texts(self) -> list[str]:
        return [message.text for message in self.requests if message.method == "MESSAGE"]

    def wait_texts(self, count: int, timeout: float = 10.0) -> list[str]:
        self.wire.until(lambda: len(self.texts()) >= count, timeout,
                        f"{self.aor} waits for {count} messages, has {len(self.texts())}")
        return self.texts()
