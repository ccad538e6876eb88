"""Keys of the vault: kept by the service manager, changed while the server runs, missing or wrong (T-255)."""
import json
import os
import signal
import smtplib

import pytest

from lib.family import children
from lib.mail import imap, inbox, message
from lib.server import Server, threat, wait_until


def imap_login(server, account):
    imap(server, account).logout()
    return True


@pytest.fixture
def server():
    with Server.running() as s:
        yield s


def key_of(folder, container):
    return (folder / f"{container}.key").read_text()


def test_rotation_while_people_sign_in(server):
    alice = server.add_account("alice")
    keys = server.dir / "vault" / "keys"
    before = {c: key_of(keys, c) for c in ("accounts", "clients")}
    assert imap_login(server, alice)
    for _ in range(3):
        server.run("vault", "rotate")
        assert imap_login(server, alice)
    after = {c: key_of(keys, c) for c in ("accounts", "clients")}
    assert before["accounts"] != after["accounts"] and before["clients"] != after["clients"]
    server.stop()
    server.start()
    assert imap_login(server, alice)


def test_keys_from_the_service_manager(server, tmp_path):
    alice = server.add_account("alice")
    server.stop()
    held = tmp_path / "credentials"
    keys = server.dir / "vault" / "keys"
    os.rename(keys, held)
    for path in (held, *held.iterdir()):  # as systemd leaves them
        os.chown(path, 0, 0)
        path.chmod(0o500 if path.is_dir() else 0o400)
    server.configure(f"vault_keys = {held}", "debug")
    server.start()
    assert imap_login(server, alice)
    refused = server.run("vault", "rotate", check=False)
    assert refused.returncode != 0 and "service manager" in refused.stderr
    assert imap_login(server, alice)
    server.run("backup", str(tmp_path / "copy"))
    assert (tmp_path / "copy" / "vault" / "clients.db").exists() and not (tmp_path / "copy" / "vault" / "keys").exists()
    server.stop()
    # The command works on the same keys while no server runs.
    assert json.loads(server.run("account", "list", "--json").stdout)
    assert not keys.exists()


def flip_last_digit(key):
    text = key.read_text().rstrip("\n")
    key.write_text(text[:-1] + ("0" if text[-1] != "0" else "1") + "\n")


def swap(key):
    key.write_text(key_of(key.parent, "accounts"))


DAMAGES = {
    "absent": lambda key, old: key.unlink(),
    "empty": lambda key, old: key.write_text(""),
    "zero": lambda key, old: key.write_text("letterlock-key 1 clients " + "0" * 64 + "\n"),
    "one bit off": lambda key, old: flip_last_digit(key),
    "the old key": lambda key, old: key.write_text(old),
    "another container's": lambda key, old: swap(key),
    "readable by others": lambda key, old: key.chmod(0o644),
    "somebody else's": lambda key, old: os.chown(key, 4711, 4711),
    "not a key": lambda key, old: key.write_text("hello\n"),
}


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def refusal(server):
    """The vault's, or the supervisor's, which looks at owner and mode before it starts anything."""
    lines = [l for l in server.log_lines() if l["event"] in ("vault.unusable", "start.failed")]
    return lines[0] if lines else None


def restore(key, text, was):
    key.write_text(text)
    key.chmod(0o600)
    os.chown(key, was.st_uid, was.st_gid)


def test_a_wrong_key_stops_the_vault_and_changes_nothing(server):
    """T-255: the vault's side. Who mail goes to is another matter (below)."""
    alice = server.add_account("alice")
    vault = server.dir / "vault"
    key = vault / "keys" / "clients.key"
    old = key.read_text()
    server.run("vault", "rotate")
    server.stop()
    good, was = key.read_text(), key.stat()
    for name, damage in DAMAGES.items():
        damage(key, old)
        before = contents(vault)
        server.log_path.unlink(missing_ok=True)
        server.spawn()
        line = wait_until(lambda: refusal(server), 20, f"a refusal: {name}")
        assert "clients.key" in line.get("reason", line.get("problem")), name
        server.stop(check_log=False)
        assert contents(vault) == before, name
        restore(key, good, was)
    server.log_path.unlink(missing_ok=True)
    server.start()
    assert imap_login(server, alice)
    threat("T-255", len(DAMAGES))


def bring(server, recipient):
    """As another server would, in clear: the code of the first refusal, or 250; and the mark of the message."""
    mark, data = message("s@their.test", recipient)
    try:
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], local_hostname="their.test", timeout=60) as s:
            s.sendmail("s@their.test", [recipient], data)
        return 250, mark
    except smtplib.SMTPRecipientsRefused as e:
        return next(iter(e.recipients.values()))[0], mark


@pytest.fixture
def one_gate():
    with Server.running(extra="gates = 1") as s:
        yield s


def test_mail_goes_on_while_the_key_is_missing(one_gate):
    """T-255: to those who got mail before, as the vault said when it went away; to all others it is "later", and nobody is told no."""
    server = one_gate
    server.expect("vault.unusable", "start.failed")
    alice, bob = server.add_account("alice"), server.add_account("bob")
    server.run("alias", "add", "sales@ours.test", alice.address)
    server.run("alias", "add", "team@ours.test", alice.address)
    early = [bring(server, r) for r in (alice.address, "sales@ours.test", "team@ours.test")]
    assert [code for code, _ in early] == [250] * 3
    server.run("alias", "remove", "team@ours.test", alice.address)  # all that was told is forgotten
    early.append(bring(server, alice.address))
    early.append(bring(server, "Sales@Ours.Test"))
    key = server.dir / "vault" / "keys" / "clients.key"
    good, was = key.read_text(), key.stat()
    before = children(server)["vault"]
    flip_last_digit(key)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: refusal(server), what="a vault that refuses its key")
    late = {r: bring(server, r) for r in (alice.address, "ALICE@ours.test", "sales@ours.test", "team@ours.test", bob.address,
                                          "nobody@ours.test", "x@elsewhere.test")}
    assert {r: code for r, (code, _) in late.items()} == {
        alice.address: 250, "ALICE@ours.test": 250, "sales@ours.test": 250, "team@ours.test": 451, bob.address: 451,
        "nobody@ours.test": 451, "x@elsewhere.test": 451}
    restore(key, good, was)
    wait_until(lambda: imap_login(server, alice), 60, "the vault is back")
    stored = b"".join(inbox(server, alice).values()).decode()
    for code, mark in (*early, *late.values()):
        assert stored.count(f"Message-ID: <{mark}@test>") == (1 if code == 250 else 0)
    assert bring(server, "nobody@ours.test")[0] == 550
    assert bring(server, bob.address)[0] == 250
    threat("T-255", len(late))
