"""T-296: a full disk. Mail is deferred, not lost; reading, deleting and signing in go on; all is well again by itself."""
import contextlib
import os
import pathlib
import re
import smtplib
import tempfile

import pytest

from lib.faults import children
from lib.mail import deliver, inbox, message, pop3
from lib.raw import Imap, Smtp
from lib.server import Account, Server, threat, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system of its own")


@pytest.fixture(scope="module")
def server():
    with tempfile.TemporaryDirectory(prefix="letterlock-log-") as folder:
        def prepare(s):
            s.log_path = pathlib.Path(folder) / "log"  # not on the disk that is full
            s.expect("alert.journal-not-written")  # sign-ins are recorded; what waits is written when there is room

        with Server.running(["alice"], prepare, tmpfs_mib=400) as s:
            yield s


def fill(server, leave=8 * 1024 * 1024):
    """Leaves less than the reserve, which is for reading, deleting and signing in."""
    free = os.statvfs(server.base)
    path = server.base / "filler"
    left = free.f_bavail * free.f_frsize - leave
    with open(path, "ab", buffering=0) as f, contextlib.suppress(OSError):  # the server may have written meanwhile
        while left > 0:
            left -= f.write(b"\0" * min(left, 1 << 20))
    return path


def test_t296_full_disk(server, alice):
    for i in range(5):
        mark, data = message("x@their.test", alice.address, subject=f"before {i}", body="x" * 2000)
        deliver(server, "x@their.test", [alice.address], data)
    filler = fill(server)
    cases = 0
    with Smtp(server) as c:
        c.cmd("EHLO their.test")
        c.cmd("MAIL FROM:<x@their.test>")
        code, text = c.cmd(f"RCPT TO:<{alice.address}>")
        if code == 250:
            c.cmd("DATA")
            c.send("Subject: full\r\n\r\n" + "x" * 70 + "\r\n.\r\n")
            code, text = c.reply()
        assert code in (451, 452) and text.startswith("4.3"), (code, text)
        cases += 1
    with Imap(server, account=alice) as c:  # signing in works
        assert c.cmd("SELECT INBOX")[0] == "OK"
        kind, lines = c.cmd("APPEND INBOX {12+}\r\nSubject: x\r\n")
        assert kind == "NO" and re.search(r"\[(OVERQUOTA|UNAVAILABLE|LIMIT)\]", lines[-1]), lines
        assert c.cmd("FETCH 1:* (BODY.PEEK[])")[0] == "OK"
        assert c.cmd("STORE 1 +FLAGS (\\Seen \\Deleted)")[0] == "OK"
        kind, lines = c.cmd("EXPUNGE")
        assert kind == "OK" and lines[0] == "* 1 EXPUNGE", lines
        cases += 5
    client = pop3(server, alice)
    assert client.stat()[0] == 4
    client.dele(1)
    client.quit()
    assert len(inbox(server, alice)) == 3
    cases += 2
    filler.unlink()

    taken_again(server, alice)
    threat("T-296", cases + 1)


def taken_again(server, account):
    def delivered():
        mark, data = message("x@their.test", account.address, subject="after")
        try:
            deliver(server, "x@their.test", [account.address], data)
            return True
        except (OSError, smtplib.SMTPException):
            return False
    wait_until(delivered, 120, "mail to be taken again")
    assert any(b"Subject: after" in m for m in inbox(server, account).values())


def deferred(server, door, account, sender):
    """What a sender is told, at RCPT or at the end of its message."""
    with Smtp(server, door) as c:
        c.cmd("EHLO their.test")
        if door == "submissions":
            assert c.auth_plain(account.address, account.password)[0] == 235
        c.cmd(f"MAIL FROM:<{sender}>")
        code, _ = c.cmd(f"RCPT TO:<{account.address}>")
        if code == 250:
            c.cmd("DATA")
            c.send(f"From: {sender}\r\nSubject: full\r\n\r\n" + "x" * 70 + "\r\n.\r\n")
            code, _ = c.reply()
        return code


def test_t296_filled_again_and_again(server, alice):
    """Down to the last octets as well, the reserve gone: mail is deferred at both doors, what is there is read, nobody dies."""
    running, cases = sorted(pid for pid, _ in children(server)), 0
    for leave in (4 * 1024 * 1024, 65536, 0):
        filler = fill(server, leave)
        stored = inbox(server, alice)
        for door, sender in (("smtp", "x@their.test"), ("submissions", alice.address)):
            assert deferred(server, door, alice, sender) in (451, 452), (leave, door)
            cases += 1
        with Imap(server, account=alice) as c:
            assert c.cmd("SELECT INBOX")[0] == "OK", leave
            kind, lines = c.cmd("APPEND INBOX {12+}\r\nSubject: x\r\n")
            assert kind == "NO", (leave, lines)
            kind, lines = c.cmd("COPY 1 Archive")
            assert kind == "NO" and "[OVERQUOTA]" in lines[-1], (leave, lines)
            assert c.cmd("FETCH 1:* (BODY.PEEK[])")[0] == "OK"
        assert inbox(server, alice) == stored
        filler.unlink()
        taken_again(server, alice)
        cases += 5
    assert sorted(pid for pid, _ in children(server)) == running
    threat("T-296", cases)


def test_a_lost_phone_is_shut_out_on_a_full_disk(server, alice):
    """Room for it was set aside: at once, for as many as anybody loses, and it is still so when the disk has room again."""
    lost = [server.add_credential("client", alice.address, "--receive", label=f"phone {i}") for i in range(10)]
    with Imap(server, account=Account(alice.address, lost[0][0])) as phone:
        assert phone.cmd("SELECT INBOX")[0] == "OK"
        filler = fill(server, 0)
        for _, number in lost:
            server.run("client", "revoke", alice.address, number)
        assert any("BYE" in line for line in phone.rest())
    for again in range(2):
        for secret, _ in lost:
            with Imap(server) as c:
                assert c.cmd(f"LOGIN {alice.address} {secret}")[0] == "NO", again
        filler.unlink(missing_ok=True)
    taken_again(server, alice)
