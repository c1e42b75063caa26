"""What a device gets is what was written, byte for byte and in order: only Request-URI, Via, Max-Forwards, Max-Breadth,
Route and our own credentials differ (contract, first wire rule); Content-Length is a number and may be written anew."""

import zlib

import pytest

HEADERS = [
    ("Date", "Thu, 21 Feb 2002 13:02:03 GMT"),
    ("Subject", "lunch, at  noon?"),
    ("Priority", "urgent"),
    ("Content-Disposition", "render;handling=optional"),
    ("Content-Language", "de, en"),
    ("Reply-To", '"Büro" <sip:office@example.test>'),
    ("In-Reply-To", "70710@saturn.bell-tel.com, 17320@saturn.bell-tel.com"),
    ("X-Unknown", "kept; as=\"it is\" , with  two spaces"),
    ("X-unknown", "and a second one"),
]
BODIES = {
    "text": ("text/plain;charset=UTF-8;x=\"1\"", "grüße\r\n\r\n  spaces at the end  \r\n".encode(), []),
    "empty": (None, b"", []),
    "octets": ("application/octet-stream", bytes(range(256)), []),
    "deflated": ("message/imdn+xml", zlib.compress(b"<imdn/>" * 20), [("Content-Encoding", "deflate")]),
    "only line ends": ("text/plain", b"\r\n\r\n\n\r", []),
    "looks like headers": ("text/plain", b"Via: SIP/2.0/UDP evil\r\nContent-Length: 0\r\n\r\nBYE", []),
}
CHANGED = {"via", "max-forwards", "max-breadth", "content-length", "proxy-authorization", "authorization", "route"}


def kept(message):
    """The header lines as they were on the wire, each with its bytes, but those that may change."""
    lines = message.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return [line for line in lines if line.partition(b":")[0].strip().lower().decode() not in CHANGED]


def send(alice, bob, kind):
    content_type, body, more = BODIES[kind]
    exchange = alice.begin_message(
        bob.aor, body, content_type, HEADERS + more,
        from_=f'"Alice \\"A\\" Ж" <{alice.aor};x=y>;tag=a.b~c-1;other="p q"', to=f"Bob <{bob.aor}>",
        number=4294967, call_id="odd.%-!~*'_id@[::1]" + kind.replace(" ", "-") + str(bob.port))
    return exchange


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_live_message(person, kind, transport):
    bob = person("bob", transport=transport).online()
    alice = person("alice").learn_challenge()
    exchange = send(alice, bob, kind)
    got = bob.take()
    assert exchange.wait().status == 200
    assert kept(got) == kept(exchange.request)
    assert got.body == exchange.request.body
    assert got.get("Content-Length") == str(len(got.body))
    assert got.uri == bob.contact
    assert got.get("Max-Forwards") == "69"
    assert len(got.vias) == 2
    assert not got.all("Proxy-Authorization")
    assert not got.all("Record-Route")
    assert not got.all("Route")
    assert not got.all("Contact")


@pytest.mark.parametrize("kind", BODIES)
def test_a_stored_message(person, kind):
    alice = person("alice").learn_challenge()
    bob = person("bob")
    exchange = send(alice, bob, kind)
    assert exchange.wait().status == 202
    got = bob.online().take()
    assert kept(got) == kept(exchange.request)
    assert got.body == exchange.request.body
    assert got.get("Content-Length") == str(len(got.body))
    assert got.uri == bob.contact
    assert got.get("Max-Forwards") == "70"
    assert len(got.vias) == 1


def test_a_message_without_date_gets_one_and_keeps_it(person):
    alice, bob = person("alice").learn_challenge(), person("bob", transport="tcp")
    assert alice.begin_message(bob.aor, "undated").wait().status == 202
    first = bob.online().expect()
    bob.connections[-1].close()  # it dies without an answer
    bob.connect()
    bob.contact = f"sip:{bob.user}@{bob.host}:{bob.port};transport=tcp"
    again = bob.online().take()
    assert first.get("Date").endswith(" GMT")
    assert again.get("Date") == first.get("Date")
    assert again.identity == first.identity


def test_the_2xx_has_neither_body_nor_contact(person):
    alice, bob = person("alice"), person("bob").online()
    bob.on_request = lambda request: bob.answer(
        request, 200, headers=[("Contact", "<sip:leak@192.0.2.1>"), ("Content-Type", "text/plain")], body=b"thanks")
    response = alice.message(bob.aor, "hello")
    assert response.status == 200
    assert response.body == b""
    assert not response.all("Contact")


def test_compact_and_folded_headers_arrive_with_their_meaning(person):
    alice, bob = person("alice").learn_challenge(), person("bob").online().take_all()
    raw = alice.build("MESSAGE", bob.aor, [("Proxy-Authorization",
                                            alice.digest.answer(alice.challenge, "MESSAGE", bob.aor))])
    raw = raw.replace(b"From:", b"f:").replace(b"Call-ID:", b"i :").replace(b"Content-Length: 0", b"l: 2\r\nc:text/\r\n plain")
    raw = raw.replace(b"text/\r\n plain", b"text/plain\r\nX-Folded: one\r\n two") + b"ok"
    assert alice.start(raw).wait().status == 200
    got = bob.requests[0]
    assert got.body == b"ok"
    assert got.get("Content-Type") == "text/plain"
    assert got.get("X-Folded").split() == ["one", "two"]
