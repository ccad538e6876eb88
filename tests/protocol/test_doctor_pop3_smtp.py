"""`letterlock doctor` at POP3 and submission doors: those of this server, which keep a mailbox and take mail, and scripted ones that are
older or odder than ours."""
import email
import email.policy
import json
import os
import re
import smtplib
import subprocess

import pytest

from lab.certificates import Cabinet
from lab.scripted import Door, Pop3, Smtp
from lib.dnsserver import DnsServer
from lib.mail import pop3, relaxed
from lib.server import COMMAND, wait_until

ACCOUNTS = ("alice",)
PASSWORD = "wind-Kettle-83-orchard"


@pytest.fixture(scope="module")
def names(server):
    with DnsServer({(host, "A"): ["127.0.0.1"] for host in (server.hostname, "pop3.lab.test", "smtp.lab.test")}) as dns:
        yield dns


class Seen:
    def __init__(self, done):
        self.code, self.out = done.returncode, done.stdout
        self.json = json.loads(done.stdout)
        self.verdict = self.json["verdict"].get("diagnosis") or self.json["verdict"]["kind"]
        self.servers = self.json["servers"]
        self.notes = [n for server in self.servers for n in server["notes"]]
        self.noticed = {n["diagnosis"] for n in self.notes if n["diagnosis"]}

    def fact(self, name):
        """What is said of it, in English; empty when nothing is."""
        return next((n["says"]["en"] for n in self.notes if n["fact"] == name), "")


@pytest.fixture
def doctor(names, tmp_path):
    def run(address, password, ca_file, *words):
        secret = tmp_path / "secret"
        secret.write_text(password + "\n")
        secret.chmod(0o600)
        return Seen(subprocess.run(
            [str(COMMAND), "doctor", address, "--json", "--dns", names.where, "--ca", str(ca_file), "--patience", "30",
             "--password-file", str(secret), *words], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
            env={**os.environ, "LANG": "C.UTF-8"}))
    return run


@pytest.fixture
def at_ours(server, alice, doctor):
    def run(service, door, *words):
        return doctor(alice.address, alice.password, server.ca_file, f"--{service}", f"{server.hostname}:{server.ports[door]}", *words)
    return run


# ------------------------------------------------------------------------------------------------------------ our own server

@pytest.mark.parametrize("service, door, tls", [("pop3", "pop3s", "implicit"), ("pop3", "pop3", "starttls"),
                                                ("smtp", "submissions", "implicit"), ("smtp", "submission", "starttls")])
def test_healthy(at_ours, service, door, tls):
    seen = at_ours(service, door, "--tls", tls)
    assert seen.verdict == "healthy" and seen.code == 0, seen.out
    standing = seen.servers[0]["standing"]
    assert standing["works"] and standing["letterlock"]
    assert not [n for n in seen.notes if n["tone"] in ("fault", "warning") and n["step"] in ("greeting", "after")]
    assert "SCRAM-SHA-256" in seen.fact("mechanisms")


def test_mail_is_sent_to_oneself_when_wished(server, alice, at_ours):
    before = pop3(server, alice)
    count = before.stat()[0]
    before.quit()
    assert at_ours("smtp", "submissions", "--tls", "implicit").verdict == "healthy"
    seen = at_ours("smtp", "submissions", "--tls", "implicit", "--send-test")
    assert seen.verdict == "healthy" and alice.address in seen.fact("test-sent"), seen.out

    def message():
        client = pop3(server, alice)
        try:
            return client.retr(count + 1)[1] if client.stat()[0] == count + 1 else None
        finally:
            client.quit()
    wait_until(message, what="the test message")
    mail = email.message_from_bytes(b"\r\n".join(message()), policy=email.policy.default)
    assert mail["Subject"] == "letterlock doctor: a test of sending" and mail["From"] == mail["To"] == alice.address
    assert "可以删除" in mail.get_content() and "can be deleted" in mail.get_content()
    assert re.search(rf"\b{count + 1}\b", at_ours("pop3", "pop3s", "--tls", "implicit").fact("inbox"))


def test_port_for_other_servers(at_ours):
    seen = at_ours("smtp", "smtp", "--tls", "starttls")
    assert (seen.verdict, seen.code) == ("smtp-no-auth-in-ehlo", 1), seen.out


def test_credential_that_may_not_send(server, alice, doctor):
    secret = server.add_client(alice.address, "--receive")
    seen = doctor(alice.address, secret, server.ca_file, "--tls", "implicit", "--smtp",
                  f"{server.hostname}:{server.ports['submissions']}")
    assert seen.code == 1 and not seen.servers[0]["standing"]["works"], seen.out


def test_another_session_holds_the_mailbox(server, alice, at_ours):
    client = pop3(server, alice)
    try:
        seen = at_ours("pop3", "pop3s", "--tls", "implicit")
    finally:
        client.quit()
    assert seen.code == 1 and "IN-USE" in seen.out, seen.out


# ----------------------------------------------------------------------------------------------------------------- older ones

@pytest.fixture(scope="module")
def cabinet(tmp_path_factory):
    return Cabinet(tmp_path_factory.mktemp("cabinet"))


@pytest.fixture
def at_scripted(cabinet, doctor):
    doors = []

    def run(service, speaker, *words):
        host = f"{service}.lab.test"
        doors.append(Door(0, speaker, certificate=cabinet.good(host), implicit=True))
        return doctor("alice@lab.test", PASSWORD, cabinet.ca_file, "--tls", "implicit", f"--{service}",
                      f"{host}:{doors[-1].socket.getsockname()[1]}", *words)
    yield run
    for door in doors:
        door.close()


def test_server_without_capa(at_scripted):
    seen = at_scripted("pop3", Pop3(password=PASSWORD, replies={"CAPA": "-ERR what?"}))
    assert seen.verdict == "healthy" and "greeting-no-offer" in seen.noticed, seen.out


def test_large_mailbox(at_scripted):
    """A million messages are not listed to see that they could be."""
    seen = at_scripted("pop3", Pop3(password=PASSWORD, replies={"STAT": "+OK 1000000 400000000", "UIDL": "+OK 1 id0"}))
    assert seen.verdict == "healthy" and re.search(r"\b1000000\b", seen.fact("inbox")), seen.out


def test_secret_said_back(at_scripted):
    """A server that repeats what it does not understand does not bring the secret into the report."""
    def parrot(wire, rest):
        wire.say(f"-ERR unknown command PASS {rest}")
    seen = at_scripted("pop3", Pop3(password=PASSWORD, sasl_line=False, replies={"PASS": parrot}))
    assert seen.code == 1 and PASSWORD not in seen.out, seen.out


def test_ehlo_with_an_address_is_not_liked(at_scripted):
    def ehlo(wire, rest):
        if rest.startswith("["):
            wire.say("501 5.5.4 Invalid domain name")
        else:
            wire.say("250-mail.lab.test", "250 AUTH PLAIN")
    seen = at_scripted("smtp", Smtp(password=PASSWORD, replies={"EHLO": ehlo}))
    assert seen.verdict == "healthy", seen.out


def test_message_refused(at_scripted):
    def data(wire, rest):
        wire.say("354 go on")
        while wire.line() != ".":
            pass
        wire.say("554 strange words")
    seen = at_scripted("smtp", Smtp(password=PASSWORD, replies={"DATA": data}), "--send-test")
    assert (seen.verdict, seen.code) == ("after-message-refused", 1), seen.out


def test_nothing_is_sent_without_the_wish(at_scripted):
    talked = []

    def data(wire, rest):
        talked.append("DATA")
        wire.say("354 go on")
    seen = at_scripted("smtp", Smtp(password=PASSWORD, replies={"DATA": data}))
    assert seen.verdict == "healthy" and not talked, seen.out


def test_smtplib_agrees(server, alice):
    """What the doctor calls healthy is so for another client."""
    with smtplib.SMTP("127.0.0.1", server.ports["submission"], timeout=60) as client:
        client.starttls(context=relaxed(server))
        client.login(alice.address, alice.password)
        assert client.mail(alice.address)[0] == client.rcpt(alice.address)[0] == 250
