"""Guessing, locking out, telling apart: what sign-ins do while somebody hostile is at the door (T-239 to T-251)."""
import base64
import concurrent.futures
import os
import pathlib
import random
import re
import signal
import threading
import time
import unicodedata

import pytest

from lib.mail import deliver, message
from lib.raw import Imap, Pop3, Smtp
from lib.server import FULL, SLACK, Server, threat, wait_until

TICK, MAILBOX = 0.250, "Glockenspiel-{}-vierzehn-Uhr"
CONFIG = "\n".join(("connections_per_network = 10000", "connections_waiting = 100000", "signin_tries = 10"))
OFFICE = "connections_exempt = 127.0.0.0/8\n"  # everything here comes from one machine


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")).decode()


def literal(text):
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return b"{%d+}\r\n%s" % (len(raw), raw)


@pytest.fixture(scope="module")
def quiet():
    """Mailbox passwords open no mail door, as after an installation."""
    with Server.running(extra=CONFIG + "\n" + OFFICE) as server:
        yield server


# -- the ways in: (server, name, secret) -> the answer, as one string, and the seconds it took --------------------------------
def timed(action):
    began = time.monotonic()
    answer = action()
    return answer, time.monotonic() - began


def imap_login(server, name, secret, source=None):
    with Imap(server, source=source) as c:
        return timed(lambda: c.cmd(b"LOGIN " + literal(name) + b" " + literal(secret), tag="a")[1][-1])


def imap_plain(server, name, secret, source=None):
    with Imap(server, source=source) as c:
        return timed(lambda: c.cmd("AUTHENTICATE PLAIN " + b64(f"\0{name}\0{secret}"), tag="a")[1][-1])


def smtp_plain(server, name, secret, source=None):
    with Smtp(server, "submissions", source=source) as c:
        c.cmd("EHLO a.test")
        return timed(lambda: "%d %s" % c.cmd("AUTH PLAIN " + b64(f"\0{name}\0{secret}")))


def smtp_login(server, name, secret, source=None):
    with Smtp(server, "submissions", source=source) as c:
        c.cmd("EHLO a.test")
        for word in ("AUTH LOGIN", b64(name), b64(secret)):
            answer, seconds = timed(lambda: "%d %s" % c.cmd(word))
            if not answer.startswith("334"):
                break
        return answer, seconds


def pop3_plain(server, name, secret, source=None):
    with Pop3(server, source=source) as c:
        answer, seconds = timed(lambda: c.cmd("AUTH PLAIN " + b64(f"\0{name}\0{secret}")))
        if is_yes(answer):  # to its end, so that the next one finds the maildrop free
            c.cmd("QUIT")
            c.rest()
        return answer, seconds


def oauthbearer(server, name, secret, source=None):
    """The error comes at the tick, the no after the client's dummy word."""
    with Imap(server, source=source) as c:
        blob = b64(f"n,a={name.replace('=', '=3D').replace(',', '=2C')},\1auth=Bearer {secret}\1\1")
        challenge, seconds = timed(lambda: c.send(f"a AUTHENTICATE OAUTHBEARER {blob}\r\n") or c.line())
        if not challenge.startswith("+"):
            return challenge, seconds
        c.send(b64("\1") + "\r\n")
        return challenge + "|" + c.line(), seconds


WAYS = (imap_login, imap_plain, smtp_plain, smtp_login, pop3_plain)


def is_yes(answer):
    return answer.startswith(("a OK", "235", "+OK"))


def is_later(answer):
    return "UNAVAILABLE" in answer or answer.startswith("454") or "SYS/TEMP" in answer


def settled(way, *args):
    """The answer and the seconds it took, of a try that did not find the server too busy: then it says later (INV-S5)."""
    return wait_until(lambda: not is_later((found := way(*args))[0]) and found, what="an answer that is not later")


def person(server, name, mailbox=None):
    address = f"{name}@{server.domain}"
    if mailbox:
        server.run("account", "add", address, input=mailbox + "\n")
    else:
        server.run("account", "add", address, "--no-password")
    return address


# -- T-239: nobody is told apart --------------------------------------------------------------------------------------------
def kinds_of_wrong(server):
    """(what it is, name, secret): all of them wrong, some of them nearly right."""
    wrong = [("unknown", f"nobody@{server.domain}", "whatever"), ("unknown domain", "nobody@elsewhere.test", "whatever"),
             ("no address", "nobody", "whatever"), ("long name", "n" * 300 + "@" + server.domain, "whatever"),
             ("not ASCII", f"bj\u00f6rn@{server.domain}", "whatever"), ("a name in another script", f"\u0430lice@{server.domain}", "x")]
    for i, kind in enumerate(("plain", "revoked", "locked", "narrow", "slip")):
        address = person(server, f"t239{kind}", MAILBOX.format(i))
        secret = server.add_client(address)
        if kind == "plain":
            wrong += [("wrong password", address, "not it"), ("mailbox password", address, MAILBOX.format(i)),
                      ("almost the mailbox password", address, MAILBOX.format(i)[:-1])]
        elif kind == "slip":
            wrong.append(("slip", address, secret[:-1] + ("a" if secret[-1] != "a" else "b")))
        elif kind == "narrow":
            wrong.append(("another network", address, server.add_client(address, "--receive", "--send", "--network", "203.0.113.0/24")))
        else:
            if kind == "revoked":
                number = server.json("client", "list", address)["items"][0]["credential"]
                server.run("client", "revoke", address, str(number))
            else:
                server.run("account", "lock", address)
                wrong.append(("locked, mailbox password", address, MAILBOX.format(i)))
            wrong.append((kind, address, secret))
    return wrong


def test_t239_every_wrong_sign_in_is_answered_alike(quiet):
    wrong = kinds_of_wrong(quiet)
    rounds = 10 if FULL else 2
    cases = 0
    for way in (*WAYS, oauthbearer):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            jobs = [(what, pool.submit(way, quiet, name, secret.replace(" ", "-"))) for what, name, secret in wrong * rounds
                    if way is not oauthbearer or name.isascii()]
            seen = [(what, *job.result()) for what, job in jobs]
        assert len({answer for _, answer, _ in seen}) == 1, (way.__name__, {(w, a) for w, a, _ in seen})
        assert not is_yes(seen[0][1])
        for what in {w for w, _, _ in seen}:
            took = [s for w, _, s in seen if w == what]
            assert min(took) >= TICK - 0.002, (way.__name__, what, took)  # not before the tick, whatever was wrong
        cases += len(seen)
    threat("T-239", cases)


# -- T-241: nobody is locked out ----------------------------------------------------------------------------------------------
def attack(server, address, stop, number, counts):
    """Wrong passwords for one name, from networks that are always new; as fast as the answers allow."""
    i = 0
    while not stop.is_set():
        i += 1
        source = f"127.{10 + number}.{i // 250 % 250}.{1 + i % 250}"
        try:
            with Imap(server, source=source) as c:
                for k in range(5):
                    c.send(b"a LOGIN " + address.encode() + b" guess-%d-%d-%d\r\n" % (number, i, k))
                    if not c.line():
                        break
                    counts[number] += 1
        except OSError:
            pass


def owner_comes_in(server, ways, address, secret, tries):
    took = []
    for i in range(tries):
        answer, seconds = ways[i % len(ways)](server, address, secret)
        assert is_yes(answer), (i, answer)
        took.append(seconds)
    return took


def test_t241_the_owner_always_has_a_way_in():
    tries = 100 if FULL else 34
    with Server.running(extra=CONFIG + "\n" + "mailbox_password_pop3 = allowed\nfailures_day = 20\npassword_memory = 8 MiB") as server:
        alice = person(server, "alice", MAILBOX.format(1))
        secret = server.add_client(alice)
        # where she lives: her own password was right here once
        assert is_yes(pop3_plain(server, alice, MAILBOX.format(1))[0])
        live = Imap(server)
        assert live.cmd(f"LOGIN {alice} {secret}")[0] == "OK"
        stop, counts = threading.Event(), [0] * 24
        attackers = [threading.Thread(target=attack, args=(server, alice, stop, n, counts)) for n in range(len(counts))]
        for t in attackers:
            t.start()
        try:
            wait_until(lambda: sum(counts) > 200, 120, "two hundred guesses")
            took = owner_comes_in(server, WAYS, alice, secret, tries)
            took += owner_comes_in(server, (pop3_plain,), alice, MAILBOX.format(1), tries)
            # with a client password also from where she never was
            took += [pop3_plain(server, alice, secret, f"127.200.0.{i + 1}")[1] for i in range(tries)]
            assert live.cmd("NOOP")[0] == "OK"
            # a stranger with the right mailbox password waits: that is what the guesses have earned
            assert is_later(pop3_plain(server, alice, MAILBOX.format(1), "127.201.0.1")[0])
        finally:
            stop.set()
            for t in attackers:
                t.join()
        live.close()
        took.sort()
        assert took[-1] <= 2 + SLACK, took[-5:]
        # where she lives is remembered through a restart
        server.stop()
        server.start()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: imap_login(server, alice, f"after-{i}", f"127.202.0.{i + 1}"), range(40)))
        answer, seconds = pop3_plain(server, alice, MAILBOX.format(1))
        assert is_yes(answer) and seconds <= 2 + SLACK
        threat("T-241", len(took) + 1)


# -- T-242: the shape of what is typed --------------------------------------------------------------------------------------
def test_t242_shapes_at_sign_in():
    long = "b" * 72
    stored = {"plain": "Glockenspiel vierzehn", "long": long + "YY-ende", "nfc": "\u00e9tudiant-\u00e9l\u00e8ve-7", "wide": "Zahl 0123456789 Zahl",
              "most": "".join(random.Random(242).choices("abcdefghijklmnopqrstuvwxyz", k=1000))}
    with Server.running(extra=CONFIG + "\n" + OFFICE + "mailbox_password_pop3 = allowed\npassword_memory = 8 MiB\nfailures_free = 100") as server:
        server.run("policy", "set", "password-strength", "red", check=False)
        who = {k: person(server, k, v) for k, v in stored.items()}
        tries = [(True, k, v) for k, v in stored.items()]
        tries += [(True, "nfc", unicodedata.normalize("NFD", stored["nfc"])), (True, "wide", "Zahl \uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19 Zahl"),
                  (True, "plain", "Glockenspiel\u3000vierzehn"), (True, "plain", "Glockenspiel\u00a0vierzehn")]
        tries += [(False, "long", long + "ZZ-ende"), (False, "long", long), (False, "long", long + "YY-ende "), (False, "plain", " Glockenspiel vierzehn"),
                  (False, "plain", "Glockenspiel vierzehn "), (False, "plain", "glockenspiel vierzehn"), (False, "plain", "Glockenspiel"),
                  (False, "plain", "Glockenspiel\tvierzehn"), (False, "nfc", "etudiant-eleve-7"), (False, "wide", "Zahl 0123456789  Zahl"),
                  (False, "most", stored["most"][:-1]), (False, "plain", "x" * 1024), (False, "plain", "a")]
        # The right ones one after another: a maildrop is one session's at a time.
        answers = [settled(pop3_plain, server, who[name], secret)[0] for right, name, secret in tries if right]
        with concurrent.futures.ThreadPoolExecutor(13) as pool:
            answers += pool.map(lambda t: settled(pop3_plain, server, who[t[1]], t[2])[0], (t for t in tries if not t[0]))
        tries.sort(key=lambda t: not t[0])
        bad = [(t, a) for t, a in zip(tries, answers) if is_yes(a) != t[0]]
        assert not bad, bad
        cases = len(tries)
        # What no password can be is refused before anything is computed.
        none = [(who["plain"], ""), (who["plain"], "Glockenspiel vierzehn\0"), (who["plain"], "x" * 1025),
                (who["plain"], "x" * 8000), ("", "x"), (who["plain"], "Glockenspiel vierzehn\0more")]
        with concurrent.futures.ThreadPoolExecutor(len(none)) as pool:
            for (name, secret), (answer, _) in zip(none, pool.map(lambda t: pop3_plain(server, *t), none)):
                assert answer.startswith("-ERR"), (secret[:20], answer)
                cases += 1
        for size in (20000, 1 << 20):
            with Pop3(server) as c:
                began = time.monotonic()
                try:
                    c.send("AUTH PLAIN " + "QUFB" * (size // 3) + "\r\n")
                    answer = c.line()
                except OSError:
                    answer = None
                assert answer is None or answer.startswith("-ERR")
                assert time.monotonic() - began < 2 + SLACK
            cases += 1
        assert is_yes(settled(pop3_plain, server, who["plain"], stored["plain"])[0])
        threat("T-242", cases)


# -- T-243: computing passwords holds nobody up -------------------------------------------------------------------------------
def vault_pid(server):
    found = []
    for p in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if "letterlock-vault" in (p / "cmdline").read_text() and int((p / "stat").read_text().split()[3]) == server.process.pid:
                found.append(int(p.name))
        except OSError:
            continue
    if not found:  # the supervisor is a process of its own below the command
        for p in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if "letterlock-vault" in (p / "cmdline").read_text() and os.getpgid(int(p.name)) == os.getpgid(server.process.pid):
                    found.append(int(p.name))
            except OSError:
                continue
    return found[0]


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))


def test_t243_a_flood_of_passwords():
    logins = 2000 if FULL else 150
    with Server.running(extra=CONFIG + "\n" + OFFICE + "mailbox_password_imap = allowed") as server:
        people = [person(server, f"p{i}") for i in range(20)]
        alice = person(server, "alice", MAILBOX.format(1))
        secret = server.add_client(alice)
        live = Imap(server)
        assert live.cmd(f"LOGIN {alice} {secret}")[0] == "OK"
        pid, most, slow, answers, later = vault_pid(server), 0, 0.0, [], 0
        with concurrent.futures.ThreadPoolExecutor(75) as pool:
            jobs = [pool.submit(imap_login, server, people[i % 20], f"flood {i % 20}") for i in range(logins)]
            while not all(j.done() for j in jobs):
                began = time.monotonic()
                assert live.cmd("NOOP")[0] == "OK"
                answer, _ = settled(imap_plain, server, alice, secret)  # what the server made costs nothing, and waits for nobody
                assert is_yes(answer), answer
                slow = max(slow, time.monotonic() - began)
                most = max(most, resident_kib(pid))
                mark, data = message("x@their.test", alice)
                deliver(server, "x@their.test", [alice], data)
            answers = [j.result()[0] for j in jobs]
        live.close()
        for answer in answers:
            assert "AUTHENTICATIONFAILED" in answer or is_later(answer), answer
            later += is_later(answer)
        assert later > 0, "the queue was never full: the flood was too small"
        assert most < 300 * 1024, most  # two of 64 MiB, and the vault itself
        assert slow < 1 + 2 * SLACK, slow
        # What was too busy was no strike: the right password opens as soon as the queue is worked off.
        wait_until(lambda: is_yes(imap_login(server, alice, MAILBOX.format(1))[0]), 60, "the end of the queue")
        threat("T-243", logins)


# -- T-246: what is remembered of a wrong password -----------------------------------------------------------------------------
def memory_of(pid):
    """What the process has in memory, but for files that it maps."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            area, rights, *rest = line.split()
            if "r" not in rights or (len(rest) > 3 and rest[3].startswith("/")) or "[v" in line:
                continue
            start, end = (int(x, 16) for x in area.split("-"))
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue


def test_t246_wrong_passwords_leave_nothing(quiet):
    alice = person(quiet, "t246", MAILBOX.format(9))
    canaries = [f"Kanarienvogel-{i}-q7x" for i in range(40 if FULL else 10)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda c: [way(quiet, alice, c) for way in WAYS], canaries[:-1]))
    repeats = 100 if FULL else 10
    for _ in range(repeats):  # one that comes again and again is answered like the first one
        answer, seconds = imap_plain(quiet, alice, canaries[-1])
        assert not is_yes(answer) and seconds >= TICK - 0.002
    forms = [f.encode() for c in canaries for f in (c, b64(c).rstrip("=")[:-2])]
    # whether one of them was the mailbox password is looked at after the answer
    wait_until(lambda: any("look=0" in i["detail"] for i in quiet.json("status")["items"] if i["subject"] == "sign-in"), what="the last look")
    quiet.run("why", alice)  # all that is pending is on disk now
    places = {"log": quiet.log_path.read_bytes(), **quiet.stored()}
    found = [(where, form) for where, content in places.items() for form in forms if form in content]
    pid = vault_pid(quiet)
    try:
        memory = list(memory_of(pid))
    except PermissionError:
        memory = []  # where this is not allowed the files are what can be looked at
    found += [("memory", form) for block in memory for form in forms if form in block]
    assert not found, found[:5]
    assert memory or os.geteuid() != 0
    threat("T-246", len(canaries[:-1]) * len(WAYS) + repeats)


# -- T-250: no answer from the vault --------------------------------------------------------------------------------------------
def test_t250_a_vault_that_does_not_answer():
    with Server.running(extra=CONFIG + "\n" + OFFICE) as server:
        server.expect("process.died", "peer.lost", "alert.crash-loop")
        alice = person(server, "alice")
        secret = server.add_client(alice)
        pid = vault_pid(server)
        os.kill(pid, signal.SIGSTOP)
        try:
            with concurrent.futures.ThreadPoolExecutor(2 * len(WAYS)) as pool:
                jobs = [pool.submit(way, server, alice, s) for way in WAYS for s in (secret, "a wrong one")]
                answers = [j.result()[0] for j in jobs]
        finally:
            os.kill(pid, signal.SIGCONT)
        assert all(is_later(a) for a in answers), answers
        cases = len(answers)
        for round in range(20 if FULL else 5):
            if round and round % 2 == 0:  # who dies again and again is started again later and later
                server.stop()
                server.start()
            with concurrent.futures.ThreadPoolExecutor(10) as pool:
                old = vault_pid(server)
                jobs = [pool.submit(way, server, alice, "wrong in mid-answer") for way in WAYS * 2]
                wait_until(lambda: any(j.running() or j.done() for j in jobs))
                os.kill(old, signal.SIGKILL)
                answers = []
                for j in jobs:
                    try:
                        answers.append(j.result()[0])
                    except (OSError, AttributeError, ValueError, IndexError):
                        answers.append("454 closed")
            assert not any(is_yes(a) for a in answers), answers
            cases += len(answers)

            def back():
                try:
                    return vault_pid(server) != old and is_yes(imap_plain(server, alice, secret)[0])
                except (OSError, IndexError):
                    return False
            wait_until(back, 60, "the vault being back")
        # Nothing of it was a strike: the right password still opens every door, at each gate once it has found the new vault.
        for way in WAYS:
            assert is_yes(settled(way, server, alice, secret)[0])
        threat("T-250", cases)


# -- T-251: names are data ----------------------------------------------------------------------------------------------------
NAMES = ["' OR 1=1--", "\\' OR 1=1", "%", "_", "*)(uid=*", "%{user}", "${x}", "{{7*7}}", "alice\nbob", "alice\0", '"alice"', "\udcbf'",
         "'; DROP TABLE account; --", "alice@ours.test' --", "alice@ours.test\r\n", "../../accounts.db", "alice@ours.test\0x",
         "$(id)", "`id`", "|id", "a" * 5000]


def test_t251_names_are_data(quiet):
    alice = person(quiet, "alice")
    secret = quiet.add_client(alice)
    cases = 0

    def one(job):
        way, name = job
        try:
            answer, _ = way(quiet, name, secret)
        except (OSError, AttributeError, UnicodeEncodeError):
            return "closed"  # too long a line, for instance
        return answer
    jobs = [(way, name) for way in (*WAYS, oauthbearer) for name in NAMES]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for (way, name), answer in zip(jobs, pool.map(one, jobs)):
            assert not is_yes(answer or ""), (way.__name__, name, answer)
            cases += 1
    assert len(quiet.json("account", "list")["items"]) >= 1
    assert is_yes(imap_plain(quiet, alice, secret)[0])
    assert not [l for l in quiet.log_lines() if l["event"] == "process.died"]
    threat("T-251", cases)


# -- settings of signing in -----------------------------------------------------------------------------------------------------
def write_setting(server, old, new):
    path = server.dir / "letterlock.conf"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def journal(server):
    return b"".join(server.stored("audit").values())


def test_stored_passwords_follow_the_cost_at_a_sign_in():
    with Server.running(extra=CONFIG + "\n" + OFFICE + "mailbox_password_pop3 = allowed\nmailbox_password_submission = allowed\n"
                        "password_memory = 8 MiB") as server:
        alice = person(server, "alice", MAILBOX.format(1))
        assert is_yes(pop3_plain(server, alice, MAILBOX.format(1))[0])
        assert b"account.password-rehashed" not in journal(server)
        write_setting(server, "password_memory = 8 MiB", "password_memory = 16 MiB")
        server.reload()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:  # also while the new hash is being computed for another one
            for answer, _ in pool.map(lambda _: smtp_plain(server, alice, MAILBOX.format(1)), range(8)):
                assert is_yes(answer)
        wait_until(lambda: b"account.password-rehashed" in journal(server), what="a new hash")
        for _ in range(3):
            assert is_yes(pop3_plain(server, alice, MAILBOX.format(1))[0])
        assert journal(server).count(b"account.password-rehashed") == 1


def test_mechanisms_are_those_of_the_settings():
    with Server.running(extra=CONFIG + "\n" + OFFICE + "mechanisms = SCRAM-SHA-256 CRAM-MD5") as server:
        with Imap(server) as c:
            offered = {w[5:] for w in c.cmd("CAPABILITY")[1][0].split() if w.startswith("AUTH=")}
            assert offered == {"SCRAM-SHA-256", "CRAM-MD5"}
            assert c.cmd("AUTHENTICATE PLAIN " + b64("\0a\0b"))[0] in ("NO", "BAD")
        write_setting(server, "mechanisms = SCRAM-SHA-256 CRAM-MD5", "mechanisms = default")
        server.reload()
        with Imap(server) as c:
            line = c.cmd("CAPABILITY")[1][0]
            assert "AUTH=PLAIN" in line and "AUTH=CRAM-MD5" not in line and "AUTH=EXTERNAL" not in line
        write_setting(server, "mechanisms = default", "mechanisms = PLAIN ROT13")
        done = server.run("check", str(server.dir), check=False)
        assert done.returncode != 0 and "ROT13" in done.stdout + done.stderr
        server.expect("config.error", "reload.refused")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any(l["event"] == "reload.refused" for l in server.log_lines()), what="the refusal")
        with Imap(server) as c:
            assert "AUTH=PLAIN" in c.cmd("CAPABILITY")[1][0], "nothing has changed"
