"""The fault laboratory: a state is a small world in which something is wrong (or nothing), the arguments that `letterlock doctor`
is given in it, and the verdict that is right. Every state has a network of its own (lab/namespace.py), so that they run side
by side at the real ports; those with other people's servers share one, the town.

The table of states is lab/states.py; what the code happens to say is never the reason for what stands there."""
import base64
import contextlib
import dataclasses
import email.utils
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import time

from lab import namespace, programs
from lab.certificates import Cabinet
from lab.scripted import PASSWORD, Door, Imap, Pop3, Smtp
from lib.dnsserver import DnsServer
from lib.server import COMMAND, Server

DOMAIN = "lab.test"
NETWORK, FIRST_HOST = "93.184.216", 10
PORTS = {("imap", True): 993, ("imap", False): 143, ("pop3", True): 995, ("pop3", False): 110, ("smtp", True): 465,
         ("smtp", False): 587}
SPEAKERS = {"imap": Imap, "pop3": Pop3, "smtp": Smtp}
FAILURES = 2  # refused sign-ins of one run: the product's promise
# Seconds for one step: far more than a busy machine needs where all answers come, and little where silence is the fault.
PATIENCE, PATIENCE_WITH_SILENCE = 30, 5
WITHIN = 35  # seconds of the wall clock: who waited for something that never comes took longer
OUTER_LIMIT = 90


@dataclasses.dataclass
class State:
    name: str
    en: str
    zh: str
    build: object  # of (Bench): prepares the servers, and may return nothing
    verdict: str  # the diagnosis; or "healthy", "no-password", "unclear"
    cause: str = "none"
    alternative: str = ""  # what cannot be told apart from it from outside
    town: bool = False
    noticed: str = ""  # a diagnosis that is told besides
    clear: bool = False  # the password may go where others can read it: the person said so
    waits: bool = False  # something does not answer in it


class Bench:
    """What a state is built on: servers, names and the doctor's arguments."""

    def __init__(self, state, cabinet, folder, town):
        self.state, self.cabinet, self.folder, self.town = state, cabinet, pathlib.Path(folder), town
        self.names = {(DOMAIN, "MX"): [f"10 mx.{DOMAIN}"], (f"mx.{DOMAIN}", "A"): [f"{NETWORK}.5"]}
        self.dns_way = {}
        self.doors, self.held, self.args = [], contextlib.ExitStack(), []
        self.address, self.password = f"alice@{DOMAIN}", PASSWORD
        self.patience = PATIENCE_WITH_SILENCE if state.waits else PATIENCE
        self.form = ["--json"]
        self.before = []  # words before the command, such as faketime's
        self.environment = {}
        self.hosts = FIRST_HOST
        self.dns_port = 53

    # -- names and servers --------------------------------------------------------------------------------------------
    def host(self, name):
        """An address of its own for a host, published in the DNS: one that looks public, and ends in this network."""
        if (name, "A") not in self.names:
            if self.hosts == FIRST_HOST:
                namespace.ip("addr", "add", f"{NETWORK}.1/24", "dev", "lo")
            self.hosts += 1
            self.names[name, "A"] = [f"{NETWORK}.{self.hosts}"]
        return self.names[name, "A"][0]

    def door(self, host, port, talks, **way):
        door = Door(port, talks, address=self.host(host), **way)
        self.doors.append(door)
        return door

    def give(self, service, host, port=None, tls=None):
        """The person has these settings."""
        self.args += [f"--{service}", f"{host}:{port}" if port else host]
        if tls:
            self.args += ["--tls", tls]

    def serve(self, service, host=None, port=None, implicit=True, certificate=None, given=True, tls=None, way=None, **speaks):
        """A scripted server of one protocol, and the flag that names it."""
        host = host or f"{service}.{DOMAIN}"
        port = port or PORTS[service, implicit]
        certificate = certificate or self.cabinet.good(host)
        door = self.door(host, port, SPEAKERS[service](**speaks), certificate=certificate, implicit=implicit, **(way or {}))
        if given:
            self.give(service, host, port, tls)
        return door

    def imap(self, **kw):
        return self.serve("imap", **kw)

    def pop3(self, **kw):
        return self.serve("pop3", **kw)

    def smtp(self, **kw):
        return self.serve("smtp", **kw)

    def says(self, service, octets, port=None, given=True, host=None, end=True):
        """A server that says this to everybody and then listens, or closes."""
        def talk(wire):
            wire.send(octets)
            if not end:
                wire.until_end()
        host = host or f"{service}.{DOMAIN}"
        port = port or PORTS[service, True]
        if given:
            self.give(service, host, port)
        return self.door(host, port, talk)

    def web(self):
        """The page that tells whether the web can be reached."""
        def page(wire):
            while wire.line():
                pass
            wire.send(f"HTTP/1.0 200 OK\r\nDate: {email.utils.formatdate(usegmt=True)}\r\nConnection: close\r\n\r\nSuccess\n")
        self.door("captive.apple.com", 80, page)

    # -- the doctor ---------------------------------------------------------------------------------------------------
    def command(self):
        secret = self.folder / "secret"
        words = [*self.before, str(COMMAND), "doctor", self.address, *self.form, "--ca", str(self.cabinet.ca_file),
                 "--patience", str(self.patience)]
        if self.dns_port:
            words += ["--dns", f"127.0.0.1@{self.dns_port}"]
        if self.password is None:
            words.append("--no-password")
        elif not {"--token", "--password-file"} & set(self.args):
            secret.write_bytes(self.password if isinstance(self.password, bytes) else self.password.encode())
            secret.chmod(0o600)
            words += ["--password-file", str(secret)]
        return words + self.args

    def run(self):
        if not self.town and self.dns_port:
            self.held.enter_context(DnsServer(self.names, port=self.dns_port, **self.dns_way))
        began = time.monotonic()
        done = subprocess.run(self.command(), capture_output=True, timeout=OUTER_LIMIT, stdin=subprocess.DEVNULL,
                              env={**os.environ, "LANG": "C.UTF-8", "HOME": str(self.folder), **self.environment})
        return Seen(self, done, time.monotonic() - began)

    def close(self):
        for door in self.doors:
            door.close()
        self.held.close()


# A word in small letters, three of them, and any sign that Chinese is written with.
WORD, ENGLISH, CHINESE = re.compile(r"\b[a-z]{2,}\b"), re.compile(r"\b[a-z]{2,}(?: [a-z]{2,}){2,}"), re.compile("[\u3000-\u9fff\uff00-\uffef]")


class Seen:
    """What came out, and what the scripted servers saw meanwhile."""

    def __init__(self, bench, done, seconds):
        self.code, self.out, self.err, self.seconds = done.returncode, done.stdout, done.stderr, seconds
        self.command = " ".join(bench.command())
        self.attempts = [a for door in bench.doors for a in door.attempts]
        self.clear = b"".join(octets for door in bench.doors for secure, octets in door.heard if not secure)
        self.connections = [door.connections for door in bench.doors]
        self.folder = bench.folder
        self.secret = bench.password if isinstance(bench.password, bytes) else (bench.password or "").encode()
        try:
            self.json = json.loads(self.out)
        except ValueError:
            self.json = {}
        verdict = self.json.get("verdict", {})
        self.kind, self.cause = verdict.get("kind", ""), verdict.get("cause", "")
        notes = [n for server in self.json.get("servers", []) for n in server["notes"]] + self.json.get("notes", [])
        self.noticed = {n["diagnosis"] for n in notes if n["diagnosis"]}
        self.verdict = verdict.get("diagnosis") or self.kind
        self.alternative = verdict.get("alternative", {}).get("id", "")

    def summary(self):
        rows = [f"{self.command}\nexit {self.code} after {self.seconds:.2f} s, attempts {self.attempts}",
                f"verdict {self.verdict} ({self.cause}), alternative {self.alternative or 'none'}"]
        for server in self.json.get("servers", []):
            rows.append(f"  {server['service']} {server['server']} {server['security']} by {server['source']} "
                        f"trusted={server['trusted']} {[k for k, v in server['standing'].items() if v]}")
            rows += [f"    {line}" for line in map(note_line, server["notes"])]
        rows += [f"  general: {line}" for line in map(note_line, self.json.get("notes", []))]
        if not self.json:
            rows.append(self.out.decode(errors="replace")[-3000:])
        return "\n".join(rows + [self.err.decode(errors="replace")[-3000:]])

    def not_said_in_chinese(self):
        """What the doctor itself says and a Chinese answer would show in English. Names and what a server said are nobody's to
        translate."""
        found = []

        def look(value):
            if isinstance(value, list):
                for one in value:
                    look(one)
            elif isinstance(value, dict):
                english = value.keys() == {"en", "zh"} and ENGLISH.search(re.sub("“[^”]*”", "", value["zh"]))
                if english or (value.keys() == {"en", "zh"} and WORD.search(value["en"]) and not CHINESE.search(value["zh"])):
                    found.append(value)
                if value.get("kind") == "measured" and ENGLISH.search(value["text"]) and not value["says"]["zh"]:
                    found.append(value)
                for one in value.values():
                    look(one)
        look(self.json)
        return found

    def forms_of_secret(self):
        """The secret in every form in which it could be written down."""
        secret = self.secret.strip()
        if len(secret) < 8:
            return []
        inside = [base64.b64encode(b"\0" * (i + 3) + secret)[8:-4] for i in range(3)]
        return [secret, base64.b64encode(secret).rstrip(b"="), secret.hex().encode(), *inside]


def note_line(note):
    return f"{note['step']}: {note['tone']} {note['diagnosis'] or note['fact']} <- {note['proof']['text'][:200]!r}" + \
        (f" | {note['alternative']}" if note["alternative"] else "")


class Town:
    """Dovecot, Postfix, Courier and Letterlock in one network, made when the first state wants them."""

    def __init__(self, folder, cabinet):
        self.folder, self.cabinet = pathlib.Path(folder), cabinet
        self.lock, self.network, self.failed = threading.Lock(), None, False
        self.programs, self.held = [], contextlib.ExitStack()
        self.names = {}

    def enter(self):
        with self.lock:
            if self.network is None and not self.failed:
                self.failed = True
                namespace.in_thread(self.build)
                self.failed = False
        assert not self.failed, "the town could not be built"
        namespace.enter(self.network)
        return self

    def build(self):
        namespace.enter_new()
        network = namespace.current()
        for domain, address in (("dovecot.test", "127.0.0.2"), ("postfix.test", "127.0.0.2"), ("courier.test", "127.0.0.3")):
            for name in ("mail", "imap", "pop3", "smtp"):
                self.names[f"{name}.{domain}", "A"] = [address]
        certificate = self.cabinet.good(*sorted(name for name, _ in self.names))
        dovecot = self.add(programs.Dovecot(self.folder / "dovecot", "127.0.0.2", certificate))
        self.add(programs.Courier(self.folder / "courier", "127.0.0.3", certificate))
        self.add(programs.Postfix(self.folder / "postfix", "127.0.0.2", certificate, dovecot.folder / "run/auth-postfix"))
        self.letterlock = self.held.enter_context(Server.running(("alice", "bob")))
        self.publish_letterlock()
        self.held.enter_context(DnsServer(self.names, port=53))
        self.network = network

    def publish_letterlock(self):
        server = self.letterlock
        self.names[server.hostname, "A"] = ["127.0.0.1"]
        self.names[server.domain, "MX"] = [f"10 {server.hostname}"]
        for service, door in (("imaps", "imaps"), ("pop3s", "pop3s"), ("submissions", "submissions")):
            self.names[f"_{service}._tcp.{server.domain}", "SRV"] = [f"0 1 {server.ports[door]} {server.hostname}"]
        both = self.folder / "authorities.pem"
        both.write_bytes(self.cabinet.ca_file.read_bytes() + pathlib.Path(server.ca_file).read_bytes())
        self.ca_file = both

    def add(self, program):
        self.programs.append(program)
        return program.start()

    def close(self):
        for program in reversed(self.programs):
            program.stop()
        self.held.close()
        if self.network is not None:
            os.close(self.network)


class Laboratory:
    """Runs states on a few threads; `result` waits for one of them."""

    def __init__(self, states, workers=8):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="letterlock-laboratory-"))
        self.folder.chmod(0o755)
        self.cabinet = Cabinet(self.folder)
        self.town = Town(self.folder, self.cabinet)
        self.results, self.queue = {s.name: queue.Queue() for s in states}, queue.Queue()
        if any(s.town for s in states):
            programs.unpacked()
        for s in sorted(states, key=lambda s: not (s.waits or s.town)):  # what takes long begins first
            self.queue.put(s)
        self.threads = [threading.Thread(target=self.work) for _ in range(min(workers, len(states)))]
        for thread in self.threads:
            thread.start()

    def work(self):
        with contextlib.suppress(queue.Empty):
            while True:
                state = self.queue.get_nowait()
                try:
                    self.results[state.name].put((self.run(state), None))
                except BaseException as error:  # shown by the test that waits for it
                    self.results[state.name].put((None, error))

    def run(self, state):
        folder = self.folder / state.name
        folder.mkdir(mode=0o700)
        if state.town:
            town = self.town.enter()
        else:
            town = None
            namespace.enter_new()
        bench = Bench(state, self.cabinet, folder, town)
        try:
            state.build(bench)
            return bench.run()
        finally:
            bench.close()

    def result(self, name):
        seen, error = self.results[name].get(timeout=900)
        if error is not None:
            raise error
        return seen

    def close(self):
        with contextlib.suppress(queue.Empty):
            while True:  # what nobody waits for any more
                self.queue.get_nowait()
        for thread in self.threads:
            thread.join()
        self.town.close()
        shutil.rmtree(self.folder, ignore_errors=True)
