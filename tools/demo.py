#!/usr/bin/env python3
"""./dev run: a demo server in ./demo (or DIR), made on the first run: a domain, two accounts with client passwords, and a first
message waiting. Prints how to set up a mail program, then serves until Ctrl-C."""
import argparse
import json
import os
import pathlib
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMAND = ROOT / "build/letterlock"
DOMAIN = "example.test"
HOSTNAME = "mail.example.test"
START_SECONDS = 20  # a predecessor that was killed may hold its ports and folders for some of them


def letterlock(*words, **kw):
    done = subprocess.run([str(COMMAND), *map(str, words)], capture_output=True, text=True, **kw)
    if done.returncode:
        sys.exit(f"letterlock {words[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def ports_of(folder):
    ports = {}
    for line in (folder / "letterlock.conf").read_text().split("\n"):
        words = line.replace("=", " ").split()
        if len(words) >= 3 and words[0] == "listen":
            ports[words[1]] = int(words[2].rsplit(":", 1)[1])
    return ports


def make(folder):
    """Everything the server needs, and two people; what was shown once is kept for the demo in passwords.json."""
    print(f"making a demo server in {folder}", flush=True)
    letterlock("init", folder, "--hostname", HOSTNAME, "--domain", DOMAIN, "--ports", "high", "--yes")
    # a demo is for this machine alone
    config = folder / "letterlock.conf"
    config.write_text(re.sub(r"(?m)^(listen = \w+ )\*:", r"\g<1>127.0.0.1:", config.read_text()))
    env = dict(os.environ, LETTERLOCK_DIR=str(folder))
    secrets = {}
    for name in ("alice", "bob"):
        address = f"{name}@{DOMAIN}"
        letterlock("account", "add", address, "--no-password", env=env)
        made = json.loads(letterlock("client", "add", address, "demo", "--receive", "--send", "--json", env=env))
        items = made if isinstance(made, list) else made.get("items", [made])
        secrets[address] = next(item["secret"] for item in items if "secret" in item)
    path = folder / "passwords.json"
    path.touch(0o600)
    path.write_text(json.dumps(secrets, indent=2) + "\n")
    return secrets


def is_running(folder):
    return subprocess.run([str(COMMAND), "status", "--dir", str(folder)], capture_output=True).returncode == 0


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
            return bool(s.recv(1))
    except OSError:
        return False


def wait_for(folder, port, process):
    """Until this folder's server answers: behind the port alone there may be another one."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit("the server ended; its log above says why")
        if is_running(folder) and answers(port):
            return
        signal.sigtimedwait([], 0.05)
    process.terminate()
    process.wait()
    sys.exit(f"the server did not answer within {START_SECONDS} s")


def first_message(port):
    text = (f"From: Letterlock <welcome@{DOMAIN}>\r\nTo: alice@{DOMAIN}\r\nSubject: Welcome to Letterlock\r\n"
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
            f"Message-ID: <welcome-{time.time_ns()}@{HOSTNAME}>\r\n\r\n"
            "If you can read this, your mail program is set up, with a client password that you can revoke\r\n"
            "alone, at any time: letterlock client list alice@example.test\r\n\r\n"
            "如果您能读到这封信，邮件程序就设置好了；所用的客户端密码可以随时单独吊销。\r\n")
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as s:
        s.sendmail(f"welcome@{DOMAIN}", [f"alice@{DOMAIN}"], text.encode())


def tell(folder, ports, secrets):
    print(f"""
The server runs. Set up a mail program like this (every connection with TLS):

  incoming   IMAP    127.0.0.1 port {ports['imaps']} (SSL/TLS)   or {ports['imap']} (STARTTLS)
             POP3    127.0.0.1 port {ports['pop3s']} (SSL/TLS)   or {ports['pop3']} (STARTTLS)
  outgoing   SMTP    127.0.0.1 port {ports['submissions']} (SSL/TLS)   or {ports['submission']} (STARTTLS)
  mail in from other servers: port {ports['smtp']}
  its certificate is signed by {folder}/tls/ca.pem (import it, or accept it once)
""")
    for address, secret in secrets.items():
        print(f"  user name {address}    client password {secret}")
    print(f"""
Try it:
  curl --cacert {folder}/tls/ca.pem --resolve {HOSTNAME}:{ports['imaps']}:127.0.0.1 \\
       -u 'alice@{DOMAIN}:{secrets['alice@' + DOMAIN]}' 'imaps://{HOSTNAME}:{ports['imaps']}/INBOX;MAILINDEX=1'
In another terminal:
  export PATH={COMMAND.parent}:$PATH LETTERLOCK_DIR={folder}
  letterlock client add alice@{DOMAIN} phone
  letterlock why alice@{DOMAIN}
  letterlock status
Ctrl-C stops it. Its folder is {folder}; remove it to begin anew.
""", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default=str(ROOT / "demo"))
    parser.add_argument("--once", action="store_true", help="stop as soon as the first message is delivered (for tests)")
    args = parser.parse_args()
    folder = pathlib.Path(args.folder).resolve()
    fresh = not (folder / "letterlock.conf").exists()
    secrets = make(folder) if fresh else json.loads((folder / "passwords.json").read_text())
    ports = ports_of(folder)
    if is_running(folder):
        sys.exit(f"a server runs in {folder} already: build/letterlock status --dir {folder}")
    process = subprocess.Popen([str(COMMAND), "serve", str(folder)])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda n, _: process.send_signal(signal.SIGTERM))
    wait_for(folder, ports["smtp"], process)
    if fresh:
        first_message(ports["smtp"])
    tell(folder, ports, secrets)
    if args.once:
        process.send_signal(signal.SIGTERM)
    sys.exit(process.wait())


main()
