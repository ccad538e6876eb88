"""T-314, T-315, T-350: what stands in the log, what never stands anywhere, and what a fresh installation offers to strangers."""
import base64
import json
import stat


from lib.mail import deliver, imap, message, pop3
from lib.raw import Imap, Pop3, Smtp
from lib.server import threat

HOSTILE = ["a\r\n2026-01-01 login ok user=root", "\x1b[2J", "\x1b]0;x\x07", "\x9b31m", "%n%s%p%n", "\u202eevil", "x" * 5000, "\x00",
           '","level":"error"', "\\u0000", "\u2028line", "\x7f", "${jndi:ldap://x}", "a b\tc", "\udcff"]


def octets(text):
    return text.encode("utf-8", "surrogateescape")


def quietly(action):
    try:
        action()
    except (OSError, AssertionError, ValueError, IndexError):
        pass  # a closed connection is an answer, too


def test_t314_one_record_is_one_line(server, alice):
    cases = 0
    for text in HOSTILE:
        raw = octets(text)
        flat = raw.replace(b"\r\n", b" ")

        def smtp():
            with Smtp(server) as c:
                for line in (b"EHLO " + flat, b"MAIL FROM:<" + flat + b"@their.test>", b"RCPT TO:<" + flat + b"@ours.test>", flat):
                    c.cmd(line)

        def submission():
            with Smtp(server, "submissions") as c:
                c.cmd("EHLO a.test")
                c.cmd(b"AUTH PLAIN " + base64.b64encode(b"\0" + raw + b"\0wrong"))

        def imap_():
            with Imap(server) as c:
                quoted = b'"' + flat.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
                c.cmd(b"ID (\"name\" " + quoted + b")")
                c.cmd(b"LOGIN {%d+}\r\n%s wrong" % (len(raw), raw))
            with Imap(server, account=alice) as c:
                c.cmd(b"SELECT {%d+}\r\n%s" % (len(raw), raw))
                c.cmd(b"CREATE {%d+}\r\n%s" % (len(raw), raw))

        def pop():
            with Pop3(server) as c:
                c.cmd(flat.decode("latin-1")[:200])
                c.send(b"USER " + flat[:200] + b"\r\nPASS wrong\r\n")
                c.line()

        for door in (smtp, submission, imap_, pop):
            quietly(door)
            cases += 1
    keys = {"time", "level", "process", "event"}
    for line in server.log_text().split("\n"):
        if not line:
            continue
        assert line.isprintable(), ascii(line)
        record = json.loads(line)  # one line is one whole record
        assert keys <= set(record) and record["level"] in ("debug", "info", "warning", "error")
        assert all(len(v) <= 600 for v in record.values() if isinstance(v, str)), line
        assert record["event"].replace(".", "").replace("-", "").replace("_", "").isalnum()
    threat("T-314", cases)


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
    log = server.log_text()
    found = [c for c in canaries + blobs if c in log]
    assert not found, found
    for folder in ("vault", "audit", "spool"):  # nor readable in any file of the server but the mail itself
        for path in (server.dir / folder).rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert alice.password.encode() not in content and alice.password.replace("-", "").encode() not in content, path
    threat("T-315", len(canaries) + len(blobs))


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
