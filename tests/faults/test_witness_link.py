"""The linker's word: no executable contains a room or a symbol that its row of the process table forbids. The release build is
read with nm: undefined dynamic symbols are what it may call, its own symbols are what was linked into it."""
import json
import re
import subprocess

import pytest

from lib.server import BUILD, ROOT

WITNESS = BUILD / "tests/tools/jail_witness"
TABLE = {row["role"]: row for row in map(json.loads, subprocess.run(
    [str(WITNESS), "table"], capture_output=True, text=True, check=True).stdout.splitlines())}


def nm(path, *options):
    out = subprocess.run(["nm", *options, str(path)], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines() if line.strip() and not line.endswith(":")}


def program(role):
    return BUILD / "src/programs" / TABLE[role]["program"]


def matches(symbol, pattern):
    return symbol.startswith(pattern[:-1]) if pattern.endswith("*") else symbol == pattern


def rooms_inside(role):
    """Rooms of which anything was linked: the debug information names the source file of every object."""
    out = subprocess.run(["readelf", "--debug-dump=info", "--dwarf-depth=1", str(program(role))], capture_output=True,
                         text=True, check=True).stdout
    return {match[1] for match in re.finditer(r"\bsrc/([a-z0-9_/]+)/[a-z0-9_]+\.c\b", out)}


@pytest.mark.parametrize("role", sorted(TABLE))
def test_no_forbidden_symbol(role):
    wanted = nm(program(role), "--dynamic", "--undefined-only")
    assert "write" in wanted or "__write_chk" in wanted, "nm showed nothing"
    bad = sorted(s for s in wanted for pattern in TABLE[role]["no_symbols"] if matches(s, pattern))
    assert not bad


@pytest.mark.parametrize("role", sorted(TABLE))
def test_no_forbidden_room(role):
    inside = rooms_inside(role)
    assert {"base", "loop", "ipc", "proc"} <= inside, "the executable has no debug information to look at"
    assert not inside & set(TABLE[role]["no_rooms"])


def test_the_witness_would_notice():
    """The vault does contain what the gate must not, and a gate links its TLS: the patterns are not mistyped."""
    assert any(matches(s, "sqlite3_*") for s in nm(program("vault"), "--dynamic", "--undefined-only"))
    assert any(matches(s, "SSL_*") for s in nm(program("gate"), "--dynamic", "--undefined-only"))
    assert "net" in rooms_inside("supervisor") and "tls" in rooms_inside("gate") and "store" in rooms_inside("keeper")


@pytest.mark.parametrize("role", sorted(TABLE))
def test_hardened(role):
    """Position-independent, all relocations read-only at start, no executable stack."""
    text = subprocess.run(["readelf", "-W", "-h", "-l", "-d", str(program(role))], capture_output=True, text=True,
                          check=True).stdout
    assert "DYN (Position-Independent Executable file)" in text
    assert "GNU_RELRO" in text and "BIND_NOW" in text
    stack = next(line for line in text.splitlines() if "GNU_STACK" in line)
    assert "RWE" not in stack


def test_rooms_are_those_of_the_build():
    """A room that is renamed would slip out of the table."""
    build = (ROOT / "meson.build").read_text()
    for row in TABLE.values():
        for room in row["no_rooms"]:
            assert f"'{room}'" in build


def test_the_command_links_no_database():
    """Offline commands start a vault instead."""
    command = BUILD / "src/programs/letterlock"
    assert not [s for s in nm(command, "--dynamic", "--undefined-only") if matches(s, "sqlite3_*") or matches(s, "PQ*")]


@pytest.mark.parametrize("role", sorted(TABLE))
def test_only_the_command_examines_others(role):
    """What `letterlock doctor` needs to look at strange servers (names, web pages, their XML) is in no program of the server."""
    foreign = ("ub_*", "curl_*", "XML_*")
    assert not [s for s in nm(program(role), "--dynamic", "--undefined-only") for p in foreign if matches(s, p)]
    assert not rooms_inside(role) & {"dns", "doctor", "doctor/steps"}
    command = nm(BUILD / "src/programs/letterlock", "--dynamic", "--undefined-only")
    assert all(any(matches(s, p) for s in command) for p in foreign)


# ------------------------------------------------------------------------------------------------ one decision function
# Who may ask whether a limit allows a door, and who may recognise a secret: by the objects of the vault, as linked.
DOOR_QUESTIONS = ("scope_allows_network", "scope_allows_time")
RECOGNISERS = ("vault_client_find", "vault_token_find", "vault_certificate_find", "sasl_scram_check", "sasl_cram_check")


def objects_of(library):
    """{object: (defined, undefined)} of a room's static library."""
    out = subprocess.run(["nm", "-A", str(BUILD / library)], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in out.splitlines():
        match = re.match(r".*/(\w+\.c)\.o:\s*(.*)$", line)
        words = match[2].split()
        defined, undefined = found.setdefault(match[1], (set(), set()))
        (undefined if words[-2] == "U" else defined if words[-2] == "T" else set()).add(words[-1])
    return found


def users_of(symbol):
    return {(library.name, name) for library in BUILD.glob("lib*.a") for name, (_, undefined) in
            objects_of(library.name).items() if symbol in undefined}


def test_one_decision_function():
    """Every door comes through decide(): it is defined once, nothing else asks a limit about a door, and whoever recognises a
    secret hands what it found to decide()."""
    vault = objects_of("libvault.a")
    homes = [name for name, (defined, _) in vault.items() if "decide" in defined]
    assert homes == ["src_vault_decide.c"]
    callers = {name for name, (_, undefined) in vault.items() if "decide" in undefined}
    assert callers and all(name.startswith("src_vault_signin") for name in callers), callers
    for question in DOOR_QUESTIONS:
        assert {u for u in users_of(question) if u[0] != "libscope.a"} == {("libvault.a", "src_vault_decide.c")}, question
    for recogniser in RECOGNISERS:
        users = users_of(recogniser)
        assert users, f"{recogniser} is used by nobody: the test looks for an old name"
        assert all(u[0] == "libvault.a" and u[1].startswith("src_vault_signin") for u in users), (recogniser, users)


def test_only_the_engine_grants():
    """A grant is sent by one function, called from one table: that of the sign-in engine."""
    senders = {p.name for p in (ROOT / "src").rglob("*.c") if ".type = MSG_GRANT}" in p.read_text()}
    assert senders == {"vault_keeper.c"}
    callers = {p.name for p in (ROOT / "src").rglob("*.c") if re.search(r"\bvault_send_grant\b", p.read_text())}
    assert callers == {"vault_keeper.c", "vault_gate.c"}
