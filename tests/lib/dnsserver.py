"""A scripted DNS server for tests, on loopback, UDP and TCP at one port.

    with DnsServer({("mail.example", "A"): ["127.0.0.1"], ("mail.example", "AAAA"): SERVFAIL,
                    ("slow.example", "*"): Delay(2, ["127.0.0.1"]), ("mute.example", "*"): SILENT}) as dns:
        run("--dns", dns.where)

Keys are (name, type); "*" is any type, or any name. Names are lower case without a dot at the end. Values:
a list of records as people write them ("10 mx.example" for MX, "0 1 993 imap.example" for SRV), a response code (SERVFAIL,
REFUSED, NXDOMAIN, NODATA, or Code(n)), SILENT, Delay(seconds, value), Raw(octets) (whose first two octets become the question's id
unless keep_id), or a function of (name, type) that returns any of these. A CNAME is followed within the script. Names that
are not written down do not exist.

`signed` is a zone whose answers carry signatures (DNSSEC, Ed25519); `anchor` is the text of its trust anchor, for --dns-anchor.
Names of `forged` get signatures that do not fit, those of `bare` none.
`asked` has every question as (name, type, "udp" or "tcp").
"""
import base64
import dataclasses
import ipaddress
import socket
import socketserver
import struct
import threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "DS": 43, "RRSIG": 46, "NSEC": 47,
         "DNSKEY": 48}
NAMES = {number: name for name, number in TYPES.items()}
TTL = 60
INCEPTION, EXPIRATION = 1420070400, 3471292800  # 2015 to 2080: tests with another clock still find it valid
KEY_FLAGS, KEY_ALGORITHM = 257, 15


@dataclasses.dataclass(frozen=True)
class Code:
    number: int


NODATA, SERVFAIL, NXDOMAIN, REFUSED = Code(0), Code(2), Code(3), Code(5)
SILENT = object()


@dataclasses.dataclass(frozen=True)
class Delay:
    seconds: float
    value: object


@dataclasses.dataclass(frozen=True)
class Raw:
    octets: bytes
    keep_id: bool = False


def wire_name(name):
    """Octets; a name may be octets already, to be hostile."""
    if isinstance(name, bytes):
        return name
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in name.strip(".").split(".") if label) + b"\0"


def wire_data(kind, text):
    if isinstance(text, bytes):
        return text
    words = text.split()
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(text).packed
    if kind == "CNAME" or kind == "NS":
        return wire_name(text)
    if kind == "MX":
        return struct.pack(">H", int(words[0])) + wire_name(words[1])
    if kind == "SRV":
        return struct.pack(">HHH", *map(int, words[:3])) + wire_name(words[3])
    if kind == "TXT":
        octets = text.encode()
        return b"".join(bytes([len(octets[i:i + 255])]) + octets[i:i + 255] for i in range(0, max(len(octets), 1), 255))
    raise ValueError(kind)


def read_name(packet, at):
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
        at += 1 + packet[at]
    return ".".join(labels), at + 1


class Signer:
    """The key of one zone."""

    def __init__(self, zone):
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        self.zone = zone
        self.key = Ed25519PrivateKey.generate()
        public = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.dnskey = struct.pack(">HBB", KEY_FLAGS, 3, KEY_ALGORITHM) + public
        self.anchor = f"{zone}. {TTL} IN DNSKEY {KEY_FLAGS} 3 {KEY_ALGORITHM} {base64.b64encode(public).decode()}\n"
        total = sum(octet << 8 if i % 2 == 0 else octet for i, octet in enumerate(self.dnskey))
        self.tag = (total + (total >> 16)) & 0xffff  # RFC 4034 B

    def covers(self, name):
        return name == self.zone or name.endswith("." + self.zone)

    def sign(self, name, kind, datas, forged):
        """RRSIG (RFC 4034 3.1)."""
        labels = len([label for label in name.split(".") if label])
        head = struct.pack(">HBBIIIH", TYPES[kind], KEY_ALGORITHM, labels, TTL, EXPIRATION, INCEPTION, self.tag) + wire_name(self.zone)
        rows = b"".join(wire_name(name) + struct.pack(">HHIH", TYPES[kind], 1, TTL, len(data)) + data for data in sorted(set(datas)))
        return head + self.key.sign(head + rows + (b"!" if forged else b""))


def nsec_data(name, kinds):
    """The next name is the one right behind: nothing else is denied (RFC 4470)."""
    bits = bytearray(7)
    for kind in [*kinds, "RRSIG", "NSEC"]:
        bits[TYPES[kind] // 8] |= 0x80 >> TYPES[kind] % 8
    return b"\1\0" + wire_name(name) + b"\0" + bytes([len(bits)]) + bytes(bits)


class DnsServer:
    def __init__(self, script=None, address="127.0.0.1", port=0, signed=None, forged=(), bare=()):
        self.script = dict(script or {})
        self.signer = Signer(signed) if signed else None
        self.forged, self.bare = set(forged), set(bare)
        self.asked = []
        self.stopping = threading.Event()
        self.address, self.port = address, port

    @property
    def where(self):
        return f"{self.address}@{self.port}"

    @property
    def anchor(self):
        return self.signer.anchor

    # -- running ----------------------------------------------------------------------------------------------------
    def __enter__(self):
        server = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                packet, sock = self.request
                answer = server.answer(packet, "udp")
                if answer is not None:
                    try:
                        sock.sendto(answer, self.client_address)
                    except OSError:
                        pass  # it has gone, or the server has

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self):
                while True:
                    length = self.rfile.read(2)
                    if len(length) < 2:
                        return
                    answer = server.answer(self.rfile.read(struct.unpack(">H", length)[0]), "tcp")
                    if answer is None:
                        return
                    self.wfile.write(struct.pack(">H", len(answer)) + answer)

        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        # Not for UDP: who may share an address is given one that another has.
        kinds = [type("Server", (mixin,), {"address_family": family, "daemon_threads": True, "request_queue_size": 64,
                                           "allow_reuse_address": mixin is socketserver.ThreadingTCPServer})
                 for mixin in (socketserver.ThreadingUDPServer, socketserver.ThreadingTCPServer)]
        for _ in range(20):  # the port that is free for one protocol may be taken for the other
            udp = kinds[0]((self.address, self.port), Udp)
            try:
                tcp = kinds[1]((self.address, udp.server_address[1]), Tcp)
                break
            except OSError:
                udp.server_close()
        else:
            raise OSError("no port is free for both UDP and TCP")
        self.port = udp.server_address[1]
        self.servers = [udp, tcp]
        for s in self.servers:
            threading.Thread(target=s.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for s in self.servers:
            s.shutdown()
            s.socket.close()

    # -- answering --------------------------------------------------------------------------------------------------
    def find(self, name, kind):
        for key in ((name, kind), (name, "*"), ("*", kind), ("*", "*")):
            if key in self.script:
                return self.script[key]
        if (name, "CNAME") in self.script:
            return None  # by the alias
        return NODATA if any(n == name for n, _ in self.script) else NXDOMAIN

    def answer(self, packet, over):
        if len(packet) < 17:
            return None
        name, at = read_name(packet, 12)
        number = struct.unpack(">H", packet[at:at + 2])[0]
        kind = NAMES.get(number, str(number))
        name = name.lower()
        self.asked.append((name, kind, over))
        wants_proof = b"\0\0\x29" in packet[at + 4:] and bool(packet[packet.index(b"\0\0\x29", at + 4) + 7] & 0x80)
        value = self.find(name, kind)
        while callable(value) or isinstance(value, Delay):
            if isinstance(value, Delay):
                self.stopping.wait(value.seconds)
                value = value.value
            else:
                value = value(name, kind)
        if value is SILENT:
            return None
        if isinstance(value, Raw):
            return value.octets if value.keep_id else packet[:2] + value.octets[2:]
        return self.build(packet[:2], packet[12:at + 4], name, kind, value, wants_proof, over)

    def rows_of(self, name, kind, value):
        """(code, [(owner, type, [data])]): with the aliases that lead there."""
        rows, seen = [], set()
        while True:
            if self.signer and name == self.signer.zone and kind == "DNSKEY":
                return 0, rows + [(name, kind, [self.signer.dnskey])]
            if isinstance(value, Code):
                return value.number, rows
            if value is not None:
                return 0, rows + [(name, kind, [wire_data(kind, text) for text in value])]
            target = self.script[name, "CNAME"]
            if not isinstance(target, list):
                return target.number if isinstance(target, Code) else 2, rows
            rows.append((name, "CNAME", [wire_data("CNAME", target[0])]))
            seen.add(name)
            name = target[0].strip(".").lower() if isinstance(target[0], str) else ""
            if name in seen:
                return 0, rows
            value = self.find(name, kind)
            if callable(value) or isinstance(value, (Delay, Raw)) or value is SILENT:
                return 0, rows  # the alias alone; who wants more asks for it

    def proof_of(self, name, kind, rows, code):
        """What a signed zone adds: (answers, authority, code)."""
        signer, more, denial = self.signer, [], []
        for owner, row_kind, datas in rows:
            if signer.covers(owner) and owner not in self.bare:
                more.append((owner, "RRSIG", [signer.sign(owner, row_kind, datas, owner in self.forged)]))
        last = rows[-1][0] if rows else name
        if (not rows or rows[-1][1] == "CNAME" != kind) and code in (0, 3) and signer.covers(name):
            if rows:
                last = rows[-1][2][0] and read_name(rows[-1][2][0], 0)[0]
            has = [k for n, k in self.script if n == last and k in TYPES and k != kind]
            data = nsec_data(last, has)
            denial = [(last, "NSEC", [data]), (last, "RRSIG", [signer.sign(last, "NSEC", [data], last in self.forged)])]
            code = 0  # a name that is denied in this way is one without records
        return more, denial, code

    def build(self, ident, question, name, kind, value, wants_proof, over):
        code, rows = self.rows_of(name, kind, value)
        denial = []
        if self.signer and wants_proof:
            more, denial, code = self.proof_of(name, kind, rows, code)
            rows = rows + more
        sections = [b"".join(wire_name(owner) + struct.pack(">HHIH", TYPES[k], 1, TTL, len(data)) + data
                             for owner, k, datas in part for data in datas) for part in (rows, denial)]
        counts = [sum(len(datas) for _, _, datas in part) for part in (rows, denial)]
        opt = b"\0" + struct.pack(">HHIH", 41, 4096, 0x8000 if wants_proof else 0, 0)
        flags = 0x8180 | code
        body = sections[0] + sections[1]
        if len(body) > (1200 if over == "udp" else 65000):
            flags, counts, body = flags | 0x0200, [0, 0], b""
        return ident + struct.pack(">HHHHH", flags, 1, counts[0], counts[1], 1) + question + body + opt
