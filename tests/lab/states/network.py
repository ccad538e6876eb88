"""Names, addresses, connections, proxies."""
import socket
import threading

from lab import namespace
from lab.laboratory import DOMAIN
from lab.states.book import state
from lib.dnsserver import NODATA, REFUSED, SERVFAIL, SILENT

HOST = f"imap.{DOMAIN}"


def named(name, en, zh, verdict, records, cause="dns", **more):
    """The host's records are wrong."""
    way = more.pop("way", {})

    @state(name, en, zh, verdict, cause, **more)
    def build(bench):
        bench.names.update(records)
        bench.dns_way = way
        bench.give("imap", HOST)


named("dns-no-such-name", "the server's name does not exist", "服务器名称不存在", "dns-no-such-name", {})
named("dns-no-address", "the name exists without an address", "名称存在但没有地址", "dns-no-address", {(HOST, "*"): NODATA})
named("dns-servfail", "the name service fails", "域名服务出错", "dns-server-fails", {(HOST, "*"): SERVFAIL})
named("dns-refused", "the name service refuses", "域名服务拒绝查询", "dns-refused", {(HOST, "*"): REFUSED})
named("dns-silent", "the name service never answers", "域名服务不应答", "dns-silent", {("*", "*"): SILENT}, waits=True)
named("dns-cname-loop", "two aliases point at each other", "两个别名互相指向", "dns-alias-loop",
      {(HOST, "CNAME"): [f"other.{DOMAIN}"], (f"other.{DOMAIN}", "CNAME"): [HOST]})
named("dns-cname-nowhere", "an alias leads to a name that does not exist", "别名指向不存在的名称", "dns-alias-dead",
      {(HOST, "CNAME"): [f"gone.{DOMAIN}"]})


@state("dns-bogus", "the answer's signature does not fit", "应答的 DNSSEC 签名不符", "dns-bogus", "dns")
def _(bench):
    from lib.dnsserver import DnsServer
    bench.give("imap", HOST)
    server = DnsServer({(HOST, "A"): ["127.0.1.9"]}, port=bench.dns_port, signed=DOMAIN, forged=[HOST])
    bench.held.enter_context(server)
    anchor = bench.folder / "anchor"
    anchor.write_text(server.anchor)
    bench.args += ["--dns-anchor", str(anchor), "--dns", server.where]
    bench.dns_port = None


@state("dns-private-address", "a provider's name leads to a private address here", "服务商的域名在本网络被解析到内网地址",
       "dns-hijack", "intercepted")
def _(bench):
    bench.address = "alice@gmail.com"
    namespace.ip("addr", "add", "10.9.8.7/32", "dev", "lo")
    bench.names["imap.gmail.com", "A"] = ["10.9.8.7"]
    bench.give("imap", "imap.gmail.com")


@state("dns-fake-address", "a proxy program answers with addresses of its own", "代理软件（fake-IP 模式）返回自造的地址",
       "socks-fake-ip", "proxy")
def _(bench):
    namespace.ip("addr", "add", "198.18.3.4/32", "dev", "lo")
    bench.names[HOST, "A"] = ["198.18.3.4"]
    bench.give("imap", HOST)


@state("port-refused", "nothing listens at the port", "该端口无程序监听", "net-refused", "network")
def _(bench):
    bench.host(HOST)
    bench.give("imap", HOST)


@state("port-filtered", "packets to the port are dropped", "发往该端口的数据包被丢弃", "net-port-filtered", "network",
       alternative="fail2ban-silent-drop", waits=True)
def _(bench):
    bench.held.callback(close_all, namespace.full_house(bench.host(HOST), 993))
    bench.give("imap", HOST)


def close_all(sockets):
    for s in sockets:
        s.close()


@state("network-unreachable", "there is no way to the address", "没有到该地址的路由", "net-unreachable", "network")
def _(bench):
    bench.web()
    bench.names[HOST, "A"] = ["198.51.100.7"]
    bench.give("imap", HOST)


@state("offline", "this computer has no way to the internet", "本机没有连接互联网", "net-offline", "network")
def _(bench):
    bench.names[HOST, "A"] = ["198.51.100.7"]
    bench.give("imap", HOST)


@state("host-silent", "nothing of the server answers", "服务器完全不应答", "net-timeout", "network", alternative="fail2ban-silent-drop",
       waits=True)
def _(bench):
    for port in (143, 443, 993):
        bench.held.callback(close_all, namespace.full_house(bench.host(HOST), port))
    bench.give("imap", HOST)


@state("other-port-open", "993 is closed, 143 is open", "993 端口关闭，143 端口开放", "net-port-closed", "wrong-port")
def _(bench):
    bench.imap(implicit=False, given=False)
    bench.give("imap", HOST, 993)


@state("this-computer", "the program is told to use this computer itself", "程序被设置为连接本机", "net-local-refused", "program")
def _(bench):
    bench.give("imap", "localhost", 993)


@state("proton-bridge-away", "Proton Mail Bridge is not running", "Proton Mail Bridge 未运行", "proton-bridge-refused", "program")
def _(bench):
    bench.address = "alice@proton.me"
    bench.give("imap", "127.0.0.1", 1143)


@state("all-mail-ports-blocked", "this network drops all mail ports", "本网络阻断所有邮件端口", "net-mail-ports-blocked", "network",
       alternative="fail2ban-silent-drop", waits=True)
def _(bench):
    bench.web()
    for service, port in (("imap", 993), ("smtp", 465)):
        host = f"{service}.{DOMAIN}"
        bench.give(service, host, port)
        for port in (143, 443, 993, 465, 587):
            bench.held.callback(close_all, namespace.full_house(bench.host(host), port))


@state("ipv6-broken", "IPv6 leads nowhere, IPv4 works", "IPv6 不通，IPv4 正常", "healthy", noticed="net-ipv6-broken")
def _(bench):
    namespace.ip("addr", "add", "2001:db8::5/128", "dev", "lo", "nodad")
    bench.imap()
    bench.held.callback(close_all, namespace.full_house("2001:db8::5", 993))
    bench.names[HOST, "AAAA"] = ["2001:db8::5"]


@state("connection-slow", "more than a second until the server answers", "服务器一秒多后才应答", "healthy", noticed="net-slow")
def _(bench):
    bench.imap(way={"late": True})


@state("port-25-blocked", "port 25 is blocked for sending", "25 端口被封锁", "port-25-submission", "wrong-port", waits=True)
def _(bench):
    bench.held.callback(close_all, namespace.full_house(bench.host(f"smtp.{DOMAIN}"), 25))
    bench.give("smtp", f"smtp.{DOMAIN}", 25)


@state("captive-portal", "the wireless network wants a sign-in on a web page", "Wi-Fi 要求先在网页登录", "net-captive-portal", "intercepted")
def _(bench):
    def portal(wire):
        wire.line()
        wire.send("HTTP/1.1 302 Found\r\nLocation: http://portal.hotel.test/login\r\nContent-Length: 0\r\n\r\n")
    bench.names["*", "A"] = [bench.host("portal.hotel.test")]
    bench.door("portal.hotel.test", 80, portal)
    bench.give("imap", HOST)


# ------------------------------------------------------------------------------------------------------------- SOCKS5

def proxied(name, en, zh, verdict, talk, **more):
    @state(name, en, zh, verdict, "proxy", **more)
    def build(bench):
        bench.door(f"proxy.{DOMAIN}", 1080, talk)
        bench.give("imap", HOST)
        bench.args += ["--socks5", bench.host(f"proxy.{DOMAIN}") + ":1080"]


def socks_code(code):
    def talk(wire):
        wire.octets()
        wire.send(b"\5\0")
        wire.octets()
        wire.send(b"\5" + bytes([code]) + b"\0\1\0\0\0\0\0\0")
    return talk


def answers(octets):
    def talk(wire):
        wire.octets()
        wire.send(octets)
        wire.until_end()
    return talk


proxied("proxy-is-http", "the proxy is an HTTP proxy", "该代理是 HTTP 代理", "socks-is-http",
        answers(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
proxied("proxy-wants-password", "the proxy wants a user name", "代理要求用户名和密码", "socks-no-method", answers(b"\5\xff"))
proxied("proxy-forbids", "the proxy's rules forbid it", "代理的规则不允许", "socks-ruleset", socks_code(2))
proxied("proxy-cannot-reach", "the proxy cannot reach the server", "代理无法连接到服务器", "socks-host-unreachable", socks_code(4))
proxied("proxy-refused-behind", "the server refuses the proxy's connection", "服务器拒绝代理的连接", "socks-refused", socks_code(5))
proxied("proxy-is-mail-server", "a mail server where the proxy should be", "代理地址上是邮件服务器", "proxy-not-socks",
        lambda wire: (wire.say("220 mail.lab.test ESMTP"), wire.until_end()))
proxied("proxy-silent", "the proxy never answers", "代理不应答", "proxy-silent", lambda wire: wire.until_end(), waits=True)


@state("proxy-name-unknown", "the proxy's name does not exist", "代理的名称不存在", "proxy-no-name", "proxy")
def _(bench):
    bench.give("imap", HOST)
    bench.args += ["--socks5", f"proxy.{DOMAIN}:1080"]


@state("proxy-away", "nothing listens at the proxy's address", "代理地址上没有程序监听", "proxy-unreached", "proxy")
def _(bench):
    bench.host(HOST)
    bench.give("imap", HOST)
    bench.args += ["--socks5", "127.0.5.6:1080"]


def relay(one, other):
    try:
        while octets := one.recv(65536):
            other.sendall(octets)
    except OSError:
        pass
    for s in (one, other):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def proxy_to(address, port):
    """A SOCKS5 proxy that connects everybody to the same server."""
    def talk(wire):
        wire.octets()
        wire.send(b"\5\0")
        wire.octets()
        other = socket.create_connection((address, port))
        wire.send(b"\5\0\0\1\0\0\0\0\0\0")
        threading.Thread(target=relay, args=(other, wire.sock), daemon=True).start()
        relay(wire.sock, other)
    return talk


@state("proxy-works", "a healthy server behind a SOCKS5 proxy", "通过 SOCKS5 代理访问正常的服务器", "healthy")
def _(bench):
    bench.imap()
    bench.door(f"proxy.{DOMAIN}", 1080, proxy_to(bench.host(HOST), 993))
    bench.args += ["--socks5", bench.host(f"proxy.{DOMAIN}") + ":1080"]


