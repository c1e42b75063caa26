"""`telexctl`: accounts while the server runs, what waits, who is registered."""

import json

from support.process import run
from support.telexd import environment, program


def test_a_new_account_works_at_once_and_a_deleted_one_no_more(server, wire):
    account = server.account("bob")
    bob = server.peer(wire, account).online()
    assert account.aor in server.ctl("user", "list")
    server.ctl("user", "del", account.aor)
    assert account.aor not in server.ctl("user", "list")
    assert bob.register().status in (401, 403)
    assert server.peer(wire, server.account("alice")).message(account.aor, "?").status == 404


def test_the_same_account_twice_sets_no_second_one(server, wire):
    account = server.account("bob")
    run([program("telexctl"), "--data", server.data, "user", "add", account.aor, "--password-stdin"], server.folder,
        "other\n", environment())
    listed = [line for line in server.ctl("user", "list").splitlines() if account.aor in line]
    assert len(listed) == 1


def test_the_newline_is_not_part_of_the_password(server, wire):
    server.ctl("user", "add", "sip:newline@example.test", "--password-stdin", stdin="with space \n")
    assert server.peer(wire, user="newline", password="with space ").register().status == 200


def test_a_display_name(server):
    server.ctl("user", "add", "sip:named@example.test", "--name", "Grete Hermann", "--password-stdin", stdin="pw\n")
    assert "Grete Hermann" in server.ctl("user", "list")


def test_import_of_many_lines(server, wire):
    lines = "".join(f"sip:import{number}@example.test,secret {number},Name {number}\n" for number in range(2000))
    server.ctl("user", "import", "-", stdin=lines)
    assert server.peer(wire, user="import1999", password="secret 1999").register().status == 200
    file = server.folder / "users.csv"
    file.write_text("sip:fromfile@example.test,pw\n")
    server.ctl("user", "import", str(file))
    assert server.peer(wire, user="fromfile", password="pw").register().status == 200


def test_accounts_survive_a_kill(start_server, wire):
    server = start_server()
    account = server.account("bob")
    server.kill()
    server.restart()
    assert server.peer(wire, account).register().status == 200


def test_what_waits_is_listed_and_purged(server, wire):
    account = server.account("bob")
    alice = server.peer(wire, server.account("alice"))
    assert alice.message(account.aor, "not for the eyes of telexctl list").status == 202
    listed = server.ctl("mailbox", "list", account.aor)
    assert alice.user in listed
    assert json.loads(server.ctl("--json", "mailbox", "list", account.aor))
    server.ctl("mailbox", "purge", account.aor)
    bob = server.peer(wire, account).online()
    bob.expect_none(within=1.0)


def test_registrations_and_status(server, wire):
    bob = server.peer(wire, server.account("bob")).online()
    assert bob.contact in server.ctl("registrations")
    assert json.loads(server.ctl("--json", "registrations"))
    assert server.ctl("status").strip()
    assert isinstance(json.loads(server.ctl("--json", "status")), dict)


def test_reload_keeps_everybody(server, wire):
    bob = server.peer(wire, server.account("bob")).online().take_all()
    server.ctl("reload")
    assert server.peer(wire, server.account("alice")).message(bob.aor, "after the reload").status == 200


def test_reload_takes_a_new_route_and_refuses_a_broken_file(start_server, wire):
    server = start_server()
    alice = server.peer(wire, server.account("alice"))
    hop = wire.peer(server.address, user="hop", host="127.0.0.6").take_all()
    assert alice.message("sip:x@later.test", "?").status == 404
    config = server.folder / "telexd.yaml"
    before = config.read_text()
    config.write_text(before + f'routes: {{later.test: "udp:127.0.0.6:{hop.port}"}}\n')
    server.ctl("reload")
    assert alice.message("sip:x@later.test", "now").status == 200
    config.write_text("domains: [\n")
    done = run([program("telexctl"), "--data", server.data, "reload"], server.folder, "", environment())
    assert done.returncode != 0
    assert alice.message("sip:x@later.test", "still").status == 200


def test_it_says_so_when_no_server_runs(tmp_path):
    done = run([program("telexctl"), "--data", tmp_path, "status"], tmp_path, "", environment())
    assert done.returncode != 0
    assert str(tmp_path) in done.stderr
