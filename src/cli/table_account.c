/* table_account.c - the rows of domains, accounts and aliases. */
#include "cli/run.h"
#include "cli/table.h"

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
    {"letterlock account password alice@example.org --old",
     {{"asks for the present password, then for the new one", "先询问当前密码，再询问新密码"}}},
    {"letterlock account password alice@example.org --code",
     {{"asks for the reset code, then for the new password", "先询问重置码，再询问新密码"}}},
    {"letterlock account password alice@example.org --must-change",
     {{"alice must change it before it opens anything", "alice 须先更改密码才能再次使用"}}},
    {NULL}};
static const struct flag account_password_flags[] = {
    FLAG("code", "the owner's side: with the code of a reset", "本人操作：使用重置码"),
    FLAG("old", "the owner's side: with the password that holds now", "本人操作：使用当前密码"),
    FLAG(
        "must-change", "asks for no password: the present one opens nothing until its owner changes it",
        "不询问密码：当前密码在本人更改之前不能再用于登录"),
    {NULL}};
static const struct flag account_reset_flags[] = {
    {"life", VALUE_DURATION, NULL, "TIME", false,
     SAYS("how long the code is good: \"24 h\"", "重置码的有效时间：“24 h”")},
    FLAG("qr", "show the code also as a QR code", "同时以二维码显示"),
    {NULL}};
static const struct example account_reset_examples[] = {
    EXAMPLE(
        "letterlock account reset alice@example.org", "a code with which alice sets a new mailbox password",
        "alice 凭此码设置新的邮箱密码"),
    {NULL}};
static const struct operand account_group_operands[] = {
    OPERAND_ADDRESS("the account's address", "账户地址"),
    {"GROUP", VALUE_TEXT, NULL, true, false,
     SAYS("its group; none: in no group", "所属的组；不写则不属于任何组")},
    {NULL}};
static const struct example account_group_examples[] = {
    EXAMPLE(
        "letterlock account group alice@example.org staff", "the policies of the group staff hold for alice",
        "staff 组的规则对 alice 生效"),
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

static const struct operand address_release_operands[] = {
    OPERAND_ADDRESS("the address that rests", "停用期内的地址"), {NULL}};
static const struct example address_resting_examples[] = {
    EXAMPLE_PLAIN("letterlock address resting"),
    EXAMPLE_PLAIN("letterlock address resting example.org --json"),
    {NULL}};
static const struct example address_release_examples[] = {
    EXAMPLE(
        "letterlock address release alice@example.org",
        "somebody else may have it now, and gets what is sent to it",
        "此后可分配给他人，寄往该地址的邮件由新主人收取"),
    {NULL}};

static const struct command rows[] = {
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
    {"account password", NEED_VAULT, true, SAYS("set a mailbox password", "设置邮箱密码"),
     SAYS(
         "Its owner changes it with --old, or with the --code of a reset. Without either it can only be set "
         "where "
         "there is none yet, and its owner must then change it: an administrator never sets a password over "
         "another "
         "one (account reset). Secrets are asked for, or read from standard input, a line each. Client "
         "passwords "
         "stay as they are.",
         "本人用 --old 更改，或用重置码 --code "
         "设置。两者都不写时，只能为尚无密码的账户设置，且本人随后必须更改：管理员从不覆盖已有的密码（见 "
         "account "
         "reset）。密码会逐一询问，或从标准输入逐行读取。客户端密码不受影响。"),
     account_operands, account_password_flags, account_password_examples, run_account_password},
    {"account reset", NEED_VAULT, false,
     SAYS("let the owner choose a new mailbox password", "让本人重设邮箱密码"),
     SAYS(
         "Makes a code that works once and for a limited time. Nobody learns the old password, and nobody "
         "but its owner the new one: letterlock account password ADDRESS --code, or the portal.",
         "生成一次性、限时的重置码。没有人会知道旧密码，也只有本人知道新密码：letterlock account password "
         "ADDRESS --code，或在门户中设置。"),
     account_operands, account_reset_flags, account_reset_examples, run_account_reset},
    {"account group", NEED_VAULT, false, SAYS("put an account into a group", "设置账户所属的组"),
     SAYS("Policies may be set for a group (policy set).", "可以为组设定规则（policy set）。"),
     account_group_operands, NULL, account_group_examples, run_account_group},
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
    {"address resting", NEED_VAULT, false,
     SAYS("list the addresses that were given up and rest", "列出停用期内的地址"),
     SAYS(
         "The address of a removed account, and a removed alias, is nobody's for a while (address_rest in "
         "letterlock.conf), so that nobody gets mail that was meant for its owner of before. An alias may "
         "come "
         "back at once to those whom it led to. To lead an alias elsewhere, add the new target before the "
         "old "
         "one is removed.",
         "已删除账户的地址和已删除的别名在一段时间内不归任何人（letterlock.conf 的 "
         "address_"
         "rest），以免他人收到寄给原主人的邮件。别名可以立即恢复给原先指向的人；要让别名改指他处，请先添加新"
         "目标，再删除旧目标。"),
     domain_filter, NULL, address_resting_examples, run_address_resting},
    {"address release", NEED_VAULT, false, SAYS("let an address be given away again", "允许重新分配某个地址"),
     SAYS(
         "Mail that people still send to its owner of before then reaches whoever gets it.",
         "此后仍寄给原主人的邮件，将由新主人收到。"),
     address_release_operands, NULL, address_release_examples, run_address_release},
};
const struct command_part command_account_part = {rows, sizeof rows / sizeof *rows};
