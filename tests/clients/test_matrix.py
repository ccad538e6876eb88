"""Every door x every kind of secret x every limit, allowed and refused, through programs that know nothing of Letterlock: curl
for IMAP, POP3 and SMTP alike. What is expected stands in tables here, written from docs/credentials.md and not from the code;
a cell that is missing fails. T-247: a secret used outside its scope is answered like any wrong one."""
import concurrent.futures
import datetime
import email
import email.policy
import itertools
import re
import smtplib
import subprocess
import time

import pytest

from lib.mail import deliver, imap, inbox, message, relaxed
from lib.server import Server, threat, wait_until

CONFIG = ("notices = yes\nfailures_free = 100\nfailures_day = 10000\nspray_accounts = 1000\nconnections_per_network = 1000\n"
          "password_memory = 8 MiB\npassword_passes = 1")
DOORS = ("imap", "pop3", "smtp")
CURL_LOGIN_DENIED = 67
count = itertools.count()
ALLOWED, REFUSED = True, False
uses = []


@pytest.fixture(scope="module", autouse=True)
def counted():
    yield
    threat("T-247", len(uses))


# ------------------------------------------------------------------------------------------------------------- curl
def curl(server, *words, home):
    return subprocess.run(["curl", "--silent", "--show-error", "--cacert", server.ca_file, "--max-time", "60",
                           "--connect-to", "::127.0.0.1:", *map(str, words)],
                          capture_output=True, text=True, timeout=120, cwd=home)


def address_of(server, door):
    scheme, listener = {"imap": ("imaps", "imaps"), "pop3": ("pop3s", "pop3s"), "smtp": ("smtps", "submissions")}[door]
    return f"{scheme}://{server.hostname}:{server.ports[listener]}"


def netrc(server, home, user, secret):
    path = home / f"netrc{next(count)}"
    path.write_text(f'machine {server.hostname} login "{user}" password "{secret}"\n')
    path.chmod(0o600)
    return path


def all_at_once(action, items):
    """{item: what it gave}. Each waits for its own tick of a refusal."""
    items = list(items)
    with concurrent.futures.ThreadPoolExecutor(len(items)) as pool:
        return dict(zip(items, pool.map(action, items)))


def at_doors(server, home, user, secret, doors=DOORS, **kw):
    return all_at_once(lambda door: use(server, home, door, user, secret, **kw), doors)


def use(server, home, door, user, secret, login=(), recipient=None, sender=None):
    """Does at the door what a mail program does first. ALLOWED, REFUSED (the sign-in), or the program's own words."""
    words = ["--netrc-file", netrc(server, home, user, secret), *login]
    if door == "smtp":
        _, data = message(sender or user, recipient or user)
        mail = home / f"mail{next(count)}"
        mail.write_bytes(data)
        words += ["--mail-from", sender or user, "--mail-rcpt", recipient or user, "--upload-file", mail]
        url = address_of(server, door) + "/laptop.test"
    else:
        url = address_of(server, door) + "/" + ("INBOX?ALL" if door == "imap" else "")
    done = curl(server, *words, url, home=home)
    uses.append(door)
    if done.returncode == 0:
        return ALLOWED
    if done.returncode == CURL_LOGIN_DENIED:
        return REFUSED
    return done.stderr.strip()


# --------------------------------------------------------------------------------------------------- limits at the door
NOW = datetime.datetime.now(datetime.timezone.utc)


def hours(shift):
    """A day-long span of today (UTC), or of another day."""
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(NOW.weekday() + shift) % 7]
    return f"hours={day} 00:00-24:00 +00:00"


# flags -> the doors that open
AT_THE_DOOR = {
    (): DOORS,
    ("--receive",): ("imap", "pop3"),
    ("--send",): ("smtp",),
    ("--door", "imap"): ("imap",),
    ("--door", "pop3"): ("pop3",),
    ("--door", "smtp"): ("smtp",),
    ("--door", "imap", "--door", "smtp"): ("imap", "smtp"),
    ("--network", "127.0.0.0/8"): DOORS,
    ("--network", "192.0.2.0/24,2001:db8::/32"): (),
    ("--limit", hours(0), "--limit", hours(1)): DOORS,
    ("--limit", hours(3)): (),
    ("--limit", "rotate=90"): DOORS,
    ("--limit", "access=read-only"): DOORS,
    ("--limit", "days=30"): DOORS,
    ("--limit", "attachments=none"): DOORS,
    ("--limit", "attachment-type=image/*"): DOORS,
    ("--limit", "attachment-size=1 MiB"): DOORS,
    ("--limit", "folder=INBOX"): DOORS,
    ("--limit", "sender=@ours.test"): DOORS,
    ("--limit", "recipient=@ours.test"): DOORS,
    ("--limit", "messages-hour=1000"): DOORS,
    ("--limit", "messages-day=1000"): DOORS,
    ("--limit", "new-recipients-day=1000"): DOORS,
    ("--limit", "bytes-day=1 GiB"): DOORS,
    ("--limit", "access=no-delete"): DOORS,
    ("--expires", "2d"): DOORS,
    ("--canary",): (),
}
KINDS = {"client password": "client", "token": "token"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flags", AT_THE_DOOR, ids=lambda f: " ".join(f) or "no limit")
def test_limits_at_the_door(server, alice, home, flags, kind):
    secret, number = server.add_credential(KINDS[kind], alice.address, *flags)
    assert at_doors(server, home, alice.address, secret) == {door: door in AT_THE_DOOR[flags] for door in DOORS}
    server.run("client", "revoke", alice.address, number)
    assert set(at_doors(server, home, alice.address, secret).values()) == {REFUSED}


def test_every_limit_has_a_row(server):
    """A kind of limit that is added without a row here is not tested."""
    named = {f.split("=")[0] for flags in AT_THE_DOOR for f in flags if "=" in f}
    assert set(re.findall(r"^ +([a-z-]+)=", server.run("client", "add", "--help").stdout, re.M)) <= named | {
        "network", "canary", "access"}


# ------------------------------------------------------------------------------------------------- kinds of secret
def spelled(secret):
    return {"as shown": secret, "without separators": secret.replace("-", ""), "with blanks": secret.replace("-", "  "),
            "in capitals": secret.upper(),
            "full width": "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in secret)}


@pytest.mark.parametrize("door", DOORS)
def test_spellings(server, alice, home, door):
    secret, _ = server.add_credential("client", alice.address)
    for name, text in spelled(secret).items():
        for mechanism in ("PLAIN", "LOGIN"):
            assert use(server, home, door, alice.address, text, ("--login-options", f"AUTH={mechanism}")) is ALLOWED, name


@pytest.mark.parametrize("door", DOORS)
def test_secrets_that_open_nothing(server, alice, bob, home, door):
    secret, number = server.add_credential("client", alice.address)
    slip = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    pairs = ((alice.address, "guess"), (alice.address, slip), (alice.address, bob.password), (bob.address, secret),
             ("nobody@ours.test", secret), (alice.address, number), (alice.address, secret + secret),
             (alice.address, "llt_" + "A" * 43))
    assert set(all_at_once(lambda pair: use(server, home, door, *pair), pairs).values()) == {REFUSED}


@pytest.mark.parametrize("door", DOORS)
def test_tokens_as_bearers(server, alice, bob, home, door):
    secret, _ = server.add_credential("token", alice.address)
    for mechanism in ("OAUTHBEARER", "XOAUTH2"):
        for user, bearer, expected in ((alice.address, secret, ALLOWED), (bob.address, secret, REFUSED),
                                       (alice.address, secret[:-1] + "_", REFUSED), (alice.address, alice.password, REFUSED)):
            login = ("--oauth2-bearer", bearer, "--login-options", f"AUTH={mechanism}")
            assert use(server, home, door, user, "", login) is expected, (mechanism, user)


def test_cram_md5_only_where_it_was_asked_for(home):
    """On a server of its own: a program that prefers it gets nowhere with a password that was not made for it."""
    with Server.running(["alice"], extra=CONFIG + "\nmechanisms = default CRAM-MD5") as server:
        alice = server.accounts["alice"]
        secret, _ = server.add_credential("client", alice.address, "--cram-md5")
        login = ("--login-options", "AUTH=CRAM-MD5")
        for door in DOORS:
            assert use(server, home, door, alice.address, secret, login) is ALLOWED
            assert use(server, home, door, alice.address, secret.replace("-", ""), login) is ALLOWED
            assert use(server, home, door, alice.address, secret.upper(), login) is REFUSED
            assert use(server, home, door, alice.address, alice.password, login) is REFUSED


# ------------------------------------------------------------------------------------------- the mailbox password
MAILBOX = "correct horse battery 7 Staple"


@pytest.fixture(scope="module")
def carol(server):
    server.run("account", "add", "carol@ours.test", input=MAILBOX + "\n")
    return "carol@ours.test"


def codes_from(secret, shift, count):
    """By an independent program: codes of as many steps, from `shift` steps of 30 s behind now."""
    return subprocess.run(["oathtool", "--totp", "--base32", "--now", f"@{int(time.time()) + 30 * shift}", "--window", str(count - 1), secret],
                          capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("door", DOORS)
def test_mailbox_password_with_a_code_appended(server, home, door):
    """Only both together open the door, once; neither says which of them was wrong."""
    key, user = "mailbox_password_" + {"smtp": "submission"}.get(door, door), f"dora-{door}@ours.test"
    server.run("account", "add", user, input=MAILBOX + "\n")
    secret = server.json("factor", "totp", user, "phone")["secret"]
    number = str(server.json("factor", "list", user)["items"][0]["factor"])
    # The next code is good for half a minute at least: one step early counts, and so does one step late.
    used, code = codes_from(secret, 0, 2)
    server.run("factor", "confirm", user, number, input=used + "\n")
    server.run("policy", "set", key, "with-totp")
    right = set(codes_from(secret, -10, 20))
    wrong = next(text for i in range(100) if (text := f"{i:06d}") not in right)
    try:
        refused = (MAILBOX, code, MAILBOX + wrong, MAILBOX + "x" + code)
        assert set(all_at_once(lambda typed: use(server, home, door, user, typed), refused).values()) == {REFUSED}
        others = [other for other in DOORS if other != door]
        assert set(at_doors(server, home, user, MAILBOX + code, others).values()) == {REFUSED}
        assert use(server, home, door, user, MAILBOX + code) is ALLOWED
        assert set(all_at_once(lambda typed: use(server, home, door, user, typed), (MAILBOX + code, MAILBOX)).values()) == {REFUSED}
    finally:
        server.run("policy", "set", key, "never")


@pytest.mark.parametrize("policy", ["never", "allowed"])
def test_mailbox_password(server, carol, home, policy):
    try:
        for door in DOORS:
            key = "mailbox_password_" + {"smtp": "submission"}.get(door, door)
            server.run("policy", "set", key, policy)
        assert set(at_doors(server, home, carol, MAILBOX).values()) == {policy == "allowed"}
        assert set(at_doors(server, home, carol, MAILBOX + "x").values()) == {REFUSED}
    finally:
        for door in ("imap", "pop3", "submission"):
            server.run("policy", "set", "mailbox_password_" + door, "never")


def test_each_door_has_its_own_policy(server, carol, home):
    for open_door in DOORS:
        key = "mailbox_password_" + {"smtp": "submission"}.get(open_door, open_door)
        server.run("policy", "set", key, "allowed")
        assert at_doors(server, home, carol, MAILBOX) == {door: door == open_door for door in DOORS}
        server.run("policy", "set", key, "never")


# --------------------------------------------------------------------------------- limits that hold inside a session
def sending(server, secret, user, sender, recipient):
    """The code that ends the transaction; the library says what was refused. The header names the sender, too."""
    _, data = message(sender, recipient)
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=relaxed(server), timeout=60) as s:
        s.login(user, secret)
        try:
            return 250 if s.sendmail(sender, [recipient], data) == {} else None
        except smtplib.SMTPRecipientsRefused as e:
            return e.recipients[recipient][0]
        except smtplib.SMTPResponseException as e:
            return e.smtp_code


def test_senders_and_recipients(server, alice, bob):
    server.run("alias", "add", "sales@ours.test", alice.address)
    secret, _ = server.add_credential("client", alice.address, "--limit", "sender=sales@ours.test", "--limit", f"recipient={bob.address}")
    for sender, recipient, code in (("sales@ours.test", bob.address, 250), (alice.address, bob.address, 553),
                                    ("sales@ours.test", alice.address, 550), (bob.address, bob.address, 553)):
        assert sending(server, secret, alice.address, sender, recipient) == code, (sender, recipient)


@pytest.mark.parametrize("limit", ["messages-hour=2", "messages-day=2", "new-recipients-day=2"])
def test_budget_of_messages_freezes_one_password(server, alice, bob, home, limit):
    notices = mails_to(server, alice).count("frozen")
    secret, number = server.add_credential("client", alice.address, "--limit", limit)
    other = alice.password
    names = [f"{limit.split('=')[0]}{i}@ours.test" for i in range(4)]
    for name in names:
        server.run("alias", "add", name, bob.address)
    codes = [sending(server, secret, alice.address, alice.address, name) for name in names[:3]]
    assert codes == [250, 250, 550], "a program that is told 4xx would try again and again"
    assert use(server, home, "smtp", alice.address, secret, recipient=names[3]) is REFUSED
    assert use(server, home, "imap", alice.address, secret) is REFUSED
    assert use(server, home, "smtp", alice.address, other) is ALLOWED, "another password of the same person was frozen, too"
    assert server.json("client", "show", alice.address, number)["client"]["status"] == "frozen"
    server.run("client", "thaw", alice.address, number)
    assert use(server, home, "imap", alice.address, secret) is ALLOWED
    wait_until(lambda: mails_to(server, alice).count("frozen") > notices, what="the notice to the owner")


def test_budget_of_bytes_freezes(server, alice, home):
    mark, data = message("x@their.test", alice.address, body=("y" * 76 + "\r\n") * 20000)
    deliver(server, "x@their.test", [alice.address], data)
    client = imap(server, alice)
    client.select("INBOX", readonly=True)
    index = client.search(None, "SUBJECT", mark)[1][0].decode()  # notices may come behind it
    client.logout()
    secret, number = server.add_credential("client", alice.address, "--limit", "bytes-day=2 MiB")
    url = address_of(server, "imap") + f"/INBOX;MAILINDEX={index}"

    def frozen():
        curl(server, "--netrc-file", netrc(server, home, alice.address, secret), "-o", home / "out", url, home=home)
        return server.json("client", "show", alice.address, number)["client"]["status"] == "frozen"
    wait_until(frozen, 60, "the budget of octets")
    assert use(server, home, "imap", alice.address, secret) is REFUSED


def mails_to(server, account):
    texts = []
    for raw in inbox(server, account).values():
        m = email.message_from_bytes(raw, policy=email.policy.default)
        if m["Auto-Submitted"]:
            texts.append(f"{m['Subject']}\n{m.get_content()}")
    return "\n".join(texts)


def test_canary_raises_an_alarm(server, alice, bob, home):
    bait, _ = server.add_credential("client", bob.address, "--canary")
    server.expect("canary.used")
    assert set(at_doors(server, home, bob.address, bait).values()) == {REFUSED}
    wait_until(lambda: any("canary" in line["event"] for line in server.log_lines()), what="the alarm in the log")
    wait_until(lambda: "bait" in mails_to(server, alice), what="the mail to the administrators")
