"""mail/ against an independent reader, Python's email package (two readings of its own are left out: it keeps a comment
in the type, and takes the last line end from a part that nothing ends): the same parts, the same octets of each body, the same
decoded contents, names, addresses, subjects and dates. The server is not needed."""
import base64
import email
import email.header
import email.message
import email.mime.application
import email.mime.image
import email.mime.message
import email.mime.multipart
import email.mime.text
import email.policy
import email.utils
import json
import quopri
import subprocess

import pytest

from lib.server import BUILD, ROOT


def program():
    """With the sanitizers where they are built in."""
    found = [p for p in (ROOT / "build-asan/tests/tools/mime_dump", BUILD / "tests/tools/mime_dump") if p.is_file()]
    assert found, "mime_dump is not built: ninja -C build-asan tests/tools/mime_dump"
    return found[0]


def head(*fields):
    return "".join(f + "\r\n" for f in fields).encode() + b"\r\n"


def multipart(kind, *parts, boundary="=_b", preamble=b"", epilogue=b""):
    b = boundary.encode()
    body = preamble + b"".join(b"--" + b + b"\r\n" + p + b"\r\n" for p in parts) + b"--" + b + b"--\r\n" + epilogue
    return head(f'Content-Type: multipart/{kind}; boundary="{boundary}"') + body


TEXT = head("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit") + "Grüße, 你好\r\n".encode()
BASE64 = head("Content-Type: application/pdf; name=a.pdf", "Content-Transfer-Encoding: base64",
              "Content-Disposition: attachment; filename=a.pdf") + base64.encodebytes(bytes(range(256)) * 5).replace(b"\n", b"\r\n")
QP = head("Content-Type: text/html; charset=iso-8859-1", "Content-Transfer-Encoding: quoted-printable") + \
    quopri.encodestring(("é=à " * 60).encode("latin-1")).replace(b"\n", b"\r\n") + b"\r\n"
INNER = head("From: Inner <inner@side.test>", "To: x@y.test", "Subject: inside", "Date: Mon, 1 Jan 2024 10:00:00 +0100") + b"inner body\r\n"
MESSAGE = head("Content-Type: message/rfc822") + INNER


def generated():
    """Messages that the library itself writes."""
    outer = email.mime.multipart.MIMEMultipart("mixed")
    outer["From"] = email.utils.formataddr(("Jürgen Groß", "j@example.test"))
    outer["To"] = "a@b.test, \"C, D\" <cd@e.test>"
    outer["Subject"] = email.header.Header("中文主题,很长很长很长很长很长很长很长很长很长很长的主题", "utf-8")
    outer["Date"] = "Tue, 02 Jan 2024 03:04:05 -0700"
    outer["Message-ID"] = "<1@example.test>"
    alternative = email.mime.multipart.MIMEMultipart("alternative")
    alternative.attach(email.mime.text.MIMEText("plain 你好\n", "plain", "utf-8"))
    alternative.attach(email.mime.text.MIMEText("<b>html</b>\n", "html", "us-ascii"))
    outer.attach(alternative)
    data = email.mime.application.MIMEApplication(bytes(range(256)))
    data.add_header("Content-Disposition", "attachment", filename=("utf-8", "", "文件 名.bin"))
    outer.attach(data)
    outer.attach(email.mime.image.MIMEImage(b"GIF89a" + b"\0" * 100, "gif"))
    yield "generated", outer.as_bytes(policy=email.policy.compat32.clone(linesep="\r\n"))
    modern = email.message.EmailMessage()
    modern["From"] = "Alice <alice@ours.test>"
    modern["To"] = "bob@ours.test"
    modern["Subject"] = "Ein längerer Betreff mit Umlauten: äöüß, und noch mehr Text, damit er gefaltet wird"
    modern.set_content("Hällo\n" * 30)
    modern.add_alternative("<p>Hällo</p>\n" * 30, subtype="html")
    modern.add_attachment(b"\x00\xff" * 700, maintype="application", subtype="octet-stream", filename="ein sehr langer Name mit Umlauten äöü und noch mehr davon.bin")
    yield "modern", modern.as_bytes(policy=email.policy.SMTP)
    outside = email.mime.multipart.MIMEMultipart("digest")
    for _ in range(3):
        outside.attach(email.mime.message.MIMEMessage(email.message_from_bytes(INNER)))
    yield "messages", outside.as_bytes(policy=email.policy.compat32.clone(linesep="\r\n"))


def written():
    """Messages as found in the world, byte for byte."""
    envelope = head("From: a@b.test", "To: c@d.test", "Subject: s", "Date: Fri, 21 Nov 1997 09:55:06 -0600",
                    "Message-ID: <x@y>")[:-2]
    yield "plain", envelope + b"\r\nhello\r\nworld\r\n"
    yield "no body", envelope + b"\r\n"
    yield "no end of header", envelope
    yield "empty line only", b"\r\nbody\r\n"
    yield "no last line end", envelope + b"\r\nhello"
    yield "lf only", (envelope + b"\r\nhello\r\n\r\nworld\r\n").replace(b"\r\n", b"\n")
    yield "8bit", envelope + TEXT
    yield "base64", envelope + BASE64
    yield "quoted-printable", envelope + QP
    yield "mixed", envelope + multipart("mixed", TEXT, BASE64, QP)
    yield "preamble", envelope + multipart("mixed", TEXT, preamble=b"This is MIME.\r\nReally.\r\n\r\n", epilogue=b"the end\r\n")
    yield "nested", envelope + multipart("mixed", multipart("alternative", TEXT, QP, boundary="=_c"), BASE64)
    yield "lf multipart", (envelope + multipart("mixed", TEXT, multipart("related", TEXT, boundary="in"))).replace(b"\r\n", b"\n")
    yield "message", envelope + multipart("mixed", TEXT, MESSAGE)
    yield "message in message", envelope + head("Content-Type: message/rfc822") + MESSAGE
    yield "digest", envelope + multipart("digest", b"\r\n" + INNER, b"\r\n" + INNER)
    yield "empty parts", envelope + multipart("mixed", b"\r\n", b"\r\n\r\n", b"Content-Type: text/html\r\n\r\n")
    yield "outer boundary ends inner", envelope + head("Content-Type: multipart/mixed; boundary=o") + b"--o\r\n" + \
        head("Content-Type: multipart/mixed; boundary=i") + b"--i\r\n\r\none\r\n--o\r\n\r\ntwo\r\n--o--\r\n"
    yield "unclosed", envelope + head("Content-Type: multipart/mixed; boundary=o") + b"--o\r\n\r\none\r\n--o\r\n\r\ntwo"
    yield "boundary with blanks behind", envelope + head("Content-Type: multipart/mixed; boundary=o") + \
        b"--o  \r\n\r\none\r\n--o--\t\r\n"
    yield "prefix boundaries", envelope + head("Content-Type: multipart/mixed; boundary=a") + b"--a\r\n" + \
        head("Content-Type: multipart/mixed; boundary=aa") + b"--aa\r\n\r\none\r\n--aa--\r\n\r\n--a\r\n\r\ntwo\r\n--a--\r\n"
    yield "text behind delimiter", envelope + head("Content-Type: multipart/mixed; boundary=a") + \
        b"--a\r\n\r\none\r\n--a text\r\ntwo\r\n--a--\r\n"
    yield "comment in parameters", envelope + head("Content-Type: text/html; (really) charset=us-ascii (yes)") + b"x\r\n"
    yield "folded type", envelope + head("Content-Type: multipart/mixed;\r\n\tboundary=\"=_x y\"") + \
        b"--=_x y\r\n\r\none\r\n--=_x y--\r\n"
    yield "continued name", envelope + head("Content-Type: application/x; name*0*=utf-8''%e4%b8%ad; name*1*=%e6%96%87",
                                            "Content-Disposition: attachment; filename*=iso-8859-1''%e9.txt") + b"x\r\n"
    yield "encoded subject", head("From: =?iso-8859-1?q?J=FCrgen?= <j@x.test>",
                                  "Subject: =?gb2312?B?1tC5+g==?= =?utf-8?q?a=C3=A9?=", "Date: 1 Jan 24 00:00 GMT") + b"x\r\n"
    yield "mbox line", b"From alice Mon Jan  1 00:00:00 2024\r\n" + envelope + b"\r\nx\r\n"
    yield "no blank line", envelope + b"this is no field\r\nbody: x\r\n"
    yield "many parts", envelope + multipart("mixed", *[TEXT] * 200)
    yield "deep", envelope + deep(40)
    yield "long lines", envelope + multipart("mixed", head("Content-Type: text/plain") + b"x" * 70000 + b"\r\n" + b"--" * 3000)
    yield "big", envelope + multipart("mixed", head("Content-Transfer-Encoding: base64") +
                                      base64.encodebytes(b"letterlock" * 60000).replace(b"\n", b"\r\n"))


def deep(levels):
    part = TEXT
    for i in range(levels):
        part = multipart("mixed", part, boundary=f"level{i}-")
    return part


SAMPLES = list(generated()) + list(written())


def octets(value):
    return None if value is None else bytes.fromhex(value)


def dump(path, step):
    done = subprocess.run([str(program()), str(path), str(step)], capture_output=True, check=True)
    return json.loads(done.stdout)


def subject_of(message):
    """As a person reads it: charsets undone, folding gone."""
    value = message.get("Subject")
    return None if value is None else str(email.header.make_header(email.header.decode_header(value))).replace("\r\n", "").replace("\n", "")


def raw_payload(part):
    return (part._payload or "").encode("ascii", "surrogateescape")  # get_payload would undo the charset


def check_leaf(name, message, mine, theirs):
    start, end = mine["body"], mine["end"]
    assert message[start:end] == raw_payload(theirs), name
    if mine["odd"]:
        return
    decoded = theirs.get_payload(decode=True) or b""
    if octets(mine["encoding"]) and octets(mine["encoding"]).lower() == b"quoted-printable":
        decoded = b"\r\n".join(line.rstrip(b" \t") for line in decoded.split(b"\r\n")) if b" \r\n" in message[start:end] else decoded
    assert (octets(mine["decoded"]) or b"") == decoded, name


@pytest.mark.parametrize("name,message", SAMPLES, ids=[name for name, _ in SAMPLES])
def test_same_parts(name, message, tmp_path):
    path = tmp_path / "message"
    path.write_bytes(message)
    mine = dump(path, 0)
    assert mine == dump(path, 1) if len(message) < 100000 else mine == dump(path, 4099)
    assert mine["size"] == len(message)
    theirs = email.message_from_bytes(message, policy=email.policy.compat32)
    parts = list(theirs.walk())
    assert len(parts) == len(mine["parts"])
    for m, t in zip(mine["parts"], parts):
        assert f"{octets(m['type']).decode()}/{octets(m['subtype']).decode()}".lower() == t.get_content_type(), name
        assert m["children"] == (len(t.get_payload()) if t.is_multipart() else 0)
        # its header is the octets that stand there: the other reader finds the same fields in them
        header = email.message_from_bytes(message[m["header"]:m["body"]] + b"\r\n", policy=email.policy.compat32)
        assert [k for k, _ in header.items()] == [k for k, _ in t.items()], name
        if t.get_filename() is not None:
            names = [octets(v).decode() for k, v in m["disposition_params"] if octets(k).lower() == b"filename"] + \
                    [octets(v).decode() for k, v in m["params"] if octets(k).lower() == b"name"]
            assert email.utils.collapse_rfc2231_value(t.get_filename()) == names[0], name
        if not t.is_multipart():
            check_leaf(name, message, m, t)


@pytest.mark.parametrize("name,message", SAMPLES, ids=[name for name, _ in SAMPLES])
def test_same_envelope(name, message, tmp_path):
    path = tmp_path / "message"
    path.write_bytes(message)
    envelope = dump(path, 0)["envelope"]
    theirs = email.message_from_bytes(message, policy=email.policy.compat32)
    wanted = subject_of(theirs)
    assert (octets(envelope["subject"]) or b"").decode() == (wanted or "")
    assert (octets(envelope["message-id"]) or b"").decode() == (theirs.get("Message-ID") or "")
    for field in ("From", "To"):
        pairs = email.utils.getaddresses([theirs[field]] if theirs[field] else [])
        names = [str(email.header.make_header(email.header.decode_header(n))) for n, _ in pairs]
        got = [((octets(i["name"]) or b"").decode(), octets(i["local"]).decode() + "@" + octets(i["domain"]).decode())
               for i in envelope[field.lower()]]
        assert got == list(zip(names, [a for _, a in pairs]))


DATES = ["Fri, 21 Nov 1997 09:55:06 -0600", "21 Nov 97 09:55:06 GMT", "Thu, 13 Feb 1969 23:32:00 -0330",
         "Mon, 1 Jan 2024 00:00:00 +0000", "Wed, 29 Feb 2040 23:59:59 +1400", "1 Jan 2000 00:00 EST"]
LISTS = ["a@b.test", "A B <a@b.test>, c@d.test", "\"A, B\" <a@b.test>", "a@b.test (Name)", "A (x) B <a@b.test>", "<@r.test:a@b.test>",
         "G: a@b.test, c@d.test;", "\"q r\"@b.test", "a . b @ c . test", "J\u00fc <j@b.test>"]
TEXTS = ["=?utf-8?q?a?= =?utf-8?q?b?=", "a =?utf-8?q?b?= c", "=?gb18030?b?1tDOxA==?=", "=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=",
         "=?koi8-r?b?8NLJ18XU?=", "=?big5?b?pKSk5Q==?=", "=?euc-kr?b?x9GxuQ==?=", "=?shift_jis?b?k/qWew==?=", "=?windows-1251?q?=CF?="]


def test_same_values(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes("\n".join(DATES + LISTS + TEXTS).encode())
    done = subprocess.run([str(program()), "--table", str(path)], capture_output=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for text, row in zip(DATES, rows):
        assert row["is_date"] and row["date"] == int(email.utils.mktime_tz(email.utils.parsedate_tz(text))), text
    for text, row in zip(LISTS, rows[len(DATES):]):
        wanted = [a for _, a in email.utils.getaddresses([text])]
        got = [email.utils.quote(octets(a["local"]).decode()) + "@" + octets(a["domain"]).decode() for a in row["addresses"] if a["kind"] == 0]
        assert not row["invalid"] and [a.replace('"', "") for a in wanted] == got, text
    for text, row in zip(TEXTS, rows[len(DATES) + len(LISTS):]):
        assert octets(row["text"]).decode() == str(email.header.make_header(email.header.decode_header(text))), text
