"""`letterlock doctor ADDRESS` as people and scripts use it: the command line, what stands on the terminal and in JSON, settings
that the programs themselves take, --watch, --batch, --report and --why."""
import contextlib
import json
import os
import pathlib
import plistlib
import re
import signal
import subprocess
import threading
import unicodedata

import pytest

from lab.certificates import Cabinet
from lab.scripted import Door, Imap, Smtp
from lib.dnsserver import NODATA, DnsServer
from lib.hosts import hosts_file
from lib.server import COMMAND
from lib.terminal import on_terminal

PASSWORD = "plum-Harbour-58-lantern"
ADDRESS = "alice@doctor.test"
HOSTS = {"imap": "imap.doctor.test", "smtp": "smtp.doctor.test"}


def environment(**more):
    return {**os.environ, "LANG": "en", "LC_ALL": "", "LC_MESSAGES": "", **more}


def doctor(*words, input=None, **env):
    return subprocess.run([str(COMMAND), "doctor", *map(str, words)], input=input, capture_output=True, timeout=120,
                          stdin=None if input is not None else subprocess.DEVNULL, env=environment(**env))


def columns(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Healthy:
    """An IMAP and an SMTP server of scripts where all is well, and a name server that knows them."""

    def __init__(self, folder):
        self.folder = folder
        self.cabinet = Cabinet(folder)
        self.names = DnsServer({(host, "A"): ["127.0.0.1"] for host in (*HOSTS.values(), "mx.ours.test")})
        self.imap_speaks, self.smtp_speaks = Imap(password=PASSWORD), Smtp(password=PASSWORD)
        self.imap = Door(0, self.imap_speaks, certificate=self.cabinet.good(HOSTS["imap"]), implicit=True)
        self.smtp = Door(0, self.smtp_speaks, certificate=self.cabinet.good(HOSTS["smtp"]), implicit=True)
        self.ports = {"imap": self.imap.socket.getsockname()[1], "smtp": self.smtp.socket.getsockname()[1]}
        self.secret = folder / "secret"
        self.secret.write_text(PASSWORD + "\n")
        self.secret.chmod(0o600)

    @property
    def world(self):
        return ["--dns", self.names.where, "--ca", str(self.cabinet.ca_file), "--patience", "30"]

    @property
    def words(self):
        return [*self.world, "--user", ADDRESS, "--tls", "implicit",
                *(w for s in HOSTS for w in (f"--{s}", f"{HOSTS[s]}:{self.ports[s]}"))]

    @property
    def signed(self):
        return [*self.words, "--password-file", str(self.secret)]

    def close(self):
        self.imap.close()
        self.smtp.close()


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    h = Healthy(tmp_path_factory.mktemp("healthy"))
    with h.names, contextlib.closing(h):
        yield h


@pytest.fixture
def broken(healthy):
    """The same, and the sign-in is refused meanwhile."""
    healthy.imap_speaks.password = "another"
    yield healthy
    healthy.imap_speaks.password = PASSWORD


# ------------------------------------------------------------------------------------------------------ the command line
@pytest.mark.parametrize("words, code, says", [
    ([], 64, "nothing to check"), (["hunter2hunter2"], 64, "no mail address"), (["a@b.test", "hunter2"], 64, "one word too many"),
    (["--imap", "in valid"], 64, "names no server"), (["--imap", "host:99999"], 64, "names no server"),
    (["--imap", "host:0"], 64, "names no server"), (["--socks5", ":1", "a@b.test"], 64, "names no server"),
    (["a@b.test", "--patience", "601"], 64, "600"), (["a@b.test", "--tls", "ssl"], 64, "implicit starttls none"),
    (["a@b.test", "--no-password", "--token", "x"], 64, "do not go together"),
    (["a@b.test", "--explain", "x"], 64, "do not go together"), (["--batch", "x", "--user", "y"], 64, "do not go together"),
    (["a@b.test", "--watch", "--report", "x"], 64, "do not go together"), (["a@b.test", "--every", "5 s"], 64, "--watch"),
    (["a@b.test", "--ca", "/nowhere"], 67, "/nowhere"), (["a@b.test", "--password-file", "/nowhere"], 67, "--password-file"),
    (["a@b.test", "--password", "x"], 64, "never taken from the command line"),
    (["a@b.test", "--no-password", "--dns", "not-an-address"], 64, "--dns"), (["--batch", "/nowhere"], 67, "/nowhere")])
def test_mistakes_are_told(words, code, says):
    done = doctor(*words)
    assert done.returncode == code and done.stdout == b"", done
    assert says.encode() in done.stderr and b"hunter2" not in done.stderr
    told = json.loads(doctor(*words, "--json").stdout)
    assert told["ok"] is False and told["error"]["remedy"]


@pytest.mark.parametrize("typed", [
    "{h}:{p}", " {H}:{p} ", "imaps://{h}:{p}/", "imaps://alice@{h}:{p}/INBOX", "{h}.:{p}", "ssl://{h}:{p}"])
def test_servers_as_people_paste_them(healthy, typed):
    text = typed.format(h=HOSTS["imap"], H=HOSTS["imap"].upper(), p=healthy.ports["imap"])
    answer = json.loads(doctor(*healthy.world, "--tls", "implicit", "--imap", text, "--no-password", "--json").stdout)
    server = answer["servers"][0]
    assert (server["host"], server["port"]) == (HOSTS["imap"], healthy.ports["imap"])
    assert server["source"] == "given" and server["security"] == "tls" and server["standing"]["greeted"]


@pytest.mark.parametrize("typed, host, port", [
    ("[::1]:7", "::1", 7), ("::1", "::1", 993), ("[::1]", "::1", 993), ("127.0.0.1", "127.0.0.1", 993), ("bücher.test:1", "xn--bcher-kva.test", 1)])
def test_addresses_and_international_names(healthy, typed, host, port):
    server = json.loads(doctor(*healthy.world, "--imap", typed, "--no-password", "--json").stdout)["servers"][0]
    assert (server["host"], server["port"]) == (host, port)


def test_a_secret_of_any_form_comes_from_a_file_or_input(healthy, tmp_path):
    """The first line, a blank behind it and all; CRLF is one line end; others being able to read the file is told."""
    path = tmp_path / "secret"
    for octets, good in ((PASSWORD.encode(), True), (PASSWORD.encode() + b"\r\nmore\n", True), (PASSWORD.encode() + b" \n", False)):
        path.write_bytes(octets)
        path.chmod(0o644)
        done = doctor(*healthy.words, "--password-file", path)
        assert (done.returncode == 0) is good, done
        assert b"chmod 600" in done.stderr
    done = doctor(*healthy.words, "--password-file", "-", input=PASSWORD.encode() + b"\n")
    assert done.returncode == 0 and done.stderr == b""
    for octets, says in ((b"", b"empty"), (b"\nx", b"empty"), (b"x" * 5000, b"too long")):
        done = doctor(*healthy.words, "--password-file", "-", input=octets)
        assert done.returncode == 65 and says in done.stderr


def test_without_a_terminal_nobody_is_asked(healthy):
    done = doctor(*healthy.words)
    assert done.returncode in (0, 1) and b"--password-file" in done.stderr
    assert b"signed in" not in done.stdout


# ------------------------------------------------------------------------------------------------------------ answers
def test_a_healthy_server_is_called_healthy(healthy):
    done = doctor(*healthy.signed)
    assert done.returncode == 0 and done.stderr == b"", done
    text = done.stdout.decode()
    for word in (f"{HOSTS['imap']}:{healthy.ports['imap']}", "Encryption", "Sign-in", "ok", "Grade"):
        assert word in text, (word, text)
    assert "FAULT" not in text


def test_what_is_wrong_comes_first(broken):
    done = doctor(*broken.signed)
    text = done.stdout.decode()
    head = text.split("\n\n")[0]
    assert done.returncode == 1 and done.stderr == b"" and len(head) > 20
    for word in ("Remedy", "Cause", "wrong user name or password", "Where", "Proof", "[AUTHENTICATIONFAILED]", "Confidence", "FAULT"):
        assert word in text, (word, text)
    assert text.index("Remedy") < text.index("Cause") < text.index("Proof") < text.index("FAULT")
    zh = doctor(*broken.signed, "--lang", "zh").stdout.decode()
    for word in ("解决办法", "原因", "位置", "依据", "把握", "故障", "登录"):
        assert word in zh, (word, zh)


def test_json_holds_everything_in_both_languages(broken):
    done = doctor(*broken.signed, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 1 and answer["ok"] is False and answer["error"]["code"] == "no"
    verdict = answer["verdict"]
    assert verdict["kind"] == "trouble" and verdict["cause"] == "wrong-password" and verdict["step"] == "sign-in"
    assert verdict["confidence"] in ("high", "medium", "low") and verdict["server"].startswith(HOSTS["imap"])
    assert all(verdict[t][l] for t in ("says", "remedy") for l in ("en", "zh"))
    assert any("AUTHENTICATIONFAILED" in e["proof"]["text"] and e["proof"]["kind"] == "reply" for e in verdict["evidence"])
    assert {s["service"] for s in answer["servers"]} == {"imap", "smtp"}
    for server in answer["servers"]:
        assert server["standing"]["verified"] and server["grade"] and server["notes"]
        for note in server["notes"]:
            assert note["tone"] in ("good", "note", "warning", "fault") and bool(note["fact"]) != bool(note["diagnosis"])
            assert all(note["says"][l] for l in ("en", "zh")), note
    assert [q["step"] for q in answer["tree"]["questions"]] == ["password", "find", "network", "tls", "greeting", "sign-in", "after"]
    assert answer["tree"]["cause"] == "wrong-password" and answer["tree"]["mermaid"]
    assert answer["grade"]["whole"] and all(p["id"] and p["reason"]["zh"] for p in answer["grade"]["points"])
    well = json.loads(doctor(*broken.words, "--no-password", "--json").stdout)
    assert well["verdict"]["kind"] in ("no-password", "trouble", "unclear")


def test_no_line_is_wider_than_80_columns(broken):
    broken.imap_speaks.greeting = "* OK " + "wide 邮件服务器 " * 30 + "x" * 200
    try:
        for lang in ("en", "zh"):
            for line in doctor(*broken.signed, "--lang", lang).stdout.decode().splitlines():
                assert columns(line) <= 80, line
    finally:
        broken.imap_speaks.greeting = Imap.greeting


def test_hostile_servers_reach_no_terminal(broken):
    broken.imap_speaks.replies = {"refused": "NO \x1b[2J\x1b]0;owned\x07 \u202ewrong \x9b31m"}
    broken.imap_speaks.greeting = "* OK \x1b[31mred\x08\x08"
    try:
        for more in ([], ["--json"], ["--lang", "zh"]):
            shown = doctor(*broken.signed, *more).stdout.decode()
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown), more
    finally:
        broken.imap_speaks.replies, broken.imap_speaks.greeting = dict(Imap.defaults), Imap.greeting


def terminal(words, answers=(), **env):
    return on_terminal([str(COMMAND), "doctor", *map(str, words)], environment(TERM="xterm", **env), answers)


def test_colours_and_the_live_line_on_a_terminal_only(broken):
    code, coloured = terminal(broken.signed)
    _, plain = terminal(broken.signed, NO_COLOR="1")
    assert code == 1 and "\033[1;31m" in coloured
    assert "\r\033[K" in coloured and "Sign-in: " in coloured  # while it went on
    assert "\033[1;31m" not in plain and "FAULT" in plain
    rest = plain.rsplit("\r\033[K", 1)[-1]
    assert all(columns(line) <= 80 for line in rest.splitlines())
    assert "\033" not in rest and "\033" not in doctor(*broken.signed).stdout.decode()


def test_the_password_is_asked_without_echo(healthy):
    code, shown = terminal(healthy.words, [(f"Password of {ADDRESS}", PASSWORD)])
    assert code == 0 and PASSWORD not in shown and "signed in" in shown
    code, shown = terminal(healthy.words, [("Password of", "")])
    assert "signed in" not in shown and "Encryption" in shown


# ----------------------------------------------------------------------------------------------------------- settings
def test_thunderbird_is_told_what_to_type(healthy):
    for lang, words in (("en", ("Incoming server", "Hostname", "Normal password", "SSL/TLS")), ("zh", ("收件服务器", "主机名", "普通密码"))):
        done = doctor(*healthy.signed, "--settings", "thunderbird", "--lang", lang)
        text = done.stdout.decode()
        assert done.returncode == 0 and all(w in text for w in (*words, HOSTS["imap"], HOSTS["smtp"], ADDRESS)), text
    answer = json.loads(doctor(*healthy.signed, "--settings", "thunderbird", "--json").stdout)
    assert answer["settings"]["program"] == "thunderbird" and HOSTS["smtp"] in answer["settings"]["text"]


def test_apple_gets_a_profile_without_a_password(healthy):
    profile = plistlib.loads(doctor(*healthy.signed, "--settings", "apple").stdout)
    mail = profile["PayloadContent"][0]
    assert mail["IncomingMailServerHostName"] == HOSTS["imap"] and mail["OutgoingMailServerPortNumber"] == healthy.ports["smtp"]
    assert mail["IncomingMailServerUsername"] == ADDRESS and mail["IncomingMailServerUseSSL"] is True
    assert "IncomingPassword" not in mail and "OutgoingPassword" not in mail
    assert profile["PayloadContent"][1]["PayloadType"] == "com.apple.security.root"


def test_what_is_still_wrong_is_told_beside_the_settings(broken):
    done = doctor(*broken.signed, "--settings", "msmtp")
    assert done.returncode == 1 and b"still wrong" in done.stderr and done.stdout.startswith(b"#")


@pytest.fixture(scope="module")
def served(server, alice, healthy, tmp_path_factory):
    """A Letterlock with an account, and the doctor's words for it."""
    home = tmp_path_factory.mktemp("home")
    secret = home / "secret"
    secret.write_text(alice.password + "\n")
    secret.chmod(0o600)
    words = ["--dns", healthy.names.where, "--ca", server.ca_file, "--patience", "30", "--user", alice.address, "--imap",
             f"{server.hostname}:{server.ports['imaps']}", "--smtp", f"{server.hostname}:{server.ports['submissions']}", "--tls", "implicit",
             "--password-file", secret]
    return alice, words, home


def program(server, *words, home, input=None):
    done = subprocess.run([*hosts_file(server, home), *map(str, words)], input=input, capture_output=True, text=True, timeout=120, cwd=home,
                          env=environment(HOME=str(home), LANG="C.UTF-8", TERM="dumb"))
    assert done.returncode == 0, f"{words[0]}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def settings_of(name, words):
    done = doctor(*words, "--settings", name)
    assert done.returncode == 0 and done.stderr == b"", done
    return done.stdout.decode()


def test_msmtp_takes_its_settings(served, server):
    account, words, home = served
    (home / "msmtprc").write_text(settings_of("msmtp", words).replace("\nuser ", f"\npasswordeval cat {home}/secret\nuser "))
    (home / "msmtprc").chmod(0o600)
    program(server, "msmtp", "-C", home / "msmtprc", account.address, home=home, input=f"From: {account.address}\nSubject: settings\n\nHi.\n")


def test_mbsync_takes_its_settings(served, server):
    account, words, home = served
    (home / "Mail" / account.address).mkdir(parents=True)
    (home / "mbsyncrc").write_text(settings_of("mbsync", words).replace("\nUser ", f'\nPassCmd "cat {home}/secret"\nUser '))
    program(server, "mbsync", "-c", home / "mbsyncrc", "-a", home=home)
    assert (home / "Mail" / account.address / "INBOX" / "cur").is_dir()


def test_neomutt_takes_its_settings(served, server):
    account, words, home = served
    text = settings_of("neomutt", words)
    (home / "neomuttrc").write_text(f'{text}set imap_pass = "`cat {home}/secret`"\nset smtp_pass = "`cat {home}/secret`"\n'
                                    f"set header_cache = ''\nset copy = no\nset certificate_file = ''\n")
    program(server, "neomutt", "-F", home / "neomuttrc", "-s", "by neomutt", account.address, home=home, input="Hi.\n")


# --------------------------------------------------------------------------------------------- Letterlock's own story
def test_why_adds_what_the_server_knows(served, server):
    account, words, home = served
    if "--user" in words:
        words = [w for i, w in enumerate(words) if w != "--user" and words[i - 1] != "--user"]
    wrong = home / "wrong"
    wrong.write_text("not-this-one-at-all\n")
    wrong.chmod(0o600)
    words = [str(wrong) if w == home / "secret" else w for w in words]
    done = doctor(account.address, *words, "--why", "--dir", server.dir)
    text = done.stdout.decode()
    assert done.returncode == 1 and "letterlock why" in text and "UTC" in text.split("letterlock why")[1], text
    answer = json.loads(doctor(account.address, *words, "--why", "--dir", server.dir, "--json").stdout)
    assert answer["why"] and answer["verdict"]["kind"] == "trouble"
    assert any(s["standing"]["letterlock"] for s in answer["servers"])
    for leave, told in (("yes", True), ("no", False)):
        code, shown = terminal([account.address, *words, "--dir", server.dir], [("Show what it knows", leave)])
        assert code == 1 and ("letterlock why" in shown) is told, shown


# ----------------------------------------------------------------------------------------------------- again and again
def test_watching_ends_when_it_is_told(healthy):
    """While it writes and waits, a signal is an orderly end: the outcome is the last line."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen([str(COMMAND), "doctor", *healthy.words, "--no-password", "--watch", "--every", "1 h", "--json"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment()) as process:
            assert "verdict" in json.loads(process.stdout.readline())
            process.send_signal(number)
            rest, err = process.communicate(timeout=120)
        assert process.returncode == 0 and json.loads(rest) == {"ok": True} and err == b""


def test_watching_tells_changes(healthy):
    with subprocess.Popen([str(COMMAND), "doctor", *healthy.signed, "--watch", "--every", "1 s", "--json"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment()) as process:
        first = json.loads(process.stdout.readline())
        assert first["verdict"]["kind"] == "healthy"
        healthy.imap_speaks.mechanisms = "LOGIN"
        end = threading.Timer(120, process.kill)
        end.start()
        try:  # a machine that is busy may be told of besides, and the change may fall into the middle of a look
            changes = map(json.loads, iter(process.stdout.readline, b""))
            change = next(c for c in changes if c["server"].startswith(HOSTS["imap"]) and c["change"] in ("fact", "new"))
        finally:
            healthy.imap_speaks.mechanisms = Imap.mechanisms
            end.cancel()
        process.send_signal(signal.SIGTERM)
        rest, err = process.communicate(timeout=120)
    assert change["says"]["zh"], change
    assert err == b""


def test_a_batch_is_checked_in_the_order_of_the_file(healthy, tmp_path):
    rows = tmp_path / "rows"
    rows.write_text(f"# a comment\n\nimaps://{HOSTS['imap']}:{healthy.ports['imap']}\nimaps://127.0.0.1:1\n"
                    f"smtps://{HOSTS['smtp']}:{healthy.ports['smtp']}\n")
    done = doctor(*healthy.world, "--batch", rows, "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and [l.get("line") for l in lines] == [3, 4, 5, None]
    assert [l["fault"] for l in lines[:3]] == [False, True, False]
    assert lines[3] == {"checked": 3, "faults": 1, "wrong": 0, "ok": False}
    text = doctor(*healthy.world, "--batch", rows)
    shown = text.stdout.decode().splitlines()
    assert shown[0].startswith("ok ") and any(l.startswith("FAULT") for l in shown) and all(columns(l) <= 80 for l in shown)
    assert b"3 checked, 1 with a fault" in text.stderr
    code, seen = terminal([*healthy.world, "--batch", rows])
    assert code == 1 and "] 0/3" in seen and seen.rsplit("\r\033[K", 1)[1].count("]") == 0, seen
    rows.write_text(f"imaps://{HOSTS['imap']}:{healthy.ports['imap']}\n")
    assert doctor(*healthy.world, "--batch", rows).returncode == 0


def test_a_batch_finds_the_servers_of_domains_and_addresses(healthy, tmp_path):
    """By SRV records; whoever answers there, nobody signs in."""
    records = {("served.test", "*"): NODATA, (HOSTS["imap"], "A"): ["127.0.0.1"],
               ("_imaps._tcp.served.test", "SRV"): [f"0 1 {healthy.ports['imap']} {HOSTS['imap']}"]}
    rows = tmp_path / "rows"
    rows.write_text("served.test\nalice@served.test\nnowhere.test\n")
    with DnsServer(records) as names:
        done = doctor("--dns", names.where, "--ca", healthy.cabinet.ca_file, "--patience", "30", "--batch", rows, "--json")
    first, second, third, _ = [json.loads(line) for line in done.stdout.splitlines()]
    assert b"postmaster" not in done.stdout + done.stderr
    for line in (first, second):
        assert [s["server"] for s in line["servers"]] == [f"{HOSTS['imap']}:{healthy.ports['imap']}"], line
        assert line["servers"][0]["standing"]["greeted"] and not line["servers"][0]["standing"]["tried"]
    assert third["fault"] and third["verdict"]["cause"] == "dns"


@pytest.mark.parametrize("content, line", [
    ("# x\nnot a server\n", 2), ("ftp://a.test\n", 1), ("a.test:1\n", 1), ("\n\n@\n", 3), ("\xff\n", 1), ("nodot\n", 1), ("a.test\0\n", 1),
    ("alice@\n", 1), ("alice@nodot\n", 1), ("imaps://\n", 1), ("x" * 5000 + ".test\n", 1), ("\x1b[2J\n", 1)])
def test_a_wrong_line_is_told_with_its_number(tmp_path, content, line):
    rows = tmp_path / "rows"
    rows.write_text(content, encoding="latin-1")
    done = doctor("--batch", rows)
    words = " ".join(done.stdout.decode().split())
    assert done.returncode == 65 and f"rows:{line} is no address, domain or server" in words, done
    assert all(columns(shown) <= 80 for shown in done.stdout.decode().splitlines()) and b"\x1b" not in done.stdout
    assert b"0 checked" in done.stderr and b"1; write alice@example.org" in done.stderr
    told, last = map(json.loads, doctor("--batch", rows, "--json").stdout.splitlines())
    assert told["line"] == line and told["fault"] and told["error"]["code"] == "data" and told["error"]["remedy"]
    assert last == {"checked": 0, "faults": 0, "wrong": 1, "ok": False}


def test_wrong_lines_do_not_keep_the_others_from_being_checked(healthy, tmp_path):
    """Neither do the mark of Windows editors, its line ends, or a last line without one."""
    rows = tmp_path / "rows"
    server = f"imaps://{HOSTS['imap']}:{healthy.ports['imap']}"
    rows.write_bytes(f"\ufeff{server}\r\n\r\nwhat is this\r\n{server}".encode())
    done = doctor(*healthy.world, "--batch", rows, "--json")
    *lines, last = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 65 and [(l["line"], l["fault"]) for l in lines] == [(1, False), (3, True), (4, False)]
    assert last == {"checked": 2, "faults": 0, "wrong": 1, "ok": False}


@pytest.mark.parametrize("content, says", [
    (b"a.test\n" * 10001, "more than 10000 lines"), (b"#" * (4 << 20) + b"\n", "larger than 4 MiB"), (b"", "nothing to check"),
    (b"# only this\n", "nothing to check")], ids=["many", "large", "empty", "comments"])
def test_files_of_a_batch_are_bounded(tmp_path, content, says):
    rows = tmp_path / "rows"
    rows.write_bytes(content)
    done = doctor("--batch", rows)
    assert done.returncode == 65 and says.encode() in done.stderr and done.stdout == b"", done
    assert doctor("--batch", tmp_path).returncode == 74 and doctor("--batch", "/dev/null").returncode == 65


# ------------------------------------------------------------------------------------------------------------- report
def test_the_report_takes_only_its_own_place(broken, tmp_path):
    path = tmp_path / "report.html"
    for _ in range(2):
        assert doctor(*broken.signed, "--report", path).returncode == 1
        text = path.read_text()
        assert HOSTS["imap"] in text and path.stat().st_mode & 0o777 == 0o600
    other = tmp_path / "letter.txt"
    other.write_text("Dear Bob")
    done = doctor(*broken.signed, "--report", other)
    assert done.returncode == 73 and other.read_text() == "Dear Bob"
    assert doctor(*broken.signed, "--report", tmp_path / "no" / "folder.html").returncode in (67, 74)
    assert [p.name for p in tmp_path.iterdir() if p.name not in ("report.html", "letter.txt")] == []
