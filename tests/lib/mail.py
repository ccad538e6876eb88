"""Sending and reading mail with Python's own libraries (independent of ours)."""
import imaplib
import poplib
import smtplib
import time
import uuid

from lib.server import select_nothing


def message(sender, recipient, subject=None, body="hello", headers=""):
    mark = uuid.uuid4().hex
    text = (f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: {subject or mark}\r\n"
            f"Message-ID: <{mark}@test>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n{headers}\r\n{body}\r\n")
    return mark, text.encode()


def signed_in(enter, refusal):
    """What `enter` gives. A server that has too much to do at the moment says so (INV-S5), and so does one whose maildrop is still
    in use by the last session; a program comes again."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return enter()
        except refusal as e:
            if time.monotonic() > deadline or not any(w in str(e) for w in ("[UNAVAILABLE]", "[SYS/TEMP]", "[IN-USE]", "4.7.0")):
                raise
        select_nothing(0.1)


def deliver(server, sender, recipients, data):
    """As another server would, on port 25 with STARTTLS."""
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=60) as s:
        s.ehlo("their.test")
        s.starttls(context=relaxed(server))
        s.ehlo("their.test")
        return s.sendmail(sender, recipients, data)


def submit(server, account, recipients, data):
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=relaxed(server), timeout=60) as s:
        signed_in(lambda: s.login(account.address, account.password), smtplib.SMTPAuthenticationError)
        return s.sendmail(account.address, recipients, data)


def relaxed(server):
    """Verifies the chain; the name is not the loopback address."""
    context = server.tls()
    context.check_hostname = False
    return context


# imaplib takes the state in which it first meets a command for the only one in which it is allowed.
imaplib.Commands["ID"] = ("NONAUTH", "AUTH", "SELECTED")


def imap(server, account, login=True):
    def enter():
        client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=relaxed(server), timeout=60)
        if login:
            client.login(account.address, account.password)
        return client
    return signed_in(enter, imaplib.IMAP4.error)


def pop3(server, account, login=True):
    def enter():
        client = poplib.POP3_SSL("127.0.0.1", server.ports["pop3s"], context=relaxed(server), timeout=60)
        if login:
            client.user(account.address)
            client.pass_(account.password)
        return client
    return signed_in(enter, poplib.error_proto)


def inbox(server, account):
    """Every message of INBOX as octets, by UID."""
    client = imap(server, account)
    client.select("INBOX", readonly=True)
    kind, found = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
    messages = {}
    for item in found:
        if isinstance(item, tuple):
            uid = int(item[0].split(b"UID ")[1].split()[0])
            messages[uid] = item[1]
    client.logout()
    return messages


def empty(server, account, mailbox="INBOX"):
    client = imap(server, account)
    client.select(mailbox)
    client.uid("STORE", "1:*", "+FLAGS.SILENT", "(\\Deleted)")
    client.expunge()
    client.logout()
