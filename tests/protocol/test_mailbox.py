"""Mailbox passwords through the command and the doors: codes, policies that narrow, ages, hashes made anew, and the filter of
breached passwords."""
import imaplib
import json
import select
import signal
import subprocess
import time

import pytest

from lib.server import SLACK, Server, wait_until

FIRST, SECOND, THIRD = "grey gravel otter 77", "wooden lamp 99 Fjord", "Quiet harbour 12 bells"
EXTRA = ("failures_free = 100\nspray_accounts = 1000\nconnections_exempt = 127.0.0.0/8\ngates = 1\nkeepers = 2\nscans = 1\n"
         "password_memory = 8 MiB\npassword_passes = 1\n")


@pytest.fixture(scope="module")
def server():
    with Server.running(extra=EXTRA) as s:
        yield s


@pytest.fixture(scope="module")
def carol(server):
    server.run("account", "add", "carol@ours.test", input=FIRST + "\n")
    return "carol@ours.test"


def imap(server, address, password):
    context = server.tls()
    context.check_hostname = False
    box = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=context)
    try:
        box.login(address, password)
    except imaplib.IMAP4.error:
        box.shutdown()
        return None
    return box


def opens(server, address, password):
    box = imap(server, address, password)
    if box:
        box.logout()
    return box is not None


def ends_within(box, seconds):
    """The server hangs up by itself."""
    start = time.monotonic()
    ready, _, _ = select.select([box.sock], [], [], seconds)
    if not ready:
        return None
    box.sock.settimeout(seconds)
    while box.sock.recv(4096):
        pass
    return time.monotonic() - start


def test_a_policy_opens_a_door_and_narrowing_it_ends_the_session(server, carol):
    assert not opens(server, carol, FIRST)
    server.run("account", "group", carol, "Staff")
    server.run("policy", "set", "mailbox_password_imap", "allowed", "--group", "staff")
    shown = {i["key"]: (i["value"], i["source"]) for i in server.json("policy", "show", carol)["items"]}
    assert shown["mailbox_password_imap"] == ("allowed", "group staff")
    assert shown["password_least"] == ("12", "preset")
    box = imap(server, carol, FIRST)
    assert box
    last = server.json("why", carol, "--count", "1")["items"][0]
    assert (last["outcome"], last["credential"]) == ("ok", 0)
    assert "mailbox password" in server.run("why", carol, "--count", "1").stdout
    server.run("policy", "set", "mailbox_password_imap", "never", "--group", "staff")
    took = ends_within(box, 60)
    assert took is not None and took < 1 + SLACK
    assert not opens(server, carol, FIRST)
    server.run("policy", "set", "mailbox_password_imap", "allowed", "--group", "staff")


def test_a_code_sets_a_new_password_once_and_ends_what_the_old_one_opened(server, carol):
    box = imap(server, carol, FIRST)
    code = server.json("account", "reset", carol)["code"]
    old = code
    code = server.json("account", "reset", carol)["code"]
    assert server.run("account", "password", carol, "--code", input=f"{old}\n{SECOND}\n", check=False).returncode != 0
    assert server.run("account", "password", carol, "--code", input=f"{code}\npassword\n", check=False).returncode != 0
    assert opens(server, carol, FIRST)
    server.run("account", "password", carol, "--code", input=f"{code.upper().replace('-', ' ')}\n{SECOND}\n")
    assert ends_within(box, 60) < 1 + SLACK
    assert opens(server, carol, SECOND) and not opens(server, carol, FIRST)
    assert server.run("account", "password", carol, "--code", input=f"{code}\n{THIRD}\n", check=False).returncode != 0
    assert server.run("account", "password", carol, input=THIRD + "\n", check=False).returncode != 0
    assert server.run("account", "password", carol, "--old", input=f"{SECOND}\n{FIRST}\n", check=False).returncode != 0
    server.run("account", "password", carol, "--old", input=f"{SECOND}\n{THIRD}\n")
    assert opens(server, carol, THIRD) and not opens(server, carol, SECOND)
    assert code.encode() not in b"".join(server.stored().values())


def test_what_an_administrator_sets_must_be_changed_first(server):
    server.run("account", "add", "dora@ours.test", "--no-password")
    server.run("account", "password", "dora@ours.test", input=FIRST + "\n")
    server.run("account", "group", "dora@ours.test", "staff")
    assert not opens(server, "dora@ours.test", FIRST)
    server.run("account", "password", "dora@ours.test", "--old", input=f"{FIRST}\n{SECOND}\n")
    assert opens(server, "dora@ours.test", SECOND)


def test_a_dearer_hash_is_made_at_the_next_sign_in(server, carol):
    def made_anew():
        return sum(octets.count(b"account.password-rehashed") for octets in server.stored("audit").values())

    before = made_anew()
    with server.changed("password_passes = 1", "password_passes = 2"):
        assert opens(server, carol, THIRD)
        wait_until(lambda: made_anew() == before + 1)
        assert opens(server, carol, THIRD)
    assert opens(server, carol, THIRD)


def test_the_filter_refuses_what_is_listed(server, carol, tmp_path):
    words = tmp_path / "words"
    words.write_text("".join(f"word number {i} of a list\n" for i in range(300000)) + "Marble canoe 31 stars\n")
    judged = json.loads(server.run("password", "check", carol, "--json", input="Marble canoe 31 stars\n").stdout)
    assert judged["report"]["colour"] == "green"
    # A kill in the middle leaves nothing half-made.
    for wait in (0.01, 0.05, 0.1):
        child = subprocess.Popen([str(server.command), "breach", "build", str(words), "--dir", str(server.dir)],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            child.wait(wait)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
            assert server.run("breach", "check", check=False).returncode in (0, 67)
    server.run("breach", "build", str(words))
    assert "300001" in server.run("breach", "check").stdout
    assert server.run("breach", "check", "--password", input="word number 5 of a list\n", check=False).returncode == 1
    server.reload()
    done = server.run("password", "check", carol, "--json", input="Marble canoe 31 stars\n", check=False)
    assert done.returncode == 1 and json.loads(done.stdout)["report"]["reason"] == "breached"
    # Damaged: refused with words, the one in use stays, nothing crashes.
    path = server.dir / "vault/breached.filter"
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    server.expect("breach.filter")
    server.reload()
    assert server.run("breach", "check", check=False).returncode == 65
    done = server.run("password", "check", carol, "--json", input="Marble canoe 31 stars\n", check=False)
    assert json.loads(done.stdout)["report"]["reason"] == "breached"


def test_words_are_in_the_language_of_the_account(server):
    server.run("account", "add", "wei@ours.test", "--no-password", "--language", "zh")
    done = server.run("password", "check", "wei@ours.test", "--json", input="abcdefghijklmnop\n", check=False)
    assert "连续" in json.loads(done.stdout)["report"]["words"]
