"""Never harmful (issue 4, "Shown by" 2): how often `letterlock doctor` signs in at servers that refuse, where the password goes,
and where it may be found afterwards. The servers are scripted, at loopback; each keeps what it was sent and in what."""
import base64
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import urllib.parse

import pytest

from lab.certificates import Cabinet
from lab.scripted import Door, Imap, Pop3, Smtp, context_of
from lib.dnsserver import NODATA, DnsServer
from lib.server import COMMAND, wait_until
from lib.terminal import on_terminal

DOMAIN = "harmless.test"
ADDRESS = f"alice@{DOMAIN}"
PASSWORD = "Zq8!unseen&walrus+41"
TOKEN = "ya29.unseen-Walrus_token-7731-aBcD"
SPEAKERS = {"imap": Imap, "pop3": Pop3, "smtp": Smtp}
FAILURES = 2
NAMES = {(f"{s}.{DOMAIN}", "A"): ["127.0.0.1"] for s in SPEAKERS}


def forms_of(secret):
    """As it could be written down: itself, hex, percent, base64 at any place of a longer text, and inside SASL responses."""
    octets = secret.encode()
    inside = [base64.b64encode(b"\0" * (i + 3) + octets)[8:-4] for i in range(3)]
    return [octets, octets.hex().encode(), octets.hex().upper().encode(), urllib.parse.quote(secret, safe="").encode(), octets[::-1],
            octets[:12], base64.b64encode(octets).rstrip(b"="), *inside,
            base64.b64encode(f"\0{ADDRESS}\0{secret}".encode()), base64.b64encode(f"\0alice\0{secret}".encode())]


def found_in(octets, secret=PASSWORD):
    return [form for form in forms_of(secret) if form in octets]


@pytest.fixture(scope="module")
def cabinet(tmp_path_factory):
    return Cabinet(tmp_path_factory.mktemp("cabinet"))


@pytest.fixture(scope="module")
def names():
    with DnsServer(NAMES) as dns:
        yield dns


class World:
    """Scripted servers of one run, and the words that name them."""

    def __init__(self, cabinet, names, folder):
        self.cabinet, self.names, self.folder, self.doors, self.words = cabinet, names, folder, [], []
        self.held = contextlib.ExitStack()
        self.attempts = []  # of all servers, in the order in which they were made

    def serve(self, service, implicit=True, certificate=None, tls=None, given=True, **speaks):
        host = f"{service}.{DOMAIN}"
        certificate = self.cabinet.good(host) if certificate is None else certificate
        if speaks.pop("in_clear", False):
            speaks |= {"auth_in_clear": True} if service == "smtp" else {"login_disabled": False}
        door = Door(0, SPEAKERS[service](**{"password": PASSWORD, **speaks}), certificate=certificate or None, implicit=implicit)
        door.attempts = self.attempts
        door.service, door.port = service, door.socket.getsockname()[1]
        self.doors.append(door)
        if given:
            self.words += [f"--{service}", f"{host}:{door.port}"]
        return door

    def secret_file(self, text=PASSWORD):
        path = self.folder / "secret"
        path.write_text(text + "\n")
        path.chmod(0o600)
        return str(path)

    def command(self, *more, user=True):
        return [str(COMMAND), "doctor", *(["--user", ADDRESS] if user else []), "--dns", self.names.where, "--ca",
                str(self.cabinet.ca_file), "--patience", "30", *self.words, *more]

    def run(self, *more, tls="implicit", secret=True, **way):
        words = self.command(*(["--tls", tls] if tls else []), *more, **way)
        if secret:
            words += ["--password-file", self.secret_file()]
        return subprocess.run(words, capture_output=True, timeout=120, stdin=subprocess.DEVNULL, env=environment())

    def refused(self):
        return [a for a in self.attempts if not a[2]]

    def heard(self, secure=None):
        return b"".join(octets for d in self.doors for s, octets in d.heard if secure is None or s == secure)

    def close(self):
        for door in self.doors:
            door.close()
        self.held.close()


def environment(**more):
    return {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "", "LC_MESSAGES": "", **more}


@pytest.fixture
def world(cabinet, names, tmp_path):
    with contextlib.closing(World(cabinet, names, tmp_path)) as w:
        yield w


# ------------------------------------------------------------------------------------------------- how often it signs in
# What servers say, of each protocol, and whether it says that the secret (or the account) is what is wrong.
REFUSALS = {
    "dovecot": ("NO [AUTHENTICATIONFAILED] Authentication failed.", "-ERR [AUTH] Authentication failed.",
                "535 5.7.8 Error: authentication failed:", True),
    "gmail": ("NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "-ERR [AUTH] Username and password not accepted.",
              "535-5.7.8 Username and Password not accepted.\n535 5.7.8 https://support.google.com/mail", True),
    "app-password": ("NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)",
                     "-ERR [AUTH] Application-specific password required",
                     "534-5.7.9 Application-specific password required.\n534 5.7.9 Learn more", True),
    "locked": ("NO [AUTHENTICATIONFAILED] Account locked", "-ERR [AUTH] Account is locked", "535 5.7.8 Account locked", True),
    "disabled": ("NO Account is disabled", "-ERR [AUTH] account disabled", "535 5.7.8 account disabled", True),
    "unknown-words": ("NO the moon is in the wrong house", "-ERR the moon is in the wrong house", "535 the moon is in the wrong house", True),
    "mechanism": ("NO Unsupported authentication mechanism", "-ERR Unsupported authentication mechanism",
                  "504 5.5.4 Unrecognized authentication type", False),
    "form": ("NO [AUTHENTICATIONFAILED] please log in with your full email address", "-ERR please use your full email address as user name",
             "535 5.7.8 Please use your full email address as the user name", False),
    "trouble": ("NO [UNAVAILABLE] Temporary authentication failure", "-ERR [SYS/TEMP] Temporary authentication failure",
                "454 4.7.0 Temporary authentication failure", False),
    "limit": ("NO [LIMIT] Too many simultaneous connections", "-ERR [IN-USE] mailbox locked", "421 4.7.0 Too many connections", False),
    "off": ("NO [ALERT] IMAP access is disabled for your domain", "-ERR [SYS/PERM] POP access is disabled for your domain",
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant", False),
    "bad": ("BAD Invalid command", "-ERR Invalid command", "500 5.5.1 Invalid command", False),
    "bye": ("* BYE too many failures", "-ERR [LOGIN-DELAY] wait", "421 4.7.0 try again later", False),
}


@pytest.mark.parametrize("services", [("imap", "pop3", "smtp"), ("pop3", "smtp")], ids="+".join)
def test_attempts_are_counted(cabinet, names, tmp_path, services):
    """Servers that all refuse alike: never more than two refusals in a run, one when the secret is wrong."""
    def one(kind):
        folder = tmp_path / kind
        folder.mkdir()
        *replies, ends = REFUSALS[kind]
        with contextlib.closing(World(cabinet, names, folder)) as w:
            for service, reply in zip(SPEAKERS, replies):
                if service in services:
                    w.serve(service, password="another", mechanisms="PLAIN LOGIN", replies={"refused": reply})
            done = w.run("--json")
            return kind, ends, done, list(w.attempts), w.heard(False)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for kind, ends, done, attempts, clear in pool.map(one, REFUSALS):
            note = f"{kind}: {attempts}\n{done.stdout.decode()[-1500:]}{done.stderr.decode()[-1500:]}"
            assert done.returncode == 1, note
            assert 1 <= len(attempts) <= FAILURES, note
            assert not ends or len(attempts) == 1, note
            assert not found_in(done.stdout + done.stderr + clear), note


def test_what_works_is_used_and_a_later_refusal_ends_it(world):
    """Successes cost nothing; the first wrong-secret reply behind them is the last attempt."""
    world.serve("imap")
    world.serve("pop3", password="another")
    world.serve("smtp")
    assert world.run().returncode == 1
    assert len(world.refused()) == 1
    assert not world.attempts[-1][2] or len(world.attempts) <= 4


def test_a_token_is_refused_once(world):
    world.serve("imap", mechanisms="XOAUTH2 OAUTHBEARER PLAIN", password="another")
    world.serve("smtp", mechanisms="XOAUTH2 OAUTHBEARER PLAIN", password="another")
    done = subprocess.run(world.command("--tls", "implicit", "--token", world.secret_file(TOKEN), "--json"), capture_output=True,
                          timeout=60, stdin=subprocess.DEVNULL, env=environment())
    assert done.returncode == 1
    assert 1 <= len(world.attempts) <= FAILURES and {a[0] for a in world.attempts} <= {"XOAUTH2", "OAUTHBEARER"}
    assert not found_in(done.stdout + done.stderr + world.heard(False), TOKEN)


# ------------------------------------------------------------------------------------------------ where the password goes
BAD_SERVERS = {
    "plain": {"certificate": False, "implicit": False, "tls": "none"},
    "plain-unsaid": {"certificate": False, "implicit": False, "tls": None},
    "stripped": {"certificate": False, "implicit": False, "tls": "starttls"},
    "expired": {"of": lambda c, h: c.of_times(h, -60, -1)},
    "not-yet": {"of": lambda c, h: c.of_times(h, 10, 60)},
    "other-name": {"of": lambda c, h: c.good("other.test")},
    "self-signed": {"of": lambda c, h: c.self_signed(h)},
    "stranger": {"of": lambda c, h: c.stranger(h)},
    "starttls-stranger": {"of": lambda c, h: c.stranger(h), "implicit": False, "tls": "starttls"},
}


@pytest.mark.parametrize("kind", BAD_SERVERS)
def test_nothing_is_sent_before_verified_tls(world, kind):
    """What arrives at a server in clear, or at one that is not proved to be the right one, does not hold the password."""
    way = dict(BAD_SERVERS[kind])
    tls, of = way.pop("tls", "implicit"), way.pop("of", None)
    for service in SPEAKERS:
        certificate = of(world.cabinet, f"{service}.{DOMAIN}") if of else way.get("certificate")
        world.serve(service, **{**way, "certificate": certificate}, in_clear=True)
    done = world.run("--json", tls=tls)
    assert done.returncode == 1
    assert world.attempts == []
    assert not found_in(world.heard() + done.stdout + done.stderr)
    assert all(word not in world.heard().upper() for word in (b" LOGIN ", b"AUTHENTICATE", b"AUTH PLAIN", b"PASS "))


class Betrayal(list):
    """The attempts of a door that somebody else answers at once the first was made."""

    def __init__(self, door, certificate):
        super().__init__()
        self.door, self.certificate = door, certificate

    def append(self, attempt):
        super().append(attempt)
        self.door.context = context_of(self.certificate)


@pytest.mark.parametrize("implicit", [True, False])
def test_each_connection_has_to_prove_itself(world, implicit):
    """Who stands aside at the first connection and in between at the second gets nothing, whatever was agreed to."""
    door = world.serve("imap", mechanisms="PLAIN LOGIN", implicit=implicit)
    door.attempts = Betrayal(door, world.cabinet.stranger(f"imap.{DOMAIN}"))
    done = world.run("--json", "--allow-clear", tls="implicit" if implicit else "starttls")
    assert len(door.attempts) == 1
    assert json.loads(done.stdout)["verdict"]["diagnosis"] == "signin-not-private-any-more"


@pytest.mark.parametrize("implicit", [True, False])
def test_a_consent_is_for_one_certificate(world, implicit):
    """The person agreed to a server that nobody vouches for; another one behind it is not the same."""
    host = f"imap.{DOMAIN}"
    door = world.serve("imap", mechanisms="PLAIN LOGIN", implicit=implicit, certificate=world.cabinet.self_signed(host))
    door.attempts = Betrayal(door, world.cabinet.stranger(host))
    done = world.run("--json", "--allow-clear", tls="implicit" if implicit else "starttls")
    assert len(door.attempts) == 1
    assert "signin-other-certificate" in done.stdout.decode(), done


class Fickle(Imap):
    """Refuses PLAIN each time as a way that it does not know, and takes the password by LOGIN."""

    def do_authenticate(self, wire, tag, rest):
        if rest.upper().startswith("PLAIN"):
            wire.door.attempts.append(("PLAIN", "", False))
            return wire.say(f"{tag} BAD Unsupported authentication mechanism")
        return super().do_authenticate(wire, tag, rest)


def test_watching_has_two_refusals_in_all(cabinet, names, tmp_path):
    """Not two a round: a way that is refused each time, though another one succeeds, would look like somebody who guesses."""
    with contextlib.closing(World(cabinet, names, tmp_path)) as w:
        door = Door(0, Fickle(password=PASSWORD), certificate=cabinet.good(f"imap.{DOMAIN}"), implicit=True)
        w.doors.append(door)
        w.words += ["--imap", f"imap.{DOMAIN}:{door.socket.getsockname()[1]}"]
        with subprocess.Popen([*w.command("--tls", "implicit", "--watch", "--every", "1 s", "--json"), "--password-file", w.secret_file()],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment()) as process:
            wait_until(lambda: len([a for a in door.attempts if not a[2]]) == FAILURES, 30, "both refusals")
            seen = door.connections
            wait_until(lambda: door.connections > seen + 20, 30, "further rounds")
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=30)
        assert len([a for a in door.attempts if not a[2]]) == FAILURES, door.attempts
        assert b"not tried again" in err and not found_in(out + err)


def test_a_chosen_way_is_the_only_one(world):
    world.serve("imap", mechanisms="PLAIN LOGIN")
    world.serve("smtp", mechanisms="PLAIN LOGIN")
    assert world.run("--mechanism", "LOGIN").returncode == 0
    assert {a[0] for a in world.attempts} == {"LOGIN"} and len(world.attempts) == 2
    done = world.run("--mechanism", "SCRAM-SHA-256", "--json")
    assert json.loads(done.stdout)["verdict"]["diagnosis"] == "signin-chosen-missing" and len(world.attempts) == 2


def test_in_clear_with_consent_only(world):
    """The flag is the consent; it lets exactly this through."""
    world.serve("imap", certificate=False, implicit=False, in_clear=True)
    assert world.run("--no-password", tls="none", secret=False).returncode in (0, 1)
    assert world.attempts == []
    world.run("--allow-clear", tls="none")
    assert [a[2] for a in world.attempts] == [True] * len(world.attempts) != []


@pytest.mark.parametrize("answer, tried", [("no", False), ("yes", True)])
def test_a_person_is_asked_before_anything_in_clear(world, answer, tried):
    world.serve("imap", certificate=False, implicit=False, in_clear=True)
    code, shown = on_terminal(world.command("--tls", "none"), environment(TERM="xterm"),
                              [("Password of", PASSWORD), ("all the same?", answer)])
    assert "all the same?" in shown, shown
    assert bool(world.attempts) == tried, shown
    assert not found_in(shown.encode())


def test_servers_that_anybody_could_have_named_get_nothing(cabinet, tmp_path):
    """SRV records without a proof lead to a good server with a good certificate: still nobody said that it is the right one."""
    with contextlib.closing(World(cabinet, None, tmp_path)) as w:
        door = w.serve("imap", certificate=cabinet.good("imap.elsewhere.test"), given=False)
        script = {("imap.elsewhere.test", "A"): ["127.0.0.1"], (DOMAIN, "A"): ["127.0.0.1"], (DOMAIN, "*"): NODATA,
                  (f"_imaps._tcp.{DOMAIN}", "SRV"): [f"0 1 {door.port} imap.elsewhere.test"]}
        w.names = w.held.enter_context(DnsServer(script))
        done = w.run("--json", ADDRESS, tls=None, user=False)
        assert f"imap.elsewhere.test:{door.port}" in done.stdout.decode(), done
        assert w.attempts == [] and not found_in(w.heard())


@pytest.mark.parametrize("service", SPEAKERS)
@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "NONE-THAT-WE-KNOW"], ids=["sasl", "own"])
def test_line_ends_in_a_name_or_password_are_no_commands(world, service, mechanisms):
    """What was pasted with a line end is sent as one thing (base64, a literal), or not at all."""
    door = world.serve(service, mechanisms=mechanisms)
    words = [w if w != ADDRESS else "alice\r\nXINJECT 1" for w in world.command("--tls", "implicit")]
    done = subprocess.run([*words, "--password-file", world.secret_file("ab\rXINJECT 2")], capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL, env=environment())
    assert done.returncode == 1, done
    lines = world.heard().replace(b"\r", b"\n").split(b"\n")
    literals = [line for line in lines if line.endswith((b"{18}", b"{18+}", b"{12}", b"{12+}"))]
    assert service == "imap" and literals or not [line for line in lines if b"XINJECT" in line], lines
    assert door.connections


def test_mail_is_sent_when_it_was_asked_for_only(world):
    world.serve("smtp")
    assert world.run().returncode == 0
    assert b"RCPT TO" in world.heard() and b"DATA\r\n" not in world.heard()
    assert world.run("--send-test").returncode == 0
    sent = world.heard().partition(b"DATA\r\n")[2]
    assert f"<{ADDRESS}>".encode() in sent and not found_in(sent.partition(b"\r\n.\r\n")[0])


# ------------------------------------------------------------------------------------ where it may be found afterwards
class Held:
    """A server that keeps its answer to a sign-in back until it is let go."""

    def __init__(self):
        self.asked, self.go = threading.Event(), threading.Event()

    def __call__(self, wire, tag, rest):
        if "+" in rest or " " not in rest.strip():
            wire.say("+ ")
            wire.line()
        self.asked.set()
        self.go.wait(60)
        wire.say(f"{tag} NO [AUTHENTICATIONFAILED] Authentication failed.")


def test_others_see_nothing_while_it_runs(world):
    held = Held()
    world.serve("imap", mechanisms="PLAIN", replies={"AUTHENTICATE": held, "LOGIN": held})
    words = world.command("--tls", "implicit")
    with subprocess.Popen([*words, "--password-file", world.secret_file()], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, env=environment()) as process:
        try:
            assert held.asked.wait(30)
            for name in ("cmdline", "environ", "status", "comm"):
                assert not found_in(pathlib.Path(f"/proc/{process.pid}/{name}").read_bytes())
            limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
            assert re.search(r"Max core file size\s+0\s+0\s", limits)
        finally:
            held.go.set()
        out, err = process.communicate(timeout=120)
    assert process.returncode == 1 and not found_in(out + err)


def test_no_output_holds_the_password(world):
    """Text, JSON, both languages, the report, settings: after success and after refusal."""
    world.serve("imap")
    world.serve("smtp", password="another", replies={"refused": f"535 5.7.8 {PASSWORD} is wrong, and so is {ADDRESS}"})
    report = world.folder / "report.html"
    seen = b""
    for more in (["--lang", "zh", "--report", str(report)], ["--json"], ["--settings", "mbsync"], ["--settings", "apple"]):
        done = world.run(*more)
        assert done.returncode == 1
        seen += done.stdout + done.stderr
    text = report.read_bytes()
    assert text.startswith(b"<!") and report.stat().st_mode & 0o777 == 0o600
    assert not found_in(seen) and not found_in(text)


def memory_of(pid):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem, open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            span, mode, _, _, _, *name = line.split()
            if not mode.startswith("rw") or name and name[0] in ("[vvar]", "[vdso]"):
                continue
            start, end = (int(n, 16) for n in span.split("-"))
            if end - start > 1 << 30:
                continue  # a sanitizer's shadow
            with contextlib.suppress(OSError, ValueError):
                mem.seek(start)
                yield mem.read(end - start)


@pytest.mark.skipif(os.getuid() != 0, reason="reads the memory of a process")
def test_watching_tries_once_and_then_forgets(world):
    """After the refusal it goes on without the password: no further attempt, and not an octet of it in memory."""
    door = world.serve("imap", password="another")
    with subprocess.Popen([*world.command("--tls", "implicit", "--watch", "--every", "1 s", "--json"), "--password-file",
                           world.secret_file()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          env=environment()) as process:
        wait_until(lambda: len(world.attempts) == 1, what="the first sign-in")
        before = door.connections
        wait_until(lambda: door.connections > before + 1, what="another look")
        process.send_signal(signal.SIGSTOP)
        octets = b"\n".join(memory_of(process.pid))
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
    assert len(world.attempts) == 1
    assert ADDRESS.encode() in octets and not found_in(octets)
    assert b'"verdict"' in out and not found_in(out + err)


GOSSIP = "unseen-Walrus-7731-meadow"  # may stand in a host name, too


class Gossip:
    """A server that was sent the password, and what it and its friends say of it afterwards: where they said so, and in what words."""

    def __init__(self, cabinet, door):
        self.cabinet, self.door, self.speaker = cabinet, door, door.talks
        self.host = f"imap.{DOMAIN}"

    def in_greeting(self, mark):
        plain = base64.b64encode(f"\0{ADDRESS}\0{GOSSIP}".encode()).decode()
        self.speaker.greeting = f"* BYE {mark} {GOSSIP} {GOSSIP.upper()} {GOSSIP[:-3]}, {plain} {GOSSIP.encode().hex()}"

    def in_capability(self, mark):
        self.speaker.mechanisms = f"PLAIN {mark}-{GOSSIP}"

    def in_certificate(self, mark):
        self.speaker.greeting = "* OK ready"
        self.door.context = context_of(self.cabinet.stranger(self.host, issuer=f"{mark} {GOSSIP}", organisation=f"{mark} by {GOSSIP}"))

    def in_certificate_name(self, mark):
        self.door.context = context_of(self.cabinet.good(f"{mark}.{GOSSIP}.test"))


@pytest.mark.parametrize("password", ["another", GOSSIP], ids=["refused", "taken"])
def test_watching_repeats_no_gossip(cabinet, names, tmp_path, password):
    """Rounds after the one in which the password was sent, wiped or not: whoever says it back is shown without it."""
    with contextlib.closing(World(cabinet, names, tmp_path)) as w:
        gossip = Gossip(cabinet, w.serve("imap", password=password))
        path, errors = tmp_path / "out", tmp_path / "errors"
        words = [*w.command("--tls", "implicit", "--watch", "--every", "1 s", "--json"), "--password-file", w.secret_file(GOSSIP)]
        with open(path, "wb") as out, open(errors, "wb") as err, \
                subprocess.Popen(words, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=environment()) as process:
            try:
                wait_until(lambda: b'"verdict"' in path.read_bytes(), 60, "the first round")
                assert w.attempts
                for name in ("in_capability", "in_greeting", "in_certificate", "in_certificate_name"):
                    mark = "gossip-" + name.replace("_", "-")
                    getattr(gossip, name)(mark)
                    wait_until(lambda m=mark.encode(): m in path.read_bytes().lower(), 60, mark)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)
        said = path.read_bytes() + errors.read_bytes()
        low = said.lower()
        assert b"[...]" in said
        assert not found_in(said, GOSSIP) and not found_in(low, GOSSIP.lower()) and GOSSIP[:-3].lower().encode() not in low, said.decode()


class Friend(list):
    """The attempts at one server, of which another one hears."""

    def __init__(self, door):
        super().__init__()
        self.door = door

    def append(self, attempt):
        super().append(attempt)
        self.door.talks.greeting = f"554 5.9.9 the friend of mine said {GOSSIP}"


@pytest.mark.parametrize("more", [["--json"], ["--lang", "zh"]], ids=["json", "zh"])
def test_a_friend_of_the_server_repeats_nothing_either(world, more):
    """Within one run: who is asked second says in its greeting what the first one was sent."""
    imap, smtp = world.serve("imap", password=GOSSIP), world.serve("smtp", password=GOSSIP)
    imap.attempts = Friend(smtp)
    report = world.folder / "report.html"
    words = [*world.command("--tls", "implicit", *more), "--report", str(report), "--password-file", world.secret_file(GOSSIP)]
    done = subprocess.run(words, capture_output=True, timeout=120, stdin=subprocess.DEVNULL, env=environment())
    assert done.returncode == 1 and b"friend of mine" in done.stdout, done
    assert not found_in(done.stdout + done.stderr + report.read_bytes(), GOSSIP)
    assert b"friend of mine said [...]" in report.read_bytes()


def test_a_batch_never_signs_in(world):
    for service in SPEAKERS:
        world.serve(service, given=False)
    rows = "".join(f"{d.service}s://{d.service}.{DOMAIN}:{d.port}\n" for d in world.doors)
    (world.folder / "rows").write_text("# ours\n\n" + rows)
    done = world.run("--batch", str(world.folder / "rows"), "--json", tls=None, secret=False, user=False)
    assert done.stdout.count(b'"verdict"') == 3, done
    assert world.attempts == [] and all(d.connections for d in world.doors)
    heard = world.heard().upper()
    assert all(word not in heard for word in (b" LOGIN ", b"AUTHENTICATE", b"AUTH PLAIN", b"PASS "))
    refused = world.run("--batch", str(world.folder / "rows"), tls=None, user=False)
    assert refused.returncode == 64 and world.attempts == []
