#!/usr/bin/env python3
"""How long `letterlock doctor` takes for a whole check of a healthy server: our own, on loopback, all three protocols, signing in with
each mechanism. Beside it, in the same run, what the usual programs need for a part of it: curl signs in once at each door, openssl
s_client makes one handshake. Prints, judges nothing. Started by `./dev bench doctor`."""
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "tests" / "lib"))
from lib.dnsserver import DnsServer  # noqa: E402
from lib.server import COMMAND, Server  # noqa: E402

ROUNDS = 15


def timed(command, expect=0, **more):
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, text=True, **more)
    took = time.monotonic() - start
    if done.returncode != expect:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return took


def show(name, rounds):
    print(f"{name:58} min {min(rounds):.3f}  median {statistics.median(rounds):.3f}  max {max(rounds):.3f} s", flush=True)
    return statistics.median(rounds)


def main():
    names = {("mx.ours.test", "A"): ["127.0.0.1"], ("ours.test", "MX"): ["10 mx.ours.test"]}
    with Server.running(accounts=["alice"], log_level="info") as server, DnsServer(names) as dns:
        alice = server.accounts["alice"]
        secret, config = server.dir / "secret", server.dir / "curlrc"
        for path, text in ((secret, alice.password + "\n"), (config, f'user = "{alice.address}:{alice.password}"\n')):
            path.touch(0o600)
            path.write_text(text)
        ports = {service: server.ports[door] for service, door in DOORS.items()}
        hosts = [w for service, port in ports.items() for w in (f"--{service}", f"mx.ours.test:{port}")]
        doctor = [COMMAND, "doctor", alice.address, *hosts, "--tls", "implicit", "--ca", server.ca_file, "--dns", dns.where]
        whole = show("letterlock doctor: three protocols, each mechanism",
                     [timed([*doctor, "--password-file", str(secret)]) for _ in range(ROUNDS)])
        show("letterlock doctor --no-password", [timed([*doctor, "--no-password"]) for _ in range(ROUNDS)])
        curl = ["curl", "-sS", "-K", str(config), "--cacert", server.ca_file]
        curl += [w for port in ports.values() for w in ("--resolve", f"mx.ours.test:{port}:127.0.0.1")]
        asked = {"imap": ["-X", "NOOP"], "pop3": ["-l"], "smtp": ["-X", "NOOP"]}
        once = show("curl: one sign-in at each of the three doors",
                    [sum(timed([*curl, f"{service}s://mx.ours.test:{port}/", *asked[service]]) for service, port in ports.items())
                     for _ in range(ROUNDS)])
        print(f"the doctor's whole check takes {whole / once:.1f} times what curl's three sign-ins take")


DOORS = {"imap": "imaps", "pop3": "pop3s", "smtp": "submissions"}
if __name__ == "__main__":
    main()
