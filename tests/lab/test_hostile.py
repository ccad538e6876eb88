"""Servers that mean harm (T-107): whatever they send, the doctor ends in time and in order, shows nothing that a terminal or a browser
would obey, keeps the secret to itself, and contacts nobody whom only the server named."""
import re

import pytest

from lab import namespace
from lab.laboratory import DOMAIN, FAILURES, PORTS, SPEAKERS, WITHIN, Laboratory, State
from lib.server import threat

pytestmark = pytest.mark.skipif(not namespace.is_possible(), reason="the laboratory makes network namespaces: it needs root")

EVIL = '\x1b]0;owned\x07\x1b[2J<script>alert(1)</script><img src="http://evil.test/x">\u202e\x9b31m'
MEMORY_KIB = 200 << 10
STATES = []


def pour(wire, octets):
    while True:
        wire.send(octets)


def keep(name, build, **more):
    def prepare(bench):
        bench.form = ["--report", str(bench.folder / "report.html"), "--lang", "en"]
        bench.patience = 2  # it counts how the doctor ends, not what it finds
        bench.before = ["/usr/bin/time", "-f", "%M", "-o", str(bench.folder / "memory")]
        build(bench)
    STATES.append(State(name, "", "", prepare, "", **more))


def behind_tls(name, service, talk):
    def build(bench):
        host = f"{service}.{DOMAIN}"
        port = PORTS[service, True]
        bench.door(host, port, talk, certificate=bench.cabinet.good(host), implicit=True)
        bench.give(service, host, port)
    keep(f"{service}-{name}", build)


HELLO = {"imap": "* OK ready", "pop3": "+OK ready", "smtp": "220 mail.lab.test ready"}
LINE = {"imap": b"* OK more\r\n", "pop3": b"+OK more\r\n", "smtp": b"250-MORE\r\n"}
for service in SPEAKERS:
    hello, line = HELLO[service], LINE[service]
    behind_tls("banner-without-end", service, lambda wire, h=hello: (wire.send(h), pour(wire, b"x" * 65536)))
    behind_tls("banner-lines", service, lambda wire, n=line: pour(wire, n * 5000))
    behind_tls("banner-obeyed-by-terminals", service, lambda wire, h=hello: (wire.say(h + EVIL), wire.until_end()))
    behind_tls("banner-octets", service, lambda wire, h=hello: (wire.send(h.encode() + bytes(range(256)) + b"\r\n"), wire.until_end()))
    behind_tls("answers-before-questions", service, lambda wire, h=hello, n=line: (wire.say(h), wire.send(n * 50), wire.until_end()))
    behind_tls("offer-without-end", service, lambda wire, h=hello, n=line: (wire.say(h), wire.line(), pour(wire, n * 5000)))
    behind_tls("offer-one-line", service, lambda wire, h=hello, n=line: (wire.say(h), wire.line(), wire.send(n[:4]), pour(wire, b"A" * 65536)))
    behind_tls("closed-after-greeting", service, lambda wire, h=hello: (wire.say(h), wire.reset()))
    behind_tls("lies-twice", service, lambda wire, h=hello: (wire.say(h, h, h), wire.until_end()))


def speaking(name, service, implicit=True, **speaks):
    keep(f"{service}-{name}", lambda bench: bench.serve(service, implicit=implicit, **speaks))


def endless_challenge(sign):
    def talk(wire, *rest):
        while True:
            wire.say(sign + " QUFBQUFB")
            wire.line()
    return talk


def huge_challenge(sign):
    return lambda wire, *rest: pour(wire, sign.encode() + b" " + b"QUFB" * 200000)


speaking("reply-obeyed-by-terminals", "imap", replies={"refused": "NO [ALERT] " + EVIL})
speaking("reply-obeyed-by-terminals", "pop3", replies={"refused": "-ERR " + EVIL})
speaking("reply-obeyed-by-terminals", "smtp", replies={"refused": "535 5.7.8 " + EVIL})
speaking("offer-obeyed-by-terminals", "imap", capability="IMAP4rev1 AUTH=" + EVIL.replace(" ", ""))
speaking("offer-obeyed-by-terminals", "smtp", extensions="AUTH " + EVIL + "\nSIZE 99999999999999999999999999")
speaking("challenge-without-end", "imap", replies={"AUTHENTICATE": endless_challenge("+"), "LOGIN": endless_challenge("+")})
speaking("challenge-without-end", "pop3", replies={"AUTH": endless_challenge("+")})
speaking("challenge-without-end", "smtp", replies={"AUTH": endless_challenge("334")})
speaking("challenge-huge", "imap", replies={"AUTHENTICATE": huge_challenge("+"), "LOGIN": huge_challenge("+")})
speaking("challenge-huge", "smtp", replies={"AUTH": huge_challenge("334")})
speaking("referral", "imap", password="another", replies={"refused": "NO [REFERRAL imap://alice@127.0.0.1:7777/] try there"})
speaking("referral-login", "imap", replies={"LOGIN": "OK [REFERRAL imap://alice@127.0.0.1:7777/INBOX] try there"}, mechanisms="")
speaking("preauth", "imap", implicit=False, greeting="* PREAUTH you are signed in already")
speaking("says-back", "imap", replies={"LOGIN": lambda wire, tag, rest: wire.say(f"{tag} NO you said {rest}")}, mechanisms="")
speaking("says-back", "pop3", replies={"PASS": lambda wire, rest: wire.say(f"-ERR you said {rest}")}, mechanisms="", sasl_line=False)
speaking("says-back", "smtp", replies={"AUTH": lambda wire, rest: wire.say(f"535 you said {rest}")})
speaking("wrong-tag", "imap", replies={"LOGIN": lambda wire, tag, rest: (wire.say("zzz9 OK signed in"), wire.until_end())}, mechanisms="")
for size in ("4294967296", "1099511627776", "18446744073709551616", "-1", "0x10", "99999999999999999999999999999999"):
    speaking(f"literal-{size}", "imap",
             replies={"FETCH": lambda wire, tag, rest, n=size: (wire.send(f"* 3 FETCH (BODY[] {{{n}}}\r\nxx"), wire.until_end())})
speaking("exists-huge", "imap", replies={"SELECT": "* 99999999999999999999 EXISTS\nOK open", "EXAMINE": "* -7 EXISTS\nOK open"})
speaking("quota-huge", "imap", replies={"GETQUOTAROOT": '* QUOTA "" (STORAGE 99999999999999999999 0)\nOK done'})
speaking("fetch-deep", "imap", replies={"FETCH": "* 3 FETCH " + "(" * 8000 + "\nOK done"})
speaking("list-without-end", "pop3", replies={"LIST": lambda wire, rest: pour(wire, b"1 1\r\n" * 5000),
                                              "UIDL": lambda wire, rest: pour(wire, b"1 x\r\n" * 5000)})
speaking("stat-huge", "pop3", replies={"STAT": "+OK 99999999999999999999999 99999999999999999999999"})


def injected(bench):
    def talk(wire, tag, rest):
        wire.send(f"{tag} OK go on\r\n{tag} OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] signed in\r\n")
        wire.until_end()
    bench.serve("imap", implicit=False, replies={"STARTTLS": talk})


keep("starttls-injected", injected)


# ----------------------------------------------------------------------------- files with settings, of the domain's web server

def page(octets, status="200 OK"):
    def talk(wire):
        while wire.line():
            pass
        wire.send(f"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n")
        wire.send(octets)
    return talk


def web(name, talk):
    def build(bench):
        host = f"autoconfig.{DOMAIN}"
        bench.names[DOMAIN, "MX"] = [f"10 mx.{DOMAIN}"]
        bench.host(f"mx.{DOMAIN}")
        bench.door(host, 443, talk, certificate=bench.cabinet.good(host), implicit=True)
        bench.door(host, 80, talk)
        bench.door("trap.test", 5432, lambda wire: wire.until_end())
        bench.door("trap.test", 22, lambda wire: wire.until_end())
    keep(f"autoconfig-{name}", build)


def settings(server):
    return (f'<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="{DOMAIN}"><domain>{DOMAIN}</domain>'
            f'{server}</emailProvider></clientConfig>').encode()


def server_at(host, port):
    return (f'<incomingServer type="imap"><hostname>{host}</hostname><port>{port}</port><socketType>plain</socketType>'
            '<username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></incomingServer>')


BOMB = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9)) + b"]><clientConfig>&j;</clientConfig>"
FILE = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]><clientConfig>&a;</clientConfig>'
web("entities", page(BOMB))
web("file-entity", page(FILE))
web("deep", page(b"<a>" * 100000))
web("long", page(b"<clientConfig>" + b" " * 8_000_000))
web("without-end", lambda wire: (wire.line(), wire.send("HTTP/1.1 200 OK\r\n\r\n<clientConfig>"), pour(wire, b"<a/>" * 9000)))
web("headers-without-end", lambda wire: (wire.line(), wire.send("HTTP/1.1 200 OK\r\n"), pour(wire, b"X: y\r\n" * 9000)))
web("redirects-to-itself", page(b"", f"302 Found\r\nLocation: https://autoconfig.{DOMAIN}/mail/config-v1.1.xml"))
web("redirect-to-file", page(b"", "302 Found\r\nLocation: file:///etc/passwd"))
web("redirect-to-loopback", page(b"", "302 Found\r\nLocation: http://trap.test:5432/"))
web("many-servers", page(settings(server_at(f"imap.{DOMAIN}", 993) * 5000)))
for port in (22, 5432):
    web(f"port-{port}", page(settings(server_at("trap.test", port))))
web("names-with-line-ends", page(settings(server_at("imap.lab.test\r\nHost: evil", 993))))
web("names-with-blanks", page(settings(server_at("imap lab test", 993) + server_at("-oProxyCommand=x", 143))))


@pytest.fixture(scope="module")
def laboratory(request):
    wanted = {item.callspec.params["state"].name for item in request.session.items
              if item.module is request.module and hasattr(item, "callspec")}
    lab = Laboratory([s for s in STATES if s.name in wanted])
    yield lab
    lab.close()


@pytest.mark.parametrize("state", STATES, ids=lambda s: s.name)
def test_hostile_server(laboratory, state):
    seen = laboratory.result(state.name)
    report = seen.folder / "report.html"
    told = seen.out + seen.err
    print(seen.command, seen.code, seen.seconds, told.decode(errors="replace")[-3000:], sep="\n")
    assert seen.code in (0, 1), "it did not end in order"
    assert seen.seconds < WITHIN
    assert int((seen.folder / "memory").read_text().split()[-1]) < MEMORY_KIB
    shown = told.decode("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown), "a terminal would obey this"
    html = report.read_text(encoding="utf-8")
    assert "<script>alert" not in html and '<img src="http' not in html and "\x1b" not in html
    for form in seen.forms_of_secret():
        assert form not in told and form not in html.encode() and form not in seen.clear
    assert [good for _, _, good in seen.attempts].count(False) <= FAILURES
    if state.name.startswith("autoconfig-"):
        assert seen.connections[2:] == [0, 0], "the file sent the doctor to a port that is not for mail"
    threat("T-107", 1)
