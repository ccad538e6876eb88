"""T-174, T-176: a keeper killed in the middle of MOVE, EXPUNGE or QUIT leaves each message whole and in one place."""
import concurrent.futures
import imaplib
import os
import poplib
import random
import signal
import threading
import time

import pytest

from lib.faults import children
from lib.mail import imap, inbox, pop3
from lib.server import FULL, threat, wait_until

pytestmark = pytest.mark.waits
MESSAGES = 60
SEED = 174
ACCOUNTS = tuple(f"user{i}" for i in range(8))
ROUNDS = 60 if FULL else 3  # each strikes once for all accounts
BACKOFF_AGE = 10.5  # what dies sooner is a crash loop to the supervisor, which then waits on purpose (T-306)
born = {}


def keepers(server):
    found = [pid for pid, role in children(server) if role == "keeper"]
    for pid in found:
        born.setdefault(pid, time.monotonic())
    return found


def kill_keepers_in(server, seconds):
    def strike():
        for pid in keepers(server):
            os.kill(pid, signal.SIGKILL)
    timer = threading.Timer(seconds, strike)
    timer.start()
    return timer


def settle(server):
    """Those that lived long enough come back at once; within a test each further kill makes the supervisor wait longer."""
    server.expect("process.died", "alert.crash-loop")
    wait_until(lambda: len(keepers(server)) >= 2 and all(time.monotonic() - born[p] > BACKOFF_AGE for p in keepers(server)), 300,
               "keepers of some age")


def quietly(action):
    try:
        return action()
    except (OSError, poplib.error_proto, imaplib.IMAP4.error):
        return None


def can_sign_in(server, account):
    client = quietly(lambda: imap(server, account))
    if client:
        client.logout()
    return bool(client)


def count(server, account, mailbox):
    client = imap(server, account)
    kind, data = client.select(mailbox, readonly=True)
    number = int(data[0])
    assert len(client.uid("SEARCH", "ALL")[1][0].split()) == number
    client.logout()
    return number


def fill(server, account):
    missing = MESSAGES - count(server, account, "INBOX")
    client = imap(server, account)
    for i in range(missing):
        assert client.append("INBOX", None, None, f"Subject: {i}\r\n\r\n{'x' * 500}\r\n".encode())[0] == "OK"
    client.logout()


def strike_all(server, rng, seconds, prepare, act):
    """Runs act for all accounts at once, with a kill somewhere in it; what each answered, in order."""
    accounts = [server.accounts[name] for name in ACCOUNTS]
    with concurrent.futures.ThreadPoolExecutor(len(accounts)) as pool:
        clients = list(pool.map(prepare, accounts))
        timer = kill_keepers_in(server, rng.uniform(0.0, seconds))
        answers = list(pool.map(lambda c: quietly(lambda: act(c)), clients))
    timer.join()
    wait_until(lambda: all(can_sign_in(server, a) for a in accounts), 300, "all accounts to be served again")
    return list(zip(accounts, answers))


def test_t174_move(server):
    rng = random.Random(SEED)
    with concurrent.futures.ThreadPoolExecutor(len(ACCOUNTS)) as pool:
        list(pool.map(lambda name: fill(server, server.accounts[name]), ACCOUNTS))
    places, moved = ("INBOX", "Archive"), 0
    for turn in range(ROUNDS):
        if turn % 3 == 0:
            settle(server)
        source, target = places[turn % 2], places[1 - turn % 2]

        def prepare(account):
            client = imap(server, account)
            client.select(source)
            return client
        for account, answer in strike_all(server, rng, 0.012, prepare, lambda c: c.uid("MOVE", "1:*", target)):
            here, there = count(server, account, source), count(server, account, target)
            assert here + there == MESSAGES and here in (0, MESSAGES), (turn, account.address, here, there)
            if answer and answer[0] == "OK":
                assert here == 0, "the MOVE was acknowledged, and is undone"
            moved += here == 0
            if here:  # finish it, so that the next round has something to move
                client = prepare(account)
                assert client.uid("MOVE", "1:*", target)[0] == "OK"
                client.logout()
    print(f"{moved} of {ROUNDS * len(ACCOUNTS)} had moved when the keeper died, seed {SEED}")
    threat("T-174", ROUNDS * len(ACCOUNTS))


def test_t176_quit(server):
    rng = random.Random(SEED)
    for turn in range(ROUNDS):
        if turn % 3 == 0:
            settle(server)
        def prepare(account):
            fill(server, account)
            client = pop3(server, account)
            for n in range(1, MESSAGES + 1):
                client.dele(n)
            return client
        for account, answer in strike_all(server, rng, 0.01, prepare, lambda c: c.quit()):
            left = len(inbox(server, account))
            assert left in (0, MESSAGES), (turn, account.address, left)
            if answer and answer.startswith(b"+OK"):
                assert left == 0, "deletion was acknowledged, and is undone"
    threat("T-176", ROUNDS * len(ACCOUNTS))
