"""The `letterlock` command for credentials: what is shown once and in which forms, limits as flags, changing, rotating,
audits, tokens, certificates, resets, policies, factors, and new keys for the vault."""
import base64
import fcntl
import hashlib
import hmac
import html.parser
import imaplib
import json
import os
import plistlib
import pty
import re
import select
import struct
import subprocess
import termios
import time
import urllib.parse
import xml.etree.ElementTree as xml

import pytest

from lib.mail import deliver, imap, message
from lib.server import COMMAND, ROOT, Account, threat, wait_until

ACCOUNTS = ("alice", "bob")
DARK = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


# -- QR codes: read back by another program --------------------------------------------------------------------------------
def half_blocks(text):
    """The rows of the QR code in what a terminal got."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\r", "")
    rows = [line for line in plain.split("\n") if len(line) > 20 and set(line) <= set(DARK)]
    assert rows and len({len(r) for r in rows}) == 1, plain
    return rows


def decode_qr(rows, tmp_path, inverted=False):
    """Draws what is seen, two modules a sign, and has zbarimg read it: QR codes alone, since it finds bars in some of them. What it
    can't find at one size it may at another."""
    for scale in (4, 3, 6, 8):
        pixels = []
        for row in rows:
            for half in (0, 1):
                line = bytes(255 if (DARK[c][half] ^ inverted) == 0 else 0 for c in row for _ in range(scale))
                pixels += [line] * scale
        image = tmp_path / "code.pgm"
        image.write_bytes(b"P5 %d %d 255\n" % (len(rows[0]) * scale, len(pixels)) + b"".join(pixels))
        done = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(image)], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.rstrip("\n")
    raise AssertionError(f"no QR code: {done.stderr}")


def on_terminal(server, *words, env=None, columns=0):
    """What a person at a terminal sees."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.environ.update({"LANG": "C.UTF-8", "TERM": "xterm", "LETTERLOCK_DIR": str(server.dir), **(env or {})})
        os.execv(str(COMMAND), [str(COMMAND), *words])
    seen = b""
    while select.select([fd], [], [], 120)[0]:
        try:
            chunk = os.read(fd, 65536)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, seen.decode()
    return seen.decode()


def shown_password(text):
    return re.search(r"Password:\s+(?:\x1b\[1m)?([a-z0-9-]+)", text)[1]


def test_a_qr_code_is_read_by_another_program(server, alice, tmp_path):
    text = server.run("client", "add", alice.address, "phone", "--qr").stdout
    rows = half_blocks(text)
    assert decode_qr(rows, tmp_path) == shown_password(text)
    quiet = rows[:2] + rows[-2:]
    assert all(set(r) == {" "} for r in quiet) and all(r[:4] == r[-4:] == "    " for r in rows), "four modules of quiet zone"
    assert max(len(r) for r in rows) <= 80
    imap(server, Account(alice.address, shown_password(text))).logout()


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}])
def test_on_a_terminal_it_brings_its_own_colours(server, alice, tmp_path, env):
    """Black on white by escapes, so that a dark terminal shows it as a light one does."""
    text = on_terminal(server, "client", "add", alice.address, "tablet", "--qr", env=env)
    lines = [l for l in text.replace("\r", "").split("\n") if "48;5;231" in l]
    assert lines and all(l.startswith("\x1b[38;5;16;48;5;231m") and l.endswith("\x1b[0m") for l in lines)
    assert decode_qr(half_blocks("\n".join(lines)), tmp_path) == shown_password(text)


# -- files for people --------------------------------------------------------------------------------------------------
class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words.append(data)


def test_a_code_wider_than_the_terminal_is_left_out(server, bob):
    """Broken over two lines it could not be scanned; the text is there, and what is missing is said."""
    for columns, whole in ((40, False), (80, True)):
        seen = on_terminal(server, "factor", "totp", bob.address, "narrow", columns=columns)
        assert re.search(r"typed instead:\s+(?:\x1b\[1m)?[A-Z2-7]{32}", seen), seen
        assert ("█" in seen) == whole and (re.search(r"needs \d+ columns, and this terminal has 40", seen) is None) == whole, seen
    seen = on_terminal(server, "client", "add", bob.address, "narrow", "--qr", columns=40)
    assert len(half_blocks(seen)[0]) <= 40


def test_files_hold_what_a_program_needs(server, tmp_path):
    server.run("account", "add", "erna@ours.test", "--no-password", "--name", "Erna <Q> & \"Söhne\"")
    files = {name: tmp_path / name for name in ("a.mobileconfig", "a.html", "a.xml")}
    made = server.json("client", "add", "erna@ours.test", "Erna's <phone>", "--mobileconfig", str(files["a.mobileconfig"]),
                       "--sheet", str(files["a.html"]), "--autoconfig", str(files["a.xml"]))
    for path in files.values():
        assert path.stat().st_mode & 0o7777 == 0o600, path
    # Apple's profile
    profile = plistlib.loads(files["a.mobileconfig"].read_bytes())
    mail = next(p for p in profile["PayloadContent"] if p["PayloadType"] == "com.apple.mail.managed")
    assert mail["IncomingPassword"] == made["secret"] and mail["OutgoingPasswordSameAsIncomingPassword"] is True
    assert (mail["IncomingMailServerHostName"], mail["IncomingMailServerPortNumber"]) == (server.hostname, server.ports["imaps"])
    assert (mail["OutgoingMailServerHostName"], mail["OutgoingMailServerPortNumber"]) == (server.hostname, server.ports["submissions"])
    assert mail["IncomingMailServerUseSSL"] is True and mail["OutgoingMailServerUseSSL"] is True
    assert mail["EmailAccountName"] == "Erna <Q> & \"Söhne\"" and mail["EmailAddress"] == "erna@ours.test"
    root = next(p for p in profile["PayloadContent"] if p["PayloadType"] == "com.apple.security.root")
    pem = open(server.ca_file).read()
    assert root["PayloadContent"] == base64.b64decode("".join(pem.split("-----")[2].split()))
    ids = [profile["PayloadUUID"], *(p["PayloadUUID"] for p in profile["PayloadContent"])]
    assert len(set(ids)) == 3 and all(re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", i) for i in ids)
    # a page to print
    text = files["a.html"].read_text(encoding="utf-8")
    page = Page(text)
    words = " ".join(page.words)
    assert made["secret"] in words and "Erna's <phone>" in words and "Outlook" in words and "Thunderbird" in words
    for setting in made["settings"]:
        if setting["security"] == "SSL/TLS":
            assert str(setting["port"]) in words
    assert not {"script", "img", "link", "iframe", "form", "a"} & set(page.tags)
    assert not [a for a, v in page.attributes if a.startswith("on") or a in ("src", "href")]
    assert "default-src 'none'" in text and "@page" in text and '<html lang="en">' in text
    # Thunderbird's settings
    tree = xml.parse(files["a.xml"])
    assert tree.getroot().tag == "clientConfig" and tree.getroot().get("version") == "1.1"
    servers = {(s.get("type"), s.findtext("port"), s.findtext("socketType")) for s in tree.iter() if s.tag.endswith("Server")}
    assert ("imap", str(server.ports["imaps"]), "SSL") in servers and ("smtp", str(server.ports["submissions"]), "SSL") in servers
    assert made["secret"] not in files["a.xml"].read_text() and tree.find("emailProvider").get("id") == "ours.test"


def test_the_page_speaks_the_accounts_language(server, tmp_path):
    server.run("account", "add", "zhang@ours.test", "--no-password", "--language", "zh", "--name", "张三")
    page = tmp_path / "page.html"
    server.run("client", "add", "zhang@ours.test", "手机", "--sheet", str(page))
    text = page.read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in text and "这个密码只供" in text and "手机" in text and "Thunderbird" in text


def test_files_overwrite_nothing_and_then_nothing_is_made(server, bob, tmp_path):
    there = tmp_path / "there.html"
    there.write_text("mine")
    before = len(server.json("client", "list", bob.address)["items"])
    link = tmp_path / "link.html"
    link.symlink_to(tmp_path / "target.html")
    for path in (there, link):
        done = server.run("client", "add", bob.address, "x", "--sheet", str(path), check=False)
        assert done.returncode == 73 and "never overwritten" in done.stderr, done.stderr
    half = server.run("client", "add", bob.address, "x", "--send", "--mobileconfig", str(tmp_path / "p"), check=False)
    assert half.returncode == 64 and "--sheet" in half.stderr
    assert there.read_text() == "mine" and not (tmp_path / "target.html").exists()
    assert len(server.json("client", "list", bob.address)["items"]) == before
    gone = server.run("client", "add", bob.address, "x", "--sheet", str(tmp_path / "no" / "where.html"), check=False)
    assert gone.returncode == 74 and "the password is made" in gone.stderr


def test_a_profile_of_a_rotated_password_replaces_the_older_one(server, bob, tmp_path):
    one, two = tmp_path / "1", tmp_path / "2"
    made = server.json("client", "add", bob.address, "mac", "--mobileconfig", str(one))
    server.json("client", "rotate", bob.address, str(made["credential"]), "--mobileconfig", str(two))
    first, second = (plistlib.loads(p.read_bytes()) for p in (one, two))
    assert first["PayloadContent"][0]["IncomingPassword"] != second["PayloadContent"][0]["IncomingPassword"]


# -- limits ------------------------------------------------------------------------------------------------------------
def test_every_limit_of_the_table_is_a_flag_with_help(server, bob):
    text = server.run("client", "add", "--help").stdout
    kinds = re.findall(r"^  ([a-z-]+)=(.*?)(?:  |$)", text.split("Limits")[1].split("Examples")[0], re.M)
    assert len(kinds) >= 16
    for name, example in kinds:
        value = example.split("|")[0].strip()
        made = server.json("client", "add", bob.address, f"limit {name}", "--limit", f"{name}={value}")
        item = server.json("client", "show", bob.address, str(made["credential"]))["client"]
        assert item["limits"].startswith(f"{name}="), item
        server.run("client", "remove", bob.address, str(made["credential"]))
    completion = server.run("completion", "bash").stdout
    assert all(f"{name}=" in completion for name, _ in kinds)


def test_bash_completes_commands_flags_and_limits(server, tmp_path):
    script = tmp_path / "letterlock.bash"
    script.write_text(server.run("completion", "bash").stdout)

    def offered(*words):
        line = " ".join(f"'{w}'" for w in words)
        return subprocess.run(["bash", "-c", f"source '{script}'; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _letterlock; "
                               'echo "${COMPREPLY[@]}"'], capture_output=True, text=True, check=True).stdout.split()
    assert {"client", "token", "policy", "factor", "vault", "batch", "password"} <= set(offered("letterlock", ""))
    assert {"add", "change", "rotate", "thaw", "audit"} <= set(offered("letterlock", "client", ""))
    assert {"--limit", "--qr", "--mobileconfig", "--canary"} <= set(offered("letterlock", "client", "add", "a@b.test", "x", "--"))
    assert {"network=", "access=read-only", "access=append-only", "days=", "attachments=none"} <= set(
        offered("letterlock", "client", "add", "a@b.test", "x", "--limit", ""))
    assert offered("letterlock", "client", "add", "a@b.test", "x", "--door", "") == ["imap", "pop3", "smtp", "api"]
    assert "key" in offered("letterlock", "batch", "") and "open" in offered("letterlock", "batch", "")


@pytest.mark.parametrize("page", ["credentials.md", "credentials.zh-CN.md"])
def test_the_documents_name_every_limit_rule_and_verb(server, page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    limits = re.findall(r"^  ([a-z-]+)=", server.run("client", "add", "--help").stdout, re.M)
    rules = [i["key"] for i in server.json("policy", "show")["items"]]
    verbs = ["create", "reset", "client", "revoke", "rotate", "lock", "unlock"]
    assert len(limits) >= 16 and len(rules) >= 12
    assert [name for name in limits + rules + verbs if f"`{name}`" not in text] == []


@pytest.mark.parametrize("limit", ["days=soon", "network=300.0.0.0/8", "hours=always", "access=all", "days=", "bytes-day=many"])
def test_a_wrong_limit_is_told_with_an_example(server, bob, limit):
    for lang, words in (("en", "is not understood"), ("zh", "无法理解")):
        done = server.run("client", "add", bob.address, "x", "--limit", limit, "--lang", lang, check=False)
        assert done.returncode == 64 and words in done.stderr and limit.split("=")[0] + "=" in done.stderr.split("\n")[1]
    unknown = server.run("client", "add", bob.address, "x", "--limit", "colour=red", check=False)
    assert unknown.returncode == 64 and "network" in unknown.stderr and "messages-day" in unknown.stderr


def test_a_password_that_opens_nothing_is_not_made(server, bob):
    before = len(server.json("client", "list", bob.address)["items"])
    for words in (["--receive", "--door", "smtp"], ["--send", "--door", "imap", "--door", "pop3"]):
        done = server.run("client", "add", bob.address, "x", *words, check=False)
        assert done.returncode == 64 and "open nothing" in done.stderr and "--send with smtp" in done.stderr
    assert len(server.json("client", "list", bob.address)["items"]) == before
    number = str(server.json("client", "add", bob.address, "x", "--receive")["credential"])
    done = server.run("client", "change", bob.address, number, "--door", "smtp", check=False)
    assert done.returncode == 64 and "open nothing" in done.stderr
    assert server.json("client", "show", bob.address, number)["client"]["doors"] == "imap pop3 smtp"
    server.run("client", "change", bob.address, number, "--send", "--door", "smtp")
    server.run("client", "remove", bob.address, number)


def test_the_doors_that_are_shown_are_those_that_open(server, bob):
    """What is stored is for programs; people see what the password can be used for."""
    for flags, opens in ((["--send"], "smtp"), (["--receive"], "imap pop3"), (["--receive", "--door", "imap", "--door", "smtp"], "imap"),
                         (["--send", "--receive", "--door", "pop3", "--door", "smtp"], "pop3 smtp"), ([], "imap pop3 smtp")):
        number = str(server.json("client", "add", bob.address, "x", *flags)["credential"])
        for lang, heading in (("en", "Protocols"), ("zh", "协议")):
            shown = server.run("client", "show", bob.address, number, "--lang", lang).stdout
            assert re.search(rf"^{heading} +{opens}$", shown, re.M), (flags, shown)
        server.run("client", "remove", bob.address, number)
    number = str(server.json("client", "add", bob.address, "x", "--send")["credential"])
    item = server.json("client", "show", bob.address, number)["client"]
    assert (item["doors"], item["can_receive"], item["can_send"]) == ("imap pop3 smtp", False, True)
    server.run("client", "remove", bob.address, number)


def test_a_bait_is_told_as_one(server, bob):
    """Nobody is told to type a bait into a mail program."""
    for kind, label in (("client", "old letters"), ("token", "old token")):
        told = server.run(kind, "add", bob.address, label, "--canary").stdout
        number = re.search(rf"letterlock {kind} revoke {bob.address} (\d+)", told)[1]
        assert "It is a bait" in told and "mail program asks" not in told and "signs in with" not in told
        server.run("client", "remove", bob.address, number)


def test_what_is_not_there_is_told_with_the_list_to_look_at(server, bob):
    for words, remedy in ((["client", "revoke", bob.address, "4000000"], f"letterlock client list {bob.address}"),
                          (["token", "revoke", bob.address, "4000000"], f"letterlock token list {bob.address}"),
                          (["factor", "remove", bob.address, "4000000"], f"letterlock factor list {bob.address}"),
                          (["client", "add", "nobody@ours.test", "x"], "letterlock account list")):
        done = server.run(*words, check=False)
        assert done.returncode == 67 and remedy in done.stderr, done.stderr
    done = server.run("client", "add", "nobody@ours.test", "x", "--lang", "zh", check=False)
    assert done.returncode == 67 and "没有找到 nobody@ours.test：没有这个账户" in done.stderr
    done = server.run("policy", "set", "password_least", "many", check=False)
    assert done.returncode == 65 and '"letterlock help policy set"' in done.stderr
    done = server.run("directory", "test", bob.address, check=False)
    assert done.returncode == 65 and "not acceptable for directory test: " in done.stderr


def test_change_keeps_what_is_not_named(server, bob):
    made = server.json("client", "add", bob.address, "old", "--limit", "days=30", "--limit", "folder=Work",
                       "--network", "127.0.0.0/8,10.0.0.0/8", "--expires", "90 d")
    number = str(made["credential"])

    def lines():
        item = server.json("client", "show", bob.address, number)["client"]
        return item, sorted(item["limits"].split())
    before, first = lines()
    assert first == ["days=30", "folder=Work", "network=10.0.0.0/8", "network=127.0.0.0/8"]
    server.run("client", "change", bob.address, number, "--limit", "days=7", "--label", "new")
    after, second = lines()
    assert second == ["days=7", "folder=Work", "network=10.0.0.0/8", "network=127.0.0.0/8"]
    assert after["label"] == "new" and after["expires_s"] == before["expires_s"] and after["can_send"] == before["can_send"]
    server.run("client", "change", bob.address, number, "--no-limit", "network", "--no-expiry", "--receive", "--door", "imap")
    third, left = lines()
    assert left == ["days=7", "folder=Work"] and third["expires_s"] == 0
    assert (third["doors"], third["can_receive"], third["can_send"]) == ("imap", True, False)
    server.run("client", "change", bob.address, number, "--no-limit", "all")
    assert lines()[1] == []
    nothing = server.run("client", "change", bob.address, number, check=False)
    assert nothing.returncode == 64 and "nothing to change" in nothing.stderr
    wrong = server.run("client", "change", bob.address, number, "--no-limit", "colour", check=False)
    assert wrong.returncode == 64
    assert server.run("client", "change", bob.address, "99999", "--no-expiry", check=False).returncode == 67


# -- the life of a secret ------------------------------------------------------------------------------------------------
def test_rotate_gives_a_new_secret_under_the_same_limits(server, bob):
    made = server.json("client", "add", bob.address, "laptop", "--receive", "--limit", "access=read-only")
    new = server.json("client", "rotate", bob.address, str(made["credential"]))
    assert new["secret"] != made["secret"] and [s["door"] for s in new["settings"]] == [s["door"] for s in made["settings"]]
    imap(server, Account(bob.address, new["secret"])).logout()
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, Account(bob.address, made["secret"]))
    item = server.json("client", "show", bob.address, str(new["credential"]))["client"]
    assert item["limits"].split() == ["access=read-only"] and item["label"] == "laptop" and not item["can_send"]
    graceful = server.json("client", "rotate", bob.address, str(new["credential"]), "--grace", "1 h")
    for secret in (new["secret"], graceful["secret"]):
        imap(server, Account(bob.address, secret)).logout()
    text = server.run("client", "rotate", bob.address, str(graceful["credential"])).stdout
    assert "has a new secret" in text and "Incoming mail (IMAP)" in text and "Outgoing" not in text


def test_tokens_are_listed_apart_and_end(server, bob):
    made = server.json("token", "add", bob.address, "newsletter", "--send", "--expires", "30 d")
    tokens = server.json("token", "list", bob.address)["items"]
    assert [t["label"] for t in tokens] == ["newsletter"] and tokens[0]["kind"] == "token"
    assert made["credential"] not in [c["credential"] for c in server.json("client", "list", bob.address)["items"]]
    assert "revoked" in server.run("token", "revoke", bob.address, str(made["credential"])).stdout
    assert server.json("token", "list", bob.address)["items"][0]["status"] == "revoked"


def test_a_certificate_signs_in_without_a_password(server, bob, tmp_path):
    pem = tmp_path / "client.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
                    "-subj", "/CN=bob", "-keyout", str(tmp_path / "key.pem"), "-out", str(pem)], check=True, capture_output=True)
    made = server.json("client", "add", bob.address, "cron job", "--certificate", str(pem))
    assert "secret" not in made
    assert server.json("client", "show", bob.address, str(made["credential"]))["client"]["kind"] == "certificate"
    key = server.run("client", "add", bob.address, "x", "--certificate", str(tmp_path / "key.pem"), check=False)
    assert key.returncode == 65 and "not its key" in key.stderr
    both = server.run("client", "add", bob.address, "x", "--certificate", str(pem), "--cram-md5", check=False)
    assert both.returncode == 64


def test_audit_sorts_by_risk_and_says_what_was_found(server):
    server.run("account", "add", "carl@ours.test", "--no-password")
    wide = server.json("client", "add", "carl@ours.test", "everything")["credential"]
    narrow = server.json("client", "add", "carl@ours.test", "scanner", "--send", "--network", "127.0.0.0/8", "--limit", "recipient=@ours.test",
                         "--limit", "sender=carl@ours.test", "--limit", "messages-day=5", "--expires", "60 d")["credential"]
    bait = server.json("client", "add", "carl@ours.test", "bait", "--canary")["credential"]
    done = server.run("client", "audit", "carl@ours.test", "--json", check=False)
    assert done.returncode == 1  # something is wide
    found = json.loads(done.stdout)
    assert found["ok"] is True and [i["credential"] for i in found["items"]] == [wide, narrow, bait]
    by = {i["credential"]: i for i in found["items"]}
    assert by[wide]["risk"] > 80 > by[narrow]["risk"] > by[bait]["risk"] == 0
    assert "wide" in by[wide]["findings"] and by[bait]["findings"] == ["canary"] and by[narrow]["findings"] == []
    assert found["totals"]["all"] == 3 and found["totals"]["wide"] == 1 and found["totals"]["canary"] == 1
    wide_only = json.loads(server.run("client", "audit", "carl@ours.test", "--wide", "--json", check=False).stdout)
    assert [i["credential"] for i in wide_only["items"]] == [wide]
    stale = server.run("client", "audit", "carl@ours.test", "--stale", "--json")
    assert json.loads(stale.stdout)["items"] == []
    server.run("client", "revoke", "carl@ours.test", str(wide))
    assert server.run("client", "audit", "carl@ours.test").returncode == 0
    for lang, words in (("en", "sends mail in the owner's name"), ("zh", "以本人名义发信")):
        text = server.run("client", "audit", "ours.test", "--lang", lang, check=False).stdout
        assert words in text.replace("\n      ", "" if lang == "zh" else " ")
        assert all(len(l) <= 80 for l in text.split("\n"))
    assert server.run("client", "audit", "nobody@ours.test", check=False).returncode == 67


# -- mailbox passwords, policies, factors, keys -----------------------------------------------------------------------------
GOOD, BETTER = "gravel umbrella Tuesday 41", "quiet harbour lantern 77 moss"


def test_a_reset_code_is_the_owners_way_to_a_new_password(server):
    server.run("account", "add", "dora@ours.test", "--no-password")
    begun = time.time()
    made = server.json("account", "reset", "dora@ours.test", "--life", "1 h")
    assert int(begun) <= made["expires_s"] - 3600 <= time.time()
    used = server.run("account", "password", "dora@ours.test", "--code", input=f"{made['code']}\n{GOOD}\n")
    assert "has a new mailbox password" in used.stdout
    again = server.run("account", "password", "dora@ours.test", "--code", input=f"{made['code']}\n{BETTER}\n", check=False)
    assert again.returncode == 77, again.stderr
    over = server.run("account", "password", "dora@ours.test", input=f"{BETTER}\n", check=False)
    assert over.returncode == 77, "an administrator sets no password over another one"
    wrong = server.run("account", "password", "dora@ours.test", "--old", input=f"{BETTER}\n{BETTER}\n", check=False)
    assert wrong.returncode == 77
    server.run("account", "password", "dora@ours.test", "--old", input=f"{GOOD}\n{BETTER}\n")
    both = server.run("account", "password", "dora@ours.test", "--old", "--code", check=False)
    assert both.returncode == 64
    text = server.run("account", "reset", "dora@ours.test").stdout
    assert "letterlock account password dora@ours.test --code" in text
    assert server.run("account", "reset", "nobody@ours.test", check=False).returncode == 67


def test_a_password_is_judged_in_colours(server):
    bad = server.run("password", "check", "alice@ours.test", input="password1234\n", check=False)
    assert bad.returncode == 1 and bad.stdout.startswith("red")
    good = server.run("password", "check", "alice@ours.test", "--json", input="correct gravel umbrella, 41 moss\n")
    assert json.loads(good.stdout)["report"]["colour"] == "green"


def test_a_no_is_an_answer_for_programs_as_well(server, bob, tmp_path):
    """--json always holds "ok": true where the question was answered, whatever the answer; that is in the exit code, too."""
    words = tmp_path / "words.txt"
    words.write_text("password1234\n")
    server.run("breach", "build", str(words))
    server.run("client", "add", bob.address, "wide")
    for words, typed in ((["client", "test", bob.address], "wrong"), (["password", "check", bob.address], "password1234"),
                         (["breach", "check", "--password"], "password1234"), (["client", "audit", bob.address], "")):
        done = server.run(*words, "--json", input=typed + "\n", check=False)
        assert done.returncode == 1 and json.loads(done.stdout)["ok"] is True, (words, done)
    (server.dir / "vault/breached.filter").unlink()


def test_policies_come_from_the_nearest_place(server):
    server.run("policy", "set", "password_least", "14")
    server.run("policy", "set", "password_least", "16", "--group", "staff")
    server.run("account", "group", "alice@ours.test", "staff")

    def least(*words):
        return next((i["value"], i["source"]) for i in server.json("policy", "show", *words)["items"] if i["key"] == "password_least")
    assert least("alice@ours.test") == ("16", "group staff")
    assert least("bob@ours.test") == ("14", "everybody")
    assert least("--domain", "ours.test")[0] == "14"
    server.run("policy", "set", "password_least", "inherit", "--group", "staff")
    assert least("alice@ours.test") == ("14", "everybody")
    server.run("policy", "set", "password_least", "inherit")
    assert least("alice@ours.test")[1] == "preset"
    server.run("account", "group", "alice@ours.test")
    assert server.run("policy", "set", "password_colour", "red", check=False).returncode == 67
    assert server.run("policy", "set", "password_least", "many", check=False).returncode == 65
    assert server.run("policy", "set", "password_least", "14", "--group", "a", "--domain", "b.test", check=False).returncode == 64
    assert "Rule" in server.run("policy", "show").stdout and "规则" in server.run("policy", "show", "--lang", "zh").stdout


def totp(secret, at=None):
    """RFC 6238 by Python's own means."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int((at or time.time()) // 30)), hashlib.sha1).digest()
    offset = mac[-1] & 15
    return "%06d" % ((struct.unpack(">I", mac[offset:offset + 4])[0] & 0x7fffffff) % 1000000)


def no_totp(secret):
    """A code of no step around now."""
    right = {totp(secret, time.time() + 30 * step) for step in range(-10, 11)}
    return next(code for i in range(100) if (code := f"{i:06d}") not in right)


def test_an_authenticator_is_enrolled_from_the_qr_code(server, tmp_path):
    text = server.run("factor", "totp", "alice@ours.test", "phone").stdout
    uri = decode_qr(half_blocks(text), tmp_path)
    parts = urllib.parse.urlsplit(uri)
    secret = urllib.parse.parse_qs(parts.query)["secret"][0]
    assert parts.scheme == "otpauth" and parts.netloc == "totp" and "alice@ours.test" in urllib.parse.unquote(parts.path)
    factors = server.json("factor", "list", "alice@ours.test")["items"]
    assert [f["status"] for f in factors] == ["pending"]
    number = str(factors[0]["factor"])
    wrong = server.run("factor", "confirm", "alice@ours.test", number, input=no_totp(secret) + "\n", check=False)
    assert wrong.returncode != 0
    assert server.run("factor", "confirm", "alice@ours.test", number, input=totp(secret) + "\n").returncode == 0
    codes = server.json("factor", "recovery", "alice@ours.test")["codes"]
    assert len(codes) >= 8 and len(set(codes)) == len(codes)
    kinds = {f["kind"]: f for f in server.json("factor", "list", "alice@ours.test")["items"]}
    assert kinds["totp"]["status"] == "live" and kinds["recovery"]["left"] == len(codes)
    shown = {row.split()[1]: row for row in server.run("factor", "list", "alice@ours.test").stdout.splitlines()[1:]}
    assert re.search(r"phone +live +-  ", shown["totp"]), shown  # of an authenticator nothing is used up
    assert re.search(rf"live +{len(codes)}  ", shown["recovery"]), shown
    server.run("factor", "remove", "alice@ours.test", number)
    assert "totp" not in [f["kind"] for f in server.json("factor", "list", "alice@ours.test")["items"]]


def test_new_keys_for_the_vault_leave_every_password_good(server, alice):
    made = server.add_client(alice.address)
    before = {p.name: p.read_bytes() for p in (server.dir / "vault/keys").iterdir()}
    done = server.run("vault", "rotate")
    assert "new keys" in done.stdout
    after = {p.name: p.read_bytes() for p in (server.dir / "vault/keys").iterdir()}
    assert before != after
    imap(server, Account(alice.address, made)).logout()
    imap(server, alice).logout()
    assert json.loads(server.run("vault", "rotate", "clients", "--json").stdout)["ok"] is True
    imap(server, Account(alice.address, made)).logout()
    assert server.run("vault", "rotate", "mail", check=False).returncode == 64


# -- addresses that rest ---------------------------------------------------------------------------------------------------
def test_a_given_up_address_rests(server):
    """T-261: nobody gets the address of a removed account, or a removed alias, until it has rested or is released; and whoever
    gets it then finds nothing of its owner of before."""
    gone = Account("gone@ours.test", None)
    server.run("account", "add", gone.address, "--no-password")
    gone = Account(gone.address, server.add_client(gone.address))
    server.run("alias", "add", "news@ours.test", "gone+news@ours.test")
    deliver(server, "x@their.test", ["news@ours.test"], message("x@their.test", "news@ours.test")[1])
    assert imap(server, gone).select("INBOX")[1] == [b"1"]
    server.run("account", "remove", gone.address, "--yes")
    cases = 0
    for words in (("account", "add", "Gone@OURS.test", "--no-password"), ("alias", "add", "gone@ours.test", "bob@ours.test"),
                  ("account", "add", "news@ours.test", "--no-password"), ("alias", "add", "News@ours.test", "bob@ours.test")):
        for lang, told, until in (("en", "cannot be given away yet", "rests until 2"), ("zh", "还不能重新分配", "停用期至 2")):
            done = server.run(*words, "--lang", lang, check=False)
            assert done.returncode == 73 and told in done.stderr and until in done.stderr, done
            assert "letterlock address release" in done.stderr
            cases += 1
    items = {i["address"]: i for i in server.json("address", "resting", "ours.test")["items"]}
    assert set(items) == {"gone@ours.test", "news@ours.test"}
    assert all(i["until_s"] - i["left_s"] == 180 * 86400 for i in items.values())
    assert server.json("address", "resting", "nothere.test")["items"] == []
    server.run("address", "release", "GONE@ours.test")
    done = server.run("address", "release", "gone@ours.test", check=False)
    assert done.returncode == 67
    server.run("account", "add", gone.address, "--no-password")
    new = Account(gone.address, server.add_client(gone.address))
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, gone)
    session = imap(server, new)
    assert session.select("INBOX")[1] == [b"0"]
    session.logout()
    assert "news@ours.test" not in server.run("alias", "list").stdout
    assert len(server.json("client", "list", new.address)["items"]) == 1
    threat("T-261", cases + 7)


def test_an_administrator_demands_another_mailbox_password(server):
    """It opens nothing but its own change; whoever has none cannot be asked to change it."""
    server.run("account", "add", "demanded@ours.test", input="quiet lantern 42 Bridge\n")
    server.run("account", "password", "demanded@ours.test", "--must-change")
    done = server.run("client", "test", "demanded@ours.test", "--door", "imap", input="quiet lantern 42 Bridge\n", check=False)
    assert done.returncode == 1
    server.run("policy", "set", "mailbox_password_imap", "allowed", "--domain", "ours.test")
    done = server.run("client", "test", "demanded@ours.test", "--door", "imap", input="quiet lantern 42 Bridge\n", check=False)
    assert done.returncode == 1 and "its owner must change it first" in done.stdout + done.stderr
    server.run("account", "password", "demanded@ours.test", "--old", input="quiet lantern 42 Bridge\nwooden 77 Fjord lamp\n")
    server.run("client", "test", "demanded@ours.test", "--door", "imap", input="wooden 77 Fjord lamp\n")
    server.run("policy", "set", "mailbox_password_imap", "inherit", "--domain", "ours.test")
    server.run("account", "add", "undemanded@ours.test", "--no-password")
    done = server.run("account", "password", "undemanded@ours.test", "--must-change", check=False)
    assert done.returncode == 65 and "no mailbox password" in done.stderr
    done = server.run("account", "password", "demanded@ours.test", "--must-change", "--old", check=False)
    assert done.returncode == 64


def test_a_program_that_introduces_itself_after_signing_in(server):
    """As most do: its name stands with the last use of its password all the same; only the first one of a session counts."""
    made = server.json("client", "add", "bob@ours.test", "introduced")
    session = imap(server, Account("bob@ours.test", made["secret"]))
    session.xatom("ID", '("name" "Brief" "version" "7.2")')
    session.xatom("ID", '("name" "another")')

    def program():
        return next(i["last_program"] for i in server.json("client", "list", "bob@ours.test")["items"]
                    if i["credential"] == made["credential"])
    wait_until(lambda: program() == "Brief 7.2", 60, "the program's name")
    session.logout()
    assert program() == "Brief 7.2"
