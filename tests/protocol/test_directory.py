"""Accounts from LDAP: a real slapd, a real server, and every way in which the one may mislead or fail the other."""
import concurrent.futures
import imaplib
import json
import os
import pathlib
import poplib
import smtplib
import socket
import ssl
import threading
import time

import pytest

from lib.directory import BASE, Directory, READER_SECRET
from lib.server import COMMAND, SLACK, Server, threat, wait_until

POLICY = ("mailbox_password_imap = allowed\nmailbox_password_pop3 = allowed\nmailbox_password_submission = allowed\n"
          "failures_free = 50\nspray_accounts = 1000\nconnections_exempt = 127.0.0.0/8\ngates = 1\nkeepers = 2\nscans = 1\n"
          "directory_refresh = 24 h\npassword_memory = 8 MiB\npassword_passes = 1\n")
GROUPS = f'directory_group = "cn=staff,ou=groups,{BASE}" staff\ndirectory_group = pupils pupil\n'
RIGHT = "correct horse battery"
# What an unexpected state of the LDAP server may leave in the log.
EXPECTED = ("directory.not-synced",)


@pytest.fixture(scope="module")
def ldap():
    d = Directory()
    try:
        d.start().fill()
        for uid in ("alice", "bob", "carol", "gone"):
            d.person(uid, RIGHT)
        d.person("zoe", "zoë 密码", name="Zoë 李")
        d.group("staff", ["alice", "bob"])
        d.group("pupils", ["carol", "alice"])
        yield d
    finally:
        d.remove()


@pytest.fixture(scope="module")
def server(ldap):
    s = Server(extra=POLICY + GROUPS + ldap.settings())
    try:
        compared(s.start())
        yield s
        s.stop()
    except BaseException:
        print(s.log_text()[-6000:])
        raise
    finally:
        s.remove()


def count_of(s, event):
    return sum(l["event"] == event for l in s.log_lines())


def compared(s, before=0):
    """The server, after the comparison of its start: what comes later is what a test asks for."""
    wait_until(lambda: count_of(s, "directory.synced") > before, 120, "a comparison")
    return s


def sync(s, *flags, check=True):
    done = s.run("directory", "sync", *flags, "--json", check=check)
    out = json.loads(done.stdout) if done.stdout.strip() else {}
    return {(i["action"], i["address"]): i["detail"] for i in out.get("items", [])}


def account(s, local):
    return s.json("account", "show", f"{local}@ours.test")["account"]


# ------------------------------------------------------------------------------------------------------------- doors
def context():
    c = ssl.create_default_context()
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    return c


def imap(s, name, password, plain=False):
    """"ok", or the words of the refusal."""
    with imaplib.IMAP4_SSL("127.0.0.1", s.ports["imaps"], ssl_context=context(), timeout=60) as c:
        try:
            c.authenticate("PLAIN", lambda _: b"\0" + name.encode() + b"\0" + password.encode())
            return "ok"
        except imaplib.IMAP4.error as e:
            return str(e)


def pop3(s, name, password):
    c = poplib.POP3_SSL("127.0.0.1", s.ports["pop3s"], context=context(), timeout=60)
    try:
        c.user(name)
        c.pass_(password)
        c.quit()
        return "ok"
    except poplib.error_proto as e:
        return e.args[0].decode() if isinstance(e.args[0], bytes) else str(e)
    finally:
        c.close()


def smtp(s, name, password):
    with smtplib.SMTP_SSL("127.0.0.1", s.ports["submissions"], context=context(), timeout=60) as c:
        try:
            c.user, c.password = name, password
            c.ehlo()
            c.auth("PLAIN", c.auth_plain)
            return "ok"
        except smtplib.SMTPAuthenticationError as e:
            return f"{e.smtp_code} {e.smtp_error.decode()}"


DOORS = {"imap": (imap, "[AUTHENTICATIONFAILED]", "[UNAVAILABLE]"), "pop3": (pop3, "[AUTH]", "[SYS/TEMP]"),
         "smtp": (smtp, "535 5.7.8", "454 4.7.0")}


def is_later(answer, door):
    return DOORS[door][2] in answer


def is_no(answer, door):
    return DOORS[door][1] in answer


def check_all_no(s, name, *passwords):
    with concurrent.futures.ThreadPoolExecutor(len(passwords)) as pool:
        answers = list(pool.map(lambda password: imap(s, name, password), passwords))
    assert all(is_no(answer, "imap") for answer in answers), answers


# ------------------------------------------------------------------------------------------------------- the good days
def test_people_have_accounts(server):
    shown = account(server, "alice")
    assert shown["name"] == "Alice" and shown["status"] == "active"
    assert account(server, "zoe")["name"] == "Zoë 李"
    assert sync(server) == {}, "a second comparison finds nothing to do"


@pytest.mark.parametrize("door", DOORS)
def test_the_directory_s_password_opens(server, door):
    way = DOORS[door][0]
    assert way(server, "alice@ours.test", RIGHT) == "ok"
    assert way(server, "bob@ours.test", RIGHT) == "ok"
    assert is_no(way(server, "alice@ours.test", RIGHT + "x"), door)


def test_unicode_password(server):
    assert imap(server, "zoe@ours.test", "zoë 密码") == "ok"


def test_client_passwords_need_no_directory(server, ldap):
    secret = server.add_client("bob@ours.test")

    def is_quick():  # a directory that hangs is waited for much longer
        begun = time.monotonic()
        assert imap(server, "bob@ours.test", secret) == "ok"
        return time.monotonic() - begun < 2
    ldap.freeze()
    try:
        wait_until(is_quick, what="signing in within two seconds")
    finally:
        ldap.thaw()


def test_mail_arrives_and_is_read(server):
    opens_again(server, "bob@ours.test")
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=context()) as c:
        c.login("alice@ours.test", RIGHT)
        c.sendmail("alice@ours.test", ["bob@ours.test"],
                   "From: alice@ours.test\r\nTo: bob@ours.test\r\nSubject: from the directory\r\n\r\nhello\r\n")
    with imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=context()) as c:
        c.login("bob@ours.test", RIGHT)
        assert c.select()[1] == [b"1"]


# ------------------------------------------------------------------------------------------------------- never a yes
def test_empty_password(server):
    """RFC 4513 5.1.2: a bind with an empty password succeeds as nobody."""
    for door, (way, _, _) in DOORS.items():
        assert way(server, "alice@ours.test", "") != "ok"
    assert imap(server, "alice@ours.test", " ") != "ok"


INJECTIONS = ["*", "*)(uid=*", "*)(|(mail=*", "\\2a", "alice)(objectClass=*", "(", ")", "' OR 1=1--", "%", "_", "%{user}", "${x}",
              "{{7*7}}", "{address}", "alice\\", "\"alice", "uid=alice,ou=people,dc=ours,dc=test", "alice@ours.test)(mail=*",
              "cn=root,dc=ours,dc=test", "alice@ours.test\\00", "*@ours.test", "a*@ours.test", "alice@*", "x" * 3000]


def test_injection_by_name(server):
    """T-251: no name is a search of its own, on any door, with the right password of somebody."""
    tries = [(door, name) for name in INJECTIONS for door in DOORS]
    tries += [("imap", name) for name in ("alice@ours.test\0*", "\0", "alice@ours.test\0")]  # which no library would send otherwise
    secrets = ("*", "\\2a", "{SSHA}x", "x" * 1024, "*)(userPassword=*")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda t: DOORS[t[0]][0](server, t[1], RIGHT), tries))
        answers += pool.map(lambda secret: imap(server, "alice@ours.test", secret), secrets)
    assert not [t for t, answer in zip([*tries, *secrets], answers) if answer == "ok"]
    threat("T-251", len(answers))


def test_two_entries_with_the_same_mail(server, ldap):
    """Neither of the two passwords opens: who is meant is not certain."""
    ldap.person("carol2", "another secret", mails=["carol@ours.test"])
    try:
        for password in (RIGHT, "another secret"):
            assert is_later(imap(server, "carol@ours.test", password), "imap")
        assert ("conflict", "carol@ours.test") in sync(server)
    finally:
        ldap.delete(f"uid=carol2,ou=people,{BASE}")
    assert imap(server, "carol@ours.test", RIGHT) == "ok"


def test_an_entry_without_a_password(server, ldap):
    ldap.add(f"dn: uid=empty,ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: empty\nsn: e\ncn: e\nmail: empty@ours.test\n")
    sync(server)
    assert is_no(imap(server, "empty@ours.test", "anything"), "imap")
    assert is_no(imap(server, "empty@ours.test", " "), "imap") or imap(server, "empty@ours.test", "") != "ok"


def test_a_reused_address_is_not_the_same_account(server, ldap):
    """T-226, T-261: another person gets the name; the old account stays locked, and its mail closed."""
    ldap.person("eve", RIGHT)
    sync(server)
    assert imap(server, "eve@ours.test", RIGHT) == "ok"
    first = account(server, "eve")["account"]
    secret = server.add_client("eve@ours.test")
    ldap.delete(f"uid=eve,ou=people,{BASE}")
    ldap.person("eve", "the new one's secret")
    # before any comparison: the entry is another one
    check_all_no(server, "eve@ours.test", "the new one's secret", RIGHT)
    changes = sync(server)
    assert ("locked", "eve@ours.test") in changes and ("conflict", "eve@ours.test") in changes
    check_all_no(server, "eve@ours.test", "the new one's secret", RIGHT, secret)
    # the administrator removes the old account; the new person then gets an account with another id and an empty mailbox
    server.run("account", "remove", "eve@ours.test", "--yes")
    # her address rests: the administrator has to say that the new person may have it
    assert "rests until" in sync(server)["conflict", "eve@ours.test"]
    server.run("address", "release", "eve@ours.test")
    assert ("made", "eve@ours.test") in sync(server)
    assert account(server, "eve")["account"] != first
    assert imap(server, "eve@ours.test", "the new one's secret") == "ok"
    check_all_no(server, "eve@ours.test", RIGHT, secret)
    threat("T-226", 7)
    threat("T-261", 5)


def test_its_password_is_not_set_here(server):
    done = server.run("account", "password", "alice@ours.test", input="some new password 1\n", check=False)
    assert done.returncode != 0 and "LDAP" in done.stderr + done.stdout


# ------------------------------------------------------------------------------------------------------ it fails us
def check_all_later(s, names=("alice@ours.test",), passwords=(RIGHT, "wrong one")):
    tries = [(door, name, password) for door in DOORS for name in names for password in passwords]
    with concurrent.futures.ThreadPoolExecutor(len(tries)) as pool:
        for (door, _, _), answer in zip(tries, pool.map(lambda t: DOORS[t[0]][0](s, *t[1:]), tries)):
            assert is_later(answer, door), (door, answer)
    return len(tries)


def opens_again(s, name="alice@ours.test"):
    wait_until(lambda: imap(s, name, RIGHT) == "ok", 60, "signing in again")


def directory_states(s):
    return {i["state"] for i in s.json("status")["items"] if i["subject"] == "ldap"}


def test_down(server, ldap):
    ldap.stop()
    try:
        assert check_all_later(server) == 6
        wait_until(lambda: "unavailable" in directory_states(server), what="the state of the directory")
    finally:
        ldap.start()
    opens_again(server)
    wait_until(lambda: "ok" in directory_states(server), what="the state of the directory")


def test_frozen_is_later_and_counts_as_nothing(server, ldap):
    """A server that hangs: later within the time of one question, and not one strike for the owner."""
    ldap.freeze()
    try:
        begun = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(63) as pool:
            first = [pool.submit(DOORS[door][0], server, "bob@ours.test", RIGHT) for door in DOORS]
            wrong = [pool.submit(imap, server, "bob@ours.test", f"wrong {i}") for i in range(60)]
            for door, job in zip(DOORS, first):
                assert is_later(job.result(), door)
            assert time.monotonic() - begun < 7 + 2 * SLACK
            answers = {job.result() for job in wrong}
        assert all(is_later(a, "imap") for a in answers), answers
    finally:
        ldap.thaw()
    opens_again(server, "bob@ours.test")


def test_a_reload_while_it_hangs(server, ldap):
    """New settings are taken although a question still waits."""
    ldap.freeze()
    try:
        waiting = threading.Thread(target=lambda: server.run("directory", "sync", check=False))
        waiting.start()
        wait_until(lambda: any(i["detail"].endswith(", 1 questions") for i in server.json("status")["items"] if i["subject"] == "ldap"),
                   what="a question that waits")
        before = count_of(server, "directory.renewed")
        os.kill(server.process.pid, 1)
        wait_until(lambda: count_of(server, "directory.renewed") > before, what="the reload")
        begun = time.monotonic()
        waiting.join()
        assert time.monotonic() - begun < 10 + SLACK  # a list may take a minute
    finally:
        compares = count_of(server, "directory.synced")
        ldap.thaw()
    opens_again(server)
    compared(server, compares)  # it begins with one, like a start


def test_restarted(server, ldap):
    """The kept connection is dead: the next search makes a new one, and nobody notices."""
    assert imap(server, "alice@ours.test", RIGHT) == "ok"
    ldap.stop()
    ldap.start()
    assert imap(server, "alice@ours.test", RIGHT) == "ok"


class Liar:
    """Speaks LDAP as badly as it is told to, on the plain port of a loopback address."""

    def __init__(self, answer):
        self.answer, self.seen = answer, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            while True:
                try:
                    data = connection.recv(65536)
                    if not data:
                        return
                    self.seen.append(data)
                    for piece in self.answer(data):
                        connection.sendall(piece)
                except OSError:
                    return


def ber(tag, *parts):
    body = b"".join(parts)
    return bytes([tag]) + (bytes([len(body)]) if len(body) < 128 else bytes([0x82, len(body) >> 8, len(body) & 255])) + body


def number(n):
    return ber(2, bytes([n]))


def result(message, op, code, more=b""):
    return ber(0x30, message, ber(op, ber(10, bytes([code])), ber(4), ber(4), more))


def entry(message, dn, mail, person):
    def attribute(name, value):
        return ber(0x30, ber(4, name), ber(0x31, ber(4, value)))
    return ber(0x30, message, ber(0x64, ber(4, dn), ber(0x30, attribute(b"mail", mail), attribute(b"entryUUID", person))))


def op_of(data):
    """Message id (as sent) and the operation's tag."""
    at = 2 if data[1] < 128 else 2 + (data[1] & 127)
    end = at + 2 + data[at + 1]
    return data[at:end], data[end]


BIND, BOUND, SEARCH, SEARCHED, UNBIND, EXTENDED = 0x60, 0x61, 0x63, 0x65, 0x42, 0x77
REFERRAL = ber(0xA3, ber(4, b"ldap://127.0.0.1:1/dc=elsewhere"))


class Who:
    """One of the people of a server that lies: everything that is said about it holds its name."""

    def __init__(self, name):
        self.name = name
        self.address, self.dn, self.id = f"{name}@ours.test", f"uid={name},dc=x".encode(), f"id of {name}".encode()

    def entry(self, message, dn=None, person=None):
        return entry(message, self.dn if dn is None else dn, self.address.encode(), self.id if person is None else person)


def honest(who, data, bind=0, search=0, bound=None, found=None):
    message, op = op_of(data)
    if op == BIND:
        yield bound(message) if bound else result(message, BOUND, bind)
    elif op == SEARCH:
        yield found(who, message) if found else who.entry(message)
        yield result(message, SEARCHED, search)


def with_(**kw):
    return lambda who, data: honest(who, data, **kw)


LIES = {
    "honest": with_(),
    "wrong password": with_(bind=49),
    "other person": with_(found=lambda who, m: who.entry(m, person=b"somebody else")),
    "busy": with_(bind=51),
    "unwilling": with_(bind=53),
    "bind goes on": with_(bind=14),
    "referral to a bind": with_(bound=lambda m: result(m, BOUND, 10, REFERRAL)),
    "referral to a search": with_(search=10),
    "no such code": with_(bind=127),
    "search result for a bind": with_(bound=lambda m: result(m, SEARCHED, 0)),
    "another message's success": with_(bound=lambda m: result(number(99), BOUND, 0)),
    "unsolicited success": with_(bound=lambda m: result(number(0), BOUND, 0)),
    "garbage": with_(bound=lambda m: b"\xff" * 64),
    "cut": with_(bound=lambda m: result(m, BOUND, 0)[:-2]),
    "hangs up": with_(bound=lambda m: b"\x30\x84\xff\xff\xff\xff"),
    "huge": with_(bound=lambda m: b"\x30\x84\x7f\xff\xff\xff" + b"x" * 1000),
    "http": with_(bound=lambda m: b"HTTP/1.1 200 OK\r\n\r\n"),
    "two entries": with_(found=lambda who, m: who.entry(m) + who.entry(m, dn=b"uid=b")),
    "no name": with_(found=lambda who, m: who.entry(m, dn=b"")),
    "no id": with_(found=lambda who, m: who.entry(m, person=b"")),
    "nobody": with_(found=lambda who, m: b""),
    "size limit": with_(search=4),
    "disconnection notice": lambda who, data: [
        ber(0x30, number(0), ber(0x78, ber(10, b"\x34"), ber(4), ber(4), ber(0x8A, b"1.3.6.1.4.1.1466.20036")))],
}
WANTED = {"honest": "ok", "wrong password": "no", "other person": "no", "nobody": "no"}
SIDE_BY_SIDE = 4  # LIMIT_DIRECTORY_THREADS: what waits behind others would be later whatever it is answered


def judged(s, who, secret):
    answer = imap(s, who.address, secret)
    return "ok" if answer == "ok" else "no" if is_no(answer, "imap") else "later" if is_later(answer, "imap") else answer


def test_a_lying_server():
    """Whatever it answers: yes only to a plain success for the very entry; a clear no where it said so; else later. About each
    person it tells another lie; about everybody, in a list, what `listed` says."""
    people = {what: Who(f"person{i}x") for i, what in enumerate(LIES)}
    listed = ["all"]

    def answer(data):
        about = next((what for what, who in people.items() if who.name.encode() in data), None)
        if about:
            return LIES[about](people[about], data)
        if listed == ["all"]:
            return honest(None, data, found=lambda _, m: b"".join(who.entry(m) for who in people.values()))
        return LIES[listed[0]](people["honest"], data)

    liar = Liar(answer)
    s = Server(extra=POLICY + f"directory = ldap://127.0.0.1:{liar.port}\ndirectory_tls = none\ndirectory_base = dc=x\n")
    try:
        s.start()
        sync(s)
        tries = [(what, secret) for what in LIES for secret in (("secret", "anything") if what in WANTED else ("secret",))]
        with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            seen = pool.map(lambda t: judged(s, people[t[0]], t[1]), tries)
            for (what, secret), found in zip(tries, seen):
                assert found == WANTED.get(what, "later"), (what, secret, found)
        for what in ("size limit", "referral to a search", "garbage", "nobody"):
            listed[0] = what
            sync(s, "--force", check=what == "nobody")
            assert account(s, people["honest"].name)["status"] == ("locked" if what == "nobody" else "active"), what
        # a password goes to the named server alone and in one message; a referral is not followed
        assert not any(b"elsewhere" in d for d in liar.seen)
        s.stop()
    finally:
        liar.socket.close()
        s.remove()


# ------------------------------------------------------------------------------------------------------------- TLS
def steps(s, address, *flags, **kw):
    done = s.run("directory", "test", address, "--json", *flags, check=False, **kw)
    return {i["step"]: (i["good"], i["detail"]) for i in json.loads(done.stdout)["steps"]}, done.returncode


def with_settings(server, settings):
    """The same server with other settings of the directory, by a reload."""
    path = server.dir / "letterlock.conf"
    lines = [l for l in path.read_text().split("\n") if not l.startswith("directory")]
    path.write_text("\n".join(lines) + "\n" + settings)


@pytest.fixture
def other(ldap):
    """A server of its own for settings that differ; (re)started by the test."""
    servers = []

    def make(settings):
        s = Server(extra=POLICY + GROUPS + settings)
        servers.append(s)
        s.start()
        return s
    yield make
    for s in servers:
        s.stop(check_log=False)
        s.remove()


def test_starttls(other, ldap):
    s = other(ldap.settings(f"ldap://127.0.0.1:{ldap.port}"))
    sync(s)
    assert imap(s, "alice@ours.test", RIGHT) == "ok"
    assert is_no(imap(s, "alice@ours.test", "wrong"), "imap")
    seen, code = steps(s, "alice@ours.test", "--password", input=RIGHT + "\n")
    assert code == 0 and [n for n, (good, _) in seen.items() if good] == ["connect", "tls", "bind", "search", "groups", "password"]
    assert seen["groups"][1] == "staff"
    seen, code = steps(s, "alice@ours.test", "--password", input="wrong\n")
    assert code == 1 and seen["search"][0] and not seen["password"][0]
    seen, code = steps(s, "nobody@ours.test")
    assert code == 1 and seen["bind"][0] and not seen["search"][0]


def test_starttls_refused(other, ldap):
    """A server that will not begin TLS, or only pretends to, never sees a password."""
    def refuses(data):
        message, op = op_of(data)
        if op == EXTENDED:
            yield result(message, 0x78, 2)
        elif op == BIND:
            yield result(message, BOUND, 0)

    def pretends(data):
        message, op = op_of(data)
        yield result(message, 0x78 if op == EXTENDED else BOUND, 0)
    for lie in (refuses, pretends):
        liar = Liar(lie)
        s = other(ldap.settings(f"ldap://127.0.0.1:{liar.port}"))
        seen, code = steps(s, "alice@ours.test", "--password", input=RIGHT + "\n")
        assert code != 0 and not seen["tls"][0] and "bind" not in seen
        assert not any(RIGHT.encode() in d or READER_SECRET.encode() in d for d in liar.seen)
        liar.socket.close()


BAD_TLS = {"wrong authority": ("server", True), "expired": ("expired", False), "another name": ("elsewhere", False),
           "not yet valid": ("future", False)}


@pytest.mark.parametrize("what", BAD_TLS)
@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_bad_certificates(other, ldap, what, scheme):
    certificate, wrong_ca = BAD_TLS[what]
    ldap.stop()
    ldap.configure(certificate)
    ldap.start()
    try:
        url = f"{scheme}://127.0.0.1:{ldap.tls_port if scheme == 'ldaps' else ldap.port}"
        s = other(ldap.settings(url, ca=ldap.other_ca.file if wrong_ca else None))
        seen, code = steps(s, "alice@ours.test", "--password", input=RIGHT + "\n")
        assert code != 0 and seen["connect"][0] and not seen["tls"][0] and "bind" not in seen, seen
        assert sync(s, check=False) == {}
    finally:
        ldap.stop()
        ldap.configure()
        ldap.start()


@pytest.mark.skipif(os.getuid() != 0, reason="a hosts file of its own is for root")
def test_by_name_of_the_hosts_file(ldap, tmp_path):
    """The certificate is held against the name of the setting, wherever the address comes from."""
    hosts, wrapper = tmp_path / "hosts", tmp_path / "letterlock"
    hosts.write_text("127.0.0.1 localhost\n127.0.0.1 ldap.ours.test other.ours.test\n")
    wrapper.write_text(f'#!/bin/sh\n[ "$1" = serve ] || exec {COMMAND} "$@"\n'
                       f'exec unshare -m sh -c \'mount --bind {hosts} /etc/hosts && exec {COMMAND} "$@"\' sh "$@"\n')
    wrapper.chmod(0o755)
    for name, good in (("ldap.ours.test", True), ("other.ours.test", False)):
        s = Server(extra=POLICY + GROUPS + ldap.settings(f"ldaps://{name}:{ldap.tls_port}"), command=wrapper)
        try:
            s.start()
            seen, code = steps(s, "alice@ours.test")
            assert seen["connect"][0] and seen["tls"][0] == good and (code == 0) == good
        finally:
            s.stop(check_log=False)
            s.remove()


def test_wrong_reader(other, ldap, tmp_path):
    """Our own password is wrong: later for everybody, and no word about theirs."""
    wrong = tmp_path / "secret"
    wrong.write_text("not the reader's\n")
    wrong.chmod(0o600)
    s = other(ldap.settings(directory_secret=wrong))
    seen, code = steps(s, "alice@ours.test")
    assert code != 0 and seen["tls"][0] and not seen["bind"][0]
    done = s.run("directory", "sync", check=False)
    assert done.returncode == 69
    wrong.write_text(READER_SECRET)
    os.kill(s.process.pid, 1)
    wait_until(lambda: steps(s, "alice@ours.test")[1] == 0, 60, "the new secret")


def test_secret_is_nowhere_else(other, ldap):
    """T-315: not in the log, not on a command line, not in an environment."""
    s = other(ldap.settings())
    sync(s)
    imap(s, "alice@ours.test", RIGHT)
    children = pathlib.Path(f"/proc/{s.process.pid}/task/{s.process.pid}/children").read_text().split()
    names = {}
    for pid in children:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        names[words.split(b"\0")[1]] = pid
        assert READER_SECRET.encode() not in words
    assert b"directory" in names
    assert READER_SECRET not in s.log_text() and RIGHT not in s.log_text()


def test_rights(server):
    """T-335: a user and a root folder of its own, no capability, the filter, and no file but its folder and the log."""
    children = pathlib.Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    pid = next(p for p in children if b"directory" in pathlib.Path(f"/proc/{p}/cmdline").read_bytes())
    status = dict(l.split(":\t", 1) for l in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in l)
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
    assert {status[c] for c in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    if os.getuid() == 0:
        assert status["Uid"].split() == ["59107"] * 4 and status["Groups"].split() == []
        assert os.readlink(f"/proc/{pid}/root") != "/"
        files = {os.readlink(f) for f in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
        files = {f for f in files if not f.startswith(("socket:", "anon_inode:", "pipe:"))}
        assert files == {"/dev/null", str(server.log_path), str(server.dir / ".empty") + " (deleted)"}
    threat("T-335", 1)


# ----------------------------------------------------------------------------------------------------------- changes
def test_group_change(server, ldap):
    def group(local):
        return account(server, local).get("group", "")
    assert (group("alice"), group("bob"), group("carol")) == ("staff", "staff", "pupil")
    ldap.modify(f"cn=staff,ou=groups,{BASE}", f"delete: member\nmember: uid=alice,ou=people,{BASE}")
    assert sync(server)[("group", "alice@ours.test")] == "pupil"
    assert group("alice") == "pupil"
    ldap.modify(f"cn=staff,ou=groups,{BASE}", f"add: member\nmember: uid=alice,ou=people,{BASE}")
    assert sync(server)[("group", "alice@ours.test")] == "staff"


def test_members_the_other_way_round(other, ldap):
    """A server without memberOf: the groups' entries say who is in them."""
    s = compared(other(ldap.settings(directory_groups="none", directory_members="member")))
    assert account(s, "alice").get("group", "") == "staff" and account(s, "carol").get("group", "") == ""  # by DN alone
    assert steps(s, "alice@ours.test")[0]["groups"][1] == "staff"


def test_renamed(server, ldap):
    ldap.modify(f"uid=bob,ou=people,{BASE}", "replace: displayName\ndisplayName: Bob B. Bobson")
    assert sync(server)[("renamed", "bob@ours.test")] == "Bob B. Bobson"
    assert account(server, "bob")["name"] == "Bob B. Bobson"


def test_moved(server, ldap):
    """A new address: the same account and mail, and the old address leads there."""
    ldap.person("mia", RIGHT)
    sync(server)
    before = account(server, "mia")["account"]
    dn = f"uid=mia,ou=people,{BASE}"
    ldap.modify(dn, "replace: mail\nmail: mia.new@ours.test")
    assert sync(server, "--dry-run")[("moved", "mia@ours.test")] == "mia.new@ours.test"
    assert sync(server)[("moved", "mia@ours.test")] == "mia.new@ours.test"
    assert account(server, "mia.new")["account"] == before
    assert imap(server, "mia.new@ours.test", RIGHT) == "ok"
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as c:
        c.sendmail("x@their.test", ["mia@ours.test"], "From: x@their.test\r\nSubject: old\r\n\r\nhi\r\n")
    ldap.modify(dn, "replace: mail\nmail: mia@ours.test")
    assert sync(server)[("moved", "mia.new@ours.test")] == "mia@ours.test"
    assert account(server, "mia")["account"] == before
    # a second address is no move
    ldap.modify(dn, "add: mail\nmail: aaa@ours.test")
    assert sync(server) == {}


def test_vanished_is_refused(server, ldap):
    """Refused at once, because the search finds nobody; locked within a comparison; back with the same account."""
    assert imap(server, "gone@ours.test", RIGHT) == "ok"
    before = account(server, "gone")["account"]
    secret = server.add_client("gone@ours.test")
    dn = f"uid=gone,ou=people,{BASE}"
    ldap.modify(dn, "replace: mail\nmail: gone@elsewhere.test")
    assert is_no(imap(server, "gone@ours.test", RIGHT), "imap")
    assert ("locked", "gone@ours.test") in sync(server)
    assert account(server, "gone")["status"] == "locked"
    assert is_no(imap(server, "gone@ours.test", secret), "imap"), "a client password of a locked account"
    ldap.modify(dn, "replace: mail\nmail: gone@ours.test")
    assert ("unlocked", "gone@ours.test") in sync(server)
    assert account(server, "gone")["account"] == before and imap(server, "gone@ours.test", secret) == "ok"


def test_an_administrator_s_lock_stays(server, ldap):
    server.run("account", "lock", "carol@ours.test")
    assert sync(server) == {}
    assert is_no(imap(server, "carol@ours.test", RIGHT), "imap")
    server.run("account", "unlock", "carol@ours.test")


def test_a_local_account_is_not_taken_over(server, ldap):
    server.add_account("local")
    ldap.person("local", RIGHT)
    assert ("conflict", "local@ours.test") in sync(server)
    assert imap(server, "local@ours.test", RIGHT) != "ok"
    ldap.delete(f"uid=local,ou=people,{BASE}")


def test_everybody_missing_locks_nobody(other, ldap):
    """A wrong base, a wrong filter: rather a mistake than the truth."""
    for i in range(12):
        ldap.person(f"many{i}", RIGHT)
    s = other(ldap.settings())
    sync(s)
    with_settings(s, GROUPS + ldap.settings(directory_filter='"(&(uid=alice)(mail={address}))"'))
    os.kill(s.process.pid, 1)
    try:
        wait_until(lambda: steps(s, "alice@ours.test")[1] == 0 and steps(s, "bob@ours.test")[1] == 1, 60, "the new filter")
        done = s.run("directory", "sync", check=False)
        assert done.returncode != 0 and "--force" in done.stderr + done.stdout
        assert account(s, "many1")["status"] == "active"
        assert ("locked", "many1@ours.test") in sync(s, "--force")
        assert account(s, "many1")["status"] == "locked" and account(s, "alice")["status"] == "active"
    finally:
        for i in range(12):
            ldap.delete(f"uid=many{i},ou=people,{BASE}")


def test_a_long_list(other, ldap):
    """More people than one page or one batch holds."""
    people = "".join(
        f"dn: uid=p{i},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: p{i}\nsn: p\ncn: p{i}\nmail: p{i}@ours.test\n\n"
        for i in range(1200))
    ldap.add(people)
    try:
        s = other(ldap.settings())
        compared(s)
        assert len(s.json("account", "list")["items"]) > 1200
        assert sync(s) == {}
    finally:
        ldap.ldap("ldapmodify", "".join(f"dn: uid=p{i},ou=people,{BASE}\nchangetype: delete\n\n" for i in range(1200)))


def test_check_finds_mistakes(other, ldap, tmp_path):
    s = other(ldap.settings())
    bad = tmp_path / "open.secret"
    bad.write_text("x")
    bad.chmod(0o644)
    no_ca = tmp_path / "ca.pem"
    no_ca.write_text("hello\n")
    for settings, word in ((ldap.settings(directory_secret=bad), "mode"), (ldap.settings(ca=no_ca), "bad-ca"),
                           (ldap.settings(ca="/nowhere.pem"), "unreadable"),
                           (ldap.settings(directory_filter="(mail=*)"), "bad-filter"),
                           (ldap.settings("ldap://192.0.2.1", directory_tls="none"), "clear-text")):
        with_settings(s, GROUPS + settings)
        done = s.run("check", "--json", check=False)
        assert done.returncode == 78 and word in done.stdout, (word, done.stdout)
