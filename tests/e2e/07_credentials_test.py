"""Nobody registers or writes without the right password, and no answer tells which users exist."""

import re

import pytest

from support.sipwire import challenge_parameters


@pytest.fixture(scope="module")
def both_hashes(start_server):
    return start_server({"auth": {"digest": ["sha-256", "md5"]}})


def challenge_of(response):
    return response.get("WWW-Authenticate") or response.get("Proxy-Authenticate")


def masked(response):
    """The answer without what must differ from request to request."""
    text = response.raw.decode()
    text = re.sub(r'nonce="[^"]*"', "nonce", text)
    text = re.sub(r"(branch=|tag=|received=|rport=)[^;\r]*", r"\1", text)
    return re.sub(r"(?im)^(Call-ID|From|To|Via|Date):.*\r\n", "", text)


def test_message_without_credentials(person):
    alice, bob = person("alice"), person("bob").online().take_all()
    response = alice.message(bob.aor, "no", auth=False)
    assert response.status == 407
    assert not bob.requests
    asked = challenge_parameters(response.get("Proxy-Authenticate"))
    assert asked["scheme"] == "Digest"
    assert asked["realm"] == "example.test"
    assert asked.get("algorithm", "MD5") == "MD5"
    assert "auth" in asked["qop"]
    assert len(response.all("Proxy-Authenticate")) == 1
    assert not response.all("WWW-Authenticate")


def test_register_without_credentials(person):
    response = person("alice").register(auth=False)
    assert response.status == 401
    assert len(response.all("WWW-Authenticate")) == 1
    assert challenge_parameters(response.get("WWW-Authenticate"))["realm"] == "example.test"


def test_a_wrong_password(person):
    alice, bob = person("alice"), person("bob").online().take_all()
    alice.digest.password = "guess"
    for response in (alice.register(), alice.message(bob.aor, "no")):
        assert response.status in (401, 407)
        assert challenge_parameters(challenge_of(response)).get("stale", "false").lower() != "true"
    assert not bob.requests


@pytest.mark.parametrize("method", ["REGISTER", "MESSAGE"])
@pytest.mark.parametrize("credentials", ["none", "wrong"])
def test_known_and_unknown_users_get_the_same_answer(server, wire, person, method, credentials):
    bob = person("bob")
    answers = []
    for peer in (person("alice"), server.peer(wire, user="alicf1", password="guess")):
        peer.digest.password = "guess"
        auth = credentials == "wrong"
        response = peer.register(auth=auth) if method == "REGISTER" else peer.message(bob.aor, "x", auth=auth)
        assert response.status == (401 if method == "REGISTER" else 407)
        answers.append(response)
    assert masked(answers[0]) == masked(answers[1])
    assert len({len(challenge_parameters(challenge_of(answer))["nonce"]) for answer in answers}) == 1


def test_whether_the_recipient_exists_is_told_to_nobody_without_credentials(person):
    alice, bob = person("alice"), person("bob")
    known = alice.message(bob.aor, "x", auth=False)
    unknown = alice.message("sip:nobody@example.test", "x", auth=False)
    assert masked(known) == masked(unknown)


def test_credentials_of_another_user_do_not_register_me(person):
    alice, bob = person("alice"), person("bob")
    bob.digest = alice.digest
    assert bob.register().status in (401, 403)
    assert "Contact" not in dict(person("carol").register(expires=None, contact="").headers)


def test_user_at_domain_as_username(person):
    alice = person("alice")
    alice.digest.user = f"{alice.user}@example.test"
    assert alice.register().status == 200


@pytest.mark.parametrize(("method", "name"), [("REGISTER", "Proxy-Authorization"), ("MESSAGE", "Authorization")])
def test_either_credentials_header_is_read(person, method, name):
    alice = person("alice").learn_challenge()
    uri = "sip:example.test" if method == "REGISTER" else alice.aor
    credentials = alice.digest.answer(alice.challenge, method, uri)
    response = alice.request(method, uri, [(name, credentials)], auth=False, to=f"<{alice.aor}>")
    assert response.status in (200, 202)


def test_the_digest_uri_need_not_equal_the_request_uri(person, server):
    alice = person("alice").learn_challenge()
    credentials = alice.digest.answer(alice.challenge, "MESSAGE", f"sip:{server.host}:{server.port}")
    response = alice.message(alice.aor, "as sipp does", headers=[("Proxy-Authorization", credentials)], auth=False)
    assert response.status == 202


def test_a_nonce_that_is_not_ours_is_challenged_anew(person):
    alice = person("alice").learn_challenge()
    alice.challenge = re.sub(r'nonce="[^"]*"', 'nonce="bm90IG91cnM="', alice.challenge)
    response = alice.begin_message(alice.aor, "x").wait()
    assert response.status == 407


def test_a_used_nc_does_not_open_a_second_request(person):
    alice = person("alice").learn_challenge()
    used = alice.digest.answer(alice.challenge, "MESSAGE", alice.aor)
    assert alice.message(alice.aor, "one", headers=[("Proxy-Authorization", used)], auth=False).status == 202
    replay = alice.message(alice.aor, "two", headers=[("Proxy-Authorization", used)], auth=False)
    assert replay.status == 407
    assert challenge_parameters(challenge_of(replay)).get("stale", "").lower() == "true"


def test_the_method_is_part_of_the_digest(person):
    alice = person("alice").learn_challenge()
    other = alice.digest.answer(alice.challenge, "OPTIONS", alice.aor)
    assert alice.message(alice.aor, "x", headers=[("Proxy-Authorization", other)], auth=False).status == 407


@pytest.mark.parametrize("broken", [
    "Digest", "Digest ", "Basic YWxpY2U6c2VjcmV0", 'Digest username="a"', "Digest " + "x" * 3000,
    'Digest username="{user}", realm="example.test", nonce="{nonce}", uri="sip:x", response=""',
    'Digest username="{user}", realm="elsewhere.test", nonce="{nonce}", uri="sip:x", response="'
    + "0" * 32 + '"',
    'Digest username="{user}", realm="example.test", nonce="{nonce}", uri="sip:x", response="' + "0" * 31 + '"',
])
def test_broken_credentials_open_nothing(person, broken):
    alice = person("alice").learn_challenge()
    nonce = challenge_parameters(alice.challenge)["nonce"]
    value = broken.replace("{user}", alice.user).replace("{nonce}", nonce)
    response = alice.message(alice.aor, "x", headers=[("Proxy-Authorization", value)], auth=False)
    assert response.status in (400, 403, 407)


def test_both_hashes_come_in_two_headers_strongest_first(both_hashes, wire):
    alice = both_hashes.peer(wire, both_hashes.account("alice"))
    response = alice.register(auth=False)
    algorithms = [challenge_parameters(value)["algorithm"] for value in response.all("WWW-Authenticate")]
    assert algorithms == ["SHA-256", "MD5"]
    for challenge in response.all("WWW-Authenticate"):
        alice.challenge = challenge
        assert alice.register().status == 200


def test_a_hash_that_is_switched_off_is_not_taken(person):
    alice = person("alice").learn_challenge()
    forced = alice.challenge + ", algorithm=SHA-256" if "algorithm" not in alice.challenge else re.sub(
        r"algorithm=\"?[\w-]+\"?", "algorithm=SHA-256", alice.challenge)
    credentials = alice.digest.answer(forced, "MESSAGE", alice.aor)
    response = alice.message(alice.aor, "x", headers=[("Proxy-Authorization", credentials)], auth=False)
    assert response.status == 407
