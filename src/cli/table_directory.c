/* table_directory.c - the rows of the directory: accounts from an LDAP server. */
#include "cli/run.h"
#include "cli/table.h"

static const struct operand test_operands[] = {
    OPERAND_ADDRESS("a person of the directory", "目录中某人的地址"), {NULL}};
static const struct flag test_flags[] = {
    FLAG(
        "password", "ask for that person's mailbox password, or read it from standard input, and try it",
        "询问此人的邮箱密码（或从标准输入读取）并尝试"),
    {NULL}};
static const struct example test_examples[] = {
    EXAMPLE(
        "letterlock directory test alice@example.org", "finds her, and says in which group",
        "查找此人及其所属组"),
    EXAMPLE(
        "letterlock directory test alice@example.org --password", "tries her mailbox password as well",
        "同时尝试其邮箱密码"),
    {NULL}};
static const struct flag sync_flags[] = {
    FLAG("dry-run", "only say what would change", "只显示将要做的改动"),
    FLAG(
        "force", "lock people who are missing even when they are more than half of all",
        "即使缺失人数超过一半，也予以锁定"),
    {NULL}};
static const struct example sync_examples[] = {
    EXAMPLE("letterlock directory sync --dry-run", "before the first time", "首次同步之前"), {NULL}};

static const struct command rows[] = {
    {"directory test", NEED_SERVER, true,
     SAYS("ask the directory (LDAP) about one person, step by step", "逐步查询目录（LDAP）中的某人"),
     SAYS(
         "Connects, secures the connection, signs in to search, finds the person and the policy group, and "
         "says "
         "where it stops. With --password it signs in as that person; the LDAP server may count a wrong one.",
         "依次连接、加密、以搜索身份登录、查找此人及其策略组，并说明停在哪一步。加 --password "
         "则以此人身份登录；密码错误可能被 LDAP 服务器计数。"),
     test_operands, test_flags, test_examples, run_directory_test},
    {"directory sync", NEED_SERVER, false,
     SAYS("compare the accounts with the directory (LDAP) now", "立即与目录（LDAP）比对账户"),
     SAYS(
         "The server does this by itself every directory_refresh. New people get an account, changes are "
         "taken "
         "over, who is missing is locked and never deleted.",
         "服务器每隔 directory_refresh 自动执行。新用户会建立账户，变更会同步，缺失者被锁定，但绝不删除。"),
     NULL, sync_flags, sync_examples, run_directory_sync},
};
const struct command_part command_directory_part = {rows, sizeof rows / sizeof *rows};
