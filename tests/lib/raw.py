"""A bare connection: exact octets out, replies in. What a hostile or careless client would do."""
import base64
import socket
import ssl

from lib.mail import relaxed
from lib.server import wait_until


class Raw:
    def __init__(self, server, door, tls=None, timeout=60, source=None):
        self.server, self.timeout = server, timeout
        self.sock = server.connect(door, timeout, source)
        self.file = b""
        if tls if tls is not None else door in ("imaps", "pop3s", "submissions"):
            self.handshake()

    def handshake(self):
        self.file = b""
        self.sock = relaxed(self.server).wrap_socket(self.sock, server_hostname=self.server.hostname)

    def send(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def line(self):
        """One line without CRLF; None at the end of the connection."""
        while b"\r\n" not in self.file:
            try:
                more = self.sock.recv(65536)
            except (ConnectionError, ssl.SSLError):
                more = b""
            if not more:
                return None
            self.file += more
        line, _, self.file = self.file.partition(b"\r\n")
        return line.decode("utf-8", "replace")

    def silent(self, seconds):
        """True when nothing comes for so long."""
        if self.file:
            return False
        self.sock.settimeout(seconds)
        try:
            more = self.sock.recv(65536)
            self.file += more
            return not more
        except (TimeoutError, socket.timeout, ssl.SSLError):
            return True
        finally:
            self.sock.settimeout(self.timeout)

    def rest(self):
        """Everything until the end."""
        lines = []
        while (line := self.line()) is not None:
            lines.append(line)
        return lines

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Smtp(Raw):
    def __init__(self, server, door="smtp", greet=True, **kw):
        super().__init__(server, door, **kw)
        self.greeting = self.reply() if greet else None

    def reply(self):
        """(code, text of all lines); (0, "") at the end of the connection."""
        texts = []
        while True:
            line = self.line()
            if line is None:
                return 0, "\n".join(texts)
            texts.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), "\n".join(texts)

    def cmd(self, line):
        self.send(line + "\r\n" if isinstance(line, str) else line + b"\r\n")
        return self.reply()

    def starttls(self):
        code, _ = self.cmd("STARTTLS")
        assert code == 220
        self.handshake()

    def auth_plain(self, user, password, authzid=""):
        blob = base64.b64encode(f"{authzid}\0{user}\0{password}".encode()).decode()
        return self.cmd("AUTH PLAIN " + blob)

    def open_data(self, sender="x@their.test", recipients=()):
        assert self.cmd("EHLO their.test")[0] == 250
        assert self.cmd(f"MAIL FROM:<{sender}>")[0] == 250
        for r in recipients:
            assert self.cmd(f"RCPT TO:<{r}>")[0] == 250
        assert self.cmd("DATA")[0] == 354


class Imap(Raw):
    def __init__(self, server, door="imaps", account=None, **kw):
        wait_until(lambda: self.open(server, door, account, **kw), what="signing in")

    def open(self, server, door, account, **kw):
        """False: a server that has too much to do at the moment says so (INV-S5), and a program comes again."""
        super().__init__(server, door, **kw)
        self.greeting = self.line()
        self.count = 0
        kind, lines = self.cmd(f"LOGIN {account.address} {account.password}") if account else ("OK", [])
        if kind != "OK":
            self.close()
            assert "[UNAVAILABLE]" in lines[-1], lines
        return kind == "OK"

    def cmd(self, text, tag=None):
        """(OK, NO, BAD or BYE; the untagged lines and the tagged one)."""
        if tag is None:
            self.count += 1
            tag = f"t{self.count}"
        self.send(tag.encode() + b" " + (text.encode() if isinstance(text, str) else text) + b"\r\n")
        return self.until(tag)

    def until(self, tag):
        lines = []
        while True:
            line = self.line()
            if line is None:
                return "END", lines
            lines.append(line)
            if line.startswith(tag + " "):
                return line.split(" ")[1], lines
            if line.startswith("+"):
                return "+", lines


class Pop3(Raw):
    def __init__(self, server, door="pop3s", account=None, **kw):
        wait_until(lambda: self.open(server, door, account, **kw), what="signing in")

    def open(self, server, door, account, **kw):
        """False: later, as of Imap; or the account's last session, whose end nobody waited for, is not over yet."""
        super().__init__(server, door, **kw)
        self.greeting = self.line()
        answer = "+OK"
        if account:
            assert self.cmd(f"USER {account.address}").startswith("+OK")
            answer = self.cmd(f"PASS {account.password}")
        if not answer.startswith("+OK"):
            self.close()
            assert answer.startswith(("-ERR [SYS/TEMP]", "-ERR [IN-USE]")), answer
        return answer.startswith("+OK")

    def cmd(self, text):
        self.send(text + "\r\n")
        return self.line() or ""
