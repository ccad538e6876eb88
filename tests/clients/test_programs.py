"""Mail programs people use, each doing its daily job over TLS: swaks, curl, msmtp, fetchmail, mbsync, neomutt."""
import os
import pathlib
import subprocess

from lib.hosts import hosts_file
from lib.mail import deliver, empty, imap, inbox, message


def program(*words, home, input=None, check=True, env=None):
    done = subprocess.run([str(w) for w in words], input=input, capture_output=True, text=True, timeout=180, cwd=home,
                          env=dict(os.environ, HOME=str(home), LANG="C.UTF-8", **(env or {})))
    if check:
        assert done.returncode == 0, f"{words[0]}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def secret_file(home, name, text):
    path = home / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def count(server, account, mark):
    return sum(mark.encode() in m for m in inbox(server, account).values())


def test_swaks_submits_by_starttls(server, alice, bob, home):
    mark, _ = message(alice.address, bob.address)
    done = program("swaks", "--server", "127.0.0.1", "--port", server.ports["submission"], "--tls", "--tls-verify",
                   "--tls-ca-path", server.ca_file, "--auth", "PLAIN", "--auth-user", alice.address, "--auth-password",
                   alice.password, "--from", alice.address, "--to", bob.address, "--ehlo", "laptop.test",
                   "--header", f"Subject: {mark}", home=home)
    assert "250 2.6.0 message stored" in done.stdout
    assert count(server, bob, mark) == 1


def test_swaks_auth_login_and_mx(server, alice, bob, home):
    mark, _ = message("x@their.test", bob.address)
    program("swaks", "--server", "127.0.0.1", "--port", server.ports["submissions"], "--tls-on-connect", "--auth",
            "LOGIN", "--auth-user", alice.address, "--auth-password", alice.password, "--from", alice.address, "--to",
            bob.address, "--quit-after", "RCPT", home=home)
    program("swaks", "--server", "127.0.0.1", "--port", server.ports["smtp"], "--tls", "--from", "x@their.test", "--to",
            bob.address, "--pipeline", "--header", f"Subject: {mark}", home=home)
    assert count(server, bob, mark) == 1


def test_curl_sends_and_reads(server, alice, bob, home):
    empty(server, bob)
    mark, data = message(alice.address, bob.address)
    (home / "mail").write_bytes(data)
    netrc = secret_file(home, "netrc", f"machine {server.hostname} login {alice.address} password {alice.password}\n")
    resolve = [f"{server.hostname}:{server.ports[d]}:127.0.0.1" for d in ("submissions", "imaps", "pop3s")]
    common = ["curl", "--silent", "--show-error", "--cacert", server.ca_file]
    for r in resolve:
        common += ["--resolve", r]
    program(*common, "--netrc-file", netrc, "--url", f"smtps://{server.hostname}:{server.ports['submissions']}",
            "--mail-from", alice.address, "--mail-rcpt", bob.address, "--upload-file", "mail", home=home)
    netrc = secret_file(home, "netrc", f"machine {server.hostname} login {bob.address} password {bob.password}\n")
    done = program(*common, "--netrc-file", netrc, f"imaps://{server.hostname}:{server.ports['imaps']}/INBOX;MAILINDEX=1",
                   home=home)
    assert mark in done.stdout
    done = program(*common, "--netrc-file", netrc, f"pop3s://{server.hostname}:{server.ports['pop3s']}/1", home=home)
    assert mark in done.stdout
    program(*common, "--netrc-file", netrc, "-T", "mail", f"imaps://{server.hostname}:{server.ports['imaps']}/Archive",
            home=home)


def test_msmtp_sends(server, alice, bob, home):
    secret_file(home, ".msmtprc", f"""
account default
host 127.0.0.1
port {server.ports['submissions']}
tls on
tls_starttls off
tls_trust_file {server.ca_file}
tls_host_override {server.hostname}
auth on
user {alice.address}
from {alice.address}
passwordeval cat {secret_file(home, 'pw', alice.password)}
""")
    mark, data = message(alice.address, bob.address)
    program("msmtp", "-C", home / ".msmtprc", bob.address, input=data.decode(), home=home)
    assert count(server, bob, mark) == 1


def test_fetchmail_collects(server, bob, home):
    empty(server, bob)
    marks = []
    for _ in range(3):
        mark, data = message("x@their.test", bob.address)
        deliver(server, "x@their.test", [bob.address], data)
        marks.append(mark)
    box = home / "collected"
    common = f"""
  user "{bob.address}" there with password "{bob.password}"
  ssl sslproto "auto" sslcertck sslcertfile "{server.ca_file}" sslcommonname "{server.hostname}"
"""
    secret_file(home, ".fetchmailrc", f"""
poll 127.0.0.1 protocol imap service {server.ports['imaps']} {common} keep mda "cat >>{box}"
""")
    program("fetchmail", "-f", home / ".fetchmailrc", "--nodetach", "--nosyslog", home=home)
    assert all(m in box.read_text() for m in marks)
    box.unlink()
    secret_file(home, ".fetchmailrc", f"""
poll 127.0.0.1 protocol pop3 service {server.ports['pop3s']} {common} no keep fetchall mda "cat >>{box}"
""")
    program("fetchmail", "-f", home / ".fetchmailrc", "--nodetach", "--nosyslog", home=home)
    assert all(m in box.read_text() for m in marks)
    assert inbox(server, bob) == {}


def test_mbsync_mirrors_both_ways(server, bob, home):
    empty(server, bob)
    mark, data = message("x@their.test", bob.address, body="从服务器到电脑")
    deliver(server, "x@their.test", [bob.address], data)
    (home / "Mail").mkdir()
    secret_file(home, ".mbsyncrc", f"""
IMAPAccount us
Host {server.hostname}
Port {server.ports['imaps']}
User {bob.address}
PassCmd "cat {secret_file(home, 'pw', bob.password)}"
SSLType IMAPS
CertificateFile {server.ca_file}

IMAPStore far
Account us

MaildirStore near
Path {home}/Mail/
Inbox {home}/Mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
""")
    hosts = hosts_file(server, home)
    program(*hosts, "mbsync", "-c", home / ".mbsyncrc", "-a", home=home)
    new = list((home / "Mail/INBOX/new").iterdir()) + list((home / "Mail/INBOX/cur").iterdir())
    assert len(new) == 1 and mark in new[0].read_text()
    # read it here, write one here: both travel back
    new[0].rename(home / "Mail/INBOX/cur" / (new[0].name.split(":")[0] + ":2,SF"))
    back, data = message("me@their.test", bob.address)
    (home / "Mail/INBOX/cur" / "1790000000.M1P1.here:2,S").write_bytes(data.replace(b"\r\n", b"\n"))
    program(*hosts, "mbsync", "-c", home / ".mbsyncrc", "-a", home=home)
    client = imap(server, bob)
    client.select("INBOX")
    assert client.search(None, "FLAGGED", "SEEN", "HEADER", "Message-ID", mark)[1] != [b""]
    assert client.search(None, "HEADER", "Message-ID", back)[1] != [b""]
    client.logout()


def test_neomutt_reads_and_sends(server, alice, bob, home):
    empty(server, bob)
    mark, data = message("x@their.test", bob.address)
    deliver(server, "x@their.test", [bob.address], data)
    pw = secret_file(home, "pw.rc", f"set imap_pass='{bob.password}'\nset smtp_pass='{bob.password}'\n")
    secret_file(home, "rc", f"""
source {pw}
set ssl_force_tls=yes
set certificate_file={server.ca_file}
set ssl_use_system_certs=no
set folder="imaps://{server.hostname}:{server.ports['imaps']}/"
set imap_user="{bob.address}"
set spoolfile="+INBOX"
set smtp_url="smtps://{bob.address}@{server.hostname}:{server.ports['submissions']}/"
set from="{bob.address}"
set copy=yes
set record="+Sent"
set sleep_time=0
set mail_check=5
set header_cache=
set abort_nosubject=no
set confirmcreate=no
set imap_authenticators="plain"
set smtp_authenticators="plain"
""")
    sent, _ = message(bob.address, alice.address)
    hosts = hosts_file(server, home)
    program(*hosts, "neomutt", "-n", "-F", home / "rc", "-s", sent, alice.address, input="from neomutt\n", home=home,
            env={"TERM": "dumb"})
    assert count(server, alice, sent) == 1
    # reading: open the mailbox, save the tagged message, quit
    secret_file(home, "read", (home / "rc").read_text() + f"""
set delete=yes
set quit=yes
push "<tag-pattern>~A<enter><tag-prefix><copy-message>{home}/saved<enter><quit>"
""")
    done = program(*hosts, "script", "-qec", f"neomutt -n -F {home}/read", "/dev/null", home=home,
                   env={"TERM": "xterm"}, check=False)
    saved = pathlib.Path(home / "saved")
    assert saved.exists(), done.stdout[-2000:]
    text = "".join(p.read_text(errors="replace") for p in ([saved] if saved.is_file() else saved.rglob("*")) if p.is_file())
    assert mark in text
