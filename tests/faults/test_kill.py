"""T-291, T-293: random SIGKILLs of every role under a delivery and IMAP load. For each acknowledgement exactly one copy for
each recipient; a try that was not acknowledged leaves none or one."""
import collections
import imaplib
import os
import random
import signal
import smtplib
import threading
import time

from lib.faults import children
from lib.mail import imap, inbox
from lib.server import FULL, threat, wait_until

ACCOUNTS = tuple(f"user{i}" for i in range(8))
WANTED_ACKS, WANTED_KILLS = (20000, 5000) if FULL else (2000, 200)
SECONDS = 7200 if FULL else 300
SEED = 20261122
BACKOFF_AGE = 10.5
CONFIG = "gates = 4\nkeepers = 8\nscans = 4"
ROLES = ("gate", "keeper", "vault", "scan", "relay", "scribe")


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.acked, self.tried = {}, {}
        self.counter = 0
        self.stop = threading.Event()

    def next_mark(self, recipients):
        with self.lock:
            self.counter += 1
            mark = f"ledger-{self.counter:07d}-x"
            self.tried[mark] = recipients
            return mark

    def ack(self, mark, recipients):
        with self.lock:
            self.acked[mark] = recipients


def text_of(mark, size):
    return (f"From: <x@their.test>\r\nSubject: {mark}\r\nMessage-ID: <{mark}@their.test>\r\n\r\n"
            + "0123456789abcdef" * (size // 16) + "\r\n").encode()


def deliver_forever(server, ledger, addresses, seed):
    rng = random.Random(seed)
    while not ledger.stop.is_set():
        try:
            with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=20) as s:
                s.ehlo("their.test")
                for _ in range(10):
                    if ledger.stop.is_set():
                        return
                    recipients = rng.sample(addresses, rng.choice((1, 1, 2, 4)))
                    mark = ledger.next_mark(recipients)
                    refused = s.sendmail("x@their.test", recipients, text_of(mark, rng.choice((500, 4000, 200000))))
                    ledger.ack(mark, [r for r in recipients if r not in refused])
        except (OSError, smtplib.SMTPException):
            ledger.stop.wait(0.02)


def append_forever(server, ledger, account, seed):
    rng = random.Random(seed)
    while not ledger.stop.is_set():
        try:
            client = imap(server, account)
            client.select("INBOX")
            for _ in range(20):
                if ledger.stop.is_set():
                    return
                mark = ledger.next_mark([account.address])
                kind, _ = client.append("INBOX", None, None, text_of(mark, rng.choice((500, 20000))))
                if kind == "OK":
                    ledger.ack(mark, [account.address])
                client.noop()
            client.logout()
        except (OSError, imaplib.IMAP4.error):
            ledger.stop.wait(0.05)


def kill_forever(server, ledger, rng, kills):
    """Strikes whoever has lived for BACKOFF_AGE: what dies sooner is a crash loop to the supervisor, which then waits on
    purpose (T-306 has its own test)."""
    first_seen = {}
    while not ledger.stop.is_set():
        now = time.monotonic()
        running = children(server)
        for pid, _ in running:
            first_seen.setdefault(pid, now)
        victims = [(p, r) for p, r in running if r in ROLES and now - first_seen[p] > BACKOFF_AGE]
        if victims:
            # roles first, so that the many gates and keepers do not hide the others
            role = rng.choice(sorted({r for _, r in victims}))
            pid = rng.choice([p for p, r in victims if r == role])
            try:
                os.kill(pid, signal.SIGKILL)
                kills[role] += 1
            except ProcessLookupError:
                pass
        ledger.stop.wait(rng.uniform(0.05, 0.5))


def count_copies(server, accounts):
    copies = collections.Counter()
    for account in accounts:
        for octets in inbox(server, account).values():
            head = octets[:2000]
            at = head.find(b"ledger-")
            if at >= 0:
                copies[(head[at:at + 16].decode(), account.address)] += 1
    return copies


def test_every_acknowledgement_is_one_copy(server):
    server.expect("process.died", "alert.crash-loop")
    rng, ledger, kills = random.Random(SEED), Ledger(), collections.Counter()
    accounts = [server.accounts[name] for name in ACCOUNTS]
    addresses = [a.address for a in accounts]
    workers = [threading.Thread(target=deliver_forever, args=(server, ledger, addresses, SEED + i)) for i in range(6)]
    workers += [threading.Thread(target=append_forever, args=(server, ledger, accounts[i], SEED + i)) for i in range(2)]
    workers += [threading.Thread(target=kill_forever, args=(server, ledger, rng, kills))]
    for w in workers:
        w.start()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and (len(ledger.acked) < WANTED_ACKS or sum(kills.values()) < WANTED_KILLS):
        ledger.stop.wait(0.2)
    ledger.stop.set()
    for w in workers:
        w.join()
    assert len(ledger.acked) >= WANTED_ACKS and sum(kills.values()) >= WANTED_KILLS, (len(ledger.acked), kills)
    assert set(kills) == set(ROLES), kills
    wait_until(lambda: len(children(server)) >= len(ROLES) and server.is_up(), 60, "the server to be whole again")

    # what one recipient's keeper missed stands in the hand-over list, and comes by itself
    def settled():
        copies = count_copies(server, accounts)
        missing = [(m, r) for m, rs in ledger.acked.items() for r in rs if copies[(m, r)] == 0]
        return (copies, missing) if not missing or time.monotonic() > settle_by else None
    settle_by = time.monotonic() + 90
    copies, missing = wait_until(settled, 120, "hand-overs to be delivered")
    assert not missing, f"{len(missing)} acknowledged copies are lost, e.g. {missing[:3]}"
    doubled = [key for key, n in copies.items() if n > 1]
    assert not doubled, f"{len(doubled)} copies are doubled, e.g. {doubled[:3]}"
    strange = [key for key in copies if key[0] not in ledger.tried]
    assert not strange
    print(f"{len(ledger.acked)} acknowledged, {len(ledger.tried) - len(ledger.acked)} not, kills {dict(kills)}, seed {SEED}")
    threat("T-291", sum(kills.values()))
    threat("T-293", sum(len(r) > 1 for r in ledger.acked.values()))
