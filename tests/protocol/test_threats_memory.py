"""T-318 and T-326: what one person's session leaves behind for another's, and what the server tells about itself."""
import os
import pathlib
import platform
import re
import socket
import subprocess

from lib.mail import imap, message
from lib.raw import Imap, Pop3, Smtp
from lib.server import FULL, threat

CONFIG = "gates = 1\nkeepers = 2\nconnections_per_network = 1000"
ROUNDS = 2000 if FULL else 120


# ------------------------------------------------------------------------------------------------------------- T-318
def everything(c, *commands):
    """What a client receives for these commands and at the end, as octets."""
    for command in commands:
        c.send(command)
    seen = b""
    try:
        while more := c.sock.recv(65536):
            seen += more
    except OSError:
        pass
    return seen


def test_no_octets_of_another_person(server, alice, bob):
    """Alice reads her mail in every way, half of the time cut in the middle; Bob, on the same gate and keepers, must never
    receive anything of hers."""
    canary = "canary" + os.urandom(8).hex()
    _, data = message(alice.address, alice.address, subject=canary, body=(canary + " x" * 40 + "\r\n") * 400)
    client = imap(server, alice)
    assert client.append("INBOX", None, None, data)[0] == "OK"
    assert client.create(canary)[0] == "OK"
    client.logout()
    forbidden = (canary.encode(), alice.address.encode(), alice.password.encode())
    odd = ('t3 FETCH 1:* (BODY[1]<0.99999> ENVELOPE)\r\n', 't3 LIST "" "*"\r\n', 't3 SEARCH TEXT "canary"\r\n',
           't3 FETCH 1:* (BODYSTRUCTURE BODY[HEADER.FIELDS (SUBJECT)]<3.5>)\r\n', 't3 STATUS INBOX (MESSAGES SIZE)\r\n',
           't3 GETQUOTAROOT INBOX\r\n', 't3 FETCH 1:* (BODY[]<100000.50>)\r\n', 't3 ' + 'A' * 3000 + '\r\n')
    for i in range(ROUNDS):
        c = Imap(server, account=alice)
        c.cmd("SELECT INBOX")
        c.send("t9 FETCH 1:* (BODY.PEEK[] ENVELOPE)\r\n")
        c.sock.recv(1 << (i % 12))
        if i % 2:
            c.cmd("LOGOUT")
        c.close()
        if i % 10 == 0:
            with Pop3(server, account=alice) as p:
                p.send("RETR 1\r\n")
                p.sock.recv(300)
            with Pop3(server, account=bob) as p:
                seen = everything(p, "UIDL\r\n", "LIST\r\n", "TOP 1 9\r\n", "QUIT\r\n")
                assert not any(f in seen for f in forbidden), seen
        with Imap(server, account=bob) as c:
            seen = everything(c, "t2 SELECT INBOX\r\n", odd[i % len(odd)], "t4 NOOP\r\n", "t5 LOGOUT\r\n")
            assert b"t5 OK" in seen
            assert not any(f in seen for f in forbidden), seen
    threat("T-318", ROUNDS)


# ------------------------------------------------------------------------------------------------------------- T-326
def replies(server, alice):
    """What each door says to strangers and to people, on good and bad commands."""
    told = {}
    with Smtp(server) as c:
        told["smtp"] = [c.greeting[1], *(c.cmd(w)[1] for w in (
            "EHLO a.test", "HELP", "VRFY root", "EXPN all", "NOOP", "XYZZY", "MAIL FROM:<a@b", "RCPT TO:<x>", "DATA", "BDAT x", "RSET"))]
    with Smtp(server, "submissions") as c:
        told["submission"] = [c.greeting[1], *(c.cmd(w)[1] for w in ("EHLO a.test", "AUTH FOO", "AUTH PLAIN AAAA", "MAIL FROM:<a@b>"))]
        told["submission"].append(c.auth_plain(alice.address, "wrong")[1])
    with Imap(server) as c:
        told["imap"] = [c.greeting, *("\n".join(c.cmd(w)[1]) for w in ("CAPABILITY", 'ID ("name" "x")', "XYZZY", "LOGIN a b"))]
    with Imap(server, account=alice) as c:
        told["imap, signed in"] = ["\n".join(c.cmd(w)[1]) for w in (
            "CAPABILITY", "ID NIL", "NAMESPACE", 'LIST "" "*"', "SELECT nothing", 'STATUS "../x" (MESSAGES)', "GETQUOTAROOT INBOX", "BOGUS")]
    with Pop3(server) as c:
        told["pop3"] = [c.greeting, *(c.cmd(w) for w in ("USER a", "PASS b", "XYZZY", "APOP a b", "AUTH"))]
    return told


def test_replies_tell_nothing_of_the_machine(server, alice):
    version = server.run("version").stdout.split()[-1]
    uname = platform.uname()
    secrets = {version, uname.release, uname.system, str(server.dir), str(server.base), "/home/", "/usr/", "sqlite", "openssl",
               "libevent", "debian", "keeper", "vault", "gate.", "supervisor", "0x"}
    if "." not in socket.gethostname() and len(socket.gethostname()) > 4 and socket.gethostname() not in server.hostname:
        secrets.add(socket.gethostname())
    cases = 0
    for door, texts in replies(server, alice).items():
        for text in texts:
            low = (text or "").lower()
            assert not [s for s in secrets if s.lower() in low], (door, text)
            cases += 1
    threat("T-326", cases)


def test_only_the_configured_ports_listen(server):
    """As the kernel sees it: each listening TCP socket of our processes is one of the configuration, on its address."""
    pids = {server.process.pid}
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == server.process.pid:
                    pids.add(int(folder.name))
            except (OSError, IndexError):
                continue
    out = subprocess.run(["ss", "-H", "-l", "-t", "-u", "-n", "-p"], capture_output=True, text=True, check=True).stdout
    ours = {line.split()[4] for line in out.splitlines() if any(f"pid={p}," in line for p in pids)}
    assert ours == {f"127.0.0.1:{p}" for p in server.ports.values()}
    assert re.search(r":\d+", next(iter(ours)))
    threat("T-326 (ports)", len(ours))
