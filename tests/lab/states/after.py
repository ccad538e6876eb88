"""After the sign-in: the inbox, the quota, and whether mail may be sent."""
from lab.laboratory import DOMAIN
from lab.states.book import state


def mailbox(name, en, zh, verdict, cause, service="imap", address=f"alice@{DOMAIN}", host=None, password=None, **speaks):
    @state(name, en, zh, verdict, cause)
    def build(bench):
        bench.address = address
        if password:
            bench.password = speaks["password"] = password
        bench.serve(service, host=host, **speaks)


UNSAFE = "NO SELECT Unsafe Login. Please contact kefu@188.com for help"
mailbox("inbox-refused", "the sign-in works, the inbox stays shut", "登录成功，但收件箱打不开", "after-inbox-refused", "policy",
        replies={"SELECT": "NO You may not open this", "EXAMINE": "NO You may not open this"})
mailbox("inbox-missing", "the account has no inbox", "账号没有收件箱", "after-inbox-missing", "server-trouble",
        replies={"SELECT": "NO [NONEXISTENT] Mailbox does not exist", "EXAMINE": "NO [NONEXISTENT] Mailbox does not exist"})
mailbox("163-unsafe-login", "NetEase opens the inbox only to programs that say who they are", "网易只允许表明身份的程序打开收件箱",
        "netease-imap-id-required", "id-required", address="alice@163.com", host="imap.163.com", password="QWZKMVNRTPLXHGFD",
        capability="IMAP4rev1 ID IDLE", replies={"SELECT": UNSAFE, "EXAMINE": UNSAFE})
mailbox("quota-full", "the mailbox is full", "邮箱已满", "after-quota-full", "quota",
        replies={"GETQUOTAROOT": '* QUOTAROOT INBOX ""\n* QUOTA "" (STORAGE 100000 100000)\nOK done'})
mailbox("inbox-locked", "another program holds the POP3 mailbox", "另一程序占用了 POP3 邮箱", "pop3-code-in-use", "server-trouble",
        service="pop3", replies={"refused": "-ERR [IN-USE] Mailbox is locked by another POP3 session"}, password=None, users=set())
mailbox("server-bug", "the server stumbles over the inbox", "服务器打开收件箱时出错", "imap-code-serverbug", "server-trouble",
        replies={"SELECT": "NO [SERVERBUG] Internal error occurred. Refer to server log for more information.",
                 "EXAMINE": "NO [SERVERBUG] Internal error occurred. Refer to server log for more information."})
mailbox("after-flood", "after the sign-in lines without end", "登录后数据没完没了", "after-flood", "protocol-fault",
        replies={"SELECT": lambda wire, tag, rest: pour(wire), "EXAMINE": lambda wire, tag, rest: pour(wire)})
mailbox("after-closed", "closed right behind the sign-in", "登录后立即断开", "after-closed", "too-many-connections",
        replies={"SELECT": lambda wire, tag, rest: wire.reset(), "EXAMINE": lambda wire, tag, rest: wire.reset()})
mailbox("literal-bait", "a literal of a million million octets", "声称有一万亿字节的数据", "after-flood", "protocol-fault",
        replies={"FETCH": lambda wire, tag, rest: (wire.send(b"* 3 FETCH (BODY[] {1099511627776}\r\n"), pour(wire))})


def pour(wire):
    while True:
        wire.send(b"* OK more and more of the same\r\n" * 1000)


@state("inbox-silent", "the sign-in works, then silence", "登录成功后服务器沉默", "after-silent", "server-trouble", waits=True)
def _(bench):
    hang = lambda wire, tag, rest: wire.until_end()  # noqa: E731
    bench.imap(replies={"SELECT": hang, "EXAMINE": hang})


def sending(name, en, zh, verdict, cause, **replies):
    @state(name, en, zh, verdict, cause)
    def build(bench):
        bench.smtp(replies=replies)


sending("sender-not-owned", "the account may not send from this address", "该账号不能用此地址发信", "smtp-553-sender-not-owned", "sender",
        MAIL="553 5.7.1 <alice@lab.test>: Sender address rejected: not owned by user alice@lab.test")
sending("relay-denied", "the server does not pass mail on", "服务器拒绝转发", "smtp-550-relay-denied", "not-signed-in",
        RCPT="554 5.7.1 <alice@lab.test>: Relay access denied")
sending("recipient-refused", "mail to one's own address is refused", "服务器拒收发给自己的邮件", "smtp-550-user-unknown", "recipient",
        RCPT="550 5.1.1 <alice@lab.test>: Recipient address rejected: User unknown in virtual mailbox table")
sending("sending-limit", "the day's number of messages is reached", "达到每日发信限额", "gmail-smtp-daily-limit", "send-limit",
        MAIL="550 5.4.5 Daily user sending limit exceeded. For more information on Gmail")
sending("sending-over-quota", "the sender's mailbox is full", "发件人邮箱已满", "smtp-552-mailbox-full", "quota",
        MAIL="552 5.2.2 Mailbox full")


@state("healthy-scripted", "IMAP, POP3 and sending, all in order", "收信发信一切正常", "healthy")
def _(bench):
    bench.imap()
    bench.pop3()
    bench.smtp()


@state("no-password-given", "all but the sign-in, without a password", "未给出密码，除登录外全部正常", "no-password")
def _(bench):
    bench.password = None
    bench.imap()
    bench.smtp()
