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

import pytest

from lib.faults import children
from lib.mail import imap
from lib.server import FULL, threat, wait_until

ACCOUNTS = tuple(f"user{i}" for i in range(16))
WANTED_ACKS, WANTED_KILLS = (20000, 5000) if FULL else (2000, 200)
SECONDS = 7200 if FULL else 900
SEED = 20261122
BACKOFF_AGE = 10.5
BREATH = 0.04  # seconds: what one second of it delivers is looked for one by one in the end
COUNTS = {"gate": 8, "keeper": 16, "scan": 4}  # many, because none may be struck twice within BACKOFF_AGE
CONFIG = "".join(f"{role}s = {n}\n" for role, n in COUNTS.items())
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
                    ledger.stop.wait(BREATH)
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
                ledger.stop.wait(BREATH)
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
        ledger.stop.wait(rng.uniform(0.05, 0.4))


def count_copies(server, accounts):
    copies = collections.Counter()
    for account in accounts:
        client = imap(server, account)
        client.select("INBOX", readonly=True)
        for item in client.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
            at = item[1].find(b"ledger-") if isinstance(item, tuple) else -1
            if at >= 0:
                copies[(item[1][at:at + 16].decode(), account.address)] += 1
        client.logout()
    return copies


def is_whole(server):
    return len(children(server)) == sum(COUNTS.get(role, 1) for role in ROLES) and server.is_up()


@pytest.mark.waits
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
    wait_until(lambda: is_whole(server), 120, "the server to be whole again")

    # what one recipient's keeper missed stands in the hand-over list, and comes by itself
    def settled():
        copies = count_copies(server, accounts)
        missing = [(m, r) for m, rs in ledger.acked.items() for r in rs if copies[(m, r)] == 0]
        return (copies, missing) if not missing or time.monotonic() > settle_by else None
    settle_by = time.monotonic() + 240
    copies, missing = wait_until(settled, 300, "hand-overs to be delivered")
    assert not missing, f"{len(missing)} acknowledged copies are lost, e.g. {missing[:3]}"
    doubled = [key for key, n in copies.items() if n > 1]
    assert not doubled, f"{len(doubled)} copies are doubled, e.g. {doubled[:3]}"
    strange = [key for key in copies if key[0] not in ledger.tried]
    assert not strange
    print(f"{len(ledger.acked)} acknowledged, {len(ledger.tried) - len(ledger.acked)} not, kills {dict(kills)}, seed {SEED}")
    threat("T-291", sum(kills.values()))
    threat("T-293", sum(len(r) > 1 for r in ledger.acked.values()))
