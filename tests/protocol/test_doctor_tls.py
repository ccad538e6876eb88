"""Encryption as `letterlock doctor` tells it: which kind a port speaks that nobody named, what the server would agree to, and that
asking for it stays within bounds."""
import contextlib
import email.utils
import json
import os
import socket
import subprocess
import time

import pytest

from lab.certificates import Cabinet
from lab.scripted import Door, Imap, Smtp
from lib.dnsserver import DnsServer
from lib.server import COMMAND, Server

HOST = "mail.doctor.test"
PROBES = 12  # LIMIT_DOCTOR_PROBES
KEY_SHARE = b"\x00\x33\x00\x26"  # the extension with one key of X25519


@pytest.fixture(scope="module")
def cabinet(tmp_path_factory):
    return Cabinet(tmp_path_factory.mktemp("cabinet"))


@pytest.fixture(scope="module")
def names():
    with DnsServer({(HOST, "A"): ["127.0.0.1"], ("mx.ours.test", "A"): ["127.0.0.1"]}) as server:
        yield server


def look(*words, patience=30):
    """The one server of the answer, and the verdict's diagnosis."""
    done = subprocess.run([str(COMMAND), "doctor", "--no-password", "--json", "--patience", str(patience), *map(str, words)],
                          capture_output=True, timeout=120, stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C.UTF-8"})
    answer = json.loads(done.stdout)
    return answer["servers"][0], answer["verdict"]


def notes(server, step="tls"):
    return {n["diagnosis"] or n["fact"]: n for n in server["notes"] if n["step"] == step}


@contextlib.contextmanager
def door(talks, certificate=None, **way):
    d = Door(0, talks, certificate=certificate, **way)
    try:
        yield d, d.socket.getsockname()[1]
    finally:
        d.close()


@pytest.mark.parametrize("service, speaks", [("imap", Imap), ("smtp", Smtp)])
@pytest.mark.parametrize("implicit, starttls, security", [(True, False, "tls"), (False, True, "starttls"), (False, False, "none")])
def test_a_port_that_says_nothing(cabinet, names, service, speaks, implicit, starttls, security):
    talks = speaks(starttls=starttls)
    with door(talks, cabinet.good(HOST) if security != "none" else None, implicit=implicit) as (d, port):
        server, _ = look(f"--{service}", f"{HOST}:{port}", "--dns", names.where, "--ca", cabinet.ca_file)
    standing, seen = server["standing"], notes(server)
    assert server["security"] == security
    assert standing["encrypted"] == standing["verified"] == (security != "none")
    assert ("tls-none" in seen) == (security == "none")
    assert ("tls-session" in seen) == ("certificate-good" in seen) == (security != "none")
    assert d.connections <= PROBES + 6


@pytest.mark.parametrize("weak, most", [(False, 8), (True, 11)])
def test_how_many_connections_it_takes(cabinet, names, weak, most):
    """Of a good server and of one that agrees to nearly everything: one each for the network, the handshake and the greeting;
    the others are hellos that come to nothing, which servers count."""
    with door(Imap(), cabinet.good(HOST), implicit=True, weak=weak) as (d, port):
        server, _ = look("--imap", f"{HOST}:{port}", "--tls", "implicit", "--dns", names.where, "--ca", cabinet.ca_file)
        assert server["standing"]["greeted"] and "tls-groups" in notes(server)
        assert d.connections <= 3 + most


@pytest.mark.parametrize("hours", [0, -1, 1])
def test_the_time_in_a_greeting_is_compared(cabinet, names, hours):
    """A fact when it differs, whatever the certificate says; and no connection is made for it."""
    connections = []
    for date in (email.utils.formatdate(time.time() + 3600 * hours, usegmt=True), ""):
        smtp = Smtp(greeting=f"220 mx.test ESMTP; {date}")
        with door(smtp, cabinet.good(HOST), implicit=True) as (d, port):
            server, _ = look("--smtp", f"{HOST}:{port}", "--tls", "implicit", "--dns", names.where, "--ca", cabinet.ca_file)
            connections.append(d.connections)
        fact = notes(server, "greeting").get("clock-differs")
        assert (fact is not None) == bool(date and hours)
        assert fact is None or (fact["tone"] == "note" and HOST in fact["says"]["en"] and HOST in fact["says"]["zh"])
        assert "tls-clock-skew" not in notes(server)
    assert connections[0] == connections[1]


def test_what_an_old_server_agrees_to(cabinet, names):
    with door(Imap(), cabinet.good(HOST), implicit=True, weak=True) as (_, port):
        server, _ = look("--imap", f"{HOST}:{port}", "--tls", "implicit", "--dns", names.where, "--ca", cabinet.ca_file)
    seen = notes(server)
    versions = seen["tls-versions"]["says"]["en"]
    assert all(v in versions for v in ("TLS 1.3", "TLS 1.2", "TLS 1.1", "TLS 1.0")) and "SSL" not in versions
    assert seen["tls-old-versions"]["tone"] == "warning" and "TLS 1.0" in seen["tls-old-versions"]["proof"]["text"]
    assert "X25519" in seen["tls-groups"]["says"]["en"] and "MLKEM" not in seen["tls-groups"]["says"]["en"]
    assert "anonymous" in seen["tls-weak-suites"]["proof"]["text"]


def test_a_server_that_leaves_probes_waiting(cabinet, names):
    """It answers a library, whose hellos hold a key, and nobody else: one probe is waited for, and the rest goes on."""
    imap = Imap()

    def talk(wire):
        if KEY_SHARE in wire.sock.recv(4096, socket.MSG_PEEK):
            wire.start_tls()
            imap(wire)
        else:
            wire.until_end()

    with door(talk, cabinet.good(HOST)) as (d, port):
        server, verdict = look(
            "--imap", f"{HOST}:{port}", "--tls", "implicit", "--dns", names.where, "--ca", cabinet.ca_file)
    assert server["standing"]["verified"] and server["standing"]["greeted"]
    assert verdict["kind"] == "no-password"
    assert d.connections <= 4
    assert "tls-no-tls13" not in notes(server) and "tls-old-versions" not in notes(server)


def test_the_house_itself(names):
    """A new installation has nothing that a warning could be about."""
    with Server.running() as house:
        server, _ = look(
            "--imap", f"mx.ours.test:{house.ports['imaps']}", "--tls", "implicit", "--ca", house.dir / "tls/ca.pem",
            "--dns", names.where)
    seen = notes(server)
    assert seen["tls-versions"]["says"]["en"] == "the server accepts TLS 1.3, TLS 1.2"
    assert seen["tls-groups"]["says"]["en"] == "keys are exchanged by X25519, P-256, P-384"
    assert {n["tone"] for n in seen.values()} == {"good"}
