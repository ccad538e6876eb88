"""The `letterlock` command against a running server: status, client passwords that live and die, why, reload, backup."""
import imaplib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from lib.mail import deliver, imap, inbox, message
from lib.server import COMMAND, Account, Server, wait_until


def test_status_shows_processes_listeners_and_sessions(server, alice):
    client = imap(server, alice)
    client.select("INBOX")
    lines = server.json("status")["items"]
    processes = {l["process"].split("-")[0] for l in lines}
    assert processes >= {"supervisor", "vault", "gate", "keeper", "scan", "relay", "scribe"}
    assert {l["detail"].split()[0] for l in lines if l["subject"] == "listener"} >= {"smtp", "imaps", "submission"}
    assert any(l["subject"] == "session" for l in lines), lines
    client.logout()
    text = server.run("status").stdout
    assert text.startswith("Process") and "vault" in text


def test_commands_reach_the_running_server(server, alice):
    assert server.run("account", "add", "carol@ours.test", "--no-password").returncode == 0
    mark, data = message("x@their.test", "carol@ours.test")
    deliver(server, "x@their.test", ["carol@ours.test"], data)
    carol = Account("carol@ours.test", server.add_client("carol@ours.test"))
    assert any(mark.encode() in m for m in inbox(server, carol).values())
    shown = server.json("account", "show", "carol@ours.test")["account"]
    home = server.dir / "accounts" / f"{shown['slot']:02x}" / shown["account"]
    assert home.exists()
    assert server.run("account", "remove", "carol@ours.test", check=False).returncode == 64  # nobody to ask, no --yes
    assert server.run("account", "remove", "carol@ours.test", "--yes").returncode == 0
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, carol)
    wait_until(lambda: not home.exists(), what="the end of its mail")


def test_revoked_means_gone(server, alice):
    made = server.json("client", "add", alice.address, "lost phone")
    phone = Account(alice.address, made["secret"])
    session = imap(server, phone)
    session.select("INBOX")
    server.run("client", "revoke", alice.address, str(made["credential"]))

    def is_gone():
        try:
            session.noop()
            return False
        except (imaplib.IMAP4.abort, OSError):
            return True
    wait_until(is_gone, 5, "the end of the session")
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, phone)


def test_why_tells_the_reason_in_both_languages(server, alice):
    made = server.json("client", "add", alice.address, "old")
    server.run("client", "revoke", alice.address, str(made["credential"]))
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, Account(alice.address, made["secret"]))
    told = server.json("why", alice.address)["items"]
    assert any(i["reason"] == "revoked" and i["service"] == "imap" for i in told), told
    assert "was revoked" in server.run("why", alice.address).stdout
    assert "已被吊销" in server.run("why", alice.address, "--lang", "zh").stdout
    assert len(server.json("why", alice.address, "--count", "1")["items"]) == 1


def test_check_while_the_server_runs(server):
    done = server.run("check", str(server.dir))
    assert done.returncode == 0, done.stderr


def test_a_bad_reload_changes_nothing(server, alice):
    conf = server.dir / "letterlock.conf"
    good = conf.read_text()
    server.expect("reload.refused", "config.wrong")
    conf.write_text(good + "gates = 0\n")
    assert server.run("check", str(server.dir), check=False).returncode == 78
    before = len(server.log_lines())
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: any(l["level"] == "error" for l in server.log_lines()[before:]), what="a refusal in the log")
    server.expect(*{l["event"] for l in server.log_lines()[before:] if l["level"] == "error"})
    imap(server, alice).logout()
    conf.write_text(good)


def test_nobody_else_commands_the_server(server):
    if os.geteuid() != 0:
        pytest.skip("needs a second user")
    done = subprocess.run([COMMAND, "account", "list", "--dir", server.dir], capture_output=True, text=True, user=65534, group=65534,
                          extra_groups=[])
    assert done.returncode in (67, 77), done.stderr


def test_backup_while_mail_arrives_restores_whole(server, alice, bob):
    """T-324: all that was acknowledged before the start is in the copy, and the copy starts."""
    marks = {}
    for account in (alice, bob):
        marks[account.address] = []
        for i in range(5):
            mark, data = message("x@their.test", account.address, body=("x" * 70 + "\r\n") * (6000 if i == 4 else 1) + f"{i}")
            deliver(server, "x@their.test", [account.address], data)
            marks[account.address].append(mark)
    with tempfile.TemporaryDirectory() as base:
        dest = pathlib.Path(base) / "copy"
        answer = server.json("backup", str(dest))
        assert answer["ok"] and answer["accounts"] >= 2
        again = server.run("backup", str(dest), check=False)
        assert again.returncode == 73 and "exists already" in again.stderr
        names = [line.split("  ", 2)[2] for line in (dest / "MANIFEST").read_text().splitlines()]
        assert sorted(names) == sorted(str(p.relative_to(dest)) for p in dest.rglob("*") if p.is_file() and p.name != "MANIFEST")
        assert all(oct(p.stat().st_mode & 0o077) == "0o0" for p in dest.rglob("*"))
        restored = Server.__new__(Server)
        restored.__dict__.update(server.__dict__, base=pathlib.Path(base), dir=pathlib.Path(base) / "restored", process=None,
                                 log_path=pathlib.Path(base) / "log", expected=[])
        shutil.copytree(dest, restored.dir)
        restored.dir.chmod(0o700)
        from lib.server import DOORS, free_ports
        restored.ports = dict(zip(DOORS, free_ports(len(DOORS))))
        restored.configure("", "debug")
        restored.start()
        try:
            for account in (alice, bob):
                mail = b"".join(inbox(restored, account).values())
                assert all(mark.encode() in mail for mark in marks[account.address])
            assert inbox(restored, bob) == inbox(server, bob)
        finally:
            restored.stop()


def test_backup_leaves_nothing_half_done(server):
    with tempfile.TemporaryDirectory() as base:
        assert server.run("backup", f"{base}/none/copy", check=False).returncode == 74
        assert list(pathlib.Path(base).iterdir()) == []
