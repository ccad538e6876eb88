"""T-314, T-315, T-350: what stands in the log, what never stands anywhere, and what a fresh installation offers to strangers."""
import base64
import json
import stat


from lib.faults import contents
from lib.mail import deliver, imap, message, pop3
from lib.raw import Imap, Pop3, Smtp
from lib.server import FULL, threat

HOSTILE = ["a\r\n2026-01-01 login ok user=root", "\x1b[2J", "\x1b]0;x\x07", "\x9b31m", "%n%s%p%n", "\u202eevil", "x" * 5000, "\x00",
           '","level":"error"', "\\u0000", "\u2028line", "\x7f", "${jndi:ldap://x}", "a b\tc", "\udcff", "\x1b]8;;http://x\x07", "\x85next", "\u2066iso", "\u200fmark", "\x08\x08\x08",
           "\ufeffbom", "\udcc0\udcaf", "\udced\udca0\udc80", "\udcf4\udc90\udc80\udc80", "\\n\\r", "{}[]{}", '"', "\\", "'; --", "%1$s%n",
           "\x1b(B", "\x0e\x0f", "\u2029para", "\x0b\x0c", "\n", "\r"]


def octets(text):
    return text.encode("utf-8", "surrogateescape")


def quietly(action):
    try:
        action()
    except (OSError, AssertionError, ValueError, IndexError):
        pass  # a closed connection is an answer, too


def hostile_places(server, account, text):
    """Every place of a dialogue that the log may quote, each with this text in it."""
    raw = octets(text)
    flat = raw.replace(b"\r", b" ").replace(b"\n", b" ")
    quoted = b'"' + flat.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    literal = b"{%d+}\r\n%s" % (len(raw), raw)

    def smtp(*lines):
        def run():
            with Smtp(server) as c:
                for line in lines:
                    c.cmd(line)
        return run

    def submission(*lines):
        def run():
            with Smtp(server, "submissions") as c:
                c.cmd("EHLO a.test")
                for line in lines:
                    c.cmd(line)
        return run

    def imap_(*lines, account=None):
        def run():
            with Imap(server, account=account) as c:
                for line in lines:
                    c.cmd(line)
        return run

    def tag():
        with Imap(server) as c:
            c.send(flat[:200] + b" NOOP\r\n")
            c.cmd("NOOP")

    def pop(*lines):
        def run():
            with Pop3(server) as c:
                for line in lines:
                    c.send(line + b"\r\n")
                    c.line()
        return run

    def content():
        with Smtp(server) as c:
            c.open_data(recipients=[account.address])
            c.send(b"Subject: " + flat + b"\r\nMessage-ID: <" + flat + b">\r\nFrom: " + flat + b"\r\nContent-Type: application/x; name=" +
                   quoted + b"\r\n\r\nx\r\n.\r\n")
            c.reply()
    hello = b"EHLO a.test"
    return [smtp(b"EHLO " + flat), smtp(hello, b"MAIL FROM:<" + flat + b"@their.test>"), smtp(flat),
            smtp(hello, b"MAIL FROM:<x@their.test>", b"RCPT TO:<" + flat + b"@ours.test>"), content,
            submission(b"AUTH PLAIN " + base64.b64encode(b"\0" + raw + b"\0wrong")), submission(b"AUTH " + flat),
            imap_(b"ID (\"name\" " + quoted + b")", b"NOOP"), imap_(b"LOGIN " + literal + b" wrong"), tag,
            imap_(b"AUTHENTICATE " + flat), imap_(b"SELECT " + literal, b"CREATE " + literal, b"STATUS " + literal + b" (MESSAGES)",
                                                  b"SUBSCRIBE " + literal, account=account),
            pop(flat[:200]), pop(b"USER " + flat[:200], b"PASS wrong")]


def test_t314_one_record_is_one_line(server, alice):
    cases = 0
    for text in HOSTILE if FULL else HOSTILE[::2]:
        for place in hostile_places(server, alice, text):
            quietly(place)
            cases += 1
    keys = {"time", "level", "process", "event"}
    for line in server.log_text().split("\n")[:-1]:  # the last one may still be being written
        assert line.isprintable(), ascii(line)
        record = json.loads(line)  # one line is one whole record
        assert keys <= set(record) and record["level"] in ("debug", "info", "warning", "error")
        assert all(len(v) <= 600 for v in record.values() if isinstance(v, str)), line
        assert record["event"].replace(".", "").replace("-", "").replace("_", "").isalnum()
    threat("T-314", cases)


def spread_canaries(server, account):
    """A canary of its own for each place where a secret may be typed, right or wrong; in the forms that it travels in."""
    made = []

    def canary(place):
        text = f"canary-{place}-{len(made)}-k7q"
        forms = [text, base64.b64encode(text.encode()).decode().rstrip("="), text.encode().hex()]
        made.extend(forms)
        return text

    def plain(user, password):
        return base64.b64encode(f"\0{user}\0{password}".encode()).decode()

    def smtp():
        with Smtp(server, "submissions") as c:
            c.cmd("EHLO a.test")
            c.cmd("AUTH PLAIN " + plain(account.address, canary("smtp-plain")))
            c.cmd("AUTH LOGIN " + base64.b64encode(account.address.encode()).decode())
            c.cmd(base64.b64encode(canary("smtp-login").encode()).decode())
            c.cmd("AUTH PLAIN")
            c.cmd(canary("smtp-not-base64"))
        with Smtp(server, "submissions") as c:
            c.cmd("EHLO a.test")
            c.cmd("AUTH XOAUTH2 " + base64.b64encode(f"user=x\1auth=Bearer {canary('bearer')}\1\1".encode()).decode())
            c.cmd(canary("smtp-as-command"))

    def imap_():
        with Imap(server) as c:
            c.cmd(f"LOGIN {account.address} {canary('imap-login')}")
            c.cmd("AUTHENTICATE PLAIN " + plain(account.address, canary("imap-plain")))
            c.cmd(f"LOGIN {canary('password-as-user')} x")
            c.cmd(f"LOGIN {canary('too-few-words')}")
            c.cmd(canary("imap-as-verb"))
        with Imap(server, "imap") as c:
            c.cmd(f"LOGIN {account.address} {canary('imap-in-the-clear')}")

    def pop():
        with Pop3(server) as c:
            c.cmd(f"USER {account.address}")
            c.cmd(f"PASS {canary('pop-pass')}")
            c.cmd(f"PASS {canary('pop-pass-first')}")
        with Pop3(server) as c:
            c.cmd("AUTH PLAIN " + plain(account.address, canary("pop-plain")))
            c.cmd(f"APOP {account.address} {canary('apop')}")

    def mail():
        mark, data = message("x@their.test", account.address, subject=canary("subject"), body=canary("body"),
                             headers=f"X-Secret: {canary('header')}\r\n")
        deliver(server, "x@their.test", [account.address], data)
        client = imap(server, account)
        client.select("INBOX")
        client.search(None, "BODY", canary("searched-for"))
        client.append("INBOX", None, None, f"Subject: x\r\n\r\n{canary('appended')}\r\n".encode())
        client.logout()

    for door in (smtp, imap_, pop, mail):
        quietly(door)
    server.run("account", "password", account.address, input=canary("mailbox-password") + "\n", check=False)
    return made


def test_t315_no_secret_in_the_log(server, alice):
    """Passwords right and wrong, typed in the right field and as user name; bodies; the forms they travel in."""
    canaries = [alice.password, alice.password.replace("-", ""), "canary-wrong-password", "canary-as-user", "canary-body-text",
                "canary-subject-text", "canary-attachment"]
    blobs = []
    for secret in (alice.password, "canary-wrong-password"):
        for form in (f"\0{alice.address}\0{secret}", f"{alice.address}\0{alice.address}\0{secret}", secret):
            blobs.append(base64.b64encode(form.encode()).decode())
    imap(server, alice).logout()
    pop3(server, alice).quit()
    with Smtp(server, "submissions") as c:
        c.cmd("EHLO a.test")
        assert c.auth_plain(alice.address, alice.password)[0] == 235
    with Smtp(server, "submissions") as c:
        c.cmd("EHLO a.test")
        assert c.auth_plain(alice.address, "canary-wrong-password")[0] == 535
        assert c.cmd("AUTH LOGIN")[0] == 334
        c.cmd(base64.b64encode(b"canary-as-user").decode())
        c.cmd(base64.b64encode(b"canary-wrong-password").decode())
    with Imap(server) as c:
        c.cmd("LOGIN canary-as-user canary-wrong-password")
        c.cmd("AUTHENTICATE PLAIN " + blobs[4])
    with Pop3(server) as c:
        c.cmd("USER " + alice.address)
        c.cmd("PASS canary-wrong-password")
    mark, data = message("x@their.test", alice.address, subject="canary-subject-text", body="canary-body-text")
    deliver(server, "x@their.test", [alice.address], data)
    more = spread_canaries(server, alice)
    log = server.log_text()
    found = [c for c in canaries + blobs + more if c in log]
    assert not found, found
    for folder in ("vault", "audit", "spool"):  # nor readable in any file of the server but the mail itself
        for path, content in contents(server.dir / folder):
            assert alice.password.encode() not in content and alice.password.replace("-", "").encode() not in content, path
            assert not [c for c in more if c.encode() in content], path
    threat("T-315", len(canaries) + len(blobs) + len(more))


def test_t350_defaults_after_installation(server, alice):
    cases = 0

    def ask(door, *lines):
        with Smtp(server, door) as c:
            return [c.cmd(line) for line in lines][-1]
    foreign = ("EHLO a.test", "MAIL FROM:<x@their.test>", "RCPT TO:<x@elsewhere.test>")
    assert ask("smtp", *foreign)[0] == 550
    assert ask("submission", *foreign[:2])[0] == 530
    assert ask("submissions", *foreign[:2])[0] == 530
    assert ask("smtp", "EHLO a.test", "VRFY alice@ours.test")[0] == 252
    for verb in ("EXPN staff", "ETRN x", "TURN", "DEBUG", "WIZ", "XCLIENT ADDR=127.0.0.1", "BURL http://127.0.0.1/ LAST"):
        assert ask("smtp", "EHLO a.test", verb)[0] in (500, 502), verb
        cases += 1
    for user in ("admin", "root", "postmaster", "postmaster@ours.test", "test", "alice"):
        for password in ("", "admin", "password", "letterlock", "alice"):
            with Smtp(server, "submissions") as c:
                c.cmd("EHLO a.test")
                assert c.auth_plain(user, password)[0] in (535, 501, 454), (user, password)
                cases += 1
            if cases % 3 == 0:
                break
    for forward in ("VRFY", "HELP", "NOOP x"):
        code, text = ask("smtp", "EHLO a.test", forward)
        assert server.domain not in text.replace(server.hostname, ""), (forward, text)
        cases += 1
    for door in ("smtp", "submission"):
        with Smtp(server, door) as c:
            code, text = c.cmd("EHLO a.test")
            assert "AUTH" not in text and "STARTTLS" in text and not any(w in text for w in ("VRFY", "EXPN", "XCLIENT", "DSN", "BURL"))
            assert c.cmd("AUTH PLAIN AGEAYg==")[0] in (502, 503, 530, 538)
            cases += 2
    for greeting in (Smtp(server).greeting[1], Imap(server).greeting, Pop3(server).greeting):
        assert not any(ch.isdigit() for ch in greeting.replace("IMAP4rev1", "").replace("IMAP4", "").split("[")[-1].split("]")[-1]), greeting
        cases += 1
    for verb in ("STAT", "LIST", "RETR 1", "TOP 1 0", "UIDL", "DELE 1"):
        with Pop3(server) as c:
            assert c.cmd(verb).startswith("-ERR")
            cases += 1
    for text in ('LIST "" *', "SELECT INBOX", "GETQUOTAROOT INBOX", "NAMESPACE"):
        with Imap(server) as c:
            assert c.cmd(text)[0] == "BAD"
            cases += 1
    with Imap(server, "imap") as c:
        assert "LOGINDISABLED" in c.greeting or "LOGINDISABLED" in c.cmd("CAPABILITY")[1][0]
    for path, most in (("vault", 0o700), ("vault/keys", 0o700), ("letterlock.conf", 0o644), ("accounts", 0o710), ("audit", 0o700)):
        mode = stat.S_IMODE((server.dir / path).stat().st_mode)
        assert mode & ~most == 0, (path, oct(mode))
        cases += 1
    for key in list((server.dir / "vault/keys").iterdir()) + [p for p in (server.dir / "tls").iterdir() if "key" in p.name]:
        assert stat.S_IMODE(key.stat().st_mode) & 0o077 == 0, key
        cases += 1
    control = server.dir / "control"
    assert stat.S_ISSOCK(control.stat().st_mode) and stat.S_IMODE(control.stat().st_mode) & 0o077 == 0
    limits = json.loads(server.run("limits", "--json").stdout)
    assert all(row["value"] > 0 for row in limits["limits"].values()), "zero never means no limit"
    threat("T-350", cases + 10)
