/* table.c - the table of commands: the server and its tools; the parts of table_account.c and table_client.c. What each
 * command does is in the file that its `run` is in. */
#include "cli/table.h"

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
    {"COMMAND",
     VALUE_COMMAND,
     NULL,
     true,
     true,
     {{"the command, of one word or two", "命令，一个词或两个词"}}},
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

static const struct command server_rows[] = {
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
};

static const struct command tool_rows[] = {
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

static const struct command_part server_part = {server_rows, sizeof server_rows / sizeof *server_rows};
static const struct command_part tool_part = {tool_rows, sizeof tool_rows / sizeof *tool_rows};
static const struct command_part *const parts[] = {
    &server_part,
    &command_account_part,
    &command_client_part,
    &command_credential_part,
    &command_directory_part,
    &command_breach_part,
    &command_doctor_part,
    &tool_part};

size_t command_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        count += parts[i]->count;
    return count;
}

const struct command *command_at(size_t i)
{
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        if (i < parts[p]->count)
            return &parts[p]->rows[i];
        i -= parts[p]->count;
    }
    return NULL;
}
