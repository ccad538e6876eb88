#!/usr/bin/env python3
"""Runs the unit tests (sanitized; those that look at the heap also without) and the pytest suites (against the release build),
sums them up, and prints the table of bad inputs tried. The last line is "N passed, N failed"."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNIT_SECONDS = 3600 if os.environ.get("LETTERLOCK_FULL") else 900


def run_unit(path, full):
    env = dict(os.environ, LETTERLOCK_FULL="1" if full else "", ASAN_OPTIONS="detect_leaks=1:abort_on_error=0",
               UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")
    start = time.monotonic()
    try:
        done = subprocess.run([str(path)], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=UNIT_SECONDS * (10 if full else 1), text=True, errors="replace")
        code, text = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, text = -1, (late.stdout or b"").decode(errors="replace") + f"\nno end within {late.timeout} s\n"
    passed = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", text))
    failed = sum(int(n) for n in re.findall(r"\[  FAILED  \] (\d+) test", text))
    if code != 0 and failed == 0:
        failed = 1
    if code == 0 and passed == 0:
        failed, text = 1, text + "\nran no test\n"
    return path.name, passed, failed, text, time.monotonic() - start


def unit_tests(word, full):
    found = [p for build in ("build-asan", "build") for p in sorted((ROOT / build).glob("unit_*")) if p.is_file() and os.access(p, os.X_OK)]
    found = [p for p in found if word in p.name]
    passed = failed = 0
    output, took = [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for name, good, bad, text, seconds in pool.map(lambda path: run_unit(path, full), found):
            print(f"  {'ok  ' if not bad else 'FAIL'} {name}: {good} passed, {bad} failed ({seconds:.1f} s)", flush=True)
            if bad:
                print(text[-6000:], flush=True)
            passed, failed = passed + good, failed + bad
            output.append(text)
            took.append((seconds, name))
    print("  slowest: " + ", ".join(f"{name} {seconds:.0f} s" for seconds, name in sorted(took, reverse=True)[:5]), flush=True)
    return passed, failed, "\n".join(output)


class Pytest:
    """One run of pytest over the tests with these marks, with ports of its own."""

    def __init__(self, marks, word, part, report, **way):
        self.report = report
        command = ["/usr/bin/python3", "-m", "pytest", "-q", "-x" if os.environ.get("FAIL_FAST") else "-q", "--tb=short",
                   "-p", "no:cacheprovider", f"--junitxml={report}", "-o", "junit_logging=system-out",
                   "--durations=10", "-m", marks, str(ROOT / "tests")]
        command += ["-k", word] if word else []
        env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", LETTERLOCK_TEST_PORTS=part)
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, **way)

    def result(self):
        """(passed, failed, the report)"""
        if self.process.wait() == 5:  # nothing matched
            return 0, 0, ""
        if not self.report.exists():
            return 0, 1, ""
        text = self.report.read_text(encoding="utf-8")
        passed = failed = 0
        for suite in xml.fromstring(text).iter("testsuite"):
            bad = int(suite.get("failures")) + int(suite.get("errors"))
            passed += int(suite.get("tests")) - bad - int(suite.get("skipped"))
            failed += bad
        return passed, failed, text


def pytest_suites(word):
    """Tests that mostly wait for the server's own times (marked `waits`) run beside all others; they are shown behind them."""
    with tempfile.TemporaryDirectory() as temp:
        temp = pathlib.Path(temp)
        with open(temp / "shown", "w+", encoding="utf-8") as shown:
            beside = Pytest("waits", word, "0/2", temp / "beside.xml", stdout=shown, stderr=subprocess.STDOUT)
            try:
                passed, failed, text = Pytest("not waits", word, "1/2", temp / "report.xml").result()
                more, bad, besides = beside.result()
            finally:
                beside.process.terminate()
            print("beside them, those that wait:", flush=True)
            shown.seek(0)
            print(shown.read(), flush=True)
        return passed + more, failed + bad, text + besides


def threat_rows(text):
    rows = {}
    for row, cases, good in re.findall(r"\b(T-\d{3})(?: \([^)]*\))? cases=(\d+) passed=(\d+)", text):
        old = rows.get(row, (0, 0))
        rows[row] = (old[0] + int(cases), old[1] + int(good))
    return rows


def table_of(path):
    lines = (ROOT / path).read_text(encoding="utf-8").strip().split("\n")
    return [line.split("\t") for line in lines]


def threat_table(rows):
    if rows:
        print("bad inputs tried (row: cases run/passed):")
        print("  " + ", ".join(f"{row}: {c}/{g}" for row, (c, g) in sorted(rows.items())))
        print(f"  {len(rows)} rows, {sum(c for c, _ in rows.values())} cases")


def write_threats(rows):
    """docs/threats.md: what holds, with the cases of this run."""
    with open(ROOT / "docs/threats.md", "w", encoding="utf-8") as out:
        out.write("# Bad inputs and faults: what holds\n\n"
                  "Each row is a threat by its id, what holds, the cases that `./dev test` ran (a seeded sample where a row asks for\n"
                  "thousands; `./dev test --full` runs the stated numbers), and where the test is. Written by `./dev test --write-docs`.\n\n"
                  "| id | what holds | cases run | passed | tested in (tests/) |\n|---|---|---:|---:|---|\n")
        for row, text, where in table_of("tests/threats.tsv"):
            cases, good = rows.get(row, (0, 0))
            out.write(f"| {row} | {text} | {cases or '-'} | {good or '-'} | {where} |\n")
        out.write("\nA dash means that the cases are counted by a test that prints no number of its own.\n\n"
                  "## Not held yet, or not counted yet\n\n| ids | what stands | who owes it |\n|---|---|---|\n")
        for ids, stands, who in table_of("tests/threats_owed.tsv"):
            out.write(f"| {ids} | {stands} | {who} |\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help="the stated numbers of threats.md instead of a seeded sample")
    parser.add_argument("-k", default="", metavar="WORD", help="only tests whose name holds WORD")
    parser.add_argument("--write-docs", action="store_true", help="write docs/threats.md from this run, and the laboratory's table")
    parser.add_argument("--unit", action="store_true", help="only the unit tests")
    args = parser.parse_args()
    if args.full:
        os.environ["LETTERLOCK_FULL"] = "1"
    print("unit tests (ASan, UBSan):", flush=True)
    passed, failed, text = unit_tests(args.k, args.full)
    if not args.unit:
        print("against the running server:", flush=True)
        more, bad, report = pytest_suites(args.k)
        passed, failed, text = passed + more, failed + bad, text + report
    rows = threat_rows(text)
    threat_table(rows)
    if args.write_docs:
        write_threats(rows)
        subprocess.run([sys.executable, str(ROOT / "tests/lab/document.py")], check=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)


main()
