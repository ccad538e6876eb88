"""What servers and providers answer to a sign-in. Each provider is played at its own names, found by the doctor itself from its
table; the servers of the other services are not there unless the row is about them."""
from lab.laboratory import DOMAIN
from lab.scripted import PASSWORD
from lab.states.book import state

CODE = "qwzkmvnrtplxhgfd"  # the form of most app passwords and authorization codes


def replied(name, en, zh, verdict, cause, service, text, address=f"alice@{DOMAIN}", host=None, password=None, **more):
    """The secret is right as far as its form goes; the server answers the sign-in with this."""
    speaks = {key: more.pop(key) for key in ("greeting", "capability", "extensions", "mechanisms", "replies") if key in more}

    @state(name, en, zh, verdict, cause, **more)
    def build(bench):
        bench.address = address
        bench.password = password or (PASSWORD if address.endswith(DOMAIN) else CODE)
        bench.serve(service, host=host, password="another", replies={"refused": text, **speaks.pop("replies", {})}, **speaks)


GMAIL, OUTLOOK = "alice@gmail.com", "alice@outlook.com"

replied("gmail-app-password", "Gmail wants an app password", "Gmail 要求应用专用密码", "gmail-imap-app-password", "app-password", "imap",
        "NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)",
        GMAIL, "imap.gmail.com", password=PASSWORD)
replied("gmail-smtp-app-password", "Gmail wants an app password for sending", "Gmail 发信要求应用专用密码", "gmail-smtp-app-password",
        "app-password", "smtp",
        "534-5.7.9 Application-specific password required. Learn more at\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor x-1 - gsmtp",
        GMAIL, "smtp.gmail.com", password=PASSWORD)
replied("gmail-web-login", "Gmail wants a sign-in in the browser first", "Gmail 要求先在浏览器登录", "gmail-web-login-required", "account-locked",
        "imap", "NO [WEBALERT https://accounts.google.com/signin/continue?x=1] Web login required.", GMAIL, "imap.gmail.com")
replied("gmail-imap-off", "IMAP is switched off at Gmail", "Gmail 未开通 IMAP", "gmail-imap-disabled", "protocol-off", "imap",
        "NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable your account for "
        "IMAP access. (Failure)", GMAIL, "imap.gmail.com")
replied("gmail-too-many-connections", "too many connections at Gmail", "Gmail 同时连接过多", "gmail-too-many-connections",
        "too-many-connections", "imap", "NO [ALERT] Too many simultaneous connections. (Failure)", GMAIL, "imap.gmail.com")
replied("gmail-bandwidth", "Gmail's limit of traffic is reached", "达到 Gmail 的流量限额", "gmail-bandwidth", "send-limit", "imap",
        "* BYE [ALERT] Account exceeded command or bandwidth limits. (Failure)", GMAIL, "imap.gmail.com")
replied("gmail-bad-credentials", "Gmail: user name and password not accepted", "Gmail：用户名和密码不被接受", "gmail-smtp-bad-credentials",
        "app-password", "smtp",
        "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials x-1 - gsmtp",
        GMAIL, "smtp.gmail.com")
replied("outlook-basic-off", "Microsoft no longer takes passwords", "微软不再接受密码登录", "ms-smtp-basic-disabled", "basic-auth-withdrawn",
        "smtp", "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [AM0PR04CA0001.EURPRD04.PROD.OUTLOOK.COM]",
        OUTLOOK, "smtp-mail.outlook.com", mechanisms="LOGIN XOAUTH2")
replied("outlook-tenant-smtp-off", "sending by password is switched off for the company", "企业关闭了 SMTP 客户端登录", "ms-smtp-tenant-disabled",
        "protocol-off", "smtp",
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit "
        "https://aka.ms/smtp_auth_disabled for more information. [AM0PR04CA0001.EURPRD04.PROD.OUTLOOK.COM]",
        "alice@lab.test", "smtp.office365.com", mechanisms="LOGIN XOAUTH2")
replied("outlook-login-failed", "Exchange says only that it failed", "Exchange 只说登录失败", "ms-imap-login-failed", "basic-auth-withdrawn",
        "imap", "NO LOGIN failed.", OUTLOOK, "outlook.office365.com")
replied("outlook-criteria", "a rule of the company forbids this sign-in", "企业的规则不允许这次登录", "ms-smtp-criteria", "policy", "smtp",
        "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. "
        "Contact your administrator. [AM0PR04CA0001.EURPRD04.PROD.OUTLOOK.COM]", "alice@lab.test", "smtp.office365.com",
        mechanisms="LOGIN XOAUTH2")
replied("outlook-user-locked", "the company locked this user", "该用户被企业安全策略锁定", "ms-smtp-user-locked", "account-locked", "smtp",
        "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your "
        "administrator. [AM0PR04CA0001.EURPRD04.PROD.OUTLOOK.COM]", "alice@lab.test", "smtp.office365.com", mechanisms="LOGIN XOAUTH2")
replied("qq-authorization-code", "QQ Mail wants an authorization code", "QQ 邮箱要求授权码", "qq-need-auth-code", "app-password", "smtp",
        "535 Login Fail. Please enter your authorization code to login. More information in "
        "https://service.mail.qq.com/detail/0/53", "10001@qq.com", "smtp.qq.com", password=PASSWORD)
replied("qq-login-fail", "QQ Mail names five causes at once", "QQ 邮箱同时给出五种原因", "qq-login-fail-combined", "app-password", "imap",
        "NO Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is "
        "busy. More information at https://help.mail.qq.com/detail/108/1023", "10001@qq.com", "imap.qq.com")
replied("exmail-busy", "Tencent Exmail calls a wrong code \"system busy\"", "腾讯企业邮箱把错误的密码称为“系统繁忙”", "exmail-system-busy",
        "app-password", "smtp", "535 Error: authentication failed, system busy", "alice@lab.test", "smtp.exmail.qq.com")
replied("163-password", "163 Mail: name or password wrong", "163 邮箱：账号或密码错误", "netease-imap-login-or-password-error", "app-password",
        "imap", "NO LOGIN Login error or password error", "alice@163.com", "imap.163.com",
        greeting="* OK Coremail System IMap Server Ready(163com[10774b260cc7a37d26d71b52404dcf5c])")
replied("163-smtp-code", "163 Mail wants the authorization code for sending", "163 邮箱发信要求授权码", "netease-smtp-535-plain",
        "app-password", "smtp", "535 Error: authentication failed", "alice@163.com", "smtp.163.com")
replied("126-smtp-off", "sending is not opened at 126 Mail", "126 邮箱未开通 SMTP", "netease-smtp-550-no-permission", "protocol-off", "smtp",
        "550 User has no permission", "alice@126.com", "smtp.126.com")
replied("aliyun-526", "Aliyun mail: 526", "阿里邮箱：526", "aliyun-smtp-526", "app-password", "smtp", "526 Authentication failure[0]",
        "alice@lab.test", "smtp.qiye.aliyun.com")
replied("sina-off", "Sina: the protocol is not opened", "新浪邮箱：未开通协议", "cn-enable-protocol-first", "protocol-off", "pop3",
        "-ERR please enable mail protocol first", "alice@sina.com", "pop.sina.com")
replied("sohu-551", "Sohu wants a password of its own for programs", "搜狐邮箱要求独立密码", "cn-smtp-551-auth-error", "app-password", "smtp",
        "551 auth error", "alice@sohu.com", "smtp.sohu.com")
replied("139-imap-off", "IMAP is not opened", "未开通 IMAP", "cn-custom-imap-off", "protocol-off", "imap",
        "NO LOGIN fail, custom imap off", "alice@139.com", "imap.139.com")
replied("cn-too-frequent", "too many sign-ins, in Chinese", "登录过于频繁", "cn-login-too-frequent", "too-many-tries", "pop3",
        "-ERR 登录太频繁，请稍后再试", "10001@qq.com", "pop.qq.com")
replied("yahoo-app-password", "Yahoo: invalid credentials", "雅虎：凭据无效", "yahoo-imap-invalid-credentials", "app-password", "imap",
        "NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials", "alice@yahoo.com", "imap.mail.yahoo.com")
replied("icloud-app-password", "iCloud: authentication failed", "iCloud：验证失败", "icloud-auth-failed", "app-password", "imap",
        "NO [AUTHENTICATIONFAILED] Authentication Failed", "alice@icloud.com", "imap.mail.me.com", password="abcd-efgh-ijkl-mnop")
replied("zoho-imap-off", "IMAP is switched off at Zoho", "Zoho 未启用 IMAP", "zoho-imap-not-enabled", "protocol-off", "imap",
        "NO [ALERT] You are yet to enable IMAP for your account. Please contact your administrator (Failure)", "alice@zoho.com",
        "imap.zoho.com")
replied("yandex-imap-off", "Yandex: wrong, or IMAP is switched off", "Yandex：凭据无效或未启用 IMAP", "yandex-imap-disabled", "protocol-off",
        "imap", "NO [AUTHENTICATIONFAILED] LOGIN invalid credentials or IMAP is disabled", "alice@yandex.ru", "imap.yandex.com")
replied("mailru-app-password", "Mail.ru wants an app password", "Mail.ru 要求应用密码", "mailru-app-password", "app-password", "smtp",
        "535 5.7.0 NEOBHODIM parol prilozheniya https://help.mail.ru/mail/security/protection/external", "alice@mail.ru", "smtp.mail.ru")
replied("gmx-protocols-off", "GMX: invalid credentials, or programs are not allowed", "GMX：凭据无效或未允许邮件程序", "gmx-smtp-535",
        "app-password", "smtp", "535 Authentication credentials invalid", "alice@gmx.de", "mail.gmx.net")
replied("proton-bridge", "Proton's bridge wants its own password", "Proton Bridge 要求它自己的密码", "proton-bridge-password", "app-password",
        "imap", "NO incorrect login credentials")

replied("dovecot-wrong-password", "Dovecot: wrong password", "Dovecot：密码错误", "dovecot-auth-failed", "wrong-password", "imap",
        "NO [AUTHENTICATIONFAILED] Authentication failed.")
replied("courier-wrong-password", "Courier: wrong password", "Courier：密码错误", "courier-login-failed", "wrong-password", "imap",
        "NO Login failed.")
replied("cyrus-user-unknown", "Cyrus: no such user", "Cyrus：没有该用户", "cyrus-login-failed", "wrong-password", "imap",
        "NO Login failed: user not found")
replied("zimbra-wrong-password", "Zimbra: LOGIN failed", "Zimbra：登录失败", "zimbra-login-failed", "wrong-password", "imap", "NO LOGIN failed")
replied("hmailserver-wrong-password", "hMailServer: wrong password", "hMailServer：密码错误", "hmailserver-invalid", "wrong-password", "imap",
        "NO Invalid user name or password.")
replied("stalwart-too-many", "Stalwart: too many tries", "Stalwart：尝试次数过多", "stalwart-too-many", "too-many-tries", "imap",
        "* BYE Too many authentication attempts")
replied("max-connections", "Dovecot: too many connections of this user", "Dovecot：该用户连接过多", "dovecot-max-userip",
        "too-many-connections", "imap",
        "NO [LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)")
replied("account-suspended", "the account is suspended", "账号被暂停", "generic-account-suspended", "account-locked", "imap",
        "NO Your account has been suspended")
replied("account-expired", "the account has expired", "账号已到期", "netease-ent-user-expired", "account-ended", "imap", "NO ERR.LOGIN.USEREXP",
        "alice@lab.test", "imap.qiye.163.com")
replied("password-transition", "the password must be changed", "必须更改密码", "smtp-432-transition", "password-expired", "smtp",
        "432 4.7.12 A password transition is needed")
replied("second-factor", "a second step is demanded", "要求第二步验证", "netease-ent-need-2fa", "second-factor", "imap", "NO ACCOUNT.NEED2FA",
        "alice@lab.test", "imap.qiye.163.com")
replied("address-not-allowed", "this network address may not sign in", "该网络地址不允许登录", "netease-ent-ip-deny", "ip-not-allowed", "imap",
        "NO ERR.IM.LOGIN.IPDENY", "alice@lab.test", "imap.qiye.163.com")
replied("smtp-temporary-failure", "the sign-in service behind the server is away", "服务器的验证服务不可用", "smtp-postfix-454-lost",
        "server-trouble", "smtp", "454 4.7.0 Temporary authentication failure: Connection lost to authentication server")
replied("imap-unavailable", "the sign-in service is away for the moment", "验证服务暂时不可用", "dovecot-temp-fail", "server-trouble", "imap",
        "NO [UNAVAILABLE] Temporary authentication failure. [mail:2026-03-02 09:00:00]")
replied("unknown-words", "a refusal in words that nobody knows", "以未收录的说法拒绝登录", "signin-refused", "wrong-password", "imap",
        "NO gleep glorp")
replied("mechanism-too-weak", "the way of signing in is too weak for the server", "登录方式强度不足", "smtp-534-mech-weak", "mechanism", "smtp",
        "534 5.7.9 Authentication mechanism is too weak")


@state("user-without-domain", "the server wants only the part before the @", "服务器只要 @ 前面的部分", "input-username-with-domain", "name-form")
def _(bench):
    bench.args += ["--user", "alice@lab.test"]
    bench.smtp(users={"alice"}, replies={"refused": "550 email format login fail"})


@state("user-with-domain", "the server wants the whole address", "服务器要求完整地址", "signin-name-without-domain", "name-form")
def _(bench):
    bench.args += ["--user", "alice"]
    bench.pop3(users={"alice@lab.test"}, replies={"refused": "-ERR Please use full email address as user name"})


@state("sign-in-hangs", "the server takes the password and says nothing more", "服务器收到密码后不再应答", "signin-silent", "server-trouble",
       waits=True)
def _(bench):
    bench.imap(mechanisms="", replies={"LOGIN": lambda wire, tag, rest: wire.until_end()})


@state("sign-in-closed", "the connection is closed at the sign-in", "登录时连接被关闭", "signin-closed", "server-trouble")
def _(bench):
    bench.imap(mechanisms="", replies={"LOGIN": lambda wire, tag, rest: wire.reset()})


@state("plain-refused-login-works", "one form of signing in fails, the other works", "一种登录方式失败，另一种成功", "healthy")
def _(bench):
    def refuses(wire, tag, rest):
        wire.say(f"{tag} NO [CANNOT] Unsupported authentication mechanism")
    bench.imap(mechanisms="PLAIN", replies={"AUTHENTICATE": refuses})


@state("receiving-works-sending-refused", "IMAP signs in, SMTP refuses the same password", "收信正常，发信拒绝同一密码", "client-separate-smtp-password",
       "wrong-password")
def _(bench):
    bench.imap()
    bench.smtp(password="another", replies={"refused": "535 5.7.8 Authentication credentials invalid for this service"})
