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
        "letterlock policy set password-length 14 --group staff",
        "longer mailbox passwords for the group staff", "要求 staff 组使用更长的邮箱密码"),
    EXAMPLE(
        "letterlock policy set password-length inherit --group staff", "as for everybody again",
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
    {"LABEL", VALUE_TEXT, NULL, true, false, SAYS("what you call it: \"phone\"", "您给它起的名字，如“手机”")},
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
};
const struct command_part command_credential_part = {rows, sizeof rows / sizeof *rows};
