"""Ctrl-C and its kin in the middle of `letterlock doctor`: it ends in order at every step, says what was found so far and that it is
not complete, and leaves the terminal as it was."""
import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import termios
import threading

import pytest

from lab.certificates import Cabinet
from lab.scripted import Door, Imap, Smtp
from lib.dnsserver import SILENT, DnsServer
from lib.server import COMMAND, wait_until

PASSWORD = "plum-Harbour-58-lantern"
ADDRESS = "alice@stop.test"
IMAP, SMTP = "imap.stop.test", "smtp.stop.test"
PATIENCE = 300  # seconds: whatever ends before, a signal has ended
LONG = 30


def environment(**more):
    return {**os.environ, "LANG": "en", "LC_ALL": "", "LC_MESSAGES": "", **more}


class Holding:
    """Says nothing more, to anybody who comes so far; `came` tells that somebody did."""

    def __init__(self):
        self.came = threading.Event()

    def __call__(self, wire, *ignored):
        self.came.set()
        wire.until_end()


class World:
    def __init__(self, folder):
        self.cabinet, self.folder = Cabinet(folder), folder
        self.script = {(IMAP, "A"): ["127.0.0.1"], (SMTP, "A"): ["127.0.0.1"], ("mute.test", "*"): SILENT}
        self.names = DnsServer(self.script)
        self.held = contextlib.ExitStack()
        self.secret = folder / "secret"
        self.secret.write_text(PASSWORD + "\n")
        self.secret.chmod(0o600)

    def door(self, talks, host=IMAP, implicit=True):
        door = Door(0, talks, certificate=self.cabinet.good(host) if implicit else None, implicit=implicit)
        self.held.callback(door.close)
        return door.socket.getsockname()[1]

    def words(self, *more, secret=True):
        return [str(COMMAND), "doctor", "--dns", self.names.where, "--ca", str(self.cabinet.ca_file), "--patience", str(PATIENCE),
                *(["--password-file", str(self.secret)] if secret else []), *map(str, more)]

    @contextlib.contextmanager
    def running(self, *more, secret=True):
        with subprocess.Popen(self.words(*more, secret=secret), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, env=environment()) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def world(tmp_path):
    w = World(tmp_path)
    with w.names, w.held:
        yield w


def at_name(w):
    return ["--imap", "mute.test:993", "--user", ADDRESS], lambda: w.names.asked


def at_handshake(w):
    hold = Holding()
    return ["--imap", f"{IMAP}:{w.door(hold, implicit=False)}", "--tls", "implicit", "--user", ADDRESS], hold.came.is_set


def at_greeting(w):
    hold = Holding()
    return ["--imap", f"{IMAP}:{w.door(hold)}", "--tls", "implicit", "--user", ADDRESS], hold.came.is_set


def at_proxy(w):
    hold = Holding()
    return ["--imap", f"{IMAP}:993", "--socks5", f"127.0.0.1:{w.door(hold, implicit=False)}", "--user", ADDRESS], hold.came.is_set


def at_search(w):
    """The files of the domain are asked for through a proxy that says nothing."""
    hold = Holding()
    return [ADDRESS, "--socks5", f"127.0.0.1:{w.door(hold, implicit=False)}"], hold.came.is_set


def at_sign_in(w):
    hold = Holding()
    port = w.door(Imap(password=PASSWORD, replies={"AUTHENTICATE": hold, "LOGIN": hold}))
    return ["--imap", f"{IMAP}:{port}", "--tls", "implicit", "--user", ADDRESS], hold.came.is_set


def at_inbox(w):
    hold = Holding()
    port = w.door(Imap(password=PASSWORD, replies={"SELECT": hold}))
    return ["--imap", f"{IMAP}:{port}", "--tls", "implicit", "--user", ADDRESS], hold.came.is_set


def notes_of(answer):
    return {(n["step"], n["tone"], n["fact"] or n["diagnosis"]) for s in answer["servers"] for n in s["notes"]}


# What is known of the server by then: steps that came to their end, and nothing of the one that was broken off. Who holds a greeting
# back may be met by the step of encryption as well.
PLACES = [(at_name, set(), set()), (at_handshake, {"network"}, {"network"}), (at_greeting, {"network"}, {"network", "tls"}),
          (at_proxy, set(), {"network"}), (at_search, set(), set()),
          (at_sign_in, {"network", "tls", "greeting"}, {"network", "tls", "greeting"}),
          (at_inbox, {"network", "tls", "greeting", "sign-in"}, {"network", "tls", "greeting", "sign-in"})]


@pytest.mark.parametrize("place, least, most", PLACES, ids=[p.__name__ for p, *_ in PLACES])
def test_a_signal_ends_every_step_in_order(world, place, least, most):
    words, is_there = place(world)
    with world.running(*words, "--json") as process:
        wait_until(is_there, LONG, "the step")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LONG)
    assert process.returncode == 130, err
    answer = json.loads(out)
    assert answer["ok"] is False and answer["error"]["code"] == "stopped" and answer["error"]["remedy"]
    assert answer["verdict"]["kind"] == "unclear", answer["verdict"]
    assert least <= {step for step, _, _ in notes_of(answer)} - {"find"} <= most, notes_of(answer)
    assert "fault" not in {tone for _, tone, _ in notes_of(answer)}
    assert PASSWORD.encode() not in out + err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_was_found_is_said_to_be_incomplete(world, number):
    words, is_there = at_sign_in(world)
    with world.running(*words, "--report", world.folder / "report.html") as process:
        wait_until(is_there, LONG, "the sign-in")
        process.send_signal(number)
        out, err = process.communicate(timeout=LONG)
    text = out.decode()
    assert process.returncode == 128 + number and b"stopped before the end" in err
    assert text.startswith("Stopped before the end") and "not complete" in text and "encrypted with" in text and "FAULT" not in text
    assert not (world.folder / "report.html").exists()


def test_who_ignores_hangups_is_not_stopped_by_one(world):
    """nohup: the signal was ignored when the command began."""
    words, is_there = at_sign_in(world)
    with subprocess.Popen(["nohup", *world.words(*words, "--json")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, env=environment()) as process:
        try:
            wait_until(is_there, LONG, "the sign-in")
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=LONG)
        finally:
            process.kill()
    assert process.returncode == 128 + signal.SIGTERM


class Terminal:
    """The command on a terminal of its own; the person writes and reads."""

    def __init__(self, words):
        self.pid, self.leader = pty.fork()
        if self.pid == 0:
            os.execve(words[0], words, environment(TERM="xterm"))
        self.shown = b""

    def read(self):
        with contextlib.suppress(OSError):
            self.shown += os.read(self.leader, 65536) if select.select([self.leader], [], [], 0.1)[0] else b""
        return self.shown

    def until(self, text):
        wait_until(lambda: text in self.read(), LONG, text.decode())

    def echoes(self):
        return bool(termios.tcgetattr(self.leader)[3] & termios.ECHO)

    def end(self):
        """Read meanwhile: what is not read keeps a terminal from closing."""
        status = []

        def ended():
            self.read()
            pid, now = os.waitpid(self.pid, os.WNOHANG)
            status.extend([now] if pid else [])
            return bool(status)
        wait_until(ended, LONG, "the end")
        return os.waitstatus_to_exitcode(status[0])


@pytest.fixture
def on_terminal():
    with contextlib.ExitStack() as held:
        def start(words):
            t = Terminal(words)
            held.callback(os.close, t.leader)
            return t
        yield start


def test_ctrl_c_at_the_prompt_leaves_the_echo_on(world, on_terminal):
    """And a signal from elsewhere; in both cases nobody has to press Enter."""
    for stop, code in ((lambda t: os.write(t.leader, b"half\x03"), 130), (lambda t: os.kill(t.pid, signal.SIGTERM), 143)):
        t = on_terminal(world.words(ADDRESS, secret=False))
        t.until(b"Password of")
        wait_until(lambda: not t.echoes(), LONG, "no echo")
        stop(t)
        assert t.end() == code and b"half" not in t.shown
        assert t.echoes() and termios.tcgetattr(t.leader)[3] & termios.ISIG
        assert b"stopped before the end" in t.read()


def test_ctrl_c_at_a_question_sends_nothing(world, on_terminal):
    """To send the password in clear: asked with the echo on, in the middle of an examination."""
    port = world.door(Imap(password=PASSWORD, login_disabled=False), implicit=False)
    t = on_terminal(world.words("--imap", f"{IMAP}:{port}", "--tls", "none", "--user", ADDRESS))
    t.until(b"all the same?")
    os.write(t.leader, b"\x03")
    assert t.end() == 130 and t.echoes()
    assert b"not complete" in t.read()


# ------------------------------------------------------------------------------------------------- again and again, many
def test_a_batch_says_what_it_has(world):
    """The first line is done and told before the signal comes; the second one is held."""
    hold = Holding()
    rows = world.folder / "rows"
    rows.write_text(f"imaps://{IMAP}:{world.door(Imap())}\nimaps://{IMAP}:{world.door(hold)}\n")
    for more in (["--json"], []):
        hold.came.clear()
        with world.running("--batch", rows, *more, secret=False) as process:
            told = process.stdout.readline()
            wait_until(hold.came.is_set, LONG, "the second line's server")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=LONG)
        assert process.returncode == 130, err
        if more:
            last = json.loads(out)
            assert json.loads(told)["line"] == 1 and not json.loads(told)["fault"]
            assert last["ok"] is False and last["error"]["code"] == "stopped" and last["checked"] == 1 and last["faults"] == 0
        else:
            assert told.startswith(b"ok ") and b"Stopped: 1 of 2 were checked, 0 with a fault." in err


def test_what_waited_for_its_turn_is_told_as_well(world):
    """The first line is held, so the results behind it wait; they are told when the signal comes."""
    hold, done = Holding(), threading.Event()
    good = Imap()
    leave = good.do_logout

    def last(wire, tag, rest):
        done.set()
        leave(wire, tag, rest)
    good.do_logout = last
    rows = world.folder / "rows"
    rows.write_text(f"imaps://{IMAP}:{world.door(hold)}\n" + f"imaps://{IMAP}:{world.door(good)}\n" + "no server\n")
    with world.running("--batch", rows, "--json", secret=False) as process:
        wait_until(lambda: hold.came.is_set() and done.is_set(), LONG, "both servers")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=LONG)
    *lines, last = map(json.loads, out.splitlines())
    assert process.returncode == 143 and last["error"]["code"] == "stopped", err
    # Whether the second line was judged by then is up to the machine; the third one needs no server.
    assert [line["line"] for line in lines] in ([3], [2, 3]) and last["checked"] == len(lines) - 1 and last["wrong"] == 1


def test_a_watch_that_is_broken_off_says_so(world):
    words, is_there = at_sign_in(world)
    with world.running(*words, "--watch", "--json") as process:
        wait_until(is_there, LONG, "the sign-in")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LONG)
    first, last = map(json.loads, out.splitlines())
    assert process.returncode == 130 and first["verdict"]["kind"] == "unclear" and last["error"]["code"] == "stopped", out
