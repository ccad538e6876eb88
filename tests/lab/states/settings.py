"""What the mail program was set to, against what can be right; and servers that are looked for."""
from lab.laboratory import DOMAIN
from lab.states.book import state

CODE = "qwzkmvnrtplxhgfd"


def given(name, en, zh, verdict, cause, address, flags, hosts=(), **more):
    """The settings are wrong; the hosts exist and refuse connections, or do not exist."""
    @state(name, en, zh, verdict, cause, **more)
    def build(bench):
        bench.address, bench.password = address, None
        for host in hosts:
            bench.host(host)
        bench.args += flags


given("wrong-suffix", "imap.gmail.cn in place of imap.gmail.com", "把 imap.gmail.com 写成 imap.gmail.cn", "host-wrong-suffix", "program",
      "alice@gmail.com", ["--imap", "imap.gmail.cn"])
given("host-typo", "imap.gmial.com in place of imap.gmail.com", "把 imap.gmail.com 写成 imap.gmial.com", "host-typo", "program",
      "alice@gmail.com", ["--imap", "imap.gmial.com"])
given("hosts-swapped", "the sending server where the incoming one belongs", "收信处填了发信服务器", "host-mixed-up", "program",
      "alice@gmail.com", ["--imap", "smtp.gmail.com"], ["smtp.gmail.com"])
given("host-is-webmail", "the address of the web mail as the server", "把网页邮箱地址当作服务器", "host-is-webmail", "program",
      "alice@gmail.com", ["--imap", "mail.google.com"], ["mail.google.com"])
given("host-with-scheme", "https:// in the field of the server", "服务器栏里写了 https://", "host-has-scheme", "program",
      "alice@gmail.com", ["--imap", "https://imap.gmail.com/"])
given("port-of-pop3", "the port of POP3 for IMAP", "IMAP 使用了 POP3 的端口", "port-of-other-service", "wrong-port",
      "alice@gmail.com", ["--imap", "imap.gmail.com:995"], ["imap.gmail.com"])
given("other-providers-server", "Outlook's server for a Gmail address", "Gmail 地址填了 Outlook 的服务器", "host-other-provider", "program",
      "alice@gmail.com", ["--imap", "outlook.office365.com"])
given("exmail-wrong-host", "QQ's personal address at the company's server", "QQ 邮箱填了企业邮箱的服务器", "exmail-wrong-host", "program",
      "10001@qq.com", ["--imap", "imap.exmail.qq.com"])
given("gmx-com-vs-net", "an international GMX address at the German server", "国际版 GMX 地址填了德国服务器", "gmx-com-vs-net", "program",
      "alice@gmx.com", ["--imap", "imap.gmx.net"])
given("icloud-pop3", "POP3 at iCloud, which has none", "iCloud 没有 POP3", "icloud-no-pop", "protocol-off",
      "alice@icloud.com", ["--pop3", "pop.mail.me.com"])
given("proton-no-imap", "Proton has no servers for mail programs", "Proton 不向邮件程序提供服务器", "proton-no-direct-imap", "policy",
      "alice@proton.me", ["--imap", "imap.proton.me"])
given("provider-without-imap", "a provider without access for mail programs", "该服务商不支持邮件程序", "provider-without-imap", "policy",
      "alice@hey.com", [])
given("domain-does-not-exist", "the address's domain does not exist", "地址的域名不存在", "find-no-domain", "dns",
      "alice@nowhere.test", [])


@state("domain-takes-no-mail", "the domain says that it takes no mail", "该域名声明不接收邮件", "find-domain-takes-no-mail", "dns")
def _(bench):
    bench.password = None
    bench.names[DOMAIN, "MX"] = ["0 ."]


@state("no-servers-published", "a domain without any mail server", "域名没有任何邮件服务器", "find-no-servers", "dns")
def _(bench):
    bench.password = None
    del bench.names[DOMAIN, "MX"]
    bench.names[DOMAIN, "A"] = ["127.0.5.9"]


@state("imap-not-offered", "the domain publishes that it has no POP3", "域名声明不提供 POP3", "find-not-offered", "protocol-off")
def _(bench):
    bench.password = None
    bench.names[f"_pop3s._tcp.{DOMAIN}", "SRV"] = ["0 0 0 ."]
    bench.names[f"_pop3._tcp.{DOMAIN}", "SRV"] = ["0 0 0 ."]
    bench.names[f"_imaps._tcp.{DOMAIN}", "SRV"] = [f"0 1 993 imap.{DOMAIN}"]
    bench.imap(given=False)
    bench.host(f"pop.{DOMAIN}")
    bench.give("pop3", f"pop.{DOMAIN}")


@state("found-by-srv-signed", "servers found by signed SRV records", "通过带签名的 SRV 记录找到服务器", "healthy")
def _(bench):
    from lib.dnsserver import DnsServer
    bench.names[f"_imaps._tcp.{DOMAIN}", "SRV"] = [f"0 1 993 imap.{DOMAIN}"]
    bench.names[f"_submissions._tcp.{DOMAIN}", "SRV"] = [f"0 1 465 smtp.{DOMAIN}"]
    bench.imap(given=False)
    bench.smtp(given=False)
    server = DnsServer(bench.names, port=bench.dns_port, signed=DOMAIN)
    bench.held.enter_context(server)
    anchor = bench.folder / "anchor"
    anchor.write_text(server.anchor)
    bench.args += ["--dns-anchor", str(anchor), "--dns", server.where]
    bench.dns_port = None


@state("found-by-provider-table", "a provider's servers, known without asking", "服务商的服务器已知，无需查询", "healthy")
def _(bench):
    bench.address, bench.password = "alice@gmail.com", CODE
    bench.imap(host="imap.gmail.com", given=False, password=CODE)
    bench.pop3(host="pop.gmail.com", given=False, password=CODE)
    bench.smtp(host="smtp.gmail.com", given=False, password=CODE)
    bench.smtp(host="smtp.gmail.com", given=False, password=CODE, implicit=False)
