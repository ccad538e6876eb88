"""Certificates, versions, suites, and which of the two forms of encryption is spoken."""
import email.utils
import struct

from lab.certificates import Authority
from lab.laboratory import DOMAIN
from lab.scripted import Imap, Pop3, Smtp
from lab.states.book import state

HOST = f"imap.{DOMAIN}"


def certified(name, en, zh, verdict, cause, make, way=None, **more):
    @state(name, en, zh, verdict, cause, **more)
    def build(bench):
        bench.imap(certificate=make(bench.cabinet), way=way)


certified("certificate-expired", "the certificate ended yesterday", "证书昨天已过期", "tls-certificate-expired", "certificate-expired",
          lambda c: c.of_times(HOST, -400, -1))
certified("certificate-not-yet-valid", "the certificate begins tomorrow", "证书明天才生效", "tls-certificate-not-yet",
          "certificate-expired", lambda c: c.of_times(HOST, 1, 400))
certified("certificate-wrong-name", "the certificate is for another host", "证书属于另一台主机", "tls-certificate-name",
          "certificate-name", lambda c: c.good("www.hosting.test"))
certified("certificate-self-signed", "the server vouches for itself", "服务器使用自签名证书", "tls-certificate-self-signed",
          "certificate-untrusted", lambda c: c.self_signed(HOST))
certified("certificate-unknown-authority", "signed by an authority that nobody trusts", "由不受信任的机构签发",
          "tls-certificate-unknown-issuer", "certificate-untrusted", lambda c: c.stranger(HOST))
certified("certificate-chain-incomplete", "the certificate in between was not sent", "未发送中间证书",
          "tls-chain-incomplete", "certificate-untrusted", lambda c: c.without_between(HOST),
          alternative="tls-certificate-unknown-issuer")
certified("certificate-weak-key", "an RSA key of 1024 bits", "RSA 密钥只有 1024 位", "tls-certificate-weak", "certificate-untrusted",
          lambda c: c.weak(HOST), {"weak": True})
certified("antivirus-in-between", "the certificate was made by an antivirus program", "证书由杀毒软件签发",
          "tls-intercepted", "intercepted",
          lambda c: c.stranger(HOST, "Avast Web/Mail Shield Root", "Avast Web/Mail Shield"))
certified("firewall-in-between", "the certificate was made by a company's firewall", "证书由公司防火墙签发",
          "tls-intercepted", "intercepted", lambda c: c.stranger(HOST, "FortiGate CA", "Fortinet"))
certified("certificate-chain-complete", "the chain with its certificate in between", "证书链完整", "healthy", "none",
          lambda c: c.with_between(HOST))


# ------------------------------------------------------------------------------- revocation, as the server itself tells it

def stapled(name, en, zh, verdict, cause="server-trouble", says=None, must_staple=False, **more):
    """`says`: what the server staples, of the root and the certificate; nothing: none."""
    @state(name, en, zh, verdict, cause, **more)
    def build(bench):
        root = bench.cabinet.root
        key, certificate = root.leaf(HOST, must_staple=must_staple)
        bench.imap(certificate=bench.cabinet.write(key, certificate), way={"staple": says(root, certificate)} if says else None)


stapled("stapled-good", "a fresh statement is stapled, as the certificate demands", "随附证书所要求的最新 OCSP 声明", "healthy", "none",
        lambda root, leaf: root.statement(leaf), must_staple=True)
stapled("certificate-revoked", "the certificate was revoked, and the server staples it", "证书已被吊销，服务器随附了该声明",
        "tls-certificate-revoked", "certificate-revoked", lambda root, leaf: root.statement(leaf, revoked=True))
stapled("staple-missing", "the certificate demands a staple, and none comes", "证书要求 OCSP 装订，但服务器没有提供",
        "tls-staple-missing", must_staple=True)
stapled("staple-expired", "what is stapled is out of date", "随附的 OCSP 声明已过期", "healthy", "none",
        lambda root, leaf: root.statement(leaf, begins=-9, ends=-2), noticed="tls-staple-expired")
stapled("staple-expired-demanded", "the same, with a certificate that demands a fresh one", "同上，且证书要求最新声明",
        "tls-staple-expired", says=lambda root, leaf: root.statement(leaf, begins=-9, ends=-2), must_staple=True,
        alternative="tls-clock-skew")
stapled("staple-forged", "somebody else signed what is stapled", "随附的 OCSP 声明由他人签名", "healthy", "none",
        lambda root, leaf: root.statement(leaf, revoked=True, signer=Authority("Somebody Else")), noticed="tls-staple-broken")


# The library here refuses what is too old; a server that knows nothing else is spoken by hand.

def record(kind, octets, version=b"\3\1"):
    return kind + version + struct.pack(">H", len(octets)) + octets


def server_hello(version, suite):
    body = version + bytes(32) + b"\0" + struct.pack(">H", suite) + b"\0"
    return record(b"\x16", b"\2" + struct.pack(">I", len(body))[1:] + body, version)


def alert(number):
    return record(b"\x15", bytes([2, number]), b"\3\3")


def offered(hello):
    """(highest version, suites) of a ClientHello's record."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    count = struct.unpack(">H", hello[at:at + 2])[0]
    suites = [struct.unpack(">H", hello[i:i + 2])[0] for i in range(at + 2, at + 2 + count, 2)]
    return hello[9:11], suites


def speaks_only(version, suites, refusal):
    """Agrees to nothing but this, and breaks off after its hello."""
    def talk(wire):
        hello = wire.octets()
        if hello[:1] != b"\x16":
            return
        highest, known = offered(hello)
        common = [s for s in suites if s in known]
        if b"\0\x2b" in hello and b"\3\4" in hello[hello.index(b"\0\x2b"):] and len(known) <= 5:
            wire.send(alert(70))
        elif highest < version or not common:
            wire.send(alert(refusal))
        else:
            wire.send(server_hello(version, common[0]))
    return talk


def handmade(name, en, zh, verdict, talk, cause="tls-versions", **more):
    @state(name, en, zh, verdict, cause, **more)
    def build(bench):
        bench.door(HOST, 993, talk)
        bench.give("imap", HOST, 993)


CBC = [0xc014, 0xc013, 0x0035, 0x002f, 0x000a]
handmade("tls-only-1.0", "the server knows nothing newer than TLS 1.0", "服务器最高只支持 TLS 1.0", "tls-only-old-versions",
         speaks_only(b"\3\1", CBC, 70))
handmade("tls-only-ssl3", "the server knows only SSL 3.0", "服务器只支持 SSL 3.0", "tls-only-old-versions",
         speaks_only(b"\3\0", CBC, 70))
handmade("tls-only-rc4", "the server knows only RC4 and 3DES", "服务器只支持 RC4 和 3DES", "tls-no-common-suite",
         speaks_only(b"\3\3", [0x0005, 0x0004, 0x000a], 40))
handmade("tls-no-agreement", "the server refuses every hello", "服务器拒绝所有握手", "tls-no-common-suite",
         lambda wire: (wire.octets(), wire.send(alert(40))))
handmade("tls-unrecognized-name", "the server does not know the name asked for", "服务器不认识请求的名称", "tls-name-unknown",
         lambda wire: (wire.octets(), wire.send(alert(112))), "certificate-name")
handmade("tls-internal-error", "the server breaks off with an error of its own", "服务器因自身错误中断握手", "tls-alert-received",
         lambda wire: (wire.octets(), wire.send(alert(80))), "tls-broken")
handmade("tls-closed", "the connection is closed in the handshake", "握手过程中连接被关闭", "tls-closed-early",
         lambda wire: wire.octets(), "tls-broken")
handmade("tls-reset", "the connection is reset in the handshake", "握手过程中连接被重置", "tls-closed-early",
         lambda wire: (wire.octets(), wire.reset()), "tls-broken")
handmade("tls-silent", "the server takes the hello and says nothing", "服务器收到握手请求后不再应答", "tls-silent",
         lambda wire: wire.until_end(), "tls-broken", waits=True)


def drip(octets, pause=1.0):
    import select

    def talk(wire):
        wire.octets()
        for i in range(len(octets)):
            wire.send(octets[i:i + 1])
            select.select([], [], [], pause)
    return talk


handmade("tls-drip", "an octet of the handshake a second", "握手数据每秒只来一个字节", "tls-silent",
         drip(server_hello(b"\3\3", 0xc02f)), "tls-broken", waits=True)
handmade("tls-garbage", "a record that breaks TLS's rules", "违反 TLS 规则的数据", "tls-broken-records",
         lambda wire: (wire.octets(), wire.send(b"\x16\3\3\xff\xff" + b"\xff" * 400)), "tls-broken")


@state("client-certificate-demanded", "the server wants a certificate of the client", "服务器要求客户端证书",
       "tls-client-certificate", "certificate-client")
def _(bench):
    bench.imap(way={"asks": str(bench.cabinet.ca_file)})


@state("tls-small-group", "keys are exchanged with 1024 bits", "密钥交换只有 1024 位", "tls-weak-parameters", "tls-versions")
def _(bench):
    bench.imap(certificate=bench.cabinet.write(*bench.cabinet.root.leaf(HOST, kind="rsa2048")),
               way={"weak": True, "group": str(bench.cabinet.small_group())})


@state("tls-small-group-besides", "1024 bits are taken as well as better ones", "除更好的方式外也接受 1024 位密钥交换", "healthy",
       noticed="tls-small-group")
def _(bench):
    bench.imap(certificate=bench.cabinet.write(*bench.cabinet.root.leaf(HOST, kind="rsa2048")),
               way={"weak": True, "group": str(bench.cabinet.small_group()), "besides": "ECDHE-RSA-AES256-GCM-SHA384:"})


@state("tls-1.1-too", "the server still takes TLS 1.0, and 1.3", "服务器仍接受 TLS 1.0，也支持 1.3", "healthy")
def _(bench):
    bench.imap(way={"weak": True})


# ---------------------------------------------------------------------------------------- the clock of this computer

def clock(name, en, zh, days, service="imap", web=False, verdict="tls-clock-skew", cause="clock", **more):
    @state(name, en, zh, verdict, cause, **more)
    def build(bench):
        date = email.utils.formatdate(usegmt=True)
        bench.serve(service, **({"greeting": f"220 mail.lab.test ESMTP Lab; {date}"} if service == "smtp" else {}))
        bench.before = ["faketime", "-m", "--exclude-monotonic", "-f", f"{round(days * 86400):+d}s"]
        if web:
            bench.web()


clock("clock-years-ahead", "this computer's clock is two years ahead, and the server tells the time", "本机时钟快了两年，服务器报出时间",
      730, "smtp")
clock("clock-ahead-web", "the same, and the web tells the time", "同上，网页报出时间", 730, web=True)
clock("clock-ahead-untold", "the same, and nobody tells the time", "同上，无处得知时间", 730,
      verdict="tls-certificate-expired", cause="certificate-expired", alternative="tls-clock-skew")
clock("clock-an-hour-ahead", "the clock is an hour ahead, and nothing is wrong by it", "本机时钟快了一小时，但没有造成问题", 1 / 24, "smtp",
      verdict="healthy", cause="none")
clock("clock-years-behind", "this computer's clock is two years behind", "本机时钟慢了两年", -730)
clock("clock-behind-and-told", "the same, and the server tells the time", "同上，服务器报出时间", -730, "smtp")


# ----------------------------------------------------------------------------------------- implicit TLS and STARTTLS

@state("plain-on-993", "plain text on the TLS port", "TLS 端口上是明文", "tls-port-is-plain", "tls-mode")
def _(bench):
    bench.door(HOST, 993, Imap(login_disabled=False))
    bench.give("imap", HOST, 993, "implicit")


@state("plain-on-465", "plain SMTP with STARTTLS on the TLS port", "465 端口上是明文 SMTP", "tls-on-starttls-port", "tls-mode")
def _(bench):
    host = f"smtp.{DOMAIN}"
    bench.door(host, 465, Smtp(), certificate=bench.cabinet.good(host))
    bench.give("smtp", host, 465, "implicit")


def mode(name, en, zh, verdict, service, port, implicit, tls, **more):
    """The server is in order; the program is set to the other form."""
    @state(name, en, zh, verdict, "tls-mode", **more)
    def build(bench):
        bench.serve(service, port=port, implicit=implicit, tls=tls)


mode("993-starttls", "STARTTLS at port 993", "993 端口误设为 STARTTLS", "port-993-starttls", "imap", 993, True, "starttls")
mode("993-none", "no encryption at port 993", "993 端口误设为不加密", "port-993-starttls", "imap", 993, True, "none")
mode("995-starttls", "STARTTLS at port 995", "995 端口误设为 STARTTLS", "port-995-starttls", "pop3", 995, True, "starttls")
mode("465-starttls", "STARTTLS at port 465", "465 端口误设为 STARTTLS", "port-465-starttls", "smtp", 465, True, "starttls")
mode("143-implicit", "SSL/TLS at port 143", "143 端口误设为 SSL/TLS", "port-143-ssl", "imap", 143, False, "implicit")
mode("110-implicit", "SSL/TLS at port 110", "110 端口误设为 SSL/TLS", "port-110-ssl", "pop3", 110, False, "implicit")
mode("587-implicit", "SSL/TLS at port 587", "587 端口误设为 SSL/TLS", "port-587-ssl", "smtp", 587, False, "implicit")


@state("tls-on-143", "TLS from the first octet at the STARTTLS port", "STARTTLS 端口上直接使用 TLS", "tls-port-spoken-plain", "tls-mode")
def _(bench):
    bench.serve("imap", port=143, implicit=True, tls="starttls")


@state("starttls-stripped", "somebody takes the offer of encryption away", "有人去掉了加密选项", "tls-starttls-missing", "intercepted")
def _(bench):
    bench.address = "alice@outlook.com"
    bench.serve("smtp", host="smtp-mail.outlook.com", implicit=False, starttls=False, extensions="SIZE 1000", auth_in_clear=True)


@state("starttls-not-offered", "the server does not know STARTTLS", "服务器不支持 STARTTLS", "tls-starttls-not-offered", "tls-mode")
def _(bench):
    bench.serve("imap", implicit=False, starttls=False, login_disabled=False)


@state("starttls-refused", "STARTTLS is offered and then refused", "提供了 STARTTLS 但随后拒绝", "tls-starttls-declined", "tls-broken")
def _(bench):
    bench.serve("smtp", implicit=False, replies={"STARTTLS": "454 4.7.0 TLS not available due to local reason"})


@state("starttls-injected", "a reply was put in before the encryption", "加密开始前被插入了数据", "tls-starttls-injection", "intercepted")
def _(bench):
    def inject(wire, tag, rest):
        wire.send(f"{tag} OK go on\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n")
        wire.start_tls()
    bench.serve("imap", implicit=False, replies={"STARTTLS": inject})


@state("starttls-not-begun", "the server says yes to STARTTLS and goes on in clear", "服务器同意 STARTTLS 后仍继续明文", "tls-starttls-broken",
       "tls-broken")
def _(bench):
    def stays_clear(wire, tag, rest):
        wire.say(f"{tag} OK go on")
        wire.octets()
        wire.say("* BAD what was that?")
        wire.until_end()
    bench.serve("imap", implicit=False, replies={"STARTTLS": stays_clear})


@state("starttls-pop3", "a healthy POP3 server with STLS", "支持 STLS 的正常 POP3 服务器", "healthy")
def _(bench):
    bench.serve("pop3", implicit=False)


@state("no-encryption-at-all", "a server without any encryption", "服务器完全不支持加密", "tls-starttls-not-offered", "tls-mode",
       alternative="tls-starttls-missing")
def _(bench):
    bench.door(f"pop3.{DOMAIN}", 110, Pop3(login_disabled=False))
    bench.give("pop3", f"pop3.{DOMAIN}", 110)


@state("no-encryption-agreed", "the same, and the person agrees to send the password in clear", "同上，用户同意明文发送密码", "healthy",
       clear=True)
def _(bench):
    bench.door(f"pop3.{DOMAIN}", 110, Pop3(login_disabled=False))
    bench.give("pop3", f"pop3.{DOMAIN}", 110, "none")
    bench.args.append("--allow-clear")
