"""Names of the whole world: domains in their own letters, local parts in UTF-8, mailboxes in Chinese (SMTPUTF8, IDN, PRECIS)."""
import base64

import pytest

from lib.raw import Imap, Pop3, Smtp
from lib.server import Account

DOMAIN, LOCAL = "例子.test", "用户"


@pytest.fixture(scope="module")
def user(server):
    address = f"{LOCAL}@{DOMAIN}"
    server.run("domain", "add", DOMAIN)
    server.run("account", "add", address, "--no-password")
    return Account(address, server.add_client(address))


def plain(account):
    return base64.b64encode(f"\0{account.address}\0{account.password}".encode()).decode()


def test_mail_arrives_under_every_spelling_of_the_domain(server, user):
    spellings = [f"{LOCAL}@{DOMAIN}", f"{LOCAL}@xn--fsqu00a.test", f"{LOCAL}@XN--FSQU00A.TEST", f"{LOCAL}+标签@例子。test"]
    with Smtp(server) as c:
        c.cmd("EHLO their.test")
        for spelling in spellings:
            assert c.cmd("MAIL FROM:<grün@their.test> SMTPUTF8")[0] == 250
            code, text = c.cmd(f"RCPT TO:<{spelling}>")
            assert code == 250, (spelling, code, text)
            c.cmd("DATA")
            c.send(f"Subject: 你好 {spelling}\r\n\r\n正文\r\n.\r\n")
            assert c.reply()[0] == 250
        assert c.cmd("MAIL FROM:<grün@their.test>")[0] in (501, 553), "UTF-8 without SMTPUTF8"
    with Imap(server) as c:
        assert c.cmd("AUTHENTICATE PLAIN " + plain(user))[0] == "OK"
        kind, lines = c.cmd("STATUS INBOX (MESSAGES)")
        assert f"MESSAGES {len(spellings)}" in lines[0]
        c.cmd("SELECT INBOX")
        c.send("s SEARCH CHARSET UTF-8 SUBJECT {6+}\r\n你好\r\n")
        kind, lines = c.until("s")
        assert kind == "OK" and len(lines[0].split()) == 2 + len(spellings), lines


def test_sign_in_under_every_spelling(server, user):
    for name in (user.address, f"{LOCAL}@xn--fsqu00a.test"):
        account = Account(name, user.password)
        with Pop3(server) as c:
            assert c.cmd("AUTH PLAIN " + plain(account)).startswith("+OK"), name
            assert c.cmd("QUIT").startswith("+OK") and c.rest() == []
        with Smtp(server, "submissions") as c:
            c.cmd("EHLO a.test")
            assert c.cmd("AUTH PLAIN " + plain(account))[0] == 235, name


def test_sending_as_the_international_address(server, user):
    with Smtp(server, "submissions") as c:
        c.cmd("EHLO a.test")
        assert c.cmd("AUTH PLAIN " + plain(user))[0] == 235
        assert c.cmd(f"MAIL FROM:<{user.address}> SMTPUTF8 BODY=8BITMIME")[0] == 250
        assert c.cmd(f"RCPT TO:<{user.address}>")[0] == 250
        assert c.cmd("DATA")[0] == 354
        c.send(f"From: 张三 <{user.address}>\r\nTo: {user.address}\r\nSubject: 自己\r\n\r\n好\r\n.\r\n")
        code, text = c.reply()
        assert code == 250, text


def test_the_client_password_as_people_type_it(server, user):
    """Blanks, capitals and full-width letters of an input method are the same password."""
    bare = user.password.replace("-", "")
    wide = "".join(chr(ord(ch) + 0xFEE0) for ch in bare)
    for typed in (bare, bare.upper(), user.password.replace("-", " "), wide, f" {user.password} "):
        blob = base64.b64encode(f"\0{user.address}\0{typed}".encode()).decode()
        with Imap(server) as c:
            assert c.cmd("AUTHENTICATE PLAIN " + blob)[0] == "OK", typed


def test_chinese_mailboxes(server, user):
    with Imap(server) as c:
        c.cmd("AUTHENTICATE PLAIN " + plain(user))
        assert c.cmd('CREATE "&XeVPXA-/&YqVUSg-"')[0] == "OK"
        kind, lines = c.cmd('LIST "" "*"')
        assert any("&XeVPXA-/&YqVUSg-" in line for line in lines), lines
        assert c.cmd('RENAME "&XeVPXA-" "&XeVPXA-2"')[0] == "OK"
        assert c.cmd('SELECT "&XeVPXA-2/&YqVUSg-"')[0] == "OK"
