"""The registrar, RFC 3261 §10 whole."""

import re

import pytest

from support.sipwire import parameter


def contacts(response):
    return [part.strip() for value in response.all("Contact") for part in re.split(r",\s*(?=[<\"])", value)]


def uris(response):
    return {re.search(r"<([^>]+)>", contact).group(1) for contact in contacts(response)}


def expires_of(response, uri):
    return next(int(parameter(contact, "expires")) for contact in contacts(response) if f"<{uri}>" in contact)


def query(phone):
    response = phone.register(expires=None, contact="")
    assert response.status == 200
    return response


def test_a_binding_is_listed_with_its_time(person):
    bob = person("bob")
    response = bob.register(expires=120)
    assert response.status == 200
    assert uris(response) == {bob.contact}
    assert 118 <= expires_of(response, bob.contact) <= 120
    assert uris(query(bob)) == {bob.contact}


def test_nothing_registered_nothing_listed(person):
    assert contacts(query(person("bob"))) == []


def test_several_contacts_in_one_request(person):
    bob = person("bob")
    response = bob.register(contact="<sip:a@127.0.0.1:1111>;expires=60, <sip:b@127.0.0.1:2222>;q=0.5", expires=600)
    assert response.status == 200
    assert uris(response) == {"sip:a@127.0.0.1:1111", "sip:b@127.0.0.1:2222"}
    assert 58 <= expires_of(response, "sip:a@127.0.0.1:1111") <= 60
    assert 598 <= expires_of(response, "sip:b@127.0.0.1:2222") <= 600
    listed = next(contact for contact in contacts(response) if "2222" in contact)
    assert float(parameter(listed, "q")) == 0.5


def test_one_contact_goes_the_other_stays(person):
    bob = person("bob")
    bob.register(contact="<sip:a@127.0.0.1:1111>, <sip:b@127.0.0.1:2222>")
    response = bob.register(contact="<sip:a@127.0.0.1:1111>;expires=0", expires=None)
    assert response.status == 200
    assert uris(response) == {"sip:b@127.0.0.1:2222"}


def test_star_removes_all(person):
    bob = person("bob")
    bob.register(contact="<sip:a@127.0.0.1:1111>, <sip:b@127.0.0.1:2222>")
    response = bob.register(contact="*", expires=0)
    assert response.status == 200
    assert contacts(response) == []
    assert contacts(query(bob)) == []


@pytest.mark.parametrize(("contact", "expires"), [("*", 300), ("*", None), ("*, <sip:a@127.0.0.1:1111>", 0)])
def test_star_goes_only_alone_and_with_zero(person, contact, expires):
    bob = person("bob").online()
    assert bob.register(contact=contact, expires=expires).status == 400
    assert uris(query(bob)) == {bob.contact}


def test_no_expires_gets_the_default(person):
    bob = person("bob")
    response = bob.register(expires=None)
    assert 3500 <= expires_of(response, bob.contact) <= 3600


def test_too_long_is_cut(person):
    bob = person("bob")
    response = bob.register(expires=4000000000)
    assert response.status == 200
    assert expires_of(response, bob.contact) <= 7200


def test_too_brief_is_423(person):
    bob = person("bob")
    response = bob.register(expires=1)
    assert response.status == 423
    assert int(response.get("Min-Expires")) > 1
    assert contacts(query(bob)) == []


@pytest.mark.parametrize("expires", ["x", "-1", "99999999999999999999", "1 2"])
def test_an_expires_that_is_no_number(person, expires):
    """RFC 3261 §10.2.1.1: malformed values are 3600; a 400 is as good."""
    bob = person("bob")
    response = bob.register(contact=f"<{bob.contact}>;expires={expires}", expires=None)
    assert response.status in (200, 400)


def test_the_same_contact_in_another_spelling_is_the_same_binding(person):
    bob = person("bob")
    bob.register(contact="<sip:bob@phone.example.test:5060>")
    response = bob.register(contact="<sip:%62ob@PHONE.example.test:5060>")
    assert len(contacts(response)) == 1


def test_contacts_that_differ_are_two(person):
    bob = person("bob")
    bob.register(contact="<sip:bob@phone.example.test>")
    assert len(contacts(bob.register(contact="<sip:Bob@phone.example.test>"))) == 2


def test_an_older_cseq_of_the_same_call_changes_nothing(person):
    bob = person("bob").learn_challenge()
    assert bob.register(number=100).status == 200
    late = bob.register(number=50, expires=0)
    assert late.status >= 400
    assert uris(query(bob)) == {bob.contact}


def test_an_older_cseq_of_another_call_counts(person):
    """The phone was restarted."""
    bob = person("bob").learn_challenge()
    assert bob.register(number=100).status == 200
    response = bob.register(number=1, call_id="after-the-restart", expires=0)
    assert response.status == 200
    assert contacts(response) == []


def test_all_or_nothing(person):
    """RFC 3261 §10.3 step 7: one bad contact, none is bound."""
    bob = person("bob")
    response = bob.register(contact="<sip:a@127.0.0.1:1111>, <sip:b@127.0.0.1:2222>;expires=1")
    assert response.status == 423
    assert contacts(query(bob)) == []


@pytest.mark.parametrize("contact", ["<sip:>", "<>", "<sip:a@>", "nothing", "<sip:a@127.0.0.1:99999>",
                                     "<sip:a@127.0.0.1", '"x <sip:a@127.0.0.1>'])
def test_a_contact_that_is_none(person, contact):
    bob = person("bob")
    assert bob.register(contact=contact).status == 400
    assert contacts(query(bob)) == []


def test_at_most_so_many_bindings(start_server, wire):
    server = start_server({"limits": {"bindings_per_account": 3}})
    bob = server.peer(wire, server.account("bob"))
    for number in range(3):
        assert bob.register(contact=f"<sip:b@127.0.0.1:{2000 + number}>").status == 200
    assert bob.register(contact="<sip:b@127.0.0.1:2009>").status in (403, 503)
    assert bob.register(contact="<sip:b@127.0.0.1:2000>").status == 200  # a refresh is not a new one
    assert len(contacts(query(bob))) == 3


def test_the_instance_and_its_parameters_are_kept(person):
    bob = person("bob", instance="urn:uuid:00000000-0000-4000-8000-00000000b0b0")
    response = bob.register(headers=[("Supported", "path, outbound, gruu")])
    assert '+sip.instance="<urn:uuid:00000000-0000-4000-8000-00000000b0b0>"' in contacts(response)[0]


def test_another_domain_is_not_registered_here(server, person):
    """The line to add to the configuration is logged."""
    bob = person("bob")
    response = bob.register(to="<sip:bob@elsewhere.test>", from_="<sip:bob@elsewhere.test>;tag=1")
    assert response.status in (403, 404)
    domain = bob.request("REGISTER", "sip:elsewhere.test", [("Contact", f"<{bob.contact}>")],
                         to="<sip:bob@elsewhere.test>", from_="<sip:bob@elsewhere.test>;tag=1")
    assert domain.status in (403, 404)
    server.process.wait_line(r"elsewhere\.test", 3)


def test_register_at_one_of_our_addresses_means_the_first_domain(server, person):
    """Small sites type 1001@192.168.1.10."""
    bob = person("bob")
    address = f"{server.host}:{server.port}"
    response = bob.request("REGISTER", f"sip:{address}", [("Contact", f"<{bob.contact}>"), ("Expires", "300")],
                           to=f"<sip:{bob.user}@{server.host}>", from_=f"<sip:{bob.user}@{server.host}>;tag=1")
    assert response.status == 200
    bob.take_all()
    assert person("alice").message(bob.aor, "at home").status == 200


def test_an_unregistered_phone_gets_nothing_live(person):
    bob, alice = person("bob").online().take_all(), person("alice")
    assert alice.message(bob.aor, "one").status == 200
    assert bob.register(expires=0).status == 200
    assert alice.message(bob.aor, "two").status == 202
    assert bob.texts() == ["one"]


def test_an_expired_binding_is_gone(start_server, wire):
    server = start_server({"limits": {"register_min_s": 1}})
    bob = server.peer(wire, server.account("bob")).take_all()
    assert bob.register(expires=1).status == 200
    wire.run(2.2)
    assert contacts(query(bob)) == []
    alice = server.peer(wire, server.account("alice"))
    assert alice.message(bob.aor, "too late").status == 202
    assert not bob.requests


def test_the_200_carries_a_date_or_none_but_no_body(person):
    response = person("bob").register()
    assert response.body == b""
    assert ";tag=" in response.get("To")
