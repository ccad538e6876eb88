#!/usr/bin/env python3
"""The house rules a machine can hold us to: rooms and layers, foreign headers, banned functions, sizes, header blocks,
invariants, fuzzers with seeds, what nobody reads or calls, format, warnings of both compilers; with --tidy also what clang-tidy finds (.clang-tidy). Prints each
breach as file:line: text, and exits 1 if there is any."""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

LEVELS = {
    "base": 0,
    "mail": 1, "crypto": 1, "config": 1, "jail": 1, "loop": 1,
    "ipc": 2, "net": 2, "dns": 2, "tls": 2, "scope": 2, "sasl": 2, "guard": 2, "audit": 2, "db": 2, "factor": 2, "breach": 2,
    "imap/wire": 2, "pop3/wire": 2, "smtp/wire": 2,
    "store": 3, "vault": 3,
    "directory": 4, "gate": 4, "keeper": 4,
    "imap/front": 5, "pop3/front": 5, "smtp/front": 5,
    "imap/session": 5, "pop3/session": 5, "smtp/session": 5,
    "doctor": 5, "proc": 6, "doctor/steps": 6, "cli": 6, "programs": 7,
}
# Levels 1 and 2 hold pure rooms and their helpers; these downward steps inside a level are argued in docs/architecture.md.
SAME_LEVEL = {("config", "mail"), ("tls", "net"), ("ipc", "net"), ("imap/wire", "tls"), ("cli", "proc"), ("cli", "doctor/steps")}

FOREIGN = {
    "sqlite3.h": {"db"}, "libpq-fe.h": {"db"}, "event2/": {"loop"}, "sys/epoll.h": {"loop"},
    "seccomp.h": {"jail"}, "linux/seccomp.h": {"jail"}, "linux/landlock.h": {"jail"},
    "openssl/ssl.h": {"tls"}, "openssl/x509": {"tls"}, "openssl/": {"tls", "crypto"}, "sodium": {"crypto"},
    "idn2.h": {"mail"}, "utf8proc.h": {"mail"}, "iconv.h": {"mail"}, "zstd.h": {"store"},
    "liboath/": {"factor"}, "fido": {"factor"}, "jansson.h": {"factor"}, "qrencode.h": {"cli"}, "zxcvbn": {"vault"},
    "zxcvbn.h": {"vault"}, "unbound.h": {"dns"}, "curl/": {"doctor/steps"}, "expat.h": {"doctor/steps"},
    "ldap.h": {"directory"}, "lber.h": {"directory"}, "openldap.h": {"directory"},
}

BANNED = {
    "strcpy": "slice and buf", "strcat": "buf_put", "sprintf": "buf_printf", "vsprintf": "buf_vprintf", "gets": "stream",
    "strtok": "slice_cut", "atoi": "slice_to_u64", "atol": "slice_to_u64", "sscanf": "a parser", "alloca": "an arena",
    "system": "nothing: no shell is ever started", "popen": "nothing: no shell is ever started", "rand": "crypto/random.h",
    "setlocale": "nothing: the locale is never set", "localtime": "civil_of_unix", "gmtime": "civil_of_unix",
    "mktime": "civil_to_unix", "strftime": "mail/date.h", "usleep": "loop timers", "gethostbyname": "net/",
    "getpwnam": "numeric ids: no name service after start", "tmpnam": "O_TMPFILE", "mktemp": "O_TMPFILE",
}

KINDS = (".c", ".h", ".def", ".schema", ".build", ".py")
MOST_SEEDS = 40  # what fuzzing finds stays in build-fuzz/corpus; a finding becomes a unit test

problems = []


def report(path, line, text):
    problems.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def room_of(path):
    parts = path.relative_to(SRC).parts[:-1]
    return "/".join(parts)


def strip_code(text):
    """Comments and string contents blanked, so that only code is searched; lines keep their numbers."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def check_includes(path, text):
    room = room_of(path)
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#include\s*(["<])([^">]+)[">]', line)
        if not match:
            continue
        quote, name = match.groups()
        if quote == '"':
            if name.startswith("../") or "/" not in name:
                report(path, number, f'include "{name}": headers are named room/file.h')
                continue
            target = "/".join(name.split("/")[:-1])
            if target not in LEVELS:
                report(path, number, f"{target} is no room")
            elif target != room and LEVELS[target] >= LEVELS[room] and (room, target) not in SAME_LEVEL:
                report(path, number, f"{room} (level {LEVELS[room]}) includes {target} (level {LEVELS[target]}): only lower")
        else:
            best = max((f for f in FOREIGN if name.startswith(f)), key=len, default=None)
            if best and room not in FOREIGN[best]:
                report(path, number, f"<{name}> belongs to {', '.join(sorted(FOREIGN[best]))} alone")


def check_words(path, text):
    code = strip_code(text)
    for match in re.finditer(r"\b(" + "|".join(BANNED) + r")\s*\(", code):
        line = code.count("\n", 0, match.start()) + 1
        report(path, line, f"{match.group(1)}() is banned: use {BANNED[match.group(1)]}")
    for match in re.finditer(r"\bgoto\b", code):
        report(path, code.count("\n", 0, match.start()) + 1, "goto: let cleanup attributes and arenas end things")
    for number, line in enumerate(text.split("\n"), 1):
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
            report(path, number, "debt belongs into an issue, not into the source")


# Compared octet by octet until the first difference, these would tell a guesser how far the guess was right (T-244). What is made
# of a secret counts as one: keyed hashes, proofs, tickets.
SECRET_TYPES = ("secret", "clientpw", "token", "scram_keys", "recovery_code", "reset_code", "vault_shown")
SECRET_WORDS = (r"secret_reveal\s*\(|\b(?:clientpw|token|hash|recovery_code|reset_code)_slice\s*\(|"
                r"\b(?:stored_key|server_key|server_signature|ticket|proof|exporter|password_hash)\b")
COMPARISONS = r"\b(memcmp|strcmp|strncmp|strcasecmp|bcmp|slice_eq|slice_eq_nocase|slice_cmp)\s*\("


def arguments(code, start):
    """The text between the parenthesis that opens before `start` and its partner."""
    depth = 1
    for at in range(start, len(code)):
        depth += (code[at] == "(") - (code[at] == ")")
        if depth == 0:
            return code[start:at]
    return code[start:]


def check_secrets(path, text):
    code = strip_code(text)
    types = "|".join(SECRET_TYPES)
    for match in re.finditer(COMPARISONS, code):
        function = code[code.rfind("\n}", 0, match.start()) + 1:match.start()]
        names = set(re.findall(rf"\bstruct (?:{types})\s+(?:\*\s*)?(?:const\s+)?(\w+)", function))
        owned = "|".join(map(re.escape, sorted(names)))
        secret = SECRET_WORDS + (rf"|(?<![.>\w])&?\b(?:{owned})\b" if owned else "")
        if re.search(secret, arguments(code, match.end())):
            line = code.count("\n", 0, match.start()) + 1
            report(path, line, f"{match.group(1)}() with something secret: use secret_same")


def linked_rooms():
    """What each process is linked from: the programs of src/programs, and the command."""
    text = (SRC / "programs/meson.build").read_text(encoding="utf-8")
    programs = re.findall(r"'letterlock-(\w+)': \{.*?'rooms': \[(.*?)\]", text, re.S)
    command = re.search(r"room_uses = \[(.*?)\]", (SRC / "cli/meson.build").read_text(encoding="utf-8"), re.S).group(1)
    return {name: set(re.findall(r"'([\w/]+)'", rooms)) for name, rooms in [*programs, ("cli", command + "'cli'")]}


def check_header(path, text, linked):
    if path.suffix != ".h":
        return
    room = room_of(path)
    head = re.sub(r"\s*\n \*\s*", " ", text[:3000])
    opening = re.match(rf"/\* {re.escape(path.name)} - .*?\broom: {re.escape(room)}\s+runs in: ([a-z, ]*)", head, re.S)
    if not opening:
        report(path, 1, f"the header opens with: /* {path.name} - what it is.   room: {room}   runs in: ...")
        return
    for process in re.findall(r"\w+", re.split(r"  |\n", opening.group(1))[0]):
        if process in linked and room not in linked[process]:
            report(path, 1, f"{process} does not link {room}: it does not run there")


def check_sizes(files):
    for path in files + sorted((ROOT / "tests/unit").rglob("*.[ch]")):
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > 800:
            report(path, 1, f"{lines} lines; a file stops at 800")
    listing = subprocess.run(["ctags", "--languages=C", "--kinds-C=f", "--fields=+ne", "-o", "-", *map(str, files)],
                             capture_output=True, text=True)
    if listing.returncode != 0:
        return
    for row in listing.stdout.splitlines():
        parts = row.split("\t")
        fields = dict(p.split(":", 1) for p in parts[3:] if ":" in p)
        if "line" not in fields or "end" not in fields:
            continue
        size = int(fields["end"]) - int(fields["line"]) + 1
        path = pathlib.Path(parts[1])
        if size > 60:
            text = path.read_text(encoding="utf-8").split("\n")
            before = "\n".join(text[max(0, int(fields["line"]) - 6):int(fields["line"])])
            if "long:" not in before:
                report(path, int(fields["line"]), f"{parts[0]} has {size} lines; a function stops at 60")


def check_invariants():
    """Every numbered promise of a header stands in docs/invariants.md, and no number is given twice there."""
    text = (ROOT / "docs/invariants.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (INV-[A-Z]?\d+) \|", text, re.M)
    for number in {n for n in listed if listed.count(n) > 1}:
        report(ROOT / "docs/invariants.md", 1, f"{number} is given twice")
    for path in [*SRC.rglob("*.h"), *SRC.rglob("*.c")]:
        for number in re.findall(r"\b(INV-[A-Z]?\d+)\b", path.read_text(encoding="utf-8")):
            if number not in listed:
                report(path, 1, f"{number} does not stand in docs/invariants.md")


def check_folders():
    listed = set(re.findall(r"'([a-z0-9/]+)'", re.search(r"rooms = \[(.*?)\]", (ROOT / "meson.build").read_text(), re.S).group(1)))
    for folder in SRC.rglob("*"):
        name = str(folder.relative_to(SRC))
        if folder.is_dir() and any(folder.glob("*.[ch]")) and name not in listed and name != "programs":
            report(folder / "meson.build", 1, "this folder is no room of the root meson.build")
    for path in SRC.rglob("*"):
        if path.is_file() and path.suffix not in KINDS and "__pycache__" not in path.parts:
            report(path, 1, f"src/ holds {', '.join(KINDS)} alone; notes belong into issues")
    for name in listed - set(LEVELS):
        report(ROOT / "meson.build", 1, f"room {name} has no level in tools/check.py")


def check_fuzzers():
    named = set()
    for room in SRC.rglob("meson.build"):
        found = re.search(r"room_fuzzers = \[(.*?)\]", room.read_text(encoding="utf-8"), re.S)
        named |= set(re.findall(r"'(\w+)'", found.group(1))) if found else set()
    folder = ROOT / "tests/fuzz"
    written = {path.stem for path in folder.glob("fuzz_*.c")}
    for name in sorted(written ^ named):
        report(folder / f"{name}.c", 1, "a fuzzer stands in tests/fuzz and in its room's room_fuzzers")
    for name in sorted(written):
        seeds = len(list((folder / "seeds" / name).glob("*")))
        if not 1 <= seeds <= MOST_SEEDS:
            report(folder / "seeds" / name, 1, f"{seeds} seeds; a fuzzer begins with 1 to {MOST_SEEDS} that mean something")


def check_unused():
    """What a table declares and no code reads: limits, settings, messages and the values of their fields. A limit may also
    be a promise that a test holds: a setting's preset, the latest answer to a sign-in. And limits that only words know."""
    code = "\n".join(strip_code(p.read_text(encoding="utf-8")) for p in SRC.rglob("*.[ch]"))
    used = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", code))
    held = (ROOT / "tests/unit" / name for name in ("config/test_config.c", "vault/test_signin.c"))
    promises = {name for path in held for name in re.findall(r"\bLIMIT_\w+", path.read_text(encoding="utf-8"))}
    schema = (SRC / "ipc/messages.schema").read_text(encoding="utf-8")
    named = {("base/limits.def", f"LIMIT_{n}") for n in declared("base/limits.def", "LIMIT") if f"LIMIT_{n}" not in promises}
    named |= {("config/keys.def", f"CONFIG_{n}") for n in declared("config/keys.def", "KEY")}
    named |= {("ipc/messages.schema", f"MSG_{n.upper()}") for n in re.findall(r"^message (\w+)", schema, re.M)}
    for enum, values in re.findall(r"^enum (\w+) \w+(.*)", schema, re.M):
        named |= {("ipc/messages.schema", f"{enum}_{value}".upper()) for value in values.split()}
    for table, name in sorted(named):
        if name not in used:
            report(SRC / table, 1, f"nothing reads {name}")
    limits = {f"LIMIT_{n}" for n in declared("base/limits.def", "LIMIT")}
    for path in [*SRC.rglob("*.[ch]"), *(ROOT / "docs").glob("*.md"), ROOT / "tests/threats.tsv"]:
        for name in set(re.findall(r"\bLIMIT_[A-Z0-9_]+\b", path.read_text(encoding="utf-8"))) - limits:
            if not name.endswith("_"):
                report(path, 1, f"{name} is no limit")


# Of these the product itself has no need in another file: functions, or all of a header.
FOR_TESTS = {
    "the clock, chance, the disk, the log and the loop, as a test wants them":
        "clock_set_offset clock_stand_still disk_set_hook log_set_sink loop_turn sasl_client_set_nonce sasl_server_set_nonce",
    "the end of what lives as long as its process, so that leaks are seen":
        "accounts_free arrivals_free charsets_free grants_free poisoned_free sessions_free",
    "what a test looks at, or takes away":
        "db_in_transaction device_list door_row interceptor_count ipc_print jail_call_is_known jail_landlock_abi known_at "
        "knowledge_expressions mime_memory phrase_words quota_of reason_known sessions_count signins_count slots_of_keeper "
        "store_check structure_check tls_facts vault_slab vault_spent webauthn_ids",
    "from memory or over a given socket, where the product opens files and connections":
        "knowledge_new talk_over tls_set_add",
    "the other side, which tests and fuzzers hold the product against":
        "audit_verify audit_verify_all encoding_put_quoted_printable header_length header_put_param totp_code scram_make",
    "what reads foreign octets, or judges, and is tried alone":
        "breach_take candidates_port_is_for_mail cause_consequence config_networks fetch_is_inner find_take_records greeting_note "
        "names_answer names_question person_id person_quota probe_answer probe_question tls_read_certificate",
    "the portal, which is to come: its machines stand, with their rows of threats.tsv":
        "device_forget device_forget_all vault/entry.h vault/session.h",
}
PROTOTYPE = re.compile(r"^(?!typedef|extern|static (?!inline)|struct \w+ \{)[a-z][a-z0-9_ ]*[ *\n]+(\w+)\(", re.M)
NAME = re.compile(r"(?<!struct )(?<!enum )(?<!union )(?<!\.)(?<!->)\b[a-z_]\w+\b")  # not of a type, not of a member


def check_declared():
    """A function of a header is called by the product, and from another file than its own: else it is static, or gone, or stands
    in FOR_TESTS, where nothing else stands."""
    kept = set(" ".join(FOR_TESTS.values()).split())
    texts = {p: strip_code(p.read_text(encoding="utf-8")) for p in SRC.rglob("*.[ch]")}
    sources = texts | {p: p.read_text(encoding="utf-8") for p in [*SRC.rglob("*.def"), *SRC.rglob("*.py")]}
    words = {p: collections.Counter(NAME.findall(text)) for p, text in sources.items()}
    files = collections.Counter(name for names in words.values() for name in names)
    needed = set()
    for path, text in texts.items():
        header = str(path.relative_to(SRC))
        for match in PROTOTYPE.finditer(text) if path.suffix == ".h" else ():
            name = match.group(1)
            own = 1 if match.group(0).startswith("static inline") else 2  # the header, and the file that defines it
            if files[name] > own or words[path][name] > 1 or name.startswith("__"):
                continue
            needed |= kept & {name, header}
            if not kept & {name, header}:
                line = text.count("\n", 0, match.start(1)) + 1
                report(path, line, f"no other file of the product calls {name}(): make it static, or drop it")
    for name in sorted(kept - needed):
        report(ROOT / "tools/check.py", 1, f"{name} need not stand in FOR_TESTS")


def declared(table, macro):
    return re.findall(rf"^{macro}\((\w+),", (SRC / table).read_text(encoding="utf-8"), re.M)


def check_format(files):
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *map(str, files)], capture_output=True, text=True)
    for line in done.stderr.splitlines():
        match = re.match(r"(.*?):(\d+):\d+: error", line)
        if match:
            report(pathlib.Path(match.group(1)), int(match.group(2)), "not formatted: run ./dev format")


# gcc looks deepest at -O3, and that is what is shipped
COMPILERS = {"gcc": ["-Dbuildtype=release"], "clang": []}


def setup_build(compiler):
    folder = ROOT / f"build-check-{compiler}"
    if not (folder / "build.ninja").exists():
        subprocess.run(["env", f"CC={compiler}", "meson", "setup", str(folder), "-Dwerror=true", *COMPILERS[compiler]],
                       check=True, capture_output=True)
    return folder


def check_compilers():
    for compiler in COMPILERS:
        done = subprocess.run(["ninja", "-k", "0", "-C", str(setup_build(compiler)), "all", "unit-tests"],
                              capture_output=True, text=True)
        if done.returncode:
            said = done.stdout.splitlines()
            errors = [line for line in said if "error:" in line or "undefined reference" in line]
            problems.append(f"{compiler}: " + "\n".join(errors or said[-5:])[:4000])


def tidy(path):
    done = subprocess.run(["clang-tidy", "--quiet", "-p", str(ROOT / "build-check-clang"), str(path)],
                          capture_output=True, text=True)
    return re.findall(r"^(/\S+?):(\d+):\d+: (?:warning|error): (.*)$", done.stdout, re.M)


def check_tidy(files):
    setup_build("clang")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        found = {row for rows in pool.map(tidy, files) for row in rows}
    for path, line, text in sorted(found):
        report(pathlib.Path(path).resolve(), int(line), text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="leave the compilers out")
    parser.add_argument("--tidy", action="store_true", help="with clang-tidy, some minutes")
    args = parser.parse_args()
    sources = sorted(p for p in SRC.rglob("*.[ch]"))
    linked = linked_rooms()
    for path in sources:
        text = path.read_text(encoding="utf-8")
        check_includes(path, text)
        check_words(path, text)
        check_secrets(path, text)
        check_header(path, text, linked)
    check_sizes([p for p in sources if p.suffix == ".c"])
    check_invariants()
    check_folders()
    check_fuzzers()
    check_unused()
    check_declared()
    check_format(sources + sorted((ROOT / "tests").rglob("*.[ch]")))
    if not args.quick:
        check_compilers()
    if args.tidy:
        check_tidy([p for p in sources if p.suffix == ".c"])
    for problem in problems:
        print(problem)
    print(f"check: {len(problems)} problems in {len(sources)} files")
    sys.exit(1 if problems else 0)


main()
