"""Scripted servers: each listens at one address and port, and answers as it was told to, one thread a connection.

A `Door` accepts and does TLS; what is said behind it is a function of the connection (`talks`), or one of the small
speakers Imap, Pop3 and Smtp, which do what a plain good server does until a reply is replaced by a row of `replies`:
"LOGIN": "NO [AUTHENTICATIONFAILED] Invalid credentials". Everything that a client sends is kept, with what it was sent in,
so that a test can count attempts and look for secrets that should not be there."""
import base64
import contextlib
import select
import socket
import ssl
import struct
import threading
import warnings

from lab.namespace import dropped, fill
from lab.stapling import staple

PASSWORD = "lab-Quartz-71-meadow"


class Ended(Exception):
    """The client is gone."""


class Wire:
    """One accepted connection."""

    def __init__(self, door, sock):
        self.door, self.sock, self.input, self.secure = door, sock, b"", False

    def send(self, text):
        try:
            self.sock.sendall(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)
        except OSError:
            raise Ended from None

    def say(self, *lines):
        self.send("".join(line + "\r\n" for line in lines))

    def octets(self):
        """Whatever comes next."""
        try:
            more = self.sock.recv(65536)
        except OSError:
            more = b""
        if not more:
            raise Ended
        self.door.heard.append((self.secure, more))
        return more

    def line(self):
        while b"\n" not in self.input:
            self.input += self.octets()
        line, _, self.input = self.input.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "surrogateescape")

    def start_tls(self):
        self.input = b""
        try:
            self.sock = self.door.context.wrap_socket(self.sock, server_side=True)
        except (OSError, ValueError):
            raise Ended from None
        self.secure = True

    def until_end(self):
        """Says nothing more, and reads until the client gives up."""
        while True:
            self.octets()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        raise Ended


def context_of(certificate, **way):
    """`weak`: old versions, suites and short keys as well; `group`: a file with what keys are exchanged by, `besides` other
    suites; `asks`: the client must show a certificate of this authority; `staple`: what is said of the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if way.get("weak"):
        with warnings.catch_warnings(action="ignore"):
            context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(certificate)
    if "group" in way:
        context.load_dh_params(way["group"])
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(way.get("besides", "") + "DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0")
    if way.get("asks"):
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(way["asks"])
    if "staple" in way:
        context.stapled = staple(context, way["staple"])
    return context


class Door:
    """A listening socket and its threads, in the network namespace of the thread that makes it."""

    def __init__(self, port, talks, address="127.0.0.1", certificate=None, implicit=False, late=False, **way):
        self.talks, self.implicit = talks, implicit
        self.heard, self.attempts, self.connections = [], [], 0
        self.context = context_of(certificate, **way) if certificate else None
        assert self.context or not implicit
        self.socket = socket.create_server(
            (address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET, backlog=0 if late else 64)
        self.open = fill(self.socket) if late else []
        threading.Thread(target=self.accept, args=(dropped() if late else None,), daemon=True).start()

    def accept(self, turned_away):
        """`late`: the queue is full until somebody was turned away, who has to try again, after a second."""
        while turned_away is not None and dropped() == turned_away and self.socket.fileno() >= 0:
            select.select([], [], [], 0.01)
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(sock)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        wire = Wire(self, sock)
        with contextlib.suppress(Ended, OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(30)
            if self.implicit:
                wire.start_tls()
            self.talks(wire)
        with contextlib.suppress(OSError, ValueError):
            wire.sock.close()

    def close(self):
        """Shutting down wakes the threads that wait in the kernel."""
        for sock in [self.socket, *self.open]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                sock.close()


def decoded(text):
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except ValueError:
        return ""


class Speaker:
    """What the three protocols share: accounts, replies, and the SASL exchanges PLAIN, LOGIN, XOAUTH2 and OAUTHBEARER.
    A mechanism that the script names but that is none of these is answered as `replies` says."""
    defaults = {}
    mechanisms = "PLAIN LOGIN"

    def __init__(self, password=PASSWORD, users=None, starttls=True, **given):
        self.password, self.users, self.starttls = password, users, starttls
        self.replies = {**self.defaults, **given.pop("replies", {})}
        for name, value in given.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def reply(self, word):
        return self.replies.get(word)

    def accepts(self, wire, mechanism, user, secret):
        good = secret == self.password and (self.users is None or user in self.users)
        wire.door.attempts.append((mechanism, user, good))
        return good

    def sasl(self, wire, mechanism, first, ask):
        """Asks until it has user and secret, and says whether they are right. `ask` sends a challenge and returns the answer."""
        mechanism = mechanism.upper()
        if mechanism == "PLAIN":
            parts = decoded(first or ask("")).split("\0")
            user, secret = (parts[1], parts[2]) if len(parts) == 3 else ("", "")
        elif mechanism == "LOGIN":
            user = decoded(first or ask("VXNlcm5hbWU6"))
            secret = decoded(ask("UGFzc3dvcmQ6"))
        else:
            text = first or ask("")
            fields = decoded(text).replace(",", "\1").split("\1")
            user = next((f[2:] if f[:2] == "a=" else f[5:] for f in fields if f[:2] == "a=" or f[:5] == "user="), "")
            secret = next((f[12:] for f in fields if f.startswith("auth=Bearer ")), "")
            if not self.accepts(wire, mechanism, user, secret):
                ask("eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIn0=")
                return False
            return True
        return self.accepts(wire, mechanism, user, secret)


class Imap(Speaker):
    greeting = "* OK Lab IMAP server ready"
    capability = "IMAP4rev1 SASL-IR ID IDLE QUOTA"  # besides mechanisms and STARTTLS
    clear_capability = None  # another list before TLS
    after = None  # another one after sign-in
    login_disabled = True  # before TLS
    inbox = 3
    defaults = {"refused": "NO [AUTHENTICATIONFAILED] Authentication failed."}

    def __call__(self, wire):
        wire.say(self.greeting)
        while True:
            line = wire.line()
            tag, _, rest = line.partition(" ")
            word, _, rest = rest.partition(" ")
            self.command(wire, tag, word.upper(), rest)

    def capabilities(self, wire):
        words = [self.capability]
        if wire.secure or not wire.door.context or not self.login_disabled:
            words += ["AUTH=" + m for m in self.mechanisms.split()]
        if not wire.secure and self.clear_capability is not None:
            return self.clear_capability
        if not wire.secure and self.starttls and wire.door.context:
            words.append("STARTTLS")
        if not wire.secure and wire.door.context and self.login_disabled:
            words.append("LOGINDISABLED")
        return " ".join(words)

    def command(self, wire, tag, word, rest):
        scripted = self.reply(word)
        if callable(scripted):
            return scripted(wire, tag, rest)
        if scripted is not None:
            # The credentials are read first, as a server reads them before it refuses.
            if word == "LOGIN":
                self.attempt(wire, "LOGIN", rest)
            return self.end(wire, tag, scripted)
        do = getattr(self, "do_" + word.lower(), None)
        if do is None:
            return wire.say(f"{tag} BAD Unknown command")
        return do(wire, tag, rest)

    def end(self, wire, tag, reply):
        """Lines joined by LF; the last gets the tag, unless it is a BYE."""
        lines = reply.split("\n")
        if not lines[-1].startswith("* "):
            lines[-1] = f"{tag} {lines[-1]}"
        wire.say(*lines)
        if any(line.startswith("* BYE") for line in lines):
            raise Ended

    def do_capability(self, wire, tag, rest):
        wire.say(f"* CAPABILITY {self.capabilities(wire)}", f"{tag} OK done")

    def do_noop(self, wire, tag, rest):
        wire.say(f"{tag} OK done")

    def do_id(self, wire, tag, rest):
        wire.say('* ID ("name" "Lab")', f"{tag} OK done")

    def do_logout(self, wire, tag, rest):
        wire.say("* BYE", f"{tag} OK done")
        raise Ended

    def do_starttls(self, wire, tag, rest):
        if not self.starttls or not wire.door.context:
            return wire.say(f"{tag} BAD Unknown command")
        wire.say(f"{tag} OK go on")
        wire.start_tls()

    def attempt(self, wire, mechanism, rest):
        words = quoted_words(rest)
        return self.accepts(wire, mechanism, *(words + ["", ""])[:2])

    def do_login(self, wire, tag, rest):
        while rest.endswith("}"):
            rest = rest[:rest.rindex("{")] + self.literal(wire, int(rest[rest.rindex("{") + 1:-1].rstrip("+")))
        if self.attempt(wire, "LOGIN", rest):
            self.signed_in(wire, tag)
        else:
            self.end(wire, tag, self.replies["refused"])

    def literal(self, wire, size):
        """As a quoted string, with what stands behind it."""
        wire.say("+ go on")
        while len(wire.input) < size:
            wire.input += wire.octets()
        text, wire.input = wire.input[:size].decode("utf-8", "replace"), wire.input[size:]
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' + wire.line()

    def do_authenticate(self, wire, tag, rest):
        mechanism, _, first = rest.partition(" ")
        if mechanism.upper() not in self.mechanisms.upper().split():
            return wire.say(f"{tag} NO Unsupported authentication mechanism")

        def ask(challenge):
            wire.say("+ " + challenge)
            return wire.line()
        if self.sasl(wire, mechanism, first, ask):
            self.signed_in(wire, tag)
        else:
            self.end(wire, tag, self.replies["refused"])

    def signed_in(self, wire, tag):
        wire.say(f"{tag} OK [CAPABILITY {self.after or self.capability}] Signed in")

    def do_select(self, wire, tag, rest):
        wire.say(r"* FLAGS (\Seen)", f"* {self.inbox} EXISTS", "* 0 RECENT", "* OK [UIDVALIDITY 7] ok",
                 f"* OK [UIDNEXT {self.inbox + 1}] ok", f"{tag} OK [READ-WRITE] open")

    def do_examine(self, wire, tag, rest):
        wire.say(r"* FLAGS (\Seen)", f"* {self.inbox} EXISTS", "* 0 RECENT", "* OK [UIDVALIDITY 7] ok",
                 f"* OK [UIDNEXT {self.inbox + 1}] ok", f"{tag} OK [READ-ONLY] open")

    def do_fetch(self, wire, tag, rest):
        number = rest.partition(" ")[0].replace("*", str(self.inbox)).partition(":")[0]
        wire.say(rf"* {number} FETCH (UID {number} FLAGS (\Seen) RFC822.SIZE 400 INTERNALDATE "
                 '"17-Jul-2025 02:44:25 -0700")', f"{tag} OK done")

    def do_uid(self, wire, tag, rest):
        word, _, rest = rest.partition(" ")
        self.command(wire, tag, word.upper(), rest)

    def do_getquotaroot(self, wire, tag, rest):
        wire.say('* QUOTAROOT INBOX "root"', '* QUOTA "root" (STORAGE 120 100000)', f"{tag} OK done")

    def do_idle(self, wire, tag, rest):
        wire.say("+ idling")
        wire.line()
        wire.say(f"{tag} OK done")


def quoted_words(text):
    """The arguments of LOGIN: atoms and quoted strings."""
    words, i = [], 0
    while i < len(text):
        if text[i] == '"':
            word, i = "", i + 1
            while i < len(text) and text[i] != '"':
                i += text[i] == "\\"
                word += text[i:i + 1]
                i += 1
            i += 1
        else:
            word, _, _ = text[i:].partition(" ")
            i += len(word)
        words.append(word)
        i += 1
    return words


class Pop3(Speaker):
    greeting = "+OK Lab POP3 server ready"
    capability = "TOP UIDL RESP-CODES"
    user_allowed = True
    sasl_line = True
    login_disabled = True
    mails = 2
    defaults = {"refused": "-ERR [AUTH] Authentication failed."}

    def __call__(self, wire):
        wire.say(self.greeting)
        wire.user = ""
        while True:
            word, _, rest = wire.line().partition(" ")
            self.command(wire, word.upper(), rest)

    def command(self, wire, word, rest):
        scripted = self.reply(word)
        if callable(scripted):
            return scripted(wire, rest)
        if scripted is not None:
            if word == "PASS":
                self.accepts(wire, "USER", wire.user, rest)
            return wire.say(*scripted.split("\n"))
        do = getattr(self, "do_" + word.lower(), None)
        if do is None:
            return wire.say("-ERR Unknown command.")
        return do(wire, rest)

    def may_sign_in(self, wire):
        return wire.secure or not self.login_disabled

    def do_capa(self, wire, rest):
        lines = self.capability.split()
        if not wire.secure and self.starttls and wire.door.context:
            lines.append("STLS")
        if self.may_sign_in(wire):
            lines += ["USER"] * self.user_allowed + ["SASL " + self.mechanisms] * self.sasl_line
        wire.say("+OK", *lines, ".")

    def do_stls(self, wire, rest):
        if not self.starttls or not wire.door.context:
            return wire.say("-ERR Unknown command.")
        wire.say("+OK go on")
        wire.start_tls()

    def do_user(self, wire, rest):
        if not self.may_sign_in(wire):
            return wire.say("-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.")
        wire.user = rest
        wire.say("+OK")

    def do_pass(self, wire, rest):
        good = self.accepts(wire, "USER", wire.user, rest)
        wire.say(self.reply("signed-in") or "+OK Logged in." if good else self.replies["refused"])

    def do_auth(self, wire, rest):
        mechanism, _, first = rest.partition(" ")
        if mechanism.upper() not in self.mechanisms.upper().split():
            return wire.say("-ERR Unsupported authentication mechanism.")

        def ask(challenge):
            wire.say("+ " + challenge)
            return wire.line()
        good = self.sasl(wire, mechanism, first, ask)
        wire.say(self.reply("signed-in") or "+OK Logged in." if good else self.replies["refused"])

    def do_stat(self, wire, rest):
        wire.say(f"+OK {self.mails} {self.mails * 400}")

    def do_list(self, wire, rest):
        wire.say("+OK", *(f"{i + 1} 400" for i in range(self.mails)), ".")

    def do_uidl(self, wire, rest):
        wire.say("+OK", *(f"{i + 1} id{i}" for i in range(self.mails)), ".")

    def do_top(self, wire, rest):
        wire.say("+OK", "Subject: lab", "", ".")

    def do_noop(self, wire, rest):
        wire.say("+OK")

    def do_quit(self, wire, rest):
        wire.say("+OK bye")
        raise Ended


class Smtp(Speaker):
    greeting = "220 mail.lab.test ESMTP Lab"
    extensions = "PIPELINING\nSIZE 52428800\n8BITMIME\nENHANCEDSTATUSCODES"
    auth_in_clear = False
    offers_auth = True
    defaults = {"refused": "535 5.7.8 Error: authentication failed"}

    def __call__(self, wire):
        wire.say(*self.greeting.split("\n"))
        wire.signed = False
        while True:
            word, _, rest = wire.line().partition(" ")
            self.command(wire, word.upper(), rest)

    def command(self, wire, word, rest):
        scripted = self.reply(word)
        if callable(scripted):
            return scripted(wire, rest)
        if scripted is not None:
            wire.say(*scripted.split("\n"))
            if scripted.startswith("421"):
                raise Ended
            return None
        do = getattr(self, "do_" + word.lower(), None)
        if do is None:
            return wire.say("502 5.5.2 Error: command not recognized")
        return do(wire, rest)

    def do_ehlo(self, wire, rest):
        lines = self.extensions.split("\n")
        if not wire.secure and self.starttls and wire.door.context:
            lines.append("STARTTLS")
        if self.offers_auth and (wire.secure or self.auth_in_clear):
            lines.append("AUTH " + self.mechanisms)
        lines = ["mail.lab.test", *filter(None, lines)]
        wire.say(*(f"250-{l}" for l in lines[:-1]), "250 " + lines[-1])

    def do_helo(self, wire, rest):
        wire.say("250 mail.lab.test")

    def do_starttls(self, wire, rest):
        if not self.starttls or not wire.door.context:
            return wire.say("502 5.5.1 Command not implemented")
        wire.say("220 2.0.0 Ready to start TLS")
        wire.start_tls()

    def do_auth(self, wire, rest):
        mechanism, _, first = rest.partition(" ")
        if not self.offers_auth:
            return wire.say("503 5.5.1 Error: authentication not enabled")
        if mechanism.upper() not in self.mechanisms.upper().split():
            return wire.say("504 5.5.4 Unrecognized authentication type")

        def ask(challenge):
            wire.say("334 " + challenge)
            return wire.line()
        if self.sasl(wire, mechanism, first, ask):
            wire.signed = True
            wire.say("235 2.7.0 Authentication successful")
        else:
            wire.say(*self.replies["refused"].split("\n"))

    def do_mail(self, wire, rest):
        wire.say("250 2.1.0 Ok" if wire.signed or not self.offers_auth else "530 5.7.0 Authentication required")

    def do_rcpt(self, wire, rest):
        wire.say("250 2.1.5 Ok")

    def do_data(self, wire, rest):
        wire.say("354 go on")
        while wire.line() != ".":
            pass
        wire.say("250 2.0.0 Ok: queued")

    def do_rset(self, wire, rest):
        wire.say("250 2.0.0 Ok")

    def do_noop(self, wire, rest):
        wire.say("250 2.0.0 Ok")

    def do_quit(self, wire, rest):
        wire.say("221 2.0.0 Bye")
        raise Ended
