"""T-264, T-265, T-267 on the running server: nobody else opens a live database, every acknowledgement follows the sync of what it
says, and no second descriptor of a database ever exists. System calls are seen by strace, from outside of the jail."""
import os
import re
import shutil
import signal
import sqlite3
import subprocess

import pytest

from lib.faults import children
from lib.mail import deliver, imap, inbox, message
from lib.raw import Imap
from lib.server import FULL, ROOT, Server, threat, wait_until

needs_strace = pytest.mark.skipif(os.getuid() != 0 or not shutil.which("strace"), reason="traces other users' processes")


@pytest.fixture
def started():
    with Server.running(["alice"], extra="gates = 1\nkeepers = 2\nscans = 1") as s:
        yield s


def databases(server):
    return sorted((server.dir / "accounts").rglob("*.db"))


def octets_of(text):
    return bytes(int(h, 16) for h in re.findall(r"\\x([0-9a-f]{2})", text))


def named(match):
    return f"<{os.fsdecode(octets_of(match.group(1)))}>"


class Trace:
    """strace on all keepers while the block runs; `lines` is what it wrote: (thread, text)."""

    def __init__(self, server):
        self.server, self.path, self.lines = server, server.base / "trace", []

    def __enter__(self):
        pids = [str(pid) for pid, role in children(self.server) if role == "keeper"]
        self.process = subprocess.Popen(
            ["strace", "-f", "-y", "-xx", "-s", "4000", "-o", str(self.path), "-e",
             "trace=pwrite64,write,fdatasync,fsync,sendto,sendmsg,openat,close", *(w for p in pids for w in ("-p", p))],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        threads = sum(len(os.listdir(f"/proc/{p}/task")) for p in pids)
        seen = []
        while len([l for l in seen if "attached" in l]) < len(pids):  # it says so once for a process and its threads
            line = self.process.stderr.readline()
            assert line, (seen, threads)
            seen.append(line)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=120)
        for line in self.path.read_text(errors="replace").splitlines():
            thread, _, text = line.partition(" ")
            self.lines.append((int(thread), re.sub(r"<((?:\\x[0-9a-f]{2})+)>", named, text.strip())))


def calls(lines):
    """(thread, name, arguments, "begin" | "end") in the order in which they began and ended."""
    pending = {}
    for thread, text in lines:
        whole = re.match(r"(\w+)\((.*)\)\s+= (-?\d+)", text)
        begun = re.match(r"(\w+)\((.*) <unfinished \.\.\.>", text)
        resumed = re.match(r"<\.\.\. (\w+) resumed>(.*)\)\s+= (-?\d+)", text)
        if begun:
            pending[thread] = begun.group(2)
            yield thread, begun.group(1), begun.group(2), "begin", None
        elif resumed:
            yield thread, resumed.group(1), pending.pop(thread, ""), "end", int(resumed.group(3))
        elif whole:
            yield thread, whole.group(1), whole.group(2), "begin", None
            yield thread, whole.group(1), whole.group(2), "end", int(whole.group(3))


def number_of(name):
    """The type of a message: its place in the schema."""
    names = re.findall(r"^message (\w+)", (ROOT / "src/ipc/messages.schema").read_text(), re.M)
    return names.index(name) + 1


def is_acknowledgement(name, arguments):
    sent = octets_of(arguments)
    if name == "sendmsg":
        return sent[:2] == number_of("arrive_result").to_bytes(2, "little")
    return re.search(rb"t\d+ OK", sent) is not None


def check_order(lines):
    """No acknowledgement leaves while a log has octets that no finished sync covers. Returns how many were looked at."""
    dirty, syncing, acknowledged, syncs = {}, {}, 0, 0
    for thread, name, arguments, phase, result in calls(lines):
        log = re.search(r"<([^>]*-wal)>", arguments.split(",")[0])
        if log and name in ("pwrite64", "write") and phase == "begin":
            dirty[log.group(1)] = dirty.get(log.group(1), 0) + 1
        elif log and name in ("fdatasync", "fsync") and phase == "begin":
            syncing[thread] = (log.group(1), dirty.get(log.group(1), 0))
        elif log and name in ("fdatasync", "fsync") and result == 0:
            path, covered = syncing.pop(thread)
            dirty[path] = dirty[path] - covered if path in dirty else 0
            for other, (p, n) in syncing.items():  # counted from now on by what is left
                if p == path:
                    syncing[other] = (p, max(0, n - covered))
            syncs += 1
        elif name in ("sendto", "sendmsg") and phase == "begin" and is_acknowledgement(name, arguments):
            acknowledged += 1
            assert not any(dirty.values()), f"acknowledged before the sync: {name} {octets_of(arguments)!r}, {dirty}"
    assert syncs > 0
    return acknowledged


def check_descriptors(lines):
    """At no time a second descriptor of the same database. Returns how many were opened."""
    held, opened = set(), 0
    for thread, name, arguments, phase, result in calls(lines):
        path = re.search(r'^\w+<([^>]*)>, "([^"]*)"', arguments)
        if name == "openat" and phase == "end" and path and result >= 0 and octets_of(path.group(2)).endswith(b".db"):
            whole = path.group(1) + "/" + os.fsdecode(octets_of(path.group(2)))
            assert whole not in held, f"a second descriptor of {whole}"
            held.add(whole)
            opened += 1
        elif name == "close" and phase == "end":
            held.discard(re.sub(r"^\d+<(.*)>$", r"\1", arguments))
    return opened


@needs_strace
def test_t265_t267_sync_before_the_reply(started):
    server, alice = started, started.accounts["alice"]
    rounds = 1000 if FULL else 40
    others = [server.add_account(f"user{i}") for i in range(4)]
    with Trace(server) as trace:
        for other in others:
            deliver(server, "x@their.test", [other.address], message("x@their.test", other.address)[1])
        for i in range(rounds):
            deliver(server, "x@their.test", [alice.address], message("x@their.test", alice.address)[1])
        with Imap(server, account=alice) as c:
            c.cmd("SELECT INBOX")
            for first in range(1, rounds + 1, 10):
                tags = [f"t{1000 + first + k}" for k in range(min(10, rounds + 1 - first))]
                c.send("".join(f"{t} STORE {first + k} +FLAGS (\\Flagged)\r\n" for k, t in enumerate(tags)))
                for t in tags:
                    assert c.until(t)[0] == "OK"
            for k in range(rounds // 4):
                assert c.cmd("APPEND INBOX {12+}\r\nSubject: x\r\n", tag=f"t{5000 + k}")[0] == "OK"
    looked_at = check_order(trace.lines)
    assert looked_at >= rounds + rounds // 10 + rounds // 4, looked_at
    opened = check_descriptors(trace.lines)
    assert opened >= 1 + len(others)
    assert len(inbox(server, alice)) == rounds + rounds // 4
    threat("T-265", looked_at)
    threat("T-267", opened)


def second_openers(path):
    """What another program may try on a live file. Each ends with "locked", or reads without touching anything."""
    for uri in (f"file:{path}", f"file:{path}?mode=rw", f"file:{path}?mode=ro", f"file:{path}?immutable=1"):
        db = sqlite3.connect(uri, uri=True, timeout=0)
        for statement in ("SELECT count(*) FROM sqlite_master", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode=DELETE",
                          "CREATE TABLE IF NOT EXISTS intruder (x)"):
            try:
                db.execute(statement).fetchall()
                assert "immutable" in uri, f"{uri}: {statement} was let through"
            except sqlite3.OperationalError as e:
                assert any(word in str(e) for word in ("locked", "readonly", "unable to open", "read-only")), e
            yield 1
        db.close()


@pytest.mark.skipif(os.getuid() != 0, reason="opens files of another user")
def test_t264_nobody_else_opens_a_live_file(started):
    server, alice = started, started.accounts["alice"]
    deliver(server, "x@their.test", [alice.address], message("x@their.test", alice.address)[1])
    paths = wait_until(lambda: databases(server), what="a database")
    rounds, cases = 70 if FULL else 4, 0
    client = imap(server, alice)  # keeps the account open
    client.select("INBOX")
    for i in range(rounds):
        for path in paths:
            cases += sum(second_openers(path))
        deliver(server, "x@their.test", [alice.address], message("x@their.test", alice.address)[1])
    assert client.noop()[0] == "OK"
    client.logout()
    assert len(inbox(server, alice)) == rounds + 1
    server.stop()
    for path in paths:
        db = sqlite3.connect(f"file:{path}", uri=True)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'intruder'").fetchall()
        db.close()
    threat("T-264", cases)
