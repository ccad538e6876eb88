"""The network step of `letterlock doctor` in networks of their own: routes that swallow, families that fail, name servers of
every kind, the machine's own files, and what is not asked of anybody.

Each case runs as a process of its own in new namespaces of user, network and mounts (`unshare`), as root or not; there it may have
addresses, routes and files as it likes. The case is a function of this file: `python3 test_doctor_network.py NAME FOLDER`."""
import contextlib
import functools
import json
import pathlib
import socket
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from lab.scripted import Door  # noqa: E402
from lib.dnsserver import SERVFAIL, Code, Delay, DnsServer  # noqa: E402
from lib.server import COMMAND  # noqa: E402

HOST, DOMAIN = "imap.net.test", "net.test"
ENDS = 25  # seconds: far less than it takes where something is waited for that should not be
HERE, AWAY, AWAY_V6 = "192.0.2.5", "198.51.100.9", "2001:db8:1::9"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def network():
    """Loopback with an address that looks public, and a wire behind which nobody is: what goes there is lost."""
    ip("link", "set", "lo", "up")
    ip("addr", "add", f"{HERE}/32", "dev", "lo")
    ip("link", "add", "void", "type", "veth", "peer", "name", "void-end")
    for end in ("void", "void-end"):
        ip("link", "set", end, "up", "arp", "off")
    ip("route", "add", "198.51.100.0/24", "dev", "void", "src", HERE)
    ip("addr", "add", "2001:db8:1::5/64", "dev", "void", "nodad")


def says_hello(wire):
    wire.say("* OK [CAPABILITY IMAP4rev1 IMAP4rev2 AUTH=PLAIN] ready")
    while True:
        tag, _, command = wire.line().partition(" ")
        if command.upper().startswith("CAPABILITY"):
            wire.say("* CAPABILITY IMAP4rev1 AUTH=PLAIN")
        wire.say(f"{tag} OK done")


class Seen:
    def __init__(self, *words, patience=30, timeout=200, may_be_slow=True):
        self.may_be_slow = may_be_slow
        start = time.monotonic()
        done = subprocess.run(
            [str(COMMAND), "doctor", *words, "--no-password", "--json", "--patience", str(patience)],
            capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
        self.seconds = time.monotonic() - start
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.json = json.loads(done.stdout)
        self.verdict = self.json["verdict"]

    def notes(self, tone=None):
        """Without what is noticed of a machine that is busy."""
        found = [n for server in self.json["servers"] for n in server["notes"]] + self.json["notes"]
        return [n["diagnosis"] or n["fact"] for n in found if n["step"] == "network" and tone in (None, n["tone"])
                and (n["diagnosis"] not in ("dns-slow", "net-slow") or not self.may_be_slow)]

    def proof(self, diagnosis):
        found = [n for server in self.json["servers"] for n in server["notes"]] + self.json["notes"]
        return next(n["proof"]["text"] for n in found if n["diagnosis"] == diagnosis)

    def connected(self):
        return [server["standing"]["connected"] for server in self.json["servers"]]


def look(names, *words, **way):
    """One server in clear, and a name server with these names."""
    with DnsServer(names) as dns:
        seen = Seen("--dns", dns.where, "--imap", HOST, "--tls", "none", *words, **way)
        seen.asked = {name for name, _, _ in dns.asked}
        return seen


@contextlib.contextmanager
def door(address=HERE, port=143):
    d = Door(port, says_hello, address=address)
    try:
        yield d
    finally:
        d.close()


# ---------------------------------------------------------------------------------------------------------- the cases

def case_everything_is_lost(folder):
    """A host that swallows every packet ends in the step's patience."""
    seen = look({(HOST, "A"): [AWAY]}, patience=2)
    assert seen.verdict["diagnosis"] == "net-timeout"
    assert seen.verdict["alternative"]["id"] == "fail2ban-silent-drop"
    assert seen.proof("net-timeout") == f"{AWAY} port 143: Connection timed out"
    assert seen.seconds < ENDS, seen.seconds


def case_many_dead_addresses(folder):
    """Forty addresses, all dead, take no longer than one; no more than sixteen are tried."""
    seen = look({(HOST, "A"): [f"198.51.100.{i}" for i in range(10, 50)]}, patience=2)
    assert seen.verdict["diagnosis"] == "net-timeout"
    assert seen.notes().count("address") == 16
    assert seen.seconds < ENDS, seen.seconds


def case_v6_is_lost(folder):
    """IPv6 hangs, IPv4 works: connected soon, with a warning."""
    with door():
        seen = look({(HOST, "A"): [HERE], (HOST, "AAAA"): [AWAY_V6]}, patience=60)
    assert seen.connected() == [True]
    assert seen.notes("warning") == ["net-ipv6-broken"], seen.notes()
    assert seen.proof("net-ipv6-broken") == f"{AWAY_V6} port 143: Connection timed out"
    assert seen.seconds < ENDS, seen.seconds


def case_v4_is_lost(folder):
    with door("::1"):
        seen = look({(HOST, "A"): [AWAY], (HOST, "AAAA"): ["::1"]})
    assert seen.connected() == [True]
    assert seen.notes("warning") == ["net-ipv4-broken"], seen.notes()


def case_no_v6_here(folder):
    """That this machine has no way by IPv6 is nobody's fault."""
    with door():
        seen = look({(HOST, "A"): [HERE], (HOST, "AAAA"): ["2a00:1450::6d"]})
    assert seen.connected() == [True]
    assert not seen.notes("warning") and not seen.notes("fault"), seen.notes()


def case_one_of_two_is_lost(folder):
    with door():
        seen = look({(HOST, "A"): [HERE, AWAY]})
    assert seen.connected() == [True] and seen.notes("warning") == ["net-address-dead"], seen.notes()


def case_forbidden_here(folder):
    """A firewall of this machine says no at once."""
    ip("route", "add", "prohibit", "203.0.113.0/24")
    seen = look({(HOST, "A"): ["203.0.113.7"]})
    assert seen.verdict["cause"] == "network" and "203.0.113.7 port 143" in seen.verdict["evidence"][0]["proof"]["text"]
    assert seen.seconds < ENDS, seen.seconds


def case_v6_question_fails(folder):
    """NXDOMAIN or SERVFAIL for AAAA beside a good A: programs stumble over it."""
    for wrong in (SERVFAIL, Code(3)):
        with door():
            seen = look({(HOST, "A"): [HERE], (HOST, "AAAA"): wrong})
        assert seen.connected() == [True] and seen.notes("warning") == ["dns-ipv6-fails"], seen.notes()


def case_slow_names(folder):
    with door():
        seen = look({(HOST, "A"): Delay(1.1, [HERE])}, may_be_slow=False)
    assert seen.connected() == [True] and seen.notes("warning") == ["dns-slow"], seen.notes()


def case_alias_and_proof(folder):
    """An alias is told, and what DNSSEC proves; a forged answer is refused, a name that is proved not to exist is not there."""
    names = {("mail.net.test", "A"): [HERE], (HOST, "CNAME"): ["mail.net.test"], ("bad.net.test", "A"): [HERE]}
    with door(), DnsServer(names, signed=DOMAIN, forged=["bad.net.test"]) as dns:
        (folder / "anchor").write_text(dns.anchor)
        way = ["--dns", dns.where, "--dns-anchor", str(folder / "anchor"), "--tls", "none", "--imap"]
        seen, forged = Seen(*way, HOST), Seen(*way, "bad.net.test")
    assert seen.connected() == [True]
    assert {"alias", "name-proved", "address"} <= set(seen.notes("good")), seen.notes()
    assert forged.verdict["diagnosis"] == "dns-bogus" and forged.connected() == [False]
    assert "bad.net.test" in forged.proof("dns-bogus")


def case_signatures_are_left_out(folder):
    """A name server that passes no signatures on, as many routers do, makes nothing look forged."""
    with DnsServer({}, signed=DOMAIN) as other:
        (folder / "anchor").write_text(other.anchor)
    with door():
        seen = look({(HOST, "A"): [HERE]}, "--dns-anchor", str(folder / "anchor"))
    assert seen.connected() == [True]
    assert not seen.notes("fault") and "name-proved" not in seen.notes()


def case_files_of_this_machine(folder):
    """Without --dns: resolv.conf says whom to ask, and the hosts file goes before."""
    for name, text in (("resolv.conf", "# ours\nnameserver 127.0.0.1\n"),
                       ("hosts", f"127.0.0.1 localhost\nno line of this file\n300.1.1.1 bad..name\n{HERE} {HOST} other\n")):
        (folder / name).write_text(text)
        subprocess.run(["mount", "--bind", folder / name, f"/etc/{name}"], check=True)
    with door(), DnsServer({("asked.net.test", "A"): [HERE], (HOST, "A"): [AWAY]}, port=53) as dns:
        by_hosts = Seen("--imap", HOST, "--tls", "none")
        by_server = Seen("--imap", "asked.net.test", "--tls", "none")
        asked = {name for name, kind, _ in dns.asked if kind == "A"}
    assert by_hosts.connected() == [True] and by_server.connected() == [True]
    assert "asked.net.test" in asked and HOST not in asked, asked


def case_only_what_is_needed(folder):
    """Nobody else is asked while a server answers; nor does a name leave here that is the proxy's business."""
    known = {"captive.apple.com", "detectportal.firefox.com", "connect.rom.miui.com"}
    with door():
        assert not look({(HOST, "A"): [HERE]}).asked & known
    assert look({(HOST, "A"): ["203.0.113.7"]}).asked & known
    assert not look({}).asked & known  # a name that is mistyped

    def proxy(wire):
        wire.octets()
        wire.send(b"\5\0")
        wire.octets()
        wire.send(b"\5\4\0\1\0\0\0\0\0\0")
    d = Door(1080, proxy, address=HERE)
    seen = look({(HOST, "A"): [HERE]}, "--socks5", f"{HERE}:1080")
    heard = b"".join(octets for _, octets in d.heard)
    d.close()
    assert seen.verdict["diagnosis"] == "socks-host-unreachable"
    assert HOST.encode() in heard and HOST not in seen.asked and not seen.asked & known, seen.asked


def case_a_portal_that_floods(folder):
    """What stands in between may say as much as it likes, or nothing."""
    def flood(wire):
        wire.send("HTTP/1.1 200 OK\r\n\r\n" + "Welcome! " * 100000)

    for talk, caught in ((flood, True), (lambda wire: wire.until_end(), False)):
        d = Door(80, talk, address=HERE)
        seen = look({("*", "A"): [HERE], ("*", "AAAA"): Code(0)}, patience=4)
        d.close()
        assert (seen.verdict["diagnosis"] == "net-captive-portal") is caught, seen.verdict["diagnosis"]
        assert seen.seconds < ENDS, seen.seconds


def case_hostile_names(folder):
    """Signs that are no host name's stay out of what is shown."""
    evil = b"\x0b\x1b[31mred\n\r\x07x\x04evil\x00"
    names = {(HOST, "CNAME"): [evil], ("x.net.test", "A"): [HERE]}
    seen = look(names)
    text = subprocess.run([str(COMMAND), "doctor", "--imap", "a\x1b[31m.net.test", "--no-password", "--patience", "1"],
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    assert seen.verdict["kind"] == "trouble"
    assert "\x1b" not in seen.out and "\\u001b" not in seen.out
    assert b"\x1b[31m" not in text.stdout + text.stderr


CASES = sorted(name.removeprefix("case_") for name in globals() if name.startswith("case_"))


# ------------------------------------------------------------------------------------------------------------ running

def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", CASES)


def inside(*words, **way):
    """Runs this file in networks of its own; without words nothing but these are made."""
    return subprocess.run(["unshare", "--user", "--map-root-user", "--net", "--mount", sys.executable, __file__, *words],
                          capture_output=True, text=True, timeout=300, **way)


@functools.lru_cache
def is_possible():
    return inside().returncode == 0


def test_network(case, tmp_path):
    if not is_possible():
        pytest.skip("this machine does not allow networks of one's own")
    done = inside(case, str(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    network()
    assert socket.has_ipv6
    if len(sys.argv) > 1:
        globals()["case_" + sys.argv[1]](pathlib.Path(sys.argv[2]))
