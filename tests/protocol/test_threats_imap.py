"""Hostile IMAP and POP3 against the running server: literals, nesting, names, other people's mail, two sessions at once."""
import base64
import random
import re
import socket

from lib.mail import deliver, empty, imap, inbox, message
from lib.raw import Imap, Pop3
from lib.server import FULL, threat

CONFIG = "connections_per_network = 1000"


def fill(server, account, count, subject="m"):
    for i in range(count):
        mark, data = message("x@their.test", account.address, subject=f"{subject} {i}")
        deliver(server, "x@their.test", [account.address], data)


def test_t152_literals_before_sign_in(server):
    cases = 0
    for size in ("2147483647", "4294967296", "-1", "18446744073709551616", "1025", "5x", "+", ""):
        with Imap(server) as c:
            kind, lines = c.cmd("LOGIN {%s}" % size)
            assert kind in ("BAD", "NO", "END"), (size, lines)
            assert not any(l.startswith("+") for l in lines)
            cases += 1
    for size in ("2147483647+", "4294967296+", "1025+"):
        with Imap(server) as c:
            c.send("a LOGIN {%s}\r\n" % size)
            lines = c.rest()
            assert lines and lines[-1].startswith(("* BYE", "a BAD")), (size, lines)
            cases += 1
    for tail in ("{5", "{5}x", "~{5}"):
        with Imap(server) as c:
            kind, lines = c.cmd("LOGIN " + tail)
            assert kind == "BAD", (tail, lines)
            cases += 1
    silent = [Imap(server) for _ in range(15)]
    for c in silent:
        c.send("a LOGIN {1024}\r\n")
    for c in silent:
        assert c.line().startswith("+")
        c.close()
        cases += 1
    threat("T-152", cases)


INJECTED = b"x LOGOUT\r\nx CREATE evil\r\nx NOOP\r\n"


def refused_literals(server, alice):
    """Each opener is refused while octets that look like commands follow at once; none of them is answered."""
    before = [b"a LOGIN {1025+}\r\n", b"a LOGIN {30000+}\r\n", b"a LOGIN alice {5000+}\r\n", b"a NOOP {1025+}\r\n", b"a XYZZY {2000+}\r\n",
              b"a AUTHENTICATE {99999+}\r\n", b"a ID ({4096+}\r\n"]
    after = [b"a SELECT {131073+}\r\n", b"a APPEND INBOX {4294967296+}\r\n", b"a APPEND INBOX {99999999999999999999+}\r\n",
             b"a APPEND {200000+}\r\n", b"a STATUS {140000+}\r\n", b"a LIST \"\" {140000+}\r\n", b"a SEARCH SUBJECT {140000+}\r\n",
             b"a APPEND nowhere {99999999+}\r\n", b"a CREATE {150000+}\r\n", b"a LOGIN {150000+}\r\n"]
    cases = 0
    for openers, account in ((before, None), (after, alice)):
        for opener in openers:
            with Imap(server, account=account) as c:
                c.send(opener + INJECTED)
                lines = c.rest()
                assert not any(l.startswith("+") for l in lines) and not any(l.startswith("x ") for l in lines), (opener, lines)
                cases += 1
    with Imap(server) as c:  # an answer of two lines: the second is a command, and the first decided alone
        c.send(b"a AUTHENTICATE PLAIN\r\n")
        assert c.line().startswith("+")
        c.send(b"bm9ib2R5\r\nx NOOP\r\n")
        lines = [c.line(), c.line()]
        assert lines[0].startswith(("a NO", "a BAD")) and lines[1].startswith("x OK"), lines
        cases += 1
    with Imap(server, account=alice) as c:  # IDLE is ended by DONE alone
        c.send("i IDLE\r\nx CREATE evil\r\ny NOOP\r\n")
        assert c.line().startswith("+") and c.line().startswith("i BAD")
        kind, lines = c.until("y")
        assert kind == "OK" and not any(l.startswith("x ") for l in lines), lines
        cases += 1
    with Imap(server, account=alice) as c:
        kind, lines = c.cmd('LIST "" evil')
        assert kind == "OK" and len(lines) == 1, "octets of a literal created a mailbox"
    return cases


def test_t153_octets_of_a_refused_literal_are_no_commands(server, alice):
    cases = 0
    with Imap(server, account=alice) as c:
        c.send("a SELECT {200000+}\r\nb LOGOUT\r\n")
        lines = c.rest()
        assert not any(l.startswith("b ") for l in lines), lines
        cases += 1
    with Imap(server, account=alice) as c:
        c.send("a APPEND INBOX {999999999}\r\nx DELETE INBOX\r\nx CREATE evil\r\n")
        lines = c.rest()
        assert not any(l.startswith("x ") for l in lines), lines
        assert lines[0].startswith("a NO [TOOBIG]") or lines[0].startswith("a BAD"), lines
        cases += 1
    with Imap(server, account=alice) as c:
        kind, lines = c.cmd("LIST \"\" evil")
        assert kind == "OK" and len(lines) == 1, "the octets created a mailbox"
        c.send("i IDLE\r\n")
        assert c.line().startswith("+")
        c.send("DONE\r\nn NOOP\r\n")
        kind, lines = c.until("n")
        assert kind == "OK" and any(l.startswith("i OK") for l in lines)
        c.send("p APPEND INBOX {3}\r\n")
        assert c.line().startswith("+")
        c.send("ab\r\r\n")
        kind, lines = c.until("p")
        assert kind == "OK" and not any(l.startswith("+") for l in lines), "one + for one literal"
        cases += 3
    cases += refused_literals(server, alice)
    empty(server, alice)
    threat("T-153", cases)


def test_t154_many_literals_in_one_command(server, alice):
    with Imap(server, account=alice) as c:
        c.cmd("SELECT INBOX")
        c.send("a SEARCH")
        chunk = "x" * 131072
        try:
            for _ in range(10000):
                c.send(" BODY {131072+}\r\n" + chunk)
        except OSError:
            pass
        lines = c.rest()
        assert lines and ("TOOBIG" in lines[-1] or "BYE" in lines[-1] or "BAD" in lines[-1]), lines
    cases = 1
    for start, piece, many in (("a FETCH 1 BODY[HEADER.FIELDS (", "{60000+}\r\n" + "y" * 60000 + " ", 40),
                               ("a FETCH 1 BODY[HEADER.FIELDS (", "{1+}\r\ny ", 5000), ("a APPEND INBOX (", "{20000+}\r\n" + "f" * 20000 + " ", 80),
                               ("a SEARCH", " SUBJECT {1+}\r\ny", 5000), ("a LIST (", "{100000+}\r\n" + "%" * 100000 + " ", 20),
                               ("a LOGIN {1+}\r\nx", " {1+}\r\ny", 2), ("a STORE 1 FLAGS (", "{30000+}\r\n" + "k" * 30000 + " ", 50)):
        with Imap(server, account=alice) as c:
            c.cmd("SELECT INBOX")
            try:
                c.send(start + piece * many + "\r\nb NOOP\r\n")
            except OSError:
                pass
            answer = ""
            while (line := c.line()) is not None and not line.startswith("b "):
                answer = line if line.startswith(("a ", "* BYE")) else answer
            assert answer.startswith(("a NO", "a BAD", "* BYE")), (start, answer)
            cases += 1
    threat("T-154", cases)


def test_t155_nesting(server, alice):
    cases = 0
    for signed_in in (False, True):
        for text in ("NOOP " + "(" * 4000, "NOOP " + ")" * 4000, "NOOP " + "{" * 4000, "NOOP " + "[" * 4000,
                     "SEARCH " + "(" * 4000 + "ALL" + ")" * 4000, "FETCH 1 " + "(" * 4000, "STORE 1 FLAGS " + "(" * 4000,
                     "ID " + "(" * 4000, "ENABLE " + "(" * 4000, "SEARCH " + "NOT " * 4000 + "ALL", "SEARCH " + "OR " * 4000):
            with Imap(server, account=alice if signed_in else None) as c:
                if signed_in:
                    c.cmd("SELECT INBOX")
                kind, lines = c.cmd(text)
                assert kind in ("BAD", "NO", "END"), (text[:20], lines[-1])
                cases += 1
    threat("T-155", cases)


VERBS = ["SELECT INBOX", "EXAMINE INBOX", "CREATE x", "DELETE x", "RENAME x y", "SUBSCRIBE x", "UNSUBSCRIBE x",
         'LIST "" *', 'LSUB "" *', "STATUS INBOX (MESSAGES)", "APPEND INBOX {1+}\r\nx", "NAMESPACE", "IDLE", "ENABLE CONDSTORE",
         "CHECK", "CLOSE", "UNSELECT", "EXPUNGE", "SEARCH ALL", "FETCH 1 FLAGS", "STORE 1 FLAGS ()", "COPY 1 INBOX",
         "MOVE 1 INBOX", "UID SEARCH ALL", "UID FETCH 1 FLAGS", "UID EXPUNGE 1"]
SELECTED_ONLY = {"CHECK", "CLOSE", "UNSELECT", "EXPUNGE", "SEARCH", "FETCH", "STORE", "COPY", "MOVE", "UID"}


# What each command answers in each state (n: not signed in, a: signed in, s: selected, e: examined), and the state behind it.
# "." is the state before, "x" the end of the connection.
TABLE = {
    "CAPABILITY": dict(n="OK .", a="OK .", s="OK .", e="OK ."),
    "NOOP": dict(n="OK .", a="OK .", s="OK .", e="OK ."),
    'ID ("name" "x")': dict(n="OK .", a="OK .", s="OK .", e="OK ."),
    "XYZZY": dict(n="BAD .", a="BAD .", s="BAD .", e="BAD ."),
    "STARTTLS": dict(n="BAD .", a="BAD .", s="BAD .", e="BAD ."),
    "{login}": dict(n="OK a", a="BAD .", s="BAD .", e="BAD ."),
    "{plain}": dict(n="OK a", a="BAD .", s="BAD .", e="BAD ."),
    "SELECT INBOX": dict(n="BAD .", a="OK s", s="OK s", e="OK s"),
    "EXAMINE INBOX": dict(n="BAD .", a="OK e", s="OK e", e="OK e"),
    "SELECT missing": dict(n="BAD .", a="NO .", s="NO a", e="NO a"),
    'LIST "" *': dict(n="BAD .", a="OK .", s="OK .", e="OK ."),
    'LSUB "" *': dict(n="BAD .", a="OK .", s="OK .", e="OK ."),
    "NAMESPACE": dict(n="BAD .", a="OK .", s="OK .", e="OK ."),
    "STATUS Archive (MESSAGES)": dict(n="BAD .", a="OK .", s="OK .", e="OK ."),
    "STATUS missing (MESSAGES)": dict(n="BAD .", a="NO .", s="NO .", e="NO ."),
    "SUBSCRIBE INBOX": dict(n="BAD .", a="OK .", s="OK .", e="OK ."),
    "CREATE INBOX": dict(n="BAD .", a="NO .", s="NO .", e="NO ."),
    "DELETE INBOX": dict(n="BAD .", a="NO .", s="NO .", e="NO ."),
    "DELETE missing": dict(n="BAD .", a="NO .", s="NO .", e="NO ."),
    "RENAME missing other": dict(n="BAD .", a="NO .", s="NO .", e="NO ."),
    "APPEND missing {1}": dict(n="BAD x", a="NO .", s="NO .", e="NO ."),
    "CHECK": dict(n="BAD .", a="BAD .", s="OK .", e="OK ."),
    "CLOSE": dict(n="BAD .", a="BAD .", s="OK a", e="OK a"),
    "UNSELECT": dict(n="BAD .", a="BAD .", s="OK a", e="OK a"),
    "EXPUNGE": dict(n="BAD .", a="BAD .", s="OK .", e="NO ."),
    "UID EXPUNGE 1": dict(n="BAD .", a="BAD .", s="OK .", e="NO ."),
    "SEARCH ALL": dict(n="BAD .", a="BAD .", s="OK .", e="OK ."),
    "UID SEARCH ALL": dict(n="BAD .", a="BAD .", s="OK .", e="OK ."),
    "FETCH 1 FLAGS": dict(n="BAD .", a="BAD .", s="OK .", e="OK ."),
    "UID FETCH 1 FLAGS": dict(n="BAD .", a="BAD .", s="OK .", e="OK ."),
    "STORE 1 +FLAGS (\\Seen)": dict(n="BAD .", a="BAD .", s="OK .", e="NO ."),
    "UID STORE 1:* +FLAGS (\\Seen)": dict(n="BAD .", a="BAD .", s="OK .", e="NO ."),
    "COPY 1 missing": dict(n="BAD .", a="BAD .", s="NO .", e="NO ."),
    "MOVE 1 missing": dict(n="BAD .", a="BAD .", s="NO .", e="NO ."),
    "IDLE": dict(n="BAD .", a="+ .", s="+ .", e="+ ."),
    "AUTHENTICATE PLAIN": dict(n="+ .", a="BAD .", s="BAD .", e="BAD ."),
    "AUTHENTICATE NONSENSE": dict(n="NO .", a="BAD .", s="BAD .", e="BAD ."),
}
BAD_BEFORE_SIGN_IN = 10  # `letterlock limits`: then the connection ends


def random_orders(server, alice, steps):
    """Commands in random order: each answer and each change of state is that of the table."""
    empty(server, alice)
    fill(server, alice, 1)
    rng = random.Random(158)
    blob = base64.b64encode(f"\0{alice.address}\0{alice.password}".encode()).decode()
    words = {"{login}": f"LOGIN {alice.address} {alice.password}", "{plain}": "AUTHENTICATE PLAIN " + blob}
    c, state, bad = None, "n", 0
    for step in range(steps):
        if c is None or rng.random() < 0.02 or bad >= BAD_BEFORE_SIGN_IN - 2:
            if c:
                c.close()
            c, state, bad = Imap(server), "n", 0
            c.cmd("NOOP")
        if state == "n" and rng.random() < 0.3:
            verb = rng.choice(("{login}", "{plain}"))
        else:
            verb = rng.choice(list(TABLE))
        wanted, after = TABLE[verb][state].split()
        c.count += 1
        tag = f"t{c.count}"
        kind, lines = c.cmd(words.get(verb, verb), tag=tag)
        assert kind == wanted or (verb.endswith("{1}") and kind == "+"), (step, state, verb, lines)
        if kind == "+":  # IDLE and AUTHENTICATE wait for one line, which is no command
            c.send("x\r\n" if verb.endswith("{1}") else rng.choice(("DONE\r\n", "NOOP\r\n")) if verb == "IDLE" else "*\r\n")
            kind, lines = c.until(tag)
            assert kind in ("OK", "BAD", "NO"), (step, state, verb, lines)
        if kind == "END":
            raise AssertionError((step, state, verb, lines))
        bad += kind == "BAD" and state == "n"
        state = state if after == "." else after
        if state == "x":
            assert all(line.startswith("* BYE") for line in c.rest())
            c = c.close()
    if c:
        c.close()
    return steps


def test_t158_commands_in_the_wrong_state(server, alice):
    cases = 0
    for verb in VERBS:
        with Imap(server) as c:
            kind, lines = c.cmd(verb)
            # a literal that nobody asked for ends the connection: its octets are no commands (T-153)
            assert kind in ("BAD", "NO") or (kind == "END" and "+}" in verb), (verb, lines)
            cases += 1
    with Imap(server, account=alice) as c:
        for verb in VERBS:
            if verb.split()[0] in SELECTED_ONLY:
                kind, lines = c.cmd(verb)
                assert kind == "BAD", (verb, lines)
                cases += 1
        for verb in ("STARTTLS", "AUTHENTICATE PLAIN", f"LOGIN {alice.address} x"):
            kind, lines = c.cmd(verb)
            assert kind in ("BAD", "NO"), (verb, lines)
            cases += 1
    with Imap(server, account=alice) as c:
        c.cmd("EXAMINE INBOX")
        for verb in ("STORE 1 FLAGS (\\Seen)", "EXPUNGE", "MOVE 1 Archive"):
            assert c.cmd(verb)[0] in ("NO", "BAD")
            cases += 1
    threat("T-158", cases + random_orders(server, alice, 10000 if FULL else 400))


BAD_NAMES = ["&AAA-", "&Jjo", "&2AA-", "a//b", "/a", "a%b", "a*b", "&AGE-", "x" * 1001, "/".join("abcdefghijklmnopqrstu"),
             "", "&AAo-", "&AH8-"]
ODD_NAMES = ["../bob/INBOX", "/etc/passwd", "INBOX/../../x", "~bob", "#news", "&AC8-", "..", ".", "&IC4-", "a\\b", "CON",
             "-rf", "$(id)", "`id`", "%s%n", "&U,BTFw-", "e&AwE-", "&AOk-"]


def quote(name):
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def files_of(server):
    """What an account, a day of the journal and the work of a moment add by themselves is left out."""
    return sorted(str(p) for p in server.dir.rglob("*") if not {"large", "tmp", "audit"} & set(p.parts)
                  and not re.search(r"\.db(-wal|-shm|-journal)?$", p.name))


def test_t160_names_are_keys_only(server, alice, bob):
    Imap(server, account=alice).close()
    before = files_of(server)
    cases = 0
    with Imap(server, account=alice) as c:
        c.cmd("SELECT INBOX")
        for name in BAD_NAMES:
            for form in ("CREATE {}", "RENAME Archive {}", "SELECT {}", "EXAMINE {}", "STATUS {} (MESSAGES)", "DELETE {}", "COPY 1:* {}"):
                kind, lines = c.cmd(form.format(quote(name)))
                assert kind in ("NO", "BAD"), (form, name, lines)
                cases += 1
        for name in ODD_NAMES:
            kind, lines = c.cmd(f"CREATE {quote(name)}")
            if kind == "OK":
                assert c.cmd(f"SELECT {quote(name)}")[0] == "OK"
                for level in range(name.count("/") + 1):  # the parents were made, too
                    part = name.rsplit("/", level)[0]
                    if part and part != "INBOX":
                        assert c.cmd(f"DELETE {quote(part)}")[0] == "OK", part
            for form in ("SELECT {}", "EXAMINE {}", "STATUS {} (MESSAGES)", "DELETE {}", "RENAME {} other", "UID COPY 1:* {}",
                         "GETMETADATA {} /private/x"):
                kind = c.cmd(form.format(quote(name)))[0]
                assert kind in ("NO", "BAD") or (form.startswith("UID COPY") and kind == "OK"), (form, name)
                cases += 1
            assert c.cmd("SELECT INBOX")[0] == "OK"
        assert c.cmd("CREATE {5+}\r\na\r\nbc")[0] in ("NO", "BAD")
        assert c.cmd("SELECT inbox")[0] == "OK"
        kind, lines = c.cmd('CREATE "&ZeVnLIqe-"')
        assert kind == "OK" and any('"&ZeVnLIqe-"' in l or " &ZeVnLIqe-" in l for l in c.cmd('LIST "" "&ZeVnLIqe-"')[1])
        c.cmd('DELETE "&ZeVnLIqe-"')
        # the composed and the decomposed e-acute are one name
        assert c.cmd('CREATE "caf&AOk-"')[0] == "OK"
        assert c.cmd('CREATE "cafe&AwE-"')[0] == "NO"
        c.cmd('DELETE "caf&AOk-"')
        cases += 5
    assert files_of(server) == before, "a name became a file"
    threat("T-160", cases)


def test_t165_append(server, alice):
    empty(server, alice)
    cases = 0
    for text in ("APPEND INBOX \"99-Feb-9999 00:00:00 +0000\" {1+}\r\nx", "APPEND nowhere {1+}\r\nx",
                 "APPEND INBOX (\\Seen {1+}\r\nx", "APPEND INBOX (\\Nonsense) {1+}\r\nx", "APPEND INBOX"):
        with Imap(server, account=alice) as c:
            kind, lines = c.cmd(text)
            assert kind in ("NO", "BAD"), (text, lines)
            if "nowhere" in text:
                assert "[TRYCREATE]" in lines[-1] and c.cmd("NOOP")[0] == "OK"
            cases += 1
    with Imap(server, account=alice) as c:
        c.cmd("SELECT INBOX")
        for octets in (b"Subject: exact\r\n\r\nbody\r\n", b"x", b"\r\n", b"no header at all", b"a: b\r\n\r\n" + b"\x80\xff" * 50):
            kind, lines = c.cmd(b"APPEND INBOX {%d+}\r\n%s" % (len(octets), octets))
            assert kind == "OK" and "[APPENDUID " in lines[-1], lines
            uid = re.search(r"APPENDUID \d+ (\d+)", lines[-1]).group(1)
            kind, lines = c.cmd(f"UID FETCH {uid} (RFC822.SIZE)")
            assert f"RFC822.SIZE {len(octets)}" in lines[0]
            cases += 1
    with Imap(server, account=alice) as c:
        c.cmd("SELECT INBOX")
        for octets in (b"a: b\n\nonly\nfeeds\n", b"a: b\r\n\r\nlast CR\r", b"a: b\r\r\n\r\n", b"\n", "Subject: \u00fc\r\n\r\n\u4f60\r\n".encode(),
                       b"x" * 70000, b"a: b\r\n" * 1001 + b"\r\n", b"a: " + b"y" * 110000 + b"\r\n\r\n", b"\0" * 10, b"a: b\r\n\r\n\0", b"." * 100, b"\r\n.\r\n"):
            kind, lines = c.cmd(b"APPEND INBOX {%d+}\r\n%s" % (len(octets), octets))
            assert kind in ("OK", "NO", "BAD"), lines
            if kind == "OK":  # what is kept has the size that is told, and all octets but line ends are those sent
                uid = re.search(r"APPENDUID \d+ (\d+)", lines[-1]).group(1)
                kept = next(m for u, m in inbox(server, alice).items() if u == int(uid))
                assert kept.translate(None, b"\r\n") == octets.translate(None, b"\r\n")
                assert f"RFC822.SIZE {len(kept)}" in c.cmd(f"UID FETCH {uid} (RFC822.SIZE)")[1][0]
            cases += 1
        for text in (b"APPEND INBOX (" + b" ".join(b"f%d" % i for i in range(10000)) + b") {1+}\r\nx", b"APPEND INBOX {0+}\r\n",
                     b"APPEND INBOX (\\Seen) \"32-Jan-2026 00:00:00 +0000\" {1+}\r\nx", b"APPEND INBOX (\\Recent) {1+}\r\nx",
                     b"APPEND INBOX \"01-Jan-2026 24:61:00 +0000\" {1+}\r\nx", b"APPEND INBOX \"01-Jan-2026\" {1+}\r\nx"):
            with Imap(server, account=alice) as other:
                before = len(inbox(server, alice))
                kind, lines = other.cmd(text)
                assert kind in ("NO", "BAD", "END"), (text[:40], lines[-1:])
                assert len(inbox(server, alice)) == before
            cases += 1
    for more in (1, -1):  # a literal of one octet more waits for it; of one less leaves a stray octet, which is an error
        with Imap(server, account=alice) as c:
            octets = b"Subject: count\r\n\r\nx"
            c.send(b"a APPEND INBOX {%d+}\r\n%s" % (len(octets) + more, octets))
            c.send(b"\r\n" if more < 0 else b"!\r\n")
            kind, lines = c.until("a")
            assert kind == ("OK" if more > 0 else "BAD") or kind == "END", (more, lines)
            cases += 1
    with Imap(server, account=alice) as c:
        limit = int(re.search(r"APPENDLIMIT=(\d+)", "\n".join(c.cmd("CAPABILITY")[1])).group(1)) if "APPENDLIMIT=" in \
            "\n".join(c.cmd("CAPABILITY")[1]) else 52428800
        kind, lines = c.cmd("APPEND INBOX {%d}" % (limit + 1))
        assert kind == "NO" and ("TOOBIG" in lines[-1] or "OVERQUOTA" in lines[-1] or "LIMIT" in lines[-1]), lines
        cases += 1
    stored = len(inbox(server, alice))
    whole = b"Subject: cut\r\n\r\n" + b"z" * 60000
    for kib in range(0, 58, 1 if FULL else 2):
        with Imap(server, account=alice) as c:
            c.send(b"a APPEND INBOX {%d+}\r\n" % len(whole) + whole[: kib * 1024])
            cases += 1
    assert len(inbox(server, alice)) == stored
    empty(server, alice)
    threat("T-165", cases)


def test_t166_nobody_elses_mail(server, alice, bob):
    client = imap(server, bob)
    client.create("Private")
    client.append("Private", None, None, b"Subject: canary-of-bob\r\n\r\nx\r\n")
    client.logout()
    cases = 0
    names = ["Private", f"{bob.address}/Private", "bob/Private", f"user/{bob.address}/Private", "~bob/Private", "#shared/bob",
             "Other Users/bob/Private", f"INBOX/../{bob.address}/INBOX"]
    forms = ["SELECT {}", "EXAMINE {}", "STATUS {} (MESSAGES UIDNEXT)", "DELETE {}", "RENAME {} mine", "COPY 1 {}", "UID MOVE 1 {}"]
    with Imap(server, account=alice) as c:
        c.cmd("APPEND INBOX {10+}\r\nSubject: x")
        c.cmd("SELECT INBOX")
        for name in names:
            missing = quote("Missing-" + str(len(name)))
            for form in forms:
                kind, lines = c.cmd(form.format(quote(name)))
                other, absent = c.cmd(form.format(missing))
                assert kind == other == "NO", (form, name, lines)
                strip = re.compile(r"^t\d+ ")
                assert strip.sub("", lines[-1]) == strip.sub("", absent[-1]), "the answer tells the two apart"
                cases += 1
                if form.startswith(("SELECT", "EXAMINE")):
                    c.cmd("SELECT INBOX")
        for form in ("GETACL {}", "MYRIGHTS {}", "SETACL {} anyone lr", "GETMETADATA {} /private/comment", "GETQUOTAROOT {}",
                     'LIST "" {}', 'LSUB "" {}'):
            for name in names:
                kind, lines = c.cmd(form.format(quote(name)))
                assert not any("canary" in l for l in lines) and (kind in ("NO", "BAD") or len(lines) == 1), lines
                cases += 1
    client = imap(server, bob)
    assert client.select("Private")[1] == [b"1"]
    client.logout()
    empty(server, alice)
    threat("T-166", cases)


def test_t337_accounts_are_not_mixed(server):
    """Sessions of several accounts, some of one keeper, take turns; each account has a canary of its own in every field, and no
    session ever sees another's."""
    names = ("dora", "emil", "fred")
    people = [server.add_account(name) for name in names]
    clients = [Imap(server, account=p) for p in people]
    rounds = 1000 if FULL else 60
    for name, c in zip(names, clients):
        assert c.cmd(f"CREATE canary-{name}")[0] == "OK"
        assert c.cmd(f"SUBSCRIBE canary-{name}")[0] == "OK"
    cases, seen = 0, {name: set() for name in names}
    for i in range(rounds):
        for name, c in zip(names, clients):
            text = f"Subject: canary-{name} {i}\r\nFrom: <canary-{name}@their.test>\r\n\r\ncanary-{name}\r\n"
            asked = (f"APPEND canary-{name} (canary-{name}) {{{len(text)}+}}\r\n{text}", f"SELECT canary-{name}", 'LIST "" *', 'LSUB "" *',
                     f"FETCH {i + 1} (FLAGS ENVELOPE BODY.PEEK[])", "SEARCH TEXT canary-", f"STATUS canary-{name} (MESSAGES)",
                     f"STATUS canary-{names[(i + 1) % 3]}x (MESSAGES)")
            for line in asked:
                c.send(f"z{i} {line}\r\n")
            lines = []
            for _ in asked:
                lines += c.until(f"z{i}")[1]
            found = set(re.findall(r"canary-(\w+)", "\n".join(lines)))
            assert found == {name}, (name, found)
            assert f"* STATUS canary-{name} (MESSAGES {i + 1})" in lines
            cases += 1
    for c in clients:
        c.close()
    threat("T-337", cases)


def test_t169_two_sessions_at_once(server, alice):
    """Random clients on one mailbox: UIDs are never used twice, no flag is lost, EXPUNGE never comes during FETCH, STORE or
    SEARCH by number, and in the end every session sees what the model says."""
    empty(server, alice)
    rng = random.Random(169)
    clients = [Imap(server, account=alice) for _ in range(4)]
    sequence = [[] for _ in clients]  # each client's idea of the mailbox: uids by number, None when not yet known
    seen_uids, model = set(), {}
    for i, c in enumerate(clients):
        c.cmd("SELECT INBOX")
    steps = 2_000_000 if FULL else 600
    cases = 0

    def run(i, text):
        nonlocal cases
        kind, lines = clients[i].cmd(text)
        assert kind == "OK", (text, lines)
        verb = text.split()[0]
        for line in lines[:-1]:
            number = re.match(r"\* (\d+) (EXPUNGE|EXISTS|FETCH)", line)
            if not number:
                continue
            n, what = int(number.group(1)), number.group(2)
            if what == "EXPUNGE":
                assert verb not in ("FETCH", "STORE", "SEARCH"), f"EXPUNGE during {text}"
                assert 1 <= n <= len(sequence[i])
                del sequence[i][n - 1]
            elif what == "EXISTS":
                assert n >= len(sequence[i]), f"{line} without EXPUNGE, knew {len(sequence[i])}"
                sequence[i] += [None] * (n - len(sequence[i]))
            else:
                assert n <= len(sequence[i]), line
                uid = re.search(r"UID (\d+)", line)
                if uid:
                    known = sequence[i][n - 1]
                    assert known in (None, int(uid.group(1))), "a sequence number names another message"
                    sequence[i][n - 1] = int(uid.group(1))
        cases += 1
        return lines

    for _ in range(steps):
        i = rng.randrange(len(clients))
        action = "delete" if len(model) > 100 else rng.choice(("append", "append", "flag", "flag", "unflag", "fetch", "noop", "search", "expunge", "delete"))
        uid = rng.choice(sorted(model)) if model else None
        if action in ("flag", "unflag", "delete"):
            run(i, "NOOP")  # a session acts on what it was told of
        if action == "append":
            lines = run(i, "APPEND INBOX (\\Draft) {12+}\r\nSubject: x\r\n")
            made = int(re.search(r"APPENDUID \d+ (\d+)", lines[-1]).group(1))
            assert made not in seen_uids and made > max(seen_uids, default=0), "a UID came back"
            seen_uids.add(made)
            model[made] = {"\\Draft"}
        elif action == "noop":
            run(i, "NOOP")
        elif action == "search":
            run(i, "SEARCH FLAGGED")
        elif action == "fetch" and sequence[i]:
            run(i, "FETCH 1:* (UID FLAGS)")
        elif uid and action in ("flag", "unflag"):
            sign = "+" if action == "flag" else "-"
            run(i, f"UID STORE {uid} {sign}FLAGS (\\Flagged)")
            (model[uid].add if sign == "+" else model[uid].discard)("\\Flagged")
        elif uid and action == "delete":
            run(i, f"UID STORE {uid} +FLAGS (\\Deleted)")
            run(i, f"UID EXPUNGE {uid}")
            del model[uid]
        elif action == "expunge":
            run(i, "EXPUNGE")
    for i, c in enumerate(clients):
        run(i, "NOOP")
        lines = run(i, "UID FETCH 1:* (FLAGS)")
        found = {}
        for line in lines[:-1]:
            match = re.match(r"\* \d+ FETCH \((?=.*UID (\d+))(?=.*FLAGS \(([^)]*)\))", line)
            if match:
                found[int(match.group(1))] = set(match.group(2).split()) - {"\\Recent"}
        assert found == model, (i, set(found) ^ set(model))
        c.close()
    empty(server, alice)
    threat("T-169", cases)


def test_condstore(server, alice):
    empty(server, alice)
    with Imap(server, account=alice) as c:
        c.cmd("APPEND INBOX {12+}\r\nSubject: 1\r\n")
        c.cmd("APPEND INBOX {12+}\r\nSubject: 2\r\n")
        kind, lines = c.cmd("SELECT INBOX (CONDSTORE)")
        highest = int(re.search(r"HIGHESTMODSEQ (\d+)", "\n".join(lines)).group(1))
        kind, lines = c.cmd("STORE 1 (UNCHANGEDSINCE %d) +FLAGS (\\Flagged)" % highest)
        assert kind == "OK" and "MODSEQ (" in lines[0]
        kind, lines = c.cmd("STORE 1:2 (UNCHANGEDSINCE %d) +FLAGS (\\Seen)" % highest)
        assert "[MODIFIED 1]" in lines[-1], lines
        kind, lines = c.cmd("FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % highest)
        assert len(lines) == 3 and all("MODSEQ" in l for l in lines[:-1])
        kind, lines = c.cmd("SEARCH MODSEQ %d" % (highest + 1))
        assert re.match(r"\* SEARCH 1 2 \(MODSEQ \d+\)", lines[0]), lines
    empty(server, alice)


def test_idle_tells_at_once(server, alice):
    empty(server, alice)
    with Imap(server, account=alice) as watcher, Imap(server, account=alice) as other:
        watcher.cmd("SELECT INBOX")
        watcher.send("i IDLE\r\n")
        assert watcher.line().startswith("+")
        other.cmd("APPEND INBOX {12+}\r\nSubject: x\r\n")
        assert watcher.line() == "* 1 EXISTS"
        other.cmd("SELECT INBOX")
        other.cmd("STORE 1 +FLAGS (\\Flagged)")
        lines = []
        while not any("\\Flagged" in l for l in lines):
            lines.append(watcher.line())
        other.cmd("STORE 1 +FLAGS (\\Deleted)")
        other.cmd("EXPUNGE")
        while "* 1 EXPUNGE" not in lines:
            lines.append(watcher.line())
        watcher.send("DONE\r\n")
        assert watcher.until("i")[0] == "OK"


def test_t176_no_quit_no_deletion(server, bob):
    empty(server, bob)
    fill(server, bob, 12)
    cases = 0
    for ending in ("close", "reset", "half"):
        c = Pop3(server, account=bob)
        for n in range(1, 13):
            assert c.cmd(f"DELE {n}").startswith("+OK")
        if ending == "reset":
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if ending == "half":
            c.send("QUI")
        c.close()
        assert len(inbox(server, bob)) == 12
        cases += 1
    c = Pop3(server, account=bob)
    for n in range(1, 13):
        c.cmd(f"DELE {n}")
    assert c.cmd("RSET").startswith("+OK")
    assert c.cmd("DELE 1").startswith("+OK")
    assert c.cmd("QUIT").startswith("+OK")
    assert len(inbox(server, bob)) == 11
    threat("T-176", cases + 1)
    empty(server, bob)


def test_pop3_drop_is_exclusive_and_uidls_are_stable(server, bob):
    empty(server, bob)
    fill(server, bob, 2)
    first = Pop3(server, account=bob)
    first.send("UIDL\r\n")
    lines = [first.line() for _ in range(4)]
    assert lines[0].startswith("+OK") and lines[3] == "."
    with Pop3(server) as second:
        second.cmd(f"USER {bob.address}")
        assert second.cmd(f"PASS {bob.password}").startswith("-ERR [IN-USE]")
    first.close()
    # Whoever hangs up and comes back at once is not held up by his own last session.
    for _ in range(20):
        Pop3(server, account=bob).close()
    client = imap(server, bob)
    client.select("INBOX")
    client.copy("1", "INBOX")
    client.logout()
    third = Pop3(server, account=bob)
    third.send("UIDL\r\n")
    again = [third.line() for _ in range(5)]
    assert again[1:3] == lines[1:3] and again[3].split()[1] not in (lines[1].split()[1], lines[2].split()[1])
    third.close()
    empty(server, bob)
