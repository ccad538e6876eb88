"""The supervisor with actors in the roles: starting, connecting, restarting, reloading, stopping (T-306 to T-308, T-332,
T-335, T-336)."""
import json
import os
import signal
import socket
import stat
import subprocess

import pytest

from lib.family import UID_BASE, USER, Family, descriptors_of, status_of
from lib.server import FULL, SLACK, threat, wait_until

WAYS = [pytest.param(True, marks=pytest.mark.skipif(os.getuid() != 0, reason="not root"), id="root"),
        pytest.param(False, id="user")]
ALARM_SECONDS = 5  # what the product promises
USER_OF = {"gate": 1, "vault": 2, "keeper": 3, "scan": 4, "relay": 5, "scribe": 6}
NO_CAPABILITIES = "0000000000000000"


def role_of(name):
    return name.split("-")[0]


# ----------------------------------------------------------------------------------------------------- rights, descriptors
@pytest.mark.parametrize("as_root", WAYS)
def test_rights_are_gone(as_root):
    """T-335: every process has its own user, no capability in any set, no way to new ones, and the filter."""
    with Family(as_root=as_root).start() as family:
        checked = 0
        for name, pid in family.all_ready().items():
            status = status_of(pid)
            for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb") + (("CapBnd",) if as_root else ()):
                assert status[kind] == NO_CAPABILITIES, (name, kind)
            assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
            wanted = UID_BASE + USER_OF[role_of(name)] if as_root else (USER if os.getuid() == 0 else os.getuid())
            assert status["Uid"].split() == [str(wanted)] * 4 and status["Gid"].split() == [str(wanted)] * 4
            assert status["Groups"].split() == []
            root = os.readlink(f"/proc/{pid}/root") if os.getuid() == 0 else "/"
            assert (root != "/") == as_root
            checked += 1
        own = status_of(family.process.pid)
        assert own["CapEff"] == own["CapPrm"] == ("00000000000404e0" if as_root else NO_CAPABILITIES)
        assert own["NoNewPrivs"] == "1" and own["Seccomp"] == "2"
        sandbox = family.events("process.ready")[0]["sandbox"]
        assert sandbox == ("full" if as_root else "no-own-user no-own-root") or "wide" in sandbox
        family.stop()
        threat("T-335", checked + 1)


PEERS = {"gate": 1 + 2 + 1, "vault": 1 + 2 + 1, "keeper": 1 + 1 + 1 + 1, "scan": 1, "relay": 1, "scribe": 1 + 1 + 2 + 1 + 1}
POOLS = ("vault", "keeper")
FOLDERS = {"vault": "vault", "keeper": "accounts", "relay": "spool", "scribe": "audit"}


def expected_descriptors(family, role):
    log, folder = str(family.log_path), FOLDERS.get(role)
    wanted = ["/dev/null", log, log] + ["socket"] * (1 + PEERS[role]) + ["anon_inode:[eventpoll]"] * 2 + ["pipe", "pipe"]
    wanted.append(str(family.dir / folder) if folder else str(family.dir / ".empty") + " (deleted)")
    if role in POOLS:
        wanted.append("anon_inode:[eventfd]")
    return sorted(wanted)


def descriptors_differ(family):
    """Names of processes whose descriptors are not those of their row."""
    bad = {}
    for name, pid in family.pids().items():
        seen = sorted(d for d in descriptors_of(pid) if not d.endswith(".journal"))
        if seen != expected_descriptors(family, role_of(name)):
            bad[name] = seen
    return bad


def check_descriptors(family):
    """A peer that was replaced just now is seen a moment later."""
    wait_until(lambda: not descriptors_differ(family), what="the right descriptors")
    return len(family.pids())


@pytest.mark.skipif(os.getuid() != 0, reason="the kernel shows descriptors of undumpable processes to root alone")
@pytest.mark.parametrize("as_root", WAYS)
def test_descriptors_are_exactly_those_listed(as_root):
    """T-336: after start, after reloads, after every role was killed. What the test leaves open is not taken along."""
    leaked = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(leaked, True)
    with Family(as_root=as_root) as family:
        family.start(close_fds=False)
        cases = check_descriptors(family)
        for _ in range(3):
            family.process.send_signal(signal.SIGHUP)
        family.wait("reload.done")
        wait_until(lambda: len(family.events("actor.reload")) >= 5 + 1, what="reloads")
        cases += check_descriptors(family)
        for name, pid in family.pids().items():
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: family.pids().get(name) not in (None, pid) and family.all_ready(), what=f"{name} is back")
        cases += check_descriptors(family)
        family.stop()
        threat("T-336", cases)
    os.close(leaked)


# ------------------------------------------------------------------------------------------------------ restart, connect
def test_who_dies_is_back_at_once_and_connected_anew():
    with Family().start() as family:
        for name, pid in family.all_ready().items():
            family.mark()
            os.kill(pid, signal.SIGKILL)
            family.wait("process.died", name=name, pid=pid, signal=9)
            again = family.wait("process.ready", name=name)[0]
            assert again["pid"] != pid
            assert not family.events("process.backoff", name=name)
            if role_of(name) == "vault":
                for keeper in ("keeper-0", "keeper-1"):
                    down = family.wait("actor.peer-down", process=keeper, peer="vault")
                    assert down and family.wait("actor.peer-up", process=keeper, peer="vault")
                assert {e["peer"] for e in family.wait("actor.peer-up", 4, process="vault")} == \
                    {"gate-0", "keeper-0", "keeper-1", "scribe"}
        family.stop()


@pytest.mark.waits
def test_crash_loop_backs_off_and_alerts():
    """T-306: a process that dies at start waits longer each time, an alert comes at five deaths in a minute, and all others
    stay."""
    with Family(acts="broken").start() as family:
        others = {n: p for n, p in family.pids().items() if n != "scan-0"}
        family.wait("alert.crash-loop", name="scan-0", seconds=60)
        waits = [e["wait_ms"] for e in family.events("process.backoff", name="scan-0")]
        assert waits[:3] == [1000, 2000, 4000]
        died = family.events("process.died", name="scan-0")
        assert len(died) == 5 and all(e["status"] == 70 for e in died)
        assert {n: p for n, p in family.pids().items() if n != "scan-0"} == others
        family.stop()
        threat("T-306", len(died))


def test_program_that_cannot_run_is_a_crash_loop_too():
    with Family() as family:
        (family.bin / "letterlock-scan").write_bytes(b"\x7fELF nothing")
        family.start()
        assert family.wait("process.died", 2, name="scan-0")[0]["status"] == 71
        assert family.pids().keys() == {"gate-0", "vault", "keeper-0", "keeper-1", "relay", "scribe"}
        family.stop()
        threat("T-306", 1)


@pytest.mark.waits
def test_message_that_kills_is_served_as_opaque_after_three_deaths():
    """T-306: poison input is parked."""
    with Family(acts="deadly").start() as family:
        family.wait("actor.opaque", process="keeper-0", seconds=60)
        deaths = [e["deaths"] for e in family.events("process.died-on-message", account="ab010203" + "00" * 12)]
        alert = family.events("alert.poison")[0]
        assert deaths == [1, 2] and alert["deaths"] == 3 and alert["message"] == 7 and alert["operation"] == "parse"
        assert len(family.events("actor.poisoned")) == 1
        family.mark()
        os.kill(family.pids()["keeper-0"], signal.SIGKILL)  # for another reason: it is told again, and lives
        family.wait("actor.opaque", process="keeper-0", seconds=60)
        assert not family.events("process.died-on-message")
        family.stop()
        threat("T-306", 3)


# ----------------------------------------------------------------------------------------------- death of the supervisor
def test_children_do_not_outlive_the_supervisor():
    """T-307: they see it, end within 5 s, and a new supervisor starts at once on the same folder and ports."""
    rounds = 200 if FULL else 8
    with Family() as family:
        for _ in range(rounds):
            family.start()
            family.kill()
            wait_until(lambda: not family.processes_of_bin(), ALARM_SECONDS + SLACK, "the end of the children")
        family.start()
        family.stop()
        threat("T-307", rounds)


@pytest.mark.waits
def test_a_hanging_child_ends_by_its_own_alarm():
    """T-307: one that does not look at its channel is ended by the alarm that the supervisor's death sets."""
    with Family(acts="stubborn") as family:
        family.start()
        family.kill()
        assert family.processes_of_bin()
        wait_until(lambda: not family.processes_of_bin(), ALARM_SECONDS + SLACK, "the end of the children")
        family.write_config(acts="plain")
        family.start()
        family.stop()
        threat("T-307", 1)


@pytest.mark.waits
def test_a_new_supervisor_waits_for_the_old_ones_children():
    """T-307: nobody opens a folder that an orphan still holds."""
    with Family(acts="stubborn") as family:
        family.start()
        family.kill()
        orphans = set(family.processes_of_bin())
        family.write_config(acts="plain")
        family.start()
        assert orphans.isdisjoint(family.processes_of_bin())
        family.stop()
        threat("T-307", 1)


@pytest.mark.waits
def test_two_servers_on_one_folder():
    with Family().start() as family:
        second = subprocess.run([str(family.bin / "letterlock-supervisor"), str(family.dir)], capture_output=True, text=True,
                                timeout=120)
        assert second.returncode == 69
        assert "another server" in second.stderr and "remedy" in second.stderr
        assert family.all_ready()
        family.stop()


# ------------------------------------------------------------------------------------------------------------ stop, reload
def test_stop_is_in_order_and_clean():
    """T-308: who serves ends first, the vault and the scribe last; status 0; nothing is left."""
    with Family().start() as family:
        family.stop()
        ended = [e["name"] for e in family.events("process.ended")]
        assert len(ended) == 7 and ended[-2:] == ["vault", "scribe"]
        assert not family.processes_of_bin() and not (family.dir / "control").exists()
        assert not family.events(level="error")
        threat("T-308", 1)


@pytest.mark.waits
def test_stubborn_processes_are_ended():
    with Family(acts="stubborn", keepers=2).start() as family:
        family.process.send_signal(signal.SIGTERM)
        assert family.process.wait(120) == 0
        assert {e["name"] for e in family.events("process.stop-timeout")} >= {"gate-0", "vault"}
        assert not family.processes_of_bin()


def test_reload_changes_settings_and_certificates_without_a_restart():
    """T-308: SIGHUP many times: the same processes, the same descriptors, the new settings and certificates everywhere."""
    rounds = 1000 if FULL else 60
    with Family().start() as family:
        before = family.all_ready()
        assert family.events("actor.certificate")[0]["key"] == 20
        for i in range(rounds):
            family.mark()
            family.write_config(acts=f"plain{i}")
            family.write_certificate("-----BEGIN CERTIFICATE-----\n" + "x" * i)
            family.process.send_signal(signal.SIGHUP)
            family.wait("reload.done")
            assert {e["after"] for e in family.events("actor.reload")} == {f"plain{i}.example.test"}
            assert len(family.events("actor.reload")) == 6
            assert family.events("actor.certificate")[-1]["chain"] == 28 + i
        assert family.pids() == before
        if os.getuid() == 0:
            family.seen = 0
            check_descriptors(family)
            count = len(os.listdir(f"/proc/{family.process.pid}/fd"))
            family.process.send_signal(signal.SIGHUP)
            family.wait("reload.done", rounds + 1)
            assert len(os.listdir(f"/proc/{family.process.pid}/fd")) == count
        family.stop()
        threat("T-308", rounds)


@pytest.mark.parametrize("wrong", ["hostname = two words", "nonsense = 1", "gates = 0", "gates = 1\ngates = 2"])
def test_wrong_configuration_is_refused_whole(wrong):
    with Family().start() as family:
        before = family.all_ready()
        family.mark()
        with open(family.dir / "letterlock.conf", "a") as conf:
            conf.write("log_level = debug\n" + wrong + "\n")
        family.process.send_signal(signal.SIGHUP)
        family.wait("reload.refused")
        error = family.events("config.error")[0]
        assert error["line"] > 0 and error["problem"] and error["remedy"]
        assert not family.events("actor.reload") and family.pids() == before
        family.stop()


def test_reload_says_which_keys_wait():
    with Family().start() as family:
        family.write_config(keepers=4, log_level="warning")
        family.process.send_signal(signal.SIGHUP)
        family.wait("reload.waits", key="keepers", effect="restart")
        family.wait("reload.key", key="log_level", effect="live")
        family.wait("reload.done")
        assert family.keepers == 2 and family.all_ready()
        family.stop()


def test_bad_certificate_on_reload():
    """A file that cannot be read refuses the reload; one that is no certificate is the gate's word."""
    with Family().start() as family:
        (family.dir / "key.pem").chmod(0o644)
        family.process.send_signal(signal.SIGHUP)
        family.wait("reload.refused")
        assert "others may read" in family.events("certificate.unusable")[0]["problem"]
        family.write_certificate("nonsense")
        family.mark()
        family.process.send_signal(signal.SIGHUP)
        assert "certificate" in family.wait("reload.problem", name="gate-0")[0]["problem"]
        assert family.all_ready() is None and len(family.pids()) == 7
        family.stop()


# ------------------------------------------------------------------------------------------------------------ wrong starts
def start_fails(family, status, event):
    family.mark()
    assert family.spawn().wait(60) == status, family.log_text()[-2000:]
    lines = family.events(event)
    assert lines and (lines[0].get("remedy") or lines[0].get("line"))
    assert not family.processes_of_bin()
    return lines[0]


@pytest.mark.waits
def test_port_in_use():
    with Family() as family, socket.socket() as taken:
        taken.bind(("127.0.0.1", family.ports[1]))
        taken.listen()
        line = start_fails(family, 69, "listen.failed")
        assert line["address"].endswith(str(family.ports[1])) and line["door"] == "smtp"


def test_missing_certificate():
    with Family() as family:
        (family.dir / "chain.pem").unlink()
        assert "chain.pem" in start_fails(family, 78, "certificate.unusable")["problem"]


def test_key_that_others_can_read():
    with Family() as family:
        (family.dir / "key.pem").chmod(0o640)
        assert "key.pem" in start_fails(family, 78, "certificate.unusable")["problem"]


def test_configuration_that_others_can_change():
    with Family() as family:
        (family.dir / "letterlock.conf").chmod(0o666)
        assert "others may write" in start_fails(family, 78, "config.unusable")["problem"]


def test_folder_of_somebody_else():
    if os.getuid() != 0:
        pytest.skip("not root")
    with Family() as family:
        (family.dir / "vault").mkdir(mode=0o700)
        os.chown(family.dir / "vault", 65222, 65222)
        line = start_fails(family, 78, "start.failed")
        assert "65222" in line["problem"] and "chown" in line["remedy"]


def test_folder_open_to_others():
    with Family() as family:
        (family.dir / "vault").mkdir()
        (family.dir / "vault").chmod(0o755)
        family.own()
        assert "vault" in start_fails(family, 78, "start.failed")["problem"]


def test_error_in_the_configuration():
    with Family() as family:
        with open(family.dir / "letterlock.conf", "a") as conf:
            conf.write("gatez = 4\n")
        line = start_fails(family, 78, "config.error")
        assert line["line"] == (family.dir / "letterlock.conf").read_text().split("\n").index("gatez = 4") + 1


def test_what_root_left_is_handed_to_the_role():
    """`letterlock init` runs as root: its files become the roles', and a link that was put there leads nowhere."""
    if os.getuid() != 0:
        pytest.skip("not root")
    with Family() as family:
        keys = family.dir / "vault/keys"
        keys.mkdir(parents=True, mode=0o700)
        keys.parent.chmod(0o700)
        (keys / "clients.key").write_text("k")
        victim = family.base / "victim"
        victim.write_text("not yours")
        (family.dir / "vault/link").symlink_to(victim)
        family.start()
        assert (keys / "clients.key").stat().st_uid == UID_BASE + 2 and victim.stat().st_uid == 0
        assert (family.dir / "accounts/ff").stat().st_uid == UID_BASE + 3
        assert stat.S_IMODE((family.dir / "accounts/ff").stat().st_mode) == 0o700
        family.stop()


def test_sockets_of_a_service_manager_are_taken():
    with Family() as family, socket.socket() as given:
        given.bind(("127.0.0.1", family.ports[0]))
        given.listen()
        script = ("import os,sys\nfd=int(sys.argv[1])\nos.dup2(fd,3)\nos.environ.update(LISTEN_FDS='1',LISTEN_PID=str(os.getpid()))\n"
                  "os.execv(sys.argv[2],sys.argv[2:])")
        command = ["/usr/bin/python3", "-c", script, str(given.fileno()), str(family.bin / "letterlock-supervisor"),
                   str(family.dir)]
        with open(family.log_path, "ab") as log:
            family.process = subprocess.Popen(command, stdout=log, stderr=log, pass_fds=[given.fileno()])
        family.wait("server.ready", seconds=60)
        family.wait("actor.door", 2)
        assert len(family.events("actor.door")) == 2
        family.stop()


# --------------------------------------------------------------------------------------------- service manager, control
def test_the_service_manager_is_told():
    with Family() as family, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = str(family.base / "notify")
        manager.bind(path)
        os.chmod(path, 0o666)
        manager.settimeout(60)
        family.start(env=dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC="400000"))

        def wait_for(word):
            while True:
                text = manager.recv(1000).decode()
                if word in text:
                    return text
        assert "STATUS=" in wait_for("READY=1")
        wait_for("WATCHDOG=1")
        family.process.send_signal(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in wait_for("RELOADING=1")
        wait_for("READY=1")
        family.process.send_signal(signal.SIGTERM)
        wait_for("STOPPING=1")
        assert family.process.wait(60) == 0
        for e in ("NOTIFY_SOCKET", "WATCHDOG_USEC"):
            assert e not in family.log_text()


def test_status_gathers_everybody():
    with Family().start() as family:
        with family.connect_control():
            family.wait("actor.status-end")
        lines = family.events("actor.status")
        processes = {e["name"]: e for e in lines if e["subject"] == "process"}
        assert {n: e["id"] for n, e in processes.items() if n != "supervisor"} == family.pids()
        assert all(e["state"] == "ready" and "sandbox=" in e["detail"] for e in processes.values())
        assert {e["name"] for e in lines if e["subject"] == "session"} == set(family.pids()) - {"scribe"}
        assert [e["name"] for e in lines if e["subject"] == "journal"] == ["scribe"]
        control = family.events("actor.control")[0]
        assert control["uid"] == os.getuid() and control["pid"] == os.getpid()
        family.stop()


@pytest.mark.waits
def test_status_does_not_wait_for_a_stopped_process():
    with Family().start() as family:
        pid = family.pids()["relay"]
        os.kill(pid, signal.SIGSTOP)
        with family.connect_control():
            family.wait("actor.status-end", seconds=25)  # less than 30, when who asked a process gives up
        assert "relay" in {e["name"] for e in family.events("actor.status", subject="process")}
        os.kill(pid, signal.SIGCONT)
        family.stop()
        threat("T-305", 1)


def test_control_socket_obeys_its_owner_alone():
    """T-332: others cannot open it, and one who got there all the same is refused by the kernel's word."""
    if os.getuid() != 0:
        pytest.skip("not root")
    with Family().start() as family:
        path = str(family.dir / "control")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        script = ("import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET)\n"
                  "try:\n s.connect(sys.argv[1])\n s.settimeout(60)\n print('closed' if not s.recv(1) else 'served')\n"
                  "except PermissionError: print('refused')")

        def as_nobody():
            return subprocess.run(["setpriv", "--reuid=65223", "--regid=65223", "--clear-groups", "/usr/bin/python3", "-c",
                                   script, path], capture_output=True, text=True, timeout=60).stdout.strip()
        assert as_nobody() == "refused"
        os.chmod(family.dir, 0o711)
        os.chmod(path, 0o666)
        assert [as_nobody() for _ in range(20)] == ["closed"] * 20
        assert len(family.events("control.refused", uid=65223)) == 20
        assert not family.events("actor.control")
        family.stop()
        threat("T-332", 21)


# ------------------------------------------------------------------------------------------------------------ the journal
def journal(family):
    return sorted((family.dir / "audit").glob("*.journal"))


def check_chain(text):
    """INV-A1, INV-A2: from the first line on."""
    last, number = bytes(32), 1
    for line in text.splitlines():
        head, _, _ = line.partition(',"hash":')
        record = json.loads(line)
        assert record["n"] == number and record["prev"] == last.hex()
        last = bytes.fromhex(record["hash"])
        number += 1
    return number - 1


def test_journal_is_one_chain_over_restarts():
    with Family().start() as family:
        wait_until(lambda: journal(family) and journal(family)[0].read_text().count("actor.hello") >= 6, what="records")
        os.kill(family.pids()["scribe"], signal.SIGKILL)
        wait_until(lambda: journal(family)[0].read_text().count("actor.hello") >= 12, what="records after the restart")
        family.stop()
        family.start()
        wait_until(lambda: journal(family)[0].read_text().count("actor.hello") >= 18, what="records after the second start")
        family.stop()
        text = "".join(p.read_text() for p in journal(family))
        assert check_chain(text) >= 18
        senders = {json.loads(l)["process"] for l in text.splitlines()}
        assert senders >= {"gate-0", "vault", "keeper-0", "keeper-1", "scan-0", "relay", "supervisor"}
        assert not (family.dir / "audit").glob("*.torn") or not list((family.dir / "audit").glob("*.torn"))


def test_a_torn_line_is_set_aside():
    with Family().start() as family:
        wait_until(lambda: journal(family) and "actor.hello" in journal(family)[0].read_text(), what="records")
        family.stop()
        path = journal(family)[0]
        whole = path.read_text()
        with open(path, "a") as f:
            f.write('{"n":999,"time":"2026')
        family.start()
        wait_until(lambda: len(path.read_text()) > len(whole), what="records after the restart")
        family.stop()
        assert path.read_text().startswith(whole) and check_chain(path.read_text()) > whole.count("\n")
        assert [p.read_text() for p in (family.dir / "audit").glob("*.torn")] == ['{"n":999,"time":"2026\n']
