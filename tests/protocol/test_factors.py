"""Second factors through the whole server: a code behind the mailbox password at each mail door, made by oathtool."""
import imaplib
import poplib
import smtplib
import subprocess
import time

import pytest

from lib.server import Server, threat, wait_until

PASSWORD = "quiet harbour lantern 77"
EXTRA = "failures_free = 100\nspray_accounts = 1000\nconnections_exempt = 127.0.0.0/8\ngates = 1\nkeepers = 2\nscans = 1\n"


@pytest.fixture(scope="module")
def server():
    with Server.running(extra=EXTRA) as s:
        yield s


def oathtool(secret, at):
    done = subprocess.run(["oathtool", "--totp", "--base32", "--now", f"@{int(at)}", secret], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def enrolled(server, address):
    """An account with a mailbox password of its owner's own and an authenticator: its secret, and the code that confirmed it."""
    server.run("account", "add", address, "--no-password")
    reset = server.json("account", "reset", address)["code"]
    server.run("account", "password", address, "--code", input=f"{reset}\n{PASSWORD}\n")
    made = server.json("factor", "totp", address, "phone")
    code = oathtool(made["secret"], time.time() - 30)
    server.run("factor", "confirm", address, str(made["factor"]), input=code + "\n")
    return made["secret"], code


def tls(server):
    context = server.tls()
    context.check_hostname = False  # it is reached by its number here
    return context


def imap(server, address, secret):
    with imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=tls(server)) as c:
        try:
            return c.login(address, secret)[0] == "OK"
        except imaplib.IMAP4.error:
            return False


def pop3(server, address, secret):
    c = poplib.POP3_SSL("127.0.0.1", server.ports["pop3s"], context=tls(server))
    try:
        c.user(address)
        c.pass_(secret)
        return True
    except poplib.error_proto:
        return False
    finally:
        c.close()


def submission(server, address, secret):
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=tls(server)) as c:
        try:
            c.login(address, secret)
            return True
        except smtplib.SMTPException:
            return False


DOORS = {"imap": imap, "pop3": pop3, "submission": submission}


def next_step():
    """A code that is young: the rest of a test fits into its window."""
    wait_until(lambda: time.time() % 30 < 15, 20, "the first half of a step")


def test_a_code_behind_the_mailbox_password_opens_each_door_once(server):
    cases = 0
    for door, enter in DOORS.items():
        server.run("policy", "set", f"mailbox_password_{door}", "with-totp")
        address = f"{door}@ours.test"
        secret, first = enrolled(server, address)
        next_step()
        code = oathtool(secret, time.time())
        wrong = f"{(int(code) + 1) % 1000000:06d}"
        assert not enter(server, address, PASSWORD)
        assert not enter(server, address, code)
        assert not enter(server, address, PASSWORD + wrong)
        assert not enter(server, address, PASSWORD + first), "the code of the enrolment"
        assert enter(server, address, PASSWORD + code)
        for other in DOORS.values():
            assert not other(server, address, PASSWORD + code), "a second time"
        cases += 8
    threat("T-227", cases)


def test_guesses_make_the_code_wait_and_the_rest_not(server):
    server.run("policy", "set", "mailbox_password_imap", "with-totp")
    secret, _ = enrolled(server, "slow@ours.test")
    client = server.add_client("slow@ours.test")
    next_step()
    code = oathtool(secret, time.time())
    # A wrong password never reaches the counter.
    for _ in range(6):
        assert not imap(server, "slow@ours.test", "another " + PASSWORD + code)
    guesses = [f"{(int(code) + 1000 + i) % 1000000:06d}" for i in range(5)]
    for guess in guesses:
        assert not imap(server, "slow@ours.test", PASSWORD + guess)
    assert not imap(server, "slow@ours.test", PASSWORD + code), "also the right code waits"
    assert imap(server, "slow@ours.test", client), "a client password does not"
    threat("T-228", 13)


def test_nothing_of_a_factor_is_logged_or_stored_in_the_clear(server):
    secret, _ = enrolled(server, "quiet@ours.test")
    codes = server.json("factor", "recovery", "quiet@ours.test")["codes"]
    stored = b"".join(p.read_bytes() for p in server.dir.rglob("*") if p.is_file())
    for text in [secret, *codes]:
        assert text not in server.log_text()
        assert text.encode() not in stored
        assert text.replace("-", "").encode() not in stored
