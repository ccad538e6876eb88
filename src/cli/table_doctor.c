/* table_doctor.c - the row of `letterlock doctor`. */
#include "cli/run.h"
#include "cli/table.h"

static const struct operand doctor_operands[] = {
    {"ADDRESS", VALUE_PASTE, NULL, true, false,
     SAYS(
         "the mail address, as the mail program has it; its servers are looked for",
         "邮件地址，与邮件程序中的一致；会据此查找服务器")},
    {NULL}};
static const struct flag doctor_flags[] = {
    {"password-file", VALUE_PATH, NULL, "FILE", false,
     SAYS(
         "its first line is the password; - reads standard input. Without this it is asked for",
         "密码为文件的第一行；“-”从标准输入读取。不给出时会提示输入")},
    {"token", VALUE_PATH, NULL, "FILE", false,
     SAYS(
         "its first line is an OAuth2 access token, which takes the password's place",
         "文件的第一行是 OAuth2 访问令牌，代替密码")},
    {"no-password", VALUE_NONE, NULL, NULL, false, SAYS("check all but the sign-in", "除登录外全部检查")},
    {"imap", VALUE_PASTE, NULL, "HOST[:PORT]", false,
     SAYS("the incoming server, as the mail program has it", "收信服务器，与邮件程序中的一致")},
    {"pop3", VALUE_PASTE, NULL, "HOST[:PORT]", false, SAYS("the same for POP3", "同上，用于 POP3")},
    {"smtp", VALUE_PASTE, NULL, "HOST[:PORT]", false,
     SAYS("the outgoing server, as the mail program has it", "发信服务器，与邮件程序中的一致")},
    {"tls", VALUE_CHOICE, "implicit starttls none", "HOW", false,
     SAYS(
         "how the given servers are to be spoken to: \"SSL/TLS\", \"STARTTLS\" or \"none\" of the mail "
         "program; found "
         "out unless given",
         "与指定服务器的加密方式，对应邮件程序中的“SSL/TLS”“STARTTLS”或“无”；不给出时自动判断")},
    {"user", VALUE_PASTE, NULL, "NAME", false,
     SAYS("the user name, where it is not the address", "用户名（与地址不同时）")},
    {"mechanism", VALUE_CHOICE,
     "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 SCRAM-SHA-256-PLUS OAUTHBEARER XOAUTH2 command", "NAME", false,
     SAYS(
         "sign in by this way alone, such as the one that the mail program uses; \"command\" is LOGIN of "
         "IMAP, "
         "USER and "
         "PASS of POP3",
         "只用此方式登录，例如邮件程序所用的方式；“command”指 IMAP 的 LOGIN、POP3 的 USER 和 PASS")},
    {"socks5", VALUE_TEXT, NULL, "HOST:PORT", false,
     SAYS(
         "go through this SOCKS5 proxy; it looks up the servers' names, too; an address's domain (SRV, MX) "
         "is looked up here, unless you name the servers",
         "经由此 SOCKS5 代理；服务器名称也由它解析；未指定服务器时，域名的记录（SRV、MX）仍在本机查询")},
    {"ca", VALUE_PATH, NULL, "FILE", false,
     SAYS(
         "a certificate authority (PEM) to be trusted besides those of the system",
         "除系统已有的之外，还信任此 CA 证书（PEM）")},
    {"dns", VALUE_TEXT, NULL, "SERVER[@PORT]", false, SAYS("ask this name server", "使用此 DNS 服务器")},
    {"dns-anchor", VALUE_PATH, NULL, "FILE", false,
     SAYS("trust anchors for DNSSEC, in place of the system's", "DNSSEC 信任锚，代替系统自带的")},
    {"patience", VALUE_NUMBER, NULL, "SECONDS", false,
     SAYS(
         "what one step with one server may take: 10 unless given",
         "每台服务器每个步骤最多等待的秒数，默认 10")},
    {"report", VALUE_PATH, NULL, "FILE.html", false,
     SAYS(
         "also write a report to be opened in a browser; it holds no password",
         "另外生成可在浏览器中打开的报告，其中不含密码")},
    {"settings", VALUE_CHOICE, "thunderbird neomutt mbsync msmtp apple", "PROGRAM", false,
     SAYS(
         "print the right settings for this mail program, without a password",
         "输出该邮件程序的正确设置，不含密码")},
    {"watch", VALUE_NONE, NULL, NULL, false,
     SAYS(
         "check again and again, and tell what has changed; never signs in again after a refusal",
         "反复检查并报告变化；登录被拒后不再尝试登录")},
    {"every", VALUE_DURATION, NULL, "TIME", false,
     SAYS("how often --watch looks: \"5 min\" unless given", "--watch 的间隔，默认“5 min”")},
    {"batch", VALUE_PATH, NULL, "FILE", false,
     SAYS(
         "check all addresses, domains and servers of a file, one a line, without signing in; - reads "
         "standard input",
         "检查文件中的所有地址、域名和服务器，每行一个，不登录；“-”从标准输入读取")},
    {"send-test", VALUE_NONE, NULL, NULL, false,
     SAYS("also send a test message from the address to itself", "另外从该地址给自己发一封测试邮件")},
    {"allow-clear", VALUE_NONE, NULL, NULL, false,
     SAYS(
         "the password may be sent where others on the way can read it; on a terminal it is asked for "
         "otherwise",
         "允许在途中他人可读的情况下发送密码；不给出时会在终端上询问")},
    {"why", VALUE_NONE, NULL, NULL, false,
     SAYS(
         "add what the Letterlock server on this machine knows about this address (\"letterlock why\")",
         "附上本机 Letterlock 服务器对该地址的记录（即“letterlock why”）")},
    {"explain", VALUE_PASTE, NULL, "TEXT", false,
     SAYS(
         "what this error text or error number of a mail server or program means; - reads standard input. "
         "Contacts nobody",
         "解释邮件服务器或邮件程序的这段报错或错误代码；“-”从标准输入读取。不联系任何人")},
    {"knowledge", VALUE_PATH, NULL, "FILE", true,
     SAYS("further diagnoses, as docs/doctor.md describes them", "补充的诊断资料，格式见 docs/doctor.md")},
    {NULL}};
static const struct example doctor_examples[] = {
    EXAMPLE(
        "letterlock doctor alice@example.org", "asks for the password, then checks everything",
        "提示输入密码，然后全部检查"),
    EXAMPLE(
        "letterlock doctor alice@example.org --imap mail.example.org:993 --tls implicit",
        "with what the mail program has", "按邮件程序中的设置"),
    EXAMPLE(
        "letterlock doctor alice@example.org --no-password --report report.html",
        "as a page for the help desk", "生成可交给技术支持的网页"),
    EXAMPLE(
        "letterlock doctor alice@example.org --settings thunderbird", "what to type into Thunderbird",
        "Thunderbird 中应填写的内容"),
    EXAMPLE("letterlock doctor --batch servers.txt --json", "a line of JSON for each", "每个结果一行 JSON"),
    EXAMPLE(
        "letterlock doctor --explain \"535 5.7.8 Username and Password not accepted\"",
        "what the mail program showed", "邮件程序显示的内容"),
    EXAMPLE("letterlock doctor --explain 0x800CCC0E", "an error number of Outlook", "Outlook 的错误代码"),
    {NULL}};

static const struct command rows[] = {
    {"doctor", NEED_NOTHING, true,
     SAYS(
         "find out why a mail program cannot sign in, at any server",
         "查明邮件程序为何无法登录，适用于任何服务器"),
     SAYS(
         "Does what a mail program does, step by step: looks at the password as typed, finds the servers, "
         "connects, looks "
         "at encryption and certificates, signs in, opens the inbox, and gets ready to send. Then tells in "
         "one "
         "sentence "
         "what is wrong, what proves it and what to do. Needs no Letterlock. The password is sent to "
         "verified "
         "servers only, "
         "is shown nowhere, and after a server called it wrong it is not tried again. No mail is sent unless "
         "--send-test is "
         "given. Ends with 0 when all is well, with 1 when something is wrong (--explain: when nothing is "
         "known "
         "about the text).",
         "像邮件程序那样逐步操作：查看输入的密码，查找服务器，连接，检查加密和证书，登录，打开收件箱，准备发"
         "信。"
         "然后用一句话说明问题所在、依据和解决办法。不需要 "
         "Letterlock。密码只发给通过验证的服务器，不会显示在任何地方；"
         "服务器说密码错误后不再尝试。除非给出 --send-test，否则不发送邮件。一切正常时退出码为 0，有问题时为 "
         "1"
         "（--explain：没有资料时为 1）。"),
     doctor_operands, doctor_flags, doctor_examples, run_doctor},
};

const struct command_part command_doctor_part = {rows, sizeof rows / sizeof *rows};
