"""Other people's servers from their packages, and Letterlock: in order, and with faults of their own."""
from lab.states.book import state

TOWN = {"town": True}


def dovecot(name, en, zh, verdict, cause="none", user="alice", password=None, flags=(), **more):
    @state(name, en, zh, verdict, cause, **{**TOWN, **more})
    def build(bench):
        bench.address = f"{user}@dovecot.test"
        bench.password = password or bench.password
        bench.args += list(flags) or ["--imap", "imap.dovecot.test:993"]


dovecot("dovecot-postfix-healthy", "Dovecot and Postfix in order", "Dovecot 与 Postfix 一切正常", "healthy",
        flags=["--imap", "imap.dovecot.test:993", "--pop3", "pop3.dovecot.test:995", "--smtp", "smtp.postfix.test:465"])
dovecot("dovecot-starttls-healthy", "the same with STARTTLS", "同上，使用 STARTTLS", "healthy",
        flags=["--imap", "imap.dovecot.test:143", "--smtp", "smtp.postfix.test:587"])
dovecot("dovecot-real-wrong-password", "Dovecot: wrong password", "Dovecot：密码错误", "dovecot-auth-failed", "wrong-password",
        password="a-wrong-Password-71")
dovecot("dovecot-user-unknown", "Dovecot: no such user", "Dovecot：没有该用户", "dovecot-auth-failed", "wrong-password", user="nobody")
dovecot("dovecot-closed", "Dovecot: the administrator closed the account", "Dovecot：管理员停用了账号", "imap-code-contactadmin",
        "account-locked", user="closed")
dovecot("dovecot-elsewhere", "Dovecot: only other networks may sign in", "Dovecot：只允许其他网络登录", "dovecot-auth-failed",
        "wrong-password", user="elsewhere")
dovecot("dovecot-full", "Dovecot: the mailbox is full", "Dovecot：邮箱已满", "after-quota-full", "quota", user="full")
dovecot("dovecot-broken", "Dovecot: the mailbox cannot be opened", "Dovecot：无法打开邮箱", "imap-code-serverbug", "server-trouble",
        user="broken")
dovecot("postfix-port-25", "Postfix: the port for other servers", "Postfix：供其他服务器使用的端口", "smtp-no-auth-in-ehlo", "mechanism",
        flags=["--smtp", "smtp.postfix.test:25", "--tls", "starttls"])
dovecot("postfix-sender-not-owned", "Postfix: not this sender", "Postfix：不允许此发件人", "smtp-553-sender-not-owned", "sender",
        flags=["--smtp", "smtp.postfix.test:2525", "--tls", "implicit"])
dovecot("postfix-access-denied", "Postfix: this network address is refused", "Postfix：拒绝该网络地址", "smtp-client-host-rejected", "ip-not-allowed",
        flags=["--smtp", "smtp.postfix.test:2527", "--tls", "implicit"])


@state("courier-healthy", "Courier in order", "Courier 一切正常", "healthy", **TOWN)
def _(bench):
    bench.address = "alice@courier.test"
    bench.args += ["--imap", "imap.courier.test:993", "--pop3", "pop3.courier.test:995"]


@state("courier-starttls", "Courier with STARTTLS", "Courier 使用 STARTTLS", "healthy", **TOWN)
def _(bench):
    bench.address = "alice@courier.test"
    bench.args += ["--imap", "imap.courier.test:143", "--tls", "starttls"]


def letterlock(name, en, zh, verdict, cause="none", doors=("imaps", "submissions"), user="alice", **more):
    def keep(change=lambda bench: None):
        @state(name, en, zh, verdict, cause, **{**TOWN, **more})
        def build(bench):
            server = bench.town.letterlock
            account = server.accounts[user]
            bench.cabinet = bench.town  # whose authorities the doctor is told
            bench.address, bench.password = account.address, account.password
            for door in doors:
                service = {"i": "imap", "p": "pop3", "s": "smtp"}[door[0]]
                bench.give(service, server.hostname, server.ports[door])
            bench.args += ["--tls", "implicit" if doors[0].endswith("s") else "starttls"]
            change(bench)
        return build
    return keep


letterlock("letterlock-healthy", "Letterlock in order", "Letterlock 一切正常", "healthy", doors=("imaps", "pop3s", "submissions"))()
letterlock("letterlock-starttls", "Letterlock with STARTTLS", "Letterlock 使用 STARTTLS", "healthy",
           doors=("imap", "submission"))()


@letterlock("letterlock-client-password-slip", "a client password with one wrong letter", "客户端密码错了一个字母",
            "input-client-password-slip", "name-form", user="bob")
def _(bench):
    last = bench.password[-1]
    bench.password = bench.password[:-1] + ("x" if last != "x" else "w")


@letterlock("letterlock-mailbox-password", "the mailbox password in a mail program", "在邮件程序中使用了邮箱密码",
            "letterlock-mailbox-password", "app-password", user="bob", doors=("imaps",),
            alternative="imap-code-authenticationfailed")
def _(bench):
    bench.password = "the Mailbox password of bob 71"
