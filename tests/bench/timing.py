#!/usr/bin/env python3
"""./dev bench timing: can a stranger tell by the clock why a sign-in was refused?

Wrong sign-ins of every kind, in random order on parallel connections, each timed from the last octet sent to the first
answer. Every pair of kinds is held against the claim that their means differ by less than the margin: two one-sided tests (TOST,
Schuirmann 1987), each at level alpha. Equivalent means that both "the difference is the margin or more" and "it is minus
the margin or less" are rejected. All answers must be the same octets.

Two doors: one that keeps mailbox passwords out (imap), and one that takes them with a code behind (pop3), where each try costs
one Argon2. There the tries at once must not be more than the machine computes within a second (LIMIT_SIGNIN_FLOOR): four at
64 MiB on two cores; --memory "8 MiB" makes a long run shorter and changes nothing about when refusals are answered.

  --full               10,000 tries a kind and door
  --tries N M          tries a kind at the first and at the second door (1000 100)
  --connections N M    connections at once (32 4)
  --memory SIZE --margin MS --alpha A --seed N
"""
import argparse
import itertools
import math
import pathlib
import random
import ssl
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib.raw import Imap, Pop3  # noqa: E402
from lib.server import Server  # noqa: E402

CONFIG = "\n".join(("connections_exempt = 127.0.0.0/8", "connections_per_network = 10000", "connections_waiting = 100000",
                    "signin_tries = 10", "mailbox_password_pop3 = with-totp", "password_memory = {memory}"))
TRIES_ON_ONE = 9  # the server hangs up after signin_tries
NAMES = 4         # accounts of each kind: one wrong secret for each, so that no limit on guesses is met
MAILBOX = "Glockenspiel-{}-vierzehn-Uhr"


def people(server):
    """kind -> [(name, secret)]; every secret is one account's own."""
    kinds = {}

    def account(kind, i, mailbox=False):
        address = f"{kind}{i}@{server.domain}"
        if mailbox:
            server.run("account", "add", address, input=MAILBOX.format(i) + "\n")
        else:
            server.run("account", "add", address, "--no-password")
        return address

    def add(kind, name, secret):
        kinds.setdefault(kind, []).append((name, secret))
    for i in range(NAMES):
        add("unknown user", f"nobody{i}@{server.domain}", f"not a password {i}")
        add("wrong password", account("wrong", i, mailbox=True), f"not the password {i}")
        add("right mailbox password, no factor", account("half", i, mailbox=True), MAILBOX.format(i))
        revoked = account("revoked", i)
        add("revoked client password", revoked, server.add_client(revoked))
        server.run("client", "revoke", revoked, str(server.json("client", "list", revoked)["items"][0]["credential"]))
        locked = account("locked", i, mailbox=True)
        add("locked account, right client password", locked, server.add_client(locked))
        add("locked account, right mailbox password", locked, MAILBOX.format(i))
        server.run("account", "lock", locked)
    return kinds


class ImapDoor:
    name = "imap, which keeps mailbox passwords out"

    def __init__(self, server):
        self.c = Imap(server)

    def ask(self, name, secret):
        self.c.send(f'a LOGIN "{name}" "{secret}"\r\n'.encode())
        began = time.perf_counter()
        line = self.c.line()
        return time.perf_counter() - began, line


class Pop3Door:
    name = "pop3, which takes them with a code"

    def __init__(self, server):
        self.c = Pop3(server)

    def ask(self, name, secret):
        self.c.cmd(f"USER {name}")
        self.c.send(f"PASS {secret}\r\n".encode())
        began = time.perf_counter()
        line = self.c.line()
        return time.perf_counter() - began, line


def worker(server, door, order, took, answers, problems):
    c, left = None, 0
    try:
        for kind, name, secret in order:
            if left == 0:
                if c:
                    c.c.close()
                c, left = door(server), TRIES_ON_ONE
            seconds, line = c.ask(name, secret)
            left -= 1
            took[kind].append(seconds * 1000)
            answers.add(bytes(line) if isinstance(line, (bytes, bytearray)) else line)
    except (OSError, ssl.SSLError, AssertionError) as e:
        problems.append(e)


def measure(server, door, kinds, tries, connections, seed):
    """Blocks of all kinds in random order, dealt out to the connections."""
    rng = random.Random(seed)
    blocks = []
    for _ in range(tries):
        block = [(kind, *rng.choice(secrets)) for kind, secrets in kinds.items()]
        rng.shuffle(block)
        blocks.append(block)
    took, answers, problems, threads = {k: [] for k in kinds}, set(), [], []
    for i in range(connections):
        order = list(itertools.chain(*blocks[i::connections]))
        threads.append(threading.Thread(target=worker, args=(server, door, order, took, answers, problems)))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return took, answers, problems


def tost(a, b, margin, alpha):
    """(difference of the means, its standard error, the larger of both p, equivalent?). Samples are large: the normal
    distribution stands for Student's."""
    difference = statistics.fmean(a) - statistics.fmean(b)
    error = math.sqrt(statistics.variance(a) / len(a) + statistics.variance(b) / len(b))
    normal = statistics.NormalDist()
    p_upper = normal.cdf((difference - margin) / error)
    p_lower = 1 - normal.cdf((difference + margin) / error)
    p = max(p_upper, p_lower)
    return difference, error, p, p < alpha


def report(name, took, answers, connections, margin, alpha):
    print(f"\n### {name} ({connections} connections)\n\n| kind | tries | mean ms | sd | median | 99th |\n|---|---:|---:|---:|---:|---:|")
    for kind, ms in took.items():
        cuts = statistics.quantiles(ms, n=100)
        print(f"| {kind} | {len(ms)} | {statistics.fmean(ms):.2f} | {statistics.stdev(ms):.2f} | {cuts[49]:.2f} | {cuts[98]:.2f} |")
    print("\n| pair | difference of means ms | standard error | p (TOST) | equivalent |\n|---|---:|---:|---:|---|")
    good = len(answers) == 1
    for one, other in itertools.combinations(took, 2):
        difference, error, p, same = tost(took[one], took[other], margin, alpha)
        good = good and same
        print(f"| {one} / {other} | {difference:+.3f} | {error:.3f} | {max(p, 1e-16):.0e} | {'yes' if same else 'NO'} |")
    print(f"\nDifferent answers seen: {len(answers)} ({', '.join(sorted(repr(a) for a in answers))})", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--tries", type=int, nargs=2, default=(1000, 100))
    parser.add_argument("--connections", type=int, nargs=2, default=(32, 4))
    parser.add_argument("--memory", default="64 MiB", help="of one Argon2: less makes more connections at once possible")
    parser.add_argument("--margin", type=float, default=2.0)
    parser.add_argument("--alpha", type=float, default=0.001)
    parser.add_argument("--seed", type=int, default=20261122)
    args = parser.parse_args()
    tries = (10000, 10000) if args.full else args.tries
    server = Server(extra=CONFIG.format(memory=args.memory), log_level="warning")
    good = True
    try:
        server.start()
        kinds = people(server)
        print(f"Margin {args.margin:g} ms, alpha {args.alpha:g} for each of the two one-sided tests.")
        for door, n, connections in zip((ImapDoor, Pop3Door), tries, args.connections):
            if n == 0:
                continue
            took, answers, problems = measure(server, door, kinds, n, connections, args.seed)
            if problems:
                sys.exit(f"{len(problems)} connections failed: {problems[0]!r}")
            good = report(door.name, took, answers, connections, args.margin, args.alpha) and good
        server.stop()
    finally:
        server.remove()
    sys.exit(0 if good else "not equivalent")


main()
