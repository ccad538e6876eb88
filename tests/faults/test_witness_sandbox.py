"""T-333, T-334: a witness program enters the jail of every role as the process table describes it, and tries what it must
not. As root with a user and root folder of its own, and as an ordinary user without."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from lib.server import BUILD, threat

WITNESS = BUILD / "tests/tools/jail_witness"
ROLES = ("supervisor", "gate", "vault", "keeper", "scan", "relay", "scribe", "directory")
JAILED = ROLES[1:]
FOLDER = {"vault": "vault", "keeper": "accounts", "relay": "spool", "scribe": "audit"}
FILE_ROLES = ("vault", "keeper", "relay")
OTHER_UID = 65210
AS_ROOT = [pytest.param(True, marks=pytest.mark.skipif(os.getuid() != 0, reason="not root")), False]


def attempts(role, folder, lines, uid, prefix):
    command = [*prefix, str(WITNESS), "try", role, str(folder), "0", "4", str(uid)]
    done = subprocess.run(command, input="".join(l + "\n" for l in lines), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    results = done.stdout.splitlines()
    assert len(results) == len(lines) and "witness failed" not in results, done.stderr
    return dict(zip(lines, results))


def ordinary(uid):
    """Words that run a command as a user who is nobody here."""
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if os.getuid() == 0 else []


@pytest.fixture
def tree(tmp_path_factory, request):
    """A server's folder with something to steal in each corner. A folder of the user's own."""
    base = pathlib.Path(tempfile.mkdtemp(prefix="letterlock-witness-"))
    base.chmod(0o755)
    root = base / "server"
    for name in ("vault", "accounts", "spool", "audit", "tls", *(f"accounts/{s:02x}" for s in range(256))):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("letterlock.conf", "tls/key.pem", "vault/accounts.db", "accounts/00/mail.db", "accounts/ff/mail.db",
                 "spool/message", "audit/2026-11-22.journal"):
        (root / name).write_text("secret\n")
        (root / name).chmod(0o666)
    for own in ("vault", "accounts/00", "spool", "audit"):
        up = "../" * (own.count("/") + 1)
        (root / own / "to-etc").symlink_to("/etc/passwd")
        (root / own / "to-conf").symlink_to(up + "letterlock.conf")
        (root / own / "to-root").symlink_to("/proc/self/root/etc/passwd")
    for path in [root, *root.rglob("*")]:
        if path.is_dir():
            path.chmod(0o777)
    yield root
    shutil.rmtree(base)


# ------------------------------------------------------------------------------------------------------- system calls
EVERYWHERE = {"clone3": "ENOSYS", "map-executable": "EACCES", "protect-executable": "EACCES", "creat": "EACCES",
              "open": "EACCES", "openat2": "EACCES"}
LET_THROUGH = {
    "gate": {"accept4": "EBADF"},
    "vault": {"unlinkat": "EFAULT", "renameat2": "EINVAL", "pwrite64": "EBADF", "fallocate": "EBADF", "ftruncate": "EBADF"},
    "keeper": {"unlinkat": "EFAULT", "renameat2": "EINVAL", "pwrite64": "EBADF", "fallocate": "EBADF",
               "ftruncate": "EBADF"},
    "relay": {"unlinkat": "EFAULT", "renameat2": "EINVAL", "pwrite64": "EBADF", "fallocate": "EBADF", "ftruncate": "EBADF"},
    "scan": {},
    "scribe": {},
    "directory": {"socket-inet": "ok", "socket-inet6": "ok", "connect": "EBADF"},
}
# The supervisor starts the others, so its filter lets through what their start needs; these it never does.
SUPERVISOR_NEVER = """execveat clone-new-user ptrace process_vm_readv process_vm_writev pidfd_getfd mount umount2 pivot_root unshare setns
    setuid setgid setreuid bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register keyctl add_key
    request_key memfd_secret personality socket-netlink socket-packet socket-alg socketpair-inet
    init_module finit_module delete_module kexec_load reboot swapon swapoff sethostname settimeofday clock_settime adjtimex
    iopl ioperm modify_ldt acct quotactl mknodat symlinkat open_by_handle_at inotify_init1 fanotify_init shmget msgget semget
    mq_open vmsplice process_madvise kcmp syslog setxattr pkey_mprotect remap_file_pages other-architecture ioctl-tiocsti
    truncate""".split()


def all_calls():
    return subprocess.run([str(WITNESS), "calls"], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("as_root", AS_ROOT)
def test_calls(tree, as_root):
    """T-333: every call outside the list kills; the opening calls are refused."""
    cases = 0
    prefix, uid = ([], OTHER_UID) if as_root else (ordinary(OTHER_UID), 0)
    for role in JAILED:
        results = attempts(role, tree / "accounts" if role == "keeper" else "-", [f"call {c}" for c in all_calls()], uid,
                           prefix)
        expected = {f"call {c}": {**EVERYWHERE, **LET_THROUGH[role]}.get(c, "killed") for c in all_calls()}
        assert results == expected, role
        cases += len(results)
    if not as_root:
        results = attempts("supervisor", "-", [f"call {c}" for c in SUPERVISOR_NEVER], 0, prefix)
        assert set(results.values()) == {"killed"}, {k: v for k, v in results.items() if v != "killed"}
        cases += len(results)
    threat("T-333", cases)


# ---------------------------------------------------------------------------------------------------------------- paths
def foreign(root, role):
    """What lies outside the role's share, by every way of naming it."""
    own = {"vault": "vault", "keeper": "accounts", "relay": "spool", "scribe": "audit"}.get(role)
    names = ["/etc/passwd", "/etc/shadow", "/proc/self/root/etc/passwd", "/proc/self/environ", "/proc/1/mem", "/proc/self/mem",
             "/proc/kcore", "/dev/mem", "/dev/null", "/dev/tty", "/dev/shm/witness", "/tmp/witness", "/var/tmp/witness",
             "/run/witness", "/sys/kernel/notes", "..", "../..", "../letterlock.conf", "../tls/key.pem",
             "../../server/letterlock.conf", "./../letterlock.conf", str(root / "letterlock.conf"),
             str(root / "tls/key.pem"), "/proc/self/cwd/../letterlock.conf", "/proc/self/fd/../cwd/../letterlock.conf"]
    for other in ("vault/accounts.db", "accounts/00/mail.db", "spool/message", "audit/2026-11-22.journal"):
        if not own or not other.startswith(own):
            names += [f"../{other}", str(root / other)]
    if role == "keeper":  # keeper 0 of 4 has the slots 00 to 3f
        names += ["ff/mail.db", "40", "00/../ff/mail.db", "00/to-etc", "00/to-conf", "00/to-root", "new"]
    elif own:
        names += ["to-etc", "to-conf", "to-root", f"../{own}/../letterlock.conf"]
    return names


def path_attempts(root, role):
    lines = []
    for name in foreign(root, role):
        lines += [f"read {name}", f"write {name}", f"cut {name}"]
    inside = {"vault": "accounts.db", "keeper": "00/mail.db", "relay": "message", "scribe": "2026-11-22.journal"}.get(role)
    for name in ("../stolen", "/tmp/stolen", str(root / "tls/stolen")):
        lines += [f"create {name}", f"mkdir {name}"]
        if inside and role != "scribe":
            lines += [f"rename {inside} {name}", f"link {inside} {name}"]
    if inside and role != "scribe":
        prefix = "00/" if role == "keeper" else ""
        lines += [f"rename ../letterlock.conf {prefix}in", f"link ../letterlock.conf {prefix}in", "unlink ../letterlock.conf"]
    return [l for l in lines if not (role not in FILE_ROLES and l.startswith(("mkdir", "rename", "link", "unlink")))]


@pytest.mark.parametrize("as_root", AS_ROOT)
@pytest.mark.parametrize("role", JAILED)
def test_paths(tree, role, as_root):
    """T-334: nothing outside the own trees can be opened, made, moved or linked."""
    prefix, uid = ([], OTHER_UID) if as_root else (ordinary(OTHER_UID), 0)
    lines = path_attempts(tree, role)
    results = attempts(role, tree / FOLDER[role] if role in FOLDER else "-", lines, uid, prefix)
    if as_root and role in ("vault", "relay", "scribe"):
        # With a root of its own "..", there, is the own folder itself: what was made there was made inside.
        results = {k: v for k, v in results.items()
                   if k not in ("read ..", "read ../..") and not (v == "ok" and k.endswith(" ../stolen"))}
    stolen = [p for p in (tree / "stolen", tree / "tls/stolen", pathlib.Path("/tmp/stolen")) if p.exists()]
    assert not stolen
    assert not {k: v for k, v in results.items() if v in ("ok", "killed")}
    threat("T-334", len(results))


@pytest.mark.parametrize("as_root", AS_ROOT)
@pytest.mark.parametrize("role", FILE_ROLES)
def test_own_files_can_be_used(tree, role, as_root):
    """The jail leaves open what the role is for."""
    prefix, uid = ([], OTHER_UID) if as_root else (ordinary(OTHER_UID), 0)
    inside = "00/" if role == "keeper" else ""
    lines = [f"create {inside}a", f"write {inside}a", f"rename {inside}a {inside}b", f"link {inside}b {inside}c",
             f"cut {inside}c", f"mkdir {inside}d", f"rename {inside}b {inside}d/b", f"list {inside}d", f"unlink {inside}c"]
    results = attempts(role, tree / FOLDER[role], lines, uid, prefix)
    assert set(results.values()) == {"ok"}, results


@pytest.mark.parametrize("as_root", AS_ROOT)
def test_the_journal_can_only_grow(tree, as_root):
    """The scribe reads and appends; cutting, rewriting, renaming and removing are refused or kill."""
    prefix, uid = ([], OTHER_UID) if as_root else (ordinary(OTHER_UID), 0)
    day = "2026-11-22.journal"
    expected = {
        f"read {day}": "ok", f"append {day}": "ok", "start 2026-11-23.journal": "ok", "list .": "ok",
        f"write {day}": "EACCES", f"cut {day}": "EACCES", f"create {day}": "EACCES",
        f"unlink {day}": "killed", f"rename {day} x": "killed", f"link {day} x": "killed", f"symlink {day} x": "killed",
        "mkdir d": "killed", "call truncate": "killed", "call ftruncate": "killed", "call pwrite64": "killed",
        "call fallocate": "killed",
    }
    assert attempts("scribe", tree / "audit", list(expected), uid, prefix) == expected
