"""A real server for tests: `letterlock init` in a fresh folder, `letterlock serve`, accounts with client passwords.

Everything goes through the command and the ports, as a user would. Ports come from the kernel; the log is kept, and a
test that leaves an unexpected error line in it fails (Server.expect announces one)."""
import contextlib
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("LETTERLOCK_BUILD", ROOT / "build"))
COMMAND = BUILD / "letterlock"
DOORS = ("smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s")
FULL = bool(os.environ.get("LETTERLOCK_FULL"))


def threat(row, cases, passed=None):
    """The line that docs/threats.md counts."""
    print(f"{row} cases={cases} passed={cases if passed is None else passed}")


# What a loaded machine may add to a deadline that the product promises. Without a promise there is no upper bound in a test.
SLACK = 10


def wait_until(condition, seconds=30, what="the condition"):
    """Polls for what no other event announces; the deadline belongs to the test, not to the product: waiting costs nothing
    when it succeeds."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        select_nothing(0.02)


def select_nothing(seconds):
    import select
    select.select([], [], [], seconds)


def listening_ports():
    """All ports but those that the kernel gives to outgoing connections, beginning somewhere else in each process: nobody takes
    one between its choice and its use, nor while a server is down between two starts."""
    least, most = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    ports = [p for p in range(10000, 65536) if not least <= p <= most] or list(range(10000, 65536))
    part, parts = map(int, os.environ.get("LETTERLOCK_TEST_PORTS", "0/1").split("/"))  # of runs side by side
    ports = ports[part::parts]
    begin = random.SystemRandom().randrange(len(ports))
    return itertools.cycle(ports[begin:] + ports[:begin])


PORTS = listening_ports()


def free_ports(count):
    found = []
    while len(found) < count:
        port = next(PORTS)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            found.append(port)
    return found


class Account:
    def __init__(self, address, password):
        self.address, self.password = address, password


class Server:
    """One running server in a folder of its own."""

    def __init__(self, domain="ours.test", hostname="mx.ours.test", extra="", log_level="debug", tmpfs_mib=0, command=COMMAND):
        self.command = command
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="letterlock-test-"))
        self.mounted = False
        if tmpfs_mib:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={tmpfs_mib}m", "tmpfs", str(self.base)], check=True)
            self.mounted = True
        self.base.chmod(0o755)
        self.dir = self.base / "server"
        self.domain, self.hostname = domain, hostname
        self.log_path = self.base / "log"
        self.process = None
        self.expected = []
        self.accounts = {}
        self.run("init", str(self.dir), "--hostname", hostname, "--domain", domain, "--ports", "high", "--yes")
        self.ports = dict(zip(DOORS, free_ports(len(DOORS))))
        self.configure(extra, log_level)

    @classmethod
    @contextlib.contextmanager
    def running(cls, accounts=(), ready=lambda server: None, **kw):
        """A server that runs for the block, with accounts; `ready` sees it before it starts. It must end without an
        unexpected error line; whatever goes wrong, its log is shown and its folder goes."""
        server = cls(**kw)
        try:
            ready(server)
            server.start()
            for name in accounts:
                server.add_account(name)
            yield server
            server.stop()
        except BaseException:
            print(server.log_text()[-6000:])
            raise
        finally:
            server.remove()

    # -- the command ------------------------------------------------------------------------------------------------
    def run(self, *words, input=None, check=True, dir_flag=False):
        done = subprocess.run([str(self.command), *words], input=input, capture_output=True, text=True, timeout=120,
                              env=dict(os.environ, LANG="C.UTF-8", LETTERLOCK_DIR=str(self.dir)))
        if check and done.returncode != 0:
            raise AssertionError(f"letterlock {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def json(self, *words, **kw):
        out = self.run(*words, "--json", **kw).stdout
        return json.loads(out) if out.strip() else None

    def configure(self, extra, log_level):
        """Replaces the listeners of the commented file by free ports of this machine."""
        path = self.dir / "letterlock.conf"
        lines = [l for l in path.read_text().split("\n") if not re.match(r"\s*(listen|log_level|log_form|notices)[ =]", l)]
        lines += [f"listen = {door} 127.0.0.1:{port}" for door, port in self.ports.items()]
        if not re.search(r"^notices\b", extra, re.M):
            lines.append("notices = no")  # else every new client password puts a mail into the mailbox that is looked at
        lines += [f"log_level = {log_level}", "log_form = json", extra, ""]
        path.write_text("\n".join(lines))

    # -- life -------------------------------------------------------------------------------------------------------
    def spawn(self):
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen([str(self.command), "serve", str(self.dir)], stderr=self.log, stdout=self.log,
                                        stdin=subprocess.DEVNULL, start_new_session=True)

    def start(self):
        self.spawn()
        wait_until(self.is_up, 60, "the server's ports")
        return self

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log_text()[-4000:]}")
        return all(self.answers(p) for p in (self.ports["smtp"], self.ports["imap"], self.ports["pop3"]))

    @staticmethod
    def answers(port):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
                return bool(s.recv(1))
        except OSError:
            return False

    def stop(self, check_log=True):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                raise AssertionError("the server did not stop within 60 s:\n" + self.log_text()[-3000:])
        if check_log:
            bad = [l for l in self.log_lines() if l.get("level") == "error" and l["event"] not in self.expected]
            assert not bad, f"unexpected error lines: {bad[:5]}"

    def remove(self):
        self.stop(check_log=False)
        if self.mounted:
            self.log.close()
            subprocess.run(["umount", str(self.base)], check=True)
        shutil.rmtree(self.base, ignore_errors=True)

    def expect(self, *events):
        self.expected += events

    def reload(self):
        """SIGHUP, until it is done."""
        done = sum(l["event"] == "reload.done" for l in self.log_lines())
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: sum(l["event"] == "reload.done" for l in self.log_lines()) > done, what="the reload")

    @contextlib.contextmanager
    def changed(self, line, other):
        """With another line in letterlock.conf, for as long as the block lasts."""
        path = self.dir / "letterlock.conf"
        before = path.read_text()
        assert line in before
        path.write_text(before.replace(line, other))
        self.reload()
        try:
            yield
        finally:
            path.write_text(before)
            self.reload()

    # -- the log ----------------------------------------------------------------------------------------------------
    def log_text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_lines(self):
        """The records written so far; a last line that is still being written is none yet."""
        whole = self.log_text().split("\n")[:-1]
        return [json.loads(line) for line in whole if line.startswith("{")]

    # -- what is stored ---------------------------------------------------------------------------------------------
    def stored(self, part="."):
        """The octets of each of the server's files (below `part`) by its path; one that goes while it is looked at is none."""
        found = {}
        for path in (self.dir / part).rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and not path.is_symlink():
                    found[str(path)] = path.read_bytes()
        return found

    # -- people -----------------------------------------------------------------------------------------------------
    def add_account(self, local, *limits):
        """An account and a client password for it."""
        address = local if "@" in local else f"{local}@{self.domain}"
        self.run("account", "add", address, "--no-password")
        account = Account(address, self.add_client(address, *limits))
        self.accounts[local] = account
        return account

    def add_client(self, address, *limits):
        return self.add_credential("client", address, *(limits or ("--receive", "--send")))[0]

    def add_credential(self, kind, address, *limits, label="test"):
        """A client password ("client") or a token, and its number as the commands take it."""
        made = self.json(kind, "add", address, label, *limits)
        return made["secret"], str(made["credential"])

    # -- doors ------------------------------------------------------------------------------------------------------
    @property
    def ca_file(self):
        return str(next(p for p in (self.dir / "tls").glob("ca*.pem") if "key" not in p.name))

    def tls(self):
        return ssl.create_default_context(cafile=self.ca_file)

    def connect(self, door, timeout=60, source=None):
        return socket.create_connection(("127.0.0.1", self.ports[door]), timeout, source and (source, 0))
