"""The `letterlock` command by itself: help, manual, completion, mistakes, secrets, init and check. The parts that need a
running server are in test_cli_server.py."""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import pty
import termios
import unicodedata

import pytest

from lib.server import COMMAND, free_ports, wait_until

COMMANDS = [line.split("  ")[0] for line in re.findall(
    r"^  ([a-z]+(?: [a-z]+)?)  ", subprocess.run([COMMAND, "--lang", "en", "--help"], capture_output=True, text=True).stdout, re.M)]


def run(*words, input="", env=None, lang="en", **kw):
    return subprocess.run([str(COMMAND), *map(str, words)], input=input, capture_output=True, text=True, timeout=120,
                          env=dict(os.environ, LANG=lang, LC_ALL="", LC_MESSAGES="", **(env or {})), **kw)


@pytest.fixture
def folder(tmp_path):
    """A folder that `letterlock init` has made."""
    path = tmp_path / "server"
    done = run("init", path, "--hostname", "mx.ours.test", "--domain", "ours.test", "--ports", "high", "--yes")
    assert done.returncode == 0, done.stderr
    conf = path / "letterlock.conf"
    ports = iter(free_ports(7))
    conf.write_text(re.sub(r"^(listen = \S+) .*$", lambda m: f"{m[1]} 127.0.0.1:{next(ports)}", conf.read_text(), flags=re.M))
    return path


def problems(folder, *words):
    done = run("check", folder, "--json", *words)
    return done, json.loads(done.stdout)["problems"]


# -- what is generated from the table ------------------------------------------------------------------------------------
def test_every_command_has_help_with_examples():
    assert len(COMMANDS) > 20

    def look(command):
        for lang, usage, examples in (("en", "Usage", "Examples"), ("zh", "用法", "例子")):
            done = run(*command.split(), "--help", lang=lang)
            assert done.returncode == 0 and done.stderr == "", command
            assert usage in done.stdout and examples in done.stdout, command
            assert f"letterlock {command}" in done.stdout
            assert done.stdout == run("help", *command.split(), lang=lang).stdout
        return command
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        assert list(pool.map(look, COMMANDS)) == COMMANDS


@pytest.mark.parametrize("shell, check", [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])])
def test_completion_scripts_are_scripts(shell, check, tmp_path):
    script = tmp_path / "script"
    done = run("completion", shell)
    assert done.returncode == 0
    script.write_text(done.stdout)
    if not shutil.which(check[0]):
        pytest.skip(f"{check[0]} is not installed")
    checked = subprocess.run([*check, script], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("words, wanted", [
    (["letterlock", ""], {"init", "account", "why"}), (["letterlock", "acc"], {"account"}),
    (["letterlock", "account", ""], {"add", "list", "remove"}), (["letterlock", "account", "re"], {"remove"}),
    (["letterlock", "account", "add", "--q"], {"--quota"}),
    (["letterlock", "account", "add", "--language", ""], {"en", "zh"}),
    (["letterlock", "completion", ""], {"bash", "zsh", "fish"}), (["letterlock", "status", "--lang", ""], {"en", "zh"}),
    (["letterlock", "client", "test", "a@b.test", "--door", "p"], {"pop3"}),
    # "=" is a word of its own to an interactive bash
    (["letterlock", "client", "add", "a@b.test", "x", "--limit", "access", "=", "re"], {"read-only"}),
    (["letterlock", "client", "add", "a@b.test", "x", "--limit", "access", "="], {"read-only", "append-only", "no-delete"}),
    (["letterlock", "client", "add", "a@b.test", "x", "--door", "=", "im"], {"imap"}),
    (["letterlock", "client", "add", "a@b.test", "x", "--door=im"], {"--door=imap"}),
    (["letterlock", "--lang", "zh", "acc"], {"account"}), (["letterlock", "--dir", "/x", "client", "rot"], {"rotate"}),
    (["letterlock", "--la"], {"--lang"}), (["letterlock", "--lang", ""], {"en", "zh"}),
    (["letterlock", "help", "cl"], {"client"}), (["letterlock", "help", "client", "ro"], {"rotate"}),
    (["letterlock", "batch", "k"], {"key"}), (["letterlock", "batch", "people.csv", "--k"], {"--key"})])
def test_bash_completes(words, wanted, tmp_path):
    script = tmp_path / "script"
    script.write_text(run("completion", "bash").stdout)
    ask = f'. {script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _letterlock; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", ask, "bash", *words], capture_output=True, text=True)
    assert done.stderr == ""
    assert wanted <= set(done.stdout.split()), done.stdout


def test_bash_completes_every_command(tmp_path):
    """Each command by its name alone, and behind it each of its flags."""
    script = tmp_path / "script"
    script.write_text(run("completion", "bash").stdout)
    lines, wanted = [], []
    for command in COMMANDS:
        words = command.split()
        usage = run(*words, "--help").stdout
        lines += [["letterlock", *words], ["letterlock", *words, "--"]]
        wanted += [{words[-1]}, set(re.findall(r"^  (--[a-z0-9-]+)", usage, re.M))]
    ask = (f'. {script}; while read -ra COMP_WORDS; do COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _letterlock; '
           'echo "${COMPREPLY[@]}"; done')
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, input="".join(" ".join(words) + "\n" for words in lines))
    assert done.stderr == ""
    for line, offered, needed in zip(lines, done.stdout.split("\n"), wanted, strict=False):
        assert needed and needed <= set(offered.split()), (line, offered)


def test_bash_offers_files_where_one_is_meant(tmp_path):
    (tmp_path / "people.csv").touch()
    (tmp_path / "script").write_text(run("completion", "bash").stdout)
    for words in (["batch", "peo"], ["batch", "open", "peo"], ["batch", "open", "--key", "peo"], ["client", "add", "a@b.test", "x", "--sheet", "peo"]):
        ask = '. ./script; COMP_WORDS=(letterlock "$@"); COMP_CWORD=$#; _letterlock; echo "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-c", ask, "bash", *words], capture_output=True, text=True, cwd=tmp_path)
        assert done.stdout.split() == ["people.csv"], (words, done)


def test_manual_pages_format_without_warnings(tmp_path):
    pages = run("help", "--list").stdout.split()
    assert {"letterlock.1", "letterlock-account.1", "letterlock.conf.5"} <= set(pages)

    def look(asked):
        lang, page = asked
        done = run("help", "--man", page.rsplit(".", 1)[0], lang=lang)
        assert done.returncode == 0 and done.stdout.startswith(".TH "), page
        file = tmp_path / f"{lang}.{page}"
        file.write_text(done.stdout)
        if shutil.which("man"):
            shown = subprocess.run(["man", "--warnings", "-l", file], capture_output=True, text=True,
                                   env=dict(os.environ, LC_ALL="C.UTF-8", MANPAGER="cat", MANWIDTH="80"))
            assert shown.returncode == 0 and shown.stderr == "", (page, shown.stderr)
            widths = [sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in line) for line in shown.stdout.split("\n")]
            assert max(widths) <= 80, (asked, shown.stdout)
        return asked
    asked = [(lang, page) for lang in ("en", "zh") for page in pages]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        assert list(pool.map(look, asked)) == asked
    assert run("help", "--man", "nothing").returncode == 67


def test_the_build_makes_every_manual_page():
    build = (pathlib.Path(__file__).resolve().parents[2] / "src/programs/meson.build").read_text()
    words = set(re.search(r"foreach word : \[(.*?)\]", build, re.S)[1].replace("'", "").replace(",", " ").split())
    pages = {p[len("letterlock-"):-2] for p in run("help", "--list").stdout.split() if p.startswith("letterlock-")}
    assert words == pages


# -- mistakes ------------------------------------------------------------------------------------------------------------
def test_mistakes_have_remedies_and_codes():
    for words, code, says, remedy in (
            (["acount"], 64, 'no command "acount"', "letterlock account"),
            (["account", "lits"], 64, "account lits", "account list"),
            (["account"], 64, "second word", "help account"),
            (["account", "frobnicate"], 64, "account frobnicate", "help account"),
            (["client", "delete"], 64, "client delete", '"letterlock client remove"'),
            (["client", "ls"], 64, "client ls", '"letterlock client list"'),
            (["add", "client"], 64, 'no command "add"', '"letterlock client add"'),
            (["audit"], 64, 'no command "audit"', '"letterlock client audit"'),
            (["passwd", "a@b.test"], 64, 'no command "passwd"', '"letterlock account password"'),
            (["user", "add"], 64, 'no command "user"', '"letterlock account"'),
            (["account", "add"], 64, "ADDRESS is missing", "alice@example.org"),
            (["client", "add", "a@b.test"], 64, "LABEL is missing", 'what you call it: "phone"'),
            (["client", "revoke", "a@b.test", "phone"], 64, 'ID cannot be "phone"', "its number in the list"),
            (["client", "add", "a@b.test", "x", "--days", "30"], 64, "no flag --days", '--limit "days=30"'),
            (["client", "add", "a@b.test", "x", "--read-only"], 64, "no flag --read-only", '--limit "access=read-only"'),
            (["client", "add", "a@b.test", "x", "--limit", "dayz=3"], 64, "dayz=3", '--limit "days=30"'),
            (["client", "add", "a@b.test", "x", "--limit", "folder"], 64, '"folder"', '--limit "folder=Projects/*"'),
            (["client", "add", "a@b.test", "x", "--limit", "colour=red"], 64, "colour=red", "messages-day"),
            (["status", "--dir", "/nonexistent"], 67, "no folder /nonexistent", "letterlock init"),
            (["client", "add", "a@b.test", "x", "--expires", "yesterday"], 64, "--expires", "90 d")):
        done = run(*words)
        assert done.returncode == code, (words, done.stderr)
        assert says in done.stderr and remedy in done.stderr, (words, done.stderr)
        answer = json.loads(run(*words, "--json").stdout)
        assert answer["ok"] is False and says in answer["error"]["text"] and answer["error"]["remedy"], words


def test_help_for_a_mistyped_command_says_which_was_meant():
    for words, meant in ((["client", "ad"], "help client add"), (["clients"], "help client"), (["add", "client"], "help client add"),
                         (["client", "frobnicate"], "help client"), (["frobnicate"], "letterlock help")):
        done = run("help", *words)
        assert done.returncode == 64 and " ".join(words) in done.stderr and meant in done.stderr.split("\n")[1], done.stderr


def test_language_comes_from_the_environment_or_the_flag():
    assert "没有" in run("acount", lang="zh_CN.UTF-8").stderr
    assert "no command" in run("acount", lang="de_DE.UTF-8").stderr
    assert "no command" in run("acount", "--lang", "en", lang="zh_CN.UTF-8").stderr
    assert "没有" in run("acount", "--lang=zh", lang="C").stderr


def test_foreign_text_does_not_reach_the_terminal_raw():
    done = run("account", "add", "\x1b[2Ja\u202e@b.test")
    assert done.returncode == 64 and "\x1b" not in done.stderr and "\u202e" not in done.stderr


def test_secrets_are_refused_on_the_command_line():
    for words in (["account", "add", "a@b.test", "--password", "hunter2"], ["account", "password", "a@b.test", "hunter2"],
                  ["account", "add", "a@b.test", "--password=hunter2"], ["client", "test", "a@b.test", "hunter2"],
                  ["init", "/nonexistent/x", "--admin-password", "hunter2"], ["client", "test", "a@b.test", "--secret=hunter2"]):
        for extra in ([], ["--json"]):
            done = run(*words, *extra)
            assert done.returncode == 64, words
            assert "hunter2" not in done.stdout + done.stderr, words
            assert "standard input" in done.stderr, words


def test_colours_only_on_terminals():
    def on_terminal(**env):
        ours, theirs = pty.openpty()
        done = subprocess.Popen([COMMAND, "limits"], stdout=theirs, stderr=theirs, env=dict(os.environ, TERM="xterm", **env))
        os.close(theirs)
        text = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:
                break
            if not chunk:
                break
            text += chunk
        done.wait()
        os.close(ours)
        return text
    assert b"\033[" in on_terminal()
    assert b"\033[" not in on_terminal(NO_COLOR="1")
    assert "\033[" not in run("limits").stdout


def test_limits_and_version():
    limits = json.loads(run("limits", "--json").stdout)["limits"]
    assert limits["MESSAGE"]["value"] > 1 << 20 and all(l["value"] > 0 and l["why"] for l in limits.values())
    assert json.loads(run("version", "--json").stdout)["version"]
    assert run("--version").stdout.startswith("letterlock ")


# -- init ----------------------------------------------------------------------------------------------------------------
def test_init_makes_a_server_that_check_accepts(folder):
    done = run("check", folder)
    assert done.returncode == 0, done.stderr
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    for name in ("tls/ca.key", "tls/server.key"):
        assert oct((folder / name).stat().st_mode & 0o777) == "0o600", name
    verified = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", folder / "tls/ca.pem", "-verify_hostname",
                               "mx.ours.test", folder / "tls/server.pem"], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    refused = subprocess.run(["openssl", "verify", "-CAfile", folder / "tls/ca.pem", "-verify_hostname", "evil.test",
                              folder / "tls/server.pem"], capture_output=True, text=True)
    assert refused.returncode != 0


def test_init_twice_changes_nothing(folder):
    files = [p for p in folder.rglob("*") if p.is_file() and "vault" not in p.parts]
    before = {p: p.read_bytes() for p in files}
    done = run("init", folder, "--hostname", "other.ours.test", "--domain", "ours.test", "--ports", "4000", "--yes")
    assert done.returncode == 0, done.stderr
    assert "stays as it is" in done.stdout
    assert {p: p.read_bytes() for p in files} == before


def test_init_makes_the_first_account(tmp_path):
    path = tmp_path / "server"
    done = run("init", path, "--hostname", "mx.ours.test", "--admin", "alice@ours.test", "--ports", "high", "--yes", "--json",
               input="correct horse battery\n")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["authority_sha256"].count(":") == 31
    shown = json.loads(run("account", "show", "alice@ours.test", "--dir", path, "--json").stdout)
    assert shown["account"]["has_password"] is True and shown["account"]["status"] == "active"
    assert "correct horse" not in done.stdout + done.stderr
    for p in path.rglob("*"):
        if p.is_file():
            assert b"correct horse" not in p.read_bytes(), p


def test_init_refuses_what_cannot_work(tmp_path):
    assert run("init", tmp_path / "a", "--hostname", "mx.ours.test", "--ports", "70000", "--yes").returncode == 64
    assert run("init", tmp_path / "a", "--hostname", "mx.ours.test", "--certificate", "/nonexistent", "--yes").returncode == 64
    done = run("init", tmp_path / "a", "--hostname", "mx.ours.test", "--certificate", "/etc/passwd", "--key", "/etc/passwd", "--yes")
    assert done.returncode == 65 and not (tmp_path / "a").exists()
    assert run("init", "/proc/nothing", "--hostname", "mx.ours.test", "--yes").returncode in (74, 77)
    short = run("init", tmp_path / "b", "--hostname", "mx.ours.test", "--admin", "alice@ours.test", "--yes", input="short\n")
    assert short.returncode == 65 and not (tmp_path / "b").exists()


def test_offline_commands_work_without_a_server(folder):
    def ask(*words, **kw):
        done = run(*words, "--dir", folder, "--json", **kw)
        return done.returncode, json.loads(done.stdout)
    assert ask("domain", "add", "second.test")[0] == 0
    assert ask("account", "add", "bob@second.test", "--no-password", "--name", "Bob", "--quota", "1 GiB")[0] == 0
    code, answer = ask("account", "add", "bob@second.test", "--no-password")
    assert code == 73 and answer["error"]["code"] == "exists"
    code, answer = ask("account", "list", "second.test")
    assert [a["address"] for a in answer["items"]] == ["bob@second.test"] and answer["items"][0]["quota_bytes"] == 1 << 30
    assert ask("alias", "add", "b@second.test", "bob@second.test")[0] == 0
    assert ask("alias", "list")[1]["items"][0]["target"] == "bob@second.test"
    code, made = ask("client", "add", "bob@second.test", "phone", "--receive")
    assert code == 0 and len(made["secret"]) <= 32 and made["server"] == "mx.ours.test"
    assert {s["door"] for s in made["settings"]} == {"imap", "imaps", "pop3", "pop3s"}
    code, answer = ask("client", "list", "bob@second.test")
    assert answer["items"][0]["label"] == "phone" and "secret" not in json.dumps(answer)
    code, answer = ask("client", "test", "bob@second.test", input=made["secret"] + "\n")
    assert code == 0 and answer["accepted"] is True
    code, answer = ask("client", "test", "bob@second.test", "--door", "submission", input=made["secret"] + "\n")
    assert code == 1 and answer["accepted"] is False
    code, answer = ask("client", "test", "bob@second.test", input="not the password\n")
    assert code == 1 and answer["reason"] == "wrong-secret"
    identifier = str(made["credential"])
    assert ask("client", "revoke", "bob@second.test", identifier)[0] == 0
    code, answer = ask("client", "test", "bob@second.test", input=made["secret"] + "\n")
    assert code == 1 and answer["reason"] == "revoked"
    assert ask("client", "show", "bob@second.test", identifier)[1]["client"]["status"] == "revoked"
    assert ask("client", "remove", "bob@second.test", identifier)[0] == 0
    assert ask("client", "show", "bob@second.test", identifier)[0] == 67
    assert ask("account", "lock", "bob@second.test")[0] == 0
    assert ask("account", "show", "bob@second.test")[1]["account"]["status"] == "locked"
    assert ask("account", "unlock", "bob@second.test")[0] == 0
    assert ask("account", "password", "bob@second.test", input="a long enough one\n")[0] == 0
    assert ask("account", "show", "bob@second.test")[1]["account"]["has_password"] is True
    assert ask("account", "show", "nobody@second.test")[0] == 67
    assert ask("domain", "remove", "nothere.test")[0] == 67
    code, answer = ask("status")
    assert code == 69 and "serve" in answer["error"]["remedy"]
    assert ask("backup", folder / "copy")[0] == 69


def test_the_next_step_can_be_copied(folder, tmp_path):
    """What is named as the next command works as it stands: it is told the folder that this one was told."""
    odd = tmp_path / "it's a folder"
    folder.rename(odd)

    def next_step(*words):
        done = run(*words, "--dir", odd)
        assert done.returncode == 0, done.stderr
        line = next(l for l in done.stdout.split("\n") if l.startswith("  letterlock "))
        assert line.endswith(" --dir " + shlex.quote(str(odd)).replace("'\"'\"'", "'\\''")), line
        return shlex.split(line)[1:]
    made = next_step("account", "add", "alice@ours.test", "--no-password")
    revoke = next_step(*made[:made.index("--dir")])
    assert revoke[:3] == ["client", "revoke", "alice@ours.test"] and run(*revoke).returncode == 0
    assert next_step("account", "reset", "alice@ours.test")[:2] == ["account", "password"]
    assert next_step("factor", "totp", "alice@ours.test", "--no-qr")[:3] == ["factor", "confirm", "alice@ours.test"]
    told = run("init", odd, "--hostname", "mx.ours.test", "--domain", "ours.test", "--ports", "high", "--yes").stdout
    line = next(l for l in told.split("\n") if l.startswith("  letterlock account add alice@ours.test "))
    assert shlex.split(line)[1:] == ["account", "add", "alice@ours.test", "--dir", str(odd)]
    silent = run("account", "reset", "alice@ours.test", env={"LETTERLOCK_DIR": str(odd)})
    assert "--dir" not in silent.stdout


def test_words_of_people_are_not_translated(folder):
    """"token" is a word of ours in one column and somebody's label in another; a rule's value is what has to be typed."""
    run("account", "add", "alice@ours.test", "--no-password", "--name", "password", "--dir", folder)
    run("client", "add", "alice@ours.test", "token", "--dir", folder)
    run("account", "group", "alice@ours.test", "staff", "--dir", folder)
    run("policy", "set", "factor_required", "totp", "--domain", "ours.test", "--dir", folder)
    run("policy", "set", "password_age", "90 d", "--group", "staff", "--dir", folder)
    listed = run("client", "list", "alice@ours.test", "--dir", folder, lang="zh").stdout
    assert "token" in listed and "令牌" not in listed and "有效" in listed
    assert "password" in run("account", "show", "alice@ours.test", "--dir", folder, lang="zh").stdout
    rules = {l.split()[0]: l.split()[1:] for l in run("policy", "show", "alice@ours.test", "--dir", folder, lang="zh").stdout.split("\n") if l}
    assert rules["factor_required"] == ["totp", "域名", "ours.test"] and rules["password_age"] == ["90", "d", "组", "staff"]
    assert rules["mailbox_password_imap"] == ["never", "预设"]


def test_tables_for_people_in_both_languages(folder):
    run("account", "add", "alice@ours.test", "--no-password", "--dir", folder)
    for lang, heading in (("en", "Address"), ("zh", "地址")):
        done = run("account", "list", "--dir", folder, lang=lang)
        assert done.returncode == 0 and done.stdout.startswith(heading) and "alice@ours.test" in done.stdout
        made = run("client", "add", "alice@ours.test", f"phone {lang}", "--dir", folder, lang=lang)
        assert made.returncode == 0 and "alice@ours.test" in made.stdout and "mx.ours.test" in made.stdout
        assert re.search(r"[a-z0-9]{7}(-[a-z0-9]{7}){3}", made.stdout)


# -- prompts -------------------------------------------------------------------------------------------------------------
def on_terminal(words, answers):
    """Runs the command on a terminal; gives each answer when its prompt has come. Returns the exit code, what was shown, and
    whether the terminal still echoes."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([COMMAND, *map(str, words)], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                               env=dict(os.environ, LANG="C", LC_ALL="", TERM="xterm", NO_COLOR="1"))
    shown = b""
    for prompt, answer in answers:
        while prompt.encode() not in shown:
            shown += os.read(ours, 4096)
        # the prompt comes before the echo is turned off
        wait_until(lambda: not termios.tcgetattr(theirs)[3] & termios.ECHO or not answer.endswith("!\n"), what="echo off")
        shown = b""
        os.write(ours, answer.encode())
    code = process.wait(120)
    echoes = bool(termios.tcgetattr(theirs)[3] & termios.ECHO)
    os.close(theirs)
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    return code, shown.decode(), echoes


def test_a_prompted_password_is_not_echoed(folder):
    code, shown, echoes = on_terminal(["account", "add", "dora@ours.test", "--dir", folder], [
        ("New mailbox password:", "correct horse!\n"), ("The same again:", "correct horse!\n")])
    assert code == 0 and "horse" not in shown and echoes, shown
    code, shown, echoes = on_terminal(["account", "password", "dora@ours.test", "--dir", folder], [
        ("New mailbox password:", "correct horse!\n"), ("The same again:", "correct mule!\n")])
    assert code == 65 and "differ" in shown and echoes
    code, shown, echoes = on_terminal(["account", "password", "dora@ours.test", "--dir", folder], [
        ("New mailbox password:", "half\x03!\n")])
    assert code == 64 and "half" not in shown and echoes


def test_removing_asks_first(tmp_path):
    """Nothing is asked when nobody is there; a no is a no."""
    done = run("account", "remove", "a@b.test", "--dir", tmp_path)
    assert done.returncode == 78  # no configuration: told before anything is asked
    path = tmp_path / "server"
    run("init", path, "--hostname", "mx.ours.test", "--domain", "ours.test", "--ports", "high", "--yes")
    assert run("account", "remove", "a@ours.test", "--dir", path).returncode == 64
    code, shown, _ = on_terminal(["account", "remove", "a@ours.test", "--dir", path], [("(yes/no)", "no\n")])
    assert code == 1 and "not removed" in shown


def test_init_asks_what_it_needs_to_know(tmp_path):
    path = tmp_path / "server"
    code, shown, _ = on_terminal(["init", path, "--ports", "high"], [
        ("Full name of this server", "mail\n"), ("no full domain name", "mail.ours.test\n"), ("First mail domain", "\n"),
        ("first account", "alice\n"), ("New mailbox password:", "correct horse!\n"), ("The same again:", "correct horse!\n")])
    assert code == 0, shown
    shown = json.loads(run("account", "list", "--dir", path, "--json").stdout)["items"]
    assert [a["address"] for a in shown] == ["alice@ours.test"]
    assert "hostname = mail.ours.test" in (path / "letterlock.conf").read_text()


# -- check ---------------------------------------------------------------------------------------------------------------
def test_check_tells_file_line_and_remedy(folder):
    conf = folder / "letterlock.conf"
    good = conf.read_text()
    conf.write_text(good + "gates = 0\ncolour = blue\nhostname = mx.ours.test\nmessage_size = 50\n")
    first = good.count("\n") + 1
    done, found = problems(folder)
    assert done.returncode == 78
    assert [(p["code"], p["line"]) for p in found] == [
        ("zero", first), ("unknown-key", first + 1), ("doubled", first + 2), ("no-unit", first + 3)]
    assert all(p["file"] == str(conf) and p["remedy"] for p in found)
    text = run("check", folder).stderr
    assert f"{conf}:{first}:9: gates cannot be 0\n  Remedy: " in text
    # no other command goes on with such a file
    assert run("domain", "list", "--dir", folder).returncode == 78
    assert run("serve", folder).returncode == 78


@pytest.mark.parametrize("name, code", [("tls/server.key", "mode"), ("tls/ca.key", None)])
def test_check_modes(folder, name, code):
    (folder / name).chmod(0o644)
    done, found = problems(folder)
    assert [p["code"] for p in found] == ([code] if code else [])
    if code:
        assert found[0]["file"] == str(folder / name) and "chmod 600" in found[0]["remedy"]


def test_check_folders(folder):
    (folder / "vault").chmod(0o755)
    folder.chmod(0o777)
    done, found = problems(folder)
    assert done.returncode == 78
    assert {(p["file"], p["code"]) for p in found} >= {(str(folder / "vault"), "mode"), (str(folder), "mode")}
    assert any("chmod 700" in p["remedy"] for p in found)


def make_pair(folder, name, days=90, subject="mx.ours.test", key="ec"):
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else ["-newkey", key]
    if days < 0:
        options += ["-not_after"]
    subprocess.run(["openssl", "req", "-x509", "-nodes", *options, "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem",
                    "-days", str(days), "-subj", f"/CN={subject}", "-addext", f"subjectAltName=DNS:{subject}"],
                   check=True, capture_output=True)
    (folder / f"{name}.key").chmod(0o600)


def use_pair(folder, chain, key):
    conf = folder / "letterlock.conf"
    conf.write_text(re.sub(r"^certificate = .*$", f"certificate = {chain} {key}", conf.read_text(), flags=re.M))


def test_check_certificates(folder):
    tls = folder / "tls"
    make_pair(tls, "fine")
    make_pair(tls, "soon", days=5)
    make_pair(tls, "other", subject="other.test")
    make_pair(tls, "weak", key="rsa:1024")
    (tls / "empty.pem").write_text("")
    (tls / "dir.pem").mkdir()
    subprocess.run(["openssl", "pkey", "-in", tls / "fine.key", "-aes256", "-passout", "pass:x", "-out", tls / "locked.key"],
                   check=True, capture_output=True)
    (tls / "locked.key").chmod(0o600)
    (tls / "mixed.pem").write_text((tls / "fine.pem").read_text() + (tls / "other.pem").read_text())
    for chain, key, codes, level in (
            ("fine.pem", "fine.key", [], None), ("soon.pem", "soon.key", ["expires-soon"], "warning"),
            ("other.pem", "other.key", ["name"], "warning"), ("weak.pem", "weak.key", ["weak-key"], "error"),
            ("fine.pem", "other.key", ["key-mismatch"], "error"), ("fine.pem", "locked.key", ["encrypted-key"], "error"),
            ("empty.pem", "fine.key", ["bad-certificate"], "error"), ("fine.pem", "fine.pem", ["mode", "bad-key"], "error"),
            ("dir.pem", "fine.key", ["not-a-file"], "error"), ("gone.pem", "fine.key", ["unreadable"], "error"),
            ("mixed.pem", "fine.key", ["bad-chain"], "error")):
        use_pair(folder, f"tls/{chain}", f"tls/{key}")
        done, found = problems(folder)
        assert [p["code"] for p in found] == codes, (chain, key, found)
        assert all(p["level"] == level and p["remedy"] and "tls/" in p["file"] or p["code"] == "name" for p in found)
        assert done.returncode == (78 if level == "error" else 0), (chain, key)


def test_check_authorities_of_clients(folder):
    tls, conf = folder / "tls", folder / "letterlock.conf"
    make_pair(tls, "leaf")
    before = conf.read_text()
    authority = next(p for p in tls.glob("ca*.pem") if "key" not in p.name)
    (tls / "empty.pem").write_text("")
    for name, codes in ((authority.name, []), ("leaf.key", ["bad-ca"]), ("empty.pem", ["bad-ca"]), ("gone.pem", ["unreadable"])):
        conf.write_text(before + f"client_certificates = tls/{name}\n")
        done, found = problems(folder)
        assert [p["code"] for p in found] == codes, (name, found)
        assert done.returncode == (78 if codes else 0)
    conf.write_text(before)


def test_check_finds_a_port_in_use(folder):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        conf = folder / "letterlock.conf"
        conf.write_text(re.sub(r"^listen = imaps .*$", f"listen = imaps 127.0.0.1:{s.getsockname()[1]}", conf.read_text(), flags=re.M))
        done, found = problems(folder)
    assert done.returncode == 78 and [p["code"] for p in found] == ["port"]
    assert "imaps" in found[0]["text"] and "stop it" in found[0]["remedy"]


def test_check_without_anything(tmp_path):
    assert run("check", tmp_path / "none").returncode == 67
    done, found = problems(tmp_path)
    assert done.returncode == 78 and [p["code"] for p in found] == ["no-config"]


@pytest.mark.parametrize("container", ["accounts", "clients"])
def test_check_vault_keys(folder, container):
    """A start without its keys is refused, and check says so before."""
    key = folder / "vault/keys" / f"{container}.key"
    good = key.read_text()
    for bad in (None, "", good[:-10], good.replace(container, "other"), "x" * 300):
        if bad is None:
            key.unlink()
        else:
            key.write_text(bad)
            key.chmod(0o600)
        done, found = problems(folder)
        assert done.returncode != 0 and [p["code"] for p in found] == ["vault-key"], (bad, found)
        assert found[0]["file"] == str(key)
    key.write_text(good)
    assert problems(folder)[1] == []
