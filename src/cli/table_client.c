/* table_client.c - the rows of client passwords. */
#include "cli/run.h"
#include "cli/table.h"

static const struct operand account_operands[] = {
    OPERAND_ADDRESS("the account's address", "账户地址"), {NULL}};
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

static const struct command rows[] = {
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
};
const struct command_part command_client_part = {rows, sizeof rows / sizeof *rows};
