"""T-001 to T-004, T-007, T-078: what stands before TLS never acts behind it, and no secret is taken in the clear."""
import base64
import concurrent.futures
import socket

from lib.raw import Imap, Pop3, Raw, Smtp
from lib.server import select_nothing, threat, wait_until

CONFIG = "connections_per_network = 1000"


def split_send(client, data, cut):
    """Two segments: Nagle is off, and the first has left before the second is written."""
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if cut:
        client.send(data[:cut])
        select_nothing(0.05)
    client.send(data[cut:])


def test_t001_smtp_command_injection(server):
    cases = 0
    injected = [b"RSET\r\n", b"NOOP\r\n", b"AUTH PLAIN AGEAYg==\r\n", b"MAIL FROM:<x@evil.test>\r\n", b"MAI",
                b"x" * 65536]
    for door in ("smtp", "submission"):
        for tail in injected:
            for cut in (0, len(b"STARTTLS\r\n") + len(tail) // 2):
                with Smtp(server, door) as c:
                    c.cmd("EHLO a.test")
                    split_send(c, b"STARTTLS\r\n" + tail, cut)
                    code, _ = c.reply()
                    cases += 1
                    if code != 220:
                        assert code in (554, 503, 501, 421) and c.line() is None
                        continue
                    try:
                        c.handshake()
                    except OSError:
                        continue  # closed before TLS: as good
                    # what was answered inside TLS would come before the answers to these
                    code, text = c.cmd("L FROM:<>" if tail == b"MAI" else "EHLO b.test")
                    assert code == (500 if tail == b"MAI" else 250), (tail[:20], code, text)
                    assert tail == b"MAI" or text.startswith(server.hostname), (tail[:20], text)
                    assert c.cmd("QUIT")[0] == 221 and c.rest() == [], f"{tail[:20]!r} was answered inside TLS"
    threat("T-001", cases)


def test_t002_imap_command_injection(server):
    cases = 0
    for tail in (b"INJ LOGIN evil pw\r\n", b"INJ LOGIN {4}\r\n", b"INJ LOGIN {4+}\r\nevil pw\r\n",
                 b"INJ AUTHENTICATE PLAIN\r\n", b"INJ NOOP\r\n", b"INJ LOG"):
        for cut in (0, len(b"a1 STARTTLS\r\n")):
            with Imap(server, "imap") as c:
                split_send(c, b"a1 STARTTLS\r\n" + tail, cut)
                kind, lines = c.until("a1")
                cases += 1
                if kind != "OK":
                    continue
                try:
                    c.handshake()
                except OSError:
                    continue
                c.send(b"b1 CAPABILITY\r\n")
                kind, lines = c.until("b1")
                assert kind == "OK" and not any("INJ" in line for line in lines), lines
    threat("T-002", cases)


def test_t003_pop3_command_injection(server):
    cases = 0
    for tail in (b"USER evil\r\nPASS x\r\n", b"NOOP\r\n", b"USER ev"):
        for cut in (0, len(b"STLS\r\n")):
            with Pop3(server, "pop3") as c:
                split_send(c, b"STLS\r\n" + tail, cut)
                cases += 1
                if not (c.line() or "").startswith("+OK"):
                    continue
                try:
                    c.handshake()
                except OSError:
                    continue
                c.send(b"CAPA\r\n")
                lines = [c.line(), c.line()]
                assert lines[0].startswith("+OK") and not lines[1].startswith(("+OK", "-ERR")), lines
    threat("T-003", cases)


def test_t004_state_does_not_survive_starttls(server, alice):
    with Smtp(server, "smtp") as c:
        c.cmd("EHLO a.test")
        assert c.cmd("MAIL FROM:<x@their.test>")[0] == 250
        c.starttls()
        assert c.cmd(f"RCPT TO:<{alice.address}>")[0] == 503
        assert c.cmd("DATA")[0] == 503
        assert c.cmd("MAIL FROM:<x@their.test>")[0] == 503, "EHLO is due again"
        code, text = c.cmd("EHLO a.test")
        assert code == 250 and "STARTTLS" not in text
        assert c.cmd("STARTTLS")[0] == 503
    with Smtp(server, "submission") as c:
        code, text = c.cmd("EHLO a.test")
        assert "AUTH" not in text and "STARTTLS" in text
        c.starttls()
        code, text = c.cmd("EHLO a.test")
        assert any(line.startswith("AUTH ") and " PLAIN" in line for line in text.split("\n"))
    with Imap(server, "imap") as c:
        assert "LOGINDISABLED" in c.cmd("CAPABILITY")[1][0]
        kind, _ = c.cmd("STARTTLS", tag="a1")
        assert kind == "OK"
        c.handshake()
        kind, lines = c.cmd("CAPABILITY", tag="b1")
        assert kind == "OK" and "LOGINDISABLED" not in lines[0] and "STARTTLS" not in lines[0]
        assert not any(line.startswith("a1") for line in lines)
        assert c.cmd("STARTTLS", tag="b2")[0] == "BAD"
    with Pop3(server, "pop3") as c:
        assert c.cmd("STLS").startswith("+OK")
        c.handshake()
        assert c.cmd("STLS").startswith("-ERR")
        assert c.cmd(f"USER {alice.address}").startswith("+OK")
    threat("T-004", 12)


def test_t007_no_secret_in_the_clear(server, alice):
    secret = alice.password
    blob = base64.b64encode(f"\0{alice.address}\0{secret}".encode()).decode()
    cases = 0
    for door in ("smtp", "submission"):
        for line in ("AUTH PLAIN " + blob, "AUTH LOGIN", "AUTH PLAIN", "AUTH NONSENSE"):
            with Smtp(server, door) as c:
                c.cmd("EHLO a.test")
                code, text = c.cmd(line)
                assert code in (502, 503, 504, 530, 538), (door, line.split()[1], code, text)
                assert c.cmd("MAIL FROM:<" + alice.address + ">")[0] == (250 if door == "smtp" else 530)
                cases += 1
    with Imap(server, "imap") as c:
        kind, lines = c.cmd(f"LOGIN {alice.address} {secret}")
        assert kind == "NO" and "[PRIVACYREQUIRED]" in lines[-1]
        kind, lines = c.cmd(f"AUTHENTICATE PLAIN {blob}")
        assert kind == "NO" and "[PRIVACYREQUIRED]" in lines[-1]
        assert c.cmd("SELECT INBOX")[0] == "BAD"
        cases += 2
    with Pop3(server, "pop3") as c:
        assert c.cmd(f"USER {alice.address}").startswith("-ERR")
        assert c.cmd(f"PASS {secret}").startswith("-ERR")
        assert c.cmd(f"AUTH PLAIN {blob}").startswith("-ERR")
        assert c.cmd("STAT").startswith("-ERR")
        cases += 3
    log = server.log_text()
    assert secret not in log and blob not in log and secret.replace("-", "") not in log
    threat("T-007", cases)


def test_t078_authorisation_identity(server, alice, bob):
    """The same person in another spelling is fine; somebody else never is."""
    refused = [(bob.address, alice.address), ("bob", alice.address), ("bob@elsewhere.test", alice.address),
               (bob.address + " ", alice.address), ("\u200b" + alice.address, alice.address)]
    allowed = [("", alice.address), (alice.address, alice.address), (alice.address.upper(), alice.address)]

    def entered(pair):
        blob = base64.b64encode("\0".join((*pair, alice.password)).encode()).decode()
        with Smtp(server, "submissions") as c:
            c.cmd("EHLO a.test")
            smtp = c.cmd("AUTH PLAIN " + blob)[0] == 235
        with Imap(server) as c:
            imap = c.cmd("AUTHENTICATE PLAIN " + blob)[0] == "OK"
        with Pop3(server) as c:
            return [smtp, imap, c.cmd("AUTH PLAIN " + blob).startswith("+OK")]
    with concurrent.futures.ThreadPoolExecutor(len(refused)) as pool:  # each waits for its own tick
        assert list(pool.map(entered, refused)) == [[False] * 3] * len(refused)
    for pair in allowed:  # one after another: a maildrop is one session's at a time
        assert wait_until(lambda: entered(pair) == [True] * 3, what=f"{pair} to come in")
    threat("T-078", 3 * len(refused + allowed))


def test_alpn_of_another_protocol_is_refused(server):
    import ssl
    cases = 0
    for door in ("imaps", "pop3s", "submissions"):
        for name in ("h2", "http/1.1"):
            context = server.tls()
            context.set_alpn_protocols([name])
            sock = server.connect(door)
            try:
                context.wrap_socket(sock, server_hostname=server.hostname)
                raise AssertionError(f"{door} spoke {name}")
            except (ssl.SSLError, ConnectionError):
                cases += 1
    for door in ("imaps", "pop3s", "submissions", "smtp"):
        with Raw(server, door) as c:
            c.send(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n<script>alert(1)</script>\r\n")
            assert not any("<script>" in line for line in c.rest())
            cases += 1
    threat("T-011", cases)
