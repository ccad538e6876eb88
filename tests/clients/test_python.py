"""Python's smtplib, imaplib and poplib do a day's work."""
import imaplib
import poplib
import smtplib

import pytest

from lib.mail import deliver, empty, imap, inbox, message, pop3, relaxed, submit


def test_submit_and_read_by_imap(server, alice, bob):
    mark, data = message(alice.address, bob.address, body="Grüße 你好")
    assert submit(server, alice, [bob.address], data) == {}
    found = [m for m in inbox(server, bob).values() if mark.encode() in m]
    assert len(found) == 1
    assert "Grüße 你好".encode() in found[0]
    assert found[0].startswith(b"Return-Path: <" + alice.address.encode() + b">")
    assert b"\r\nReceived: " in found[0]


def test_mail_from_outside_arrives(server, bob):
    mark, data = message("carol@their.test", bob.address)
    deliver(server, "carol@their.test", [bob.address], data)
    assert sum(mark.encode() in m for m in inbox(server, bob).values()) == 1


def test_wrong_password_is_refused_everywhere(server, alice):
    wrong = type(alice)(alice.address, alice.password[:-1] + ("a" if alice.password[-1] != "a" else "b"))
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        imap(server, wrong)
    with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
        pop3(server, wrong)
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=relaxed(server)) as s:
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            s.login(wrong.address, wrong.password)
        assert refused.value.smtp_code == 535


def test_receive_only_password_cannot_send(server, alice):
    secret = server.add_client(alice.address, "--receive")
    reader = type(alice)(alice.address, secret)
    imap(server, reader).logout()
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=relaxed(server)) as s:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            s.login(reader.address, reader.password)


def test_send_only_password_cannot_read(server, alice, bob):
    secret = server.add_client(alice.address, "--send")
    sender = type(alice)(alice.address, secret)
    mark, data = message(alice.address, bob.address)
    submit(server, sender, [bob.address], data)
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, sender)
    with pytest.raises(poplib.error_proto):
        pop3(server, sender)


def test_imap_folders_flags_append_copy_search(server, bob):
    client = imap(server, bob)
    kind, names = client.list()
    assert kind == "OK" and any(b"\\Sent" in n for n in names) and any(b"\\Trash" in n for n in names)
    assert client.create("Projekte")[0] == "OK"
    assert client.create("Projekte")[0] == "NO"
    mark, data = message("x@their.test", bob.address, subject="quarterly report", body="the word zephyrine stands here")
    kind, answer = client.append("Projekte", r"(\Seen \Flagged)", '"22-Nov-2026 10:00:00 +0000"', data)
    assert kind == "OK" and b"APPENDUID" in answer[0]
    client.select("Projekte")
    assert client.search(None, "SUBJECT", "Quarterly")[1] == [b"1"]
    assert client.search(None, "BODY", "zephyrine")[1] == [b"1"]
    assert client.search(None, "BODY", "nowhere")[1] == [b""]
    kind, flags = client.fetch("1", "(FLAGS INTERNALDATE RFC822.SIZE)")
    assert b"\\Seen" in flags[0] and b"\\Flagged" in flags[0] and b"22-Nov-2026 10:00:00 +0000" in flags[0]
    assert f"RFC822.SIZE {len(data)}".encode() in flags[0]
    kind, body = client.fetch("1", "(BODY.PEEK[])")
    assert body[0][1] == data
    assert client.copy("1", "INBOX")[0] == "OK"
    assert client.store("1", "+FLAGS", r"(\Deleted)")[0] == "OK"
    assert client.expunge()[1] == [b"1"]
    assert client.delete("Projekte")[0] == "OK"
    client.logout()
    assert sum(mark.encode() in m for m in inbox(server, bob).values()) == 1


def test_pop3_reads_and_deletes(server, bob):
    empty(server, bob)
    marks = []
    for i in range(3):
        mark, data = message("x@their.test", bob.address, body=".leading dot\r\n..two\r\nend")
        deliver(server, "x@their.test", [bob.address], data)
        marks.append(mark)
    client = pop3(server, bob)
    assert client.stat()[0] == 3
    uidls = [line.split()[1] for line in client.uidl()[1]]
    assert len(set(uidls)) == 3
    first = b"\r\n".join(client.retr(1)[1])
    assert marks[0].encode() in first and b"\r\n.leading dot\r\n..two\r\nend" in first
    assert len(client.top(2, 0)[1]) < len(client.retr(2)[1])
    client.dele(1)
    client.quit()
    client = pop3(server, bob)
    assert client.stat()[0] == 2
    assert [line.split()[1] for line in client.uidl()[1]] == uidls[1:]
    client.dele(1)
    client.close()  # no QUIT: nothing is deleted
    client = pop3(server, bob)
    assert client.stat()[0] == 2
    client.quit()


def test_unknown_recipient_and_foreign_domain(server, alice):
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as s:
        s.ehlo("their.test")
        s.mail("x@their.test")
        assert s.rcpt("nobody@" + server.domain)[0] == 550
        assert s.rcpt("x@elsewhere.test")[0] == 550
        assert s.rcpt(alice.address.replace("@", "+shop@"))[0] == 250
        assert s.rcpt(alice.address.upper())[0] == 250
    mark, data = message(alice.address, "x@elsewhere.test")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        submit(server, alice, ["x@elsewhere.test"], data)
    assert next(iter(refused.value.recipients.values()))[0] // 100 == 5


def test_send_as_somebody_else(server, alice, bob):
    mark, data = message(bob.address, bob.address)
    with pytest.raises(smtplib.SMTPException):
        submit(server, alice, [bob.address], data)
    assert not any(mark.encode() in m for m in inbox(server, bob).values())
