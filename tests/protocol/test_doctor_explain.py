"""`letterlock doctor --explain`: what people and scripts get for an error text, in both languages, and that hostile texts and
files of knowledge end well. That each diagnosis is found is tested in tests/unit/doctor."""
import json
import os
import pathlib
import pty
import re
import subprocess
import unicodedata

import pytest

from lib.server import COMMAND

SIGNALS = [line.split("\t", 1) for line in
           (pathlib.Path(__file__).parents[1] / "unit/doctor/signals.tsv").read_text(encoding="utf-8").splitlines()
           if not line.startswith("#")]
GMAIL = "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8 https://support.google.com/mail"


def doctor(*words, input=b"", env=None):
    return subprocess.run([str(COMMAND), "doctor", *words], input=input, capture_output=True, timeout=120,
                          env=dict(os.environ, LC_ALL="", LC_MESSAGES="", LANG="en", **(env or {})))


def columns(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def test_a_text_is_explained_in_both_languages():
    for lang, wanted in (("en", ("Remedy", "Cause", "Proof", "Confidence", "app password", "Gmail")),
                         ("zh", ("解决办法", "原因", "依据", "把握", "应用密码", "Gmail"))):
        done = doctor("--explain", GMAIL, "--lang", lang)
        assert done.returncode == 0 and done.stderr == b""
        text = done.stdout.decode()
        for word in (*wanted, '"535-5.7.8 Username and Password not accepted"', "gmail-smtp-bad-credentials"):
            assert word in text, word
        assert "\033" not in text


def test_json_has_one_object_with_both_languages():
    done = doctor("--explain", GMAIL, "--json")
    answer = json.loads(done.stdout)
    first = answer["diagnoses"][0]
    assert answer["ok"] is True and answer["provider"] == "gmail" and done.returncode == 0
    assert first["id"] == "gmail-smtp-bad-credentials" and first["cause"] == "app-password"
    assert first["where"] == "smtp" and first["confidence"] in ("high", "medium", "low")
    assert first["proof"] == "535-5.7.8 Username and Password not accepted"
    assert set(first["says"]) == set(first["remedy"]) == {"en", "zh"}
    assert len({d["id"] for d in answer["diagnoses"]}) == len(answer["diagnoses"]) >= 2


def test_codes_of_programs_and_replies_that_look_like_flags():
    for text, wanted in (("0x800CCC0E", "outlook-0x800ccc0e"), ("-ERR [AUTH] Authentication failed.", "dovecot-pop-auth-failed")):
        assert json.loads(doctor("--json", "--explain", text).stdout)["diagnoses"][0]["id"] == wanted


def test_exit_codes_are_for_scripts():
    unknown = doctor("--explain", "all is well")
    assert unknown.returncode == 1 and unknown.stdout == b"" and b"nothing is known" in unknown.stderr
    refused = json.loads(doctor("--explain", "all is well", "--json").stdout)
    assert refused["ok"] is False and refused["error"]["code"] == "no"
    assert doctor().returncode == 64 and doctor("--explain", "").returncode == 64
    assert doctor("--explain", "x", "--knowledge", "/nowhere/at/all").returncode == 67


def flags_in(text):
    return set(re.findall(r"(?<![\w-])--([a-z][a-z0-9-]+)", text))


def test_help_manual_completion_and_guide_name_the_same_flags():
    """`letterlock doctor --help`, its man page and the completion of a shell; docs/doctor.md may leave out what every command has,
    and names no flag that is not there, but those of the tools that it speaks of."""
    def say(*words):
        return subprocess.run([str(COMMAND), *words], capture_output=True, timeout=60, check=True).stdout.decode()
    script = say("completion", "bash") + "\nCOMP_WORDS=(letterlock doctor --) COMP_CWORD=2\n_letterlock\necho ${COMPREPLY[@]}\n"
    completed = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60, check=True).stdout.decode()
    page = (pathlib.Path(__file__).parents[2] / "docs/doctor.md").read_text(encoding="utf-8")
    guides = page.split("\n## 中文\n")
    for lang in ("en", "zh"):
        shown = say("doctor", "--help", "--lang", lang)
        offered = set(re.findall(r"(?m)^ +--([a-z0-9-]+)", shown))
        manual = re.sub(r"\\f[BIR]", "", say("help", "--man", "letterlock-doctor", "--lang", lang)).replace("\\-", "-")
        assert len(offered) > 20 and offered == set(re.findall(r"(?m)^--([a-z0-9-]+)", manual)), lang
        assert offered == flags_in(completed)
    everywhere, others = {"dir", "help"}, {"write-docs"}
    for guide in guides:
        assert flags_in(guide) - others <= offered, "a flag that is not there"
    assert offered - everywhere <= flags_in(guides[0]), "a flag that the guide leaves out"
    assert offered - everywhere <= flags_in(guides[1]), "a flag that the Chinese guide leaves out"


def test_standard_input_is_read():
    assert doctor("--explain", "-", input=GMAIL.encode()).stdout == doctor("--explain", GMAIL).stdout
    assert doctor("--explain", "-").returncode == 1


def test_no_line_is_wider_than_80_columns():
    for lang in ("en", "zh"):
        for name, text in SIGNALS[::7]:
            done = doctor("--lang", lang, "--explain", f"imap.gmail.com {text} " + "x" * 300)
            for line in done.stdout.decode().splitlines():
                assert columns(line) <= 80, (name, line)


def test_colours_on_a_terminal_only_and_never_when_unwanted():
    def on_terminal(**env):
        leader, follower = pty.openpty()
        with subprocess.Popen([str(COMMAND), "doctor", "--lang", "en", "--explain", "0x800CCC0E"], stdout=follower,
                              env=dict(os.environ, TERM="xterm", **env)) as process:
            os.close(follower)
            shown = b""
            try:
                while piece := os.read(leader, 65536):
                    shown += piece
            except OSError:
                pass  # the end, for a terminal
            os.close(leader)
            assert process.wait(120) == 0
        return shown.decode().replace("\r\n", "\n")
    coloured, plain = on_terminal(), on_terminal(NO_COLOR="1")
    assert "\033[1;31m" in coloured and "\033" not in plain
    assert re.sub(r"\033\[[0-9;]*m", "", coloured) == plain
    assert all(columns(line) <= 80 for line in plain.splitlines())


@pytest.mark.parametrize("text", [
    b"535 5.7.8 \x1b[2J\x1b]0;owned\x07 Username", b"\x00" * 1000 + b"0x800CCC0E", b"\xff\xfe 0x800CCC0E \x80",
    "\u202e0x800CCC0E\u2066".encode(), b"0x800CCC0E " + b"A" * (1 << 20), b"NO [ALERT] \x1b[31m" * 50000],
    ids=["escapes", "nul", "not-utf8", "direction", "long", "many-lines"])
def test_hostile_texts_reach_no_terminal(text):
    for flags in ((), ("--json",)):
        done = doctor("--explain", "-", *flags, input=text)
        assert done.returncode == 0, done.stderr
        shown = done.stdout.decode()
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
        assert len(shown) < 10000


def test_what_is_behind_the_limit_is_told():
    done = doctor("--explain", "-", input=b"0x800CCC0E" + b" " * (1 << 20))
    assert done.returncode == 0 and b"65,536" in done.stderr


def test_own_knowledge_adds_and_replaces(tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("# ours\ndiagnosis our-vpn\nwhere smtp\nprovider ours\ncause ip-not-allowed\nsure high\n"
                    "match 550 * outside the {office|campus}\nsays-en Outside.\nremedy-en Start the VPN.\n"
                    "says-zh 在外部。\nremedy-zh 请启动 VPN。\n\nprovider ours\nname-en Our company\ndomain ours.test\ntakes password\n\n"
                    "diagnosis outlook-0x800ccc0e\ncause program\nmatch 0x800CCC0E\nsays-en Ours.\nremedy-en Ask us.\n")
    done = doctor("--knowledge", str(mine), "--explain", "mail.ours.test: 550 5.7.1 you are outside the campus", "--json")
    answer = json.loads(done.stdout)
    assert answer["provider"] == "ours" and answer["diagnoses"][0]["id"] == "our-vpn"
    assert answer["diagnoses"][0]["remedy"] == {"en": "Start the VPN.", "zh": "请启动 VPN。"}
    text = doctor("--knowledge", str(mine), "--explain", "0x800CCC0E").stdout.decode()
    assert text.startswith("Ours.") and "Outlook cannot connect" not in text


@pytest.mark.parametrize("content, line", [
    (b"diagnosis a\ncause none\n", 2), (b"\n\nhello\n", 3), (b"diagnosis a\ncause quota\nmatch {a\n", 3),
    (b"diagnosis a\nsays-en \xff\n", 2), (b"diagnosis a\nsays-en \x00\n", 2), (b"diagnosis a\nmatch " + b"{a|" * 1000 + b"\n", 2),
    (b"diagnosis a\nmatch abc" + b"{0|1}" * 30 + b"\n", 2), (b"x" * (5 << 20), 0)],
    ids=["cause", "key", "brace", "utf8", "nul", "deep", "ways", "large"])
def test_a_wrong_file_is_told_with_its_line(tmp_path, content, line):
    path = tmp_path / "wrong"
    path.write_bytes(content)
    done = doctor("--knowledge", str(path), "--explain", "0x800CCC0E")
    assert done.returncode == 65 and done.stdout == b""
    assert f"{path}:{line}: ".encode() in done.stderr and b"Remedy:" in done.stderr
