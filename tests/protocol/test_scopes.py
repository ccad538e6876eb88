"""The limits of a client password through a running server, by programs that know nothing of them: imaplib, poplib, imapflow
and mbsync. tests/unit/imap/session/scopes*.c and tests/unit/pop3/session/session.c hold the tables of commands."""
import email
import email.policy
import imaplib
import json
import os
import pathlib
import poplib
import re
import subprocess

import pytest

from lib.mail import imap, pop3
from lib.server import Account, wait_until

CLIENTS = pathlib.Path(__file__).resolve().parents[1] / "clients"
ACCOUNTS = ("alice", "bob")
OLD = '"01-Jan-2020 00:00:00 +0000"'
SECRET = b"the octets of the attachment " * 40
NOTE = "this password does not open attachments"


def with_file(subject="file", kind="application/pdf", name="report.pdf", content=SECRET):
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"], m["Subject"] = "x@their.test", "alice@ours.test", subject
    m.set_content("the text of the mail\n")
    m.add_alternative("<p>the text of the mail</p>\n", subtype="html")
    main, sub = kind.split("/")
    m.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return m.as_bytes()


def plain(subject, body="hello"):
    return f"From: x@their.test\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()


LIMITS = (
    ("access=read-only",), ("access=append-only",), ("access=no-delete",), ("folder=Work/*",), ("days=30",), ("attachments=none",),
    ("attachment-type=image/*",), ("attachment-size=100",), ("attachment-type=application/pdf",),
    ("days=30", "attachments=none", "access=read-only"),
    ("days=30", "attachments=none", "access=read-only", "folder=INBOX", "folder=Work/*"),
)


def add_limited(server, account, *limits):
    words = [word for limit in limits for word in ("--limit", limit)]
    return Account(account.address, server.add_client(account.address, "--receive", *words))


@pytest.fixture(scope="module")
def limited(server, alice):
    """The client passwords of these tests by their limits."""
    made = {limits: add_limited(server, alice, *limits) for limits in LIMITS}
    return lambda *limits: made[limits]


@pytest.fixture(scope="module", autouse=True)
def mail(server, alice, limited):
    """INBOX: an old message, a new one, and three with attachments; folders beside it."""
    c = imap(server, alice)
    for box in ("Work", "Work/Deep", "Private/Diary"):
        c.create(box)
        c.append(box, None, None, plain(box))
    c.append("INBOX", None, OLD, plain("old"))
    c.append("INBOX", None, None, plain("new"))
    c.append("INBOX", None, None, with_file())
    c.append("INBOX", None, None, with_file("picture", "image/png", "b.png"))
    c.append("INBOX", None, None, with_file("small", "application/zip", "c.zip", b"tiny"))
    c.logout()


def fetched(c, what="(RFC822.SIZE BODY.PEEK[])", numbers="1:*"):
    """(size, octets) of each message."""
    kind, found = c.fetch(numbers, what)
    assert kind == "OK", found
    return [(int(re.search(rb"RFC822.SIZE (\d+)", item[0])[1]), item[1]) for item in found if isinstance(item, tuple)]


def refused(answer, code):
    kind, words = answer
    assert kind == "NO" and words[0].startswith(b"[" + code), answer


# ------------------------------------------------------------------------------------------------------ access
def test_read_only(server, alice, limited):
    who = limited("access=read-only")
    c = imap(server, who)
    with pytest.raises(imaplib.IMAP4.readonly):
        c.select("INBOX")
    c.is_readonly = True  # what imaplib could not know before it asked
    c.fetch("2", "(BODY[])")
    assert b"\\Seen" not in c.fetch("2", "(FLAGS)")[1][0]
    refused(c._simple_command("STORE", "1", "+FLAGS", "(\\Seen)"), b"NOPERM")
    refused(c._simple_command("MOVE", "1", "Work"), b"NOPERM")
    refused(c._simple_command("EXPUNGE"), b"NOPERM")
    for refusal in (c.create("New"), c.delete("Work"), c.rename("Work", "Play"), c.append("INBOX", None, None, plain("x")), c.copy("1", "Work")):
        refused(refusal, b"NOPERM")
    c.logout()
    p = pop3(server, who)
    with pytest.raises(poplib.error_proto):
        p.dele(1)
    assert p.stat()[0] == 5
    p.quit()


def test_a_scanner_may_only_add(server, alice, limited):
    who = limited("access=append-only")
    c = imap(server, who)
    assert c.list()[0] == "OK"
    assert c.append("Work", None, None, plain("scan"))[0] == "OK"
    refused(c.select("Work"), b"NOPERM")
    refused(c.status("Work", "(MESSAGES)"), b"NOPERM")
    c.logout()
    with pytest.raises(poplib.error_proto, match=r"AUTH"):
        pop3(server, who)


def test_no_delete(server, alice, limited):
    who = limited("access=no-delete")
    c = imap(server, who)
    c.select("Work")
    refused(c.store("1", "+FLAGS", "(\\Deleted)"), b"NOPERM")
    assert c.store("1", "+FLAGS", "(\\Flagged)")[0] == "OK"
    refused(c.expunge(), b"NOPERM")
    refused(c.delete("Work"), b"NOPERM")
    assert c.copy("1", "Work")[0] == "OK"
    c.logout()


# ----------------------------------------------------------------------------------------------------- folders
def test_folders(server, alice, limited):
    who = limited("folder=Work/*")
    c = imap(server, who)
    names = [item.decode().split(' "/" ')[1] for item in c.list()[1]]
    assert names == ["Work", "Work/Deep"]
    assert b"\\Noselect" in c.list()[1][0]
    nothing = c.select("Nowhere")
    for box in ("INBOX", "Private/Diary", "Private", "Work"):
        assert c.select(box) == nothing
        assert c.status(box, "(UIDVALIDITY)")[0] == "NO"
    assert c.select("Work/Deep")[0] == "OK"
    assert c.copy("1", "Private/Diary") == c.copy("1", "Private/Nothing")
    refused(c.create("Private/New"), b"NOPERM")
    c.logout()
    with pytest.raises(poplib.error_proto, match=r"AUTH"):
        pop3(server, who)


# ------------------------------------------------------------------------------------------------------ window
def test_window(server, alice, limited):
    who = limited("days=30")
    c = imap(server, who)
    assert c.select("INBOX")[1] == [b"4"]
    assert c.uid("FETCH", "1", "(BODY.PEEK[])")[1] == [None]
    assert c.search(None, "SUBJECT", "old")[1] == [b""]
    assert re.search(rb"MESSAGES 4", c.status("INBOX", "(MESSAGES)")[1][0])
    assert c.append("INBOX", None, OLD, plain("older"))[0] == "OK"
    c.noop()
    assert c.search(None, "ALL")[1] == [b"1 2 3 4"]
    c.logout()
    p = pop3(server, who)
    assert p.stat()[0] == 4 and all(b"old" not in b"\n".join(p.retr(n)[1]) for n in range(1, 5))
    p.quit()
    owner = imap(server, alice)
    owner.select("INBOX")
    numbers = owner.search(None, "SUBJECT", "older")[1][0]
    owner.store(numbers.decode(), "+FLAGS", "(\\Deleted)")
    assert owner.expunge()[1]
    owner.logout()


# ------------------------------------------------------------------------------------------------- attachments
def test_attachments_are_notes_everywhere(server, alice, limited):
    who = limited("attachments=none")
    c = imap(server, who)
    c.select("INBOX")
    messages = fetched(c)
    assert all(size == len(octets) for size, octets in messages)
    assert not any(SECRET[:20] in octets or b"dGhlIG9jdGV0cyBvZiB0aGUg" in octets for _, octets in messages)
    seen = email.message_from_bytes(messages[2][1], policy=email.policy.SMTP)
    kinds = [part.get_content_type() for part in seen.walk()]
    assert kinds == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/plain"]
    note = list(seen.walk())[-1].get_content()
    assert NOTE in note and "report.pdf" in note and "application/pdf, 1.1 KB" in note
    # by parts: the structure is that of the same octets
    structure = c.fetch("3", "(BODYSTRUCTURE)")[1][0]
    assert b'"application"' not in structure and b"report.pdf" not in structure
    part = c.fetch("3", "(BODY.PEEK[2.MIME] BODY.PEEK[2])")[1]
    assert part[0][1] + part[1][1] in messages[2][1]
    assert c.fetch("3", "(BODY.PEEK[]<10.50>)")[1][0][1] == messages[2][1][10:60]
    assert c.search(None, "BODY", '"report.pdf"')[1] == [b"3"]
    c.logout()
    p = pop3(server, who)
    sizes = [int(line.split()[1]) for line in p.list()[1]]
    assert sizes == [size for size, _ in messages]
    for number, (size, octets) in enumerate(messages, 1):
        assert b"\r\n".join(p.retr(number)[1]) + b"\r\n" == octets
    p.quit()


def test_a_note_in_chinese(server):
    server.run("account", "add", "li@ours.test", "--language", "zh", "--no-password")
    li = Account("li@ours.test", server.add_client("li@ours.test"))
    owner = imap(server, li)
    owner.create("Work")
    owner.append("Work", None, None, with_file(name="季度报告.pdf"))
    owner.logout()
    c = imap(server, add_limited(server, li, "attachment-size=1000"))
    c.select("Work")
    (size, octets), = fetched(c)
    note = list(email.message_from_bytes(octets, policy=email.policy.SMTP).walk())[-1].get_content()
    assert size == len(octets) and note.strip() == "[附件“季度报告.pdf”（application/pdf，1.1 KB）未显示：此密码不能打开这么大的附件。]"
    c.logout()


def test_the_same_octets_after_a_restart(server, alice, limited):
    who = limited("attachments=none")
    c = imap(server, who)
    c.select("INBOX")
    before = fetched(c)
    c.logout()
    server.stop()
    server.start()
    c = imap(server, who)
    c.select("INBOX")
    assert fetched(c) == before
    c.logout()


def test_types_and_sizes(server, alice, limited):
    for limit, shown in (("attachment-type=image/*", {"b.png"}), ("attachment-size=100", {"c.zip"}),
                         ("attachment-type=application/pdf", {"report.pdf"})):
        c = imap(server, limited(limit))
        c.select("INBOX")
        names = set()
        for size, octets in fetched(c):
            assert size == len(octets)
            m = email.message_from_bytes(octets, policy=email.policy.SMTP)
            names |= {part.get_filename() for part in m.iter_attachments() if part.get_filename()}
        assert names == shown, limit
        c.logout()


# ------------------------------------------------------------------------------------------------------ budget
def test_octets_of_a_day(server, bob):
    big = plain("big", "0123456789abcdef\r\n" * 60000)
    owner = imap(server, bob)
    owner.create("Big")
    owner.append("Big", None, None, big)
    owner.logout()
    who = add_limited(server, bob, "bytes-day=2 MiB")
    c = imap(server, who)
    c.select("Big")

    def ended():
        try:
            c.fetch("1", "(BODY.PEEK[])")
        except (imaplib.IMAP4.abort, OSError):
            return True
        return False
    wait_until(ended, 60, "the end of a session that fetched more than it may")
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, who)


# ---------------------------------------------------------------------------------------------------- programs
def test_imapflow(server, alice, limited):
    who = limited("days=30", "attachments=none", "access=read-only", "folder=INBOX", "folder=Work/*")
    setup = {"port": server.ports["imaps"], "name": server.hostname, "ca": server.ca_file, "user": who.address, "pass": who.password}
    done = subprocess.run(["node", str(CLIENTS / "scopes.mjs")], input=json.dumps(setup), capture_output=True, text=True, timeout=180,
                          cwd=CLIENTS)
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout)
    assert sorted(map(tuple, seen["mailboxes"])) == [("INBOX", False), ("Work", True), ("Work/Deep", False)]
    assert seen["exists"] == 4 and seen["readOnly"]
    assert not seen["deleted"] and not seen["flagged"]
    for m in seen["messages"]:
        assert len(m["source"]) == m["size"]
        assert all(part["type"] in ("text/plain", "text/html") for part in m["parts"])
    notes = [part["text"] for m in seen["messages"] for part in m["parts"] if NOTE in part["text"]]
    assert len(notes) == 3


def test_mbsync_mirrors_what_it_may_see(server, alice, limited, tmp_path):
    tmp_path.chmod(0o700)
    who = limited("days=30", "attachments=none", "access=read-only")
    (tmp_path / "Mail").mkdir()
    (tmp_path / "pw").write_text(who.password)
    (tmp_path / "hosts").write_text(f"127.0.0.1 localhost {server.hostname}\n")
    (tmp_path / "rc").write_text(f"""
IMAPAccount us
Host {server.hostname}
Port {server.ports['imaps']}
User {who.address}
PassCmd "cat {tmp_path / 'pw'}"
SSLType IMAPS
CertificateFile {server.ca_file}

IMAPStore far
Account us

MaildirStore near
Path {tmp_path}/Mail/
Inbox {tmp_path}/Mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Near
Expunge None
Sync Pull
SyncState *
""")
    words = ["unshare", "--mount", "--map-root-user", "sh", "-c", f"mount --bind {tmp_path / 'hosts'} /etc/hosts && exec \"$@\"", "sh",
             "mbsync", "-c", str(tmp_path / "rc"), "-a"]

    def mirrored():
        done = subprocess.run(words, capture_output=True, text=True, timeout=180, cwd=tmp_path, env=dict(os.environ, HOME=str(tmp_path)))
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return sorted((f.name.split(",")[0], f.read_bytes()) for f in (tmp_path / "Mail/INBOX").glob("*/*") if f.is_file())
    first = mirrored()
    assert len(first) == 4
    assert not any(SECRET[:20] in octets or b"dGhlIG9jdGV0cyBvZiB0aGUg" in octets for _, octets in first)
    assert sum(NOTE.encode() in octets for _, octets in first) == 3
    assert [octets for _, octets in mirrored()] == [octets for _, octets in first]
    c = imap(server, alice)
    c.select("INBOX", readonly=True)
    assert c.search(None, "SEEN")[1] == [b""] and c.search(None, "ALL")[1] == [b"1 2 3 4 5"]
    c.logout()
