"""The real supervisor and scribe with actors (tests/tools/actor.c) in all other roles: for tests of processes alone."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from lib.server import BUILD, free_ports, wait_until

ROLES = ("gate", "vault", "keeper", "scan", "relay", "scribe")
UID_BASE = 59100
USER = 65211


class Family:
    def __init__(self, acts="plain", as_root=None, keepers=2, extra=""):
        self.as_root = os.getuid() == 0 if as_root is None else as_root
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="letterlock-family-"))
        self.base.chmod(0o755)
        self.bin, self.dir, self.log_path = self.base / "bin", self.base / "server", self.base / "log"
        self.bin.mkdir(mode=0o755)
        self.dir.mkdir(mode=0o700)
        programs = BUILD / "src/programs"
        for role in ("supervisor", "scribe"):
            shutil.copy(programs / f"letterlock-{role}", self.bin)
        for role in ROLES[:-1]:
            shutil.copy(BUILD / "tests/tools/actor", self.bin / f"letterlock-{role}")
        self.ports = free_ports(2)
        self.acts, self.keepers, self.extra = acts, keepers, extra
        self.process, self.seen = None, 0
        self.write_config()
        self.write_certificate()

    def write_config(self, acts=None, **changes):
        keys = {"hostname": f"{acts or self.acts}.example.test", "gates": 1, "keepers": self.keepers, "scans": 1,
                "log_form": "json", **changes}
        lines = [f"{k} = {v}" for k, v in keys.items()]
        lines += [f"listen = imaps 127.0.0.1:{self.ports[0]}", f"listen = smtp 127.0.0.1:{self.ports[1]}",
                  "certificate = chain.pem key.pem", self.extra, ""]
        (self.dir / "letterlock.conf").write_text("\n".join(lines))
        self.own()

    def write_certificate(self, text="-----BEGIN CERTIFICATE-----\n"):
        (self.dir / "chain.pem").write_text(text)
        (self.dir / "key.pem").write_text("-----BEGIN KEY-----\n")
        (self.dir / "key.pem").chmod(0o600)
        self.own()

    def own(self):
        if os.getuid() == 0 and not self.as_root:
            for path in [self.dir, *self.dir.iterdir()]:
                os.lchown(path, USER, USER)

    # -- life -------------------------------------------------------------------------------------------------------
    def spawn(self, **options):
        command = [str(self.bin / "letterlock-supervisor"), str(self.dir)]
        if os.getuid() == 0 and not self.as_root:
            command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *command]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **options)
        return self.process

    def start(self, **options):
        self.mark()
        self.spawn(**options)
        wait_until(lambda: self.events("server.ready") or self.process.poll() is not None, 60, "the start")
        assert self.process.poll() is None, self.log_text()[-4000:]
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(60) == 0, self.log_text()[-3000:]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind:
            print(self.log_text()[-6000:])
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.base, ignore_errors=True)

    # -- what is seen -----------------------------------------------------------------------------------------------
    def log_text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def mark(self):
        """Events are counted from here on."""
        self.seen = self.log_text().rfind("\n") + 1

    def events(self, event=None, **fields):
        """A last line that is still being written is none yet."""
        found = []
        for line in self.log_text()[self.seen:].split("\n")[:-1]:
            if line.startswith("{") and line.endswith("}"):
                record = json.loads(line)
                if event in (None, record["event"]) and all(record.get(k) == v for k, v in fields.items()):
                    found.append(record)
        return found

    def wait(self, event, count=1, seconds=30, **fields):
        return wait_until(lambda: len(e := self.events(event, **fields)) >= count and e, seconds, f"{event} {fields}")

    def pids(self):
        return children(self)

    def all_ready(self):
        """Every process is ready, as the log says, and is the one that runs."""
        last = {}
        for e in self.events("process.ready"):
            last[e["name"]] = e["pid"]
        return last if last == self.pids() and len(last) == 5 + self.keepers else None

    def processes_of_bin(self):
        """Every living process whose program lies in our folder, orphans too."""
        found = []
        for folder in pathlib.Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and os.readlink(folder / "exe").startswith(str(self.bin)) \
                        and stat_of(folder)[1] != "Z":
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def connect_control(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.connect(str(self.dir / "control"))
        return s


def children(server):
    """{process name: pid} of the living children, from the kernel."""
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and stat_of(folder)[0] == server.process.pid and stat_of(folder)[1] != "Z":
                words = (folder / "cmdline").read_bytes().split(b"\0")
                found[words[1].decode()] = int(folder.name)
        except (OSError, IndexError):
            continue
    return found


def stat_of(folder):
    words = (folder / "stat").read_text().rsplit(")", 1)[1].split()
    return int(words[1]), words[0]


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def descriptors_of(pid):
    """What each descriptor is, without numbers that differ from run to run."""
    kinds = []
    folder = pathlib.Path(f"/proc/{pid}/fd")
    for entry in sorted(folder.iterdir(), key=lambda p: int(p.name)):
        target = os.readlink(entry)
        kinds.append(target.split(":[")[0] if ":[" in target and not target.startswith("anon") else target)
    return kinds
