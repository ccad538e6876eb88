"""How `letterlock doctor` finds the servers of an address: what the domain publishes in the DNS and on the web, what its MX shows,
common names; what it trusts of that; and what hostile domains cannot make it do. Each case has a network of its own, so
that 443, 80, 993 and 53 are the real ports."""
import collections
import contextlib
import email.utils
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time

import pytest

from lab import namespace
from lab.certificates import Cabinet
from lab.scripted import PASSWORD, Door, Ended, Imap, Pop3, Smtp
from lib.dnsserver import NODATA, SILENT, DnsServer
from lib.server import COMMAND, threat

pytestmark = pytest.mark.skipif(not namespace.is_possible(), reason="needs network namespaces")
DOMAIN, ADDRESS = "find.test", "alice@find.test"
NETWORK = "93.184.217"
ENDS = 28  # seconds: who waited for something that never comes took longer
AUTOCONFIG, WELL_KNOWN = "/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"
Note = collections.namedtuple("Note", "what tone proof")


def incoming(host, port=993, kind="imap", socket="SSL", user="%EMAILADDRESS%"):
    side = "outgoing" if kind == "smtp" else "incoming"
    return (f'<{side}Server type="{kind}"><hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType>'
            f"<username>{user}</username><authentication>password-cleartext</authentication></{side}Server>")


def autoconfig(*servers):
    return f'<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="x">{"".join(servers)}</emailProvider></clientConfig>'


class Web:
    """A web server's answers by path; others are 404. `asked` has each request with what it was asked over."""

    def __init__(self, pages):
        self.pages, self.asked = pages, []

    def __call__(self, wire):
        head = wire.line()
        length = 0
        while line := wire.line():
            if line.lower().startswith("content-length:"):
                length = int(line.split(":")[1])
        while len(wire.input) < length:
            wire.input += wire.octets()
        self.asked.append((wire.secure, head, wire.input))
        path = head.split(" ")[1].partition("?")[0]
        page = self.pages.get(path, "")
        if callable(page):
            page(wire)
            raise Ended
        status, more, body = page if isinstance(page, tuple) else (200 if page else 404, "", page)
        wire.send(f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n{body}")
        raise Ended


class World:
    def __init__(self, folder, cabinet):
        self.folder, self.cabinet, self.names, self.dns = folder, cabinet, {(DOMAIN, "MX"): NODATA}, {}
        self.doors, self.hosts, self.args, self.patience = [], 10, [], 30
        namespace.ip("addr", "add", f"{NETWORK}.1/24", "dev", "lo")

    def host(self, name):
        if (name, "A") not in self.names:
            self.hosts += 1
            self.names[name, "A"] = [f"{NETWORK}.{self.hosts}"]
        return self.names[name, "A"][0]

    def door(self, name, port, talks, address=None, **way):
        door = Door(port, talks, address=address or self.host(name), **way)
        self.doors.append(door)
        return door

    def web(self, name, pages, secure=True, certificate=None):
        web = Web(pages)
        certificate = certificate or self.cabinet.good(name)
        web.door = self.door(name, 443 if secure else 80, web, certificate=certificate if secure else None, implicit=secure)
        return web

    def imap(self, name, port=993, **speaks):
        return self.door(name, port, Imap(**speaks), certificate=self.cabinet.good(name), implicit=True)

    def smtp(self, name, port=465):
        return self.door(name, port, Smtp(), certificate=self.cabinet.good(name), implicit=True)

    def doctor(self, address=ADDRESS, *words):
        with DnsServer(self.names, port=53, **self.dns) as dns:
            self.asked = dns.asked
            anchor = self.folder / "anchor"
            if "signed" in self.dns:
                anchor.write_text(dns.anchor)
                self.args += ["--dns-anchor", str(anchor)]
            began = time.monotonic()
            done = subprocess.run(
                [str(COMMAND), "doctor", address, "--json", "--dns", "127.0.0.1@53", "--ca", str(self.cabinet.ca_file),
                 "--patience", str(self.patience), *(() if "--password-file" in words else ("--no-password",)), *self.args,
                 *words], capture_output=True, timeout=120, stdin=subprocess.DEVNULL, env={**os.environ, "LANG": "C.UTF-8"})
            self.seconds = time.monotonic() - began
        self.text = done.stdout.decode() + done.stderr.decode()
        self.json = json.loads(done.stdout)
        self.servers = [(s["service"], s["server"], s["source"], s["trusted"]) for s in self.json["servers"]]
        self.notes = [Note(n["diagnosis"] or n["fact"], n["tone"], n["proof"]["text"]) for n in self.json["notes"]]
        self.own = [Note(n["diagnosis"] or n["fact"], n["tone"], n["proof"]["text"])
                    for s in self.json["servers"] for n in s["notes"]]
        return self

    def tone(self, what):
        return next((n.tone for n in self.notes if n.what == what), None)

    def clear(self):
        return b"".join(octets for door in self.doors for secure, octets in door.heard if not secure)


@pytest.fixture(scope="module")
def cabinet(tmp_path_factory):
    return Cabinet(tmp_path_factory.mktemp("find"))


@pytest.fixture
def world(cabinet):
    """Runs a case of (World) in a network of its own."""
    def run(case):
        def inside():
            namespace.enter_new()
            with tempfile.TemporaryDirectory() as folder:
                w = World(pathlib.Path(folder), cabinet)
                try:
                    return case(w)
                finally:
                    for door in w.doors:
                        door.close()
        return namespace.in_thread(inside)
    return run


# ------------------------------------------------------------------------------------------------------ the domain's files
def test_autoconfig_by_https(world):
    def case(w):
        web = w.web(f"autoconfig.{DOMAIN}", {AUTOCONFIG: autoconfig(
            incoming("in.elsewhere.test"), incoming("in.elsewhere.test", 143, socket="STARTTLS"),
            incoming(f"out.{DOMAIN}", 465, "smtp", user="%EMAILLOCALPART%"), incoming(f"pop.{DOMAIN}", 995, "pop3"))})
        w.imap("in.elsewhere.test")
        w.smtp(f"out.{DOMAIN}")
        w.doctor()
        assert w.servers == [("imap", "in.elsewhere.test:993", "autoconfig", True),
                             ("imap", "in.elsewhere.test:143", "autoconfig", True),
                             ("pop3", f"pop.{DOMAIN}:995", "autoconfig", True),
                             ("smtp", f"out.{DOMAIN}:465", "autoconfig", True)], w.text
        secure, head, _ = web.asked[0]
        assert secure and "emailaddress=alice%40find.test" in head
        assert "cookie" not in head.lower()
        assert b"alice" not in w.clear()
    world(case)


def test_the_web_server_of_the_domain_itself(world):
    def case(w):
        web = w.web(DOMAIN, {WELL_KNOWN: autoconfig(incoming("in.elsewhere.test"))})
        w.imap("in.elsewhere.test")
        w.doctor()
        assert w.servers == [("imap", "in.elsewhere.test:993", "autoconfig", True)], w.text
        assert all(secure for secure, *_ in web.asked)
        assert w.tone("clock-differs") is None
        body = web.pages[WELL_KNOWN]

        def dated(wire):
            date = email.utils.formatdate(time.time() - 900, usegmt=True)
            wire.send(f"HTTP/1.1 200 x\r\nContent-Length: {len(body)}\r\nConnection: close\r\nDate: {date}\r\n\r\n{body}")
        web.pages[WELL_KNOWN] = dated
        w.doctor()
        assert w.tone("clock-differs") == "note" and w.tone("tls-clock-skew") is None
    world(case)


def test_what_comes_by_http_is_believed_for_the_domain_alone(world):
    def case(w):
        web = w.web(f"autoconfig.{DOMAIN}", {AUTOCONFIG: autoconfig(
            incoming("in.elsewhere.test"), incoming(f"out.{DOMAIN}", 465, "smtp"))}, secure=False)
        caught = w.imap("in.elsewhere.test")
        w.smtp(f"out.{DOMAIN}")
        secret = w.folder / "secret"
        secret.write_text(PASSWORD)
        w.doctor(ADDRESS, "--password-file", str(secret))
        assert w.servers == [("imap", "in.elsewhere.test:993", "autoconfig", False),
                             ("smtp", f"out.{DOMAIN}:465", "autoconfig", True)], w.text
        assert w.tone("server-unproved") == "note"
        assert caught.attempts == []
        assert web.asked and b"alice" not in w.clear() and PASSWORD.encode() not in w.clear()
    world(case)


@pytest.mark.parametrize("certificate", ["stranger", "good"])
def test_a_bad_certificate_is_not_believed(world, certificate):
    """By an authority that nobody trusts; for another name."""
    def case(w):
        name = f"autoconfig.{DOMAIN}" if certificate == "stranger" else "other.test"
        w.web(f"autoconfig.{DOMAIN}", {AUTOCONFIG: autoconfig(incoming("evil.test"))},
              certificate=getattr(w.cabinet, certificate)(name))
        w.imap("evil.test")
        w.doctor()
        assert w.servers == [] and w.tone("find-autoconfig-certificate") == "note", w.text
    world(case)


def test_autodiscover(world):
    def case(w):
        answer = ("<Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>in.elsewhere.test</Server><Port>993</Port>"
                  "<SSL>on</SSL><LoginName>alice</LoginName></Protocol></Account></Response></Autodiscover>")
        web = w.web(f"autodiscover.{DOMAIN}", {"/autodiscover/autodiscover.xml": answer})
        w.imap("in.elsewhere.test")
        w.doctor()
        assert w.servers == [("imap", "in.elsewhere.test:993", "autodiscover", True)], w.text
        secure, head, body = web.asked[0]
        assert secure and head.startswith("POST ") and b"<EMailAddress>alice@find.test</EMailAddress>" in body
        web.pages["/autodiscover/autodiscover.xml"] = (401, "WWW-Authenticate: Basic realm=x\r\n", "")
        w.doctor()
        assert w.tone("asks-password") == "note" and len(web.asked) == 2
    world(case)


# -------------------------------------------------------------------------------------------------------- the DNS
def test_records(world):
    def case(w):
        w.names.update({(f"_imaps._tcp.{DOMAIN}", "SRV"): [f"20 0 993 late.{DOMAIN}", f"10 0 1993 in.{DOMAIN}"],
                        (f"_pop3._tcp.{DOMAIN}", "SRV"): ["0 0 0 ."], (f"_pop3s._tcp.{DOMAIN}", "SRV"): ["0 0 0 ."],
                        (f"_submissions._tcp.{DOMAIN}", "SRV"): ["0 1 465 out.elsewhere.test"]})
        w.imap(f"in.{DOMAIN}", 1993)
        w.smtp("out.elsewhere.test")
        w.doctor()
        assert w.servers == [("imap", f"in.{DOMAIN}:1993", "srv", True), ("imap", f"late.{DOMAIN}:993", "srv", True),
                             ("smtp", "out.elsewhere.test:465", "srv", False)], w.text
        assert w.tone("not-offered") == "note"
        w.doctor(ADDRESS, "--pop3", f"pop.{DOMAIN}")
        assert [n.tone for n in w.own if n.what == "find-not-offered"] == ["warning"], w.text
    world(case)


def test_a_proved_record_is_trusted(world):
    def case(w):
        w.names.update({(f"_imaps._tcp.{DOMAIN}", "SRV"): ["0 1 993 in.elsewhere.test"]})
        w.dns = {"signed": DOMAIN}
        w.imap("in.elsewhere.test")
        w.doctor()
        assert ("imap", "in.elsewhere.test:993", "srv", True) in w.servers, w.text
    world(case)


def test_a_forged_record_is_not_used(world):
    def case(w):
        name = f"_imaps._tcp.{DOMAIN}"
        w.names.update({(name, "SRV"): ["0 1 993 in.elsewhere.test"]})
        w.dns = {"signed": DOMAIN, "forged": [name]}
        caught = w.imap("in.elsewhere.test")
        w.doctor()
        assert w.servers == [] and w.tone("find-dns-forged") == "fault" and caught.connections == 0, w.text
        assert w.json["verdict"]["diagnosis"] == "find-dns-forged"
    world(case)


def test_sources_that_differ(world):
    def case(w):
        w.web(f"autoconfig.{DOMAIN}", {AUTOCONFIG: autoconfig(incoming(f"one.{DOMAIN}"))})
        w.names[f"_imaps._tcp.{DOMAIN}", "SRV"] = [f"0 1 993 other.{DOMAIN}"]
        w.imap(f"one.{DOMAIN}")
        w.doctor()
        assert w.servers == [("imap", f"one.{DOMAIN}:993", "autoconfig", True)], w.text
        assert [n.proof for n in w.notes if n.what == "find-sources-differ"] == [
            f"IMAP: one.{DOMAIN} (from the domain's autoconfig file); other.{DOMAIN} (from the domain's SRV record)"]
    world(case)


def test_the_exchanger_shows_the_provider(world):
    def case(w):
        w.names[DOMAIN, "MX"] = ["20 alt.aspmx.l.google.com", "10 aspmx.l.google.com"]
        w.host("imap.gmail.com")
        w.host("smtp.gmail.com")
        w.doctor()
        assert w.tone("dns-mx-reveals-provider") == "note" and w.tone("provider") == "note", w.text
        assert w.tone("provider-note") == "note" and w.json["provider"] == "google-workspace"
        assert ("imap", "imap.gmail.com:993", "mx", False) in w.servers
        assert ("smtp", "smtp.gmail.com:465", "mx", False) in w.servers
    world(case)


def test_a_provider_that_lets_programs_in_when_it_is_told(world):
    """Its "wrong password" may mean that, and the verdict says so."""
    def case(w):
        w.imap("imap.gmx.net", password=PASSWORD, users={"alice@gmx.de"})
        secret = w.folder / "secret"
        secret.write_text("a-Password-of-71-meadows")
        w.doctor("alice@gmx.de", "--imap", "imap.gmx.net", "--password-file", str(secret))
        assert w.json["verdict"]["cause"] == "wrong-password", w.text
        assert w.json["verdict"]["alternative"]["id"] == "provider-access-switched"
    world(case)


def test_common_names(world):
    def case(w):
        w.imap(f"mail.{DOMAIN}")
        w.host(f"imap.{DOMAIN}")  # has an address, but nobody answers there
        w.door(f"smtp.{DOMAIN}", 587, Smtp(), certificate=w.cabinet.good(f"smtp.{DOMAIN}"))
        w.doctor()
        assert w.servers == [("imap", f"mail.{DOMAIN}:993", "guess", True), ("smtp", f"smtp.{DOMAIN}:587", "guess", True)], w.text
    world(case)


def test_a_university_of_which_only_the_software_is_known(world):
    def case(w):
        w.names["campus.edu.cn", "MX"] = ["10 mail.campus.edu.cn"]
        w.imap("imap.campus.edu.cn")
        w.doctor("alice@campus.edu.cn")
        assert w.servers[0] == ("imap", "imap.campus.edu.cn:993", "guess", True), w.text
        assert w.json["provider"] == "coremail"
    world(case)


def test_a_whole_check_of_what_was_found(world):
    """Of IMAP and POP3 a mail program uses one."""
    def case(w):
        w.names[DOMAIN, "MX"] = [f"10 in.{DOMAIN}"]
        for service, port in (("imaps", 993), ("pop3s", 995), ("submissions", 465)):
            w.names[f"_{service}._tcp.{DOMAIN}", "SRV"] = [f"0 1 {port} in.{DOMAIN}"]
        certificate = w.cabinet.good(f"in.{DOMAIN}")
        doors = [w.door(f"in.{DOMAIN}", port, speaks(password=PASSWORD), certificate=certificate, implicit=True)
                 for port, speaks in ((993, Imap), (995, Pop3), (465, Smtp))]
        secret = w.folder / "secret"
        secret.write_text(PASSWORD)
        w.doctor(ADDRESS, "--password-file", str(secret))
        assert w.json["verdict"]["kind"] == "healthy", w.text
        assert [bool(door.attempts) for door in doors] == [True, False, True]
    world(case)


def test_silent_web_servers_leave_time_for_common_names(world):
    def case(w):
        w.patience = 5
        held = [namespace.full_house(w.host(name), port) for name in (DOMAIN, f"autoconfig.{DOMAIN}", f"autodiscover.{DOMAIN}")
                for port in (80, 443)]
        w.imap(f"imap.{DOMAIN}")
        w.doctor()
        assert ("imap", f"imap.{DOMAIN}:993", "guess", True) in w.servers and w.seconds < ENDS, w.text
        for s in (s for sockets in held for s in sockets):
            s.close()
    world(case)


# ------------------------------------------------------------------------------------------------------ nothing to find
@pytest.mark.parametrize("address, names, what", [
    (ADDRESS, {}, "find-no-servers"),
    ("alice@gone.test", {}, "find-no-domain"),
    ("alice@gmial.com", {}, "input-domain-typo"),
    ("alice@qq.cn", {}, "input-wrong-domain"),
    (ADDRESS, {(DOMAIN, "MX"): ["0 ."]}, "find-domain-takes-no-mail"),
    ("alice@hey.com", {}, "provider-without-imap"),
    ("alice@b@c@find.test", {}, "input-address-malformed"),
])
def test_nothing_to_find(world, address, names, what):
    def case(w):
        w.names.update(names)
        w.doctor(address)
        assert w.servers == [] and w.tone(what) == "fault", w.text
        assert w.json["verdict"]["diagnosis"] == what, w.text
    world(case)


def test_a_silent_name_service(world):
    def case(w):
        w.names = {("*", "*"): SILENT}
        w.patience = 1
        w.doctor()
        assert w.tone("find-dns-silent") == "fault" and w.seconds < ENDS, w.text
    world(case)


# ---------------------------------------------------------------------------------------------------- as people type
@pytest.mark.parametrize("typed", ["alice\uff20find\u3002test", " alice@find.test ", "Alice <alice@find.test>", "alice@find,test"])
def test_what_was_meant_is_found(world, typed):
    def case(w):
        w.imap(f"imap.{DOMAIN}")
        w.doctor(typed)
        assert ("imap", f"imap.{DOMAIN}:993", "guess", True) in w.servers, w.text
        assert any(n.what.startswith("input-") for n in w.notes)
    world(case)


def test_servers_of_a_doubted_domain_get_no_password(world):
    def case(w):
        caught = w.imap("imap.gmial.com")
        w.names["gmial.com", "MX"] = ["10 imap.gmial.com"]
        secret = w.folder / "secret"
        secret.write_text(PASSWORD)
        w.doctor("alice@gmial.com", "--password-file", str(secret))
        assert w.servers == [("imap", "imap.gmial.com:993", "guess", False)], w.text
        assert w.tone("input-domain-typo") == "warning" and caught.attempts == []
    world(case)


def test_given_servers_are_held_against_the_provider_that_the_exchanger_shows(world):
    def case(w):
        w.names[DOMAIN, "MX"] = ["10 mxbiz1.qq.com"]
        w.doctor(ADDRESS, "--imap", "imap.qq.com")
        assert w.servers == [("imap", "imap.qq.com:993", "given", True)], w.text
        assert w.json["verdict"]["diagnosis"] == "exmail-wrong-host", w.text
    world(case)


def test_a_bridge_on_this_computer(world):
    def case(w):
        w.doctor("alice@proton.me")
        assert {s[1] for s in w.servers} == {"127.0.0.1:1143", "127.0.0.1:1025"}, w.text
        assert w.json["verdict"]["diagnosis"] == "proton-bridge-refused", w.text
        assert w.tone("proton-no-direct-imap") == "note"
        w.doctor("alice@proton.me", "--imap", "127.0.0.1:1143")
        assert "proton-no-direct-imap" not in {n.what for n in w.notes + w.own}
    world(case)


def test_given_servers_are_held_against_the_domain(world):
    def case(w):
        w.names[f"_imaps._tcp.{DOMAIN}", "SRV"] = [f"0 1 993 in.{DOMAIN}"]
        w.imap(f"smtp.{DOMAIN}")
        w.doctor(ADDRESS, "--imap", f"imaps://smtp.{DOMAIN}/")
        assert w.servers == [("imap", f"smtp.{DOMAIN}:993", "given", True)], w.text
        assert {"host-has-scheme", "host-mixed-up", "published"} <= {n.what for n in w.own}
    world(case)


class Proxy:
    """SOCKS5 (RFC 1928): connects to names that it alone knows."""

    def __init__(self, places):
        self.places, self.wanted = places, []

    def __call__(self, wire):
        wire.sock.settimeout(10)
        methods = wire.sock.recv(2, socket.MSG_WAITALL)[1]
        wire.sock.recv(methods, socket.MSG_WAITALL)
        wire.send(b"\5\0")
        head = wire.sock.recv(5, socket.MSG_WAITALL)
        rest = wire.sock.recv(head[4] + 2, socket.MSG_WAITALL)
        name, port = rest[:-2].decode(), int.from_bytes(rest[-2:], "big")
        self.wanted.append((name, port))
        try:
            other = socket.create_connection((self.places[name], port), timeout=5)
        except (KeyError, OSError):
            wire.send(b"\5\4\0\1" + bytes(6))
            return
        wire.send(b"\5\0\0\1" + bytes(6))
        with other:
            back = threading.Thread(target=self.pump, args=(other, wire.sock), daemon=True)
            back.start()
            self.pump(wire.sock, other)
            back.join(5)

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while octets := source.recv(65536):
                sink.sendall(octets)
            sink.shutdown(socket.SHUT_WR)


def test_behind_a_proxy(world):
    def case(w):
        places = {f"autoconfig.{DOMAIN}": f"{NETWORK}.51", f"imap.{DOMAIN}": f"{NETWORK}.52", f"smtp.{DOMAIN}": f"{NETWORK}.53"}
        certificates = {name: w.cabinet.good(name) for name in places}
        page = Web({AUTOCONFIG: autoconfig(incoming(f"imap.{DOMAIN}"))})
        for name, port, speaks in ((f"autoconfig.{DOMAIN}", 443, page), (f"imap.{DOMAIN}", 993, Imap()),
                                   (f"smtp.{DOMAIN}", 465, Smtp())):
            w.door(name, port, speaks, address=places[name], certificate=certificates[name], implicit=True)
        proxy = Proxy(places)
        w.door("proxy.test", 1080, proxy)
        w.doctor(ADDRESS, "--socks5", "proxy.test:1080")
        assert ("imap", f"imap.{DOMAIN}:993", "autoconfig", True) in w.servers, w.text
        assert ("smtp", f"smtp.{DOMAIN}:465", "guess", True) in w.servers
        assert (f"autoconfig.{DOMAIN}", 443) in proxy.wanted
        assert not {name for name, *_ in w.asked} & set(places), "the proxy looks names up"
        w.asked.clear()
        w.doctor(ADDRESS, "--socks5", "proxy.test:1080", "--imap", f"imap.{DOMAIN}")
        assert ("imap", f"imap.{DOMAIN}:993", "given", True) in w.servers, w.text
        assert w.asked and not [name for name, *_ in w.asked if name != "proxy.test"], "who names his servers is not talked about"
    world(case)


# ---------------------------------------------------------------------------------------------------- hostile domains
BOMB = ('<!DOCTYPE clientConfig [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'
        "<!ENTITY d SYSTEM 'file:///etc/passwd'>]><clientConfig><emailProvider>&c;&d;</emailProvider></clientConfig>")


FLOOD = 32 << 20  # what the kernel holds of it on the way is far less


def drip(wire):
    wire.send("HTTP/1.1 200 x\r\nContent-Length: 100000\r\n\r\n")
    while not threading.Event().wait(0.05):
        wire.send("x")


def flood(wire):
    wire.send("HTTP/1.1 200 x\r\n\r\n")
    for _ in range(FLOOD // 14000):
        wire.send("<clientConfig>" * 1000)
    wire.door.attempts.append("it took all")


def headers(wire):
    wire.send("HTTP/1.1 200 x\r\n")
    for _ in range(100000):
        wire.send("X-A: " + "b" * 1000 + "\r\n")


def leads_to(url):
    return 302, f"Location: {url}\r\n", ""


HOSTILE = {
    "entities": (BOMB, "find-autoconfig-hostile"),
    "depth": ("<clientConfig>" * 5000, "find-autoconfig-hostile"),
    "broken": ("<clientConfig><emailProvider>", "find-autoconfig-broken"),
    "page": ("<!DOCTYPE html><html>hello</html>", None),
    "drip": (drip, None),
    "flood": (flood, None),
    "headers": (headers, None),
    "no HTTP": (lambda wire: wire.send("* OK [CAPABILITY IMAP4rev1] ready\r\n" * 50), None),
    "reset": (lambda wire: wire.reset(), None),
    "loop": (leads_to(f"https://autoconfig.{DOMAIN}{AUTOCONFIG}"), None),
    "down": (leads_to(f"http://trap.{DOMAIN}:80/x"), None),
    "inside": (leads_to("https://router.test/reboot"), None),
    "ports": (autoconfig(*(incoming(f"trap.{DOMAIN}", port) for port in (22, 23, 80, 443, 3306, 5432, 6379))), None),
    "literals": (autoconfig(incoming("127.0.0.1"), incoming("[::1]"), incoming("localhost"), incoming("a b\r\n.test")), None),
    "many": (autoconfig(*(incoming(f"h{i}.{DOMAIN}") for i in range(300))), None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(world, name):
    page, what = HOSTILE[name]

    def case(w):
        w.patience = 4 if page is drip else 30
        web = w.web(f"autoconfig.{DOMAIN}", {AUTOCONFIG: page})
        trap = [w.door(f"trap.{DOMAIN}", port, lambda wire: None) for port in (22, 23, 80, 3306, 5432, 6379)]
        w.names["router.test", "A"] = ["127.0.0.1"]
        router = w.door("router.test", 443, Web({}), address="127.0.0.1", certificate=w.cabinet.good("router.test"),
                        implicit=True)
        w.doctor()
        assert web.asked, w.text
        assert len(web.asked) <= 6 and w.seconds < ENDS and not web.door.attempts
        assert [door.connections for door in (*trap, router)] == [0] * 7
        assert len(w.servers) == (2 if name == "many" else 0), w.text
        if what:
            assert w.tone(what) == "warning", w.text
        else:
            assert not {n.what for n in w.notes} & {"find-autoconfig-hostile", "find-autoconfig-broken"}, w.text
        assert not re.search("root:|hahaha", w.text)
    world(case)
    threat("T-107", 1)
