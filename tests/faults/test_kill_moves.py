"""T-174, T-176: a keeper killed in the middle of MOVE, EXPUNGE or QUIT leaves each message whole and in one place."""
import imaplib
import os
import poplib
import random
import signal
import threading

from lib.faults import children
from lib.mail import empty, imap, inbox, pop3
from lib.server import FULL, threat, wait_until

MESSAGES = 100
SEED = 174


def kill_keepers_in(server, seconds):
    def strike():
        for pid, role in children(server):
            if role == "keeper":
                os.kill(pid, signal.SIGKILL)
    timer = threading.Timer(seconds, strike)
    timer.start()
    return timer


def count(server, account, mailbox):
    client = imap(server, account)
    kind, data = client.select(mailbox, readonly=True)
    number = int(data[0])
    uids = client.uid("SEARCH", "ALL")[1][0].split()
    assert len(uids) == number
    client.logout()
    return number


def fill(server, account, wanted):
    client = imap(server, account)
    for i in range(wanted - count(server, account, "INBOX")):
        assert client.append("INBOX", None, None, f"Subject: {i}\r\n\r\n{'x' * 500}\r\n".encode())[0] == "OK"
    client.logout()


def back(server):
    wait_until(lambda: server.is_up(), 30, "the server")


def quietly(action):
    try:
        return action()
    except (OSError, poplib.error_proto, imaplib.IMAP4.error):
        return None


def test_t174_move(server, alice):
    server.expect("process.died", "child.died")
    rng = random.Random(SEED)
    empty(server, alice)
    fill(server, alice, MESSAGES)
    rounds, places = 200 if FULL else 15, ("INBOX", "Archive")
    for turn in range(rounds):
        source, target = places[turn % 2], places[1 - turn % 2]

        def move():
            client = imap(server, alice)
            client.select(source)
            return client.uid("MOVE", "1:*", target)
        timer = kill_keepers_in(server, rng.uniform(0.0, 0.15))
        quietly(move)
        timer.join()
        back(server)
        here, there = count(server, alice, source), count(server, alice, target)
        assert here + there == MESSAGES and here in (0, MESSAGES), (turn, here, there)
        if here:  # finish it, so that the next round has something to move
            assert quietly(move)[0] == "OK"
    threat("T-174", rounds)


def test_t176_quit(server, bob):
    server.expect("process.died", "child.died")
    rng = random.Random(SEED)
    rounds = 200 if FULL else 15
    for turn in range(rounds):
        fill(server, bob, MESSAGES)

        def delete():
            client = pop3(server, bob)
            for n in range(1, MESSAGES + 1):
                client.dele(n)
            timer = kill_keepers_in(server, rng.uniform(0.0, 0.02))
            try:
                return client.quit()
            finally:
                timer.join()
        answer = quietly(delete)
        back(server)
        left = len(inbox(server, bob))
        assert left in (0, MESSAGES), (turn, left)
        if answer and answer.startswith(b"+OK"):
            assert left == 0, "deletion was acknowledged, and is undone"
    threat("T-176", rounds)
