/* table.c - the commands of letterlock. What each does is in the file that its `run` is in. */
#include "cli/command.h"
#include "cli/run.h"

const struct flag common_flags[] = {
    {"dir",
     VALUE_FOLDER,
     NULL,
     "DIR",
     false,
     {{"the server's folder; else the variable LETTERLOCK_DIR, else /var/lib/letterlock",
       "服务器目录；默认取环境变量 LETTERLOCK_DIR，再默认 /var/lib/letterlock"}}},
    {"json", VALUE_NONE, NULL, NULL, false, {{"print JSON for programs", "输出 JSON，供程序使用"}}},
    {"lang",
     VALUE_CHOICE,
     "en zh",
     "LANG",
     false,
     {{"speak English or Chinese; else what LC_ALL, LC_MESSAGES or LANG say",
       "使用英文或中文；默认取 LC_ALL、LC_MESSAGES 或 LANG"}}},
    {"help", VALUE_NONE, NULL, NULL, false, {{"show how the command is used", "显示用法"}}},
    {NULL},
};

#define FLAG_YES                                                                                             \
    {                                                                                                        \
        "yes", VALUE_NONE, NULL, NULL, false,                                                                \
        {                                                                                                    \
            {                                                                                                \
                "ask nothing", "不再询问"                                                                \
            }                                                                                                \
        }                                                                                                    \
    }
#define FLAG_NO_PASSWORD                                                                                     \
    {                                                                                                        \
        "no-password", VALUE_NONE, NULL, NULL, false,                                                        \
        {                                                                                                    \
            {                                                                                                \
                "set no mailbox password now", "暂不设置邮箱密码"                                    \
            }                                                                                                \
        }                                                                                                    \
    }
#define OPERAND_ADDRESS(says_en, says_zh)                                                                    \
    {                                                                                                        \
        "ADDRESS", VALUE_ADDRESS, NULL, false, false,                                                        \
        {                                                                                                    \
            {                                                                                                \
                says_en, says_zh                                                                             \
            }                                                                                                \
        }                                                                                                    \
    }
#define OPERAND_ID                                                                                           \
    {                                                                                                        \
        "ID", VALUE_NUMBER, NULL, false, false,                                                              \
        {                                                                                                    \
            {                                                                                                \
                "its number in \"client list\"", "它在“client list”中的编号"                       \
            }                                                                                                \
        }                                                                                                    \
    }

/* ------------------------------------------------------------------------------------------------ the server */

static const struct operand init_operands[] = {
    {"DIR",
     VALUE_FOLDER,
     NULL,
     true,
     false,
     {{"the folder to make, or to complete; default as for --dir", "要创建或补全的目录；默认同 --dir"}}},
    {NULL}};
static const struct flag init_flags[] = {
    {"hostname",
     VALUE_HOSTNAME,
     NULL,
     "NAME",
     false,
     {{"the full name of this server, such as mail.example.org",
       "本服务器的完整域名，例如 mail.example.org"}}},
    {"domain", VALUE_DOMAIN, NULL, "DOMAIN", false, {{"the first mail domain", "第一个邮件域名"}}},
    {"admin", VALUE_ADDRESS, NULL, "ADDRESS", false, {{"the first account", "第一个账户"}}},
    FLAG_NO_PASSWORD,
    {"ports",
     VALUE_TEXT,
     NULL,
     "PORTS",
     false,
     {{"standard (25, 465, ...), high (2025, 2465, ...: no root needed), or a number added to the standard "
       "ones",
       "standard（25、465 等）、high（2025、2465 等，不需要 root），或一个加在标准端口上的数"}}},
    {"certificate",
     VALUE_PATH,
     NULL,
     "FILE",
     false,
     {{"a certificate chain of your own (PEM); else a private authority makes one",
       "自备证书链（PEM）；否则由私有 CA 生成"}}},
    {"key", VALUE_PATH, NULL, "FILE", false, {{"its key (PEM)", "其私钥（PEM）"}}},
    {"name", VALUE_HOSTNAME, NULL, "NAME", true, {{"one more name for the certificate", "证书中另加的域名"}}},
    FLAG_YES,
    {NULL}};
static const struct example init_examples[] = {
    {"letterlock init /srv/mail", {{"asks what it needs to know", "询问所需的信息"}}},
    {"letterlock init /srv/mail --hostname mail.example.org --domain example.org --admin alice@example.org",
     {{"asks only for the password of alice", "只询问 alice 的密码"}}},
    {"letterlock init ./demo --hostname mail.demo.test --domain demo.test --ports high --yes",
     {{"asks nothing and needs no root", "什么都不问，也不需要 root"}}},
    {NULL}};

static const struct operand dir_operands[] = {
    {"DIR",
     VALUE_FOLDER,
     NULL,
     true,
     false,
     {{"the server's folder; default as for --dir", "服务器目录；默认同 --dir"}}},
    {NULL}};
static const struct example serve_examples[] = {
    {"letterlock serve /srv/mail",
     {{"runs until it gets SIGTERM or Ctrl-C", "运行直到收到 SIGTERM 或 Ctrl-C"}}},
    {NULL}};
static const struct example check_examples[] = {
    {"letterlock check /srv/mail", {{"everything that is wrong, with its remedy", "列出所有问题及解决办法"}}},
    {"letterlock check --json", {{"the same for programs", "同上，供程序使用"}}},
    {NULL}};
static const struct example status_examples[] = {
    {"letterlock status",
     {{"processes, listeners, sessions and what they wait for", "进程、监听、会话及其等待的事项"}}},
    {NULL}};
static const struct operand backup_operands[] = {
    {"DEST", VALUE_PATH, NULL, false, false, {{"a folder that does not exist yet", "尚不存在的目录"}}},
    {NULL}};
static const struct flag backup_flags[] = {
    {"no-keys",
     VALUE_NONE,
     NULL,
     NULL,
     false,
     {{"leave out the vault's keys, for those who keep them elsewhere", "不包含保险库的密钥（另行保管时）"}}},
    {NULL}};
static const struct example backup_examples[] = {
    {"letterlock backup /backup/mail-2027-01-31", {{"while the server runs", "服务器运行时"}}},
    {"cp -a /backup/mail-2027-01-31 /srv/mail",
     {{"restores it, with the server stopped", "在服务器停止时恢复"}}},
    {NULL}};
static const struct example limits_examples[] = {
    {"letterlock limits --json", {{"what tests and other programs read", "供测试和其他程序读取"}}}, {NULL}};
static const struct example version_examples[] = {{"letterlock version", {{"", ""}}}, {NULL}};

/* ----------------------------------------------------------------------------------------- domains and accounts */

static const struct operand domain_operands[] = {
    {"NAME", VALUE_DOMAIN, NULL, false, false, {{"the domain", "域名"}}}, {NULL}};
static const struct operand domain_filter[] = {
    {"DOMAIN", VALUE_DOMAIN, NULL, true, false, {{"only of this domain", "只列出该域名"}}}, {NULL}};
static const struct flag yes_flags[] = {FLAG_YES, {NULL}};
static const struct example domain_add_examples[] = {
    {"letterlock domain add example.org",
     {{"mail to example.org is taken from now on", "从此接收寄往 example.org 的邮件"}}},
    {NULL}};
static const struct example domain_list_examples[] = {{"letterlock domain list", {{"", ""}}}, {NULL}};
static const struct example domain_remove_examples[] = {
    {"letterlock domain remove example.org",
     {{"once it has no accounts and aliases", "须先删除其账户和别名"}}},
    {NULL}};

static const struct operand account_operands[] = {
    OPERAND_ADDRESS("the account's address", "账户地址"), {NULL}};
static const struct flag account_add_flags[] = {
    {"name", VALUE_TEXT, NULL, "NAME", false, {{"the person's name", "姓名"}}},
    {"language",
     VALUE_CHOICE,
     "en zh",
     "LANG",
     false,
     {{"the language for this person", "该用户使用的语言"}}},
    {"quota",
     VALUE_SIZE,
     NULL,
     "SIZE",
     false,
     {{"space for mail; else quota_default", "邮件空间；默认取 quota_default"}}},
    FLAG_NO_PASSWORD,
    {NULL}};
static const struct example account_add_examples[] = {
    {"letterlock account add alice@example.org --name \"Alice Smith\"",
     {{"asks for the mailbox password", "询问邮箱密码"}}},
    {"letterlock account add bob@example.org --no-password --quota \"5 GiB\"",
     {{"no password yet", "暂不设密码"}}},
    {"letterlock account add carol@example.org < password-file",
     {{"the first line is the password", "第一行是密码"}}},
    {NULL}};
static const struct example account_list_examples[] = {
    {"letterlock account list example.org", {{"", ""}}},
    {"letterlock account list --json", {{"", ""}}},
    {NULL}};
static const struct example account_show_examples[] = {
    {"letterlock account show alice@example.org", {{"", ""}}}, {NULL}};
static const struct example account_remove_examples[] = {
    {"letterlock account remove alice@example.org",
     {{"asks first: the mail is deleted, too", "会先确认：邮件一并删除"}}},
    {NULL}};
static const struct example account_password_examples[] = {
    {"letterlock account password alice@example.org",
     {{"asks for the new mailbox password", "询问新的邮箱密码"}}},
    {NULL}};
static const struct example account_lock_examples[] = {
    {"letterlock account lock alice@example.org",
     {{"mail still arrives; nobody can sign in", "仍可收信，但无法登录"}}},
    {NULL}};
static const struct example account_unlock_examples[] = {
    {"letterlock account unlock alice@example.org", {{"", ""}}}, {NULL}};

static const struct operand alias_add_operands[] = {
    OPERAND_ADDRESS("the alias", "别名"),
    {"TARGET",
     VALUE_ADDRESS,
     NULL,
     false,
     true,
     {{"an address of this server it leads to", "它指向的本站地址"}}},
    {NULL}};
static const struct operand alias_remove_operands[] = {
    OPERAND_ADDRESS("the alias", "别名"),
    {"TARGET", VALUE_ADDRESS, NULL, true, false, {{"only this target", "只删除这个目标"}}},
    {NULL}};
static const struct example alias_add_examples[] = {
    {"letterlock alias add sales@example.org alice@example.org bob@example.org",
     {{"both get the mail", "两人都会收到"}}},
    {NULL}};
static const struct example alias_list_examples[] = {{"letterlock alias list", {{"", ""}}}, {NULL}};
static const struct example alias_remove_examples[] = {
    {"letterlock alias remove sales@example.org bob@example.org", {{"alice stays", "alice 保留"}}}, {NULL}};

/* ------------------------------------------------------------------------------------------------ client passwords */

static const struct operand client_add_operands[] = {
    OPERAND_ADDRESS("whose mail program", "谁的邮件程序"),
    {"LABEL", VALUE_TEXT, NULL, false, false, {{"what you call it: \"phone\"", "您给它起的名字，如“手机”"}}},
    {NULL}};
static const struct operand client_operands[] = {OPERAND_ADDRESS("the account", "账户"), OPERAND_ID, {NULL}};
static const struct flag client_add_flags[] = {
    {"receive", VALUE_NONE, NULL, NULL, false, {{"may read mail (IMAP, POP3)", "可以收信（IMAP、POP3）"}}},
    {"send", VALUE_NONE, NULL, NULL, false, {{"may send mail", "可以发信"}}},
    {"expires",
     VALUE_MOMENT,
     NULL,
     "WHEN",
     false,
     {{"good until then: \"90 d\", 2030-01-31", "有效期至：“90 d”、2030-01-31"}}},
    {"network",
     VALUE_NETWORKS,
     NULL,
     "NETWORKS",
     true,
     {{"good from these networks only", "只能从这些网段使用"}}},
    {NULL}};
static const struct flag client_test_flags[] = {
    {"door",
     VALUE_CHOICE,
     "imap pop3 submission",
     "DOOR",
     false,
     {{"for which it is tested; else imap", "测试的入口；默认 imap"}}},
    {NULL}};
static const struct example client_add_examples[] = {
    {"letterlock client add alice@example.org phone",
     {{"a password for one program, shown once; it may receive and send",
       "给一个程序用的密码，只显示一次；可收可发"}}},
    {"letterlock client add alice@example.org scanner --send --network 192.0.2.0/24",
     {{"a device that only sends, from the office", "只发信的办公室设备"}}},
    {NULL}};
static const struct example client_list_examples[] = {
    {"letterlock client list alice@example.org",
     {{"when and from where each was last used", "各自最近何时何地使用过"}}},
    {NULL}};
static const struct example client_show_examples[] = {
    {"letterlock client show alice@example.org 3", {{"", ""}}}, {NULL}};
static const struct example client_revoke_examples[] = {
    {"letterlock client revoke alice@example.org 3",
     {{"the lost phone is signed out at once", "丢失的手机立即退出登录"}}},
    {NULL}};
static const struct example client_remove_examples[] = {
    {"letterlock client remove alice@example.org 3", {{"and forgets that it ever was", "并且不再留存记录"}}},
    {NULL}};
static const struct example client_test_examples[] = {
    {"letterlock client test alice@example.org --door submission",
     {{"asks for the password as it stands in the program", "询问邮件程序里填写的密码"}}},
    {NULL}};

static const struct operand why_operands[] = {
    OPERAND_ADDRESS("whose sign-ins and mail", "谁的登录和邮件"), {NULL}};
static const struct flag why_flags[] = {
    {"count", VALUE_NUMBER, NULL, "N", false, {{"how many at most; else 20", "最多条数；默认 20"}}}, {NULL}};
static const struct example why_examples[] = {
    {"letterlock why alice@example.org", {{"why the phone cannot sign in", "手机为什么无法登录"}}}, {NULL}};

static const struct operand completion_operands[] = {
    {"SHELL",
     VALUE_CHOICE,
     "bash zsh fish",
     false,
     false,
     {{"whose script is printed", "要输出哪种 shell 的脚本"}}},
    {NULL}};
static const struct example completion_examples[] = {
    {"letterlock completion bash > /etc/bash_completion.d/letterlock", {{"", ""}}},
    {"letterlock completion zsh > \"${fpath[1]}/_letterlock\"", {{"", ""}}},
    {"letterlock completion fish > ~/.config/fish/completions/letterlock.fish", {{"", ""}}},
    {NULL}};
static const struct operand help_operands[] = {
    {"COMMAND", VALUE_TEXT, NULL, true, true, {{"the command, of one word or two", "命令，一个词或两个词"}}},
    {NULL}};
static const struct flag help_flags[] = {
    {"man", VALUE_NONE, NULL, NULL, false, {{"print a manual page as troff", "以 troff 格式输出手册页"}}},
    {"list", VALUE_NONE, NULL, NULL, false, {{"print the names of the manual pages", "列出手册页的名称"}}},
    {NULL}};
static const struct example help_examples[] = {
    {"letterlock help account add", {{"", ""}}},
    {"letterlock help --man letterlock.conf | man -l -",
     {{"all keys of letterlock.conf", "letterlock.conf 的所有键"}}},
    {NULL}};

/* ------------------------------------------------------------------------------------------------------- the table */

const struct command command_table[] = {
    {"init",
     NEED_NOTHING,
     true,
     {{"make the folder of a new server", "创建新服务器的目录"}},
     {{"Makes what is missing and changes nothing that is there: the folders, a commented letterlock.conf, "
       "the keys, and a "
       "certificate from a private authority unless you bring one. Running it again is safe. The password of "
       "the first "
       "account comes from a prompt or from the first line of standard input.",
       "只补上缺少的，不改动已有的：目录、带注释的 letterlock.conf、密钥，以及由私有 CA "
       "签发的证书（除非您自备证书）。重复运行是安全的。"
       "第一个账户的密码由提示输入，或取自标准输入的第一行。"}},
     init_operands,
     init_flags,
     init_examples,
     run_init},
    {"serve",
     NEED_FOLDER,
     false,
     {{"run the server", "运行服务器"}},
     {{"Starts all processes and stays in front of them. SIGHUP reads letterlock.conf and the certificates "
       "anew; SIGTERM "
       "or Ctrl-C ends everything in order.",
       "启动所有进程并在前台运行。SIGHUP 重新读取 letterlock.conf 和证书；SIGTERM 或 Ctrl-C 有序停止。"}},
     dir_operands,
     NULL,
     serve_examples,
     run_serve},
    {"check",
     NEED_NOTHING,
     false,
     {{"test the configuration and the files", "检查配置和文件"}},
     {{"Reads letterlock.conf and looks at everything it names: permissions, owners, certificates, ports, "
       "space, users. "
       "Each problem is told with its place and its remedy. Changes nothing. Ends with 78 when something "
       "must be repaired.",
       "读取 letterlock.conf "
       "并检查其中涉及的一切：权限、所有者、证书、端口、磁盘空间、用户。逐一说明问题所在和解决办法。不做任何"
       "改动。"
       "有必须修复的问题时退出码为 78。"}},
     dir_operands,
     NULL,
     check_examples,
     run_check},
    {"domain add",
     NEED_VAULT,
     false,
     {{"add a mail domain", "添加邮件域名"}},
     {{"International names may be written as they are.", "国际化域名可以直接书写。"}},
     domain_operands,
     NULL,
     domain_add_examples,
     run_domain_add},
    {"domain list",
     NEED_VAULT,
     false,
     {{"list the mail domains", "列出邮件域名"}},
     {{"", ""}},
     NULL,
     NULL,
     domain_list_examples,
     run_domain_list},
    {"domain remove",
     NEED_VAULT,
     false,
     {{"remove a mail domain", "删除邮件域名"}},
     {{"Its accounts and aliases have to be removed before.", "须先删除其账户和别名。"}},
     domain_operands,
     NULL,
     domain_remove_examples,
     run_domain_remove},
    {"account add",
     NEED_VAULT,
     true,
     {{"add an account", "添加账户"}},
     {{"The mailbox password is for the person, not for mail programs: those get client passwords (client "
       "add). It is asked "
       "for twice, or read from the first line of standard input.",
       "邮箱密码供本人使用，不用于邮件程序；邮件程序使用客户端密码（client "
       "add）。密码会询问两次，或取自标准输入的第一行。"}},
     account_operands,
     account_add_flags,
     account_add_examples,
     run_account_add},
    {"account list",
     NEED_VAULT,
     false,
     {{"list the accounts", "列出账户"}},
     {{"", ""}},
     domain_filter,
     NULL,
     account_list_examples,
     run_account_list},
    {"account show",
     NEED_VAULT,
     false,
     {{"show an account and its client passwords", "显示账户及其客户端密码"}},
     {{"", ""}},
     account_operands,
     NULL,
     account_show_examples,
     run_account_show},
    {"account remove",
     NEED_SERVER,
     false,
     {{"remove an account with its mail", "删除账户及其邮件"}},
     {{"Nothing brings the mail back but a backup. Needs a running server.",
       "除备份外无法恢复邮件。需要服务器正在运行。"}},
     account_operands,
     yes_flags,
     account_remove_examples,
     run_account_remove},
    {"account password",
     NEED_VAULT,
     true,
     {{"set a new mailbox password", "设置新的邮箱密码"}},
     {{"Asks for it twice, or reads the first line of standard input. Client passwords stay as they are.",
       "询问两次，或读取标准输入的第一行。客户端密码不受影响。"}},
     account_operands,
     NULL,
     account_password_examples,
     run_account_password},
    {"account lock",
     NEED_VAULT,
     false,
     {{"let nobody sign in to an account", "禁止登录某账户"}},
     {{"Open sessions end at once. Mail still arrives.", "现有会话立即结束。仍可收到邮件。"}},
     account_operands,
     NULL,
     account_lock_examples,
     run_account_lock},
    {"account unlock",
     NEED_VAULT,
     false,
     {{"allow sign-ins again", "重新允许登录"}},
     {{"", ""}},
     account_operands,
     NULL,
     account_unlock_examples,
     run_account_unlock},
    {"alias add",
     NEED_VAULT,
     false,
     {{"let an address lead to others", "添加指向其他地址的别名"}},
     {{"", ""}},
     alias_add_operands,
     NULL,
     alias_add_examples,
     run_alias_add},
    {"alias list",
     NEED_VAULT,
     false,
     {{"list the aliases", "列出别名"}},
     {{"", ""}},
     domain_filter,
     NULL,
     alias_list_examples,
     run_alias_list},
    {"alias remove",
     NEED_VAULT,
     false,
     {{"remove an alias, or one of its targets", "删除别名或其一个目标"}},
     {{"", ""}},
     alias_remove_operands,
     NULL,
     alias_remove_examples,
     run_alias_remove},
    {"client add",
     NEED_VAULT,
     false,
     {{"make a password for a mail program", "为邮件程序生成密码"}},
     {{"Shown once, together with the settings that the mail program asks for. Without --receive and --send "
       "it may do both.",
       "只显示一次，并附上邮件程序所需的设置。不写 --receive 和 --send 时两者皆可。"}},
     client_add_operands,
     client_add_flags,
     client_add_examples,
     run_client_add},
    {"client list",
     NEED_VAULT,
     false,
     {{"list the client passwords of an account", "列出账户的客户端密码"}},
     {{"The passwords themselves are not kept and cannot be shown.", "密码本身不保存，无法显示。"}},
     account_operands,
     NULL,
     client_list_examples,
     run_client_list},
    {"client show",
     NEED_VAULT,
     false,
     {{"show what is known of a client password", "显示某客户端密码的信息"}},
     {{"", ""}},
     client_operands,
     NULL,
     client_show_examples,
     run_client_show},
    {"client revoke",
     NEED_VAULT,
     false,
     {{"end a client password", "吊销客户端密码"}},
     {{"Its open sessions end at once. It stays in the list, so that later tries can be explained.",
       "其会话立即结束。它仍留在列表中，以便解释之后的尝试。"}},
     client_operands,
     NULL,
     client_revoke_examples,
     run_client_revoke},
    {"client remove",
     NEED_VAULT,
     false,
     {{"forget a client password", "删除客户端密码的记录"}},
     {{"Ends it like revoke, and takes it out of the list.", "与吊销相同，并从列表中删除。"}},
     client_operands,
     NULL,
     client_remove_examples,
     run_client_remove},
    {"client test",
     NEED_VAULT,
     true,
     {{"tell whether a password would be accepted", "测试某密码是否会被接受"}},
     {{"Asks for the password, or reads it from standard input, and says what the server would decide and "
       "why. Changes "
       "nothing and counts as no attempt. Ends with 1 when the answer is no.",
       "询问密码（或从标准输入读取），说明服务器会如何判定及原因。不做改动，也不计为一次尝试。答案为否时退出"
       "码为 1。"}},
     account_operands,
     client_test_flags,
     client_test_examples,
     run_client_test},
    {"why",
     NEED_VAULT,
     false,
     {{"explain recent sign-ins and refused mail", "解释近期的登录和被拒的邮件"}},
     {{"What was decided, when, for which program, and in plain words why.",
       "何时、对哪个程序、作了什么判定，以及用平常话说明原因。"}},
     why_operands,
     why_flags,
     why_examples,
     run_why},
    {"backup",
     NEED_SERVER,
     false,
     {{"make a consistent copy while the server runs", "在服务器运行时制作一致的备份"}},
     {{"Copies the vault, every account's mail and the configuration to a new folder, checks the copies, and "
       "gives the "
       "folder its name only when everything is on disk. To restore, stop the server and copy the folder "
       "back. Never copy "
       "the files of a running server by other means.",
       "把保险库、每个账户的邮件和配置复制到新目录，核对副本，全部写入磁盘后才赋予目录最终名称。恢复时先停止"
       "服务器，再把目录复制回去。"
       "切勿用其他方式复制运行中服务器的文件。"}},
     backup_operands,
     backup_flags,
     backup_examples,
     run_backup},
    {"status",
     NEED_SERVER,
     false,
     {{"show processes, sessions and what they wait for", "显示进程、会话及其等待的事项"}},
     {{"", ""}},
     NULL,
     NULL,
     status_examples,
     run_status},
    {"limits",
     NEED_NOTHING,
     false,
     {{"list every budget of the server", "列出服务器的所有限额"}},
     {{"Lengths, depths, counts and times that a stranger could otherwise choose. Those that can be changed "
       "are keys of "
       "letterlock.conf.",
       "长度、深度、数量和时间的上限。可以调整的列在 letterlock.conf 中。"}},
     NULL,
     NULL,
     limits_examples,
     run_limits},
    {"version",
     NEED_NOTHING,
     false,
     {{"print the version", "显示版本"}},
     {{"", ""}},
     NULL,
     NULL,
     version_examples,
     run_version},
    {"completion",
     NEED_NOTHING,
     false,
     {{"print a completion script for a shell", "输出 shell 补全脚本"}},
     {{"", ""}},
     completion_operands,
     NULL,
     completion_examples,
     run_completion},
    {"help",
     NEED_NOTHING,
     false,
     {{"explain a command", "解释命令的用法"}},
     {{"", ""}},
     help_operands,
     help_flags,
     help_examples,
     run_help},
};
const size_t command_count = sizeof command_table / sizeof *command_table;
