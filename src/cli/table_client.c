/* table_client.c - the rows of client passwords and tokens. */
#include "cli/run.h"
#include "cli/table.h"

/* ------------------------------------------------------------------------------------------- what several rows have */

static const struct operand account_operands[] = {
    OPERAND_ADDRESS("the account's address", "账户地址"), {NULL}};
static const struct operand new_operands[] = {
    OPERAND_ADDRESS("whose mail program", "谁的邮件程序"),
    OPERAND("LABEL", VALUE_TEXT, "what you call it: \"phone\"", "您给它起的名字，如“手机”"),
    {NULL}};
static const struct operand one_operands[] = {
    OPERAND_ADDRESS("the account", "账户"),
    OPERAND("ID", VALUE_NUMBER, "its number in the list", "它在列表中的编号"),
    {NULL}};

#define FLAG_RECEIVE FLAG("receive", "may read mail (IMAP, POP3)", "可以收信（IMAP、POP3）")
#define FLAG_SEND FLAG("send", "may send mail", "可以发信")
#define FLAG_DOOR                                                                                            \
    {                                                                                                        \
        "door", VALUE_CHOICE, "imap pop3 smtp api", "DOOR", true,                                            \
            SAYS("only for this protocol", "仅限此协议")                                                     \
    }
#define FLAG_EXPIRES                                                                                         \
    {                                                                                                        \
        "expires", VALUE_MOMENT, NULL, "WHEN", false,                                                        \
            SAYS("good until then: \"90 d\", 2030-01-31", "有效期至：“90 d”、2030-01-31")                    \
    }
#define FLAG_NETWORK                                                                                         \
    {                                                                                                        \
        "network", VALUE_NETWORKS, NULL, "NETWORKS", true,                                                   \
            SAYS("good from these networks only", "只能从这些网段使用")                                      \
    }
#define FLAG_LIMIT                                                                                           \
    {                                                                                                        \
        "limit", VALUE_LIMIT, NULL, "NAME=VALUE", true,                                                      \
            SAYS("what it may not do; the names stand below", "限制其用途；名称见下")                        \
    }
#define FLAG_CANARY                                                                                          \
    FLAG(                                                                                                    \
        "canary", "a bait: opens nothing, and its first use raises an alarm",                                \
        "诱饵：不能登录，一被使用就报警")
#define FLAG_QR FLAG("qr", "show the secret also as a QR code", "同时以二维码显示")
#define FLAGS_FILES                                                                                          \
    {"mobileconfig",                                                                                         \
     VALUE_PATH,                                                                                             \
     NULL,                                                                                                   \
     "FILE",                                                                                                 \
     false,                                                                                                  \
     SAYS(                                                                                                   \
         "write a profile for iPhone, iPad and Mac, with the password in it",                                \
         "写出 iPhone、iPad、Mac 的描述文件，内含密码")},                                                    \
        {"sheet",                                                                                            \
         VALUE_PATH,                                                                                         \
         NULL,                                                                                               \
         "FILE",                                                                                             \
         false,                                                                                              \
         SAYS(                                                                                               \
             "write a page to print for Outlook, Thunderbird and others (HTML), with the password in it",    \
             "写出可打印的设置说明（HTML，供 Outlook、Thunderbird 等），内含密码")},                         \
    {                                                                                                        \
        "autoconfig", VALUE_PATH, NULL, "FILE", false,                                                       \
            SAYS(                                                                                            \
                "write Thunderbird's automatic configuration (XML), without the password",                   \
                "写出 Thunderbird 自动配置文件（XML），不含密码")                                            \
    }

/* ------------------------------------------------------------------------------------------------ client passwords */

static const struct flag client_add_flags[] = {
    FLAG_RECEIVE,
    FLAG_SEND,
    FLAG_DOOR,
    FLAG_LIMIT,
    FLAG_NETWORK,
    FLAG_EXPIRES,
    FLAG("cram-md5", "keep what CRAM-MD5 needs, for an old device", "保存 CRAM-MD5 所需内容，供老旧设备使用"),
    FLAG_CANARY,
    {"certificate", VALUE_PATH, NULL, "FILE", false,
     SAYS("no password: this client certificate (PEM) signs in", "不用密码：凭此客户端证书（PEM）登录")},
    FLAG_QR,
    FLAGS_FILES,
    {NULL}};
static const struct flag client_change_flags[] = {
    {"label", VALUE_TEXT, NULL, "LABEL", false, SAYS("another name", "新的名称")},
    FLAG_RECEIVE,
    FLAG_SEND,
    FLAG_DOOR,
    FLAG_LIMIT,
    {"no-limit", VALUE_TEXT, NULL, "NAME", true,
     SAYS("take the limits of this name away; \"all\": every one", "去掉此名称的限制；“all”表示全部")},
    FLAG_NETWORK,
    FLAG_EXPIRES,
    FLAG("no-expiry", "good for ever", "永久有效"),
    {NULL}};
static const struct flag client_rotate_flags[] = {
    {"grace", VALUE_DURATION, NULL, "TIME", false,
     SAYS(
         "how long the old secret still opens: \"24 h\"; else not at all",
         "旧密码继续有效的时间：“24 h”；默认立即失效")},
    FLAG_QR,
    FLAGS_FILES,
    {NULL}};
static const struct flag client_test_flags[] = {
    {"door", VALUE_CHOICE, "imap pop3 smtp submission", "DOOR", false,
     SAYS("for which it is tested; else imap", "测试的入口；默认 imap")},
    {NULL}};
static const struct operand audit_operands[] = {
    {"DOMAIN", VALUE_TEXT, NULL, true, false,
     SAYS("only of this domain, or of this address", "只看该域名或该地址")},
    {NULL}};
static const struct flag audit_flags[] = {
    FLAG("stale", "only those that were not used for a long time, or never", "只列出长期未用或从未使用的"),
    FLAG("wide", "only those that open more than a mail program needs", "只列出权限过宽的"),
    {NULL}};

static const struct example client_add_examples[] = {
    EXAMPLE(
        "letterlock client add alice@example.org phone",
        "a password for one program, shown once; it may receive and send",
        "给一个程序用的密码，只显示一次；可收可发"),
    EXAMPLE(
        "letterlock client add alice@example.org phone --qr --mobileconfig alice.mobileconfig",
        "and a QR code, and a profile for an iPhone", "并显示二维码，写出 iPhone 描述文件"),
    EXAMPLE(
        "letterlock client add alice@example.org scanner --send --network 192.0.2.0/24",
        "a device that only sends, from the office", "只发信的办公室设备"),
    EXAMPLE(
        "letterlock client add alice@example.org backup --door imap --limit access=read-only --limit days=30",
        "reads the mail of the last 30 days, changes nothing", "只读取最近 30 天的邮件，不做改动"),
    {NULL}};
static const struct example client_change_examples[] = {
    EXAMPLE(
        "letterlock client change alice@example.org 3 --limit messages-day=50",
        "one limit more; its open sessions end, so that it holds at once",
        "增加一项限制；现有会话立即结束，因此马上生效"),
    EXAMPLE(
        "letterlock client change alice@example.org 3 --no-limit network --expires \"90 d\"",
        "from everywhere again, for 90 days", "取消网段限制，有效期 90 天"),
    {NULL}};
static const struct example client_rotate_examples[] = {
    EXAMPLE(
        "letterlock client rotate alice@example.org 3 --grace \"24 h\"",
        "a new password; the old one opens one day longer", "换新密码；旧密码再用一天"),
    {NULL}};
static const struct example client_thaw_examples[] = {
    EXAMPLE(
        "letterlock client thaw alice@example.org 3", "after you have seen why it was frozen",
        "请先查明被冻结的原因"),
    {NULL}};
static const struct example client_list_examples[] = {
    EXAMPLE(
        "letterlock client list alice@example.org", "when and from where each was last used",
        "各自最近何时何地使用过"),
    {NULL}};
static const struct example client_show_examples[] = {
    EXAMPLE_PLAIN("letterlock client show alice@example.org 3"), {NULL}};
static const struct example client_revoke_examples[] = {
    EXAMPLE(
        "letterlock client revoke alice@example.org 3", "the lost phone is signed out at once",
        "丢失的手机立即退出登录"),
    {NULL}};
static const struct example client_remove_examples[] = {
    EXAMPLE(
        "letterlock client remove alice@example.org 3", "and forgets that it ever was", "并且不再留存记录"),
    {NULL}};
static const struct example client_test_examples[] = {
    EXAMPLE(
        "letterlock client test alice@example.org --door smtp",
        "asks for the password as it stands in the program", "询问邮件程序里填写的密码"),
    {NULL}};
static const struct example client_audit_examples[] = {
    EXAMPLE(
        "letterlock client audit example.org", "the most dangerous ones come first", "风险最高的排在最前"),
    EXAMPLE(
        "letterlock client audit --stale --json", "what could be revoked, for a program",
        "可以吊销的，供程序使用"),
    {NULL}};

/* ---------------------------------------------------------------------------------------------------------- tokens */

static const struct flag token_add_flags[] = {FLAG_RECEIVE, FLAG_SEND,   FLAG_DOOR, FLAG_LIMIT, FLAG_NETWORK,
                                              FLAG_EXPIRES, FLAG_CANARY, FLAG_QR,   {NULL}};
static const struct example token_add_examples[] = {
    EXAMPLE(
        "letterlock token add alice@example.org newsletter --send --limit messages-hour=100 --expires \"30 "
        "d\"",
        "for a program that signs in with OAUTHBEARER or XOAUTH2", "供使用 OAUTHBEARER 或 XOAUTH2 的程序"),
    {NULL}};
static const struct example token_list_examples[] = {
    EXAMPLE_PLAIN("letterlock token list alice@example.org"), {NULL}};
static const struct example token_revoke_examples[] = {
    EXAMPLE_PLAIN("letterlock token revoke alice@example.org 7"), {NULL}};

/* ------------------------------------------------------------------------------------------------------------ rows */

static const struct command rows[] = {
    {"client add", NEED_VAULT, false, SAYS("make a password for a mail program", "为邮件程序生成密码"),
     SAYS(
         "Shown once, together with the settings that the mail program asks for. Without --receive and "
         "--send it may do both. Each --limit narrows what it may do; limits are obeyed by the server, "
         "whatever the program tries. Files are made readable for you alone and replace nothing.",
         "只显示一次，并附上邮件程序所需的设置。不写 --receive 和 --send 时两者皆可。每个 --limit "
         "都进一步限制其用途；限制由服务器执行，与邮件程序无关。写出的文件仅您本人可读，且不覆盖已有文件。"),
     new_operands, client_add_flags, client_add_examples, run_client_add},
    {"client change", NEED_VAULT, false, SAYS("change what a client password may do", "更改客户端密码的用途"),
     SAYS(
         "What is not named stays as it was; a --limit replaces the limits of the same name. The password "
         "itself stays the same. Its open sessions end at once, so that the change holds from now on.",
         "未提到的保持不变；--limit 会替换同名的限制。密码本身不变。其现有会话立即结束，因此更改马上生效。"),
     one_operands, client_change_flags, client_change_examples, run_client_change},
    {"client rotate", NEED_VAULT, false, SAYS("replace the secret of a client password", "更换客户端密码"),
     SAYS(
         "A new password under the same name and the same limits. Shown once.",
         "名称和限制不变，密码换新。只显示一次。"),
     one_operands, client_rotate_flags, client_rotate_examples, run_client_rotate},
    {"client thaw", NEED_VAULT, false, SAYS("let a frozen client password work again", "解冻客户端密码"),
     SAYS(
         "A client password that uses more than its budget is frozen. Look first why: letterlock why "
         "ADDRESS.",
         "客户端密码超出限额时会被冻结。请先查明原因：letterlock why ADDRESS。"),
     one_operands, NULL, client_thaw_examples, run_client_thaw},
    {"client list", NEED_VAULT, false,
     SAYS("list the client passwords of an account", "列出账户的客户端密码"),
     SAYS("The passwords themselves are not kept and cannot be shown.", "密码本身不保存，无法显示。"),
     account_operands, NULL, client_list_examples, run_client_list},
    {"client show", NEED_VAULT, false,
     SAYS("show what is known of a client password", "显示某客户端密码的信息"), SAYS("", ""), one_operands,
     NULL, client_show_examples, run_client_show},
    {"client revoke", NEED_VAULT, false, SAYS("end a client password", "吊销客户端密码"),
     SAYS(
         "Its open sessions end at once. It stays in the list, so that later tries can be explained.",
         "其会话立即结束。它仍留在列表中，以便解释之后的尝试。"),
     one_operands, NULL, client_revoke_examples, run_client_revoke},
    {"client remove", NEED_VAULT, false, SAYS("forget a client password", "删除客户端密码的记录"),
     SAYS("Ends it like revoke, and takes it out of the list.", "与吊销相同，并从列表中删除。"), one_operands,
     NULL, client_remove_examples, run_client_remove},
    {"client test", NEED_VAULT, true,
     SAYS("tell whether a password would be accepted", "测试某密码是否会被接受"),
     SAYS(
         "Asks for the password, or reads it from standard input, and says what the server would decide and "
         "why. Changes nothing and counts as no attempt. Networks are not looked at: nobody is connected. "
         "Ends with 1 when "
         "the answer is no.",
         "询问密码（或从标准输入读取），说明服务器会如何判定及原因。不做改动，也不计为一次尝试。不检查网段限"
         "制，因为没有真正的连接。答案为否时退"
         "出码为 1。"),
     account_operands, client_test_flags, client_test_examples, run_client_test},
    {"client audit", NEED_VAULT, false,
     SAYS("tell what each secret could do if it leaked", "说明每个密码一旦泄露会有什么后果"),
     SAYS(
         "The risk goes from 0 (nothing) to 100 (everything, for ever, from anywhere). Ends with 1 when "
         "something is wide, stale, never used, over age or frozen, and with 0 when there is nothing to do.",
         "风险从 0（没有）到 "
         "100（一切，永久，任何地方）。有权限过宽、长期未用、从未使用、超龄或被冻结的密码时退出码为 "
         "1，无事可做时为 0。"),
     audit_operands, audit_flags, client_audit_examples, run_client_audit},
    {"token add", NEED_VAULT, false, SAYS("make a token for a program", "为程序生成令牌"),
     SAYS(
         "For programs that sign in with OAUTHBEARER or XOAUTH2. It is limited and revoked like a client "
         "password. Shown once.",
         "供使用 OAUTHBEARER 或 XOAUTH2 登录的程序。限制和吊销方式与客户端密码相同。只显示一次。"),
     new_operands, token_add_flags, token_add_examples, run_token_add},
    {"token list", NEED_VAULT, false, SAYS("list the tokens of an account", "列出账户的令牌"), SAYS("", ""),
     account_operands, NULL, token_list_examples, run_token_list},
    {"token revoke", NEED_VAULT, false, SAYS("end a token", "吊销令牌"),
     SAYS("Its open sessions end at once.", "其会话立即结束。"), one_operands, NULL, token_revoke_examples,
     run_token_revoke},
};
const struct command_part command_client_part = {rows, sizeof rows / sizeof *rows};
