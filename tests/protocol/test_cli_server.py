"""The `letterlock` command against a running server: status, client passwords that live and die, why, reload, backup."""
import imaplib
import os
import pathlib
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time

import pytest

from lib.family import children
from lib.mail import deliver, imap, inbox, message, relaxed, signed_in, submit
from lib.raw import Smtp
from lib.server import COMMAND, DOORS, SLACK, Account, Server, free_ports, wait_until


def test_status_shows_processes_listeners_and_sessions(server, alice):
    client = imap(server, alice)
    client.select("INBOX")
    lines = []

    def all_told():  # one that is too busy to answer is left out
        lines[:] = server.json("status")["items"]
        return any(l["subject"] == "session" for l in lines) and any(l["subject"] == "listener" for l in lines)
    wait_until(all_told, what=f"listeners and a session in {lines}")
    processes = {l["process"].split("-")[0] for l in lines}
    assert processes >= {"supervisor", "vault", "gate", "keeper", "scan", "relay", "scribe"}
    assert {l["detail"].split()[0] for l in lines if l["subject"] == "listener"} >= {"smtp", "imaps", "submission"}
    client.logout()
    text = server.run("status").stdout
    assert text.startswith("Process") and "vault" in text


def test_commands_reach_the_running_server(server, alice):
    assert server.run("account", "add", "carol@ours.test", "--no-password").returncode == 0
    mark, data = message("x@their.test", "carol@ours.test")
    deliver(server, "x@their.test", ["carol@ours.test"], data)
    carol = Account("carol@ours.test", server.add_client("carol@ours.test"))
    assert any(mark.encode() in m for m in inbox(server, carol).values())
    shown = server.json("account", "show", "carol@ours.test")["account"]
    home = server.dir / "accounts" / f"{shown['slot']:02x}" / shown["account"]
    assert home.exists()
    assert server.run("account", "remove", "carol@ours.test", check=False).returncode == 64  # nobody to ask, no --yes
    assert server.run("account", "remove", "carol@ours.test", "--yes").returncode == 0
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, carol)
    wait_until(lambda: not home.exists(), what="the end of its mail")


def test_revoked_means_gone(server, alice):
    made = server.json("client", "add", alice.address, "lost phone")
    phone = Account(alice.address, made["secret"])
    session = imap(server, phone)
    session.select("INBOX")
    server.run("client", "revoke", alice.address, str(made["credential"]))

    def is_gone():
        try:
            session.noop()
            return False
        except (imaplib.IMAP4.abort, OSError):
            return True
    wait_until(is_gone, 1 + SLACK, "the end of the session")
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, phone)


def test_why_tells_the_reason_in_both_languages(server, alice):
    made = server.json("client", "add", alice.address, "old")
    server.run("client", "revoke", alice.address, str(made["credential"]))
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, Account(alice.address, made["secret"]))
    told = server.json("why", alice.address)["items"]
    assert any(i["reason"] == "revoked" and i["service"] == "imap" for i in told), told
    assert "was revoked" in server.run("why", alice.address).stdout
    zh = server.run("why", alice.address, "--lang", "zh").stdout
    assert "已被吊销" in zh and f"客户端密码 {made['credential']}\n" in zh and "client" not in zh
    assert len(server.json("why", alice.address, "--count", "1")["items"]) == 1


def test_an_expired_password_ends_its_session_though_nobody_speaks(server, alice):
    def enter():
        """None: it was over before the session was there, on a machine that is slow just now."""
        made = server.json("client", "add", alice.address, "guest", "--receive", "--expires", f"{next(lives)} s")
        try:
            session = imap(server, Account(alice.address, made["secret"]))
            return session.select("INBOX")[0] == "OK" and (session, made)
        except imaplib.IMAP4.error:
            return None
    lives = iter((2, 4, 8, 16, 32))
    session, made = wait_until(enter, 60, "a session")
    said = session.readline()
    over = time.time() - server.json("client", "show", alice.address, str(made["credential"]))["client"]["expires_s"]
    assert b"BYE" in said and b"EXPIRED" in said, said
    assert -1 < over < 2 + SLACK
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, Account(alice.address, made["secret"]))


def refusals(server, address):
    return [(i["service"], i["reason"], i["subject"]) for i in server.json("why", address)["items"] if i["outcome"] == "refused" and i["subject"]]


def test_why_tells_of_refused_mail(server, alice, bob):
    server.run("alias", "add", "sales@ours.test", bob.address)
    with Smtp(server) as s:
        s.open_data("x@their.test", [bob.address])
        s.send(b"Subject: x\r\n\r\nbare\n.\r\n.\r\n")
        assert s.reply()[0] == 554
    with Smtp(server) as s:
        s.open_data("y@their.test", ["sales@ours.test"])
        s.send(b"Delivered-To: " + bob.address.encode() + b"\r\n\r\nround and round\r\n.\r\n")
        assert s.reply()[0] == 554
    with Smtp(server) as s:
        s.cmd("EHLO their.test")
        s.cmd("MAIL FROM:<z@their.test>")
        assert s.cmd("RCPT TO:<nobody@ours.test>")[0] == 550
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        submit(server, alice, ["friend@their.test"], message(alice.address, "friend@their.test")[1])
    with pytest.raises(smtplib.SMTPResponseException):
        submit(server, alice, [bob.address], message(bob.address, bob.address)[1])
    wait_until(lambda: len(refusals(server, alice.address)) >= 2 and len(refusals(server, bob.address)) >= 2, what="the refusals")
    assert set(refusals(server, bob.address)) == {("mx", "smuggling", "x@their.test"), ("mx", "loop", "y@their.test")}
    assert ("submission", "foreign", "friend@their.test") in refusals(server, alice.address)
    assert ("submission", "from", alice.address) in refusals(server, alice.address)  # the header's address is not kept
    assert refusals(server, "nobody@ours.test") == []
    told = server.run("why", bob.address).stdout
    assert "mail from y@their.test was refused: the message runs in a circle" in told, told
    assert "mail to friend@their.test was refused: mail to other domains" in server.run("why", alice.address).stdout
    assert f"mail from {alice.address} was refused: its From or Sender is" in server.run("why", alice.address).stdout
    assert "来自 y@their.test 的邮件被拒收：" in server.run("why", bob.address, "--lang", "zh").stdout


def test_why_names_the_sender_that_was_refused(server, bob):
    """Of MAIL, whatever the reason: neither a recipient nor the account it is told to."""
    with Smtp(server, "submissions") as s:
        s.cmd("EHLO client.test")
        assert s.cmd(f"MAIL FROM:<{bob.address}>")[0] == 530
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=relaxed(server), timeout=60) as s:
        signed_in(lambda: s.login(bob.address, bob.password), smtplib.SMTPAuthenticationError)
        assert s.mail("other@ours.test")[0] == 553
    wait_until(lambda: {"sender", "needs-sign-in"} <= {r[1] for r in refusals(server, bob.address)}, what="the refusals")
    english, chinese = (server.run("why", bob.address, "--lang", lang).stdout for lang in ("en", "zh"))
    assert "mail from other@ours.test was refused: the sender's address does not belong" in english, english
    assert f"mail from {bob.address} was refused: the program sends without signing in" in english, english
    assert "来自 other@ours.test 的邮件被拒绝：" in chinese and f"来自 {bob.address} 的邮件被拒绝：" in chinese, chinese


def test_why_tells_what_the_limits_of_a_client_password_refused(server):
    mine, other = "printer@ours.test", "scanner@ours.test"
    server.run("account", "add", mine, "--no-password")
    server.run("alias", "add", other, mine)
    limits = (f"sender={mine}", "recipient=@ours.test", "messages-day=1")
    made = server.json("client", "add", mine, "printer", "--send", *(word for limit in limits for word in ("--limit", limit)))
    printer = Account(mine, made["secret"])
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=relaxed(server), timeout=60) as s:
        signed_in(lambda: s.login(printer.address, printer.password), smtplib.SMTPAuthenticationError)
        assert s.mail(other)[0] == 553
        assert s.mail(mine)[0] == 250 and s.rcpt("friend@their.test")[0] == 550
        s.rset()
        with pytest.raises(smtplib.SMTPDataError):
            s.sendmail(mine, [mine], message(other, mine)[1])
    with pytest.raises(smtplib.SMTPResponseException):  # to DATA; or to QUIT, which the end of the session may overtake
        for _ in range(3):  # the second, or the third if the day ends meanwhile
            submit(server, printer, [mine], message(mine, mine)[1])
    told = {("sender-limit", other), ("recipient-limit", "friend@their.test"), ("from-limit", mine), ("budget", mine)}
    wait_until(lambda: told <= {r[1:] for r in refusals(server, mine)}, what="the refusals")
    english, chinese = (server.run("why", mine, "--lang", lang).stdout for lang in ("en", "zh"))
    for line in (f"mail from {other} was refused: this client password may not send as this address: letterlock client change",
                 "mail to friend@their.test was refused: this client password may not send to this recipient: letterlock client change",
                 f"mail from {mine} was refused: this client password may not send as the address in its From or Sender",
                 f"mail to {mine} was refused: this client password sent more than its budget allows and is frozen"):
        assert line in english, (line, english)
    for line in (f"来自 {other} 的邮件被拒绝：该客户端密码不能以此地址发信", "发往 friend@their.test 的邮件被拒绝：该客户端密码不能发给此收件人",
                 f"来自 {mine} 的邮件被拒绝：该客户端密码不能以", f"发往 {mine} 的邮件被拒绝：该客户端密码发信超出额度，已被冻结"):
        assert line in chinese, (line, chinese)


def test_why_knows_who_forgot_to_sign_in(server):
    server.run("account", "add", "target@ours.test", "--no-password")
    with Smtp(server, "submissions") as s:
        s.cmd("EHLO their.test")
        for _ in range(8):
            assert s.cmd("MAIL FROM:<target@ours.test>")[0] == 530
        wait_until(lambda: refusals(server, "target@ours.test"), what="the refusal")
    # anybody can name a sender: once a connection
    assert refusals(server, "target@ours.test") == [("submission", "needs-sign-in", "target@ours.test")]


def test_check_while_the_server_runs(server):
    done = server.run("check", str(server.dir))
    assert done.returncode == 0, done.stderr


def test_a_bad_reload_changes_nothing(server, alice):
    conf = server.dir / "letterlock.conf"
    good = conf.read_text()
    server.expect("reload.refused", "config.wrong")
    conf.write_text(good + "gates = 0\n")
    assert server.run("check", str(server.dir), check=False).returncode == 78
    before = len(server.log_lines())
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: any(l["level"] == "error" for l in server.log_lines()[before:]), what="a refusal in the log")
    server.expect(*{l["event"] for l in server.log_lines()[before:] if l["level"] == "error"})
    imap(server, alice).logout()
    conf.write_text(good)


def test_nobody_else_commands_the_server(server):
    if os.geteuid() != 0:
        pytest.skip("needs a second user")
    done = subprocess.run([COMMAND, "account", "list", "--dir", server.dir], capture_output=True, text=True, user=65534, group=65534,
                          extra_groups=[])
    assert done.returncode in (67, 77), done.stderr


def restore(server, base, dest):
    """A server of its own that starts from the copy."""
    restored = Server.__new__(Server)
    restored.__dict__.update(server.__dict__, base=pathlib.Path(base), dir=pathlib.Path(base) / "restored", process=None,
                             log_path=pathlib.Path(base) / "log", expected=[])
    shutil.copytree(dest, restored.dir)
    restored.dir.chmod(0o700)
    restored.ports = dict(zip(DOORS, free_ports(len(DOORS))))
    restored.configure("", "debug")
    return restored.start()


def test_backup_while_mail_arrives_restores_whole(server, alice, bob):
    """T-324: all that was acknowledged before the start is in the copy, and the copy starts."""
    marks = {}
    for account in (alice, bob):
        marks[account.address] = []
        for i in range(5):
            mark, data = message("x@their.test", account.address, body=("x" * 70 + "\r\n") * (6000 if i == 4 else 1) + f"{i}")
            deliver(server, "x@their.test", [account.address], data)
            marks[account.address].append(mark)
    with tempfile.TemporaryDirectory() as base:
        dest = pathlib.Path(base) / "copy"
        answer = server.json("backup", str(dest))
        assert answer["ok"] and answer["accounts"] >= 2
        again = server.run("backup", str(dest), check=False)
        assert again.returncode == 73 and "exists already" in again.stderr
        names = [line.split("  ", 2)[2] for line in (dest / "MANIFEST").read_text().splitlines()]
        assert sorted(names) == sorted(str(p.relative_to(dest)) for p in dest.rglob("*") if p.is_file() and p.name != "MANIFEST")
        assert all(oct(p.stat().st_mode & 0o077) == "0o0" for p in dest.rglob("*"))
        restored = restore(server, base, dest)
        try:
            for account in (alice, bob):
                mail = b"".join(inbox(restored, account).values())
                assert all(mark.encode() in mail for mark in marks[account.address])
            assert inbox(restored, bob) == inbox(server, bob)
        finally:
            restored.stop()


def test_backup_leaves_nothing_half_done(server):
    with tempfile.TemporaryDirectory() as base:
        assert server.run("backup", f"{base}/none/copy", check=False).returncode == 74
        assert list(pathlib.Path(base).iterdir()) == []


def slot_of(server, account):
    return server.json("account", "show", account.address)["account"]["slot"]


def test_backup_has_what_is_still_being_handed_over(server):
    """Acknowledged for two and stored for one, since the other's keeper does not answer: the copy brings it to both, once."""
    keepers = len({l["process"] for l in server.json("status")["items"] if l["process"].startswith("keeper")})
    owner = lambda account: ((slot_of(server, account) + 1) * keepers - 1) // 256  # noqa: E731: ids.h
    people = {}
    while not people.keys() >= {0, 1}:
        person = server.add_account(f"person{len(server.accounts)}")
        people.setdefault(owner(person), person)
    first, other = people[0], people[1]  # the keeper of the first recipient keeps what waits
    stopped = children(server)["keeper-1"]
    mark, data = message("x@their.test", first.address)
    with Smtp(server, timeout=60) as smtp, tempfile.TemporaryDirectory() as base:
        smtp.open_data("x@their.test", [first.address, other.address])
        os.kill(stopped, signal.SIGSTOP)
        try:
            smtp.send(data + b".\r\n")
            assert smtp.reply()[0] == 250
            dest = pathlib.Path(base) / "copy"
            backup = subprocess.Popen([COMMAND, "backup", dest, "--dir", server.dir], stdout=subprocess.DEVNULL)
            wait_until(lambda: list(pathlib.Path(base).glob("copy.partial/accounts/*/transit.db")), what="the copy of what waits")
        finally:
            os.kill(stopped, signal.SIGCONT)
        assert backup.wait(60) == 0
        wait_until(lambda: any(mark.encode() in m for m in inbox(server, other).values()), what="the hand-over")
        restored = restore(server, base, dest)
        try:
            for account in (first, other):
                wait_until(lambda: sum(mark.encode() in m for m in inbox(restored, account).values()) == 1, what="one copy")
        finally:
            restored.stop()
