"""T-316, T-317, T-319, T-320, T-325: secrets in cores, in memory, in arguments and files, behind wrong modes, and after deletion.
Read from outside, as root, with nothing of the server's own help."""
import base64
import contextlib
import itertools
import os
import pathlib
import re
import signal
import subprocess
import threading

import pytest

from lib.family import children
from lib.faults import contents
from lib.mail import imap, message, pop3, submit
from lib.server import FULL, Server, threat, wait_until

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="reads the memory of other users' processes")
LOGINS = 1000 if FULL else 60


def files(folder):
    return [path for path, _ in contents(folder)]


def uids_of(pid):
    line = next(l for l in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if l.startswith("Uid:"))
    return [int(n) for n in line.split()[1:]]


def as_user(uid, *words):
    return subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *map(str, words)],
                          capture_output=True, text=True, timeout=60)


# ------------------------------------------------------------------------------------------------------------- T-316
def test_no_cores_and_no_debugger(server):
    cases = 0
    for name, pid in children(server).items():
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size\s+0\s+0\s", limits), f"{name} may write a core"
        uid = uids_of(pid)[0]
        assert uid != 0, f"{name} runs as root"
        for path in ("mem", "environ", "maps", "fd"):
            done = as_user(uid, "ls" if path == "fd" else "head", *(() if path == "fd" else ("-c", "1")), f"/proc/{pid}/{path}")
            assert done.returncode != 0, f"{name}: its own user may read {path}"
        traced = as_user(uid, "strace", "-p", pid, "-e", "trace=none")
        assert traced.returncode != 0 and "Operation not permitted" in traced.stderr, f"{name} can be traced by its own user"
        cases += 6
    threat("T-316", cases)


def test_a_crash_leaves_no_core(server):
    before, before_in_root = set(files(server.dir)), set(pathlib.Path("/").glob("core*"))
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    server.expect("process.died", "process.killed")
    pids = children(server)
    for name in ("gate.0", "keeper.0", "vault", "scan.0", "scribe"):
        if name not in pids:
            name = next(n for n in pids if n.startswith(name.split(".")[0]))
        os.kill(pids[name], signal.SIGSEGV)
        wait_until(lambda: children(server).get(name, pids[name]) != pids[name], 60, f"{name} to be started again")
    new = {p for p in set(files(server.dir)) - before if "core" in p.name}
    assert not new
    if not pattern.startswith("|"):
        assert set(pathlib.Path("/").glob("core*")) == before_in_root
    imap(server, server.accounts["alice"]).logout()  # whole again
    threat("T-316 (crash)", 5)


# ------------------------------------------------------------------------------------------------------------- T-317
def memory_of(pid):
    """Every readable page that is the process's own, piece by piece."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem, open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            span, mode, _, _, inode, *name = line.split()
            if not mode.startswith("rw") or name and name[0] in ("[vvar]", "[vdso]"):
                continue
            start, end = (int(n, 16) for n in span.split("-"))
            with contextlib.suppress(OSError, ValueError):
                mem.seek(start)
                yield mem.read(end - start)


def found_in(pid, needles):
    return {n for piece in memory_of(pid) for n in needles if n in piece}


def forms_of(account):
    """The secret as it is typed, and as PLAIN carries it."""
    plain = base64.b64encode(f"\0{account.address}\0{account.password}".encode())
    return {account.password.encode(), account.password.replace("-", "").encode(), plain}


def test_no_secret_stays_in_memory(server, alice):
    needles = forms_of(alice)
    for i in range(LOGINS):
        with imap(server, alice) as client:
            assert client.noop()[0] == "OK"
        if i % 10 == 0:
            pop3(server, alice).quit()
            _, data = message(alice.address, alice.address)
            submit(server, alice, [alice.address], data)
    own = os.getpid()
    assert found_in(own, {alice.password.encode()}), "the search finds nothing where it must"
    for name, pid in children(server).items():
        wait_until(lambda: not found_in(pid, needles), what=f"{name} to have forgotten the secret")
    threat("T-317", LOGINS)


def test_the_vault_locks_its_secrets(server):
    pid = children(server)["vault"]
    locked = int(re.search(r"VmLck:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1])
    assert locked >= 1024
    smaps = pathlib.Path(f"/proc/{pid}/smaps").read_text()
    held = [part for part in re.split(r"\n(?=[0-9a-f]+-)", smaps) if re.search(r"Locked:\s+[1-9]", part)]
    assert held and all(" dd " in part or " dd" in part for part in held if " lo" in part), "locked pages would be dumped"
    threat("T-317 (lock)", 1)


def test_wiping_is_not_optimised_away():
    from lib.server import BUILD
    for role in ("gate", "vault", "keeper"):
        out = subprocess.run(["nm", "--dynamic", "--undefined-only", str(BUILD / f"src/programs/letterlock-{role}")],
                             capture_output=True, text=True, check=True).stdout
        assert "explicit_bzero" in out or "sodium_memzero" in out, role
    threat("T-317 (wipe)", 3)


# ------------------------------------------------------------------------------------------------------------- T-319
def test_no_secret_in_arguments_environment_or_files(server, alice):
    """Watched while commands and sign-ins that carry secrets run."""
    seen, stop = set(), threading.Event()
    secrets = {alice.password}
    watched = 0

    def watch():
        nonlocal watched
        while not stop.is_set():
            for folder in pathlib.Path("/proc").iterdir():
                if folder.name.isdigit() and folder.name != str(os.getpid()):
                    for name in ("cmdline", "environ"):
                        with contextlib.suppress(OSError):
                            text = (folder / name).read_bytes().decode(errors="replace")
                            seen.update((s, name) for s in list(secrets) if s in text)
            watched += 1
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for i in itertools.count():
            if i >= 10 and watched >= 5:
                break
            made = server.add_credential("client", alice.address, label=f"watched {i}")[0]
            secrets.add(made)
            server.run("client", "test", alice.address, input=made + "\n", check=False)
            server.run("account", "add", f"watched{i}@{server.domain}", input=f"a long passphrase {i} Z!\n")
            secrets.add(f"a long passphrase {i} Z!")
            imap(server, alice).logout()
    finally:
        stop.set()
        watcher.join()
    assert watched >= 5 and not seen
    for path in [*files(server.dir), *pathlib.Path("/tmp").glob("letterlock*")]:
        with contextlib.suppress(OSError):
            assert not any(s in path.name for s in secrets)
            if path.is_file() and path.stat().st_size < 64 << 20:
                data = path.read_bytes()
                assert not any(s.encode() in data for s in secrets), path
    threat("T-319", len(secrets))


# ------------------------------------------------------------------------------------------------------------- T-320
def test_wrong_modes_are_refused_at_start():
    cases = 0
    s = Server()
    try:
        key = next(p for p in (s.dir / "tls").iterdir() if "key" in p.name and "ca" not in p.name)
        vault = [s.dir / "vault", *(s.dir / "vault").rglob("*")]
        writable = {s.dir, s.dir / "letterlock.conf"}  # what anybody may read, but not change
        for path in [key, s.dir / "accounts", s.dir / "audit", *vault, *writable]:
            right = path.stat().st_mode & 0o7777
            modes = (0o777, 0o770, 0o707, 0o666, 0o660, 0o606, 0o622, 0o720) if path in writable else (
                0o777, 0o755, 0o750, 0o705, 0o710, 0o666, 0o640, 0o604)
            for mode in modes:
                path.chmod(mode)
                done = subprocess.run([str(s.command), "serve", str(s.dir)], capture_output=True, text=True, timeout=60,
                                      env=dict(os.environ, LANG="C.UTF-8"))
                assert done.returncode != 0, f"{path} with {mode:o} is taken"
                words = done.stdout + done.stderr
                assert path.name in words or str(path) in words, words[-800:]
                path.chmod(right)
                cases += 1
        s.start()
    finally:
        s.remove()
    threat("T-320", cases)


# ------------------------------------------------------------------------------------------------------------- T-325
def test_deleted_means_deleted():
    """No trace of a deleted message, and none of a removed account's secrets, is left in any file of the server."""
    s = Server().start()
    cases = 0
    try:
        account = s.add_account("gone")
        stays = s.add_account("stays")
        canaries = [f"canary-{i:02d}-{os.urandom(12).hex()}" for i in range(10)]
        client = imap(s, account)
        for i, canary in enumerate(canaries):
            _, data = message(account.address, account.address, subject=canary, body=(canary + "\r\n") * (1 if i % 2 else 9000))
            assert client.append("INBOX", None, None, data)[0] == "OK"
        client.select("INBOX")
        assert client.search(None, "SUBJECT", canaries[0])[1] != [b""]
        client.store("1:*", "+FLAGS", "(\\Deleted)")
        client.expunge()
        client.logout()
        s.run("account", "remove", account.address, "--yes")
        wait_until(lambda: not left(s, canaries), 60, "the canaries to be gone")
        cases += len(canaries)
        assert not left(s, [account.password])
        imap(s, stays).logout()
        s.stop()
        assert not left(s, canaries)
    finally:
        s.remove()
    threat("T-325", cases)


def left(server, texts):
    return {(t, path.name) for path, octets in contents(server.dir) for t in texts if t.encode() in octets}
