"""A SASL client of our own for tests, from hashlib alone, and its way through the words of IMAP, POP3 and SMTP."""
import base64
import contextlib
import hashlib
import hmac
import os
import ssl
import subprocess

from lib.raw import Imap, Pop3, Smtp


def b64(data):
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


class Talk:
    """One sign-in at one door. `start` and `step` give ("challenge", octets) or ("ok" | "no" | "bad" | "unknown" | "later",
    the line). `clear` leaves TLS out."""

    DOORS = {"imaps": Imap, "imap": Imap, "pop3s": Pop3, "pop3": Pop3, "submissions": Smtp, "submission": Smtp}

    def __init__(self, server, door, clear=False, connection=None):
        self.protocol, self.entered = self.DOORS[door].__name__, False
        self.c = connection or self.DOORS[door](server, door)
        if self.protocol == "Smtp":
            code, text = self.c.cmd("EHLO laptop.test")
            assert code == 250
            self.capabilities = text
            if door == "submission" and not clear:
                self.c.starttls()
                self.capabilities = self.c.cmd("EHLO laptop.test")[1]
        elif self.protocol == "Imap":
            self.capabilities = "\n".join(self.c.cmd("CAPABILITY")[1])
        else:
            self.c.send("CAPA\r\n")
            lines = []
            while (line := self.c.line()) != ".":
                lines.append(line)
            self.capabilities = "\n".join(lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.entered and self.protocol == "Pop3":  # to its end, so that the next one finds the maildrop free
            with contextlib.suppress(OSError):
                self.c.cmd("QUIT")
                self.c.rest()
        self.c.close()

    def mechanisms(self):
        """As this door names them."""
        if self.protocol == "Imap":
            return [w[5:] for w in self.capabilities.split() if w.startswith("AUTH=")]
        head = "AUTH " if self.protocol == "Smtp" else "SASL "
        return [w for line in self.capabilities.split("\n") if line.startswith(head) for w in line.split()[1:]]

    def start(self, mechanism, initial=None):
        words = {"Imap": "a1 AUTHENTICATE ", "Pop3": "AUTH ", "Smtp": "AUTH "}[self.protocol] + mechanism
        if initial is not None:
            words += " " + (b64(initial) or "=")
        with contextlib.suppress(ConnectionError, ssl.SSLError):  # hung up on before all was said: what it answered is read
            self.c.send(words.encode() + b"\r\n")
        return self.answer()

    def step(self, data):
        return self.step_text(b64(data))

    def step_text(self, text):
        self.c.send(text.encode() + b"\r\n")
        return self.answer()

    def answer(self):
        kind, said = self.read_answer()
        self.entered = self.entered or kind == "ok"
        return kind, said

    def read_answer(self):
        while True:
            line = self.c.line()
            if line is None:
                return "gone", ""
            if line.startswith("* "):
                continue
            if self.protocol == "Smtp":
                if line.startswith("334"):
                    return "challenge", base64.b64decode(line[4:])
                return self.of_smtp(line), line
            if line.startswith("+ ") or line == "+":
                return "challenge", base64.b64decode(line[2:])
            return (self.of_imap(line) if self.protocol == "Imap" else self.of_pop3(line)), line

    @staticmethod
    def of_smtp(line):
        return {"235": "ok", "535": "no", "421": "no", "500": "bad", "501": "bad", "504": "unknown", "538": "clear", "454": "later"}[line[:3]]

    @staticmethod
    def of_imap(line):
        if " OK" in line[:6]:
            return "ok"
        for code, word in (("AUTHENTICATIONFAILED", "no"), ("CANNOT", "unknown"), ("PRIVACYREQUIRED", "clear"),
                           ("UNAVAILABLE", "later")):
            if f"NO [{code}]" in line:
                return word
        return "bad"

    @staticmethod
    def of_pop3(line):
        if line.startswith("+OK"):
            return "ok"
        for text, word in (("[AUTH]", "no"), ("not offered", "unknown"), ("use TLS", "clear"), ("[SYS/TEMP]", "later")):
            if text in line:
                return word
        return "bad"

    def end_point(self):
        """tls-server-end-point (RFC 5929 4) of this connection; our certificates are signed with SHA-256."""
        return hashlib.sha256(self.c.sock.getpeercert(binary_form=True)).digest()


class Scram:
    """SCRAM-SHA-256, the client. Every part may be replaced before it is used."""

    def __init__(self, user, password, header="n,,", binding=b"", nonce=None):
        self.user, self.password, self.header, self.binding = user, password, header, binding
        self.nonce = nonce or b64(os.urandom(18))
        self.bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={self.nonce}"

    def first(self):
        return self.header + self.bare

    def read(self, server_first):
        self.server_first = server_first.decode()
        self.fields = dict(part.split("=", 1) for part in self.server_first.split(","))
        assert self.fields["r"].startswith(self.nonce)
        return self

    def proof_of(self, without_proof):
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(self.fields["s"]), int(self.fields["i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        message = f"{self.bare},{self.server_first},{without_proof}".encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
        self.verifier = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
        return bytes(a ^ b for a, b in zip(client_key, signature))

    def c(self):
        return b64(self.header.encode() + self.binding)

    def final(self, without_proof=None):
        without_proof = without_proof or f"c={self.c()},r={self.fields['r']}"
        return f"{without_proof},p={b64(self.proof_of(without_proof))}"

    def verify(self, server_final):
        assert server_final == b"v=" + b64(self.verifier).encode(), server_final


def scram(talk, user, password, mechanism="SCRAM-SHA-256", initial=True, **kw):
    """A whole exchange; the signature of the server is checked. What came last."""
    s = Scram(user, password, **kw)
    kind, what = talk.start(mechanism, s.first() if initial else None)
    if kind == "challenge" and not initial:
        assert what == b""
        kind, what = talk.step(s.first())
    if kind == "challenge":
        kind, what = talk.step(s.read(what).final())
    if kind == "challenge":
        s.verify(what)
        kind, what = talk.step(b"")
        assert kind == "ok", what
    return kind


class Authority:
    """Certificates for clients, made with the `openssl` command in a folder."""

    def __init__(self, folder, name="people"):
        self.folder, self.name, self.count = folder, name, 0
        self.file = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-keyout",
                     self.key, "-out", self.file, "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE")
        self.file.chmod(0o644)

    def openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=self.folder)

    def certificate(self, san=None, subject="/CN=alice", days="30"):
        """(file of the certificate, file of its key)."""
        self.count += 1
        base = self.folder / f"{self.name}-{self.count}"
        key, csr, pem, ext = (base.with_suffix(s) for s in (".key", ".csr", ".pem", ".ext"))
        ext.write_text("basicConstraints=CA:FALSE\n" + (f"subjectAltName={san}\n" if san else ""))
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", csr,
                     "-subj", subject)
        # -days counts from now, also backwards
        self.openssl("x509", "-req", "-in", csr, "-CA", self.file, "-CAkey", self.key, "-CAcreateserial", "-days", days,
                     "-extfile", ext, "-out", pem)
        return pem, key
