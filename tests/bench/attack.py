#!/usr/bin/env python3
"""./dev bench attack: does the owner come in while the whole world guesses at her password (T-241)?

Guesses at one name over IMAP and submission at a steady rate, from client networks that are always new, every secret another one. All
the while the owner signs in from where she is known: with a client password by IMAP and by submission, with the mailbox password by POP3,
each try timed from its first octet (the connection and TLS included) to the answer; and sessions that were open before stay in use.

  --rate N       guesses a second (1000)
  --minutes M    how long (10)
  --workers N    processes that guess (2)
"""
import argparse
import asyncio
import base64
import itertools
import multiprocessing
import pathlib
import random
import ssl
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib.raw import Imap, Pop3, Smtp  # noqa: E402
from lib.server import Server  # noqa: E402

CONFIG = "\n".join(("connections_per_network = 10000", "connections_waiting = 100000", "signin_tries = 10", "mailbox_password_pop3 = allowed"))
MAILBOX = "Glockenspiel-vierzehn-Uhr"
TRIES_ON_ONE, CONNECTIONS, PATIENCE_S, OWNER_MAY_TAKE_S = 9, 400, 30, 2


def plain(name, secret):
    return base64.b64encode(f"\0{name}\0{secret}".encode())


def by_imap(name, secret):
    return b"a LOGIN " + name.encode() + b" " + secret.encode() + b"\r\n"


def by_smtp(name, secret):
    return b"AUTH PLAIN " + plain(name, secret) + b"\r\n"


async def greet_imap(reader, _):
    return await reader.readline()


async def greet_smtp(reader, writer):
    await reader.readline()
    writer.write(b"EHLO a.test\r\n")
    while (await reader.readline())[3:4] == b"-":
        pass


DOORS = {"imaps": (greet_imap, by_imap), "submissions": (greet_smtp, by_smtp)}


class Guesser:
    """One process of the attack: so many guesses a second, spread over many connections."""

    def __init__(self, ports, name, number, rate, until):
        self.ports, self.name, self.number, self.until = ports, name, number, until
        self.turns, self.interval, self.begin = itertools.count(), 1 / rate, time.monotonic()
        self.random = random.Random(number)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.guesses, self.later, self.broken, self.let_in = 0, 0, 0, 0

    async def turn(self):
        """Until the next guess is due: its number, or None when the attack is over."""
        n = next(self.turns)
        await asyncio.sleep(max(0.0, self.begin + n * self.interval - time.monotonic()))
        return n if time.monotonic() < self.until else None

    async def converse(self, door):
        greet, guess = DOORS[door]
        source = f"127.{self.random.randrange(16, 250)}.{self.random.randrange(256)}.{self.random.randrange(1, 255)}"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[door], ssl=self.context, local_addr=(source, 0))
        try:
            await greet(reader, writer)
            for _ in range(TRIES_ON_ONE):
                n = await self.turn()
                if n is None:
                    return
                writer.write(guess(self.name, f"guess-{self.number}-{n}"))
                answer = await reader.readline()
                if not answer:
                    raise ConnectionError
                self.guesses += 1
                self.later += b"UNAVAILABLE" in answer or answer.startswith(b"454")
                self.let_in += answer.startswith((b"a OK", b"235"))
        finally:
            writer.close()

    async def go_on(self, door):
        while time.monotonic() < self.until:
            try:
                await asyncio.wait_for(self.converse(door), PATIENCE_S)
            except (OSError, ssl.SSLError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                self.broken += 1

    async def attack(self):
        doors = itertools.cycle(DOORS)
        await asyncio.gather(*(self.go_on(next(doors)) for _ in range(CONNECTIONS)))


def guesser(ports, name, number, rate, until, results):
    g = Guesser(ports, name, number, rate, until)
    asyncio.run(g.attack())
    results.put((g.guesses, g.later, g.broken, g.let_in))


# -- the owner --------------------------------------------------------------------------------------------------------------
def imap(server, name, secret):
    with Imap(server) as c:
        return c.cmd(f"LOGIN {name} {secret}")[0] == "OK"


def submission(server, name, secret):
    with Smtp(server, "submissions") as c:
        c.cmd("EHLO a.test")
        return c.auth_plain(name, secret)[0] == 235


def pop3(server, name, secret):
    with Pop3(server) as c:
        yes = c.cmd("AUTH PLAIN " + plain(name, secret).decode()).startswith("+OK")
        c.cmd("QUIT")
        c.rest()
        return yes


def owner(server, name, ways, until, every):
    """way -> (seconds of each try, how many were refused)"""
    took, refused, begin = {way: [] for way in ways}, dict.fromkeys(ways, 0), time.monotonic()
    for n in itertools.count():
        wait = begin + n * every - time.monotonic()
        if time.monotonic() + max(0, wait) >= until:
            return took, refused
        threading.Event().wait(max(0, wait))
        for way, (enter, secret) in ways.items():
            began = time.monotonic()
            refused[way] += not enter(server, name, secret)
            took[way].append(time.monotonic() - began)


class Live:
    """A session that was open before the attack: asked now and then whether it is still there."""

    def __init__(self, ask, every):
        self.ask, self.every, self.took, self.alive, self.stop = ask, every, [], True, threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while self.alive and not self.stop.wait(self.every):
            began = time.monotonic()
            self.alive = self.ask()
            self.took.append(time.monotonic() - began)

    def end(self):
        self.stop.set()
        self.thread.join()


def measure(server, name, secret, args):
    open_imap, open_smtp = Imap(server), Smtp(server, "submissions")
    open_smtp.cmd("EHLO a.test")
    assert open_imap.cmd(f"LOGIN {name} {secret}")[0] == "OK" and open_smtp.auth_plain(name, secret)[0] == 235
    seconds = args.minutes * 60
    every = seconds / 60  # SMTP bears 100 useless commands
    lives = {"an open IMAP session": Live(lambda: open_imap.cmd("NOOP")[0] == "OK", every),
             "an open submission session": Live(lambda: open_smtp.cmd("NOOP")[0] == 250, every)}
    ways = {"IMAP, client password": (imap, secret), "submission, client password": (submission, secret), "POP3, mailbox password": (pop3, MAILBOX)}
    assert pop3(server, name, MAILBOX)  # from now on she is known here
    until, results = time.monotonic() + seconds, multiprocessing.Queue()
    guessers = [multiprocessing.Process(target=guesser, args=(server.ports, name, n, args.rate / args.workers, until, results))
                for n in range(args.workers)]
    for g in guessers:
        g.start()
    took, refused = owner(server, name, ways, until, min(5, seconds / 100))
    sums = [sum(column) for column in zip(*(results.get(timeout=PATIENCE_S * 2) for _ in guessers))]
    for g in guessers:
        g.join()
    for live in lives.values():
        live.end()
    return sums, took, refused, lives


def report(sums, took, refused, lives, seconds):
    guesses, later, broken, let_in = sums
    print(f"{guesses:,} guesses in {seconds:.0f} s: {guesses / seconds:.0f} a second; {later:,} of them were told to come later, {let_in} let in, "
          f"{broken} connections broken.\n\n| the owner | tries | refused | median ms | longest ms |\n|---|---:|---:|---:|---:|")
    for way, s in took.items():
        print(f"| {way} | {len(s)} | {refused[way]} | {statistics.median(s) * 1000:.0f} | {max(s) * 1000:.0f} |")
    for what, live in lives.items():
        print(f"| {what} | {len(live.took)} | {'none' if live.alive else 'CUT'} | {statistics.median(live.took) * 1000:.0f} | {max(live.took) * 1000:.0f} |")
    return (not let_in and not any(refused.values()) and all(live.alive for live in lives.values())
            and max(itertools.chain(*took.values())) <= OWNER_MAY_TAKE_S)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    with Server.running(extra=CONFIG, log_level="warning") as server:
        name = f"alice@{server.domain}"
        server.run("account", "add", name, input=MAILBOX + "\n")
        good = report(*measure(server, name, server.add_client(name), args), args.minutes * 60)
    sys.exit(0 if good else "the owner was kept waiting or out")


main()
