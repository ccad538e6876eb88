"""T-296: a full disk. Mail is deferred, not lost; reading, deleting and signing in go on; all is well again by itself."""
import os
import re

import pytest

from lib.mail import deliver, inbox, message, pop3
from lib.raw import Imap, Smtp
from lib.server import Server, threat, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system of its own")


@pytest.fixture(scope="module")
def server():
    s = Server(tmpfs_mib=400)
    try:
        s.start()
        s.add_account("alice")
        yield s
        s.stop()
    except BaseException:
        print(s.log_text()[-6000:])
        raise
    finally:
        s.remove()


def fill(server):
    """Leaves less than the reserve: first down to 8 MiB, which only the reserve protects, then to nothing."""
    free = os.statvfs(server.base)
    path = server.base / "filler"
    with open(path, "ab") as f:
        left = free.f_bavail * free.f_frsize - 8 * 1024 * 1024
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

    def delivered():
        mark, data = message("x@their.test", alice.address, subject="after")
        try:
            deliver(server, "x@their.test", [alice.address], data)
            return True
        except Exception:
            return False
    wait_until(delivered, 60, "mail to be taken again")
    assert any(b"Subject: after" in m for m in inbox(server, alice).values())
    threat("T-296", cases + 1)
