/* table_credential.c - the rows of mailbox passwords, policies, second factors, the vault's keys, and batches. */
#include "cli/run.h"
#include "cli/table.h"

static const struct operand account_operands[] = {
    OPERAND_ADDRESS("the account's address", "账户地址"), {NULL}};

/* ---------------------------------------------------------------------------------------- mailbox passwords, policies */

static const struct example password_check_examples[] = {
    EXAMPLE(
        "letterlock password check alice@example.org", "asks for the password; red, yellow or green, and why",
        "询问密码；给出红、黄、绿及理由"),
    {NULL}};

static const struct operand policy_show_operands[] = {
    {"ADDRESS", VALUE_ADDRESS, NULL, true, false, SAYS("what holds for this account", "对该账户有效的规则")},
    {NULL}};
static const struct operand policy_set_operands[] = {
    OPERAND("KEY", VALUE_TEXT, "which rule; \"policy show\" lists them", "哪项规则；见“policy show”"),
    OPERAND("VALUE", VALUE_TEXT, "its value, or \"inherit\"", "取值，或“inherit”（沿用上级）"),
    {NULL}};
static const struct flag policy_flags[] = {
    {"domain", VALUE_DOMAIN, NULL, "DOMAIN", false, SAYS("for this domain", "仅限该域名")},
    {"group", VALUE_TEXT, NULL, "GROUP", false, SAYS("for this group", "仅限该组")},
    {NULL}};
static const struct example policy_set_examples[] = {
    EXAMPLE(
        "letterlock policy set password_least 14 --group staff",
        "longer mailbox passwords for the group staff", "要求 staff 组使用更长的邮箱密码"),
    EXAMPLE(
        "letterlock policy set password_least inherit --group staff", "as for everybody again",
        "恢复为与所有人相同"),
    {NULL}};
static const struct example policy_show_examples[] = {
    EXAMPLE(
        "letterlock policy show alice@example.org", "what holds for alice, and where each rule comes from",
        "对 alice 有效的规则及各自的来源"),
    EXAMPLE_PLAIN("letterlock policy show --group staff"),
    {NULL}};

/* -------------------------------------------------------------------------------------------------- second factors */

static const struct operand factor_totp_operands[] = {
    OPERAND_ADDRESS("the account's address", "账户地址"),
    {"LABEL", VALUE_TEXT, NULL, true, false,
     SAYS("what you call it: \"phone\"; else \"authenticator\"", "您给它起的名字，如“手机”；默认“验证器”")},
    {NULL}};
static const struct operand factor_operands[] = {
    OPERAND_ADDRESS("the account's address", "账户地址"),
    OPERAND("ID", VALUE_NUMBER, "its number in \"factor list\"", "它在“factor list”中的编号"),
    {NULL}};
static const struct flag factor_totp_flags[] = {
    FLAG("no-qr", "show the key as text only", "只以文字显示"), {NULL}};
static const struct example factor_totp_examples[] = {
    EXAMPLE(
        "letterlock factor totp alice@example.org phone", "scan the QR code, then confirm with a first code",
        "扫描二维码，再用第一个验证码确认"),
    {NULL}};
static const struct example factor_confirm_examples[] = {
    EXAMPLE("letterlock factor confirm alice@example.org 4", "asks for the code", "询问验证码"), {NULL}};
static const struct example factor_list_examples[] = {
    EXAMPLE_PLAIN("letterlock factor list alice@example.org"), {NULL}};
static const struct example factor_remove_examples[] = {
    EXAMPLE_PLAIN("letterlock factor remove alice@example.org 4"), {NULL}};
static const struct example factor_recovery_examples[] = {
    EXAMPLE(
        "letterlock factor recovery alice@example.org", "ten codes for the day the phone is lost",
        "手机丢失时使用的恢复码"),
    {NULL}};

/* --------------------------------------------------------------------------------------------- the vault and batches */

static const struct operand vault_operands[] = {
    {"CONTAINER", VALUE_CHOICE, "accounts clients", true, false,
     SAYS("only this one; else both", "只处理这一个；默认两个")},
    {NULL}};
static const struct example vault_rotate_examples[] = {
    EXAMPLE("letterlock vault rotate", "new keys for both containers", "两个容器都换新密钥"), {NULL}};

static const struct operand batch_operands[] = {
    OPERAND("FILE", VALUE_PATH, "the rows: a CSV file", "各行：CSV 文件"), {NULL}};
static const struct flag batch_flags[] = {
    FLAG("dry-run", "show what would happen, and do nothing", "只显示会发生什么，不做改动"),
    FLAG_YES,
    {"key", VALUE_PATH, NULL, "FILE", false,
     SAYS(
         "for whom the results are sealed: the public part made by \"batch key\"",
         "结果为谁封存：“batch key”生成的公开部分")},
    {"results", VALUE_PATH, NULL, "FILE", false,
     SAYS("where the sealed results go; else FILE.results", "封存结果的文件；默认 FILE.results")},
    {"rate", VALUE_NUMBER, NULL, "N", false,
     SAYS("at most so many rows a second; else 200", "每秒最多行数；默认 200")},
    {NULL}};
static const struct example batch_examples[] = {
    EXAMPLE(
        "letterlock batch people.csv --dry-run", "every row is checked, nothing is changed",
        "检查每一行，不做改动"),
    EXAMPLE(
        "letterlock batch people.csv --key office.pub",
        "asks, then works; started again after an interruption it goes on where it was",
        "确认后执行；中断后再次运行会接着做"),
    {NULL}};
static const struct operand batch_key_operands[] = {
    OPERAND(
        "FILE", VALUE_PATH, "the key file to make; FILE.pub is its public part",
        "要创建的密钥文件；FILE.pub 为公开部分"),
    {NULL}};
static const struct example batch_key_examples[] = {
    EXAMPLE("letterlock batch key office", "makes office and office.pub", "创建 office 和 office.pub"),
    {NULL}};
static const struct operand batch_open_operands[] = {
    OPERAND("RESULTS", VALUE_PATH, "the sealed results", "封存的结果"), {NULL}};
static const struct flag batch_open_flags[] = {
    {"key", VALUE_PATH, NULL, "FILE", false,
     SAYS("the key file made by \"batch key\"", "“batch key”生成的密钥文件")},
    {NULL}};
static const struct example batch_open_examples[] = {
    EXAMPLE(
        "letterlock batch open people.csv.results --key office > results.csv",
        "asks for the passphrase and prints the CSV", "询问口令并输出 CSV"),
    {NULL}};

/* ------------------------------------------------------------------------------------------------------------ rows */

static const struct command rows[] = {
    {"password check", NEED_VAULT, true, SAYS("tell how good a mailbox password is", "评价邮箱密码的强度"),
     SAYS(
         "Asks for the password, or reads it from standard input, and judges it by the policy that holds for "
         "the account. Changes nothing. Ends with 1 when it would not be accepted.",
         "询问密码（或从标准输入读取），按对该账户有效的规则评价。不做改动。不会被接受时退出码为 1。"),
     account_operands, NULL, password_check_examples, run_password_check},
    {"policy set", NEED_VAULT, false,
     SAYS("set a rule for everybody, a domain or a group", "为所有人、某域名或某组设定规则"),
     SAYS(
         "A group is above a domain, and a domain above everybody: the nearest rule holds.",
         "组优先于域名，域名优先于所有人：最近的规则有效。"),
     policy_set_operands, policy_flags, policy_set_examples, run_policy_set},
    {"policy show", NEED_VAULT, false, SAYS("show the rules, and where each comes from", "显示规则及其来源"),
     SAYS("", ""), policy_show_operands, policy_flags, policy_show_examples, run_policy_show},
    {"factor totp", NEED_VAULT, false, SAYS("enrol an authenticator app", "登记验证器应用"),
     SAYS(
         "Shows the key once, as a QR code and as text. It counts from the moment on at which it is "
         "confirmed with a first code (factor confirm).",
         "密钥只显示一次，以二维码和文字形式。用第一个验证码确认（factor confirm）后才生效。"),
     factor_totp_operands, factor_totp_flags, factor_totp_examples, run_factor_totp},
    {"factor confirm", NEED_VAULT, true,
     SAYS("confirm an authenticator app with its first code", "用第一个验证码确认验证器"), SAYS("", ""),
     factor_operands, NULL, factor_confirm_examples, run_factor_confirm},
    {"factor list", NEED_VAULT, false, SAYS("list the second factors of an account", "列出账户的第二因素"),
     SAYS("", ""), account_operands, NULL, factor_list_examples, run_factor_list},
    {"factor remove", NEED_VAULT, false, SAYS("remove a second factor", "删除第二因素"), SAYS("", ""),
     factor_operands, NULL, factor_remove_examples, run_factor_remove},
    {"factor recovery", NEED_VAULT, false, SAYS("make new recovery codes", "生成新的恢复码"),
     SAYS(
         "Each opens once, in place of a code of the app. The codes made before become void.",
         "每个只能用一次，代替验证码。之前的恢复码全部作废。"),
     account_operands, NULL, factor_recovery_examples, run_factor_recovery},
    {"vault rotate", NEED_VAULT, false,
     SAYS("seal every secret anew under new keys", "以新密钥重新封存所有机密"),
     SAYS(
         "Passwords stay as they are and sessions go on. Make a backup afterwards: older ones need the keys "
         "they were made with, and have them unless you left them out.",
         "密码不变，会话继续。完成后请重新备份：旧备份需要当时的密钥（默认包含在备份中）。"),
     vault_operands, NULL, vault_rotate_examples, run_vault_rotate},
    {"batch", NEED_VAULT, false, SAYS("do many changes from a CSV file", "按 CSV 文件批量操作"),
     SAYS(
         "The first line names the columns: verb, address, name, language, group, quota, label, doors, "
         "limits, expires, in any order; verb and address are needed. Verbs: create, reset, client, revoke, "
         "rotate, lock, unlock. Every row is checked before anything is done. What is made (client "
         "passwords, reset codes) goes to a results file that only the owner of the key can open. Limits are "
         "separated by \";\" in their column.",
         "首行为列名：verb、address、name、language、group、quota、label、doors、limits、expires，顺序不限；v"
         "erb 和 address "
         "必需。操作：create、reset、client、revoke、rotate、lock、unlock。开始之前先检查所有行。生成的内容（"
         "客户端密码、重置码）写入只有密钥持有者才能打开的结果文件。limits 列中的多项限制以“;”分隔。"),
     batch_operands, batch_flags, batch_examples, run_batch},
    {"batch key", NEED_NOTHING, true,
     SAYS("make the key that opens the results of batches", "创建打开批量结果的密钥"),
     SAYS(
         "Asks for a passphrase that protects the key file, or reads it from standard input. Keep the key "
         "file away from the server; the server needs FILE.pub alone.",
         "询问保护密钥文件的口令（或从标准输入读取）。请把密钥文件保存在服务器之外；服务器只需要 FILE.pub。"),
     batch_key_operands, NULL, batch_key_examples, run_batch_key},
    {"batch open", NEED_NOTHING, true, SAYS("open the results of a batch", "打开批量操作的结果"),
     SAYS(
         "Prints the results as CSV: the line and its verb, the address, what was made, and the secret.",
         "以 CSV 输出结果：行号、操作、地址、生成的内容和密码。"),
     batch_open_operands, batch_open_flags, batch_open_examples, run_batch_open},
};
const struct command_part command_credential_part = {rows, sizeof rows / sizeof *rows};
