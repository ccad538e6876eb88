#!/usr/bin/env python3
"""./dev fuzz: runs every libFuzzer target for a stated time, from its seeds, two at once. Exits 1 on a finding and says how
to repeat it. New inputs that reach new code are kept in build-fuzz/corpus."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

import dictionary

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build-fuzz"
ENVIRONMENT = dict(os.environ, UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")  # else a finding is only printed


def run(target, seconds):
    corpus, found = BUILD / "corpus" / target.name, BUILD / "found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    seeds = ROOT / "tests/fuzz/seeds" / target.name
    words = dictionary.write(target.name, BUILD / "dictionaries")
    command = [str(target), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
               f"-artifact_prefix={found}/{target.name}-", str(corpus)]
    command += [str(seeds)] if seeds.is_dir() else []
    command += [f"-dict={words}"] if words else []
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", env=ENVIRONMENT)
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
    reached = re.findall(r"cov: (\d+)", done.stderr)
    return target.name, done.returncode, int(runs.group(1)) if runs else 0, reached[-1] if reached else "?", done.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("-k", default="", metavar="WORD")
    args = parser.parse_args()
    targets = sorted(p for p in BUILD.glob("fuzz_*") if p.is_file() and p.stat().st_mode & 0o100 and args.k in p.name)
    if not targets:
        sys.exit("no fuzz target was built")
    bad = total = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, t, args.seconds) for t in targets]):
            name, code, runs, reached, text = done.result()
            total += runs
            print(f"{'ok  ' if code == 0 else 'FAIL'} {name}: {runs} inputs, {reached} places reached", flush=True)
            if code:
                bad += 1
                print(text[-5000:])
    print(f"{total} inputs, {len(targets)} targets, {bad} with findings")
    sys.exit(1 if bad else 0)


main()
