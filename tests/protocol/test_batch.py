"""Batches: every row is checked before anything is done, results are sealed, and 5,000 rows come through a kill of the command
and of the vault with nothing done twice or forgotten."""
import csv
import imaplib
import io
import json
import os
import pathlib
import random
import signal
import subprocess

import pytest

from lib.family import children
from lib.mail import imap
from lib.server import COMMAND, Account, Server, wait_until

ACCOUNTS = ("alice",)
PHRASE = "gravel umbrella Tuesday"
HEADER = "verb,address,name,language,group,quota,label,doors,limits,expires"


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    """The administrator's key; the server would only ever see key.pub."""
    path = tmp_path_factory.mktemp("key") / "office"
    subprocess.run([COMMAND, "batch", "key", str(path)], input=PHRASE + "\n", text=True, check=True, capture_output=True)
    return path


def write(path, *rows, header=HEADER, encoding="utf-8"):
    path.write_text("\r\n".join([header, *rows]) + "\r\n", encoding=encoding)
    return str(path)


def row(verb, address, label="", **more):
    cells = {"verb": verb, "address": address, "label": label, **more}
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells.get(c, "") for c in HEADER.split(","))
    return out.getvalue()


def open_results(path, key, phrase=PHRASE, check=True):
    done = subprocess.run([COMMAND, "batch", "open", str(path), "--key", str(key)], input=phrase + "\n", text=True, capture_output=True)
    if check:
        assert done.returncode == 0, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))
    return done


def batch(server, path, key, *words, check=True):
    return server.run("batch", str(path), "--key", f"{key}.pub", "--yes", *words, check=check)


# -- what a file may say ---------------------------------------------------------------------------------------------------
def test_every_verb_does_what_it_says(server, key, tmp_path):
    path = write(tmp_path / "all.csv",
                 row("create", "bob@ours.test", name="Bob, \"B\" Jr.", language="zh", quota="1 GiB"),
                 row("create", "carol@ours.test", "phone", doors="imap smtp", limits="access=read-only; days=30", expires="90 d", group="staff"),
                 row("client", "bob@ours.test", "Laptop, grün", doors="smtp"),
                 row("reset", "alice@ours.test"),
                 row("lock", "bob@ours.test"), encoding="utf-8-sig")
    dry = server.json("batch", path, "--dry-run")
    assert dry["ok"] and dry["rows"] == 5 and dry["verbs"]["create"] == 2
    assert [a["address"] for a in server.json("account", "list")["items"]] == ["alice@ours.test"]
    assert not list(tmp_path.glob("*.results*"))
    done = json.loads(batch(server, path, key, "--json").stdout)
    assert (done["done"], done["failed"], done["repeated"]) == (5, 0, 0)
    found = open_results(path + ".results", key)
    assert [(r["line"], r["verb"], r["outcome"], r["text"]) for r in found] == [
        ("2", "create", "ok", "reset-code"), ("3", "create", "ok", "client-password"), ("4", "client", "ok", "client-password"),
        ("5", "reset", "ok", "reset-code"), ("6", "lock", "ok", "")]
    assert found[2]["label"] == "Laptop, grün"
    bob = server.json("account", "show", "bob@ours.test")
    assert bob["account"]["name"] == 'Bob, "B" Jr.' and bob["account"]["status"] == "locked" and bob["account"]["quota_bytes"] == 1 << 30
    carol = server.json("client", "list", "carol@ours.test")["items"]
    assert len(carol) == 1 and carol[0]["doors"] == "imap smtp" and carol[0]["limits"].split() == ["access=read-only", "days=30"]
    imap(server, Account("carol@ours.test", found[1]["secret"])).logout()
    server.run("account", "password", "alice@ours.test", "--code", input=f"{found[3]['secret']}\nquiet harbour lantern 77\n")
    again = batch(server, path, key, check=False)
    assert again.returncode == 73 and "done already" in again.stderr
    second = write(tmp_path / "more.csv", row("rotate", "carol@ours.test", "phone"), row("unlock", "bob@ours.test"),
                   row("revoke", "bob@ours.test", "*"))
    batch(server, second, key)
    new = open_results(second + ".results", key)
    imap(server, Account("carol@ours.test", new[0]["secret"])).logout()
    assert [c["status"] for c in server.json("client", "list", "bob@ours.test")["items"]] == ["revoked"]
    assert server.json("account", "show", "bob@ours.test")["account"]["status"] == "active"


@pytest.mark.parametrize("text, line, words", [
    ("verb,label\r\nlock,x\r\n", 1, "verb and address"),
    ("verb,address,colour\r\n", 1, "colour"),
    ("verb,address,verb\r\n", 1, "twice"),
    ("", 1, "names the columns"),
    ("verb,address\r\nlock,alice@ours.test\r\nsing,alice@ours.test\r\n", 3, "no verb"),
    ("verb,address\r\nlock,alice\r\n", 2, "no mail address"),
    ("verb,address\r\nlock,alice@ours.test,x\r\n", 2, "3 fields instead of 2"),
    ("verb,address,label\r\nclient,alice@ours.test,\r\n", 2, "needs a label"),
    ("verb,address,quota\r\nlock,alice@ours.test,1 GiB\r\n", 2, "makes no use of"),
    ("verb,address,limits,label\r\nclient,alice@ours.test,days=soon,x\r\n", 2, "days=30"),
    ("verb,address,limits,label\r\nclient,alice@ours.test,colour=red,x\r\n", 2, "colour=red"),
    ("verb,address,expires,label\r\nclient,alice@ours.test,2001-01-01,x\r\n", 2, "no time to come"),
    ("verb,address,doors,label\r\nclient,alice@ours.test,imap ftp,x\r\n", 2, "ftp"),
    ("verb,address\r\n\r\nlock,\"alice@ours.test\r\n", 4, "never closed"),
    ("verb,address\r\nlock,al\"ice@ours.test\r\n", 2, "quotation mark"),
    ("verb,address\r\nlock,\"alice@ours.test\"x\r\n", 2, "between"),
    ("verb,address\r\nlock,alice@nowhere.test\r\n", 2, "no such account"),
    ("verb,address\r\ncreate,x@nowhere.test\r\n", 2, "not one of ours"),
    ("verb,address\r\ncreate,alice@ours.test\r\n", 2, "already"),
    ("verb,address\r\ncreate,x@ours.test\r\nlock,x@ours.test\r\ncreate,x@ours.test\r\n", 4, "named before, in line 3"),
    ("verb,address,label\r\nrotate,alice@ours.test,nothing\r\n", 2, "no client password of this label"),
    ("verb,address\r\nlock,\xff@ours.test\r\n", 2, "not UTF-8"),
])
def test_a_wrong_row_stops_everything_and_is_named(server, key, tmp_path, text, line, words):
    path = tmp_path / "wrong.csv"
    path.write_bytes(text.encode("latin-1"))
    done = batch(server, path, key, "--json", check=False)
    told = json.loads(done.stdout)
    assert done.returncode == 65 and not told["ok"] and "nothing was done" in done.stderr
    assert any(p["line"] == line and words in p["text"] for p in told["problems"]), told
    assert batch(server, path, key, "--lang", "zh", check=False).stderr.startswith(f"第 {line} 行：") or line == 1
    assert not list(tmp_path.glob("*.results*")), "nothing is left behind"


def test_results_are_for_the_owner_of_the_key_alone(server, key, tmp_path):
    path = write(tmp_path / "one.csv", row("client", "alice@ours.test", "sealed"))
    assert server.run("batch", path, "--yes", check=False).returncode == 64, "somebody must be able to open them"
    batch(server, path, key)
    secret = open_results(path + ".results", key)[0]["secret"]
    for file in tmp_path.iterdir():
        assert secret.encode() not in file.read_bytes() and secret.replace("-", "").encode() not in file.read_bytes()
    assert pathlib.Path(path + ".results").stat().st_mode & 0o777 == 0o600 and key.stat().st_mode & 0o777 == 0o600
    wrong = open_results(path + ".results", key, "another phrase", check=False)
    assert wrong.returncode == 77 and secret not in wrong.stdout
    public = open_results(path + ".results", f"{key}.pub", check=False)
    assert public.returncode == 65 and "cannot open" in public.stderr
    other = tmp_path / "other"
    subprocess.run([COMMAND, "batch", "key", str(other)], input=PHRASE + "\n", text=True, check=True, capture_output=True)
    assert open_results(path + ".results", other, check=False).returncode == 77
    assert subprocess.run([COMMAND, "batch", "key", str(other)], input=PHRASE + "\n", text=True, capture_output=True).returncode == 73


def test_results_are_no_formulas(server, key, tmp_path):
    """Labels come from other people's files, and results are opened with spreadsheets (T-205 asks the same of exports)."""
    labels = ["=1+1", "+4", "-x", "@cmd", "plain"]
    path = write(tmp_path / "f.csv", *(row("client", "alice@ours.test", label) for label in labels))
    batch(server, path, key)
    assert [r["label"] for r in open_results(path + ".results", key)] == ["'=1+1", "'+4", "'-x", "'@cmd", "plain"]
    assert set(labels) <= {c["label"] for c in server.json("client", "list", "alice@ours.test")["items"]}


def test_a_row_that_fails_in_between_is_told_and_the_others_are_done(server, key, tmp_path):
    """The vault's limit of an account is met half-way: nobody could see that in a dry run of single rows."""
    server.run("account", "add", "full@ours.test", "--no-password")
    path = write(tmp_path / "full.csv", *(row("client", "full@ours.test", f"n{i}") for i in range(66)))
    done = batch(server, path, key, "--json", "--rate", "1000", check=False)
    told = json.loads(done.stdout)
    assert done.returncode == 65 and (told["done"], told["failed"], len(told["problems"])) == (66, 2, 2) and not told["ok"]
    found = open_results(path + ".results", key)
    assert [r["outcome"] for r in found] == ["ok"] * 64 + ["failed"] * 2 and found[65]["secret"] == "" and found[65]["text"]


def test_a_damaged_record_costs_itself_alone(server, key, tmp_path):
    path = write(tmp_path / "three.csv", *(row("client", "alice@ours.test", f"d{i}") for i in range(3)))
    batch(server, path, key)
    results = pathlib.Path(path + ".results")
    lines = results.read_text().split("\n")
    lines[3] = ("B" if lines[3][0] == "A" else "A") + lines[3][1:]
    results.write_text("\n".join(lines))
    done = open_results(results, key, check=False)
    assert done.returncode == 65 and "1 records" in done.stderr
    assert [r["row"] for r in csv.DictReader(io.StringIO(done.stdout))] == ["1", "3"]


def signs_in(server, address, secret):
    try:
        imap(server, Account(address, secret)).logout()
        return True
    except imaplib.IMAP4.error:
        return False


def test_a_row_asked_for_again_replaces_its_secret(server, key, tmp_path):
    """As after a kill between the vault's commit and our mark: the vault has done it, we do not know it."""
    made = server.json("client", "add", "alice@ours.test", "to rotate")
    path = write(tmp_path / "again.csv", row("create", "erin@ours.test", "phone"), row("client", "alice@ours.test", "again"),
                 row("rotate", "alice@ours.test", "to rotate"), row("reset", "alice@ours.test"), row("lock", "erin@ours.test"),
                 row("unlock", "erin@ours.test"))
    batch(server, path, key)
    first = open_results(path + ".results", key)
    state, results = pathlib.Path(path + ".results.state"), pathlib.Path(path + ".results")
    before = server.json("client", "list", "alice@ours.test")["items"]
    # the marks are lost, and both files end in the middle of a line
    state.write_text("".join(state.read_text().splitlines(keepends=True)[:4]) + "done")
    results.write_text(results.read_text() + "c2VhbGVk")
    told = json.loads(batch(server, path, key, "--json").stdout)
    assert (told["done"], told["repeated"], told["failed"]) == (6, 6, 0)
    second = open_results(path + ".results", key)
    assert [r["row"] for r in second] == ["1", "2", "3", "4", "5", "6"]
    for i in range(3):
        assert first[i]["secret"] != second[i]["secret"]
        assert not signs_in(server, second[i]["address"], first[i]["secret"]), i
        assert signs_in(server, second[i]["address"], second[i]["secret"]), i
    assert not signs_in(server, "alice@ours.test", made["secret"])
    assert [c["status"] for c in server.json("client", "list", "erin@ours.test")["items"]].count("live") == 1
    after = server.json("client", "list", "alice@ours.test")["items"]
    for label in ("again", "to rotate"):
        assert [c["status"] for c in after if c["label"] == label].count("live") == 1
    assert len([c for c in after if c["status"] == "live"]) == len([c for c in before if c["status"] == "live"])
    # of two reset codes the later one counts
    old, new = (r[3]["secret"] for r in (first, second))
    for code, good in ((old, False), (new, True)):
        done = server.run("account", "password", "alice@ours.test", "--code", input=f"{code}\nmossy harbour lantern, 78\n", check=False)
        assert (done.returncode == 0) == good, done.stderr


def test_without_a_yes_nothing_is_done(server, key, tmp_path):
    path = write(tmp_path / "ask.csv", row("lock", "alice@ours.test"))
    done = server.run("batch", path, check=False)
    assert done.returncode == 64 and "--yes" in done.stderr
    assert server.json("account", "show", "alice@ours.test")["account"]["status"] == "active"


def test_another_file_does_not_go_on_where_one_stopped(server, key, tmp_path):
    path = write(tmp_path / "a.csv", row("client", "alice@ours.test", "first"))
    batch(server, path, key)
    write(tmp_path / "a.csv", row("client", "alice@ours.test", "second"))
    done = batch(server, path, key, check=False)
    assert done.returncode == 65 and "another file" in done.stderr
    batch(server, path, key, "--results", str(tmp_path / "b.results"))


# -- five thousand ---------------------------------------------------------------------------------------------------------
def done_rows(path):
    state = pathlib.Path(str(path) + ".results.state")
    return state.read_text().count("\ndone ") if state.exists() else 0


@pytest.fixture
def big():
    """In memory where that is possible: it is processes that die here, not disks, and each row is synced several times."""
    s = Server(log_level="warning", tmpfs_mib=1024 if os.geteuid() == 0 else 0)
    try:
        s.start()
        yield s
    finally:
        s.stop(check_log=False)
        s.remove()


def test_five_thousand_rows_through_two_kills(big, key):
    count = 5000
    names = [f"person{i}@ours.test" for i in range(count)]
    path = write(big.base / "people.csv", *(row("create", n, "phone", name=f"Person {i}", doors="imap") for i, n in enumerate(names)))
    words = [str(COMMAND), "batch", path, "--key", f"{key}.pub", "--yes", "--rate"]
    env = dict(os.environ, LANG="C.UTF-8", LETTERLOCK_DIR=str(big.dir))
    # slow enough to be killed before it is done
    first = subprocess.Popen([*words, "250"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: done_rows(path) > 500, 300, "500 rows")
    first.kill()
    first.wait()
    kill_at = done_rows(path)
    assert 500 <= kill_at < count
    readable = len(open_results(path + ".results", key))
    assert kill_at <= readable <= kill_at + 1, "what was written before the kill stays readable"
    second = subprocess.Popen([*words, "100000", "--json"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: done_rows(path) > 3000, 300, "3,000 rows")
    before = children(big)["vault"]
    os.kill(before, signal.SIGKILL)
    out, err = second.communicate(timeout=500)
    told = json.loads(out)
    assert second.returncode == 0 and told["done"] == count and told["failed"] == 0, (told, err[-2000:])
    wait_until(lambda: children(big).get("vault", before) != before, what="another vault")
    # each account once, with one live client password
    accounts = big.json("account", "list", "ours.test")["items"]
    assert sorted(a["address"] for a in accounts) == sorted(names)
    assert all(a["clients"] == 1 for a in accounts)
    audit = big.json("client", "audit", "ours.test")
    assert audit["totals"]["all"] == count and len({i["address"] for i in audit["items"]}) == count
    # each row once among the results, and its secret works
    found = open_results(path + ".results", key)
    assert [r["address"] for r in found] == names and all(r["outcome"] == "ok" for r in found)
    assert len({r["secret"] for r in found}) == count
    around = set(range(kill_at - 3, kill_at + 3)) | {0, count - 1} | set(random.sample(range(count), 60))
    for i in sorted(around):
        imap(big, Account(found[i]["address"], found[i]["secret"])).logout()
    repeated = told["repeated"]
    print(f"kill at row {kill_at}, vault killed near row 3,000, {repeated} rows asked for twice")
    again = subprocess.run([*words, "100000"], env=env, capture_output=True, text=True)
    assert again.returncode == 73 and "done already" in again.stderr
