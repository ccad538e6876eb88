"""A libFuzzer dictionary for a target, made from the tables of the rooms it feeds: every short text that stands in their
sources is a word, so a verb, a key or a field that a table gains is tried without anybody thinking of it."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

# target: the sources whose texts it may meet, and words that stand in no table
SOURCES = {
    "fuzz_address": (["src/mail/address*.c", "src/mail/domain.c"], ["xn--", "[IPv6:", '"\\"', "\u00e9", "\u6771"]),
    "fuzz_args": (["src/cli/command.c", "src/cli/run_*.c"], ["--", "=", "\n", "2030-01-31", "10.0.0.0/8", "5 GiB"]),
    "fuzz_arrival": (["src/smtp/session/*.c"], ["From:", "Sender:", "Bcc:", "Date:", "Message-ID:", "Resent-Bcc:", "\r\n", "\r\n ",
                                                "\r\n\r\n", "alice@ours.test"]),
    "fuzz_base": ([], ["::ffff:", "/128", "\r\n", "\u202e", "==", "255.255.255.255"]),
    "fuzz_config": (["src/config/keys.def", "src/config/words.c", "src/config/value.c"], ["=", "#", "\n"]),
    "fuzz_doctor_fetch": ([], ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 103 x\r\n", "HTTP/1.1 302 x\r\n", "Location: ", "Date: ", "\r\n\r\n",
                               "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "https://b.example/", "http://c.example/", "//",
                               "al:ice@", ":443", "127.1", "[::1]", "\x1e", "\x1e\x02", "Sun, 22 Nov 2026 19:26:02 GMT"]),
    "fuzz_doctor_greeting": (["src/doctor/steps/greeting_words.c"], ["Sun, 22 Nov 2026 19:26:02 +0000", "\r\n", "=="]),
    "fuzz_doctor_imap": (["src/imap/wire/response.c", "src/doctor/steps/imap*.c", "src/sasl/mechanism.c"],
                         ["* OK a\r\n", "c1 OK\r\n", "a1 OK\r\n", "l1 OK\r\n", "o1 OK\r\n", "+ \r\n", "AUTH=", "VXNlcm5hbWU6", " {3}\r\n"]),
    "fuzz_doctor_pop3": (["src/pop3/wire/answer.c", "src/sasl/mechanism.c"], ["+OK\r\n", "-ERR\r\n", "+ \r\n", ".\r\n", "1 a\r\n", "[IN-USE]"]),
    "fuzz_doctor_smtp": (["src/smtp/wire/offer.c", "src/sasl/mechanism.c"],
                         ["220 a\r\n", "250 a\r\n", "250-", "334 \r\n", "354 a\r\n", "421 a\r\n", "535 5.7.8 a\r\n", "VXNlcm5hbWU6"]),
    "fuzz_encoding": (["src/mail/charset*.[ch]", "src/mail/encoding.c"], ["=\r\n", "=3D", "+AGE-", "\x1b$B", "\x1b(B"]),
    "fuzz_header": (["src/mail/header*.c", "src/mail/date.c", "src/mail/mime*.c"],
                    ["=?utf-8?Q?", "=?utf-8?B?", "?=", "*0*=", "*1=", "utf-8''%20", "; ", "(", "\r\n "]),
    "fuzz_header_watch": ([], ["Received:", "From ", "\r\n", "\r\n\r\n", "\r\n "]),
    "fuzz_imap_command": (["src/imap/wire/*.def", "src/imap/wire/*.c"], ["{3+}\r\n", "{3}\r\n", "\r\n", "1:*", "BODY.PEEK[", "]<0.1>"]),
    "fuzz_imap_front": (["src/imap/wire/*.def", "src/imap/front/*.c", "src/sasl/*.c"], ["{3+}\r\n", "\r\n", "* ", "alice@ours.test"]),
    "fuzz_imap_response": (["src/imap/wire/response.c"], [" {3}\r\n", "\r\n", "* OK [", "] ", "(FLAGS (", "RFC822.SIZE 1)", "(STORAGE 1 2)"]),
    "fuzz_imap_session": (["src/imap/wire/*.def", "src/imap/wire/*.c"], ["{3+}\r\n", "\r\n", "1:*", "INBOX", "\\Seen", "\\Deleted"]),
    "fuzz_mime": (["src/mail/mime*.c", "src/mail/structure.c", "src/mail/header*.c"],
                  ["Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n", "--b--\r\n", "message/rfc822", "\r\n\r\n"]),
    "fuzz_mutf7": ([], ["&", "-", "&-", "&AOk-", "&2D3cAQ-", "&AGE-"]),
    "fuzz_pop3_answer": (["src/pop3/wire/answer.c"], ["\r\n", "\r\n.\r\n", "+OK", "-ERR", " 1"]),
    "fuzz_pop3_command": (["src/pop3/wire/*.c"], ["\r\n", "+OK", "-ERR", " 1"]),
    "fuzz_pop3_front": (["src/pop3/wire/*.c", "src/pop3/front/*.c", "src/sasl/*.c"], ["\r\n", "alice@ours.test"]),
    "fuzz_redact": (["src/mail/mime*.c", "src/mail/header*.c"],
                    ["Content-Type: multipart/mixed; boundary=b\r\n\r\n", "Content-Type: multipart/alternative; boundary=c\r\n\r\n",
                     "--b\r\n", "--b--\r\n", "--c\r\n", "--c--\r\n", "message/rfc822", "image/png", "application/pdf", "\r\n\r\n"]),
    "fuzz_sasl_cram": (["src/sasl/*.c"], []),
    "fuzz_sasl_external": (["src/sasl/*.c"], []),
    "fuzz_sasl_login": (["src/sasl/*.c"], []),
    "fuzz_sasl_oauthbearer": (["src/sasl/*.c"], []),
    "fuzz_sasl_plain": (["src/sasl/*.c"], []),
    "fuzz_sasl_scram": (["src/sasl/*.c"], []),
    "fuzz_sasl_xoauth2": (["src/sasl/*.c"], []),
    "fuzz_smtp_command": (["src/smtp/wire/*.c"], ["\r\n", "FROM:<", "TO:<", "> ", "SIZE=", "BODY=8BITMIME", "LAST", "250-", "250 2.1.0 "]),
    "fuzz_smtp_data": ([], ["\r\n.\r\n", "\n.\n", "\r.\r", "\r\n..", "\n.\r\n", "\r\n.\n"]),
    "fuzz_smtp_front": (["src/smtp/wire/*.c", "src/smtp/front/*.c", "src/sasl/*.c"],
                        ["\r\n", "\r\n.\r\n", "MAIL FROM:<", "RCPT TO:<", ">", "BDAT 3 LAST\r\n"]),
    "fuzz_smtp_offer": (["src/smtp/wire/offer.c"], ["\r\n", "250-", "250 ", "AUTH=", "XXXA", "****"]),
}


def entry(word):
    octets = word.encode()
    return '"' + "".join(chr(o) if 32 <= o < 127 and o not in b'"\\' else f"\\x{o:02x}" for o in octets) + '"'


def words_of(pattern):
    for path in sorted(ROOT.glob(pattern)):
        code = re.sub(r'^\s*#include.*$', "", path.read_text(encoding="utf-8"), flags=re.M)
        for text in re.findall(r'"((?:[^"\\\n]|\\[rnt"\\0]|\\x[0-9a-f]{2})*)"', code):
            word = text.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')
            word = re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m.group(1), 16)), word)
            if 1 < len(word) <= 24 and word.isascii() and "%" not in word and not re.match(r"\d{4}( \d|$)", word):
                yield word


def write(target, folder):
    """The path of the target's dictionary in `folder`, or None when it has none."""
    if target not in SOURCES:
        return None
    patterns, more = SOURCES[target]
    words = dict.fromkeys([w for p in patterns for w in words_of(p)] + more)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / target
    path.write_text("".join(entry(word) + "\n" for word in words), encoding="ascii")
    return path
