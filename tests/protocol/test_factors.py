"""Second factors through the whole server: a code behind the mailbox password at each mail door, made by oathtool."""
import concurrent.futures
import imaplib
import poplib
import smtplib
import subprocess
import time

import pytest

from lib.server import Server, threat

PASSWORD = "quiet harbour lantern 77"
EXTRA = ("failures_free = 100\nspray_accounts = 1000\nconnections_exempt = 127.0.0.0/8\ngates = 1\nkeepers = 2\nscans = 1\n"
         "password_memory = 8 MiB\npassword_passes = 1\n")


@pytest.fixture(scope="module")
def server():
    with Server.running(extra=EXTRA) as s:
        yield s


def oathtool(secret, at, more=0):
    """The code of a time, or a list of it and those of the steps behind it."""
    done = subprocess.run(["oathtool", "--totp", "--base32", "--now", f"@{int(at)}", "--window", str(more), secret],
                          capture_output=True, text=True, check=True)
    return done.stdout.split() if more else done.stdout.strip()


def wrong_codes(secret, count):
    """Codes that are right in none of the steps of a few minutes around now."""
    right = set(oathtool(secret, time.time() - 300, 20))
    return [code for i in range(1000) if (code := f"{i:06d}") not in right][:count]


def enrolled(server, address):
    """An account with a mailbox password of its owner's own and an authenticator: its secret, the code that confirmed it, and the
    next one, which is good for half a minute at least: one step early counts, and so does one step late."""
    server.run("account", "add", address, "--no-password")
    reset = server.json("account", "reset", address)["code"]
    server.run("account", "password", address, "--code", input=f"{reset}\n{PASSWORD}\n")
    made = server.json("factor", "totp", address, "phone")
    code, following = oathtool(made["secret"], time.time(), 1)
    server.run("factor", "confirm", address, str(made["factor"]), input=code + "\n")
    return made["secret"], code, following


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
        c.quit()
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


def test_a_code_behind_the_mailbox_password_opens_each_door_once(server):
    cases = 0
    for door, enter in DOORS.items():
        server.run("policy", "set", f"mailbox_password_{door}", "with-totp")
        address = f"{door}@ours.test"
        secret, first, code = enrolled(server, address)
        wrong, = wrong_codes(secret, 1)
        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            # wrong ones, nothing in front of a code, the code of the enrolment
            refused = (PASSWORD, code, PASSWORD + wrong, PASSWORD + first)
            assert not any(pool.map(lambda typed: enter(server, address, typed), refused))
            assert enter(server, address, PASSWORD + code)
            assert not any(pool.map(lambda other: other(server, address, PASSWORD + code), DOORS.values())), "a second time"
        cases += 8
    threat("T-227", cases)


def test_guesses_make_the_code_wait_and_the_rest_not(server):
    server.run("policy", "set", "mailbox_password_imap", "with-totp")
    secret, _, code = enrolled(server, "slow@ours.test")
    client = server.add_client("slow@ours.test")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        # A wrong password never reaches the counter.
        assert not any(pool.map(lambda _: imap(server, "slow@ours.test", "another " + PASSWORD + code), range(6)))
        guesses = wrong_codes(secret, 5)
        assert not any(pool.map(lambda guess: imap(server, "slow@ours.test", PASSWORD + guess), guesses))
    assert not imap(server, "slow@ours.test", PASSWORD + code), "also the right code waits"
    assert imap(server, "slow@ours.test", client), "a client password does not"
    threat("T-228", 13)


def test_nothing_of_a_factor_is_logged_or_stored_in_the_clear(server):
    secret, _, _ = enrolled(server, "quiet@ours.test")
    codes = server.json("factor", "recovery", "quiet@ours.test")["codes"]
    stored = b"".join(server.stored().values())
    for text in [secret, *codes]:
        assert text not in server.log_text()
        assert text.encode() not in stored
        assert text.replace("-", "").encode() not in stored
