"""T-305, T-307, T-308 against the real server: a part that hangs, a supervisor that dies, stopping and reloading under load;
and which descriptors processes have when they serve (T-336)."""
import collections
import concurrent.futures
import contextlib
import imaplib
import os
import pathlib
import signal
import smtplib
import threading
import time

import pytest

from lib.family import children, descriptors_of
from lib.mail import deliver, imap, inbox, message, relaxed
from lib.server import FULL, SLACK, Server, threat, wait_until

ANSWER_SECONDS, ALARM_SECONDS = 30, 5  # what the product promises


@contextlib.contextmanager
def running():
    s = Server(extra="gates = 1\nkeepers = 2\nscans = 1")
    try:
        s.start()
        wait_until(lambda: "server.ready" in s.log_text(), what="ready")
        s.add_account("alice")
        yield s
    except BaseException:
        print(s.log_text()[-6000:])
        raise
    finally:
        s.remove()


@pytest.fixture
def started():
    with running() as s:
        yield s


# --------------------------------------------------------------------------------------------------------------- hanging
def timed(action):
    """What came of it and how long it took."""
    start = time.monotonic()
    try:
        return action(), time.monotonic() - start
    except (imaplib.IMAP4.error, smtplib.SMTPException, OSError) as e:
        return e, time.monotonic() - start


def rcpt(server):
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=90) as s:
        s.ehlo("their.test")
        s.mail("x@their.test")
        return s.rcpt("alice@ours.test")


def sign_in(server, account):
    client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=relaxed(server), timeout=90)
    return client.login(account.address, account.password)


def in_parallel(*actions):
    results = [None] * len(actions)

    def run(i):
        results[i] = timed(actions[i])
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(actions))]
    for t in threads:
        t.start()
    for t in threads:
        t.join(180)
    return results


def hang(server, part):
    """The part stands still while it is asked; how many answers were looked at."""
    alice = server.accounts["alice"]
    assert rcpt(server)[0] == 250
    stopped = [pid for name, pid in children(server).items() if name.startswith(part)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    (mail, mail_seconds), (login, login_seconds) = in_parallel(lambda: rcpt(server), lambda: sign_in(server, alice))
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    assert isinstance(mail, tuple) and 400 <= mail[0] < 500 and mail_seconds <= ANSWER_SECONDS + SLACK, (mail, mail_seconds)
    assert isinstance(login, imaplib.IMAP4.error) and b"UNAVAILABLE" in login.args[0], login
    assert login_seconds <= ANSWER_SECONDS + SLACK

    def answers():
        came, _ = timed(lambda: rcpt(server))
        return isinstance(came, tuple) and came[0] == 250
    wait_until(answers, 60, "service again")
    before = len(inbox(server, alice))
    deliver(server, "x@their.test", [alice.address], message("x@their.test", alice.address)[1])
    assert sign_in(server, alice)[0] == "OK" and len(inbox(server, alice)) == before + 1
    return 2 + len(stopped)


def hang_rounds(part):
    with running() as server:
        cases = sum(hang(server, part) for _ in range(20 if FULL else 1))
        server.stop(check_log=False)
        return cases


@pytest.mark.waits
def test_a_hanging_part_is_answered_for():
    """T-305: callers get the temporary answer within 30 s, and what the part says later is taken for nothing else."""
    with concurrent.futures.ThreadPoolExecutor() as pool:  # a server each: they wait together
        threat("T-305", sum(pool.map(hang_rounds, ("vault", "keeper"))))


def test_parts_nobody_needs_may_hang(started):
    """T-305: scan, relay and scribe hang, and mail goes on."""
    server, alice = started, started.accounts["alice"]
    stopped = [pid for name, pid in children(server).items() if name.split("-")[0] in ("scan", "relay", "scribe")]
    assert len(stopped) == 3
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    for _ in range(5):
        deliver(server, "x@their.test", [alice.address], message("x@their.test", alice.address)[1])
    assert len(inbox(server, alice)) == 5 and time.monotonic() - start < ANSWER_SECONDS  # nobody was waited for
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    server.stop()
    threat("T-305", 3)


# -------------------------------------------------------------------------------------- death, stop and reload under load
class Load:
    """Delivers until told to end; knows what was acknowledged, and what was tried and was not."""

    def __init__(self, server, account):
        self.server, self.account = server, account
        self.acked, self.tried = set(), set()
        self.end = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(3)]

    def run(self):
        while not self.end.is_set():
            mark, data = message("x@their.test", self.account.address)
            self.tried.add(mark)
            try:
                deliver(self.server, "x@their.test", [self.account.address], data)
                self.acked.add(mark)
            except (smtplib.SMTPException, OSError):
                self.end.wait(0.02)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for t in self.threads:
            t.join(180)

    def check(self):
        """Each acknowledged message once; an unacknowledged try none or once."""
        counts = {}
        for text in inbox(self.server, self.account).values():
            mark = text.split(b"Message-ID: <")[1].split(b"@")[0].decode()
            counts[mark] = counts.get(mark, 0) + 1
        assert all(counts.get(mark) == 1 for mark in self.acked), "an acknowledged message is missing or doubled"
        assert set(counts) <= self.tried and set(counts.values()) <= {1}
        return len(self.acked)


def restart(server, end):
    """The next life of the same folder; `end` ends the present one."""
    old = set(children(server).values())
    end(server)
    wait_until(lambda: not [p for p in old if alive(p)], ALARM_SECONDS + SLACK, "the end of the processes")
    server.start()
    wait_until(lambda: server.log_text().count('"server.ready"') == server.lives, 60, "ready")


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def killed(server):
    server.process.kill()
    server.process.wait()


def terminated(server):
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0


@pytest.mark.parametrize("end, row", [(killed, "T-307"), (terminated, "T-308")])
def test_restarts_under_load_lose_nothing(started, end, row):
    """T-307, T-308: current DATA ends with 250 and is stored, or does not; nothing is left of the old processes."""
    server, rounds = started, 200 if FULL else 20
    server.lives = 1
    with Load(server, server.accounts["alice"]) as load:
        for i in range(rounds):
            wanted = len(load.acked) + 5
            wait_until(lambda: len(load.acked) >= wanted, 120, "deliveries")
            server.lives += 1
            restart(server, end)
    assert load.check() >= 5 * rounds
    server.stop(check_log=False)
    threat(row, rounds)


def test_reloads_under_load_drop_no_session(started):
    """T-308: an IMAP session lives through all of them, mail arrives, no process and no descriptor is added."""
    server, rounds = started, 1000 if FULL else 200
    before = children(server)
    client = imap(server, server.accounts["alice"])
    client.select("INBOX")
    with Load(server, server.accounts["alice"]) as load:
        for i in range(rounds):
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: server.log_text().count('"reload.done"') > i, 60, "reload.done")
            assert client.noop()[0] == "OK"
    assert client.noop()[0] == "OK" and client.logout()[0] == "BYE"
    assert load.check() > 0 and children(server) == before
    server.stop()
    threat("T-308", rounds)


# ----------------------------------------------------------------------------------------------------------- descriptors
@pytest.mark.skipif(os.getuid() != 0, reason="the kernel shows descriptors of undumpable processes to root alone")
def test_sessions_leave_no_descriptor_behind(started):
    """T-336: after many sessions each process has what it had before, and no file outside its folder."""
    server, alice = started, started.accounts["alice"]
    folders = {"vault": "vault", "keeper": "accounts", "relay": "spool", "scribe": "audit"}

    def kinds():
        return {name: collections.Counter(descriptors_of(pid)) for name, pid in children(server).items()}

    def added():
        """What is open and was not before. Less is no leak: an idle account may have been closed meanwhile."""
        return {name: dict(more) for name, now in kinds().items() if (more := now - before.get(name, collections.Counter()))}

    def use():
        client = imap(server, alice)
        client.select("INBOX")
        client.logout()
        deliver(server, "x@their.test", [alice.address], message("x@their.test", alice.address)[1])
    use()
    before = kinds()
    sessions = 500 if FULL else 30
    for _ in range(sessions):
        use()
    try:
        wait_until(lambda: not added(), 60, "the descriptors of before")
    except AssertionError as e:
        raise AssertionError(f"{e}: {added()}") from None
    assert kinds().keys() == before.keys()
    for name, seen in before.items():
        own = folders.get(name.split("-")[0], ".empty")
        for target in seen:
            if target.startswith("/") and target not in ("/dev/null", str(server.log_path)):
                assert target.startswith(str(server.dir / own)), (name, target)
    server.stop()
    threat("T-336", len(before))
