"""Keys of the vault: kept by the service manager, changed while the server runs, missing or wrong (T-255)."""
import json
import os

import pytest

from lib.mail import imap
from lib.server import Server


def imap_login(server, account):
    imap(server, account).logout()
    return True


@pytest.fixture
def server():
    s = Server().start()
    yield s
    s.stop()
    s.remove()


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
    server.stop()
    # The command works on the same keys while no server runs.
    assert json.loads(server.run("account", "list", "--json").stdout)
    assert not keys.exists()
