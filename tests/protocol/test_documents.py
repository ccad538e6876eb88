"""What the documents print is true: their commands run in the order in which they stand, on a terminal, in both languages, and what
is printed below them is what comes. Only what is made anew each time (passwords, dates, ports, user ids) may differ."""
import os
import re
import shlex

import pytest

from lib.server import COMMAND, ROOT, Server
from lib.terminal import on_terminal
from test_cli_credentials import totp

PAGES = {"en": "credentials.md", "zh": "credentials.zh-CN.md"}
PHRASE = "a passphrase for the office"
# What a person types, by a word of the prompt.
ANSWERS = {"batch key": [("Passphrase", PHRASE), ("again", PHRASE)], "batch open": [("Passphrase", PHRASE)],
           "batch people.csv --key": [("yes", "yes")]}
CODES = {"--limit days=soon": 64, "client audit": 1, "account add erin@example.org": 73}
STANDARD = {"imaps": 993, "pop3s": 995, "submissions": 465}


def printed(path):
    """[(command, [what is printed below it])] of the fenced blocks of a page, and the spreadsheet among them."""
    found, table = [], ""
    for block in re.findall(r"^```\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S):
        if block.startswith("verb,"):
            table = block
        for line in block.replace("\\\n", " ").split("\n"):
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.strip() and block.startswith("$ "):
                found[-1][1].append(line)
    return found, table


def indented(path):
    return re.findall(r"^    \$ (letterlock .*)$", path.read_text(encoding="utf-8"), re.M)


def words_of(command):
    """Without what may differ between the languages: the language itself, remarks, and labels."""
    return shlex.split(command.replace(" --lang zh", ""), comments=True)


def same_but_labels(one, other):
    return len(one) == len(other) and all(a == b or not b.isascii() for a, b in zip(one, other, strict=True))


def masked(line, server=None):
    for door, port in (STANDARD.items() if server else ()):
        line = re.sub(rf"\b{server.ports[door]}\b", str(port), line)
    line = re.sub(r"\b[a-z0-9]{7}(-[a-z0-9]{7}){3}\b", "SECRET", line)
    line = re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "DATE", line)
    return re.sub(r"\s+", " ", re.sub(r"uid \d+", "uid N", line)).strip()


def test_both_languages_show_the_same_commands():
    english, chinese = ([words_of(c) for c, _ in printed(ROOT / "docs" / page)[0]] for page in PAGES.values())
    assert len(english) > 30
    for one, other in zip(english, chinese, strict=True):
        assert same_but_labels(one, other), (one, other)
    assert printed(ROOT / "docs/credentials.md")[1] == printed(ROOT / "docs/credentials.zh-CN.md")[1]


class Person:
    """Types what is printed at a terminal, and reads what comes."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.key = None  # of the authenticator

    def type(self, command):
        words = shlex.split(command, comments=True)
        assert words[0] == "letterlock"
        answers = next((a for part, a in ANSWERS.items() if part in command), [])
        if "factor confirm" in command:
            answers = [("Code", totp(self.key))]
        env = dict(os.environ, LANG="C.UTF-8", LC_ALL="", TERM="xterm", NO_COLOR="1", LETTERLOCK_DIR=str(self.server.dir))
        # a command runs where the person's files are
        code, shown = on_terminal(["/bin/sh", "-c", f'cd "{self.folder}" && exec "$@"', "sh", str(COMMAND), *words[1:]], env, answers)
        found = re.search(r"(?:typed instead|密钥)[:：]\s*([A-Z2-7]+)", shown)
        self.key = found[1] if found else self.key
        expected = next((number for part, number in CODES.items() if part in command), 0)
        assert code == expected, (command, shown)
        return shown.replace("\x1b[K", "\n")  # where a bar of progress was


@pytest.mark.parametrize("lang", PAGES)
def test_the_page_on_credentials(lang, tmp_path):
    commands, table = printed(ROOT / "docs" / PAGES[lang])
    (tmp_path / "people.csv").write_text(table, encoding="utf-8")
    (tmp_path / "rockyou.txt").write_text("123456\npassword\nqwertyuiop\n")
    with Server.running(domain="example.org", hostname="mail.example.org") as server:
        # who is there before
        for name in ("alice", "carol", "dave", "erin"):
            server.run("account", "add", f"{name}@example.org", "--no-password")
        server.run("account", "remove", "erin@example.org", "--yes")
        person = Person(server, tmp_path)
        for i, (command, below) in enumerate(commands):
            if "batch people.csv --dry-run" in command:  # numbers of alice's come first, as the page counts them
                for name in ("carol", "dave"):
                    server.run("client", "add", f"{name}@example.org", "phone")
            shown = [masked(line, server) for line in re.split(r"[\r\n]+", person.type(command))]
            for line in below:
                assert masked(line) in shown, (i, command, line, shown)


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_first_page(page, tmp_path):
    """The commands for the demo server, whose people are these two."""
    commands = indented(ROOT / page)
    assert len(commands) >= 4
    with Server.running(["alice", "bob"], domain="example.test", hostname="mail.example.test") as server:
        person = Person(server, tmp_path)
        for command in commands:
            person.type(command)
        states = {c["label"]: c["status"] for c in server.json("client", "list", "alice@example.test")["items"]}
        assert sorted(states.values()) == ["live", "revoked"] and states["test"] == "live"


def test_both_first_pages_show_the_same_commands():
    english, chinese = ([words_of(c) for c in indented(ROOT / page)] for page in ("README.md", "README.zh-CN.md"))
    assert len(english) == len(chinese) and all(map(same_but_labels, english, chinese))
