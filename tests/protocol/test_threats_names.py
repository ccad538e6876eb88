"""T-259 and T-262: names do not depend on a locale, and text that reorders or hides itself is never printed raw."""
import concurrent.futures
import os
import pathlib
import subprocess

import pytest

from lib.mail import imap, message
from lib.raw import Imap, Smtp
from lib.server import Server, threat

CONFIG = "connections_per_network = 1000"

# embeddings, isolates, joiners and marks, separators, fillers, tags: what moves or hides other text
HIDING = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF, 0x061C, 0x180E,
          0x00AD, 0x2028, 0x2029, 0xFFF9, 0xFFFA, 0xFFFB, 0x115F, 0x3164, 0xE0001, 0xE0020, 0xE0041, 0xE007F, 0x206A, 0x206F]


# ------------------------------------------------------------------------------------------------------------- T-262
def use_everywhere(server, account, code):
    """One such character in a label, a name, programs and a folder. The session that it leaves open is given back."""
    mark = f"x{code:05x}"
    text = f"{mark}{chr(code)}gpj.exe"
    for words in (("client", "add", account.address, text), ("account", "add", f"n{code:05x}@ours.test", "--no-password", "--name", text)):
        done = server.run(*words, check=False)
        assert chr(code) not in done.stdout + done.stderr, words
    with Smtp(server, "submissions") as c:
        c.cmd(f"EHLO {text}".encode())
        c.auth_plain(account.address, "wrong " + mark)
    c = Imap(server)
    c.cmd(f'ID ("name" "{text}")'.encode())
    c.cmd(f"LOGIN {account.address} wrong{mark}")
    assert c.cmd(f"LOGIN {account.address} {account.password}")[0] == "OK"
    c.cmd(b"CREATE {%d+}\r\n%s" % (len(text.encode()), text.encode()))
    return c


def test_text_that_hides_is_escaped(server, alice):
    """In names, labels, programs and folders: what the command and the log print holds none of these characters."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        sessions = list(pool.map(lambda code: use_everywhere(server, alice, code), HIDING))
    cases = 0
    for words in (("client", "list", alice.address), ("account", "list"), ("why", alice.address, "--count", "1000"), ("status",),
                  ("client", "audit")):
        out = server.run(*words, check=False).stdout
        assert out, words
        for ch in map(chr, HIDING):
            assert ch not in out, (hex(ord(ch)), words, [l for l in out.splitlines() if ch in l][:2])
            cases += 1
    for c in sessions:
        c.close()
    text = server.log_text()
    for code in HIDING:
        assert chr(code) not in text, hex(code)
        cases += 1
    threat("T-262", cases)


# ------------------------------------------------------------------------------------------------------------- T-259
LOCALES = {"C": None, "tr_TR.UTF-8": ("tr_TR", "UTF-8"), "az_AZ.UTF-8": ("az_AZ", "UTF-8"), "de_DE.ISO-8859-1": ("de_DE", "ISO-8859-1"),
           "ja_JP.SJIS": ("ja_JP", "SHIFT_JIS")}


@pytest.fixture(scope="module")
def locales(tmp_path_factory):
    """The locales, compiled for this test alone."""
    folder = tmp_path_factory.mktemp("locales")
    folder.chmod(0o755)
    made = [subprocess.Popen(["localedef", "--no-archive", "-c", "-i", source[0], "-f", source[1], str(folder / name)],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for name, source in LOCALES.items() if source]
    for process in made:
        process.wait()
    assert all((folder / name / "LC_CTYPE").exists() for name, source in LOCALES.items() if source)
    return folder


def upper_i_is_dotted(folder, name):
    """The locale is what it says: this program's own case mapping follows it."""
    out = subprocess.run(["awk", 'BEGIN { print toupper("i") }'], capture_output=True,
                         env={"LC_ALL": name, "LOCPATH": str(folder), "PATH": os.environ["PATH"]}).stdout
    return out.strip() != b"I"


def dialogue(server, alice):
    """Commands, names and headers with i and I in both cases; all that is answered, without what differs by chance."""
    told = []
    with Imap(server, account=alice) as c:
        for command in ('list "" "inbox"', "select iNbOx", "status INBOX (uidnext unseen)", "noop", "uid search subject tItLe",
                        "fetch 1 body.peek[header.fields (mIme-versIon subject)]", "CREATE Iı", 'list "" "I*"'):
            told.append([line.split(" ", 1)[-1] for line in c.cmd(command.encode())[1] if "UIDVALIDITY" not in line])
        assert c.cmd("idle")[0] == "+"
        c.send("done\r\n")
        told.append(c.until(f"t{c.count}")[0])
    with Smtp(server) as c:
        told += [c.cmd(w)[0] for w in ("ehlo x.test", "mail from:<i@their.test>", f"rcpt to:<{alice.address.upper()}>", "data")]
        c.send("Subject: i\r\n\r\nI\r\n.\r\n")
        told += [c.reply()[0], c.cmd("quit")[0]]
    return told


def test_locales_change_nothing(locales):
    found = {}
    for name in LOCALES:
        old = dict(os.environ)
        os.environ.update({"LC_ALL": name, "LOCPATH": str(locales)})
        try:
            with Server.running(accounts=["alice"]) as server:
                alice = server.accounts["alice"]
                environ = pathlib.Path(f"/proc/{server.process.pid}/environ").read_bytes()
                assert f"LC_ALL={name}".encode() in environ
                client = imap(server, alice)
                _, data = message("i@their.test", alice.address, subject="TITLE title Iı", headers="MIME-Version: 1.0\r\n")
                assert client.append("INBOX", None, None, data)[0] == "OK"
                client.logout()
                found[name] = dialogue(server, alice)
        finally:
            os.environ.clear()
            os.environ.update(old)
    assert all(told == found["C"] for told in found.values()), found
    threat("T-259", len(found))
