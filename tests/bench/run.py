#!/usr/bin/env python3
"""./dev bench: the same load on Letterlock and on Dovecot + Postfix, one after the other in one run; prints Markdown tables
and the ratios. Every answer is checked by mailbench; a run with errors is no result.

  --scenarios "imap-login smtp-in"   only these (names as in peers/all.sh)
  --reps N --secs S                  repetitions and seconds of each
  --no-peer                          Letterlock alone
  --signins                          sign-ins beyond the bare TLS handshake, the peer with its default password hash
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lib.server import Server  # noqa: E402

SCENARIOS = ("smtp-in smtp-in-pipe submit imap-login imap-login-resume imap-append imap-append-litplus imap-fetch-flags "
             "imap-fetch-env imap-fetch-body imap-store search-subject search-text search-cjk imap-mixed pop3-retr "
             "connect-flood-tls imap-idle")
DOMAIN = "example.test"
# the bars a later issue sets, as a share of the peer's CPU per operation
BARS = {"imap-append": 0.25, "imap-append-litplus": 0.25, "smtp-in": 0.25, "imap-fetch-env": 0.33, "imap-fetch-flags": 0.33,
        "imap-fetch-body": 0.33}


# What a sign-in costs beyond its handshake: a fifth of the peer's at most.
SIGNIN_SCENARIOS, SIGNIN_BAR, PEER_DEFAULT_HASH = "tls-handshake imap-login", 0.20, "CRYPT"


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def letterlock_env(folder, users, idle):
    config = "\n".join(("connections_per_network = 10000", "connections_waiting = 100000", "sessions = 100000"))
    server = Server(domain=DOMAIN, hostname="mail." + DOMAIN, extra=config, log_level="info").start()
    names = [f"u{i:04d}" for i in range(users)] + [f"u{i:04d}" for i in range(1000, 1000 + idle + 1)]
    say(f"making {len(names)} accounts")

    def make(name):
        return name, server.add_account(name).password
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        passwords = dict(pool.map(make, names))
    pass_file = folder / "passwords"
    last = max(int(n[1:]) for n in names)
    pass_file.write_text("".join(passwords.get(f"u{i:04d}", "x") + "\n" for i in range(last + 1)))
    env = folder / "letterlock.env"
    env.write_text(f"""NAME=letterlock
HOST=127.0.0.1
IMAP_PORT={server.ports['imap']}
IMAPS_PORT={server.ports['imaps']}
POP3S_PORT={server.ports['pop3s']}
SMTP_PORT={server.ports['smtp']}
SUBMISSIONS_PORT={server.ports['submissions']}
USER_PATTERN='u%04d@{DOMAIN}'
USERS={users}
PASS_FILE={pass_file}
ROOT_PIDS={server.process.pid}
STORE_DIR={server.dir / 'accounts'}
""")
    return server, env


def run_all(env, out, scenarios, args):
    settings = dict(os.environ, REPS=str(args.reps), SECS=str(args.secs), IDLE_N=str(args.idle), BENCH=str(HERE),
                    BIGK=str(args.big), FLOOD_N=str(args.idle), IDLE_SETTLE=str(args.settle))
    subprocess.run([str(HERE / "peers/all.sh"), str(env), str(out), *scenarios], env=settings, check=True,
                   stdout=subprocess.DEVNULL)


def read(path):
    rows = {}
    for line in path.read_text().split("\n"):
        if line.startswith("{"):
            row = json.loads(line)
            rows.setdefault(row["label"], []).append(row)
    return rows


def median(rows, key):
    values = [r[key] for r in rows if r.get(key) is not None]
    return statistics.median(values) if values else None


def compare(ours, theirs):
    print("| scenario | Letterlock CPU ms/op | peer CPU ms/op | ratio | bar | Letterlock ops/s | peer ops/s | errors |")
    print("|---|---|---|---|---|---|---|---|")
    for label, rows in ours.items():
        mine, other = median(rows, "server_cpu_s_per_1000"), median(theirs.get(label, []), "server_cpu_s_per_1000")
        if mine is None or "pss_kb_per_conn" in rows[0]:
            continue
        ratio = f"{mine / other:.2f}" if other else "-"
        bar = BARS.get(label)
        speed = median(theirs.get(label, []), "delivered_per_s") or median(theirs.get(label, []), "ops_s")
        print(f"| {label} | {mine:.3f} | {other and round(other, 3)} | {ratio} | {bar or '-'} | {median(rows, 'ops_s'):.0f} | "
              f"{speed and round(speed)} | {sum(r.get('errors', 0) for r in rows)} |")
    print("\n| connections held | Letterlock PSS KB | kernel KB (both ends) | peer PSS KB |\n|---|---|---|---|")
    for label, rows in ours.items():
        if "pss_kb_per_conn" in rows[0]:
            other = median(theirs.get(label, []), "pss_kb_per_conn")
            print(f"| {label} | {median(rows, 'pss_kb_per_conn')} | {median(rows, 'kernel_kb_per_conn_both_ends')} | {other} |")


def compare_signins(ours, theirs):
    """CPU of a whole sign-in less that of a bare handshake, each from the same run."""
    cost = {}
    for name, rows in (("Letterlock", ours), ("peer", theirs)):
        login, bare = (median(rows.get(label, []), "server_cpu_s_per_1000") for label in ("imap-login", "tls-handshake"))
        if login is not None and bare is not None:
            cost[name] = (login, bare, login - bare)
    print("\n| | sign-in, CPU ms | bare handshake, CPU ms | sign-in beyond it, CPU ms |\n|---|---|---|---|")
    for name, (login, bare, beyond) in cost.items():
        print(f"| {name} | {login:.3f} | {bare:.3f} | {beyond:.3f} |")
    if len(cost) == 2:
        print(f"\nRatio beyond the handshake: {cost['Letterlock'][2] / cost['peer'][2]:.3f} (bar {SIGNIN_BAR})")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenarios", default=SCENARIOS)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--secs", type=int, default=4)
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--settle", type=int, default=60, help="seconds before the memory of idle sessions is read: a store "
                        "closes after 30 s without a visitor")
    parser.add_argument("--big", type=int, default=5000)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--signins", action="store_true")
    args = parser.parse_args()
    if args.signins:
        args.scenarios = SIGNIN_SCENARIOS
    scenarios = args.scenarios.split()
    subprocess.run(["make", "-s", "-C", str(HERE)], check=True)
    with tempfile.TemporaryDirectory(prefix="letterlock-bench-") as temp:
        folder, out = pathlib.Path(temp), pathlib.Path(temp) / "out"
        out.mkdir()
        held = any(s.startswith(("imap-idle", "connect")) for s in scenarios)
        server, env = letterlock_env(folder, 310, args.idle if held else 0)
        try:
            say("Letterlock")
            run_all(env, out, scenarios, args)
        finally:
            server.stop(check_log=False)
            server.remove()
        ours, theirs = read(out / "letterlock.jsonl"), {}
        if not args.no_peer:
            peers = HERE / "peers/peers.sh"
            subprocess.run([str(peers), "install"], check=True)
            env = subprocess.run([str(peers), "start", "peer", "--store", "sdbox", "--login", "perf",
                                  *(["--scheme", PEER_DEFAULT_HASH] if args.signins else [])], check=True,
                                 capture_output=True, text=True).stdout.strip().split("\n")[-1]
            try:
                say("Dovecot + Postfix")
                run_all(env, out, scenarios, args)
            finally:
                subprocess.run([str(peers), "stop", "peer"])
            theirs = read(next(p for p in out.glob("*.jsonl") if p.name != "letterlock.jsonl"))
        compare(ours, theirs)
        if args.signins:
            compare_signins(ours, theirs)
    failed = [label for label, rows in ours.items() if any(r.get("errors") or r.get("failed") for r in rows)]
    if failed:
        sys.exit(f"runs with errors: {', '.join(failed)}")


main()
