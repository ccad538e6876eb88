"""Keys of the vault: kept by the service manager, changed while the server runs, missing or wrong (T-255)."""
import json
import os

import pytest

from lib.mail import imap
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
    """T-255. That mail to open accounts is still taken is another matter: who an address leads to is the vault's to say."""
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
