"""T-017, T-223, T-252, T-253 and the rest of T-007: mechanisms through the doors of a running server."""
import concurrent.futures
import os
import random

import pytest

from lib.mail import relaxed
from lib.raw import Smtp
from lib.sasl import Authority, Scram, Talk, scram
from lib.server import BUILD, Server, threat

GENEROUS = "failures_free = 100\nfailures_day = 10000\nspray_accounts = 1000\nconnections_exempt = 127.0.0.0/8\nsignin_tries = 10\n"
CONFIG = GENEROUS
DOORS = ("imaps", "pop3s", "submissions")


# ---- T-007: nothing in the clear -------------------------------------------------------------------------------------

def test_t007_no_mechanism_without_tls(server):
    cases = 0
    for door in ("imap", "pop3", "submission"):
        with Talk(server, door, clear=True) as talk:
            assert talk.mechanisms() == []
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "CRAM-MD5", "EXTERNAL", "OAUTHBEARER", "XOAUTH2", "PLAIN"):
                kind, line = talk.start(mechanism, "n,,n=alice,r=abc")
                assert kind == "clear", (door, mechanism, line)
                if door == "submission":
                    assert line.startswith("538 5.7.11")
                cases += 1
    threat("T-007", cases)


def test_what_is_offered_with_tls(server):
    for door in DOORS:
        with Talk(server, door) as talk:
            assert talk.mechanisms() == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"], door


# ---- T-252: SCRAM ----------------------------------------------------------------------------------------------------

PLUS = "SCRAM-SHA-256-PLUS"


def good(s):
    return s.final()


def stripped(without_proof):
    """The last message with other words before its proof, which would be right for them."""
    return lambda s: s.final(without_proof.replace("C", s.c()).replace("R", s.fields["r"]))


def literal(text):
    return lambda s: text.replace("FINAL", s.final())


# what, mechanism, header, the first message's other words (or None), the last message, what must come of it
SCRAM_CASES = [
    ("right", "SCRAM-SHA-256", "n,,", None, good, "ok"),
    ("another account", "SCRAM-SHA-256", "n,a=bob@ours.test,", None, good, "no"),
    ("y, though -PLUS is offered", "SCRAM-SHA-256", "y,,", None, good, "no"),
    ("p= without -PLUS", "SCRAM-SHA-256", "p=tls-exporter,,", None, good, "bad"),
    ("-PLUS without p=", PLUS, "n,,", None, good, "bad"),
    ("tls-unique", PLUS, "p=tls-unique,,", None, good, "bad"),
    ("an unknown binding", PLUS, "p=tls-nonsense,,", None, good, "bad"),
    ("nothing bound", PLUS, "p=tls-exporter,,", None, good, "no"),
    ("wrong exporter", PLUS, "p=tls-exporter,,", b"\0" * 32, good, "no"),
    ("end point of another certificate", PLUS, "p=tls-server-end-point,,", b"\0" * 32, good, "no"),
    ("mandatory extension", "SCRAM-SHA-256", "n,,m=1,", None, good, "bad"),
    ("reordered", "SCRAM-SHA-256", "n,,", None, stripped("r=R,c=C"), "bad"),
    ("r= shortened", "SCRAM-SHA-256", "n,,", None, lambda s: s.final(f"c={s.c()},r={s.fields['r'][:-1]}"), "bad"),
    ("r= of the client alone", "SCRAM-SHA-256", "n,,", None, lambda s: s.final(f"c={s.c()},r={s.nonce}"), "bad"),
    ("i=1 from the client", "SCRAM-SHA-256", "n,,", None, stripped("c=C,r=R,i=1"), "bad"),
    ("m= in the last message", "SCRAM-SHA-256", "n,,", None, stripped("c=C,r=R,m=1"), "bad"),
    ("c= with a blank", "SCRAM-SHA-256", "n,,", None, stripped("c=biws ,r=R"), "bad"),
    ("c= with junk", "SCRAM-SHA-256", "n,,", None, stripped("c=bi*ws,r=R"), "bad"),
    ("c= without padding", "SCRAM-SHA-256", "n,a=alice@ours.test,", None, lambda s: s.final(f"c={s.c().rstrip('=')},r={s.fields['r']}"), "bad"),
    ("c= of another header", "SCRAM-SHA-256", "n,,", None, stripped("c=eSws,r=R"), "no"),
    ("no proof", "SCRAM-SHA-256", "n,,", None, lambda s: f"c={s.c()},r={s.fields['r']}", "bad"),
    ("short proof", "SCRAM-SHA-256", "n,,", None, lambda s: f"c={s.c()},r={s.fields['r']},p=AAAA", "bad"),
    ("words behind the proof", "SCRAM-SHA-256", "n,,", None, literal("FINAL,x=1"), "bad"),
    ("an empty last message", "SCRAM-SHA-256", "n,,", None, literal(""), "bad"),
]


@pytest.mark.parametrize("door", DOORS)
def test_t252_scram(server, alice, door):
    cases = 0
    for what, mechanism, header, binding, last, wanted in SCRAM_CASES:
        with Talk(server, door) as talk:
            s = Scram(alice.address, alice.password, header, binding or b"")
            kind, said = talk.start(mechanism, s.first())
            if kind == "challenge":
                s.read(said)
                assert len(s.fields["r"]) - len(s.nonce) >= 24 and int(s.fields["i"]) >= 4096
                kind, said = talk.step(last(s))
            if kind == "challenge":
                s.verify(said)
                kind, said = talk.step(b"")
            assert kind == wanted, (what, kind, said)
            cases += 1
    threat("T-252", cases)


def test_t252_replay_names_and_lengths(server, alice):
    cases = 0
    recorded = Scram(alice.address, alice.password, nonce="fyko+d2lbbFgONRv9qkxdawL")
    with Talk(server, "imaps") as talk:
        final = recorded.read(talk.start("SCRAM-SHA-256", recorded.first())[1]).final()
        talk.step_text("*")
        again = Scram(alice.address, alice.password, nonce=recorded.nonce)
        server_first = talk.start("SCRAM-SHA-256", again.first())[1]
        assert server_first.decode() != recorded.server_first  # the server's part is new
        kind, line = talk.step(final)
        assert kind == "bad", line
        cases += 1
    # names that nobody has: the same salt each time, other names others, and no other way to tell them apart
    seen = {}

    def salt_of(name):
        with Talk(server, "submissions") as talk:
            s = Scram(name, "wrong")
            s.bare = f"n={name},r={s.nonce}"
            s.read(talk.start("SCRAM-SHA-256", s.first())[1])
            assert s.fields["i"] == "4096"
            kind, line = talk.step(s.final())
            assert kind == "no", line
            return s.fields["s"]
    names = ("nobody@ours.test", "nobody2@ours.test", "x=2Cy@ours.test", "no address", alice.address) * 2
    for name, salt in zip(names, all_at_once(salt_of, [(name,) for name in names])):
        assert seen.setdefault(name, salt) == salt, name
        cases += 1
    assert len(set(seen.values())) == len(seen)
    for name in ("a=b", "a=", "=2c", "a=2", "al\0ice", "\udcff"):
        with Talk(server, "imaps") as talk:
            blob = f"n,,n={name},r=abcdefgh".encode("utf-8", "surrogateescape")
            assert talk.start("SCRAM-SHA-256", blob)[0] == "bad", name
            cases += 1
    for big in ("n,,n=" + "a" * 8000 + ",r=abc", "n,,n=a,r=" + "r" * 8000, "n,,n=a,r=abc,x=" + "x" * 9300):
        for door in DOORS:
            with Talk(server, door) as talk:
                kind, _ = talk.start("SCRAM-SHA-256", big)
                assert kind in ("bad", "later", "gone"), kind
                cases += 1
    with Talk(server, "imaps") as talk:  # 100 KiB: more than a line may have
        kind, _ = talk.start("SCRAM-SHA-256", "n,,n=a,r=" + "r" * 102400)
        assert kind in ("bad", "gone")
        cases += 1
    threat("T-252", cases)


# ---- T-223: bearer tokens --------------------------------------------------------------------------------------------

def bearer(token, name="alice@ours.test", tail="\x01\x01", extra=""):
    return f"n,{'a=' + name if name else ''},\x01{extra}auth=Bearer {token}{tail}"


@pytest.fixture(scope="module")
def tokens(server):
    return {name: server.add_credential("token", f"{name}@ours.test", "--receive", "--send") for name in ("alice", "bob")}


def all_at_once(action, items):
    """Wrong ones wait for their ticks together. Right ones come one after another: a maildrop is one session's at a time."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda item: action(*item), items))


def run_token(server, door, mechanism, blob, answer=b"\x01"):
    """What comes of it; a no comes behind a JSON of reasons, and the client's empty word."""
    with Talk(server, door) as talk:
        kind, said = talk.start(mechanism, blob)
        if kind == "challenge":
            assert said.startswith(b"{") and b'"status"' in said and b"alice" not in said
            kind, said = talk.step(answer)
            assert kind == "no", said
        return kind


@pytest.mark.parametrize("door", DOORS)
def test_t223_bearer_tokens(server, tokens, door):
    alice, bob = tokens["alice"][0], tokens["bob"][0]
    wrong = alice[:-1] + ("b" if alice[-1] == "a" else "a")
    framing = {
        bearer(alice): "ok",
        bearer(alice, name=""): "ok",
        bearer(alice, extra="host=elsewhere.test\x01port=99999\x01"): "ok",
        bearer(alice, name="bob@ours.test"): "no",
        bearer(bob, name="alice@ours.test"): "no",
        bearer(alice, name="nobody@ours.test"): "no",
        bearer(wrong): "no",
        bearer(""): "no",
        bearer("x" * 200): "no",
        bearer(alice).replace("Bearer", "Basic"): "no",
        bearer(alice, tail="\x01"): "bad",
        bearer(alice, tail=""): "bad",
        bearer(alice, tail="\x01\x01\x01"): "bad",
        bearer(alice, extra=f"auth=Bearer {alice}\x01"): "bad",
        bearer(alice, extra="host=a\x01host=b\x01"): "bad",
        bearer(alice).replace("n,", "p=tls-exporter,", 1): "bad",
        bearer(alice, name="al=ice"): "bad",
        bearer(alice + "\0"): "bad",
        bearer(alice + " x"): "bad",
        "\x01": "bad",
    }
    tries = [("OAUTHBEARER", blob, b"\x01", wanted) for blob, wanted in framing.items()]
    tries += [("XOAUTH2", blob, b"", wanted) for blob, wanted in {
        f"user=alice@ours.test\x01auth=Bearer {alice}\x01\x01": "ok",
        f"user=bob@ours.test\x01auth=Bearer {alice}\x01\x01": "no",
        f"user=alice@ours.test\x01auth=Bearer {wrong}\x01\x01": "no",
        "user=alice@ours.test\x01auth=Bearer \x01\x01": "no",
        f"user=\x01auth=Bearer {alice}\x01\x01": "bad",
        f"user=alice@ours.test\x01auth=Bearer {alice}\x01": "bad",
        f"user=alice@ours.test\x01auth=Bearer {alice}\x01auth=Bearer {bob}\x01\x01": "bad",
        f"auth=Bearer {alice}\x01user=alice@ours.test\x01\x01": "bad",
    }.items()]
    cases = len(tries)
    right, wrong_ones = [t for t in tries if t[3] == "ok"], [t for t in tries if t[3] != "ok"]
    found = [run_token(server, door, *t[:3]) for t in right]
    found += all_at_once(lambda *t: run_token(server, door, *t[:3]), wrong_ones)
    for t, kind in zip(right + wrong_ones, found):
        assert kind == t[3], (t[0], repr(t[1])[:100], kind)
    # what was right for one is not remembered for another, nor for another token
    for _ in range(2):
        assert run_token(server, door, "OAUTHBEARER", bearer(alice)) == "ok"
        assert run_token(server, door, "OAUTHBEARER", bearer(alice, name="bob@ours.test")) == "no"
        assert run_token(server, door, "OAUTHBEARER", bearer(wrong)) == "no"
        cases += 2
    # whatever is said after the reason, it stays a no; giving up is no way round
    for answer in (b"", b"\x01", bearer(alice).encode()):
        assert run_token(server, door, "OAUTHBEARER", bearer(wrong), answer) == "no"
        cases += 1
    with Talk(server, door) as talk:
        assert talk.start("OAUTHBEARER", bearer(wrong))[0] == "challenge"
        assert talk.step_text("*")[0] == "bad"
        cases += 1
    # 100 KiB
    with Talk(server, door) as talk:
        kind, _ = talk.start("OAUTHBEARER", bearer("t" * 102400))
        assert kind in ("bad", "later", "gone")
        cases += 1
    threat("T-223", cases)


def test_t223_expired_and_revoked(server, alice):
    cases = 0
    token, number = server.add_credential("token", alice.address, "--receive", "--send")
    assert run_token(server, "imaps", "OAUTHBEARER", bearer(token)) == "ok"
    server.run("token", "revoke", alice.address, number)
    for door in DOORS:
        assert run_token(server, door, "OAUTHBEARER", bearer(token)) == "no"
        cases += 1
    only_imap, _ = server.add_credential("token", alice.address, "--receive")
    assert run_token(server, "submissions", "XOAUTH2", f"user={alice.address}\x01auth=Bearer {only_imap}\x01\x01", b"") == "no"
    assert run_token(server, "imaps", "OAUTHBEARER", bearer(only_imap)) == "ok"
    threat("T-223", cases + 1)


# ---- T-253: what is obsolete -----------------------------------------------------------------------------------------

OBSOLETE = ("DIGEST-MD5", "NTLM", "GSS-SPNEGO", "GSSAPI", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "OTP", "SKEY", "RPA", "SPA", "MSN",
            "KERBEROS_V4", "ANONYMOUS", "CRAM-MD5")


@pytest.mark.parametrize("door", DOORS)
def test_t253_obsolete_mechanisms(server, door):
    cases = 0
    dice = random.Random(253)
    for mechanism in OBSOLETE:
        with Talk(server, door) as talk:
            assert mechanism not in talk.mechanisms()
            for initial in (None, bytes(dice.randrange(256) for _ in range(dice.randrange(1, 400)))):
                kind, line = talk.start(mechanism, initial)
                assert kind == "unknown", (mechanism, line)
                if door == "submissions":
                    assert line.startswith("504 5.5.4")
                cases += 1
    if door == "pop3s":
        with Talk(server, door) as talk:
            talk.c.send("APOP alice c4c9334bac560ecc979e58001b3e22fb\r\n")
            assert talk.c.line().startswith("-ERR")
            cases += 1
    threat("T-253", cases)


def test_t253_their_code_is_not_there():
    """The names that a peer would have to compare with are in none of the server's programs. The command knows some of them as
    words that other servers say (doctor --explain); it takes no sign-in."""
    cases = 0
    programs = [p for p in (BUILD / "src/programs").iterdir() if p.name.startswith("letterlock-") and os.access(p, os.X_OK) and p.is_file()]
    assert {"letterlock-gate", "letterlock-vault"} <= {p.name for p in programs}
    for name in (b"DIGEST-MD5", b"NTLM", b"GSS-SPNEGO", b"SCRAM-SHA-1", b"APOP", b"KERBEROS_V4"):
        for path in programs:
            at, octets = -1, path.read_bytes()
            while (at := octets.find(name, at + 1)) >= 0:
                follows = octets[at + len(name):at + len(name) + 1]
                assert name == b"SCRAM-SHA-1" and follows.isdigit(), (path.name, name)
            cases += 1
    threat("T-253", cases)


# ---- T-017: client certificates --------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """A server that asks its clients for certificates, alice's registered one, and the authority."""
    folder = tmp_path_factory.mktemp("people")
    folder.chmod(0o755)
    authority = Authority(folder)
    with Server.running(("alice", "bob"), extra=GENEROUS + f"client_certificates = {authority.file}\n") as s:
        yield s, authority, folder


def register(server, address, pem):
    server.run("client", "add", address, "laptop", "--receive", "--send", "--certificate", str(pem))


def by_certificate(server, door, pair, authzid=b""):
    """What EXTERNAL comes to on a connection with this certificate, and whether it was named."""
    context = relaxed(server)
    if pair:
        context.load_cert_chain(*map(str, pair))
    kind = Talk.DOORS[door]
    c = kind.__new__(kind)
    c.server, c.file, c.count = server, b"", 0
    c.sock = context.wrap_socket(server.connect(door), server_hostname=server.hostname)
    if kind is Smtp:
        c.greeting = c.reply()
    else:
        c.greeting = c.line()
    with Talk(server, door, connection=c) as talk:
        named = "EXTERNAL" in talk.mechanisms()
        return talk.start("EXTERNAL", authzid)[0], named


def test_t017_certificates(certified):
    server, ours, folder = certified
    strangers = Authority(folder, "strangers")
    right = ours.certificate("email:alice@ours.test")
    register(server, "alice@ours.test", right[0])
    for door in DOORS:
        assert by_certificate(server, door, right) == ("ok", True)
        assert by_certificate(server, door, right, b"alice@ours.test") == ("ok", True)
    cases = 0
    bad = {
        "no certificate": None,
        "no names": ours.certificate(None, "/CN=alice@ours.test"),
        "an address only in the subject": ours.certificate("DNS:ours.test", "/CN=alice/emailAddress=alice@ours.test"),
        "capitals": ours.certificate("email:ALICE@OURS.TEST"),
        "two addresses": ours.certificate("email:alice@ours.test,email:bob@ours.test"),
        "another's": ours.certificate("email:bob@ours.test"),
        "right address, never registered": ours.certificate("email:alice@ours.test"),
        "unknown authority": strangers.certificate("email:alice@ours.test"),
        "expired": ours.certificate("email:alice@ours.test", days="-1"),
    }
    for what, pair in bad.items():
        if pair and what not in ("another's", "right address, never registered"):
            server.run("client", "add", "alice@ours.test", what, "--receive", "--send", "--certificate", str(pair[0]), check=False)
        tries = [(door, pair, authzid) for door in DOORS for authzid in (b"", b"alice@ours.test", b"bob@ours.test")]
        for (door, _, authzid), (kind, _) in zip(tries, all_at_once(lambda *t: by_certificate(server, *t), tries)):
            assert kind == "no", (what, door, authzid, kind)
            cases += 1
    tries = [(door, right, authzid) for door in DOORS for authzid in (b"bob@ours.test", b"nobody@ours.test")]
    assert {kind for kind, _ in all_at_once(lambda *t: by_certificate(server, *t), tries)} == {"no"}
    cases += len(tries)
    # a bad certificate is in nobody's way who has a secret
    alice = server.accounts["alice"]
    with Talk(server, "submissions") as talk:
        assert scram(talk, alice.address, alice.password) == "ok"
    threat("T-017", cases)


def test_no_external_without_the_setting(server):
    with Talk(server, "submissions") as talk:
        assert "EXTERNAL" not in talk.mechanisms()
        kind, line = talk.start("EXTERNAL", "")
        assert kind == "unknown" and line.startswith("504 5.5.4")
