#include "cli/reasons.h"

static const struct {
    const char *name;
    struct lang_text words;
} table[] = {
    {"ok", {{"signed in", "登录成功"}}},
    {"no-tls",
     {{"the connection was not encrypted: turn on SSL/TLS in the mail program",
       "连接没有加密：请在邮件程序中打开 SSL/TLS"}}},
    {"too-many-guesses",
     {{"too many different wrong passwords came from this network: it has to wait a while",
       "该网络输错了太多不同的密码，需要等待一会儿"}}},
    {"unknown-account",
     {{"there is no such account: the user name is the full address, such as alice@example.org",
       "没有这个账户：用户名应是完整的邮件地址，例如 alice@example.org"}}},
    {"slip",
     {{"a client password with a typing slip: type or paste it again",
       "客户端密码有输入错误：请重新输入或粘贴"}}},
    {"wrong-secret",
     {{"not a password of this account: make a new client password and put it into the mail program",
       "不是该账户的密码：请新建客户端密码并填入邮件程序"}}},
    {"mailbox-password",
     {{"this was the mailbox password, which opens no mail program: make a client password and use that",
       "填写的是邮箱密码，它不能用于邮件程序：请新建客户端密码并使用它"}}},
    {"revoked", {{"this client password was revoked: make a new one", "该客户端密码已被吊销：请新建一个"}}},
    {"locked",
     {{"the account is locked: letterlock account unlock opens it",
       "账户已锁定：可用 letterlock account unlock 解锁"}}},
    {"as-someone-else",
     {{"the program asked to act as another account", "邮件程序要求以其他账户的身份操作"}}},
    {"unknown-limit",
     {{"this client password has a limit that this release does not know: make a new one",
       "该客户端密码带有本版本不认识的限制：请新建一个"}}},
    {"expired", {{"this client password has expired: make a new one", "该客户端密码已过期：请新建一个"}}},
    {"door",
     {{"this client password is not meant for this protocol: letterlock client change --door allows it",
       "该客户端密码不适用于此协议：可用 letterlock client change --door 允许"}}},
    {"send-only",
     {{"this client password may only send: make one with --receive",
       "该客户端密码只能发信：请用 --receive 新建一个"}}},
    {"receive-only",
     {{"this client password may only receive: make one with --send",
       "该客户端密码只能收信：请用 --send 新建一个"}}},
    {"network",
     {{"this client password may not be used from this network: letterlock client show names its networks, "
       "and client change --network others",
       "该客户端密码不能在此网络使用：letterlock client show 列出允许的网段，client change --network "
       "可更改"}}},
    {"no-code",
     {{"the mailbox password opens this door only with the six digits of the authenticator behind it",
       "邮箱密码须在其后附上验证器的六位动态码才能用于此入口"}}},
    {"must-change",
     {{"the mailbox password is too old, or was set by somebody else: its owner must change it first",
       "邮箱密码已过期或由他人设置：须先由本人修改"}}},
    {"wrong-code",
     {{"the six digits behind the mailbox password were wrong, or had been used before",
       "邮箱密码后的六位动态码不正确，或已被使用过"}}},
    {"channel-binding",
     {{"the program sees another TLS connection than the server: somebody may be standing between",
       "邮件程序与服务器看到的 TLS 连接不同：中间可能有人"}}},
    {"canary",
     {{"a bait was used: whoever holds it has seen what nobody should see",
       "有人使用了诱饵密码：使用者看到了不应看到的东西"}}},
    {"frozen",
     {{"this client password did more than its budget allows and is frozen: look at it, then letterlock "
       "client thaw",
       "该客户端密码超出额度，已被冻结：查明后可用 letterlock client thaw 解冻"}}},
    {"rotation-due",
     {{"this client password is older than its rotation age: letterlock client rotate makes a new secret",
       "该客户端密码已到更换期限：可用 letterlock client rotate 更换"}}},
    {"hours",
     {{"this client password may not be used at this time: letterlock client show names its hours",
       "该客户端密码不能在此时间使用：letterlock client show 列出允许的时间"}}},
    {"abandoned",
     {{"the secret was right, but the program went away before it was told so",
       "密码正确，但邮件程序在收到答复前断开了连接"}}},
    {"unavailable", {{"a part of the server did not answer: try again", "服务器的一部分没有应答：请重试"}}},
    {"malformed",
     {{"the program broke the rules of signing in: it may be outdated",
       "邮件程序没有遵守登录规则：可能版本过旧"}}},
    {"unknown-recipient", {{"there is no such address here", "这里没有该地址"}}},
    {"foreign", {{"mail to other domains cannot be sent yet", "暂时还不能向其他域名发信"}}},
    {"quota", {{"the mailbox is full: delete mail, or raise the quota", "邮箱已满：请删除邮件或提高配额"}}},
    {"disk-full", {{"the server's disk is full", "服务器磁盘已满"}}},
    {"too-big", {{"the message is larger than message_size allows", "邮件超过 message_size 的限制"}}},
    {"loop", {{"the message runs in a circle between servers", "邮件在服务器之间循环"}}},
    {"sender", {{"the sender's address does not belong to this account", "发件人地址不属于该账户"}}},
    {"from",
     {{"its From or Sender is missing, unclear, or no address of this account",
       "邮件的 From 或 Sender 缺失、不清楚，或不是该账户的地址"}}},
    {"sender-limit",
     {{"this client password may not send as this address: letterlock client change --limit sender=... "
       "allows it, or use another client password",
       "该客户端密码不能以此地址发信：可用 letterlock client change --limit sender=... "
       "允许，或换用其他客户端密码"}}},
    {"from-limit",
     {{"this client password may not send as the address in its From or Sender: letterlock client change "
       "--limit sender=... allows it, or use another client password",
       "该客户端密码不能以邮件 From 或 Sender 中的地址发信：可用 letterlock client change --limit sender=... "
       "允许，或换用其他客户端密码"}}},
    {"recipient-limit",
     {{"this client password may not send to this recipient: letterlock client change --limit "
       "recipient=... allows it, or use another client password",
       "该客户端密码不能发给此收件人：可用 letterlock client change --limit recipient=... "
       "允许，或换用其他客户端密码"}}},
    {"budget",
     {{"this client password sent more than its budget allows and is frozen: look at it, then letterlock "
       "client thaw; client change --limit allows more",
       "该客户端密码发信超出额度，已被冻结：查明后可用 letterlock client thaw 解冻，client change --limit "
       "可提高额度"}}},
    {"header", {{"the header of the message is broken", "邮件头有误"}}},
    {"too-many-recipients",
     {{"it has more recipients than one message may have", "收件人数量超过一封邮件的上限"}}},
    {"needs-tls",
     {{"the program sends without encryption: turn on SSL/TLS or STARTTLS in it",
       "邮件程序没有加密就发信：请在其中打开 SSL/TLS 或 STARTTLS"}}},
    {"needs-sign-in",
     {{"the program sends without signing in: give it a user name and a client password for sending",
       "邮件程序没有登录就发信：请在发信设置中填写用户名和客户端密码"}}},
    {"too-slow", {{"the message came too slowly and was given up", "邮件传送过慢，已放弃"}}},
    {"utf8",
     {{"its header is in UTF-8, but the sending program did not say so (SMTPUTF8)",
       "邮件头使用 UTF-8，但发送程序没有声明（SMTPUTF8）"}}},
    {"long-line", {{"a line of the message is longer than mail allows", "邮件中有一行超过允许的长度"}}},
    {"nul", {{"the message has a NUL octet, which mail may not have", "邮件含有不允许的 NUL 字节"}}},
    {"malformed-message", {{"the message is broken", "邮件已损坏"}}},
    {"smuggling",
     {{"the message broke the rules of line ends (SMTP smuggling)", "邮件的换行不合规则（SMTP 走私）"}}},
};

struct slice reason_words(enum lang lang, struct slice reason)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (slice_eq(reason, slice_str(table[i].name)))
            return slice_str(table[i].words.in[lang]);
    return reason;
}

const char *reason_known(size_t i)
{
    return i < sizeof table / sizeof *table ? table[i].name : NULL;
}
