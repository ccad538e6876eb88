"""Every mechanism with somebody else's client: gsasl, imapflow, nodemailer, curl, neomutt, swaks, Python's own libraries."""
import base64
import hashlib
import imaplib
import json
import pathlib
import poplib
import re
import select
import smtplib
import socket
import subprocess
import threading
import uuid

import pytest

from lib.mail import message, relaxed
from lib.sasl import Authority, Scram
from lib.server import wait_until
from test_programs import count, hosts_file, program, secret_file

HERE = pathlib.Path(__file__).resolve().parent
CONFIG = "mechanisms = default CRAM-MD5\nfailures_free = 100\nfailures_day = 10000\nconnections_exempt = 127.0.0.0/8\n"


@pytest.fixture(scope="module")
def cram(server, alice):
    """A client password for which the vault keeps what CRAM-MD5 needs."""
    return server.add_client(alice.address, "--receive", "--send", "--cram-md5")


@pytest.fixture(scope="module")
def token(server, alice):
    return server.add_credential("token", alice.address, "--receive", "--send")[0]


def spellings(secret):
    """As shown, and without the separators: where the program hashes what was typed, these two work."""
    return secret, secret.replace("-", "").replace(" ", "")


# ---- gsasl -----------------------------------------------------------------------------------------------------------

class SaysEhloFirst(threading.Thread):
    """gsasl begins SMTP with STARTTLS, which no server needs to take before EHLO: this one says it on its behalf, and then hands
    octets through, so that TLS is between the two as ever."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.there = self.listener.getsockname()[1], port

    def run(self):
        here = self.listener.accept()[0]
        with here, socket.create_connection(("127.0.0.1", self.there)) as there:
            greeting = there.recv(1000)
            there.sendall(b"EHLO laptop.test\r\n")
            reply = b""
            while not re.search(rb"(?m)^250 .*\r\n\Z", reply):
                reply += there.recv(1000)
            here.sendall(greeting)
            while True:
                for one in select.select([here, there], [], [])[0]:
                    octets = one.recv(65536)
                    if not octets:
                        return
                    (there if one is here else here).sendall(octets)


def gsasl(server, home, protocol, mechanism, user, password, check=True):
    port = server.ports["imap"]
    if protocol == "--smtp":
        between = SaysEhloFirst(server.ports["submission"])
        between.start()
        port = between.port
    more = [] if mechanism.endswith("-PLUS") else ["--no-cb"]
    return program(*hosts_file(server, home), "gsasl", protocol, f"--connect={server.hostname}:{port}", "--starttls",
                   f"--x509-ca-file={server.ca_file}", f"--mechanism={mechanism}", f"--authentication-id={user}",
                   f"--password={password}", "--verbose", *more, home=home, input="", check=check)


@pytest.mark.parametrize("protocol", ("--imap", "--smtp"))
@pytest.mark.parametrize("mechanism", ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5"))
def test_gsasl(server, alice, cram, home, protocol, mechanism):
    secrets = spellings(cram if mechanism == "CRAM-MD5" else alice.password)
    for secret in secrets:
        done = gsasl(server, home, protocol, mechanism, alice.address, secret)
        assert f"{mechanism}" in done.stdout and "Client authentication finished (server trusted)" in done.stderr, done
    wrong = secrets[1][:-1] + ("a" if secrets[1][-1] != "a" else "b")
    done = gsasl(server, home, protocol, mechanism, alice.address, wrong, check=False)
    assert done.returncode != 0, done


# ---- the libraries of web mailers --------------------------------------------------------------------------------------

def test_imapflow_and_nodemailer(server, alice, token, cram):
    setup = {"ca": server.ca_file, "hostname": server.hostname, "imaps": server.ports["imaps"],
             "submission": server.ports["submission"], "mark": uuid.uuid4().hex, "user": alice.address,
             "token": token, "password": alice.password, "cram": cram}
    done = subprocess.run(["node", str(HERE / "mechanisms.mjs")], input=json.dumps(setup), capture_output=True, text=True,
                          timeout=180, cwd=HERE)
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout)
    assert seen["imap"].startswith("AUTHENTICATE OAUTHBEARER") or seen["imap"].startswith("AUTHENTICATE XOAUTH2")
    assert seen["imapWrong"] == "refused"
    assert seen["imapPassword"] == "AUTHENTICATE PLAIN"
    assert seen["smtp"].startswith("250 ") and not seen["smtpWrong"].startswith("250") and seen["cram"].startswith("250 ")


# ---- curl --------------------------------------------------------------------------------------------------------------

def curl(server, home, door, account, *words, check=True):
    """Lists the mailboxes or messages, or sends a mail to oneself."""
    scheme = {"imaps": "imaps", "pop3s": "pop3s", "submissions": "smtps"}[door]
    port = server.ports[door]
    if door == "submissions":
        (home / "mail").write_bytes(message(account.address, account.address)[1])
        words += ("--mail-from", account.address, "--mail-rcpt", account.address, "--upload-file", "mail")
    return program("curl", "--silent", "--show-error", "--verbose", "--cacert", server.ca_file, "--resolve",
                   f"{server.hostname}:{port}:127.0.0.1", *words, "--url", f"{scheme}://{server.hostname}:{port}", home=home,
                   check=check)


@pytest.mark.parametrize("door", ("imaps", "pop3s", "submissions"))
def test_curl(server, alice, cram, token, home, door):
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
    for mechanism in ("OAUTHBEARER", "XOAUTH2"):
        for ir in ((), ("--sasl-ir",)):
            done = curl(server, home, door, alice, "--login-options", f"AUTH={mechanism}", "--oauth2-bearer", token, "--user", alice.address, *ir)
            assert f"{mechanism}" in done.stderr
        refused = curl(server, home, door, alice, "--login-options", f"AUTH={mechanism}", "--oauth2-bearer", wrong, "--user",
                       alice.address, check=False)
        assert refused.returncode == 67, refused.stderr  # login denied
    for mechanism, secret in (("CRAM-MD5", cram), ("PLAIN", alice.password), ("LOGIN", alice.password)):
        done = curl(server, home, door, alice, "--login-options", f"AUTH={mechanism}", "--user", f"{alice.address}:{secret}")
        assert f"{mechanism}" in done.stderr
        refused = curl(server, home, door, alice, "--login-options", f"AUTH={mechanism}", "--user", f"{alice.address}:x{secret}", check=False)
        assert refused.returncode == 67


# ---- neomutt -----------------------------------------------------------------------------------------------------------

def neomutt_rc(server, account, secret, more):
    return f"""
set ssl_force_tls=yes
set certificate_file={server.ca_file}
set folder="imaps://{server.hostname}:{server.ports['imaps']}/"
set imap_user="{account.address}"
set imap_pass="{secret}"
set smtp_pass="{secret}"
set spoolfile="+INBOX"
set smtp_url="smtps://{account.address}@{server.hostname}:{server.ports['submissions']}/"
set from="{account.address}"
set copy=yes
set record="+Sent"
set confirmcreate=no
set sleep_time=0
{more}
"""


@pytest.mark.parametrize("mechanism", ("SCRAM-SHA-256", "OAUTHBEARER", "PLAIN"))
def test_neomutt(server, alice, bob, token, home, mechanism):
    """It sends by SMTP and opens the mailbox by IMAP. Left to itself it sends by the strongest name that its library (gsasl)
    knows, -PLUS included, although it binds no channel: for such programs the setting leaves -PLUS out. It reads by PLAIN."""
    more = "".join(f'set {p}_authenticators="{mechanism.lower()}"\n' for p in ("imap", "smtp") if mechanism != "SCRAM-SHA-256")
    if mechanism == "OAUTHBEARER":
        command = f"cat {secret_file(home, 'token', token)}"
        more += "".join(f'set {p}_oauth_refresh_command="{command}"\n' for p in ("imap", "smtp"))
    secret_file(home, "rc", neomutt_rc(server, alice, alice.password, more))
    mark, _ = message(alice.address, bob.address)
    hosts, rc = hosts_file(server, home), home / "rc"
    with server.changed("mechanisms = default CRAM-MD5", "mechanisms = SCRAM-SHA-256 OAUTHBEARER PLAIN"):
        program(*hosts, "neomutt", "-n", "-F", rc, "-d", "2", "-l", home / "sent", "-s", mark, bob.address, input="from neomutt\n",
                home=home, env={"TERM": "dumb"})
        program(*hosts, "script", "-qec", f"neomutt -n -F {rc} -d 2 -l {home}/read -e 'set quit=yes' -e 'push <quit>'", "/dev/null",
                home=home, env={"TERM": "xterm"})
    assert count(server, bob, mark) == 1
    assert f"AUTH {mechanism}" in (home / "sent0").read_text(errors="replace")
    read = (home / "read0").read_text(errors="replace")
    by = "OAUTHBEARER" if mechanism == "OAUTHBEARER" else "PLAIN"
    assert by in read and "SELECT" in read, [l for l in read.split("\n") if "AUTH" in l]


# ---- swaks -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mechanism", ("CRAM-MD5", "PLAIN", "LOGIN"))
def test_swaks(server, alice, bob, cram, home, mechanism):
    secret = cram if mechanism == "CRAM-MD5" else alice.password
    words = ["swaks", "--server", "127.0.0.1", "--port", server.ports["submissions"], "--tls-on-connect", "--auth", mechanism,
             "--auth-user", alice.address, "--from", alice.address, "--to", bob.address, "--quit-after", "RCPT"]
    done = program(*words, "--auth-password", secret, home=home)
    assert f"AUTH {mechanism}" in done.stdout and "235 2.7.0" in done.stdout
    refused = program(*words, "--auth-password", "x" + secret, home=home, check=False)
    assert refused.returncode == 28 and "535 5.7.8" in refused.stdout


# ---- Python ------------------------------------------------------------------------------------------------------------

class Steps:
    """imaplib's and smtplib's authenticators ask for one answer after the other."""

    def __init__(self, account, secret, **kw):
        self.scram, self.turn = Scram(account.address, secret, **kw), 0

    def __call__(self, challenge=None):
        self.turn += 1
        if self.turn == 1:
            return self.scram.first()
        if self.turn == 2:
            return self.scram.read(challenge).final()
        self.scram.verify(challenge)
        return ""


def test_imaplib_with_a_scram_of_our_own(server, alice):
    for secret in spellings(alice.password):
        client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=relaxed(server))
        steps = Steps(alice, secret)
        client.authenticate("SCRAM-SHA-256", lambda challenge: steps(challenge))
        assert steps.turn == 3 and client.select("INBOX")[0] == "OK"
        client.logout()
    client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=relaxed(server))
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        client.authenticate("SCRAM-SHA-256", Steps(alice, alice.password + "x"))


def test_imaplib_binds_to_the_certificate(server, alice):
    for spoilt in (False, True):
        client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=relaxed(server))
        data = hashlib.sha256(client.sock.getpeercert(binary_form=True)).digest()
        if spoilt:  # somebody in between, with a certificate of his own
            data = hashlib.sha256(data).digest()
        steps = Steps(alice, alice.password, header="p=tls-server-end-point,,", binding=data)
        if spoilt:
            with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
                client.authenticate("SCRAM-SHA-256-PLUS", steps)
        else:
            client.authenticate("SCRAM-SHA-256-PLUS", steps)
            client.logout()


def test_imaplib_and_smtplib_cram_md5(server, alice, cram):
    for secret in spellings(cram):
        client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=relaxed(server))
        assert client.login_cram_md5(alice.address, secret)[0] == "OK"
        client.logout()
        with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=relaxed(server)) as s:
            s.ehlo("laptop.test")
            s.user, s.password = alice.address, secret
            assert s.auth("CRAM-MD5", s.auth_cram_md5)[0] == 235
            assert s.docmd("RSET")[0] == 250
    # a password that nobody asked to keep for CRAM-MD5 can't be used with it
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=relaxed(server)) as s:
        s.ehlo("laptop.test")
        s.user, s.password = alice.address, alice.password
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            s.auth("CRAM-MD5", s.auth_cram_md5)
        assert refused.value.smtp_code == 535


def test_smtplib_scram(server, alice):
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=relaxed(server)) as s:
        s.ehlo("laptop.test")
        assert s.auth("SCRAM-SHA-256", Steps(alice, alice.password))[0] == 235


def test_poplib_by_steps(server, alice, token):
    client = poplib.POP3_SSL("127.0.0.1", server.ports["pop3s"], context=relaxed(server))
    blob = base64.b64encode(f"user={alice.address}\x01auth=Bearer {token}\x01\x01".encode()).decode()
    assert client._shortcmd(f"AUTH XOAUTH2 {blob}").startswith(b"+OK")
    client.quit()


def test_a_certificate_with_curl(server, alice, home, tmp_path):
    """The setting is read again at a reload: EXTERNAL appears without a restart."""
    people = Authority(tmp_path)
    tmp_path.chmod(0o755)
    pem, key = people.certificate(f"email:{alice.address}")
    server.run("client", "add", alice.address, "laptop", "--receive", "--send", "--certificate", str(pem))
    words = ("--login-options", "AUTH=EXTERNAL", "--user", f"{alice.address}:")
    with server.changed("log_form = json", f"log_form = json\nclient_certificates = {people.file}"):
        for door in ("imaps", "submissions"):
            done = curl(server, home, door, alice, *words, "--cert", pem, "--key", key)
            assert "EXTERNAL" in done.stderr
            assert curl(server, home, door, alice, *words, check=False).returncode == 67
    assert "EXTERNAL" not in curl(server, home, "imaps", alice, *words, "--cert", pem, "--key", key, check=False).stderr.replace("AUTH=EXTERNAL", "")


def test_which_program_it_was(server, alice):
    """IMAP ID before the sign-in, EHLO's name, and what the TLS hello says: all are told with the last use."""
    secret = server.add_client(alice.address, "--receive", "--send")

    def last():
        items = server.json("client", "list", alice.address)["items"]
        return max(items, key=lambda i: i["credential"])

    client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=relaxed(server))
    client.xatom("ID", '("name" "Brief" "version" "7.1")')
    client.authenticate("SCRAM-SHA-256", Steps(alice, secret))
    client.logout()
    seen = wait_until(lambda: last().get("last_program") and last(), what="the last use")
    assert seen["last_program"] == "Brief 7.1" and seen["last_from"] == "127.0.0.1"
    assert re.fullmatch(r"TLSv1\.3 TLS_\w+ [0-9a-f]{16}", seen["last_tls"])
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=relaxed(server)) as s:
        s.ehlo("laptop.test")
        assert s.auth("SCRAM-SHA-256", Steps(alice, secret))[0] == 235
    other = wait_until(lambda: last()["last_program"] == "laptop.test" and last(), what="the last use")
    assert other["last_tls"].split()[2] == seen["last_tls"].split()[2]  # the same library
