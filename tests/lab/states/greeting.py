"""What stands at the port, how it greets, and which ways of signing in it offers."""
import select

from lab.laboratory import DOMAIN, SPEAKERS
from lab.states.book import state

HELLO = {"imap": "* OK [CAPABILITY IMAP4rev1] Lab IMAP ready", "pop3": "+OK Lab POP3 ready",
         "smtp": "220 mail.lab.test ESMTP Lab"}
NAMES = {"imap": "IMAP", "pop3": "POP3", "smtp": "SMTP"}
PORTS = {"imap": 993, "pop3": 995, "smtp": 465}
SWAPPED = [("imap", "pop3"), ("pop3", "imap"), ("imap", "smtp"), ("pop3", "smtp"), ("smtp", "imap"), ("smtp", "pop3")]


def greets(name, en, zh, verdict, cause, service="imap", then=None, way=None, **more):
    """A TLS server whose first words are wrong: octets, or a function of the connection."""
    @state(name, en, zh, verdict, cause, **more)
    def build(bench):
        host = f"{service}.{DOMAIN}"
        talk = then if callable(then) else lambda wire: (wire.send(then), wire.until_end())
        bench.door(host, PORTS[service], talk, certificate=bench.cabinet.good(host), implicit=True, **(way or {}))
        bench.give(service, host, PORTS[service])


def swapped(service, other):
    @state(f"{other}-on-{PORTS[service]}", f"a {NAMES[other]} server at port {PORTS[service]}",
           f"{PORTS[service]} 端口上是 {NAMES[other]} 服务器", f"greeting-is-{other}", "wrong-port")
    def build(bench):
        host = f"{service}.{DOMAIN}"
        bench.door(host, PORTS[service], SPEAKERS[other](greeting=HELLO[other]), certificate=bench.cabinet.good(host), implicit=True)
        bench.give(service, host, PORTS[service])


for pair in SWAPPED:
    swapped(*pair)

greets("http-on-993", "a web server at the mail port", "邮件端口上是网站服务器", "greeting-is-web", "wrong-port",
       then=b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
greets("greeting-silent", "TLS works, then silence", "TLS 建立后服务器不说话", "greeting-silent", "server-trouble",
       then=lambda wire: wire.until_end(), waits=True)
greets("greeting-bye", "the server says goodbye at once", "服务器一连接就告别", "imap-bye-immediately", "ip-not-allowed",
       then=b"* BYE Your address is not welcome here\r\n")
greets("greeting-closed", "the server closes without a word", "服务器一言不发就关闭连接", "imap-bye-immediately", "ip-not-allowed",
       then=lambda wire: None)
greets("pop3-closed", "the POP3 server closes without a word", "POP3 服务器一言不发就关闭连接", "greeting-closed-at-once", "ip-not-allowed",
       service="pop3", then=lambda wire: None)
greets("greeting-zeros", "a greeting with zero octets", "问候语中含有零字节", "greeting-zeros", "protocol-fault",
       then=b"* OK ready\0\0\r\n", waits=True)
greets("greeting-554", "the sending server has no service for this address", "发信服务器不为该地址服务", "greeting-refused", "ip-not-allowed",
       service="smtp", then=b"554 5.7.1 mail.lab.test No SMTP service for you here\r\n")
greets("greeting-421", "the sending server is busy", "发信服务器繁忙", "smtp-421-busy", "server-trouble",
       service="smtp", then=b"421 4.3.2 Service not available, closing channel\r\n")
greets("greeting-too-many-connections", "too many connections from this address", "来自该地址的连接过多", "smtp-421-too-many-conn",
       "too-many-connections", service="smtp", then=b"421 4.7.0 mail.lab.test Error: too many connections from 127.0.0.1\r\n")
greets("greeting-flood", "a greeting without end", "问候语没有尽头", "greeting-flood", "protocol-fault",
       then=lambda wire: flood(wire, b"* OK " + b"x" * 60000))
greets("greeting-many-lines", "lines without end", "无穷无尽的行", "greeting-flood", "protocol-fault", service="smtp",
       then=lambda wire: flood(wire, b"220-welcome to this server\r\n" * 500))
greets("greeting-noise", "octets that mean nothing", "毫无意义的数据", "greeting-other-protocol", "wrong-port",
       then=b"\x00\x01\x02\xff\xfe nonsense\r\n")


def flood(wire, octets):
    while True:
        wire.send(octets)


def drip(text):
    def talk(wire):
        for octet in text.encode():
            wire.send(bytes([octet]))
            select.select([], [], [], 1)
    return talk


greets("greeting-drip", "an octet of the greeting a second", "问候语每秒只来一个字节", "greeting-unfinished", "server-trouble",
       then=drip("* OK a very slow server is ready at last\r\n"), waits=True)


@state("greeting-slow", "the greeting comes late, then all is well", "问候语迟到，随后正常", "healthy")
def _(bench):
    def slow(wire):
        select.select([], [], [], 1.2)
        SPEAKERS["imap"]()(wire)
    host = f"imap.{DOMAIN}"
    bench.door(host, 993, slow, certificate=bench.cabinet.good(host), implicit=True)
    bench.give("imap", host)


@state("ssh-on-993", "a shell server at the mail port", "邮件端口上是 SSH 服务器", "greeting-is-ssh", "wrong-port")
def _(bench):
    bench.says("imap", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", end=False)


@state("ftp-on-587", "a file server (FTP) at the mail port", "邮件端口上是 FTP 服务器", "greeting-is-ftp", "wrong-port")
def _(bench):
    def talk(wire):
        wire.say("220 (vsFTPd 3.0.3)")
        while wire.line():
            wire.say("530 Please login with USER and PASS.")
    host = f"smtp.{DOMAIN}"
    bench.door(host, 587, talk)
    bench.give("smtp", host, 587, "starttls")


@state("banner-masked", "a firewall hides the greeting and the offers", "防火墙遮盖了问候语和选项", "greeting-masked", "intercepted")
def _(bench):
    bench.serve("smtp", implicit=False, starttls=False, greeting="220 " + "*" * 40, extensions="SIZE 100\nXXXXXXXA", offers_auth=False)


# -------------------------------------------------------------------------------------------------------- what is offered

@state("login-disabled", "signing in is switched off without encryption, and there is none", "未加密时禁止登录，而服务器又没有加密",
       "tls-starttls-not-offered", "tls-mode")
def _(bench):
    bench.door(f"imap.{DOMAIN}", 143, SPEAKERS["imap"](clear_capability="IMAP4rev1 LOGINDISABLED"))
    bench.give("imap", f"imap.{DOMAIN}", 143)


@state("login-disabled-in-tls", "signing in by password is switched off", "禁止用密码登录", "greeting-login-disabled", "mechanism")
def _(bench):
    bench.imap(capability="IMAP4rev1 LOGINDISABLED", mechanisms="")


@state("no-auth-in-ehlo", "the sending server offers no sign-in", "发信服务器不提供登录", "smtp-no-auth-in-ehlo", "mechanism")
def _(bench):
    bench.smtp(offers_auth=False)


@state("only-ntlm", "only Windows' own ways of signing in", "只提供 Windows 专用的登录方式", "exchange-onprem-ntlm", "mechanism")
def _(bench):
    bench.smtp(mechanisms="NTLM GSSAPI")


@state("only-oauth", "only sign-in windows of the provider (OAuth2)", "只支持服务商登录窗口（OAuth2）", "client-only-oauth-offered", "basic-auth-withdrawn")
def _(bench):
    bench.smtp(mechanisms="XOAUTH2 OAUTHBEARER")


@state("token-but-no-oauth", "a token, and a server that takes only passwords", "使用令牌，但服务器只接受密码", "client-oauth-plain-mismatch",
       "mechanism")
def _(bench):
    token = bench.folder / "token"
    token.write_text("ya29.A0AfB-lab-token-0123456789\n")
    bench.args += ["--token", str(token)]
    bench.imap()


@state("token-accepted", "a token, and a server that takes it", "令牌被接受", "healthy")
def _(bench):
    token = bench.folder / "token"
    token.write_text("ya29.A0AfB-lab-token-0123456789\n")
    bench.args += ["--token", str(token)]
    bench.imap(mechanisms="XOAUTH2", password="ya29.A0AfB-lab-token-0123456789")
