"""What people met who could not read or send mail, written down by somebody who knew neither the code nor the rest of the table:
sentences of servers, domains that were moved or let go, slips of the hand, networks."""
from lab import namespace
from lab.laboratory import DOMAIN
from lab.scripted import PASSWORD
from lab.states.book import state
from lab.states.replies import OUTLOOK, replied
from lib.dnsserver import NODATA

# -- sentences at the sign-in ---------------------------------------------------------------------------------------------------

replied("outlook-authenticate-failed", "Microsoft refuses a password in words about tokens", "微软用关于令牌的话拒绝密码",
        "signin-password-withdrawn", "basic-auth-withdrawn", "imap", "NO AUTHENTICATE failed.", OUTLOOK, "outlook.office365.com",
        password=PASSWORD, mechanisms="PLAIN XOAUTH2")
replied("second-factor-behind-a-code", "a second step, said behind a response code", "响应码之后要求第二步验证", "generic-second-factor",
        "second-factor", "imap", "NO [AUTHENTICATIONFAILED] Multi-factor authentication required")
replied("password-expired", "the password has expired", "密码已过期", "generic-password-expired", "password-expired", "imap",
        "NO [EXPIRED] The password for this account has expired")
replied("directory-away", "the server's directory of users is away", "服务器的用户目录不可用", "generic-internal-error", "server-trouble",
        "imap", "NO LDAP server unavailable")
replied("country-refused", "nobody may sign in from this country", "不允许从该国家登录", "generic-place-refused", "ip-not-allowed", "imap",
        "NO [ALERT] Login from your country is not allowed")
replied("not-in-the-plan", "the free account has no IMAP", "免费账号不含 IMAP", "generic-not-in-plan", "protocol-off", "imap",
        "NO [ALERT] IMAP access is not included in your plan. Please upgrade.")
replied("account-to-be-confirmed", "a new account that was not confirmed", "新账号尚未确认", "generic-confirm-account", "account-locked",
        "imap", "NO Please verify your account before using IMAP")
replied("exmail-wechat-token", "a company's mailbox bound to WeChat", "绑定微信的企业邮箱", "exmail-wechat-token", "app-password", "imap",
        "NO Login fail. Please using weixin token", host="imap.exmail.qq.com")
replied("client-password-wanted", "a password for programs, said behind a response code", "响应码之后要求客户端专用密码",
        "generic-app-password", "app-password", "imap",
        "NO [AUTHENTICATIONFAILED] Authentication failed. Please use third-party client security password")
replied("pop3-off-for-good", "POP3 is switched off for the account", "该账号停用了 POP3", "generic-protocol-disabled", "protocol-off",
        "pop3", "-ERR [SYS/PERM] POP3 is disabled for this account")
replied("account-may-not-send", "an account that may only read", "只能收信的账号", "generic-may-not-send", "policy", "smtp",
        "550 5.7.1 Your account is not allowed to send mail via SMTP")


@state("pop3-without-user", "a POP3 server that knows none of the usual ways", "POP3 服务器不支持常用登录方式", "pop3-command-unknown",
       "mechanism")
def _(bench):
    bench.pop3(greeting="+OK POP3 ready <1896.697170952@lab.test>", replies={w: "-ERR unknown command" for w in ("USER", "CAPA", "AUTH")})


# -- sentences before and after it ----------------------------------------------------------------------------------------------

@state("proxy-without-a-server", "a mail proxy whose own server is away", "邮件代理的后端不可用", "generic-internal-error", "server-trouble")
def _(bench):
    bench.imap(greeting="* BAD internal server error")


@state("pop3-connection-limit", "the limit of connections, in the greeting", "问候语中提示连接数已达上限", "connection-limit",
       "too-many-connections")
def _(bench):
    bench.pop3(greeting="-ERR Maximum connection limit reached from ::ffff:93.184.216.1")


@state("listed-at-the-greeting", "this address is on a block list", "本机地址在黑名单中", "smtp-blocklisted", "reputation")
def _(bench):
    bench.smtp(greeting="554-5.7.1 Your address 203.0.113.9 is listed at zen.spamhaus.org\n554 5.7.1 https://www.spamhaus.org")


@state("listed-behind-the-sign-in", "the block list is asked even for customers", "登录之后仍查黑名单", "smtp-blocklisted", "reputation")
def _(bench):
    bench.smtp(replies={"MAIL": "554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using zen.spamhaus.org"})


@state("disk-of-the-server-full", "the sending server's disk is full", "发信服务器磁盘已满", "smtp-452-no-storage", "server-trouble")
def _(bench):
    bench.smtp(replies={"MAIL": "452 4.3.1 Insufficient system storage"})


@state("limit-of-the-domain", "the hosting provider's limit of an hour", "托管商的每小时限额", "exim-hourly-limit", "send-limit")
def _(bench):
    bench.smtp(replies={"RCPT": "550 Domain lab.test has exceeded the max emails per hour (501/500 (100%)) allowed.  Message discarded."})
    bench.args.append("--send-test")


# -- slips ----------------------------------------------------------------------------------------------------------------------

@state("password-in-quotes", "the password with quotation marks around it", "密码带上了引号", "input-quoted-password", "name-form",
       alternative="dovecot-auth-failed")
def _(bench):
    bench.password = f'"{PASSWORD}"'
    bench.imap()


@state("user-name-slip", "two letters of the user name swapped", "用户名中两个字母颠倒", "input-username-slip", "name-form",
       alternative="dovecot-auth-failed")
def _(bench):
    bench.args += ["--user", f"alcie@{DOMAIN}"]
    bench.imap(users=[f"alice@{DOMAIN}"])


@state("own-domain-slip", "the server's name with a letter too many", "服务器名称多了一个字母", "host-typo", "program")
def _(bench):
    bench.give("imap", "imap.labb.test")


@state("pop3-name-for-imap", "the POP3 server where IMAP is set", "IMAP 账号填了 POP3 服务器", "host-of-other-protocol", "program")
def _(bench):
    bench.pop3(host=f"pop.{DOMAIN}", given=False)
    bench.give("imap", f"pop.{DOMAIN}")


# -- domains --------------------------------------------------------------------------------------------------------------------

@state("domain-let-go", "the domain is gone, and its servers with it", "域名已失效，服务器也随之消失", "find-no-domain", "dns")
def _(bench):
    bench.names.clear()
    bench.give("imap", f"imap.{DOMAIN}")


@state("mail-moved", "the mail was moved, and the old server refuses", "邮箱已迁走，旧服务器拒绝登录", "dovecot-auth-failed", "wrong-password",
       alternative="find-mail-moved")
def _(bench):
    bench.names[DOMAIN, "MX"] = ["0 lab-test.mail.protection.outlook.com"]
    bench.imap(password="another")


@state("mail-moved-unnoticed", "the mail was moved, and the old server still opens", "邮箱已迁走，旧服务器仍可登录", "healthy",
       noticed="find-mail-moved")
def _(bench):
    bench.names[DOMAIN, "MX"] = ["1 aspmx.l.google.com"]
    bench.names["aspmx.l.google.com", "A"] = ["93.184.216.6"]
    bench.imap()


def arrives_not(name, en, zh, noticed, exchangers):
    """One can sign in, and nothing new will ever come."""
    @state(name, en, zh, "healthy", noticed=noticed)
    def build(bench):
        bench.names[DOMAIN, "MX"] = exchangers
        bench.imap()


arrives_not("no-exchanger", "nobody takes the domain's mail", "没有服务器接收该域名的邮件", "find-mail-cannot-arrive", NODATA)
arrives_not("exchanger-gone", "who takes the domain's mail does not exist", "接收该域名邮件的服务器不存在", "find-mail-cannot-arrive",
            ["10 gone.lab.test", "20 gone-too.lab.test"])
arrives_not("takes-no-mail-but-opens", "an open mailbox of a domain that takes no mail", "能登录，但域名声明不收信",
            "find-domain-takes-no-mail", ["0 ."])


# -- networks -------------------------------------------------------------------------------------------------------------------

@state("only-ipv6", "the server has IPv6 alone, and this network none", "服务器只有 IPv6，而当前网络没有", "net-only-ipv6", "network")
def _(bench):
    bench.web()
    bench.names[f"imap.{DOMAIN}", "A"], bench.names[f"imap.{DOMAIN}", "AAAA"] = NODATA, ["2606:2800:220:1::25"]
    bench.give("imap", f"imap.{DOMAIN}")


@state("name-leads-home", "the server's name leads to this computer", "服务器名称指向本机", "net-refused", "network",
       alternative="dns-hijack")
def _(bench):
    bench.names[f"imap.{DOMAIN}", "A"] = ["127.0.0.1"]
    bench.give("imap", f"imap.{DOMAIN}")


@state("name-leads-to-the-router", "the server's name leads to the router", "服务器名称指向路由器", "net-refused", "network",
       alternative="dns-hijack")
def _(bench):
    bench.host(f"mx.of.{DOMAIN}")
    namespace.ip("addr", "add", "192.168.1.1/32", "dev", "lo")
    bench.names[f"imap.{DOMAIN}", "A"] = ["192.168.1.1"]
    bench.give("imap", f"imap.{DOMAIN}")


@state("banned-with-refusals", "a firewall refuses whom it has banned", "防火墙拒绝被封禁者的连接", "net-refused", "network",
       alternative="fail2ban-silent-drop")
def _(bench):
    bench.door(f"mail.{DOMAIN}", 443, lambda wire: None)
    bench.give("imap", f"mail.{DOMAIN}")
